//! A mail's send slot, and how much later a worker uses its slots.
//!
//! What comes before a mail can go (preparing it with a database that is far away, opening a connection) can take longer
//! than slots are granted ahead. A mail that goes late meets those behind it that do not, and the server sees more mails
//! within a second than it allows. So all mails of a worker go later by the same.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

/// Longest lag. What takes longer is an exception, and no reason to keep the mails behind it.
const LAG_MAX: Duration = Duration::from_secs(1);

/// How much of the time that passes the lag gets shorter by, which makes the pace that much faster.
const FADING: f64 = 0.01;

/// How much later than granted a worker uses its slots.
#[derive(Debug, Default)]
pub(super) struct Lag(Mutex<Option<Late>>);

/// The lag as it was at a moment.
#[derive(Clone, Copy, Debug)]
struct Late {
    by: Duration,
    at: Instant,
}

impl Late {
    fn left(self, now: Instant) -> Duration {
        self.by.saturating_sub(now.saturating_duration_since(self.at).mul_f64(FADING))
    }
}

impl Lag {
    /// Waits for the slot at `slot`, once the mail could go.
    pub(super) async fn wait_for(&self, slot: Instant) {
        sleep_until(slot + self.after(slot, Instant::now())).await;
    }

    /// The lag, where a mail with this slot can go `now`.
    fn after(&self, slot: Instant, now: Instant) -> Duration {
        let late = now.saturating_duration_since(slot).min(LAG_MAX);
        let mut lag = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let left = lag.map_or(Duration::ZERO, |lag| lag.left(now));
        if late >= left {
            *lag = Some(Late { by: late, at: now });
        }
        left.max(late)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn mails_that_are_ready_together_stay_apart() {
        let (lag, slot) = (Lag::default(), Instant::now());
        let ready = slot + 400 * MS;
        for number in 0..5 {
            let slot = slot + 20 * MS * number;
            assert_eq!(slot + lag.after(slot, ready), ready + 20 * MS * number);
        }
        // So does one on a connection that was open.
        let next = slot + 100 * MS;
        assert_eq!(lag.after(next, ready), 400 * MS);
    }

    #[test]
    fn the_lag_rises_at_once_falls_slowly_and_has_an_end() {
        let (lag, start) = (Lag::default(), Instant::now());
        assert_eq!(lag.after(start + 50 * MS, start), Duration::ZERO);
        assert_eq!(lag.after(start, start + 200 * MS), 200 * MS);
        let later = start + 5_200 * MS;
        assert_eq!(lag.after(later, later), 150 * MS);
        assert_eq!(lag.after(later, later + 100 * MS), 149 * MS);
        let much_later = start + 60_000 * MS;
        assert_eq!(lag.after(much_later, much_later), Duration::ZERO);
        assert_eq!(lag.after(start, much_later), LAG_MAX);
    }
}
