//! The worker: claims due sends, keeps its lanes busy, tells by heartbeats how it fares.
//!
//! One task owns all of its state; each mail in hand is a task that borrows a lane and gives it back. It wakes when
//! told that something was queued, when the next send is due, when a lane is free; it does not poll while it is told.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, sleep_until};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::handle::{Outcome, Pause, Shared};
use super::pace::Pace;
use super::prepare::Preparer;
use crate::config::{SettingError, Settings};
use crate::domain::audit::{Actor, Origin};
use crate::domain::change::Change;
use crate::domain::id::SendId;
use crate::domain::key::secret_fingerprint;
use crate::domain::worker::BEAT_EVERY;
use crate::mail::message::Composer;
use crate::mail::templates::Templates;
use crate::mail::transport::{Lane, Transport};
use crate::store::workers::Heartbeat;
use crate::store::{Changes, Error, Store};

/// How long a claimed send may wait for a lane, besides the longest that one mail can take.
const LEASE_MARGIN: Duration = Duration::from_mins(1);

/// Longest wait without a look at the outbox, while `NOTIFY` is heard.
const LOOK_EVERY: Duration = Duration::from_secs(30);

/// The same while it is not.
const POLL_EVERY: Duration = Duration::from_secs(2);

/// After how many failures in a row to reach the server a drain gives up.
const UNREACHABLE_MAX: u32 = 3;

/// How soon a mail must be due for a drain to wait for it: longer than any wait for the pace and than the first wait of a
/// mail that is tried again, shorter than the second.
const NEAR: Duration = Duration::from_secs(7);

/// Heartbeats between two rounds of housekeeping.
const BEATS_A_ROUND: u64 = 3;

/// How long to work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Until told to stop.
    Forever,
    /// Until nothing is due, nor will be in a few seconds; or until nothing can be sent.
    Drain,
}

/// What a worker did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Mails that the server took.
    pub sent: i64,
    /// Mails given up.
    pub failed: i64,
    /// Mails put off, counted when the worker ended.
    pub deferred: i64,
    /// Mails no longer wanted.
    pub cancelled: i64,
    /// Mails of which nobody knows whether they went out.
    pub unknown: i64,
    /// Why it ended early: nothing can be sent until a person mends something.
    pub stopped_by: Option<String>,
}

/// A worker, checked and ready.
pub struct Worker {
    shared: Arc<Shared>,
    transport: Transport,
    lanes: usize,
    beat: Heartbeat,
}

impl Worker {
    /// Checks all that sending needs: secret, public URL, sender, templates, transport. Speaks to no server yet.
    pub fn from_settings(store: Store, settings: &Settings) -> Result<Self, SettingError> {
        let secret = settings.require_secret()?.clone();
        let transport = Transport::from_settings(settings)?;
        let id = Uuid::now_v7();
        let host =
            nix::unistd::gethostname().map_or_else(|_| "unknown".into(), |host| host.to_string_lossy().into_owned());
        let beat = Heartbeat {
            id,
            pid: i32::try_from(std::process::id()).unwrap_or_default(),
            transport: transport.kind().into(),
            target: transport.target(),
            secret_fingerprint: secret_fingerprint(secret.bytes()),
            sent: 0,
            failed: 0,
            last_error: None,
            stopped: false,
            host,
        };
        let preparer = Preparer {
            worker: id,
            actor: Actor::new(format!("worker@{}", beat.host), Origin::Worker),
            secret,
            lifetime: settings.verification.lifetime,
            lease: transport.longest_send() + LEASE_MARGIN,
        };
        let shared = Shared {
            store,
            preparer,
            templates: Templates::from_settings(settings)?,
            composer: Composer::from_settings(settings)?,
            public_url: settings.require_public_url()?,
            settings: settings.clone(),
        };
        Ok(Self { shared: Arc::new(shared), transport, lanes: settings.worker.lanes, beat })
    }

    /// Where mail goes, to be shown.
    #[must_use]
    pub fn target(&self) -> String {
        format!("{} {}", self.beat.transport, self.beat.target)
    }

    /// Works until `shutdown`, until nothing is due, or until nothing can be sent; finishes what is in hand, and puts
    /// back what is only claimed.
    pub async fn run(self, mode: Mode, shutdown: CancellationToken) -> Result<Tally, Error> {
        let idle = (0..self.lanes).map(|_| self.transport.lane()).collect();
        let mut run = Run {
            pace: Pace::new(self.lanes, Instant::now()),
            worker: self,
            mode,
            idle,
            in_hand: JoinSet::new(),
            busy: HashSet::new(),
            unbegun: Vec::new(),
            is_astray: false,
            tally: Tally::default(),
            stopping: false,
            changes: None,
        };
        let result = run.work(&shutdown).await;
        run.end().await;
        result.map(|()| run.tally)
    }
}

