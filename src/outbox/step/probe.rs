//! Tries one mail while the outbox is paused for refusals: whether the server takes any again.

use std::time::Duration;

use tokio::time::Instant;

use super::brake::Held;
use super::{Step, within};
use crate::config;
use crate::contain::contained_async;
use crate::domain::brake::Brake;
use crate::domain::change::Change;
use crate::domain::id::SendId;
use crate::outbox::preparer::{Batch, Preparer, Why};
use crate::outbox::queue::POLL_EVERY;
use crate::outbox::worker_loop::WorkerLoop;
use crate::store::outbox::claim;
use crate::store::outbox::claimed;
use crate::store::outbox::standing::standing;
use crate::store::{Error, Store, refusals};

/// How many mails are passed over on the way to one that can be tried: those no longer wanted, those whose users an act
/// has, those that cannot be prepared.
const TRIED_MAX: usize = 20;

/// Shortest time between two tries to take a probe, where that is less than the first wait for one.
const APART: Duration = Duration::from_secs(1);

/// The probe of this worker.
#[derive(Debug, Default)]
pub(in crate::outbox) struct Probing {
    /// While the outbox is paused for refusals: when to try the next mail.
    at: Option<Instant>,
    /// When it last tried to take one.
    asked_at: Option<Instant>,
    /// The mail that is being tried, until what came of it is recorded.
    send: Option<SendId>,
}

impl Probing {
    /// The outbox is not paused for refusals.
    pub(super) fn end(&mut self) {
        (self.at, self.send) = (None, None);
    }

    /// This mail is tried.
    pub(in crate::outbox) fn begin(&mut self, id: SendId) {
        self.send = Some(id);
    }

    /// What became of this send is recorded, or will not be.
    pub(in crate::outbox) fn forget(&mut self, id: SendId) {
        self.send = self.send.filter(|send| *send != id);
    }
}

pub(in crate::outbox) fn due(worker: &WorkerLoop) -> Option<Instant> {
    let is_free = !worker.is_probing() && !worker.in_progress.results.is_stuck() && worker.free_lanes() > 0;
    let is_wanted = worker.may_send() && worker.held.is_some() && worker.may_begin() && is_free;
    worker.probing.at.filter(|_| is_wanted).map(|at| at.max(worker.flow.resume_at()))
}

pub(super) fn start(worker: &mut WorkerLoop, now: Instant) {
    worker.probing.asked_at = Some(now);
    worker.probing.at = Some(now + POLL_EVERY);
    let (store, preparer) = (worker.store().clone(), worker.preparer());
    let rules = worker.worker.shared.settings.brake.clone();
    let step = async move { within(probe(store, preparer, rules)).await };
    worker.steps.spawn(Step::Probe, step, move |worker, result| finish(worker, result, now));
}

/// Prepares the one mail that may be tried now, if there is one and no other worker tries one; and reads the brake.
async fn probe(store: Store, preparer: Preparer, rules: config::Brake) -> Result<(Batch, Option<Brake>), Error> {
    let batch = preparer.probe(&store, &rules).await?;
    for ready in &batch.ready {
        store.notify(Change::Verification(ready.verification)).await;
    }
    for cancelled in &batch.cancelled {
        store.notify(cancelled.map_or(Change::Many, Change::Verification)).await;
    }
    // What is begun must reach its lane, whatever comes of this look.
    let brake = store.brake().await.unwrap_or_default();
    Ok((batch, brake))
}

fn finish(worker: &mut WorkerLoop, result: Result<(Batch, Option<Brake>), Error>, asked_at: Instant) {
    let now = Instant::now();
    let (batch, brake) = match result {
        Ok(probed) => probed,
        Err(error) => {
            worker.may_have_begun(asked_at, now);
            tracing::warn!(%error, "no mail could be tried");
            if worker.shutdown.is_drain() {
                worker.stop(error.to_string());
            }
            return;
        }
    };
    worker.on_standing(batch.standing, now);
    worker.count_unsent(&batch);
    let is_none = batch.ready.is_empty();
    if worker.is_leaving() {
        // Begun, and no lane will send it.
        if !is_none {
            worker.orphans.expect();
        }
        return;
    }
    for ready in batch.ready {
        worker.on_begun(asked_at);
        tracing::info!(send = %ready.id, "trying whether the mail server takes mail again");
        worker.probing.begin(ready.id);
        worker.send(ready, now);
    }
    worker.on_brake(brake);
    if is_none {
        worker.stop_held();
    }
}

