//! A sign that a loop turns, for those who watch over it: a probe, systemd's watchdog.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// How often a loop turns at least.
pub const TURN_EVERY: Duration = Duration::from_secs(5);

/// After how long without a turn it counts as standing still.
const STILL_AFTER: Duration = Duration::from_secs(30);

/// What a loop shows of itself. Clones show the same.
#[derive(Clone, Debug)]
pub struct Pulse(Arc<Shown>);

#[derive(Debug)]
struct Shown {
    made_at: Instant,
    still_after: Duration,
    /// When it last turned, in milliseconds after it was made.
    turned_at: AtomicU64,
    stage: AtomicU8,
}

/// How far it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Stage {
    /// It has not turned yet.
    Beginning,
    /// It turns, and does its work.
    Working,
    /// It turns, and something keeps it from its work.
    Waiting,
    /// It turns no more: it ends, within bounds of its own.
    Ending,
}

impl Default for Pulse {
    fn default() -> Self {
        Self::still_after(STILL_AFTER)
    }
}

impl Pulse {
    /// One that counts as standing still after another time.
    #[must_use]
    pub fn still_after(still_after: Duration) -> Self {
        Self(Arc::new(Shown {
            made_at: Instant::now(),
            still_after,
            turned_at: AtomicU64::new(0),
            stage: AtomicU8::new(Stage::Beginning as u8),
        }))
    }

    /// It turns, and this is how far it is.
    pub fn turn(&self, stage: Stage) {
        let since = u64::try_from(self.0.made_at.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.0.turned_at.store(since, Ordering::Relaxed);
        self.0.stage.store(stage as u8, Ordering::Relaxed);
    }

    #[must_use]
    pub fn stage(&self) -> Stage {
        match self.0.stage.load(Ordering::Relaxed) {
            1 => Stage::Working,
            2 => Stage::Waiting,
            3 => Stage::Ending,
            _ => Stage::Beginning,
        }
    }

    /// Whether it does not turn though it should.
    #[must_use]
    pub fn stands_still(&self) -> bool {
        let turned_at = Duration::from_millis(self.0.turned_at.load(Ordering::Relaxed));
        let for_long = self.0.made_at.elapsed().saturating_sub(turned_at) > self.0.still_after;
        for_long && matches!(self.stage(), Stage::Working | Stage::Waiting)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_loop_that_should_turn_stands_still() {
        let pulse = Pulse::still_after(Duration::ZERO);
        for (stage, is_still) in
            [(Stage::Beginning, false), (Stage::Working, true), (Stage::Waiting, true), (Stage::Ending, false)]
        {
            pulse.turn(stage);
            let turned = Instant::now();
            while turned.elapsed() < Duration::from_millis(3) {
                std::thread::yield_now();
            }
            assert_eq!((pulse.stage(), pulse.stands_still()), (stage, is_still));
        }
        let pulse = Pulse::default();
        pulse.turn(Stage::Working);
        assert!(!pulse.stands_still());
    }
}
