//! Moves the lease's end while mails are in lanes.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use super::{Step, within};
use crate::mail::transport::Lease;
use crate::outbox::worker_loop::WorkerLoop;
use crate::store::Error;

/// Until when every send that this worker has begun is its own, and lanes may begin their content.
#[derive(Debug)]
pub(in crate::outbox) struct LeaseClock {
    end: watch::Sender<Instant>,
    renew_at: Instant,
}

impl LeaseClock {
    pub(in crate::outbox) fn new(now: Instant) -> Self {
        Self { end: watch::channel(now).0, renew_at: now }
    }

    /// The lease as a lane sees it.
    pub(in crate::outbox) fn lease(&self) -> Lease {
        Lease::new(self.end.subscribe())
    }

    /// The first mails in lanes were begun.
    fn start(&mut self, end: Instant, renew_at: Instant) {
        self.end.send_replace(end);
        self.renew_at = renew_at;
    }

    /// It ends by then.
    pub(in crate::outbox) fn end_by(&self, end: Instant) {
        self.end.send_if_modified(|held| end < *held && std::mem::replace(held, end) != end);
    }
}

impl WorkerLoop {
    /// Mails were begun since then: the lease of everything in progress lasts at least so long.
    pub(in crate::outbox) fn on_begun(&mut self, asked_at: Instant) {
        let end = asked_at + self.lease_time();
        if self.in_progress.is_empty() {
            self.lease.start(end, asked_at + self.worker.renew_every());
        } else {
            self.lease.end_by(end);
        }
    }
}

pub(super) fn due(worker: &WorkerLoop) -> Option<Instant> {
    (!worker.in_progress.is_empty() && !worker.steps.is_running(Step::Renew)).then_some(worker.lease.renew_at)
}

pub(super) fn start(worker: &mut WorkerLoop, now: Instant) {
    let (store, id, sends) = (worker.store().clone(), worker.worker.beat.id, worker.in_progress.sends());
    let lease: Duration = worker.lease_time();
    worker.lease.renew_at = now + worker.worker.renew_every();
    let renewal = async move { within(store.renew_lease(id, &sends, lease)).await };
    worker.steps.spawn(Step::Renew, renewal, move |worker, result| finish(worker, result, now));
}

fn finish(worker: &mut WorkerLoop, result: Result<u64, Error>, asked_at: Instant) {
    match result {
        // None of them is this worker's any more, if none was there to be renewed.
        Ok(0) => {}
        Ok(_) if worker.is_leaving() => {}
        Ok(_) => {
            worker.lease.end.send_replace(asked_at + worker.lease_time());
        }
        Err(error) => tracing::warn!(%error, "the lease was not renewed"),
    }
}
