//! Receives SES's events from an SQS queue, and deletes them there once they are in the database.
//!
//! One request waits for messages as long as SQS lets it; while they come by the ten, more are made at once.

use std::time::Duration;

use futures_util::future::join_all;
use tokio::time::{interval, sleep};
use tokio_util::sync::CancellationToken;

use super::batch::Batch;
use super::{Tally, Until};
use crate::config::{SettingError, Settings};
use crate::desk::Desk;
use crate::domain::change::Change;
use crate::jitter::jittered;
use crate::ses::aws::Failure;
use crate::ses::sqs::{RECEIVED_MAX, Sqs, WAIT_MAX};
use crate::store::Store;
use crate::text::plain;

/// Requests at once while there is much to receive.
const AT_ONCE: usize = 8;

/// How often that goes on at the same time: while the database takes some messages, others are received.
const LANES: usize = 2;

/// Fewest messages of these requests with which there is still much: SQS asks only some of its servers for each.
const RUSH_MIN: usize = AT_ONCE * RECEIVED_MAX / 2;

/// How long the last ones are waited for by a worker that ends when nothing is due: SQS asks only some of its servers
/// where it does not wait at all.
const SHORT_WAIT: Duration = Duration::from_secs(1);

/// How often it is looked whether it is due to ask how much is in the queue.
const MEASURE_EVERY: Duration = Duration::from_secs(10);

/// The longest wait after failures in a row.
const PAUSE_MAX: Duration = Duration::from_mins(1);

/// Receives events. Any number of them may do so at once.
pub struct EventPoller {
    pub(super) desk: Desk,
    pub(super) queue: Sqs,
}

impl EventPoller {
    /// One for the queue that the settings name; `None` if they name none.
    pub fn from_settings(store: &Store, settings: &Settings) -> Result<Option<Self>, SettingError> {
        let queue = Sqs::from_settings(settings)?;
        Ok(queue.map(|queue| Self { desk: Desk::with(store.clone(), settings), queue }))
    }

    /// The same, received messages being no one else's for another time.
    #[must_use]
    pub fn with_visibility(self, visibility: Duration) -> Self {
        Self { queue: self.queue.with_visibility(visibility), ..self }
    }

    /// The queue's address.
    #[must_use]
    pub fn url(&self) -> &str {
        self.queue.url()
    }

    /// Receives until then; what was received and is not in the database by the end comes again.
    pub async fn run(&self, until: Until, shutdown: &CancellationToken) -> Tally {
        tracing::info!(queue = %plain(self.url()), "receiving events");
        if until == Until::Empty {
            self.measure().await;
            return self.receive(until, shutdown).await;
        }
        // Side by side: what was received waits for nothing but the database.
        let measuring = async {
            let mut ticks = interval(MEASURE_EVERY);
            loop {
                ticks.tick().await;
                self.measure().await;
            }
        };
        tokio::select! {
            tally = self.receive(until, shutdown) => tally,
            never = measuring => never,
        }
    }

    async fn receive(&self, until: Until, shutdown: &CancellationToken) -> Tally {
        let wait = if until == Until::Empty { SHORT_WAIT } else { WAIT_MAX };
        let mut tally = Tally::default();
        let mut failures = 0;
        while let Some(received) = shutdown.run_until_cancelled(self.queue.receive(wait)).await {
            match received {
                Ok(messages) => {
                    let count = messages.len();
                    tally += Batch::new(messages).take(self, until, shutdown).await;
                    if tally.failed_by.is_some() {
                        break;
                    }
                    if failures > 0 {
                        failures = 0;
                        self.report_recovery().await;
                    }
                    if count == RECEIVED_MAX {
                        tally += self.rush(until, shutdown).await;
                    } else if count == 0 && until == Until::Empty {
                        break;
                    }
                }
                Err(failure) => {
                    failures += 1;
                    self.report(&failure).await;
                    if until == Until::Empty {
                        tally.failed_by = Some(failure.to_string());
                        break;
                    }
                    let pause = jittered(Duration::from_secs(1 << failures.min(6)).min(PAUSE_MAX));
                    shutdown.run_until_cancelled(sleep(pause)).await;
                }
            }
        }
        tally
    }

    /// Many at once, for as long as they bring much. What was received together goes into the database together: a
    /// commit costs more than what it holds.
    async fn rush(&self, until: Until, shutdown: &CancellationToken) -> Tally {
        let lane = || async {
            let mut tally = Tally::default();
            loop {
                let receiving = join_all((0..AT_ONCE).map(|_| self.queue.receive(Duration::ZERO)));
                let Some(received) = shutdown.run_until_cancelled(receiving).await else { break };
                let messages: Vec<_> = received.into_iter().flatten().flatten().collect();
                let count = messages.len();
                tally += Batch::new(messages).take(self, until, shutdown).await;
                if count < RUSH_MIN || tally.failed_by.is_some() {
                    break;
                }
            }
            tally
        };
        join_all((0..LANES).map(|_| lane())).await.into_iter().fold(Tally::default(), |mut all, one| {
            all += one;
            all
        })
    }

    /// Finds out how much is in the queue, if it is this worker's turn.
    async fn measure(&self) {
        let store = self.desk.store();
        match store.may_ask_queue(self.url()).await {
            Ok(true) => {}
            Ok(false) => return,
            Err(error) => return tracing::warn!(%error, "the queue of events waits for the database"),
        }
        let noted = match self.queue.depth().await {
            Ok((waiting, in_flight, dead)) => store.note_queue(self.url(), waiting, in_flight, dead).await,
            Err(failure) => store.note_queue_failure(self.url(), &failure.to_string()).await,
        };
        match noted {
            Ok(true) => store.notify(Change::Workers).await,
            Ok(false) => {}
            Err(error) => tracing::warn!(%error, "the depth of the queue of events was not noted"),
        }
    }

    /// Shows that the queue is read again.
    async fn report_recovery(&self) {
        let store = self.desk.store();
        match store.note_queue_is_read(self.url()).await {
            Ok(true) => store.notify(Change::Workers).await,
            Ok(false) => {}
            Err(error) => tracing::warn!(%error, "that the queue of events is read again was not noted"),
        }
    }

    /// Shows that the queue cannot be read.
    async fn report(&self, failure: &Failure) {
        let store = self.desk.store();
        match store.note_queue_failure(self.url(), &failure.to_string()).await {
            Ok(true) => {
                tracing::warn!("the queue of events cannot be read: {failure}");
                store.notify(Change::Workers).await;
            }
            Ok(false) => {}
            Err(error) => tracing::warn!(%error, "the queue of events cannot be read ({failure}), nor that be noted"),
        }
    }
}
