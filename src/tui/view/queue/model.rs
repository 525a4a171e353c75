//! The view of the outbox: which job or worker is selected.

use uuid::Uuid;

use crate::domain::Time;
use crate::domain::id::JobId;
use crate::domain::job::{JobResults, JobRow, JobSkip};
use crate::domain::worker::WorkerRow;
use crate::tui::view::pane::Target;

/// The view of the outbox.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Queue {
    /// What is selected; it stays so wherever it moves to.
    pub selected: Option<ItemId>,
    /// Whether keys go to its detail.
    pub open: bool,
    /// First line shown of its detail.
    pub scroll: usize,
    /// The one that the selected job skipped and the cursor is on.
    pub skipped: Option<Target>,
    /// The job whose pause or end was requested and not yet answered.
    pub changing: Option<JobId>,
    /// The jobs that were started in this console.
    pub started: Vec<JobId>,
    /// The job whose mails were opened here: one step back leads to it again.
    pub listed: Option<JobId>,
    /// Topics that were decided here, each with when it had asked: what was read before may come later.
    pub decided: Vec<DecidedTopic>,
    /// What came of the selected job, as it was counted last.
    pub facts: Option<Box<JobFacts>>,
    /// The job that is being counted; the next waits for it.
    pub counting: Option<JobId>,
    /// What was counted may have changed since.
    pub is_stale: bool,
    /// Not counted again before this: counting a million takes a while.
    pub count_from: Option<Time>,
}

/// A topic of SNS that was approved or refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DecidedTopic {
    pub topic: String,
    pub asked_at: Option<Time>,
    pub is_approved: bool,
}

/// How many of the people that a job skipped are shown.
pub const SKIPS_SHOWN: i64 = 100;

/// What came of a job.
#[derive(Clone, Debug, PartialEq)]
pub struct JobFacts {
    pub id: JobId,
    /// None where counting takes too long.
    pub results: Option<JobResults>,
    /// The first of the people that it skipped.
    pub skips: Vec<JobSkip>,
    /// Whether there are more.
    pub has_more_skips: bool,
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
