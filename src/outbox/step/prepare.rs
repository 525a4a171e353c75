//! Claims due sends and prepares their mails, as many as there are free lanes; each then gets a lane and its slot.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::brake::{Held, LOOK_AGAIN};
use super::{Step, within};
use crate::domain::brake::Brake;
use crate::domain::change::Change;
use crate::outbox::preparer::{Batch, PaceReport, Preparer, Ready};
use crate::outbox::queue::{Backlog, POLL_EVERY};
use crate::outbox::worker_loop::WorkerLoop;
use crate::store::pace::Reserved;
use crate::store::{Error, Store};

/// Batches being prepared at once: one is with the database while the mails of another are given to lanes.
const RUNNING_MAX: usize = 2;

/// How many seconds' worth of mails the pace grants at once.
const AT_ONCE: f64 = 0.1;

/// How the trouble begins that is over as soon as mails are prepared.
const UNPREPARED: &str = "no mail can be prepared";

/// How long an act may have a user's row, usually.
const LATER: Duration = Duration::from_millis(5);

/// Longest wait for more slots: others may return some.
const RESERVE_AGAIN: Duration = Duration::from_millis(50);

/// What came of it.
pub(in crate::outbox) struct Prepared {
    pub(in crate::outbox) batch: Batch,
    /// What the outbox holds besides.
    pub(in crate::outbox) backlog: Backlog,
    /// The brake, where nothing waits.
    pub(in crate::outbox) brake: Option<Brake>,
}

/// As it was started.
#[derive(Clone, Copy, Debug)]
pub(in crate::outbox) struct Asked {
    /// So many lanes are reserved for its mails.
    pub(in crate::outbox) lanes: usize,
    pub(in crate::outbox) at: Instant,
}

impl WorkerLoop {
    pub(super) fn may_send(&self) -> bool {
        !self.shutdown.is_stopping() && self.housekeeping.is_pace_set() && self.admission.is_admitted()
    }
}

pub(in crate::outbox) fn due(worker: &WorkerLoop) -> Option<Instant> {
    let (free, running) = (worker.free_lanes(), worker.steps.count(Step::Prepare));
    // While one runs a second is worth it for many mails only.
    let is_worth_it = running == 0 || running < RUNNING_MAX && free * 4 >= worker.flow.lanes();
    let is_recorded = !worker.in_progress.results.is_stuck() && !worker.has_unreported_run();
    let is_wanted = worker.may_send() && worker.held.is_none() && worker.may_begin() && is_recorded;
    (is_wanted && free > 0 && is_worth_it).then(|| worker.queue.claim_at().max(worker.flow.resume_at()))
}

pub(super) fn start(worker: &mut WorkerLoop, _now: Instant) {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "bounded at once")]
    let at_once = (worker.flow.rate() * AT_ONCE).ceil() as usize + 1;
    let asked = Asked { lanes: worker.free_lanes().min(at_once), at: Instant::now() };
    worker.lanes.reserve(asked.lanes);
    worker.queue.on_claim();
    let (store, preparer) = (worker.store().clone(), worker.preparer());
    let report = std::mem::take(&mut worker.pace_report);
    let step = async move {
        let mut unreported = report;
        let result = within(Box::pin(prepare(store, preparer, asked.lanes, &mut unreported))).await;
        Ok((result, unreported))
    };
    worker.steps.spawn(Step::Prepare, step, move |worker, done| {
        let (result, unreported) = done.unwrap_or_else(|error| (Err(error), report));
        finish(worker, result, unreported, asked);
    });
}

/// Claims and prepares, and notifies of what changed by it; looks when to claim again where there was no more, and at
/// the brake where nothing waits.
async fn prepare(store: Store, preparer: Preparer, limit: usize, report: &mut PaceReport) -> Result<Prepared, Error> {
    let batch = preparer.prepare(&store, limit, report).await?;
    for ready in &batch.ready {
        store.notify(Change::Verification(ready.verification)).await;
        if let Some(superseded) = ready.superseded {
            store.notify(Change::Verification(superseded)).await;
        }
    }
    if batch.failed > 0 {
        store.notify(Change::Many).await;
    }
    for cancelled in &batch.cancelled {
        store.notify(cancelled.map_or(Change::Many, Change::Verification)).await;
    }
    // What is begun must reach its lane, whatever comes of this look.
    let backlog = if batch.claimed < limit {
        match store.next_due().await {
            Ok(next) => next.map_or(Backlog::Empty, Backlog::DueIn),
            Err(_) => Backlog::DueIn(POLL_EVERY),
        }
    } else {
        Backlog::Unknown
    };
    // What the brake holds back does not wait, as far as a claim can see.
    let brake = if backlog == Backlog::Empty { store.brake().await.unwrap_or_default() } else { None };
    Ok(Prepared { batch, backlog, brake })
}

