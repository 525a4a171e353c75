//! How fast mails may go out, as all workers share it.

use super::Time;

/// The pace as it was at a moment.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct PaceView {
    /// Mails a second that the account may send.
    pub limit: f64,
    /// Mails a second that are tried just now: less than the limit after SES said that it was too fast.
    pub rate: f64,
    /// When that last happened.
    pub lowered_at: Option<Time>,
    /// Mails in any 24 hours that the account may send, if there is a limit.
    pub daily_quota: Option<i64>,
    /// Mails of the last 24 hours.
    pub used: i64,
    /// When mails of the last 24 hours next fall out of them; only while the quota is used up.
    pub next_place_at: Option<Time>,
}

impl PaceView {
    /// Mails left of the last 24 hours' quota, if there is one.
    #[must_use]
    pub fn left(&self) -> Option<i64> {
        self.daily_quota.map(|quota| (quota - self.used).max(0))
    }

    /// How many seconds so many mails take at this pace, quota aside.
    #[must_use]
    pub fn seconds_for(&self, mails: i64) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "an estimate")]
        let mails = mails as f64;
        if self.rate > 0.0 { mails / self.rate } else { 0.0 }
    }
}
