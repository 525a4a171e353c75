//! Takes in what SES reports, however it came.

use super::{Desk, Error};
use crate::domain::change::Change;
use crate::ses::event::Event;
use crate::store::events::{BATCH_MAX, Source, Taken};

impl Desk {
    /// Stores events, each once, takes up what follows for their mails, and notifies of what changed.
    pub async fn take_events(&self, events: &[Event], source: Source) -> Result<Taken, Error> {
        let mut all = Taken::default();
        for batch in events.chunks(BATCH_MAX) {
            let taken = self.store.take_events(batch, source).await?;
            for id in &taken.changed {
                self.store.notify(Change::Verification(*id)).await;
            }
            all.stored += taken.stored;
            all.orphans += taken.orphans;
            all.changed.extend(taken.changed);
        }
        Ok(all)
    }
}
