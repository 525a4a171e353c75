//! Reports to the database what was taken and what was refused: the outbox pauses if no mail is taken at all, and goes
//! on when one is.

use std::sync::Arc;

use tokio::time::Instant;

use super::{Step, within};
use crate::config;
use crate::domain::brake::Brake;
use crate::domain::change::Change;
use crate::domain::id::SendId;
use crate::outbox::queue::POLL_EVERY;
use crate::outbox::refusals::RefusalReport;
use crate::outbox::worker_loop::WorkerLoop;
use crate::store::{Error, Store};

/// How many runs others must have ended while a worker's own went on: one may have been taken just before.
const OTHERS_TAKEN: i64 = 3;

/// What came of a report.
#[derive(Debug, Default)]
pub(in crate::outbox) struct Reported {
    /// Whether the outbox was paused or resumed by it.
    pub(in crate::outbox) is_changed: bool,
    pub(in crate::outbox) brake: Option<Brake>,
    /// Whether this worker's mails are refused while others' are taken.
    pub(in crate::outbox) is_own_trouble: bool,
    /// How many runs were ended by a mail that was taken; only asked for where refusals were noted.
    pub(in crate::outbox) runs_ended: i64,
    /// How many pauses for refusals have ended; only asked for where refusals were noted.
    pub(in crate::outbox) pauses_ended: Option<i64>,
    /// Those counted as failed that are queued again.
    pub(in crate::outbox) put_back: Vec<SendId>,
}

pub(super) fn due(worker: &WorkerLoop) -> Option<Instant> {
    worker.refusals.report_at().filter(|_| !worker.steps.is_running(Step::ReportRefusals))
}

pub(in crate::outbox) fn start(worker: &mut WorkerLoop, now: Instant) {
    let shared = &worker.worker.shared;
    let Some(report) = worker.refusals.next(&shared.settings.brake, now) else { return };
    let (store, set_by, rules) =
        (shared.store.clone(), shared.preparer.actor.name.clone(), shared.settings.brake.clone());
    let reported = Arc::clone(&report);
    let step = async move { within(report_all(&store, set_by, &report, &rules)).await };
    worker.steps.spawn(Step::ReportRefusals, step, move |worker, result| finish(worker, result, &reported));
}

/// Notes it among what the other workers report, and pauses or resumes the outbox for all, as follows from that.
async fn report_all(
    store: &Store,
    set_by: String,
    report: &RefusalReport,
    rules: &config::Brake,
) -> Result<Reported, Error> {
    let RefusalReport { is_taken, noted, says, own, failed } = report;
    let mut done = Reported::default();
    let mut put_back = 0;
    if *is_taken {
        done.is_changed = store.end_refusals().await?;
    }
    if !noted.is_empty() {
        store.note_refusals(noted).await?;
        done.runs_ended = store.runs_ended().await?;
        done.pauses_ended = Some(store.pauses_ended().await?);
        let is_new = store.pause_for_refusals(&set_by, says, rules).await?;
        done.is_changed |= is_new;
        if let Some((own, ended)) = own
            && done.runs_ended >= ended + OTHERS_TAKEN
        {
            put_back = store.put_back_own(own).await?;
            done.is_own_trouble = true;
        }
        if is_new || store.is_paused_for_refusals().await? {
            put_back += store.put_back_refused().await?;
        } else {
            put_back += store.put_back_late().await?;
        }
    }
    if !failed.is_empty() {
        done.put_back = store.no_longer_failed(failed).await?;
    }
    if put_back > 0 {
        store.notify(Change::Many).await;
    }
    if done.is_changed {
        store.notify(Change::Outbox).await;
    }
    done.brake = store.brake().await?;
    Ok(done)
}

pub(in crate::outbox) fn finish(worker: &mut WorkerLoop, result: Result<Reported, Error>, report: &RefusalReport) {
    let now = Instant::now();
    match result {
        Ok(done) => {
            worker.forget_put_back(&done.put_back);
            worker.refusals.on_reported(report, done.runs_ended, now);
            if let Some(pauses_ended) = done.pauses_ended {
                worker.refusals.hear(pauses_ended);
            }
            if done.is_changed {
                worker.presence.show_now(now);
            }
            if done.is_own_trouble {
                let reason =
                    format!("the mail server takes none of this worker's mails, but takes others': {}", report.says);
                worker.refusals.are_own_trouble();
                worker.stop(reason.clone());
                worker.trouble(reason);
            }
            if done.is_changed || worker.held.is_some() {
                worker.on_brake(done.brake);
            }
        }
        Err(error) => {
            tracing::warn!(%error, "refusals wait for the database");
            worker.refusals.keep(report, now + POLL_EVERY);
            worker.stop_held();
        }
    }
}

/// The last of it, when the worker ends; also to learn what was queued again.
pub(in crate::outbox) async fn last(worker: &mut WorkerLoop) {
    let shared = Arc::clone(&worker.worker.shared);
    let Some(report) = worker.refusals.last(&shared.settings.brake, Instant::now()) else { return };
    let set_by = shared.preparer.actor.name.clone();
    match within(report_all(&shared.store, set_by, &report, &shared.settings.brake)).await {
        Ok(done) => worker.forget_put_back(&done.put_back),
        Err(error) => tracing::warn!(%error, "refusals were not noted"),
    }
}

impl WorkerLoop {
    /// Takes what was queued again, by any worker, out of what this one has counted as failed.
    fn forget_put_back(&mut self, put_back: &[SendId]) {
        let count = self.refusals.forget_failed(put_back);
        self.tally.failed -= count.min(self.tally.failed);
        if self.tally.failed == 0 {
            self.tally.failed_by = None;
        }
    }
}
