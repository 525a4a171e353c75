//! What workers have found out from Amazon's API: the queue that SES's events come by, and the SES account.

use super::Time;
use super::id::{SendId, VerificationId};
use super::number::thousands;
use crate::text::Untrusted;

/// A queue that SES's events come by.
#[derive(Clone, Debug, PartialEq)]
pub struct EventQueue {
    pub url: Untrusted,
    /// How much was in it; `None` if that was never found out.
    pub depth: Option<Depth>,
    /// Messages left in it since they are no events.
    pub left_alone: i64,
    pub left_at: Option<Time>,
    /// Why it cannot be read or asked, while that is so, and since when.
    pub error: Option<(Untrusted, Time)>,
}

/// How much is in a queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Depth {
    pub seen_at: Time,
    pub waiting: i64,
    /// Received and not deleted yet.
    pub in_flight: i64,
    pub dead_letters: DeadLetters,
}

/// What is in a queue's dead-letter queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeadLetters {
    /// There is none: what is no event comes back until it is too old.
    NoQueue,
    /// It may not be asked.
    Unknown,
    Count(i64),
}

impl DeadLetters {
    /// Whether someone has to look.
    #[must_use]
    pub fn is_trouble(self) -> bool {
        matches!(self, Self::NoQueue | Self::Count(1..))
    }
}

impl EventQueue {
    /// Its state in words, but for its error.
    #[must_use]
    pub fn in_words(&self) -> String {
        let Some(depth) = &self.depth else { return "how much waits is not known yet".into() };
        let waiting = format!("{} waiting, {} being taken in", depth.waiting, depth.in_flight);
        let left =
            if self.left_alone == 0 { String::new() } else { format!(", {} left as no events", self.left_alone) };
        // What someone has to look at comes first.
        match depth.dead_letters {
            DeadLetters::Count(0) => format!("{waiting}{left}, none in the dead-letter queue"),
            DeadLetters::Count(count) => format!("{count} in the dead-letter queue{left}, {waiting}"),
            DeadLetters::NoQueue => format!("no dead-letter queue{left}, {waiting}"),
            DeadLetters::Unknown => format!("{waiting}{left}; its dead-letter queue may not be asked"),
        }
    }

    /// Whether someone has to look.
    #[must_use]
    pub fn is_trouble(&self) -> bool {
        self.error.is_some() || self.depth.is_some_and(|depth| depth.dead_letters.is_trouble())
    }
}

/// The SES account of the workers.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SesAccount {
    /// What it is; `None` if that was never found out.
    pub standing: Option<AccountStanding>,
    /// Why it cannot be asked, while that is so, and since when.
    pub error: Option<(Untrusted, Time)>,
    /// The right that is missing, where that is why.
    pub permission: Option<Untrusted>,
}

/// What SES says of an account (`GetAccount`).
#[derive(Clone, Debug, PartialEq)]
pub struct AccountStanding {
    pub seen_at: Time,
    pub region: Untrusted,
    /// Whether only verified addresses can be mailed.
    pub is_sandbox: bool,
    /// Whether AWS lets it send.
    pub can_send: bool,
    /// `HEALTHY`, `PROBATION` or `SHUTDOWN`.
    pub enforcement: Untrusted,
    /// Mails a second.
    pub rate_max: f64,
    /// Mails in 24 hours; `None` for no limit.
    pub daily_max: Option<f64>,
    /// Mails of the last 24 hours, of all who use the account.
    pub sent: f64,
    /// Those of them that were not this desk's: it leaves them their part of the quota.
    pub sent_by_others: i64,
    /// What became of the request for production access: `PENDING`, `FAILED`, `GRANTED`, `DENIED`; empty without one.
    pub review: Untrusted,
}

impl AccountStanding {
    /// It in words, the worst first.
    #[must_use]
    pub fn in_words(&self) -> String {
        let state = match (self.can_send, self.enforcement.raw(), self.is_sandbox) {
            (false, ..) => "AWS has paused sending",
            (_, "SHUTDOWN", _) => "AWS has shut it down",
            (_, "PROBATION", true) => "under AWS's review, in the sandbox: only verified addresses can be mailed",
            (_, "PROBATION", _) => "under AWS's review",
            (.., true) => "in the sandbox: only verified addresses can be mailed",
            _ => "production",
        };
        let quota = self.quota_in_words();
        let others = match self.sent_by_others {
            0 => String::new(),
            others => format!(" ({} by others)", thousands(others)),
        };
        format!("{state}; {quota}{others}, {} a second ({})", self.rate_max, self.region.plain())
    }

    /// "31,245 of 50,000 sent in 24 h"
    #[must_use]
    pub fn quota_in_words(&self) -> String {
        // SES writes mails with a point.
        #[expect(clippy::cast_possible_truncation, reason = "mails of a day; what is more is cut")]
        let whole = |mails: f64| thousands(mails.round() as i64);
        match self.daily_max {
            None => format!("{} sent in 24 h, without a limit", whole(self.sent)),
            Some(most) => format!("{} of {} sent in 24 h", whole(self.sent), whole(most)),
        }
    }

    /// Whether someone has to look.
    #[must_use]
    pub fn is_trouble(&self) -> bool {
        !self.can_send || self.enforcement.raw() != "HEALTHY"
    }
}

/// What SES's suppression list of the account says of an address.
#[derive(Clone, Debug, PartialEq)]
pub struct Suppression {
    pub checked_at: Time,
    /// Why it is on the list; `None` if it is not.
    pub reason: Option<Untrusted>,
    pub since: Option<Time>,
    /// The mail that was the cause, as SES knows it.
    pub ses_id: Option<Untrusted>,
}

/// An address that is known to be on the list, and whose it is.
#[derive(Clone, Debug, PartialEq)]
pub struct SuppressedAddress {
    pub address: Untrusted,
    pub suppression: Suppression,
    /// The newest verification of its user; none where no user has it.
    pub verification: Option<VerificationId>,
}

/// The mail that put an address on the list, as far as the desk has it.
#[derive(Clone, Debug, PartialEq)]
pub struct SuppressingMail {
    pub send: SendId,
    pub verification: Option<VerificationId>,
    pub state: Untrusted,
    pub queued_at: Time,
}

impl Suppression {
    /// It in words, with times as `shown` writes them.
    #[must_use]
    pub fn in_words(&self, shown: impl Fn(Time) -> String) -> String {
        let asked = shown(self.checked_at);
        let Some(reason) = &self.reason else { return format!("not on SES's suppression list (asked {asked})") };
        let since = self.since.map(|at| format!(" since {}", shown(at))).unwrap_or_default();
        let why = reason.plain().as_str().to_lowercase();
        format!("on SES's suppression list{since} ({why}; asked {asked}): it gets no mail until it is taken off")
    }
}
