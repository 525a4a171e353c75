//! Does what any worker may do for all: settles what dead workers left behind, tries once more what was lost, watches the
//! reputation, adds up counts, forgets what is old; and reports this worker's settings to the pace.

use std::time::Duration;

use tokio::time::Instant;

use super::{Step, brake, listen, within};
use crate::config;
use crate::domain::brake::BrakeCause;
use crate::domain::change::Change;
use crate::outbox::queue::POLL_EVERY;
use crate::outbox::worker_loop::WorkerLoop;
use crate::store::{Error, Following, Store};

/// When it is done next, and what is known of the pace from it.
#[derive(Debug)]
pub(in crate::outbox) struct Housekeeping {
    at: Instant,
    /// Whether this worker's settings have reached the pace of all.
    is_pace_set: bool,
    /// Whether other workers' settings of the pace differ from them.
    paces_differ: bool,
}

impl Housekeeping {
    pub(in crate::outbox) fn new(now: Instant) -> Self {
        Self { at: now, is_pace_set: false, paces_differ: false }
    }

    pub(in crate::outbox) fn do_now(&mut self, now: Instant) {
        self.at = now;
    }

    pub(in crate::outbox) fn pace_is_set(&mut self) {
        self.is_pace_set = true;
    }

    pub(in crate::outbox) fn is_pace_set(&self) -> bool {
        self.is_pace_set
    }
}

/// What came of it.
struct Kept {
    /// Whether the workers' settings of the pace differ.
    paces_differ: Result<bool, Error>,
    /// A subscription, where there was none.
    changes: Option<Following>,
}

/// By which settings it is done.
struct Rules {
    set_by: String,
    lease: Duration,
    unknown_after: Duration,
    brake: config::Brake,
}

impl Rules {
    fn of(worker: &WorkerLoop) -> Self {
        let shared = &worker.worker.shared;
        Self {
            set_by: shared.preparer.actor.name.clone(),
            lease: shared.preparer.lease,
            unknown_after: shared.settings.worker.unknown_after,
            brake: shared.settings.brake.clone(),
        }
    }
}

pub(super) fn due(worker: &WorkerLoop) -> Option<Instant> {
    let may_run = !worker.shutdown.is_stopping() && worker.admission.is_admitted();
    (may_run && !worker.steps.is_running(Step::Housekeeping)).then_some(worker.housekeeping.at)
}

pub(super) fn start(worker: &mut WorkerLoop, now: Instant) {
    worker.housekeeping.at = now + worker.worker.keep_every();
    let (store, rules, is_deaf) = (worker.store().clone(), Rules::of(worker), worker.changes.is_none());
    let (pace, id) = (worker.worker.shared.settings.pace.clone(), Some(worker.worker.beat.id));
    let step = async move {
        let changes = if is_deaf { listen(&store).await } else { None };
        let keeping = async {
            let rate = pace.rate(store.account_rate().await?);
            let paces_differ = store.set_pace(id, rate, pace.daily_quota()).await?;
            keep(store, rules).await?;
            Ok(paces_differ)
        };
        Ok(Kept { paces_differ: within(Box::pin(keeping)).await, changes })
    };
    worker.steps.spawn(Step::Housekeeping, step, finish);
}

fn finish(worker: &mut WorkerLoop, result: Result<Kept, Error>) {
    let now = Instant::now();
    let paces_differ = result.and_then(|Kept { paces_differ, changes }| {
        if let Some(changes) = changes {
            worker.changes = Some(changes);
            worker.queue.look_now(now);
            worker.queue.ask_jobs_at(now);
            worker.presence.show_now(now);
        }
        paces_differ
    });
    match paces_differ {
        Ok(paces_differ) => {
            let housekeeping = &mut worker.housekeeping;
            housekeeping.is_pace_set = true;
            if paces_differ && !housekeeping.paces_differ {
                tracing::warn!("workers have different settings of `pace`; the smallest of each holds for all");
            }
            housekeeping.paces_differ = paces_differ;
        }
        Err(error) => tracing::warn!(%error, "housekeeping waits for the database"),
    }
}

