//! What came of messages in the queue.

use std::ops::AddAssign;

/// What came of messages.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Events that were not there before.
    pub stored: i64,
    /// Those of them that are about no send that is known.
    pub orphans: i64,
    /// Messages left in the queue, since they are no events.
    pub left_alone: i64,
    /// Why the queue could not be read, or the database not be written.
    pub failed_by: Option<String>,
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.stored += other.stored;
        self.orphans += other.orphans;
        self.left_alone += other.left_alone;
        self.failed_by = self.failed_by.take().or(other.failed_by);
    }
}
