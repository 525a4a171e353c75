//! A run of a worker. One task owns all of its state. What takes time is a task of its own that answers: each mail in a
//! lane, each [`Step`] with the database. Whenever something has answered, was told or has become due, whatever is due
//! is started; otherwise the run sleeps.
//!
//! ```text
//! outbox ──> prepare ──> lanes ──> results ──> record ──> outbox
//! ```

mod admission;
mod answered;
pub(super) mod astray;
mod ending;
mod feedback;

mod moved;
pub(super) mod refused;
mod results;
#[cfg(test)]
mod tests;

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::{Id, JoinSet};
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use self::admission::Admission;
use self::astray::Astray;
use self::ending::Ending;
pub(super) use self::ending::LONGEST as LONGEST_ENDING;
use self::moved::{Moved, Recent};
use self::refused::Refusals;
use self::results::Results;
use super::due::Due;
use super::flow::Flow;
use super::lane::LaneResult;
use super::lanes::Lanes;
use super::prepare::{Preparer, ToTell};
use super::steps::{self, Kind, Rest, Step};
use super::worker::{Mode, Tally, Worker};
use crate::contain::contained_async;
use crate::domain::change::Change;
use crate::domain::id::{SendId, VerificationId};
use crate::mail::transport::{Lane, Lease};
use crate::store::jobs::{CHUNK, JobRules};
use crate::store::outbox::standing::ServerRun;
use crate::store::{Error, Following, Store};

/// Longest wait without a look at the outbox, while `NOTIFY` is heard.
const LOOK_EVERY: Duration = Duration::from_secs(30);

/// The same while it is not, and after a database that did not answer.
pub(super) const POLL_EVERY: Duration = Duration::from_secs(2);

/// After how many failures in a row to reach the server a drain gives up.
const UNREACHABLE_MAX: u32 = 3;

/// How soon a mail must be due for a drain to wait for it: longer than any wait for the pace and than the first wait of a
/// mail that is tried again, shorter than the second.
const NEAR: Duration = Duration::from_secs(7);

/// How much of a job is queued ahead, and how many mails at least.
const JOBS_AHEAD: Duration = Duration::from_secs(5);
const JOBS_MIN: i64 = 20;

/// How long a job that another worker has in hand is left to it.
const JOBS_ELSEWHERE: Duration = Duration::from_millis(200);

/// How many seconds' worth of mails the pace gives at once.
const AT_ONCE: f64 = 0.1;

/// How long a server that counts too many connections is left alone.
const CROWD_PAUSE: Duration = Duration::from_secs(1);

/// How long until used-up mails of 24 hours are counted again.
const QUOTA_EVERY: Duration = Duration::from_secs(30);

/// What keeps all mails back.
#[derive(Debug)]
pub(super) struct Held {
    reason: String,
    /// When to look again without being told.
    pub(super) until: Option<Instant>,
}

/// Steps under way.
#[derive(Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is one kind of step, of which one at a time is enough")]
pub(super) struct UnderWay {
    pub(super) jobs: bool,
    pub(super) prepares: usize,
    pub(super) records: bool,
    pub(super) renews: bool,
    pub(super) beats: bool,
    pub(super) keeps: bool,
    brakes: bool,
    pub(super) judges: bool,
    pub(super) probes: bool,
    pub(super) puts_back: bool,
    pub(super) agains: bool,
}

/// A mail that a lane has.
#[derive(Clone, Debug)]
pub(super) struct InLane {
    id: SendId,
    verification: VerificationId,
    attempt: i16,
    lease: Lease,
}

