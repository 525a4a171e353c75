//! One mail in a lane: composed, handed over at its moment, and what the answer means for it and for the others.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep_until};
use url::Url;

use super::backoff;
use super::prepare::{Preparer, Ready};
use super::redact;
use super::refusal::Refusal;
use super::reply::{Class, Verdict, judge};
use crate::config::Settings;
use crate::contain::contained;
use crate::domain::address::EmailAddress;
use crate::domain::id::{SendId, VerificationId};
use crate::mail::link::Link;
use crate::mail::message::{Composed, Composer};
use crate::mail::templates::Templates;
use crate::mail::transport::{Cause, Failure, Lane, Lease, Receipt, Stage};
use crate::mail::verification::{self, VerificationMail};
use crate::store::Store;
use crate::store::outbox::batch::{Fate, Outcome};

/// What every lane shares.
pub(super) struct Shared {
    pub(super) store: Store,
    pub(super) preparer: Preparer,
    pub(super) templates: Templates,
    pub(super) composer: Composer,
    pub(super) settings: Settings,
    pub(super) public_url: Url,
}

/// What a mail's answer means for the ones behind it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    /// The server took it.
    Sent,
    /// Given up, for a reason that lies in this mail or recipient.
    Failed(String),
    /// Nobody knows whether it went out.
    Unknown(String),
    /// Tried again later; the others may go.
    Later(String),
    /// The server counts too many connections.
    Crowded(String),
    /// Too many mails a second: all go slower, after this pause.
    TooFast(String, Duration),
    /// The server could not be reached, or not spoken to.
    Unreachable(String),
    /// The mails of the day are used up, for this long at least.
    QuotaUsed(String, Duration),
    /// The account cannot send at all until a person mends something.
    AccountStopped(String),
    /// This worker cannot send at all until a person mends something.
    WorkerStopped(String),
    /// Nothing was sent: the lease was about to end.
    Unbegun(String),
    /// The lane broke on it: a fault of this program.
    Broke {
        /// In which words.
        reason: String,
        /// Whether it may have gone out.
        is_unknown: bool,
    },
}

/// A mail back from its lane.
pub(super) struct Handled {
    pub(super) id: SendId,
    /// What is to be recorded; nothing where the send is to be put back.
    pub(super) outcome: Option<Outcome>,
    pub(super) meaning: Meaning,
    /// What it counts as where the server takes no mail at all; nothing if it does not.
    pub(super) refusal: Option<Refusal>,
    /// How long the server took, where it took the mail.
    pub(super) took: Duration,
}

impl Shared {
    /// Hands one mail over, not before `at`.
    pub(super) async fn hand_over(
        self: Arc<Self>,
        lane: &mut Lane,
        ready: Ready,
        at: Instant,
        lease: Lease,
    ) -> Handled {
        let composed = self.compose(&ready);
        sleep_until(at).await;
        let begun = Instant::now();
        let (id, verification, attempt) = (ready.id, ready.verification, ready.attempt);
        let tried = Tried { attempt, attempts_min: self.settings.worker.attempts, is_old: ready.is_old };
        let mail = match composed {
            Ok(mail) => mail,
            Err(reason) => {
                let reason = redact::text(&reason, &ready.key);
                let fate = Fate::Failed { reason: reason.clone() };
                let outcome = Some(Outcome { id, verification, attempt, fate, reply: None });
                let refusal = Some(Refusal::unmade(&reason, &ready, tried.is_old));
                return Handled { id, outcome, meaning: Meaning::Failed(reason), refusal, took: Duration::ZERO };
            }
        };
        let answer = redact::answer(lane.send(&mail, id, &lease).await, &ready.key);
        let took = begun.elapsed();
        if let Err(failure @ Failure { cause: Cause::LeaseEnds, .. }) = &answer {
            let meaning = Meaning::Unbegun(failure.to_string());
            return Handled { id, outcome: None, meaning, refusal: None, took };
        }
        let (fate, reply, meaning, refusal) = fate_of(answer, &mail, tried);
        Handled { id, outcome: Some(Outcome { id, verification, attempt, fate, reply }), meaning, refusal, took }
    }

    fn compose(&self, ready: &Ready) -> Result<Composed, String> {
        contained(|| self.try_to_compose(ready))
            .unwrap_or_else(|broke| Err(format!("no mail could be made of it: {broke}")))
    }

