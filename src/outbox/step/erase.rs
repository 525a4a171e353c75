//! Erases users whose deletion is not held any more.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::{Step, within};
use crate::outbox::worker_loop::WorkerLoop;
use crate::store::Error;
use crate::store::deletion::Erased;

/// How soon it is noticed that someone is to be deleted: a look at an index that is empty, as a rule.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// How long one is left to the process that has them in hand.
const ELSEWHERE: Duration = Duration::from_secs(1);

/// When it looks next.
#[derive(Debug)]
pub(in crate::outbox) struct Erasing {
    at: Instant,
}

impl Erasing {
    pub(in crate::outbox) fn new(now: Instant) -> Self {
        Self { at: now }
    }
}

pub(super) fn due(worker: &WorkerLoop) -> Option<Instant> {
    let may_run = !worker.shutdown.is_stopping() && worker.admission.is_admitted();
    (may_run && !worker.steps.is_running(Step::Erase)).then_some(worker.erasing.at)
}

pub(super) fn start(worker: &mut WorkerLoop, now: Instant) {
    worker.erasing.at = now + LOOK_EVERY;
    let shared = Arc::clone(&worker.worker.shared);
    let step = async move { shared.store.erase_due(&shared.preparer.actor).await };
    worker.steps.spawn(Step::Erase, within(Box::pin(step)), finish);
}

fn finish(worker: &mut WorkerLoop, result: Result<Erased, Error>) {
    match result {
        Ok(Erased { users, next_in }) => {
            if let Some(next_in) = next_in {
                worker.erasing.at = Instant::now() + next_in.clamp(ELSEWHERE, LOOK_EVERY);
            }
            if users > 0 {
                tracing::info!(users, "erased users who were to be deleted");
            }
        }
        Err(error) => tracing::warn!(%error, "users who are to be deleted wait for the database"),
    }
}