/// What it knows and has in hand; only its own task touches it.
#[expect(clippy::struct_excessive_bools, reason = "independent of each other")]
pub(super) struct Run {
    pub(super) worker: Worker,
    pub(super) mode: Mode,
    pub(super) stopping: bool,
    /// Since when it ends, and until when.
    ending: Option<Ending>,
    pub(super) flow: Flow,
    pub(super) lanes: Lanes,
    /// The sends in a lane or not recorded yet.
    pub(super) busy: HashSet<SendId>,
    /// Lanes that are taken, or kept free for mails being prepared.
    pub(super) lanes_kept: usize,
    in_lanes: JoinSet<(Option<Lane>, LaneResult)>,
    /// Which task has which.
    in_lane: HashMap<Id, InLane>,
    steps: JoinSet<Step>,
    pub(super) under_way: UnderWay,
    /// To be recorded.
    pub(super) results: Results,
    /// How often in a row the database did not take any.
    pub(super) record_failures: u32,
    /// Sends that were handed over and will not be recorded: settled when their lease ends.
    abandoned: HashSet<SendId>,
    pub(super) astray: Astray,
    /// What the database was told in the last minute.
    recent: Recent,
    /// The database's server; nothing until told.
    server: Option<ServerRun>,
    /// Another one that it has gone over to: nothing is taken in hand until it knows what the first knew.
    pub(super) moved: Option<Moved>,
    pub(super) held: Option<Held>,
    pub(super) refusals: Refusals,
    pub(super) rest: Rest,
    /// When mails last came to wait again: what was asked before does not know of them.
    pub(super) reopened_at: Instant,
    /// When jobs may have more mails to make; nothing until told.
    pub(super) jobs_at: Option<Instant>,
    /// Told since the last claim began.
    is_told: bool,
    pub(super) look_at: Instant,
    pub(super) draw_at: Instant,
    pub(super) record_at: Instant,
    pub(super) renew_at: Instant,
    pub(super) beat_at: Instant,
    pub(super) keep_at: Instant,
    is_news: bool,
    admission: Admission,
    /// Whether this worker's settings have reached the pace of all.
    pub(super) is_pace_set: bool,
    /// Whether other workers' settings of the pace differ from them.
    paces_differ: bool,
    to_tell: ToTell,
    lease_end: watch::Sender<Instant>,
    tally: Tally,
    beaten_at: Instant,
    beaten_sent: i64,
    /// Nothing while the subscription is broken.
    changes: Option<Following>,
}

impl Run {
    /// With nothing claimed.
    pub(super) fn new(worker: Worker, mode: Mode) -> Self {
        let now = Instant::now();
        let tally = Tally { sent: worker.beat.sent, failed: worker.beat.failed, ..Tally::default() };
        let settings = &worker.shared.settings;
        Self {
            flow: Flow::new(settings.worker.lanes, settings.pace.rate(), now),
            lanes: Lanes::new(worker.transport.clone()),
            mode,
            stopping: false,
            ending: None,
            busy: HashSet::new(),
            lanes_kept: 0,
            in_lanes: JoinSet::new(),
            in_lane: HashMap::new(),
            steps: JoinSet::new(),
            under_way: UnderWay::default(),
            results: Results::default(),
            record_failures: 0,
            abandoned: HashSet::new(),
            astray: Astray::new(now),
            recent: Recent::default(),
            server: None,
            moved: None,
            held: None,
            refusals: Refusals::default(),
            rest: Rest::Perhaps,
            reopened_at: now,
            jobs_at: Some(now),
            is_told: false,
            look_at: now,
            draw_at: now,
            record_at: now,
            renew_at: now,
            beat_at: now,
            keep_at: now,
            is_news: true,
            admission: Admission::default(),
            is_pace_set: false,
            paces_differ: false,
            to_tell: ToTell::default(),
            lease_end: watch::channel(now).0,
            beaten_at: now,
            beaten_sent: tally.sent,
            tally,
            changes: None,
            worker,
        }
    }

    pub(super) fn into_tally(self) -> Tally {
        self.tally
    }

    pub(super) fn store(&self) -> &Store {
        &self.worker.shared.store
    }

    fn lease(&self) -> Duration {
        self.worker.shared.preparer.lease
    }

    /// Works until it is over; [`Run::end`] must follow.
    pub(super) async fn work(&mut self, shutdown: &CancellationToken) -> Result<(), Error> {
        match shutdown.run_until_cancelled(Box::pin(self.begin())).await {
            Some(begun) => begun?,
            None => self.stopping = true,
        }
        loop {
            let now = Instant::now();
            while let Some(due) = Due::ALL.into_iter().find(|due| due.at(self).is_some_and(|at| at <= now)) {
                self.start(due, now);
            }
            let bound = self.bound(now);
            if self.is_over() {
                return Ok(());
            }
            let wake_at = Due::ALL.into_iter().filter_map(|due| due.at(self)).chain(bound).min();
            tokio::select! {
                biased;
                () = shutdown.cancelled(), if !self.stopping => self.stopping = true,
                Some(done) = self.in_lanes.join_next_with_id() => self.take_back(done),
                Some(step) = self.steps.join_next() => self.take_in(step)?,
                change = next(&mut self.changes) => self.hear(change),
                () = sleep_until(wake_at.unwrap_or(now)), if wake_at.is_some() => {}
            }
            // What has come in meanwhile is one batch.
            while let Some(done) = self.in_lanes.try_join_next_with_id() {
                self.take_back(done);
            }
        }
    }

