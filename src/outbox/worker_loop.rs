//! The loop of a worker: one task owns all of its state. What takes time is a task of its own that answers: each mail in a
//! lane, each step with the database ([`super::step`]). Whenever something has answered, has changed or has become due,
//! whatever is due is started; otherwise the loop sleeps.
//!
//! ```text
//! outbox ──> prepare ──> lanes ──> results ──> record ──> outbox
//! ```

#[cfg(test)]
mod tests;

use std::time::Duration;

use tokio::time::{Instant, sleep, sleep_until};
use tokio_util::sync::CancellationToken;

use super::admission::Admission;
use super::ending::Shutdown;
use super::flow::Flow;
use super::in_progress::InProgress;
use super::lanes::Lanes;
use super::preparer::{PaceReport, Preparer};
use super::queue::{POLL_EVERY, Queue};
use super::refusals::Refusals;
use super::retry;
use super::step::brake::Held;
use super::step::erase::Erasing;
use super::step::heartbeat::{self, Presence};
use super::step::housekeeping::{self, Housekeeping};
use super::step::probe::Probing;
use super::step::prune::Pruning;
use super::step::put_back::Orphans;
use super::step::record_again::Failover;
use super::step::renew::LeaseClock;
use super::step::{self, Step, Steps, listen, within};
use super::worker::{Mode, Tally, Worker};
use crate::contain::contained_async;
use crate::domain::change::Change;
use crate::pulse::{Stage, TURN_EVERY};
use crate::store::{Error, Following, Store};
use crate::text::plain;

/// What a worker knows; only its own task touches it. Each part keeps its fields to itself, and says what can be done
/// with it.
pub(super) struct WorkerLoop {
    /// Settings, templates, database, and the heartbeat as it is written next.
    pub(super) worker: Worker,
    /// Whether it ends, and how.
    pub(super) shutdown: Shutdown,
    /// What it did so far.
    pub(super) tally: Tally,
    /// The steps that run at this moment.
    pub(super) steps: Steps,
    /// Connections to the mail server, and the mails in them.
    pub(super) lanes: Lanes,
    /// Until when lanes may begin a mail.
    pub(super) lease: LeaseClock,
    /// How hard it presses the mail server.
    pub(super) flow: Flow,
    /// What the pace has not heard of: slots not used, mails accepted.
    pub(super) pace_report: PaceReport,
    /// Sends that were begun, and the results that wait to be recorded.
    pub(super) in_progress: InProgress,
    /// What the outbox holds, as far as this worker knows, and when it looks again.
    pub(super) queue: Queue,
    /// What keeps all mails back.
    pub(super) held: Option<Held>,
    /// Mails that the server did not take.
    pub(super) refusals: Refusals,
    /// The mail that is tried while the outbox is paused for refusals.
    pub(super) probing: Probing,
    /// Sends that may have been begun and that no lane has.
    pub(super) orphans: Orphans,
    /// The database's server, and what another one may lack.
    pub(super) failover: Failover,
    /// Whether it may work with those that are at work.
    pub(super) admission: Admission,
    /// When it next shows itself, and how.
    pub(super) presence: Presence,
    /// When it next does what any worker may do for all.
    pub(super) housekeeping: Housekeeping,
    /// When it next looks for users who are to be erased.
    pub(super) erasing: Erasing,
    /// When it next removes what is old.
    pub(super) pruning: Pruning,
    /// `None` while the subscription is broken.
    pub(super) changes: Option<Following>,
}

impl WorkerLoop {
    /// With nothing claimed.
    pub(super) fn new(worker: Worker, mode: Mode) -> Self {
        let now = Instant::now();
        let tally = Tally { sent: worker.beat.sent, failed: worker.beat.failed, ..Tally::default() };
        let settings = &worker.shared.settings;
        Self {
            shutdown: Shutdown::new(mode),
            steps: Steps::default(),
            lanes: Lanes::new(worker.transport.clone()),
            lease: LeaseClock::new(now),
            flow: Flow::new(settings.worker.lanes, settings.pace.rate(None), now),
            pace_report: PaceReport::default(),
            in_progress: InProgress::new(now),
            queue: Queue::new(now),
            held: None,
            refusals: Refusals::default(),
            probing: Probing::default(),
            orphans: Orphans::new(now),
            failover: Failover::default(),
            admission: Admission::default(),
            presence: Presence::new(now, tally.sent),
            housekeeping: Housekeeping::new(now),
            erasing: Erasing::new(now),
            pruning: Pruning::new(now),
            changes: None,
            tally,
            worker,
        }
    }

    pub(super) fn into_tally(self) -> Tally {
        self.tally
    }

    pub(super) fn store(&self) -> &Store {
        &self.worker.shared.store
    }

    /// What it is called where it has changed something.
    pub(super) fn name(&self) -> String {
        self.worker.shared.preparer.actor.name.clone()
    }

    /// How long a lease lasts.
    pub(super) fn lease_time(&self) -> Duration {
        self.worker.shared.preparer.lease
    }

    /// One that claims at the database's server that this worker knows.
    pub(super) fn preparer(&self) -> Preparer {
        Preparer { server: self.failover.server(), ..self.worker.shared.preparer.clone() }
    }

    /// How many lanes are neither taken nor reserved.
    pub(super) fn free_lanes(&self) -> usize {
        self.lanes.free(self.flow.lanes())
    }

