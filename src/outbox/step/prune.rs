//! Removes what is old: some batches at a time, so that nothing waits for it.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::{Step, within};
use crate::domain::change::Change;
use crate::jitter::jittered;
use crate::outbox::pruning::{Pass, Pruned};
use crate::outbox::worker_loop::WorkerLoop;
use crate::store::Error;

/// How long after a pass the next begins; and how soon a pass goes on, or is tried again.
const EVERY: Duration = Duration::from_hours(1);
const GOES_ON_AFTER: Duration = Duration::from_secs(10);

/// Batches of one step.
const BATCHES: usize = 5;

/// When it is done next, and how far it came.
#[derive(Debug)]
pub(in crate::outbox) struct Pruning {
    at: Instant,
    pass: Option<Pass>,
}

impl Pruning {
    pub(in crate::outbox) fn new(now: Instant) -> Self {
        Self { at: now, pass: None }
    }
}

pub(super) fn due(worker: &WorkerLoop) -> Option<Instant> {
    let may_run = !worker.shutdown.is_stopping() && worker.admission.is_admitted();
    (may_run && !worker.steps.is_running(Step::Prune)).then_some(worker.pruning.at)
}

pub(super) fn start(worker: &mut WorkerLoop, now: Instant) {
    worker.pruning.at = now + GOES_ON_AFTER;
    let shared = Arc::clone(&worker.worker.shared);
    let pass = worker.pruning.pass.take();
    let step = async move {
        let (store, settings) = (&shared.store, &shared.settings);
        let (mut pass, mut pruned) = match pass {
            Some(pass) => (pass, Pruned::default()),
            None => Pass::begin(store, settings, false).await?,
        };
        let mut is_over = false;
        for _ in 0..BATCHES {
            match pass.next(store, settings, false).await? {
                Some(count) => pruned.sends += count,
                None => is_over = true,
            }
        }
        if pruned.sends > 0 {
            store.notify(Change::Many).await;
        }
        Ok(((!is_over).then_some(pass), pruned))
    };
    worker.steps.spawn(Step::Prune, within(Box::pin(step)), finish);
}

fn finish(worker: &mut WorkerLoop, result: Result<(Option<Pass>, Pruned), Error>) {
    match result {
        Ok((pass, pruned)) => {
            if pass.is_none() {
                worker.pruning.at = Instant::now() + jittered(EVERY);
            }
            worker.pruning.pass = pass;
            if pruned.sends > 0 || !pruned.weeks.is_empty() {
                let (sends, weeks) = (pruned.sends, pruned.weeks.join(", "));
                tracing::info!(sends, weeks, "removed what is older than `retention` lets it stay");
            }
        }
        Err(error) => tracing::warn!(%error, "what is old waits for the database"),
    }
}