pub(in crate::outbox) fn finish(
    worker: &mut WorkerLoop,
    result: Result<Prepared, Error>,
    unreported: PaceReport,
    asked: Asked,
) {
    let now = Instant::now();
    worker.lanes.release(asked.lanes);
    worker.pace_report.unused += unreported.unused;
    worker.pace_report.accepted += unreported.accepted;
    let Prepared { batch, backlog, brake } = match result {
        Ok(prepared) => prepared,
        Err(error) => {
            worker.may_have_begun(asked.at, now);
            worker.flow.pause(now, POLL_EVERY);
            worker.trouble(format!("{UNPREPARED}: {error}"));
            if worker.shutdown.is_drain() && worker.in_progress.is_empty() {
                worker.shutdown.fail(error);
            }
            return;
        }
    };
    worker.trouble_is_over(UNPREPARED);
    let is_allowed = worker.on_standing(batch.standing, now);
    if worker.is_leaving() {
        // Begun, and no lane will send it.
        if !batch.ready.is_empty() {
            worker.orphans.expect();
        }
        return;
    }
    worker.count_unsent(&batch);
    worker.pace_report.unused += batch.unused();
    if let Some(reserved) = &batch.reserved {
        worker.on_reserved(reserved, batch.claimed, now);
    }
    if batch.later > 0 {
        // An act has the user for a moment.
        worker.flow.pause(now, LATER);
    }
    if brake.is_some() {
        worker.on_brake(brake);
    }
    worker.queue.on_claimed(backlog, asked.at, is_allowed, worker.changes.is_some(), now);
    if !batch.ready.is_empty() {
        worker.on_begun(asked.at);
    }
    for (number, ready) in (0..).zip(batch.ready) {
        worker.send(ready, batch.reserved.map_or(now, |reserved| reserved.slot(number)));
    }
}

impl WorkerLoop {
    /// Gives a mail that was begun to a lane, which sends it in its slot.
    pub(super) fn send(&mut self, ready: Ready, at: Instant) {
        self.in_progress.begin(ready.id);
        self.failover.forget(ready.id);
        self.lanes.send(Arc::clone(&self.worker.shared), ready, at, self.lease.lease());
    }

    /// Counts the sends of which no mail was made.
    pub(super) fn count_unsent(&mut self, batch: &Batch) {
        if batch.failed > 0 {
            self.tally.failed += i64::try_from(batch.failed).unwrap_or_default();
            self.tally.failed_by.get_or_insert_with(|| "no mail could be made of what the database holds".into());
        }
        self.tally.cancelled += i64::try_from(batch.cancelled.len()).unwrap_or_default();
    }

    fn on_reserved(&mut self, reserved: &Reserved, claimed: usize, now: Instant) {
        self.flow.set_rate(reserved.rate);
        if reserved.is_stopped {
            // The heartbeat looks why.
            self.presence.show_now(now);
            self.queue.wait_for_slots(now + POLL_EVERY);
        } else if reserved.is_quota_used {
            let reason = "the mails of 24 hours are used up (`pace.daily_quota`, or what is left of the account's); sending goes on as places come back";
            self.hold(Held { reason: reason.into(), until: Some(now + LOOK_AGAIN) });
        } else if reserved.count == 0 {
            self.queue.wait_for_slots(now + reserved.wait.max(Duration::from_millis(1)));
        } else if reserved.count < claimed {
            // The next when half of these have gone.
            let span = reserved.apart * u32::try_from(reserved.count).unwrap_or(u32::MAX);
            self.queue.wait_for_slots(now + (reserved.wait + span / 2).min(RESERVE_AGAIN));
        }
    }
}
