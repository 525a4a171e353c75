//! A worker's dealings with the database, each a task of its own, so that mails go on while an answer is awaited.

use std::time::Duration;

use tokio::time::Instant;
use uuid::Uuid;

use super::prepare::{Batch, Preparer};
use crate::config;
use crate::domain::brake::{Brake, BrakeCause, BrakeState};
use crate::domain::change::Change;
use crate::domain::id::SendId;
use crate::store::brake::{self, NewBrake};
use crate::store::jobs::{Advanced, JobRules};
use crate::store::outbox::batch::Outcome;
use crate::store::outbox::lease::Claimed;
use crate::store::pace::Drawn;
use crate::store::workers::Heartbeat;
use crate::store::{Changes, Error, Store};

/// What came of one.
pub(super) enum Step {
    /// Sends taken under the lease, and when there is more; asked at.
    Claimed { result: Result<Taken, Error>, asked_at: Instant },
    /// Mails of jobs made.
    Advanced(Result<Advanced, Error>),
    /// Moments to send at; so many accepted and unused ones were told.
    Drawn { result: Result<Drawn, Error>, accepted: usize, unused: usize },
    /// Claimed sends, looked at again, and the moments they were taken for.
    Prepared { result: Result<Batch, Error>, sends: Vec<Claimed>, moments: Vec<Instant> },
    /// Results written down, but for those of leases that were lost.
    Recorded { result: Result<Vec<SendId>, Error>, outcomes: Vec<Outcome> },
    /// The lease moved on; asked at.
    Renewed { result: Result<(), Error>, asked_at: Instant },
    /// A heartbeat written, and the brake looked at.
    Beaten(Result<Option<Brake>, Error>),
    /// Whatever any worker does for all; and a subscription, where there was none.
    Kept { result: Result<(), Error>, changes: Option<Changes> },
    /// The brake put on for all workers.
    Braked(Result<(), Error>),
    /// The pace lowered for all workers.
    Lowered(Result<(), Error>),
}

/// Claimed sends.
pub(super) struct Taken {
    pub(super) sends: Vec<Claimed>,
    pub(super) rest: Rest,
}

/// What the outbox holds besides what was claimed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rest {
    /// More may be due.
    Perhaps,
    /// Nothing is due for so long.
    In(Duration),
    /// Nothing waits.
    Nothing,
}

/// Claims; and looks when to claim again where there was no more.
pub(super) async fn claim(
    store: Store,
    worker: Uuid,
    people: usize,
    bulk: usize,
    lease: Duration,
) -> Result<Taken, Error> {
    let bounded = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
    let sends = store.claim(worker, bounded(people), bounded(bulk), lease).await?;
    let of_people = sends.iter().filter(|send| send.rank == 0).count();
    let is_all = of_people < people && sends.len() - of_people < bulk;
    let rest = if is_all { store.next_due().await?.map_or(Rest::Nothing, Rest::In) } else { Rest::Perhaps };
    Ok(Taken { sends, rest })
}

/// Makes the next mails of jobs, and tells whoever follows them.
pub(super) async fn advance_jobs(store: Store, room: i64, rules: JobRules) -> Result<Advanced, Error> {
    let advanced = store.advance_jobs(room, &rules).await?;
    if advanced.looked_at > 0 {
        store.notify(Change::Many).await;
        store.notify(Change::Outbox).await;
    }
    if advanced.queued > 0 {
        store.notify(Change::Queued).await;
    }
    Ok(advanced)
}

/// Prepares, and tells of what changed by it.
pub(super) async fn prepare(store: Store, preparer: Preparer, sends: &[Claimed]) -> Result<Batch, Error> {
    let ids: Vec<SendId> = sends.iter().map(|send| send.id).collect();
    let batch = preparer.prepare(&store, &ids).await?;
    for ready in &batch.ready {
        store.notify(Change::Verification(ready.verification)).await;
        if let Some(superseded) = ready.superseded {
            store.notify(Change::Verification(superseded)).await;
        }
    }
    for cancelled in &batch.cancelled {
        store.notify(cancelled.map_or(Change::Many, Change::Verification)).await;
    }
    Ok(batch)
}

/// Writes a heartbeat, and looks at the brake.
pub(super) async fn beat(store: Store, beat: Heartbeat, is_news: bool) -> Result<Option<Brake>, Error> {
    store.beat(&beat).await?;
    if is_news {
        store.notify(Change::Workers).await;
    }
    store.brake().await
}

/// Puts the brake on for all workers.
pub(super) async fn set_brake(
    store: Store,
    set_by: String,
    cause: BrakeCause,
    reason: String,
    during: Option<Duration>,
) -> Result<(), Error> {
    let seconds = during.map(|during| during.as_secs_f64());
    let new = NewBrake { state: BrakeState::Paused, cause, set_by: &set_by, reason: &reason, seconds };
    if brake::set(&mut *store.pool().acquire().await?, new).await? {
        store.notify(Change::Outbox).await;
    }
    Ok(())
}

/// Lowers the pace for all workers.
pub(super) async fn lower_pace(store: Store, pause: Duration) -> Result<(), Error> {
    if store.lower_pace(pause).await? {
        store.notify(Change::Outbox).await;
    }
    Ok(())
}

/// What any worker may do for all: settles what dead workers left behind, tries once more what was lost, watches the
/// reputation, adds up counts, forgets what is old.
pub(super) async fn keep_house(
    store: Store,
    set_by: String,
    unknown_after: Duration,
    rules: config::Brake,
) -> Result<(), Error> {
    if store.settle_lost(unknown_after).await? > 0 {
        store.notify(Change::Many).await;
    }
    if store.retry_lost().await? > 0 {
        store.notify(Change::Many).await;
        store.notify(Change::Queued).await;
    }
    if store.brake().await?.is_none()
        && let Some(reason) = store.last_results(rules.sends).await?.verdict(&rules)
    {
        tracing::warn!("{reason}");
        set_brake(store.clone(), set_by, BrakeCause::Reputation, reason, None).await?;
    }
    store.roll_up_counts().await?;
    store.forget_old_workers().await
}
