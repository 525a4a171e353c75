//! Notifies the other processes of changes, gathered for a moment: an act changes several things, a worker hundreds a
//! second, and each `NOTIFY` is a round trip here and a reload of everything there.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::sleep;

use super::{Error, Store, changes};
use crate::contain::{self, contained_async};
use crate::domain::change::{Change, Gathered};

/// How long the first change waits for others of the same act.
const FIRST: Duration = Duration::from_millis(10);

/// How far apart further changes are announced.
const PAUSE: Duration = Duration::from_millis(200);

/// Longest time for what is still to be announced when a process ends: screens that come later are all that it costs.
const FLUSH_MAX: Duration = Duration::from_secs(2);

/// What is still to be announced.
#[derive(Clone, Debug, Default)]
pub(super) struct Notifier {
    waiting: Arc<Mutex<Waiting>>,
    /// Held while sending, so that a flush ends after what is in progress.
    sending: Arc<Mutex<()>>,
}

#[derive(Debug, Default)]
struct Waiting {
    changes: Gathered,
    /// Whether a task is there that will announce them.
    has_task: bool,
}

impl Store {
    /// Notifies the other processes of what changed, in a moment: after the commit and in a statement of its own, since
    /// `NOTIFY` inside a transaction takes a lock at commit that serialises all writers. The act is done by then, so a
    /// failure here only makes screens later. A process that ends soon calls [`Store::flush`] before.
    pub async fn notify(&self, change: Change) {
        let mut waiting = self.notifier.waiting.lock().await;
        waiting.changes.add(change);
        if std::mem::replace(&mut waiting.has_task, true) {
            return;
        }
        let store = self.clone();
        contain::spawn(async move {
            sleep(FIRST).await;
            // If it panics, what was to be announced is lost; what comes later must find a task again.
            while contained_async(store.send_waiting()).await.unwrap_or(true) {
                sleep(PAUSE).await;
            }
        });
    }

    /// Announces what is still to be announced, if the database takes it within two seconds.
    pub async fn flush(&self) {
        let sending = async {
            let _sending = self.notifier.sending.lock().await;
            let changes = self.notifier.waiting.lock().await.changes.take();
            self.send_changes(&changes).await;
        };
        if tokio::time::timeout(FLUSH_MAX, sending).await.is_err() {
            tracing::warn!("other consoles were not notified of a change: the database does not answer");
        }
    }

    /// Announces what has gathered; false if there was nothing, and no task is left.
    async fn send_waiting(&self) -> bool {
        let _sending = self.notifier.sending.lock().await;
        let changes = {
            let mut waiting = self.notifier.waiting.lock().await;
            waiting.has_task = !waiting.changes.is_empty();
            waiting.changes.take()
        };
        self.send_changes(&changes).await;
        !changes.is_empty()
    }

    async fn send_changes(&self, changes: &[Change]) {
        if changes.is_empty() {
            return;
        }
        let payloads: Vec<String> = changes.iter().map(|change| change.payload()).collect();
        let sent = sqlx::query!(
            "select pg_notify($1, payload) from unnest($2::text[]) as payload",
            changes::CHANNEL,
            &payloads
        );
        if let Err(error) = sent.execute(&self.pool).await {
            tracing::warn!(error = %Error::from(error), "other consoles were not notified of a change");
        }
    }
}
