//! How many posts were refused, by reason, on their way to the database. Nothing of what was posted is kept.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::store::{Error, Store};

#[derive(Default)]
pub(super) struct Refused(Mutex<BTreeMap<&'static str, i64>>);

impl Refused {
    /// Counts one; reasons are words of this program, so there are few.
    pub(super) fn count(&self, reason: &'static str) {
        *self.counts().entry(reason).or_default() += 1;
    }

    /// Writes what was counted since the last time: one statement and one line, however many there were. What is not
    /// written is kept for the next time.
    pub(super) async fn write(&self, store: &Store) -> Result<(), Error> {
        let counts = std::mem::take(&mut *self.counts());
        if counts.is_empty() {
            return Ok(());
        }
        let written =
            store.add_refused(&counts.iter().map(|(reason, count)| (*reason, *count)).collect::<Vec<_>>()).await;
        if written.is_ok() {
            tracing::warn!(?counts, "posts of events were refused");
        } else {
            let mut kept = self.counts();
            for (reason, count) in counts {
                *kept.entry(reason).or_default() += count;
            }
        }
        written
    }

    fn counts(&self) -> MutexGuard<'_, BTreeMap<&'static str, i64>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