type Handled = (Lane, SendId, Result<Outcome, Error>);

struct Run {
    worker: Worker,
    mode: Mode,
    idle: Vec<Lane>,
    in_hand: JoinSet<Handled>,
    /// The sends in hand.
    busy: HashSet<SendId>,
    /// Sends given back by a lane that had not spoken to the mail server, perhaps *sending* already.
    unbegun: Vec<SendId>,
    /// Whether sends may be under this worker's lease that no lane has.
    is_astray: bool,
    tally: Tally,
    stopping: bool,
    pace: Pace,
    /// Nothing while the subscription is broken.
    changes: Option<Changes>,
}

impl Run {
    fn store(&self) -> &Store {
        &self.worker.shared.store
    }

    async fn work(&mut self, shutdown: &CancellationToken) -> Result<(), Error> {
        self.beat().await?;
        self.store().notify(Change::Workers).await;
        self.keep_house().await;
        let mut beats = tokio::time::interval(BEAT_EVERY);
        beats.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut rounds = 1u64;
        // Told, and not yet looked.
        let mut look_at = Instant::now();
        loop {
            if !self.stopping && Instant::now() >= look_at.max(self.pace.resume_at()) {
                look_at = Instant::now() + self.fill().await;
            }
            if self.in_hand.is_empty() && (self.stopping || self.is_drained().await?) {
                return Ok(());
            }
            tokio::select! {
                biased;
                () = shutdown.cancelled(), if !self.stopping => self.stopping = true,
                Some(done) = self.in_hand.join_next() => {
                    self.settle(done).await;
                    look_at = Instant::now();
                }
                change = next(&mut self.changes) => match change {
                    Ok(Change::Queued) => look_at = Instant::now(),
                    Ok(_) => {}
                    Err(error) => {
                        tracing::warn!(%error, "no longer told what is queued; polling");
                        self.changes = None;
                    }
                },
                _ = beats.tick() => {
                    if rounds.is_multiple_of(BEATS_A_ROUND) {
                        self.keep_house().await;
                    }
                    rounds += 1;
                    if let Err(error) = self.beat().await {
                        tracing::warn!(%error, "no heartbeat");
                    }
                }
                () = sleep_until(look_at.max(self.pace.resume_at())), if !self.stopping => {}
            }
        }
    }

    /// Claims as many sends as there are lanes for, and hands them over. Gives how long there is nothing to do.
    async fn fill(&mut self) -> Duration {
        let waiting = if self.changes.is_some() { LOOK_EVERY } else { POLL_EVERY };
        if let Err(error) = self.put_back().await {
            tracing::warn!(%error, "claimed mails wait for the database");
            return POLL_EVERY;
        }
        let free = self.pace.lanes().saturating_sub(self.in_hand.len());
        if free == 0 {
            return waiting;
        }
        let limit = i64::try_from(free).unwrap_or(1);
        let lease = self.worker.shared.preparer.lease;
        let claimed = match self.store().claim(self.worker.beat.id, limit, lease).await {
            Ok(claimed) => claimed,
            Err(error) => {
                tracing::warn!(%error, "nothing can be claimed");
                // Its answer may be what was lost.
                self.is_astray = true;
                return POLL_EVERY;
            }
        };
        let is_all = claimed.len() < free;
        for claimed in claimed {
            let mut lane = self.idle.pop().unwrap_or_else(|| self.worker.transport.lane());
            let shared = Arc::clone(&self.worker.shared);
            self.busy.insert(claimed.id);
            self.in_hand.spawn(async move {
                let outcome = shared.handle(&mut lane, claimed).await;
                (lane, claimed.id, outcome)
            });
        }
        if !is_all {
            return waiting;
        }
        match self.store().next_due().await {
            Ok(Some(due)) => due.clamp(Duration::from_millis(50), waiting),
            Ok(None) => waiting,
            Err(_) => POLL_EVERY,
        }
    }

    async fn is_drained(&self) -> Result<bool, Error> {
        if self.mode == Mode::Forever {
            return Ok(false);
        }
        Ok(self.store().next_due().await?.is_none_or(|due| due > NEAR) && !self.is_astray)
    }

    /// Puts back what is under this worker's lease and in no lane's hands: nobody could send it for minutes.
    async fn put_back(&mut self) -> Result<(), Error> {
        if self.is_astray {
            let busy: Vec<SendId> = self.busy.iter().copied().collect();
            self.store().put_back(self.worker.beat.id, &busy, &self.unbegun).await?;
            self.unbegun.clear();
            self.is_astray = false;
        }
        Ok(())
    }

