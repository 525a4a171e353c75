//! Puts back sends that may have been begun under this worker's lease and that no lane has: no other worker could send
//! them until the lease ends. Nothing is begun in the meantime: what is begun and in no lane yet would be put back,
//! too.

use std::time::Duration;

use tokio::time::Instant;

use super::{Step, within};
use crate::outbox::queue::POLL_EVERY;
use crate::outbox::worker_loop::WorkerLoop;
use crate::store::Error;

/// How often is looked for a commit that comes through after its answer was given up.
const LATE_EVERY: Duration = Duration::from_secs(5);

/// What is known of such sends.
#[derive(Debug)]
pub(in crate::outbox) struct Orphans {
    /// Whether there may be some.
    are_possible: bool,
    /// When to put them back, or to try again.
    at: Instant,
    /// Until when a commit whose answer was lost may come through, such as one that waits for a standby.
    late_until: Option<Instant>,
    /// When to look for one.
    late_at: Option<Instant>,
}

impl Orphans {
    pub(in crate::outbox) fn new(now: Instant) -> Self {
        Self { are_possible: false, at: now, late_until: None, late_at: None }
    }

    pub(in crate::outbox) fn are_possible(&self) -> bool {
        self.are_possible
    }

    /// A send was begun, and no server has heard of it.
    pub(in crate::outbox) fn expect(&mut self) {
        self.are_possible = true;
    }
}

impl WorkerLoop {
    /// Whether something was begun is not known: the lost answer may be that it was, and it may come through late.
    pub(in crate::outbox) fn may_have_begun(&mut self, asked_at: Instant, now: Instant) {
        let until = asked_at + self.lease_time();
        self.orphans.are_possible = true;
        self.orphans.late_until = self.orphans.late_until.max(Some(until));
        self.orphans.late_at = Some(now + LATE_EVERY);
    }

    /// Whether sends may be begun: what has none in a lane yet would be taken for an orphan, or may have gone out
    /// already.
    pub(super) fn may_begin(&self) -> bool {
        !self.orphans.are_possible && !self.steps.is_running(Step::PutBack) && !self.failover.is_pending()
    }

    /// Whether sends are being begun that no lane has yet.
    fn is_beginning(&self) -> bool {
        self.steps.is_running(Step::Prepare) || self.steps.is_running(Step::Probe)
    }
}

pub(in crate::outbox) fn due(worker: &WorkerLoop) -> Option<Instant> {
    let orphans = &worker.orphans;
    if worker.steps.is_running(Step::PutBack) {
        None
    } else if orphans.are_possible {
        (!worker.is_beginning()).then_some(orphans.at)
    } else {
        orphans.late_at
    }
}

pub(in crate::outbox) fn start(worker: &mut WorkerLoop, now: Instant) {
    let is_beginning = worker.is_beginning();
    let orphans = &mut worker.orphans;
    if !orphans.are_possible {
        // From here on nothing is begun until it is done.
        orphans.are_possible = true;
        orphans.at = now;
        orphans.late_at = None;
        if is_beginning {
            return;
        }
    }
    orphans.are_possible = false;
    let (store, id, kept) = (worker.store().clone(), worker.worker.beat.id, worker.in_progress.known());
    let step = async move { within(store.put_back(id, &kept)).await };
    worker.steps.spawn(Step::PutBack, step, finish);
}

pub(in crate::outbox) fn finish(worker: &mut WorkerLoop, result: Result<u64, Error>) {
    let now = Instant::now();
    match result {
        Ok(count) => {
            if count > 0 || worker.queue.is_unknown() {
                worker.queue.on_reopened(now);
            }
            let orphans = &mut worker.orphans;
            orphans.late_until = orphans.late_until.filter(|until| *until > now);
            orphans.late_at = orphans.late_until.map(|_| now + LATE_EVERY);
        }
        Err(error) => {
            tracing::warn!(%error, "mails that were not begun wait for the database");
            worker.orphans.are_possible = true;
            worker.orphans.at = now + POLL_EVERY;
            if worker.shutdown.is_drain() {
                worker.stop(error.to_string());
            }
        }
    }
}

/// The worker ends: what steps are beginning still, no lane will send.
pub(in crate::outbox) fn on_end(worker: &mut WorkerLoop) {
    if worker.is_beginning() || worker.steps.is_running(Step::PutBack) {
        worker.orphans.expect();
    }
}

/// The last try, when the worker ends.
pub(in crate::outbox) async fn last(worker: &WorkerLoop) {
    if worker.orphans.are_possible {
        let known = worker.in_progress.known();
        if let Err(error) = within(worker.store().put_back(worker.worker.beat.id, &known)).await {
            tracing::warn!(%error, "mails that were not begun wait for the lease to end");
        }
    }
}
