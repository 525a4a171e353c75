//! Settings of the outbox: the worker, its pace, its brake, bulk resends.

use std::time::Duration;

use serde::Deserialize;

use super::{SettingError, file};

#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Worker {
    /// How many mails it sends at once at most; each lane has a connection of its own. Within this it takes as many as
    /// the pace needs.
    pub lanes: usize,
    /// How often a mail that is put off is tried at least before it fails; it must be old enough for that as well.
    pub attempts: i16,
    /// After which part of `verification.lifetime` a mail that is still put off is given up, counted from when it was
    /// asked for.
    pub give_up_after: f64,
    /// How long a mail whose answer was lost waits for news of it before it is tried once more.
    #[serde(with = "file::duration")]
    pub unknown_after: Duration,
}

impl Default for Worker {
    fn default() -> Self {
        Self { lanes: 150, attempts: 8, give_up_after: 0.5, unknown_after: Duration::from_mins(10) }
    }
}

/// How fast mails go out, of all workers together: each worker's wish, written to the database with its housekeeping; the
/// smallest of those at work holds.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Pace {
    /// Mails a second: the SES account's `MaxSendRate`.
    pub rate: Option<f64>,
    /// Mails in any 24 hours: the SES account's `Max24HourSend`.
    pub daily_quota: Option<i64>,
    /// Whether the SES account is still in the sandbox: 1 mail a second and 200 a day, unless the others say else.
    pub sandbox: bool,
}

/// What new SES accounts with production access may usually send.
const RATE: f64 = 14.0;
/// What any SES account in the sandbox may send, a second and a day.
const SANDBOX: (f64, i64) = (1.0, 200);

impl Pace {
    /// Mails a second: as set, else what SES says of the account, if it was asked.
    #[must_use]
    pub fn rate(&self, account: Option<f64>) -> f64 {
        self.rate.or(account).unwrap_or(if self.sandbox { SANDBOX.0 } else { RATE })
    }

    /// Mails in any 24 hours; `None` for no limit of ours.
    #[must_use]
    pub fn daily_quota(&self) -> Option<i64> {
        self.daily_quota.or(self.sandbox.then_some(SANDBOX.1))
    }
}

/// When the outbox stops by itself, before AWS stops the account.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Brake {
    /// Of how many of the last mails the rates are taken.
    pub sends: i64,
    /// Bounces for good among them, as a part of 1, from which on nothing goes out any more.
    pub bounce_rate: f64,
    /// Complaints among them.
    pub complaint_rate: f64,
    /// After how many refusals, deferrals or lost answers in a row nothing goes out until a mail is taken again.
    pub refusals: i64,
    /// How long after that the first mail is tried; each wait after it is twice as long.
    #[serde(with = "file::duration")]
    pub probe_after: Duration,
    /// The longest of these waits.
    #[serde(with = "file::duration")]
    pub probe_at_most: Duration,
}

impl Default for Brake {
    /// AWS looks into accounts from 5 % bounces or 0.1 % complaints on (SES developer guide, reputation messages);
    /// 0.1 % of a thousand would be a single complaint.
    fn default() -> Self {
        Self {
            sends: 1_000,
            bounce_rate: 0.05,
            complaint_rate: 0.003,
            refusals: 20,
            probe_after: Duration::from_secs(30),
            probe_at_most: Duration::from_mins(10),
        }
    }
}

impl Brake {
    /// What the bounds of each do not say.
    pub(super) fn check(&self) -> Result<(), SettingError> {
        if self.probe_after > self.probe_at_most {
            return Err(SettingError::new(
                "`brake.probe_at_most` must be no less than `brake.probe_after`",
                "leave them out for \"30s\" and \"10m\"",
            ));
        }
        Ok(())
    }
}

/// Bulk resends.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Jobs {
    /// How long a bulk resend started in the console can be cancelled before its first mail.
    #[serde(with = "file::duration")]
    pub grace: Duration,
}

impl Default for Jobs {
    fn default() -> Self {
        Self { grace: Duration::from_secs(10) }
    }
}

/// How long what is over stays, before workers and `verifydesk prune` remove it.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Retention {
    /// What SES reported, counted from when it came.
    #[serde(with = "file::duration")]
    pub events: Duration,
    /// Mails, counted from when they ended.
    #[serde(with = "file::duration")]
    pub sends: Duration,
}

impl Default for Retention {
    /// A year can be compared with the one before.
    fn default() -> Self {
        Self { events: Duration::from_hours(24 * 180), sends: Duration::from_hours(24 * 400) }
    }
}