    /// Takes a lane back and notes what became of its mail.
    async fn settle(&mut self, done: Result<Handled, tokio::task::JoinError>) {
        let (lane, id, result) = match done {
            Ok(handled) => handled,
            Err(error) => {
                tracing::error!(%error, "a lane broke; its mail is settled when its lease ends");
                self.idle.push(self.worker.transport.lane());
                return;
            }
        };
        self.idle.push(lane);
        self.busy.remove(&id);
        let outcome = match result {
            Ok(outcome) => outcome,
            Err(error) => {
                self.pace.pause(Instant::now(), POLL_EVERY);
                self.trouble(format!("a mail waits until its lease ends: {error}")).await;
                return;
            }
        };
        let was_reached = match &outcome {
            Outcome::Sent | Outcome::Failed(_) | Outcome::Unknown(_) => true,
            Outcome::Deferred { pause, .. } => *pause != Pause::Unreachable,
            Outcome::Cancelled | Outcome::Lost | Outcome::Unbegun(_) | Outcome::Misconfigured(_) => false,
        };
        if was_reached {
            self.pace.reached();
        }
        match outcome {
            Outcome::Sent => {
                self.tally.sent += 1;
                self.pace.accepted();
                if self.worker.beat.last_error.take().is_some() {
                    self.tell().await;
                }
            }
            Outcome::Cancelled => self.tally.cancelled += 1,
            Outcome::Lost => {}
            Outcome::Unbegun(error) => {
                tracing::warn!(send = %id, %error, "a mail waits for the database");
                self.unbegun.push(id);
                self.is_astray = true;
                self.pace.pause(Instant::now(), POLL_EVERY);
            }
            Outcome::Failed(reason) => {
                self.tally.failed += 1;
                tracing::warn!(send = %id, "{reason}");
            }
            Outcome::Unknown(reason) => {
                self.tally.unknown += 1;
                tracing::warn!(send = %id, "{reason}");
            }
            Outcome::Deferred { reason, pause } => {
                let now = Instant::now();
                let is_hopeless = match pause {
                    Pause::No => false,
                    Pause::For(wait) => {
                        self.pace.pause(now, wait);
                        true
                    }
                    Pause::Slower(wait) => {
                        self.pace.slow_down(now, wait);
                        false
                    }
                    Pause::Unreachable => self.pace.unreachable(now) >= UNREACHABLE_MAX,
                };
                if self.mode == Mode::Drain && is_hopeless {
                    self.stopping = true;
                    self.tally.stopped_by.get_or_insert_with(|| reason.clone());
                }
                self.trouble(reason).await;
            }
            Outcome::Misconfigured(reason) => {
                self.stopping = true;
                self.trouble(reason.clone()).await;
                self.tally.stopped_by.get_or_insert(reason);
            }
        }
    }

    /// Shows what keeps mails waiting to whoever looks at the workers, until one is accepted.
    async fn trouble(&mut self, reason: String) {
        tracing::warn!("{reason}");
        let news = self.worker.beat.last_error.as_ref() != Some(&reason);
        self.worker.beat.last_error = Some(reason);
        if news {
            self.tell().await;
        }
    }

    /// A heartbeat between the regular ones.
    async fn tell(&mut self) {
        if self.beat().await.is_ok() {
            self.store().notify(Change::Workers).await;
        }
    }

    async fn beat(&mut self) -> Result<(), Error> {
        self.worker.beat.sent = self.tally.sent;
        self.worker.beat.failed = self.tally.failed;
        self.store().beat(&self.worker.beat).await
    }

    /// What any worker may do for all.
    async fn keep_house(&mut self) {
        if self.changes.is_none() {
            self.changes = self.store().listen().await.ok();
        }
        let store = self.store();
        let result = async {
            if store.settle_lost().await? > 0 {
                store.notify(Change::Many).await;
            }
            store.roll_up_counts().await?;
            store.forget_old_workers().await
        };
        if let Err(error) = result.await {
            tracing::warn!(%error, "housekeeping waits for the database");
        }
    }

    /// Takes leave: of the database as far as it answers, of the mail server politely.
    async fn end(&mut self) {
        self.is_astray = true;
        if let Err(error) = self.put_back().await {
            tracing::warn!(%error, "claimed mails stay claimed until their lease ends");
        }
        self.tally.deferred = self.store().deferred().await.unwrap_or_default();
        self.worker.beat.stopped = true;
        self.worker.beat.last_error.clone_from(&self.tally.stopped_by);
        self.tell().await;
        let mut leaving = JoinSet::new();
        for lane in self.idle.drain(..) {
            leaving.spawn(lane.close());
        }
        while leaving.join_next().await.is_some() {}
    }
}

/// The next change; never while there is no subscription.
async fn next(changes: &mut Option<Changes>) -> Result<Change, Error> {
    match changes {
        Some(changes) => changes.next().await,
        None => std::future::pending().await,
    }
}