    /// What comes before the first mail: whether it may work, the pace, the brake, what dead workers left.
    async fn begin(&mut self) -> Result<(), Error> {
        let pace = &self.worker.shared.settings.pace;
        let asked_at = Instant::now();
        let begun = steps::within(async {
            let blocker = self.store().admit(&self.worker.beat).await?;
            if blocker.is_none() {
                let worker = Some(self.worker.beat.id);
                self.store().set_pace(worker, pace.rate(), pace.daily_quota()).await?;
            }
            Ok::<_, Error>((blocker, self.store().brake().await?))
        });
        match begun.await {
            Ok((blocker, brake)) => {
                self.is_pace_set = blocker.is_none();
                self.admitted_in(blocker, asked_at);
                self.look_at_brake(brake);
            }
            Err(error) if self.mode == Mode::Drain => return Err(error),
            Err(error) => tracing::warn!(%error, "waiting for the database"),
        }
        self.changes = steps::listen(self.store()).await;
        self.fill_beat();
        let beat = steps::within(steps::beat(self.store().clone(), self.worker.beat.clone(), true)).await.map(drop);
        let Worker { shared, .. } = &self.worker;
        let (store, actor, settings) = (shared.store.clone(), shared.preparer.actor.name.clone(), &shared.settings);
        let (lease, unknown_after) = (shared.preparer.lease, settings.worker.unknown_after);
        let id = self.worker.beat.id;
        let left_behind = steps::within(store.settle_left_behind(id, unknown_after)).await.map(drop);
        let house = steps::keep_house(store, actor, lease, unknown_after, settings.brake.clone());
        let kept = steps::within(Box::pin(house)).await;
        for result in [beat, left_behind, kept] {
            if let Err(error) = result {
                tracing::warn!(%error, "the database does not answer everything");
            }
        }
        let now = Instant::now();
        self.keep_at = if self.is_pace_set { now + self.worker.keep_every() } else { now + POLL_EVERY };
        self.beat_at = now + self.beat_every();
        Ok(())
    }

    fn is_over(&self) -> bool {
        if self.ending.is_some_and(|ending| Instant::now() >= ending.lanes_until) {
            return true;
        }
        let under_way = &self.under_way;
        if !self.in_lanes.is_empty()
            || under_way.prepares > 0
            || under_way.records
            || under_way.judges
            || under_way.probes
        {
            return false;
        }
        let is_drained = self.mode == Mode::Drain
            && self.results.is_empty()
            && self.held.is_none()
            && !self.refusals.is_urgent()
            && !self.astray.is_any
            && !under_way.puts_back
            && self.moved.is_none()
            && !self.is_told
            && self.jobs_at.is_none_or(|at| at > Instant::now() + NEAR)
            && match self.rest {
                Rest::Perhaps => false,
                Rest::In(wait) => wait > NEAR,
                Rest::Nothing => true,
            };
        self.stopping || is_drained
    }

    pub(super) fn free_lanes(&self) -> usize {
        self.flow.lanes().saturating_sub(self.lanes_kept)
    }

