//! Closes connections to the mail server that have been idle for too long.

use tokio::time::Instant;

use crate::outbox::worker_loop::WorkerLoop;

pub(super) fn due(worker: &WorkerLoop) -> Option<Instant> {
    worker.lanes.sweep_at()
}

pub(super) fn start(worker: &mut WorkerLoop, now: Instant) {
    worker.lanes.sweep(now);
}
