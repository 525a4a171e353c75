//! What someone is to be told of, though no one looks at a console: when it begins, and when it has ended.

use std::time::Duration;

use chrono::TimeDelta;
use strum::{Display, EnumString, IntoStaticStr};

use super::Time;
use super::amazon::DeadLetters;
use super::brake::BrakeState;
use super::hook::HookEndpoint;
use super::reputation::Rate;
use super::worker::OutboxView;
use crate::text::{Untrusted, plain};

/// For how long nothing went out though mails were due.
const UNSENT_FOR: Duration = Duration::from_mins(5);

/// From which part of a limit on a rate is near it, and below which it no longer is: it goes up and down.
const RATE_NEAR: [f64; 2] = [0.6, 0.5];

/// The same for the mails of 24 hours.
const QUOTA_NEAR: [f64; 2] = [0.9, 0.8];

/// After how long nearly all mails have arrived that will: servers that do not know us put a first mail off.
pub const ARRIVES_LATEST: TimeDelta = TimeDelta::hours(2);

/// After how long nearly all links have been opened that will be.
pub const OPENED_LATEST: TimeDelta = TimeDelta::hours(3);

/// Of how many people at a domain nothing is heard, so that it is no chance.
pub const PEOPLE_MIN: i64 = 20;

/// So many mails must have arrived elsewhere, and more than this part: else it is no matter of that domain's.
const ARRIVED_ELSEWHERE: (i64, f64) = (20, 0.5);

/// The same of links that were opened.
const OPENED_ELSEWHERE: (i64, f64) = (20, 0.3);

/// Longest summary, in characters.
const SUMMARY_MAX: usize = 1_000;

/// What can be wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Display, EnumString, IntoStaticStr)]
#[strum(serialize_all = "snake_case", parse_err_ty = UnknownAlert, parse_err_fn = UnknownAlert::of)]
pub enum AlertKind {
    /// Nothing goes out; the subject is what has set the brake.
    OutboxPaused,
    /// Nothing went out for five minutes though mails are due.
    NothingSent,
    /// No worker was heard of for two minutes: told by `serve`.
    NoWorker,
    /// Workers whose secrets do not fit together.
    SecretsDiffer,
    /// The last mails are near the rate at which the brake stops all; the subject is `bounces` or `complaints`.
    RateNear,
    /// The mails of 24 hours are nearly used up.
    QuotaNearlyUsed,
    /// Something is in the dead-letter queue of this queue of SES's events.
    DeadLetters,
    /// No mail arrives at this domain, while mails to others do.
    NothingArrives,
    /// No one at this domain opens their link, while people at others do.
    NothingOpened,
    /// A message to the site was given up in the last day; the subject is its endpoint.
    WebhookGivenUp,
}

/// Of a later version.
#[derive(Debug, thiserror::Error)]
#[error("unknown word for an alert")]
pub struct UnknownAlert;

impl UnknownAlert {
    fn of(_: &str) -> Self {
        Self
    }
}

impl AlertKind {
    /// Every kind.
    pub const ALL: [Self; 10] = [
        Self::OutboxPaused,
        Self::NothingSent,
        Self::NoWorker,
        Self::SecretsDiffer,
        Self::RateNear,
        Self::QuotaNearlyUsed,
        Self::DeadLetters,
        Self::NothingArrives,
        Self::NothingOpened,
        Self::WebhookGivenUp,
    ];

    /// The word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// It in a few words.
    #[must_use]
    pub fn in_words(self) -> &'static str {
        match self {
            Self::OutboxPaused => "the outbox is paused",
            Self::NothingSent => "nothing is sent though mails are due",
            Self::NoWorker => "no worker is there",
            Self::SecretsDiffer => "secrets differ",
            Self::RateNear => "near where all mail stops",
            Self::QuotaNearlyUsed => "the quota is nearly used",
            Self::DeadLetters => "dead letters",
            Self::NothingArrives => "nothing arrives",
            Self::NothingOpened => "no link is opened",
            Self::WebhookGivenUp => "webhooks were given up",
        }
    }

    /// What to do about it: a section of the manual.
    #[must_use]
    pub fn docs(self) -> &'static str {
        match self {
            Self::OutboxPaused => "docs/operations.md#the-outbox-is-paused",
            Self::NothingSent | Self::QuotaNearlyUsed => "docs/operations.md#no-one-gets-mail",
            Self::NoWorker => "docs/operations.md#a-worker-stands-still-or-stops",
            Self::SecretsDiffer => "docs/secret.md#every-worker-has-the-same",
            Self::RateNear => "docs/operations.md#mails-bounce",
            Self::DeadLetters => "docs/events.md#by-a-queue",
            Self::NothingArrives => "docs/operations.md#nothing-arrives-at-a-domain",
            Self::NothingOpened => "docs/operations.md#no-link-is-opened-at-a-domain",
            Self::WebhookGivenUp => "docs/webhooks.md#looking-and-trying-again",
        }
    }
}

