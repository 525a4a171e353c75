//! How hard a worker may press the mail server just now. Of this worker only; others find their own.

use std::time::Duration;

use tokio::time::Instant;

use super::backoff;

/// When the next mail may be handed over.
#[derive(Debug)]
pub struct Pace {
    resume_at: Instant,
    unreachable: u32,
}

impl Pace {
    /// At once.
    #[must_use]
    pub fn new(now: Instant) -> Self {
        Self { resume_at: now, unreachable: 0 }
    }

    /// Nothing is handed over before.
    #[must_use]
    pub fn resume_at(&self) -> Instant {
        self.resume_at
    }

    /// Hands nothing over for this long at least; a longer pause stays.
    pub fn pause(&mut self, now: Instant, wait: Duration) {
        self.resume_at = self.resume_at.max(now + wait);
    }

    /// The server answered.
    pub fn reached(&mut self) {
        self.unreachable = 0;
    }

    /// The server could not be reached: pauses, longer each time in a row. What fails during a pause was under way
    /// before it, and is the same failure. Gives how many there were in a row.
    pub fn unreachable(&mut self, now: Instant) -> u32 {
        if now >= self.resume_at {
            self.unreachable += 1;
            self.pause(now, backoff::unreachable(self.unreachable));
        }
        self.unreachable
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_pause_does_not_end_a_long_one() {
        let now = Instant::now();
        let mut pace = Pace::new(now);
        pace.pause(now, Duration::from_mins(15));
        pace.pause(now, Duration::from_secs(1));
        pace.unreachable(now);
        assert_eq!(pace.resume_at(), now + Duration::from_mins(15));
    }

    #[test]
    fn lanes_that_fail_together_fail_once() {
        let now = Instant::now();
        let mut pace = Pace::new(now);
        for _ in 0..8 {
            assert_eq!(pace.unreachable(now), 1);
        }
        assert!(pace.resume_at() <= now + Duration::from_millis(1_200));
        assert_eq!(pace.unreachable(pace.resume_at()), 2);
        pace.reached();
        assert_eq!(pace.unreachable(pace.resume_at()), 1);
    }
}