/// The first time, before mails are claimed: also what a worker of this id left behind.
pub(in crate::outbox) async fn first(worker: &mut WorkerLoop) {
    let (store, rules) = (worker.store().clone(), Rules::of(worker));
    let left_behind = within(store.settle_left_behind(worker.worker.beat.id, rules.unknown_after)).await.map(drop);
    let kept = within(Box::pin(keep(store, rules))).await;
    for result in [left_behind, kept] {
        if let Err(error) = result {
            tracing::warn!(%error, "the database does not answer everything");
        }
    }
    let housekeeping = &mut worker.housekeeping;
    let every = if housekeeping.is_pace_set { worker.worker.keep_every() } else { POLL_EVERY };
    housekeeping.at = Instant::now() + every;
}

/// First of all whether the clock was set back. What fails keeps no other duty from being done; the first error is
/// returned in the end.
async fn keep(store: Store, rules: Rules) -> Result<(), Error> {
    let Rules { set_by, lease, unknown_after, brake } = rules;
    let duties = [
        look_at_clock(&store, lease, unknown_after).await,
        settle_lost(&store, unknown_after).await,
        put_back_refused(&store).await,
        look_at_reputation(&store, set_by, &brake).await,
        store.roll_up_counts().await,
        store.forget_old_workers().await,
        store.make_event_partitions().await,
        match_orphans(&store).await,
        store.forget_event_keys().await,
        store.forget_old_queues().await,
        store.forget_old_suppressions().await,
        keep_account_acts(&store).await,
        store.keep_webhooks().await,
    ];
    duties.into_iter().collect()
}

/// An event can be faster than the answer that names its message.
async fn match_orphans(store: &Store) -> Result<(), Error> {
    let (_, changed) = store.match_orphans().await?;
    for id in changed {
        store.notify(Change::Verification(id)).await;
    }
    Ok(())
}

/// What no worker has done at AWS in its time.
async fn keep_account_acts(store: &Store) -> Result<(), Error> {
    if store.keep_account_acts().await? {
        tracing::warn!("an act at AWS was given up: no worker could do it in time");
        store.notify(Change::Account).await;
    }
    Ok(())
}

async fn look_at_clock(store: &Store, lease: Duration, unknown_after: Duration) -> Result<(), Error> {
    if store.repair_clock(lease, unknown_after).await? > 0 {
        tracing::warn!("the database's clock was set back; what waited for a moment in the future counts from now");
        store.notify(Change::Many).await;
        store.notify(Change::Queued).await;
    }
    Ok(())
}

async fn settle_lost(store: &Store, unknown_after: Duration) -> Result<(), Error> {
    let settled = store.settle_lost(unknown_after).await;
    let retried = store.retry_lost().await;
    if settled.as_ref().is_ok_and(|count| *count > 0) || retried.as_ref().is_ok_and(|count| *count > 0) {
        store.notify(Change::Many).await;
    }
    if retried.as_ref().is_ok_and(|count| *count > 0) {
        store.notify(Change::Queued).await;
    }
    settled.and(retried).map(drop)
}

/// The worker that paused for them may have died before this.
async fn put_back_refused(store: &Store) -> Result<(), Error> {
    if store.is_paused_for_refusals().await? && store.put_back_refused().await? > 0 {
        store.notify(Change::Many).await;
    }
    Ok(())
}

async fn look_at_reputation(store: &Store, set_by: String, rules: &config::Brake) -> Result<(), Error> {
    if store.brake().await?.is_none()
        && let Some(reason) = store.last_results(rules.sends).await?.verdict(rules)
    {
        tracing::warn!("{reason}");
        brake::set(store.clone(), set_by, BrakeCause::Reputation, reason, None).await?;
    }
    Ok(())
}