/// Something that is wrong at this moment.
#[derive(Clone, Debug, PartialEq)]
pub struct Trouble {
    pub kind: AlertKind,
    /// Which of its kind.
    pub subject: String,
    /// It in a line, plain.
    pub summary: String,
}

/// An alert that has not ended.
#[derive(Clone, Debug, PartialEq)]
pub struct Alert {
    /// A word of [`AlertKind`], or of a later version.
    pub kind: Untrusted,
    pub subject: Untrusted,
    pub summary: Untrusted,
    pub began_at: Time,
    /// Whether anyone has been told.
    pub is_told: bool,
    /// Why the last try to tell someone failed, of a way in which no one has been told.
    pub error: Option<Untrusted>,
}

impl Alert {
    /// It in a line: what, since when as `shown` writes it, and whether anyone was told, where that was tried.
    #[must_use]
    pub fn in_words(&self, shown: impl Fn(Time) -> String) -> String {
        let kind = self.kind.plain();
        let words = kind
            .as_str()
            .parse()
            .map_or_else(|_| kind.as_str().replace('_', " "), |kind: AlertKind| kind.in_words().to_owned());
        let subject = self.subject.plain();
        let of = if subject.as_str().is_empty() { String::new() } else { format!(" ({subject})") };
        let told = match (self.is_told, &self.error) {
            (true, None) => "; told".to_owned(),
            (true, Some(error)) => format!("; told in one way, in the other not: {}", error.plain()),
            (false, Some(error)) => format!("; not told: {}", error.plain()),
            (false, None) => String::new(),
        };
        format!("{words}{of}, since {}{told}", shown(self.began_at))
    }
}

/// A domain to which none of the last mails has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SilentDomain {
    /// In lower case.
    pub domain: Untrusted,
    /// Mails to it that had the time to arrive, and to how many addresses.
    pub mails: i64,
    pub people: i64,
    /// Mails to other domains in the same time, and how many of them have arrived.
    pub others: i64,
    pub others_arrived: i64,
}

impl SilentDomain {
    /// Whether that is no chance, and none of ours or SES's doing.
    fn is_trouble(&self) -> bool {
        self.people >= PEOPLE_MIN && is_well(self.others_arrived, self.others, ARRIVED_ELSEWHERE)
    }
}

/// A domain whose people opened none of the last links.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnopenedDomain {
    /// In lower case.
    pub domain: Untrusted,
    /// People who were mailed a link and had the time to open it, and how many links.
    pub people: i64,
    pub links: i64,
    /// Links for other domains in the same time, and how many of them were opened.
    pub others: i64,
    pub others_opened: i64,
}

impl UnopenedDomain {
    /// Whether that is no chance, and no matter of the site's pages.
    fn is_trouble(&self) -> bool {
        self.people >= PEOPLE_MIN && is_well(self.others_opened, self.others, OPENED_ELSEWHERE)
    }
}

/// Whether elsewhere it is as it should be.
fn is_well(count: i64, of: i64, (least, part): (i64, f64)) -> bool {
    #[expect(clippy::cast_precision_loss, reason = "a part")]
    let most = count as f64 > part * of as f64;
    count >= least && most
}

/// What the database knows, as far as it is judged.
#[derive(Clone, Copy, Debug)]
pub struct Seen<'a> {
    pub outbox: &'a OutboxView,
    /// Mails have last gone out so long ago.
    pub unsent_for: TimeDelta,
    /// What the site was not told.
    pub endpoints: &'a [HookEndpoint],
    pub silent: &'a [SilentDomain],
    pub unopened: &'a [UnopenedDomain],
}

