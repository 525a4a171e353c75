//! Moments drawn from the shared pace and not used yet.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

use crate::store::pace::Drawn;

/// For how long a moment that has come can still be used. Later, mails of several workers that were held up together
/// would go out together.
const FRESH: Duration = Duration::from_millis(100);

/// Moments at which a mail may go out, in their order.
#[derive(Debug, Default)]
pub(super) struct Moments {
    waiting: VecDeque<Instant>,
    unused: usize,
}

impl Moments {
    /// Adds what was drawn, as answered at `now`.
    pub(super) fn add(&mut self, drawn: &Drawn, now: Instant) {
        for n in 0..u32::try_from(drawn.count).unwrap_or(u32::MAX) {
            self.waiting.push_back(now + drawn.wait + drawn.apart * n);
        }
    }

    /// When the next one is, if there is one.
    pub(super) fn next(&self) -> Option<Instant> {
        self.waiting.front().copied()
    }

    pub(super) fn len(&self) -> usize {
        self.waiting.len()
    }

    /// How many have come by `until`, after forgetting those that are no longer fresh.
    pub(super) fn by(&mut self, now: Instant, until: Instant) -> usize {
        while self.next().is_some_and(|at| at + FRESH < now) {
            self.waiting.pop_front();
            self.unused += 1;
        }
        self.waiting.partition_point(|at| *at <= until)
    }

    /// Takes the next `count`.
    pub(super) fn take(&mut self, count: usize) -> Vec<Instant> {
        self.waiting.drain(..count.min(self.waiting.len())).collect()
    }

    /// Gives back what a mail that was not sent did not use.
    pub(super) fn give_back(&mut self, at: Instant) {
        let place = self.waiting.partition_point(|other| *other < at);
        self.waiting.insert(place, at);
    }

    /// How many were drawn in vain, to be told at the next draw.
    pub(super) fn take_unused(&mut self) -> usize {
        std::mem::take(&mut self.unused)
    }

    /// A draw that told of them did not come through.
    pub(super) fn not_told(&mut self, unused: usize) {
        self.unused += unused;
    }

    /// Uses none of them.
    pub(super) fn forget(&mut self) {
        self.unused += self.waiting.len();
        self.waiting.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_grown_old_is_told_and_not_used() {
        let now = Instant::now();
        let mut moments = Moments::default();
        let drawn = Drawn {
            count: 4,
            wait: Duration::ZERO,
            apart: Duration::from_millis(20),
            rate: 50.0,
            is_quota_used: false,
            is_stopped: false,
        };
        moments.add(&drawn, now);
        assert_eq!(moments.by(now, now + Duration::from_millis(30)), 2);
        let late = now + Duration::from_millis(125);
        assert_eq!(moments.by(late, late), 2);
        assert_eq!(moments.take_unused(), 2);
        let taken = moments.take(2);
        assert_eq!((taken.len(), moments.len()), (2, 0));
        moments.give_back(taken[1]);
        moments.give_back(taken[0]);
        assert_eq!(moments.next(), Some(taken[0]));
        moments.forget();
        assert_eq!((moments.take_unused(), moments.next()), (2, None));
    }
}