    /// Works until it is over; [`WorkerLoop::end`] must follow.
    pub(super) async fn work(&mut self, shutdown: &CancellationToken) -> Result<(), Error> {
        match shutdown.run_until_cancelled(Box::pin(self.begin())).await {
            Some(begun) => begun?,
            None => self.shutdown.begin(),
        }
        loop {
            let now = Instant::now();
            self.worker.pulse.turn(if self.admission.is_admitted() { Stage::Working } else { Stage::Waiting });
            step::start_due(self, now);
            let bound = self.bound(now);
            if self.is_over() {
                return Ok(());
            }
            let wake_at = step::next_due(self).into_iter().chain(bound).fold(now + TURN_EVERY, Instant::min);
            tokio::select! {
                biased;
                () = shutdown.cancelled(), if !self.shutdown.is_stopping() => self.shutdown.begin(),
                Some(done) = self.lanes.join_next() => self.on_lane(done),
                Some(done) = self.steps.join_next() => self.on_step(done),
                change = next(&mut self.changes) => self.on_change(change),
                () = sleep_until(wake_at) => {}
            }
            if let Some(error) = self.shutdown.take_failure() {
                return Err(error);
            }
            // What has come in by now is one batch.
            while let Some(done) = self.lanes.try_join_next() {
                self.on_lane(done);
            }
        }
    }

    /// What comes before the first mail: whether it may work, the pace, the brake, what dead workers left.
    async fn begin(&mut self) -> Result<(), Error> {
        let pace = &self.worker.shared.settings.pace;
        let asked_at = Instant::now();
        let begun = within(async {
            let blocker = self.store().admit(&self.worker.beat).await?;
            if blocker.is_none() {
                let worker = Some(self.worker.beat.id);
                let rate = pace.rate(self.store().account_rate().await?);
                self.store().set_pace(worker, rate, pace.daily_quota()).await?;
            }
            Ok::<_, Error>((blocker, self.store().brake().await?))
        });
        match begun.await {
            Ok((blocker, brake)) => {
                if blocker.is_none() {
                    self.housekeeping.pace_is_set();
                }
                self.on_admission(blocker, asked_at);
                self.on_brake(brake);
            }
            Err(error) if self.shutdown.is_drain() => return Err(error),
            Err(error) => tracing::warn!(%error, "waiting for the database"),
        }
        self.changes = listen(self.store()).await;
        heartbeat::first(self).await;
        housekeeping::first(self).await;
        Ok(())
    }

    /// Nothing is begun any more, and nothing that was begun is awaited.
    fn is_over(&self) -> bool {
        if self.shutdown.is_past_lanes(Instant::now()) {
            return true;
        }
        let awaited = [Step::Prepare, Step::Record, Step::ReportRefusals, Step::Probe, Step::Erase];
        if !self.lanes.are_idle() || awaited.into_iter().any(|step| self.steps.is_running(step)) {
            return false;
        }
        self.shutdown.is_stopping() || self.shutdown.is_drain() && self.is_drained()
    }

    /// Whether nothing waits that a drain would wait for.
    fn is_drained(&self) -> bool {
        self.in_progress.results.is_empty()
            && self.held.is_none()
            && !self.refusals.is_urgent()
            && !self.orphans.are_possible()
            && !self.steps.is_running(Step::PutBack)
            && !self.failover.is_pending()
            && self.queue.is_drained(Instant::now())
    }

    /// Ends early for a reason: nothing can be sent.
    pub(super) fn stop(&mut self, reason: String) {
        self.shutdown.begin();
        self.tally.stopped_by.get_or_insert(reason);
    }

    fn on_change(&mut self, change: Result<Change, Error>) {
        let now = Instant::now();
        match change {
            Ok(Change::Queued) => {
                self.queue.on_queued(now);
                self.probe_soon();
            }
            Ok(Change::Outbox) => {
                self.presence.show_now(now);
                self.queue.ask_jobs_at(now);
            }
            Ok(Change::Account) => self.worker.acts.notify_one(),
            Ok(_) => {}
            Err(error) => {
                tracing::warn!(%error, "no longer notified of what is queued; polling");
                self.changes = None;
                self.queue.look_by(now + POLL_EVERY);
            }
        }
    }
}

impl Worker {
    /// Works until `shutdown`, and starts over after what stopped it: for a worker that no one else starts again.
    pub async fn run_on(mut self, shutdown: CancellationToken) {
        let mut stops = 0;
        while !shutdown.is_cancelled() {
            let run = contained_async(self.clone().run(Mode::Forever, shutdown.clone()));
            let ended = run.await.unwrap_or_else(|broke| Err(Error::Other(plain(&broke.to_string()))));
            match ended {
                Ok(tally) => {
                    if tally.sent > self.beat.sent {
                        stops = 0;
                    }
                    (self.beat.sent, self.beat.failed, self.beat.last_error) =
                        (tally.sent, tally.failed, tally.stopped_by);
                }
                Err(error) => tracing::warn!(%error, "the worker stopped"),
            }
            stops += 1;
            shutdown.run_until_cancelled(sleep(retry::after(stops))).await;
        }
    }

    /// Works until `shutdown`, until nothing is due, or until nothing can be sent; finishes what is in progress, and puts
    /// back what is only claimed. A database that is away ends a drain only.
    pub async fn run(self, mode: Mode, shutdown: CancellationToken) -> Result<Tally, Error> {
        let mut worker = WorkerLoop::new(self, mode);
        let result = worker.work(&shutdown).await;
        worker.end().await;
        result.map(|()| worker.into_tally())
    }
}

/// The next change; never while there is no subscription.
async fn next(changes: &mut Option<Following>) -> Result<Change, Error> {
    match changes {
        Some(changes) => changes.next().await,
        None => std::future::pending().await,
    }
}
