//! Whether a service lives, and whether it can work. Two questions: what lives and cannot work is not to be started
//! again, since a database that is away is no nearer afterwards.

use std::sync::Arc;
use std::time::Duration;

use axum::http::StatusCode;
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;

use crate::pulse::{Pulse, Stage};
use crate::store::{Error, Store};

/// How long the database may take to answer; a caller must not wait longer.
const PATIENCE: Duration = Duration::from_secs(1);

/// For how long an answer of the database's holds for all who ask: strangers may.
const HOLDS: Duration = Duration::from_secs(1);

/// A status and a line of text.
pub type Answer = (StatusCode, &'static str);

/// What is known of a service's health. Clones know the same.
#[derive(Clone, Debug)]
pub struct Health(Arc<Parts>);

#[derive(Debug)]
struct Parts {
    store: Store,
    /// Of its loop, if it has one.
    pulse: Option<Pulse>,
    shutdown: CancellationToken,
    /// What the database last said, and when.
    last: Mutex<Option<(Instant, Answer)>>,
}

const OK: Answer = (StatusCode::OK, "ok\n");

const fn not(why: &'static str) -> Answer {
    (StatusCode::SERVICE_UNAVAILABLE, why)
}

impl Health {
    /// Of a service that works with this database until `shutdown` is cancelled, and whose loop, if it has one, has this
    /// pulse.
    #[must_use]
    pub fn new(store: Store, pulse: Option<Pulse>, shutdown: CancellationToken) -> Self {
        Self(Arc::new(Parts { store, pulse, shutdown, last: Mutex::default() }))
    }

    /// 200 where it lives, 503 where it stands still.
    #[must_use]
    pub fn alive(&self) -> Answer {
        let is_still = self.0.pulse.as_ref().is_some_and(Pulse::stands_still);
        if is_still { not("it stands still\n") } else { OK }
    }

    /// 200 where it can work: it lives and is not to end, nothing keeps it waiting, the database answers in time and has
    /// a schema that this program works with: its own, or a newer one beside which it goes on.
    pub async fn ready(&self) -> Answer {
        if self.0.shutdown.is_cancelled() {
            return not("it is ending\n");
        }
        let alive = self.alive();
        if alive != OK {
            return alive;
        }
        let database = self.database().await;
        if database != OK {
            return database;
        }
        match self.0.pulse.as_ref().map(Pulse::stage) {
            Some(Stage::Beginning) => not("it has not begun yet\n"),
            Some(Stage::Waiting) => not("it may not work yet; `verifydesk queue` says why\n"),
            Some(Stage::Ending) => not("it is ending\n"),
            Some(Stage::Working) | None => OK,
        }
    }

    /// Asked once for all who come while the answer holds.
    async fn database(&self) -> Answer {
        let mut last = self.0.last.lock().await;
        if let Some((at, answer)) = *last
            && at.elapsed() < HOLDS
        {
            return answer;
        }
        let answer = match timeout(PATIENCE, self.0.store.ready()).await {
            Ok(Ok(())) => OK,
            Ok(Err(error)) => {
                tracing::warn!(%error, "the database is not well");
                match error {
                    Error::NotMigrated(_) => {
                        not("the database is not prepared for this version; run `verifydesk migrate`\n")
                    }
                    Error::Newer(_) => not("the database belongs to a newer verifydesk; install that here too\n"),
                    _ => not("the database does not answer\n"),
                }
            }
            Err(_) => not("the database did not answer within a second\n"),
        };
        *last = Some((Instant::now(), answer));
        answer
    }
}
