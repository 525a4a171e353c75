//! The view of the outbox: which job or worker is selected.

use uuid::Uuid;

use crate::domain::id::JobId;
use crate::domain::job::JobRow;
use crate::domain::worker::WorkerRow;

/// The view of the outbox.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Queue {
    /// What is selected; it stays so wherever it moves to.
    pub selected: Option<ItemId>,
    /// Whether keys go to its detail.
    pub open: bool,
    /// First line shown of its detail.
    pub scroll: usize,
    /// The job whose pause or end was requested and not yet answered.
    pub changing: Option<JobId>,
}

/// What identifies a row of the view.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ItemId {
    Job(JobId),
    /// A worker's run.
    Worker(Uuid),
}

/// A row of the view.
#[derive(Clone, Copy, Debug)]
pub enum Item<'a> {
    Job(&'a JobRow),
    Worker(&'a WorkerRow),
}

impl Item<'_> {
    #[must_use]
    pub fn id(self) -> ItemId {
        match self {
            Self::Job(job) => ItemId::Job(job.id),
            Self::Worker(worker) => ItemId::Worker(worker.id),
        }
    }
}
