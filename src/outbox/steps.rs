//! A worker's dealings with the database, each a task of its own, so that mails go on while an answer is awaited.

use std::time::Duration;

use tokio::time::Instant;
use uuid::Uuid;

use super::prepare::{Batch, Preparer, ToTell};
use super::run::refused::{Judged, ToJudge};
use crate::config;
use crate::domain::brake::{Brake, BrakeCause, BrakeState};
use crate::domain::change::Change;
use crate::store::admission::Blocker;
use crate::store::brake::{self, NewBrake};
use crate::store::jobs::{Advanced, JobRules};
use crate::store::outbox::batch::{AroundLocks, Outcome, Unrecorded};
use crate::store::outbox::standing::ServerRun;
use crate::store::workers::Heartbeat;
use crate::store::{Error, Following, Store};
use crate::text::plain;

/// What came of one.
pub(super) enum Step {
    /// Mails of jobs made.
    Advanced(Result<Advanced, Error>),
    /// Mails begun, and what the outbox holds besides; so many lanes were kept free for them; what the pace was not told
    /// of; asked at.
    Prepared { result: Result<(Batch, Rest, Option<Brake>), Error>, kept: usize, told: ToTell, asked_at: Instant },
    /// Results written down, but for those that are locked or another's.
    Recorded(Result<Unrecorded, Error>),
    /// The lease moved on; asked at.
    Renewed { result: Result<u64, Error>, asked_at: Instant },
    /// A heartbeat written, and the brake looked at; asked at.
    Beaten { result: Result<Beaten, Error>, asked_at: Instant },
    /// Whatever any worker does for all, and whether their settings of the pace differ; and a subscription, where there
    /// was none.
    Kept { result: Result<bool, Error>, changes: Option<Following> },
    /// Refusals noted, and the brake put on or released for them.
    Judged(Result<Judged, Error>),
    /// A mail prepared to be tried while the outbox is paused for refusals, and the brake; asked at.
    Probed { result: Result<(Batch, Option<Brake>), Error>, asked_at: Instant },
    /// What was begun and no lane has put back.
    PutBack(Result<u64, Error>),
    /// Results recorded once more at this server, with what lanes had in hand or without; how many it lacked.
    RecordedAgain { result: Result<usize, Error>, server: ServerRun, is_all: bool },
    /// The brake put on for all workers.
    Braked(Result<(), Error>),
    /// The pace lowered for all workers.
    Lowered(Result<(), Error>),
    /// It panicked.
    Broke(Kind),
}

/// What came of a heartbeat.
pub(super) struct Beaten {
    /// The worker to wait for.
    pub(super) blocker: Option<Blocker>,
    /// Where it was written.
    pub(super) server: ServerRun,
    /// The brake, looked at.
    pub(super) brake: Option<Brake>,
}

