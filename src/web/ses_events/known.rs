//! What the database says, asked once a second and not for each post: its clock.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, timeout};

use crate::domain::Time;
use crate::store::{Error, Store};

/// How long the first posts wait for the first look.
const FIRST_MAX: Duration = Duration::from_secs(3);

pub(super) struct Known(watch::Sender<Option<View>>);

#[derive(Clone, Copy)]
struct View {
    /// The database's time, and when it was that by this machine's.
    time: Time,
    at: Instant,
}

impl Default for Known {
    fn default() -> Self {
        Self(watch::Sender::new(None))
    }
}

impl Known {
    pub(super) async fn look(&self, store: &Store) -> Result<(), Error> {
        let at = Instant::now();
        let time = store.now().await?;
        self.0.send_replace(Some(View { time, at }));
        Ok(())
    }

    /// The present by the database's clock; `None` if it has not been seen yet.
    pub(super) async fn now(&self) -> Option<Time> {
        let mut views = self.0.subscribe();
        let view = timeout(FIRST_MAX, views.wait_for(Option::is_some)).await.ok()?.ok()?;
        let View { time, at } = (*view)?;
        time.checked_add_signed(chrono::TimeDelta::from_std(at.elapsed()).ok()?)
    }
}