/// What is wrong, by what is seen; `open` says of an alert whether it has begun and not ended.
#[must_use]
pub fn judge(seen: Seen<'_>, open: impl Fn(AlertKind, &str) -> bool) -> Vec<Trouble> {
    let Seen { outbox, unsent_for, endpoints, silent, unopened } = seen;
    let mut found = Vec::new();
    let mut add = |kind: AlertKind, subject: &str, summary: String| {
        let summary = plain(&summary).as_str().chars().take(SUMMARY_MAX).collect();
        found.push(Trouble { kind, subject: subject.to_owned(), summary });
    };
    let is_near = |kind, subject: &str, part: f64, [begins, ends]: [f64; 2]| {
        part >= if open(kind, subject) { ends } else { begins }
    };
    let paused = outbox.brake.as_ref().filter(|brake| brake.state == BrakeState::Paused);
    if let Some(brake) = paused {
        let (by, why) = (brake.set_by.plain(), brake.reason.plain());
        add(AlertKind::OutboxPaused, brake.cause.as_str(), format!("the outbox is paused by {by}: {why}"));
    }
    let is_quota_used = outbox.pace.left() == Some(0);
    if let Some(due_since) = outbox.due_since
        && paused.is_none()
        && !is_quota_used
    {
        let due_for = (outbox.as_of - due_since).min(unsent_for).to_std().unwrap_or_default();
        if due_for >= UNSENT_FOR {
            let why = outbox.why_waiting().unwrap_or_else(|| "see the workers' logs".into());
            let minutes = due_for.as_secs() / 60;
            add(AlertKind::NothingSent, "", format!("mails are due, and none went out for {minutes} minutes: {why}"));
        }
    }
    if let Some(trouble) = outbox.secret_trouble(outbox.as_of)
        && let Some(words) = trouble.words().first()
    {
        add(AlertKind::SecretsDiffer, "", words.clone());
    }
    if outbox.reputation.is_enough() {
        let rates = [("bounces", outbox.reputation.bounces), ("complaints", outbox.reputation.complaints)];
        for (subject, rate) in rates {
            // A limit of 1 never stops anything, and one complaint is none.
            let counts = rate.limit < 1.0 && (subject == "bounces" || rate.count > 1);
            if counts && is_near(AlertKind::RateNear, subject, Rate::of_limit(rate), RATE_NEAR) {
                let summary = format!("{subject} are near where all mail stops: {}", rate.in_words());
                add(AlertKind::RateNear, subject, summary);
            }
        }
    }
    if let Some(quota) = outbox.pace.daily_quota.filter(|quota| *quota > 0) {
        #[expect(clippy::cast_precision_loss, reason = "a part")]
        let part = outbox.pace.used as f64 / quota as f64;
        if is_near(AlertKind::QuotaNearlyUsed, "", part, QUOTA_NEAR) {
            let summary = format!("{} of the {quota} mails of 24 hours are used", outbox.pace.used);
            add(AlertKind::QuotaNearlyUsed, "", summary);
        }
    }
    for queue in &outbox.event_queues {
        if let Some(depth) = &queue.depth
            && let DeadLetters::Count(count @ 1..) = depth.dead_letters
        {
            let url = queue.url.plain();
            let summary = format!("{count} messages are in the dead-letter queue of SES's events ({url})");
            add(AlertKind::DeadLetters, url.as_str(), summary);
        }
    }
    for of in silent {
        let domain = of.domain.plain();
        if of.is_trouble() || open(AlertKind::NothingArrives, domain.as_str()) {
            let SilentDomain { mails, others, others_arrived, .. } = of;
            let summary =
                format!("none of {mails} mails to {domain} has arrived, but {others_arrived} of {others} to others");
            add(AlertKind::NothingArrives, domain.as_str(), summary);
        }
    }
    for of in unopened {
        let domain = of.domain.plain();
        // Where nothing arrives there is nothing to open.
        let is_told = silent.iter().any(|silent| {
            silent.domain == of.domain && (silent.is_trouble() || open(AlertKind::NothingArrives, domain.as_str()))
        });
        if !is_told && (of.is_trouble() || open(AlertKind::NothingOpened, domain.as_str())) {
            let UnopenedDomain { links, others, others_opened, .. } = of;
            let summary = format!(
                "none of {links} links mailed to {domain} was opened, but {others_opened} of {others} elsewhere"
            );
            add(AlertKind::NothingOpened, domain.as_str(), summary);
        }
    }
    for HookEndpoint { name, error, given_up_lately: count, .. } in endpoints.iter().filter(|of| of.given_up_lately > 0)
    {
        let (name, why) = (name.plain(), error.as_ref().map(|error| format!(": {}", error.plain())));
        let messages = if *count == 1 { "message was" } else { "messages were" };
        let why = why.unwrap_or_default();
        let summary = format!("{count} {messages} given up at {name}, of which the site knows nothing{why}");
        add(AlertKind::WebhookGivenUp, name.as_str(), summary);
    }
    found
}

#[cfg(test)]
mod tests;
