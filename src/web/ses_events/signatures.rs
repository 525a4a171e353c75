//! How the posts of each topic are signed: written down where that has changed, once a second at most.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::store::{Error, Store};

/// Topics that are allowed, so that strangers make it no longer.
#[derive(Default)]
pub(super) struct Signatures(Mutex<BTreeMap<String, Seen>>);

#[derive(Clone, Copy)]
struct Seen {
    version: i16,
    /// Whether settings name the topic.
    is_set: bool,
    is_written: bool,
}

impl Signatures {
    /// A topic that is allowed has posted, signed like that.
    pub(super) fn saw(&self, topic: &str, version: i16, is_set: bool) {
        let mut all = self.lock();
        if all.get(topic).is_none_or(|seen| seen.version != version) {
            all.insert(topic.to_owned(), Seen { version, is_set, is_written: false });
        }
    }

    /// Writes what has changed.
    pub(super) async fn write(&self, store: &Store) -> Result<(), Error> {
        let due: Vec<(String, Seen)> = self
            .lock()
            .iter()
            .filter(|(_, seen)| !seen.is_written)
            .map(|(topic, seen)| (topic.clone(), *seen))
            .collect();
        for (topic, Seen { version, is_set, .. }) in due {
            store.note_signature(&topic, is_set, version).await?;
            if let Some(seen) = self.lock().get_mut(&topic).filter(|seen| seen.version == version) {
                seen.is_written = true;
            }
        }
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Seen>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
