//! The view of the outbox: which job or worker is selected.

use uuid::Uuid;

use crate::domain::id::JobId;
use crate::domain::job::JobRow;
use crate::domain::worker::WorkerRow;
use crate::tui::Model;

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

impl Model {
    /// The rows of the view of the outbox: jobs, then workers.
    #[must_use]
    pub fn queue_items(&self) -> Vec<Item<'_>> {
        let Some(outbox) = &self.outbox else { return Vec::new() };
        let jobs = outbox.jobs.iter().map(Item::Job);
        jobs.chain(outbox.workers.iter().map(Item::Worker)).collect()
    }

    /// Which of these rows is selected; the first where the one that was is gone.
    #[must_use]
    pub fn queue_cursor(&self, items: &[Item<'_>]) -> usize {
        items.iter().position(|item| Some(item.id()) == self.queue.selected).unwrap_or(0)
    }

    /// The selected row of the view of the outbox.
    #[must_use]
    pub fn queue_selected(&self) -> Option<Item<'_>> {
        let items = self.queue_items();
        items.get(self.queue_cursor(&items)).copied()
    }

    #[must_use]
    pub fn selected_job(&self) -> Option<&JobRow> {
        match self.queue_selected() {
            Some(Item::Job(job)) => Some(job),
            _ => None,
        }
    }

    /// A job that is known.
    #[must_use]
    pub fn job(&self, id: JobId) -> Option<&JobRow> {
        self.outbox.as_ref()?.jobs.iter().find(|job| job.id == id)
    }
}