    fn start(&mut self, due: Due, now: Instant) {
        let store = self.store().clone();
        let worker = self.worker.beat.id;
        let lease = self.lease();
        match due {
            Due::Record => {
                let (outcomes, around_locks) = self.results.begin();
                let unknown_after = self.worker.shared.settings.worker.unknown_after;
                self.under_way.records = true;
                self.step(Kind::Record, async move {
                    Step::Recorded(steps::record(&store, worker, &outcomes, unknown_after, around_locks).await)
                });
            }
            Due::Renew => {
                let ids: Vec<SendId> = self.busy.iter().copied().collect();
                self.under_way.renews = true;
                self.renew_at = now + self.worker.renew_every();
                self.step(Kind::Renew, async move {
                    let result = steps::within(store.renew_lease(worker, &ids, lease)).await;
                    Step::Renewed { result, asked_at: now }
                });
            }
            Due::Jobs => {
                #[expect(clippy::cast_possible_truncation, reason = "bounded at once")]
                let room = ((self.flow.rate() * JOBS_AHEAD.as_secs_f64()) as i64).clamp(JOBS_MIN, CHUNK);
                let rules = JobRules::of(&self.worker.shared.settings);
                self.under_way.jobs = true;
                self.step(Kind::Jobs, async move { Step::Advanced(steps::advance_jobs(store, room, rules).await) });
            }
            Due::Judge => self.judge(now),
            Due::PutBack => self.start_put_back(now),
            Due::Again => self.start_again(now),
            Due::Prepare => self.prepare(),
            Due::Probe => self.probe(now),
            Due::Sweep => self.lanes.sweep(now),
            Due::Beat => {
                let elapsed = (now - self.beaten_at).as_secs_f64();
                if elapsed > 1.0 {
                    #[expect(clippy::cast_precision_loss, reason = "a rate")]
                    let sent = (self.tally.sent - self.beaten_sent) as f64;
                    self.worker.beat.rate = sent / elapsed;
                    (self.beaten_at, self.beaten_sent) = (now, self.tally.sent);
                }
                self.fill_beat();
                let (beat, is_news) = (self.worker.beat.clone(), std::mem::take(&mut self.is_news));
                self.under_way.beats = true;
                self.beat_at = now + self.beat_every();
                if let Some(held) = &mut self.held {
                    held.until = None;
                }
                self.step(Kind::Beat, async move {
                    let result = steps::within(steps::beat(store, beat, is_news)).await;
                    Step::Beaten { result, asked_at: now }
                });
            }
            Due::Keep => {
                let shared = &self.worker.shared;
                let (actor, rules) = (shared.preparer.actor.name.clone(), shared.settings.brake.clone());
                let unknown_after = shared.settings.worker.unknown_after;
                self.under_way.keeps = true;
                self.keep_at = now + self.worker.keep_every();
                let is_deaf = self.changes.is_none();
                let lease = shared.preparer.lease;
                let (pace, worker) = (shared.settings.pace.clone(), Some(self.worker.beat.id));
                self.step(Kind::Keep, async move {
                    let changes = if is_deaf { steps::listen(&store).await } else { None };
                    let result = async {
                        let paces_differ = store.set_pace(worker, pace.rate(), pace.daily_quota()).await?;
                        steps::keep_house(store, actor, lease, unknown_after, rules).await?;
                        Ok(paces_differ)
                    };
                    Step::Kept { result: steps::within(Box::pin(result)).await, changes }
                });
            }
        }
    }

    /// Has as many mails prepared as there are free lanes, and no more than the pace gives at once.
    fn prepare(&mut self) {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "bounded at once")]
        let at_once = (self.flow.rate() * AT_ONCE).ceil() as usize + 1;
        let count = self.free_lanes().min(at_once);
        let (store, preparer) = (self.store().clone(), self.preparer());
        let mut told = std::mem::take(&mut self.to_tell);
        self.lanes_kept += count;
        self.under_way.prepares += 1;
        self.is_told = false;
        let asked_at = Instant::now();
        self.step(Kind::Prepare { kept: count, told, asked_at }, async move {
            let result = steps::within(Box::pin(steps::prepare(store, preparer, count, &mut told))).await;
            Step::Prepared { result, kept: count, told, asked_at }
        });
    }

    /// One that claims where this run is.
    fn preparer(&self) -> Preparer {
        Preparer { server: self.server, ..self.worker.shared.preparer.clone() }
    }

    /// Starts a step. One that panics answers that it broke.
    fn step(&mut self, kind: Kind, step: impl Future<Output = Step> + Send + 'static) {
        self.steps.spawn(async move { contained_async(step).await.unwrap_or(Step::Broke(kind)) });
    }

    fn hear(&mut self, change: Result<Change, Error>) {
        match change {
            Ok(Change::Queued) => {
                self.look_at = Instant::now();
                self.is_told = true;
                self.probe_soon();
            }
            Ok(Change::Outbox) => {
                self.beat_at = Instant::now();
                self.jobs_at = Some(self.beat_at);
            }
            Ok(_) => {}
            Err(error) => {
                tracing::warn!(%error, "no longer told what is queued; polling");
                self.changes = None;
                self.look_at = self.look_at.min(Instant::now() + POLL_EVERY);
            }
        }
    }

    fn fill_beat(&mut self) {
        let beat = &mut self.worker.beat;
        (beat.sent, beat.failed) = (self.tally.sent, self.tally.failed);
        beat.lanes = i32::try_from(self.flow.lanes()).unwrap_or(i32::MAX);
    }
}

/// The next change; never while there is no subscription.
async fn next(changes: &mut Option<Following>) -> Result<Change, Error> {
    match changes {
        Some(changes) => changes.next().await,
        None => std::future::pending().await,
    }
}
