//! When a mail is tried again, and when it is given up.
//!
//! Again: after 5 s, 10 s, 30 s, then every 20 minutes, unless the reply asks for another wait. Where nothing could be
//! reached, or everyone was held back, the try does not count. Given up: what the server refuses for good, and what is
//! old (`worker.give_up_after` of the link's lifetime) and was tried `worker.attempts` times. By its age, not by a
//! count alone: an outage of hours is no reason to drop what is wanted for days. A mail whose answer was lost is
//! *unknown*; housekeeping tries it once more after `worker.unknown_after` ([`crate::store::outbox`]).

use std::time::Duration;

use super::reply::{Class, Verdict};
use crate::jitter::jittered;
use crate::store::outbox::result::SendResult;

/// How long to wait after SES's limit of mails a second was hit.
const RATE_WAIT: Duration = Duration::from_millis(1_500);

/// How long to wait after SES's limit of mails a day was hit; places come back as mails become a day old.
const QUOTA_WAIT: Duration = Duration::from_mins(15);

/// How long to wait where SES counts too many connections.
const CROWD_WAIT: Duration = Duration::from_secs(5);

/// AWS's advice for 4xx answers: 5 s, 10 s, 30 s, then 20 min, and again (SES developer guide, troubleshooting SMTP).
const STEPS: [Duration; 4] =
    [Duration::from_secs(5), Duration::from_secs(10), Duration::from_secs(30), Duration::from_mins(20)];

/// How long to wait after the `attempt`th failure of a mail, counted from 1, with up to a fifth more or less, so that
/// what failed together does not come back together.
#[must_use]
pub(super) fn after(attempt: i16) -> Duration {
    let step = usize::try_from(attempt.max(1) - 1).unwrap_or(0).min(STEPS.len() - 1);
    jittered(STEPS[step])
}

/// How long a worker leaves a server alone that it could not reach `failures` times in a row: 1 s, 2 s, 4 s … 1 min.
#[must_use]
pub(super) fn unreachable(failures: u32) -> Duration {
    let seconds = 1u64 << failures.saturating_sub(1).min(6);
    jittered(Duration::from_secs(seconds.min(60)))
}

/// How long and how often a mail has been tried.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tried {
    /// The number of this try.
    pub(super) attempt: i16,
    /// How often it is tried at least.
    pub(super) attempts_min: i16,
    /// Whether it was asked for so long ago that it is put off no more.
    pub(super) is_old: bool,
}

impl Class {
    /// Whether the mail is to be tried again.
    #[must_use]
    pub fn is_retried(self) -> bool {
        match self {
            Self::Transient { .. }
            | Self::Unreachable { .. }
            | Self::Crowd
            | Self::Rate
            | Self::DailyQuota
            | Self::Worker
            | Self::Account
            | Self::Relay => true,
            Self::Sandbox | Self::Recipient | Self::Message | Self::Unknown => false,
        }
    }

    /// Whether this try counts as one of the mail's: not where the mail had no part in it.
    #[must_use]
    pub fn counts(self) -> bool {
        !matches!(
            self,
            Self::Unreachable { .. } | Self::Crowd | Self::Rate | Self::DailyQuota | Self::Worker | Self::Account
        )
    }

    /// How long to wait, where that is known.
    #[must_use]
    pub fn wait(self) -> Option<Duration> {
        match self {
            Self::Transient { after } | Self::Unreachable { after } => after,
            Self::Crowd => Some(CROWD_WAIT),
            Self::Rate => Some(RATE_WAIT),
            Self::DailyQuota => Some(QUOTA_WAIT),
            Self::Worker
            | Self::Account
            | Self::Relay
            | Self::Sandbox
            | Self::Recipient
            | Self::Message
            | Self::Unknown => None,
        }
    }
}

/// What becomes of a mail that the server did not take.
pub(super) fn result_of(verdict: &Verdict, tried: Tried) -> SendResult {
    let (class, reason, attempt) = (verdict.class, verdict.reason(), tried.attempt);
    if class == Class::Unknown {
        return SendResult::Unknown { reason };
    }
    if !class.is_retried() {
        return SendResult::Failed { reason };
    }
    let counts = class.counts();
    if counts && tried.is_old && attempt >= tried.attempts_min {
        let reason = format!("given up after {attempt} attempts, since it was asked for too long ago: {reason}");
        return SendResult::Failed { reason };
    }
    SendResult::Deferred { after: wait_of(class, attempt), counts, reason }
}

