//! Records results. The mail server has spoken already: what it said must not be lost, whatever the database's trouble
//! is.

use std::time::Duration;

use tokio::time::Instant;

use super::{Step, within};
use crate::domain::change::Change;
use crate::metrics;
use crate::outbox::retry;
use crate::outbox::worker_loop::WorkerLoop;
use crate::store::Error;
use crate::store::outbox::record::Unrecorded;
use crate::store::outbox::result::{Outcome, SendResult};

/// After how many failures in a row a drain ends.
const FAILURES_MAX: u32 = 3;

/// After how many the wait between two tries grows no more: it is some seconds then, and each is one statement.
const FAILURE_STEPS: u32 = 4;

/// How the trouble begins that is over as soon as results are recorded.
const WAITING: &str = "results wait for the database";

/// How long to wait for rows that another transaction has locked.
const LOCKED: Duration = Duration::from_millis(500);

pub(in crate::outbox) fn due(worker: &WorkerLoop) -> Option<Instant> {
    let results = &worker.in_progress.results;
    (!results.is_empty() && !worker.steps.is_running(Step::Record)).then(|| results.at())
}

pub(in crate::outbox) fn start(worker: &mut WorkerLoop, _now: Instant) {
    let recording = record(worker);
    worker.steps.spawn(Step::Record, recording, finish);
}

/// Records what comes next, and notifies of it.
pub(in crate::outbox) fn record(
    worker: &mut WorkerLoop,
) -> impl Future<Output = Result<Unrecorded, Error>> + Send + use<> {
    let (outcomes, around_locks) = worker.in_progress.results.begin();
    let (store, id) = (worker.store().clone(), worker.worker.beat.id);
    let unknown_after = worker.worker.shared.settings.worker.unknown_after;
    async move {
        let left = within(store.record(id, &outcomes, unknown_after, around_locks)).await?;
        for outcome in outcomes.iter() {
            store.notify(Change::Verification(outcome.verification)).await;
        }
        Ok(left)
    }
}

pub(in crate::outbox) fn finish(worker: &mut WorkerLoop, result: Result<Unrecorded, Error>) {
    if !worker.in_progress.results.is_hanging() {
        recorded(worker, result);
    } else if let Ok(left) = result {
        // The worker ends and had given it up, and it came through after all.
        worker.in_progress.results.on_late(&left.locked);
    }
}

/// What follows from an answer to what was being recorded.
pub(in crate::outbox) fn recorded(worker: &mut WorkerLoop, result: Result<Unrecorded, Error>) {
    let now = Instant::now();
    let outcomes = worker.in_progress.results.end();
    match result {
        Ok(left) => {
            worker.in_progress.results.on_taken();
            worker.trouble_is_over(WAITING);
            let (locked, done): (Vec<_>, Vec<_>) =
                outcomes.into_iter().partition(|outcome| left.locked.contains(&outcome.id));
            worker.settled(&done, &left, now);
            let results = &mut worker.in_progress.results;
            if !locked.is_empty() {
                results.go_around_locks();
                if done.is_empty() {
                    results.wait(now + LOCKED);
                }
                results.keep(locked);
            }
        }
        Err(error) if error.is_of_the_row() => {
            if let [outcome] = &outcomes[..] {
                worker.lost(outcome, &error);
            } else {
                worker.in_progress.results.suspect(outcomes);
            }
        }
        Err(error) => {
            let results = &mut worker.in_progress.results;
            let failures = results.on_failure();
            results.wait(now + retry::unreachable(failures.min(FAILURE_STEPS)));
            if error.is_in_the_way() {
                results.go_around_locks();
            }
            results.keep(outcomes);
            if worker.shutdown.is_drain() && failures >= FAILURES_MAX {
                worker.stop(error.to_string());
            }
            worker.trouble(format!("{WAITING}: {error}; until it takes them no other mail is sent"));
        }
    }
}

/// For those who watch.
fn count(outcome: &Outcome) {
    let result = match outcome.result {
        SendResult::Accepted { .. } => "accepted",
        SendResult::Deferred { .. } => "deferred",
        SendResult::Failed { .. } => "failed",
        SendResult::Unknown { .. } => "unknown",
    };
    metrics::process().mail_tried(result, outcome.reply.as_deref());
    if let SendResult::Accepted { .. } = outcome.result
        && let Some(queued_at) = outcome.id.made_at()
    {
        metrics::process().mail_accepted(queued_at);
    }
}

impl WorkerLoop {
    /// These results are in the database, or another process was faster.
    fn settled(&mut self, outcomes: &[Outcome], left: &Unrecorded, now: Instant) {
        self.note_recorded(outcomes, &left.elsewhere, now);
        self.failover.keep(outcomes, now);
        for outcome in outcomes {
            self.in_progress.end(outcome.id);
            if !left.elsewhere.contains(&outcome.id) {
                count(outcome);
            }
            if left.elsewhere.contains(&outcome.id) {
                let state = outcome.result.state();
                tracing::warn!(send = %outcome.id, %state, "settled already, by another process or by an earlier try");
            }
        }
        // What goes again is due at some time that only the database knows.
        if outcomes.iter().any(|outcome| outcome.result.state().is_open()) {
            self.queue.on_reopened(now);
        }
    }

    /// This one is refused for what is in it.
    fn lost(&mut self, outcome: &Outcome, error: &Error) {
        self.in_progress.abandon(outcome.id);
        self.refusals.forget(outcome.id);
        self.probing.forget(outcome.id);
        self.tally.unrecorded += 1;
        metrics::process().result_lost();
        tracing::error!(send = %outcome.id, state = %outcome.result.state(), %error, "a result is lost");
        self.trouble(format!("a result could not be recorded: {error}"));
    }
}
