//! Lowers the pace for all workers, after the server said that it is too fast.

use std::time::Duration;

use super::Step;
use crate::domain::change::Change;
use crate::outbox::worker_loop::WorkerLoop;
use crate::store::{Error, Store};

pub(in crate::outbox) fn start(worker: &mut WorkerLoop, pause: Duration) {
    worker.steps.spawn(Step::LowerPace, lower(worker.store().clone(), pause), |_, result| finish(result));
}

async fn lower(store: Store, pause: Duration) -> Result<(), Error> {
    if store.lower_pace(pause).await? {
        store.notify(Change::Outbox).await;
    }
    Ok(())
}

fn finish(result: Result<(), Error>) {
    if let Err(error) = result {
        tracing::warn!(%error, "the other workers were not slowed down");
    }
}