fn wait_of(class: Class, attempt: i16) -> Duration {
    match class {
        // What holds all mails back holds this one back no longer than the others.
        Class::Worker | Class::Account | Class::DailyQuota => return Duration::ZERO,
        Class::Rate => return jittered(RATE_WAIT),
        _ => {}
    }
    match class.wait() {
        // At once only the first time.
        Some(wait) if !wait.is_zero() || attempt <= 1 => wait,
        // Where nothing can be reached it is the worker that pauses, longer each time.
        _ if matches!(class, Class::Unreachable { .. }) => unreachable(1),
        _ if class.counts() => after(attempt),
        _ => after(1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRANSIENT: Class = Class::Transient { after: None };
    const UNREACHABLE: Class = Class::Unreachable { after: None };

    #[test]
    fn what_follows() {
        for all in [Class::Worker, Class::Account, Class::DailyQuota, Class::Crowd, UNREACHABLE] {
            assert!(all.is_retried() && !all.counts(), "{all:?} is not the mail's fault");
        }
        for ended in [Class::Recipient, Class::Sandbox, Class::Message, Class::Unknown] {
            assert!(!ended.is_retried() && ended.wait().is_none());
        }
        assert!(!Class::Rate.counts() && TRANSIENT.counts());
        assert_eq!(Class::Rate.wait(), Some(RATE_WAIT));
    }

    #[test]
    fn a_mail_is_given_up_by_its_age_and_waits_by_its_attempts() {
        let at_once = Class::Transient { after: Some(Duration::ZERO) };
        let no_server = Class::Unreachable { after: Some(Duration::ZERO) };
        // Class, attempt, old; state, counts, seconds of the wait before jitter.
        let table = [
            (TRANSIENT, 1, false, "queued", true, 5.0),
            (TRANSIENT, 3, false, "queued", true, 30.0),
            (TRANSIENT, 7, true, "queued", true, 1200.0),
            (TRANSIENT, 8, true, "failed", true, 0.0),
            (TRANSIENT, 100, false, "queued", true, 1200.0),
            (at_once, 1, false, "queued", true, 0.0),
            (at_once, 2, false, "queued", true, 10.0),
            (UNREACHABLE, 100, true, "queued", false, 1.0),
            (no_server, 1, true, "queued", false, 0.0),
            (no_server, 2, true, "queued", false, 1.0),
            (Class::Relay, 2, false, "queued", true, 10.0),
            (Class::Relay, 8, true, "failed", true, 0.0),
            (Class::Crowd, 100, true, "queued", false, 5.0),
            (Class::Rate, 100, true, "queued", false, 1.5),
            (Class::DailyQuota, 100, true, "queued", false, 0.0),
            (Class::Account, 100, true, "queued", false, 0.0),
            (Class::Worker, 100, true, "queued", false, 0.0),
            (Class::Recipient, 1, false, "failed", true, 0.0),
            (Class::Sandbox, 1, false, "failed", true, 0.0),
            (Class::Message, 1, false, "failed", true, 0.0),
            (Class::Unknown, 1, false, "unknown", true, 0.0),
        ];
        for (class, attempt, is_old, state, counts, seconds) in table {
            let verdict = Verdict { class, happened: "no".into(), next: "wait" };
            let result = result_of(&verdict, Tried { attempt, attempts_min: 8, is_old });
            assert_eq!(result.state().as_str(), state, "{class:?}, attempt {attempt}");
            if let SendResult::Deferred { after, counts: counted, .. } = result {
                assert_eq!(counted, counts, "{class:?}");
                let after = after.as_secs_f64();
                assert!((seconds * 0.8..=seconds * 1.2).contains(&after), "{class:?}, attempt {attempt}: {after}");
            }
        }
    }

    #[test]
    fn follows_the_advice() {
        for (attempt, seconds) in [(1, 5.0), (2, 10.0), (3, 30.0), (4, 1200.0), (5, 1200.0), (100, 1200.0), (-3, 5.0)] {
            let wait = after(attempt).as_secs_f64();
            assert!((seconds * 0.8..=seconds * 1.2).contains(&wait), "attempt {attempt}: {wait}");
        }
        for (failures, seconds) in [(0, 1.0), (1, 1.0), (3, 4.0), (50, 60.0)] {
            let wait = unreachable(failures).as_secs_f64();
            assert!((seconds * 0.8..=seconds * 1.2).contains(&wait), "failure {failures}: {wait}");
        }
    }
}
