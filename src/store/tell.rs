//! Telling the other processes what changed, gathered for moments: an act changes several things, a worker hundreds a
//! second, and each `NOTIFY` is a round trip here and a reading of everything there.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::sleep;

use super::{Error, Store, changes};
use crate::contain::{self, contained_async};
use crate::domain::change::{Change, Gathered};

/// How long the first change waits for others of the same act.
const FIRST: Duration = Duration::from_millis(10);

/// How far apart further changes are told.
const PAUSE: Duration = Duration::from_millis(200);

/// Longest time for what is still to be told when a process ends: screens that come later are all that it costs.
const FLUSH_MAX: Duration = Duration::from_secs(2);

/// What is still to be told.
#[derive(Clone, Debug, Default)]
pub(super) struct Told {
    waiting: Arc<Mutex<Waiting>>,
    /// Held while telling, so that a flush ends after what is under way.
    telling: Arc<Mutex<()>>,
}

#[derive(Debug, Default)]
struct Waiting {
    changes: Gathered,
    /// Whether a task is there that will tell them.
    attended: bool,
}

impl Store {
    /// Tells the other processes what changed, in a moment: after the commit and in a statement of its own, since
    /// `NOTIFY` inside a transaction takes a lock at commit that serialises all writers. The act is done by then, so a
    /// failure here only makes screens later. A process that ends soon calls [`Store::flush`] before.
    pub async fn notify(&self, change: Change) {
        let mut waiting = self.told.waiting.lock().await;
        waiting.changes.add(change);
        if std::mem::replace(&mut waiting.attended, true) {
            return;
        }
        let store = self.clone();
        contain::spawn(async move {
            sleep(FIRST).await;
            // Where it breaks, what was to be told is lost; what comes later must find that someone attends.
            while contained_async(store.tell()).await.unwrap_or(true) {
                sleep(PAUSE).await;
            }
        });
    }

    /// Tells what is still to be told, if the database takes it within two seconds.
    pub async fn flush(&self) {
        let telling = async {
            let _telling = self.told.telling.lock().await;
            let changes = self.told.waiting.lock().await.changes.take();
            self.tell_of(&changes).await;
        };
        if tokio::time::timeout(FLUSH_MAX, telling).await.is_err() {
            tracing::warn!("other consoles were not told of a change: the database does not answer");
        }
    }

    /// Tells what has gathered; false if there was nothing, and no task attends any more.
    async fn tell(&self) -> bool {
        let _telling = self.told.telling.lock().await;
        let changes = {
            let mut waiting = self.told.waiting.lock().await;
            waiting.attended = !waiting.changes.is_empty();
            waiting.changes.take()
        };
        self.tell_of(&changes).await;
        !changes.is_empty()
    }

    async fn tell_of(&self, changes: &[Change]) {
        if changes.is_empty() {
            return;
        }
        let payloads: Vec<String> = changes.iter().map(|change| change.payload()).collect();
        let told = sqlx::query!(
            "select pg_notify($1, payload) from unnest($2::text[]) as payload",
            changes::CHANNEL,
            &payloads
        );
        if let Err(error) = told.execute(&self.pool).await {
            tracing::warn!(error = %Error::from(error), "other consoles were not told of a change");
        }
    }
}
