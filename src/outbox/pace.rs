//! How hard a worker may press the mail server just now. Of this worker only; others find their own.

use std::time::Duration;

use tokio::time::Instant;

use super::backoff;

/// After how many accepted mails a worker that was slowed down tries one lane more.
const GROW_AFTER: u32 = 20;

/// When the next mail may be handed over, and on how many lanes.
#[derive(Debug)]
pub struct Pace {
    resume_at: Instant,
    unreachable: u32,
    lanes_max: usize,
    lanes: usize,
    /// Since the number of lanes last changed.
    accepted: u32,
}

impl Pace {
    /// At once, on all of so many lanes.
    #[must_use]
    pub fn new(lanes: usize, now: Instant) -> Self {
        Self { resume_at: now, unreachable: 0, lanes_max: lanes, lanes, accepted: 0 }
    }

    /// How many lanes may be busy.
    #[must_use]
    pub fn lanes(&self) -> usize {
        self.lanes
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

    /// The server took a mail: one lane more after a while, if there are fewer than there could be.
    pub fn accepted(&mut self) {
        self.accepted += 1;
        if self.accepted >= GROW_AFTER {
            self.accepted = 0;
            self.lanes = (self.lanes + 1).min(self.lanes_max);
        }
    }

    /// The server wants fewer mails a second: a pause, and half of the lanes after it. Answers during a pause belong to
    /// what was under way before it.
    pub fn slow_down(&mut self, now: Instant, wait: Duration) {
        if now >= self.resume_at {
            self.accepted = 0;
            self.lanes = (self.lanes / 2).max(1);
            self.pause(now, wait);
        }
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
        let mut pace = Pace::new(8, now);
        pace.pause(now, Duration::from_mins(15));
        pace.pause(now, Duration::from_secs(1));
        pace.unreachable(now);
        pace.slow_down(now, Duration::from_secs(1));
        assert_eq!(pace.resume_at(), now + Duration::from_mins(15));
    }

    #[test]
    fn lanes_that_fail_together_fail_once() {
        let now = Instant::now();
        let mut pace = Pace::new(8, now);
        for _ in 0..8 {
            assert_eq!(pace.unreachable(now), 1);
        }
        assert!(pace.resume_at() <= now + Duration::from_millis(1_200));
        assert_eq!(pace.unreachable(pace.resume_at()), 2);
        pace.reached();
        assert_eq!(pace.unreachable(pace.resume_at()), 1);
    }

    #[test]
    fn lanes_are_halved_once_a_pause_and_come_back_one_by_one() {
        let now = Instant::now();
        let mut pace = Pace::new(6, now);
        for _ in 0..6 {
            pace.slow_down(now, Duration::from_secs(1));
        }
        assert_eq!((pace.lanes(), pace.resume_at()), (3, now + Duration::from_secs(1)));
        for lanes in [1, 1] {
            pace.slow_down(pace.resume_at(), Duration::from_secs(1));
            assert_eq!(pace.lanes(), lanes);
        }
        for lanes in [2, 3, 4, 5, 6, 6] {
            for _ in 0..GROW_AFTER {
                assert!(pace.lanes() < lanes || lanes == 6);
                pace.accepted();
            }
            assert_eq!(pace.lanes(), lanes);
        }
    }
}
