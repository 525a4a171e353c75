//! How many posts were refused, by reason. Nothing of what was posted is kept.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

#[derive(Default)]
pub(super) struct Refused(Mutex<BTreeMap<&'static str, i64>>);

impl Refused {
    /// Counts one; reasons are words of this program, so there are few.
    pub(super) fn count(&self, reason: &'static str) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *counts.entry(reason).or_default() += 1;
    }

    /// Logs what was counted since the last time: one line, however many there were.
    pub(super) fn log(&self) {
        let counts = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        if !counts.is_empty() {
            tracing::warn!(?counts, "posts of events were refused");
        }
    }
}
