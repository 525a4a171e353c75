//! What the outbox holds, as far as a worker knows, and when it looks again.

use std::time::Duration;

use tokio::time::Instant;

/// Longest wait without a look at the outbox, while `NOTIFY` is heard.
pub(super) const LOOK_EVERY: Duration = Duration::from_secs(30);

/// The same while it is not, and after a database that did not answer.
pub(super) const POLL_EVERY: Duration = Duration::from_secs(2);

/// How soon a mail must be due for a drain to wait for it: longer than any wait for the pace and than the first wait of a
/// mail that is tried again, shorter than the second.
const NEAR: Duration = Duration::from_secs(7);

/// Shortest time between two looks.
const LOOK_APART: Duration = Duration::from_millis(20);

/// What the outbox holds besides what was claimed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Backlog {
    /// More may be due.
    Unknown,
    /// Nothing is due for so long.
    DueIn(Duration),
    /// Nothing waits.
    Empty,
}

/// When to claim, and when to ask for jobs.
#[derive(Debug)]
pub(super) struct Queue {
    backlog: Backlog,
    /// When mails last came to wait again: a look from before that does not know of them.
    reopened_at: Instant,
    /// Whether something was queued since the last claim began.
    is_notified: bool,
    look_at: Instant,
    /// When the pace has slots again.
    slots_at: Instant,
    /// When jobs may have more mails to make.
    jobs_at: Instant,
}

impl Queue {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            backlog: Backlog::Unknown,
            reopened_at: now,
            is_notified: false,
            look_at: now,
            slots_at: now,
            jobs_at: now,
        }
    }

    /// When to claim next.
    pub(super) fn claim_at(&self) -> Instant {
        self.look_at.max(self.slots_at)
    }

    /// When to ask for jobs: only when nothing else waits, since their links must not grow old in the queue.
    pub(super) fn jobs_at(&self) -> Option<Instant> {
        (self.backlog != Backlog::Unknown).then_some(self.jobs_at)
    }

    /// Whether nothing is due, nor will be in a few seconds.
    pub(super) fn is_drained(&self, now: Instant) -> bool {
        !self.is_notified
            && self.jobs_at > now + NEAR
            && match self.backlog {
                Backlog::Unknown => false,
                Backlog::DueIn(wait) => wait > NEAR,
                Backlog::Empty => true,
            }
    }

    /// A mail was queued.
    pub(super) fn on_queued(&mut self, now: Instant) {
        self.look_at = now;
        self.is_notified = true;
    }

    /// Mails that this worker had wait again.
    pub(super) fn on_reopened(&mut self, now: Instant) {
        (self.backlog, self.reopened_at, self.look_at) = (Backlog::Unknown, now, now);
    }

    /// Whether it is to look anyway.
    pub(super) fn is_unknown(&self) -> bool {
        self.backlog == Backlog::Unknown
    }

    /// A claim begins: it will see what was queued so far.
    pub(super) fn on_claim(&mut self) {
        self.is_notified = false;
    }

    /// A claim that was `asked_at` found this besides what it took. One that was not allowed has found nothing.
    pub(super) fn on_claimed(
        &mut self,
        backlog: Backlog,
        asked_at: Instant,
        is_allowed: bool,
        is_notified: bool,
        now: Instant,
    ) {
        let is_known = is_allowed && asked_at >= self.reopened_at;
        self.backlog = if is_known { backlog } else { Backlog::Unknown };
        let waiting = if is_notified { LOOK_EVERY } else { POLL_EVERY };
        self.look_at = match self.backlog {
            // It is admitted, or has recorded, before it looks again.
            Backlog::Unknown if !is_allowed => now + POLL_EVERY,
            Backlog::Unknown => now,
            _ if self.is_notified => now,
            Backlog::Empty => now + waiting,
            Backlog::DueIn(next) => now + next.clamp(LOOK_APART, waiting),
        };
    }

    /// Looks now, whatever was known.
    pub(super) fn look_now(&mut self, now: Instant) {
        self.look_at = now;
    }

    /// Looks then at the latest.
    pub(super) fn look_by(&mut self, at: Instant) {
        self.look_at = self.look_at.min(at);
    }

    /// Nothing holds mails back any more: looks now, and asks for slots.
    pub(super) fn on_released(&mut self, now: Instant) {
        (self.look_at, self.slots_at) = (now, now);
    }

    /// The pace has no slots before.
    pub(super) fn wait_for_slots(&mut self, until: Instant) {
        self.slots_at = until;
    }

    /// Jobs may have more to make then.
    pub(super) fn ask_jobs_at(&mut self, at: Instant) {
        self.jobs_at = at;
    }
}
