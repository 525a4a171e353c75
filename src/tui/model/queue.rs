//! What of the outbox is selected.

use super::{Model, View};
use crate::domain::id::JobId;
use crate::domain::job::JobRow;
use crate::tui::breakpoints::{PANE_FROM, TALL_FROM};
use crate::tui::view::queue::model::Item;

impl Model {
    /// Whether the view of the outbox says itself, and in full, what stops it and what its workers complain of: then no
    /// banner need repeat it.
    #[must_use]
    pub fn queue_shows_trouble(&self) -> bool {
        let covered = self.queue.open && self.size.0 < PANE_FROM;
        self.view == View::Queue && self.size.1 >= TALL_FROM && !covered
    }

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

    /// The job whose results are on the screen: the selected one, or the one whose mails are listed.
    #[must_use]
    pub fn counted_job(&self) -> Option<JobId> {
        match self.view {
            View::Queue => self.selected_job().map(|job| job.id),
            View::Mail => self.mail.filter.only_job(),
            _ => None,
        }
    }

    /// A job that is known.
    #[must_use]
    pub fn job(&self, id: JobId) -> Option<&JobRow> {
        self.outbox.as_ref()?.jobs.iter().find(|job| job.id == id)
    }
}
