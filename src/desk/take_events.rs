//! Takes in what SES reports, however it came.

use super::{Desk, Error};
use crate::domain::change::Change;
use crate::domain::id::SendId;
use crate::metrics;
use crate::ses::event::Event;
use crate::store::events::{Source, Taken};

impl Desk {
    /// Stores events, each once, takes up what follows for their mails, and notifies of what changed. At most
    /// [`crate::store::events::BATCH_MAX`] at a time.
    pub async fn take_events(&self, events: &[Event], source: Source) -> Result<Taken, Error> {
        self.changing()?;
        let taken = self.store.take_events(events, source).await?;
        let counts = metrics::process();
        counts.events_stored(source.as_str(), taken.stored, taken.orphans);
        for event in events {
            counts.event(&event.kind, event.send.and_then(SendId::made_at), event.occurred_at);
        }
        for id in &taken.changed {
            self.store.notify(Change::Verification(*id)).await;
        }
        Ok(taken)
    }
}
