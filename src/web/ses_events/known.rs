//! What the database says, asked once a second and not for each post: its clock, and which topics operators have
//! approved.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, timeout};

use crate::domain::Time;
use crate::store::{Error, Store};

/// How long the first posts wait for the first look.
const FIRST_MAX: Duration = Duration::from_secs(3);

pub(super) struct Known(watch::Sender<Option<Arc<View>>>);

pub(super) struct View {
    /// The database's time, and when it was that by this machine's.
    time: Time,
    at: Instant,
    approved: BTreeSet<String>,
}

impl Default for Known {
    fn default() -> Self {
        Self(watch::Sender::new(None))
    }
}

impl Known {
    pub(super) async fn look(&self, store: &Store) -> Result<(), Error> {
        let at = Instant::now();
        let (time, approved) = store.approved_topics().await?;
        self.0.send_replace(Some(Arc::new(View { time, at, approved: approved.into_iter().collect() })));
        Ok(())
    }

    /// What it said last; `None` if it has not been seen yet.
    pub(super) async fn view(&self) -> Option<Arc<View>> {
        let mut views = self.0.subscribe();
        let view = timeout(FIRST_MAX, views.wait_for(Option::is_some)).await.ok()?.ok()?;
        view.clone()
    }
}

impl View {
    /// The present by the database's clock.
    pub(super) fn now(&self) -> Option<Time> {
        self.time.checked_add_signed(chrono::TimeDelta::from_std(self.at.elapsed()).ok()?)
    }

    pub(super) fn has_approved(&self, topic: &str) -> bool {
        self.approved.contains(topic)
    }
}
