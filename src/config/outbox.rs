//! Settings of the outbox: the worker, its pace, its brake, bulk resends.

use std::time::Duration;

use serde::Deserialize;

use super::{SettingError, file};

/// The worker.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Worker {
    /// How many mails it sends at once at most; each lane has a connection of its own. Within this it takes as many as
    /// the pace needs.
    pub lanes: usize,
    /// How often a mail that is put off is tried at least before it is given up; its age must say so as well.
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

impl Worker {
    pub(super) fn check(&self) -> Result<(), SettingError> {
        if self.lanes == 0 || self.lanes > 500 {
            return Err(SettingError::new("`worker.lanes` must be between 1 and 500", "leave it out for 150"));
        }
        if self.attempts < 1 {
            return Err(SettingError::new("`worker.attempts` must be at least 1", "leave it out for 8"));
        }
        if !(0.01..=1.0).contains(&self.give_up_after) {
            return Err(SettingError::new(
                "`worker.give_up_after` must be between 0.01 and 1, a part of `verification.lifetime`",
                "leave it out for 0.5",
            ));
        }
        Ok(())
    }
}

/// How fast mails go out, of all workers together. Each worker writes it into the database when it starts.
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
/// Fastest pace that can be asked for.
const RATE_MAX: f64 = 100_000.0;

impl Pace {
    /// Mails a second.
    #[must_use]
    pub fn rate(&self) -> f64 {
        self.rate.unwrap_or(if self.sandbox { SANDBOX.0 } else { RATE })
    }

    /// Mails in any 24 hours; nothing for no limit of ours.
    #[must_use]
    pub fn daily_quota(&self) -> Option<i64> {
        self.daily_quota.or(self.sandbox.then_some(SANDBOX.1))
    }

    pub(super) fn check(&self) -> Result<(), SettingError> {
        if self.rate.is_some_and(|rate| !(0.01..=RATE_MAX).contains(&rate)) {
            return Err(SettingError::new(
                "`pace.rate` must be between 0.01 and 100000 mails a second",
                "set it to the SES account's MaxSendRate, or leave it out for 14",
            ));
        }
        if self.daily_quota.is_some_and(|quota| quota < 1) {
            return Err(SettingError::new(
                "`pace.daily_quota` must be at least 1",
                "set it to the SES account's Max24HourSend, or leave it out for none",
            ));
        }
        Ok(())
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

/// Refusals in a row that make sense, and waits between two probes.
const REFUSALS: std::ops::RangeInclusive<i64> = 5..=1_000;
const PROBES: std::ops::RangeInclusive<Duration> = Duration::from_millis(50)..=Duration::from_hours(1);

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
    pub(super) fn check(&self) -> Result<(), SettingError> {
        if !(10..=100_000).contains(&self.sends) {
            return Err(SettingError::new("`brake.sends` must be between 10 and 100000", "leave it out for 1000"));
        }
        for (name, rate, usual) in
            [("brake.bounce_rate", self.bounce_rate, "0.05"), ("brake.complaint_rate", self.complaint_rate, "0.003")]
        {
            if !(0.0..=1.0).contains(&rate) || rate == 0.0 {
                return Err(SettingError::new(
                    format!("`{name}` must be above 0 and at most 1"),
                    format!("leave it out for {usual}; 1 never stops"),
                ));
            }
        }
        if !REFUSALS.contains(&self.refusals) {
            return Err(SettingError::new("`brake.refusals` must be between 5 and 1000", "leave it out for 20"));
        }
        if !PROBES.contains(&self.probe_after) || !(self.probe_after..=*PROBES.end()).contains(&self.probe_at_most) {
            return Err(SettingError::new(
                "`brake.probe_after` must be at least 50 milliseconds, and `brake.probe_at_most` no less and at most 1 hour",
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
    /// How long a bulk resend started in the console can be called off before its first mail.
    #[serde(with = "file::duration")]
    pub grace: Duration,
}

impl Default for Jobs {
    fn default() -> Self {
        Self { grace: Duration::from_secs(10) }
    }
}

impl Jobs {
    pub(super) fn check(&self) -> Result<(), SettingError> {
        if self.grace > Duration::from_hours(24) {
            return Err(SettingError::new("`jobs.grace` must be at most a day", "leave it out for 10 seconds"));
        }
        Ok(())
    }
}
