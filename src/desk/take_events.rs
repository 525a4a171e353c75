//! Takes in what SES reports, however it came.

use super::{Desk, Error};
use crate::domain::change::Change;
use crate::ses::event::Event;
use crate::store::events::{Source, Taken};

impl Desk {
    /// Stores events, each once, takes up what follows for their mails, and notifies of what changed. At most
    /// [`crate::store::events::BATCH_MAX`] at a time.
    pub async fn take_events(&self, events: &[Event], source: Source) -> Result<Taken, Error> {
        self.changing()?;
        let taken = self.store.take_events(events, source).await?;
        for id in &taken.changed {
            self.store.notify(Change::Verification(*id)).await;
        }
        Ok(taken)
    }
}