impl WorkerLoop {
    /// Holds everything back for refusals, until the brake's next probe.
    pub(super) fn hold_for_refusals(&mut self, brake: &Brake, held: Held) {
        let wait = brake.probe_in(self.worker.shared.settings.brake.probe_at_most).unwrap_or_default();
        let now = Instant::now();
        self.probing.at = Some((now + wait).max(self.soonest_probe(now)));
        let is_soon = wait.is_zero() || self.is_probing();
        if self.shutdown.is_drain() && is_soon && !self.shutdown.is_stopping() {
            // Where workers run for some mails only, one of them must try.
            self.held = Some(held);
        } else {
            self.hold(held);
        }
    }

    /// Whether a mail is tried, or the database has not heard yet what came of it.
    pub(in crate::outbox) fn is_probing(&self) -> bool {
        let is_running = self.steps.is_running(Step::Probe) || self.steps.is_running(Step::ReportRefusals);
        is_running || self.probing.send.is_some() || self.refusals.is_taken()
    }

    /// A mail was queued: one to another domain may be tried out of turn.
    pub(in crate::outbox) fn probe_soon(&mut self) {
        let soonest = self.soonest_probe(Instant::now());
        self.probing.at = self.probing.at.map(|at| at.min(soonest));
    }

    fn soonest_probe(&self, now: Instant) -> Instant {
        let apart = APART.min(self.worker.shared.settings.brake.probe_after);
        self.probing.asked_at.map_or(now, |asked_at| asked_at + apart)
    }

    /// A mail was not accepted. If it was the one that was being tried, the others wait on; a drain waits for nothing.
    pub(in crate::outbox) fn on_probe_failed(&mut self, id: SendId) {
        if self.probing.send == Some(id) {
            self.probing.send = None;
            self.stop_held();
        }
    }

    pub(super) fn stop_held(&mut self) {
        if self.shutdown.is_drain()
            && let Some(held) = &self.held
        {
            self.stop(held.reason.clone());
        }
    }
}

/// How far it has come.
#[derive(Debug, Default)]
struct Tried {
    /// The mails looked at, the last at the end.
    ids: Vec<SendId>,
    /// Whether the probe that is due is this worker's.
    is_taken: bool,
}

impl Preparer {
    /// Takes the probe that is due, if no other worker has it, and prepares one mail for it. It gets no slot of the
    /// pace, which has none while the outbox is paused; one mail in half a minute needs none.
    async fn probe(&self, store: &Store, rules: &config::Brake) -> Result<Batch, Error> {
        let mut done = Batch::default();
        let mut tried = Tried::default();
        while tried.ids.len() < TRIED_MAX && done.ready.is_empty() {
            let looked_at = tried.ids.len();
            let why = match contained_async(self.probe_next(store, rules, &mut tried, &mut done)).await {
                Ok(Ok(true)) => continue,
                Ok(Ok(false)) => break,
                Ok(Err(error)) => Why::Error(error),
                Err(broke) => Why::Broke(broke),
            };
            match tried.ids.get(looked_at) {
                Some(id) if why.may_be_of_one() => {
                    done.failed += usize::from(self.leave_out(store, *id, &why).await?);
                }
                _ => return Err(why.into()),
            }
        }
        if !done.ready.is_empty() {
            // Should it fail, the mails of the day are one off.
            let _ = store.count_probe().await;
        }
        Ok(done)
    }

    /// Looks at the next mail that can be tried; false if there is none, or no probe is due.
    async fn probe_next(
        &self,
        store: &Store,
        rules: &config::Brake,
        tried: &mut Tried,
        done: &mut Batch,
    ) -> Result<bool, Error> {
        let mut tx = store.begin().await?;
        let standing = standing(&mut tx, self.claimant()).await?;
        done.standing = Some(standing);
        if !self.claimant().may_claim(standing) {
            return Ok(false);
        }
        let Some(id) = refusals::claim_probe(&mut tx, &tried.ids).await? else { return Ok(false) };
        tried.ids.push(id);
        let locked = claim::lock_users(&mut tx, &[id]).await?;
        let mut sends = claimed::read(&mut tx, &[id], self.old_after).await?;
        sends.retain(|send| send.user.as_ref().is_none_or(|user| locked.contains(&user.id)));
        if sends.is_empty() {
            return Ok(true);
        }
        // Over another connection, in a statement of its own: no one waits for the brake longer than that.
        tried.is_taken = tried.is_taken || store.take_probe(id, rules).await?;
        if !tried.is_taken {
            return Ok(false);
        }
        let mut one = Batch::default();
        self.begin(&mut tx, &sends, &mut one).await?;
        tx.commit().await?;
        done.add(one);
        Ok(true)
    }
}
