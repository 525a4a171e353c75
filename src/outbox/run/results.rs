//! What mail servers have said, until the database has taken it down.

use std::sync::Arc;

use crate::domain::id::SendId;
use crate::store::outbox::batch::{AroundLocks, Outcome};

/// Results to be recorded.
#[derive(Debug, Default)]
pub(in crate::outbox) struct Results {
    waiting: Vec<Outcome>,
    /// One of these is refused for what is in it: they are recorded one by one, so that it takes no other along.
    suspects: Vec<Outcome>,
    /// Being written down at this moment.
    under_way: Option<Arc<Vec<Outcome>>>,
    around_locks: AroundLocks,
}

impl Results {
    pub(super) fn push(&mut self, outcome: Outcome) {
        self.waiting.push(outcome);
    }

    /// Whether nothing waits, besides what is under way.
    pub(in crate::outbox) fn is_empty(&self) -> bool {
        self.waiting.is_empty() && self.suspects.is_empty()
    }

    /// The next to be written down, and how.
    pub(super) fn begin(&mut self) -> (Arc<Vec<Outcome>>, AroundLocks) {
        let next = match self.suspects.pop() {
            Some(one) => vec![one],
            None => std::mem::take(&mut self.waiting),
        };
        let next = Arc::new(next);
        self.under_way = Some(Arc::clone(&next));
        (next, self.around_locks)
    }

    /// What was under way is over, one way or the other.
    pub(super) fn end(&mut self) -> Vec<Outcome> {
        let ended = self.under_way.take().unwrap_or_default();
        Arc::try_unwrap(ended).unwrap_or_else(|shared| shared.to_vec())
    }

    /// These are tried again.
    pub(super) fn keep(&mut self, outcomes: Vec<Outcome>) {
        self.waiting.extend(outcomes);
    }

    /// These are tried again one by one.
    pub(super) fn suspect(&mut self, outcomes: Vec<Outcome>) {
        self.suspects.extend(outcomes);
    }

    /// Whether rows that another transaction has locked are left out from now on.
    pub(super) fn set_around_locks(&mut self, around_locks: AroundLocks) {
        self.around_locks = around_locks;
    }

    /// A send of which an earlier result needs no recording any more.
    pub(super) fn forget(&mut self, id: SendId) {
        self.waiting.retain(|outcome| outcome.id != id);
        self.suspects.retain(|outcome| outcome.id != id);
    }

    /// All that is left.
    pub(super) fn take(&mut self) -> Vec<Outcome> {
        let mut left = self.end();
        left.append(&mut self.waiting);
        left.append(&mut self.suspects);
        left
    }
}
