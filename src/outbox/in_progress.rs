//! What a worker has begun: sends in a lane or not recorded yet, and what mail servers have said until the database has
//! recorded it.

use std::collections::HashSet;
use std::sync::Arc;

use tokio::time::Instant;

use crate::domain::id::SendId;
use crate::store::outbox::record::AroundLocks;
use crate::store::outbox::result::Outcome;

/// The sends that were begun.
#[derive(Debug)]
pub(super) struct InProgress {
    /// In a lane, or not recorded yet.
    sends: HashSet<SendId>,
    /// Sent, and never recorded: settled by any worker when their lease ends.
    abandoned: HashSet<SendId>,
    /// To be recorded.
    pub(super) results: Results,
}

impl InProgress {
    pub(super) fn new(now: Instant) -> Self {
        Self { sends: HashSet::new(), abandoned: HashSet::new(), results: Results::new(now) }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.sends.is_empty()
    }

    /// A lane gets this one. It could be claimed, so an earlier result of it was recorded, though the answer to that was
    /// lost.
    pub(super) fn begin(&mut self, id: SendId) {
        self.results.forget(id);
        self.sends.insert(id);
    }

    /// Its result is recorded, or it goes back.
    pub(super) fn end(&mut self, id: SendId) {
        self.sends.remove(&id);
    }

    /// It was sent, and its result cannot be recorded.
    pub(super) fn abandon(&mut self, id: SendId) {
        self.sends.remove(&id);
        self.abandoned.insert(id);
    }

    /// Those whose lease is needed.
    pub(super) fn sends(&self) -> Vec<SendId> {
        self.sends.iter().copied().collect()
    }

    /// Those that a lane has, or that the mail server has heard of.
    pub(super) fn known(&self) -> Vec<SendId> {
        self.sends.iter().chain(&self.abandoned).copied().collect()
    }

    #[cfg(test)]
    pub(super) fn has(&self, id: SendId) -> bool {
        self.sends.contains(&id)
    }

    #[cfg(test)]
    pub(super) fn has_abandoned(&self, id: SendId) -> bool {
        self.abandoned.contains(&id)
    }
}

/// Results to be recorded.
#[derive(Debug)]
pub(super) struct Results {
    waiting: Vec<Outcome>,
    /// One of these is refused for what is in it: they are recorded one by one, so that it takes no other along.
    suspects: Vec<Outcome>,
    /// Being recorded at this moment.
    under_way: Option<Arc<Vec<Outcome>>>,
    /// Of a try that was given up and may still come through.
    hanging: Vec<SendId>,
    around_locks: AroundLocks,
    /// When to record, or to try again.
    at: Instant,
    /// How often in a row the database did not take any.
    failures: u32,
}

impl Results {
    fn new(now: Instant) -> Self {
        Self {
            waiting: Vec::new(),
            suspects: Vec::new(),
            under_way: None,
            hanging: Vec::new(),
            around_locks: AroundLocks::No,
            at: now,
            failures: 0,
        }
    }

    pub(super) fn push(&mut self, outcome: Outcome) {
        self.waiting.push(outcome);
    }

    /// Whether none waits, besides what is being recorded.
    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty() && self.suspects.is_empty()
    }

    /// When to record.
    pub(super) fn at(&self) -> Instant {
        self.at
    }

    /// Whether the database did not take the last ones.
    pub(super) fn is_stuck(&self) -> bool {
        self.failures > 0
    }

    /// The next to be recorded, and how.
    pub(super) fn begin(&mut self) -> (Arc<Vec<Outcome>>, AroundLocks) {
        let next = match self.suspects.pop() {
            Some(one) => vec![one],
            None => std::mem::take(&mut self.waiting),
        };
        let next = Arc::new(next);
        self.under_way = Some(Arc::clone(&next));
        (next, self.around_locks)
    }

    /// What was being recorded, now that there is an answer.
    pub(super) fn end(&mut self) -> Vec<Outcome> {
        let ended = self.under_way.take().unwrap_or_default();
        Arc::try_unwrap(ended).unwrap_or_else(|shared| shared.to_vec())
    }

    /// The database takes results.
    pub(super) fn on_taken(&mut self) {
        self.failures = 0;
        self.around_locks = AroundLocks::No;
    }

    /// It does not. Returns how often in a row.
    pub(super) fn on_failure(&mut self) -> u32 {
        self.failures += 1;
        self.failures
    }

    /// These are tried again.
    pub(super) fn keep(&mut self, outcomes: Vec<Outcome>) {
        self.waiting.extend(outcomes);
    }

    /// These are tried again one by one.
    pub(super) fn suspect(&mut self, outcomes: Vec<Outcome>) {
        self.suspects.extend(outcomes);
    }

    /// Rows that another transaction has locked are left out of the next try.
    pub(super) fn go_around_locks(&mut self) {
        self.around_locks = AroundLocks::Yes;
    }

    /// None is recorded before.
    pub(super) fn wait(&mut self, until: Instant) {
        self.at = until;
    }

    /// A send of which an earlier result needs no recording any more.
    pub(super) fn forget(&mut self, id: SendId) {
        self.waiting.retain(|outcome| outcome.id != id);
        self.suspects.retain(|outcome| outcome.id != id);
    }

    /// Waits no longer for what is being recorded: it is tried once more.
    pub(super) fn give_up_waiting(&mut self) {
        let under_way = self.end();
        self.hanging = under_way.iter().map(|outcome| outcome.id).collect();
        self.keep(under_way);
    }

    /// Whether a try that was given up may still answer.
    pub(super) fn is_hanging(&self) -> bool {
        !self.hanging.is_empty()
    }

    /// The try that was given up came through, but for these.
    pub(super) fn on_late(&mut self, locked: &[SendId]) {
        for id in std::mem::take(&mut self.hanging) {
            if !locked.contains(&id) {
                self.forget(id);
            }
        }
    }

    /// All that is left.
    pub(super) fn take(&mut self) -> Vec<Outcome> {
        let mut left = self.end();
        left.append(&mut self.waiting);
        left.append(&mut self.suspects);
        left
    }
}