    fn try_to_compose(&self, ready: &Ready) -> Result<Composed, String> {
        let recipient = EmailAddress::parse(ready.user.email.raw())
            .map_err(|why| format!("the stored address cannot be mailed: {why}; sign the user up with a right one"))?;
        let mail = VerificationMail {
            recipient,
            name: ready.user.name.clone(),
            locale: ready.user.locale,
            link: Link::new(&self.public_url, &ready.key),
            expires_at: ready.expires_at,
            lifetime: self.preparer.lifetime,
        };
        let context = mail.context(&self.settings.site);
        let rendered =
            self.templates.render(verification::TEMPLATE, mail.locale, &context).map_err(|error| error.to_string())?;
        self.composer
            .compose(ready.id, ready.lost + 1, &mail.recipient, mail.name.raw(), &rendered, chrono::Utc::now())
            .map_err(|error| error.to_string())
    }
}

/// How long and how often a mail has been tried.
#[derive(Clone, Copy, Debug)]
struct Tried {
    /// The number of this try.
    attempt: i16,
    /// How often it is tried at least.
    attempts_min: i16,
    /// Whether it was asked for so long ago that it is put off no more.
    is_old: bool,
}

/// What becomes of a mail whose lane broke or was ended: where its content was begun nobody knows whether it went out,
/// and where not it did not.
pub(super) fn broken(id: SendId, verification: VerificationId, attempt: i16, lease: &Lease, why: &str) -> Outcome {
    let fate = if lease.has_begun() {
        Fate::Unknown { reason: format!("{why}; the mail may or may not have gone out") }
    } else {
        Fate::Failed { reason: format!("{why}; nothing was sent") }
    };
    Outcome { id, verification, attempt, fate, reply: None }
}

/// What the server's answer means for the send, and for the others.
fn fate_of(
    result: Result<Receipt, Failure>,
    mail: &Composed,
    tried: Tried,
) -> (Fate, Option<String>, Meaning, Option<Refusal>) {
    let failure = match result {
        Ok(receipt) => {
            let ses_id = receipt.ses_id.map(|id| id.raw().to_owned());
            return (Fate::Accepted { ses_id }, Some(receipt.reply.raw().to_owned()), Meaning::Sent, None);
        }
        Err(failure) => failure,
    };
    let reply = failure.reply().map(|reply| reply.whole().raw().to_owned());
    let verdict = judge(&failure, &mail.from, &mail.to);
    let (fate, meaning) = fate_by(&verdict, failure.stage, tried);
    let refusal = Refusal::of(&failure, &verdict, &mail.to, matches!(fate, Fate::Failed { .. }) && tried.is_old);
    (fate, reply, meaning, refusal)
}

fn fate_by(verdict: &Verdict, stage: Stage, tried: Tried) -> (Fate, Meaning) {
    let (class, mut reason) = (verdict.class, verdict.reason());
    let attempt = tried.attempt;
    // A server that cannot be reached is nobody's fault who is named in the mail.
    let is_unreachable = matches!(class, Class::Transient { .. }) && stage < Stage::Mail;
    let counts = class.counts() && !is_unreachable;
    if class == Class::Unknown {
        return (Fate::Unknown { reason: reason.clone() }, Meaning::Unknown(reason));
    }
    // By its age, not by a count alone: an outage of hours is no reason to give up what is wanted for days.
    if !class.is_retried() || (counts && tried.is_old && attempt >= tried.attempts_min) {
        if class.is_retried() {
            reason = format!("given up after {attempt} attempts, since it was asked for too long ago: {reason}");
        }
        return (Fate::Failed { reason: reason.clone() }, Meaning::Failed(reason));
    }
    // Where nothing can be reached it is the worker that pauses, longer each time.
    let at_once = |wait: &Duration| wait.is_zero() && attempt > 1;
    let after = class.wait().filter(|wait| !at_once(wait)).unwrap_or_else(|| {
        if is_unreachable { backoff::unreachable(1) } else { backoff::after(if counts { attempt } else { 1 }) }
    });
    let meaning = match class {
        Class::Worker => Meaning::WorkerStopped(reason.clone()),
        Class::Account => Meaning::AccountStopped(reason.clone()),
        Class::DailyQuota => Meaning::QuotaUsed(reason.clone(), after),
        Class::Rate => Meaning::TooFast(reason.clone(), after),
        Class::Crowd => Meaning::Crowded(reason.clone()),
        _ if is_unreachable => Meaning::Unreachable(reason.clone()),
        _ => Meaning::Later(reason.clone()),
    };
    // What held back everybody holds this mail back no longer than the others.
    let after = match class {
        Class::Worker | Class::Account | Class::DailyQuota => Duration::ZERO,
        Class::Rate => backoff::jittered(after),
        _ => after,
    };
    (Fate::Again { after, counts, reason }, meaning)
}