/// What a step was there for, should it break.
#[derive(Clone, Copy, Debug)]
pub(super) enum Kind {
    /// [`Step::Advanced`]
    Jobs,
    /// [`Step::Prepared`]
    Prepare { kept: usize, told: ToTell, asked_at: Instant },
    /// [`Step::Recorded`]
    Record,
    /// [`Step::Renewed`]
    Renew,
    /// [`Step::Beaten`]
    Beat,
    /// [`Step::Kept`]
    Keep,
    /// [`Step::Judged`]
    Judge,
    /// [`Step::Probed`]
    Probe { asked_at: Instant },
    /// [`Step::PutBack`]
    PutBack,
    /// [`Step::RecordedAgain`]
    Again,
    /// [`Step::Braked`]
    Brake,
    /// [`Step::Lowered`]
    Lower,
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

/// Subscribes to changes; nothing where that is not possible now.
pub(super) async fn listen(store: &Store) -> Option<Following> {
    Some(within(store.listen()).await.ok()?.follow())
}

/// Writes results down, and tells of them.
pub(super) async fn record(
    store: &Store,
    worker: Uuid,
    outcomes: &[Outcome],
    unknown_after: Duration,
    around_locks: AroundLocks,
) -> Result<Unrecorded, Error> {
    let left = within(store.record(worker, outcomes, unknown_after, around_locks)).await?;
    for outcome in outcomes {
        store.notify(Change::Verification(outcome.verification)).await;
    }
    Ok(left)
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

/// How long a step may take, whatever the network does: a server that has vanished answers nothing, and TCP alone would
/// wait for a quarter of an hour.
const STEP_MAX: Duration = Duration::from_secs(20);

/// A step that ends in time, or counts as one that the database did not answer.
pub(super) async fn within<T>(step: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    match tokio::time::timeout(STEP_MAX, step).await {
        Ok(result) => result,
        Err(_) => Err(Error::Away(plain("no answer within 20 seconds"))),
    }
}

/// Claims and prepares, and tells of what changed by it; looks when to claim again where there was no more, and at the
/// brake where nothing waits.
pub(super) async fn prepare(
    store: Store,
    preparer: Preparer,
    limit: usize,
    to_tell: &mut ToTell,
) -> Result<(Batch, Rest, Option<Brake>), Error> {
    let batch = preparer.prepare(&store, limit, to_tell).await?;
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
    let rest = if batch.claimed < limit {
        match store.next_due().await {
            Ok(next) => next.map_or(Rest::Nothing, Rest::In),
            Err(_) => Rest::In(super::run::POLL_EVERY),
        }
    } else {
        Rest::Perhaps
    };
    // What the brake holds back does not wait, as far as a claim can see.
    let brake = if rest == Rest::Nothing { store.brake().await.unwrap_or_default() } else { None };
    Ok((batch, rest, brake))
}

/// Writes a heartbeat, asks whether the worker may work, and looks at the brake.
pub(super) async fn beat(store: Store, beat: Heartbeat, is_news: bool) -> Result<Beaten, Error> {
    let blocker = if beat.stopped { None } else { store.admit(&beat).await? };
    store.beat(&beat).await?;
    if is_news {
        store.notify(Change::Workers).await;
    }
    Ok(Beaten { blocker, server: store.server_run().await?, brake: store.brake().await? })
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

/// How many runs others must have ended while a worker's own went on: one may have been taken just before.
const OTHERS_TAKEN: i64 = 3;

/// Notes what was taken and what was refused, and pauses the outbox for all or lets it go, as it follows from that.
pub(super) async fn judge(
    store: &Store,
    set_by: String,
    to_judge: &ToJudge,
    rules: &config::Brake,
) -> Result<Judged, Error> {
    let ToJudge { is_taken, noted, says, own, failed } = to_judge;
    let mut judged = Judged::default();
    let mut put_back = 0;
    if *is_taken {
        judged.is_changed = store.end_refusals().await?;
    }
    if !noted.is_empty() {
        store.note_refusals(noted).await?;
        judged.runs_ended = store.runs_ended().await?;
        let is_new = store.pause_for_refusals(&set_by, says, rules).await?;
        judged.is_changed |= is_new;
        if let Some((own, ended)) = own
            && judged.runs_ended >= ended + OTHERS_TAKEN
        {
            put_back = store.put_back_own(own).await?;
            judged.is_own_trouble = true;
        }
        if is_new || store.is_paused_for_refusals().await? {
            put_back += store.put_back_refused().await?;
        }
    }
    if !failed.is_empty() {
        judged.put_back = store.no_longer_failed(failed).await?;
    }
    if put_back > 0 {
        store.notify(Change::Many).await;
    }
    if judged.is_changed {
        store.notify(Change::Outbox).await;
    }
    judged.brake = store.brake().await?;
    Ok(judged)
}

/// Prepares the one mail that may be tried now, if there is one and no other worker tries one; and looks at the brake.
pub(super) async fn probe(
    store: Store,
    preparer: Preparer,
    rules: config::Brake,
) -> Result<(Batch, Option<Brake>), Error> {
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

/// Lowers the pace for all workers.
pub(super) async fn lower_pace(store: Store, pause: Duration) -> Result<(), Error> {
    if store.lower_pace(pause).await? {
        store.notify(Change::Outbox).await;
    }
    Ok(())
}

/// What any worker may do for all: settles what dead workers left behind, tries once more what was lost, watches the
/// reputation, adds up counts, forgets what is old; first of all, whether the clock was set back. What fails keeps no
/// other duty from being done; the first error is given in the end.
pub(super) async fn keep_house(
    store: Store,
    set_by: String,
    lease: Duration,
    unknown_after: Duration,
    rules: config::Brake,
) -> Result<(), Error> {
    let duties = [
        look_at_clock(&store, lease, unknown_after).await,
        settle_lost(&store, unknown_after).await,
        put_back_refused(&store).await,
        look_at_reputation(&store, set_by, &rules).await,
        store.roll_up_counts().await,
        store.forget_old_workers().await,
    ];
    duties.into_iter().collect()
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
        set_brake(store.clone(), set_by, BrakeCause::Reputation, reason, None).await?;
    }
    Ok(())
}
