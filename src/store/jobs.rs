//! Jobs: bulk resends as they are stored.

mod advance;
mod plan;
mod results;
mod scope;
mod stored;

use std::time::Duration;

use sqlx::PgConnection;
use uuid::Uuid;

use self::stored::StoredScope;
use super::{Error, Store, StoredTime};
use crate::domain::Time;
use crate::domain::audit::Actor;
use crate::domain::id::JobId;
use crate::domain::job::{JobRow, JobScope, JobState, Skipped};

pub use advance::{Advanced, CHUNK};

/// Longest reason, in characters, of a job and of an audit entry.
pub const REASON_MAX: usize = 1_000;

/// A job to be stored.
#[derive(Clone, Copy, Debug)]
pub struct NewJob<'a> {
    /// Who asks for it.
    pub actor: &'a Actor,
    /// Who it is for; marked ones each once.
    pub scope: &'a JobScope,
    /// Who counts is decided as of then; the present if no one has looked before.
    pub cut_off: Option<Time>,
    /// Verifications found, if they were counted.
    pub found: Option<i64>,
    /// Mails that the plan names, likewise.
    pub planned: Option<i64>,
    /// How long it can be cancelled before its first mail.
    pub grace: Duration,
}

/// Stores a job.
pub async fn insert(connection: &mut PgConnection, job: NewJob<'_>) -> Result<JobId, Error> {
    let id = JobId::new();
    let scope = StoredScope::of(job.scope);
    sqlx::query!(
        "insert into jobs (
            id, created_by, origin, status, search, since, until, verification_ids, cut_off, found, starts_at,
            terms, looked_for, is_of_mails, planned
        )
        values (
            $1, $2, $3, $4, $5, $6, $7, $8, coalesce($9, now()), $10, now() + make_interval(secs => $11), $12, $13, $14,
            $15
        )",
        id.0,
        job.actor.name,
        job.actor.origin.as_str(),
        scope.status,
        scope.search,
        scope.since,
        scope.until,
        scope.verification_ids.as_deref(),
        job.cut_off.map(StoredTime),
        job.found,
        job.grace.as_secs_f64(),
        scope.terms,
        scope.looked_for,
        scope.is_of_mails,
        job.planned
    )
    .execute(connection)
    .await?;
    Ok(id)
}

/// A job that no one else changes now.
#[derive(Clone, Copy, Debug)]
pub struct LockedJob {
    /// Where it is in its life.
    pub state: JobState,
    /// Whether mails of it wait that no worker is sending.
    pub waits: bool,
}

/// Locks a job; waits while a chunk of it is being made.
pub async fn lock(connection: &mut PgConnection, id: JobId) -> Result<Option<LockedJob>, Error> {
    let state = sqlx::query_scalar!("select state from jobs where id = $1 for no key update", id.0)
        .fetch_optional(&mut *connection)
        .await?;
    let Some(state) = state else { return Ok(None) };
    // After the wait, or what the chunk has made would not be seen.
    let waits = sqlx::query_scalar!(
        r#"select exists (
            select
            from sends
            where job_id = $1 and state = 'queued' and (lease_until is null or lease_until < now())
        ) as "waits!""#,
        id.0
    )
    .fetch_one(connection)
    .await?;
    // A constraint keeps the column to the known states.
    Ok(Some(LockedJob { state: state.parse().unwrap_or(JobState::Cancelled), waits }))
}

/// Moves a job that is locked to another state.
pub async fn set_state(
    connection: &mut PgConnection,
    id: JobId,
    state: JobState,
    reason: Option<&str>,
) -> Result<(), Error> {
    sqlx::query!(
        "update jobs set state = $2, reason = $3, ended_at = case when $4 then null else now() end where id = $1",
        id.0,
        state.as_str(),
        reason,
        state.is_open()
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Cancels what a job has waiting and no worker is sending. Returns how many.
pub async fn cancel_waiting(connection: &mut PgConnection, id: JobId, reason: &str) -> Result<u64, Error> {
    let done = sqlx::query!(
        "update sends
        set state = 'cancelled', reason = $2, changed_at = now(), lease_by = null, lease_until = null
        where id in (
            select id
            from sends
            where job_id = $1 and state = 'queued' and (lease_until is null or lease_until < now())
            order by id
            for no key update
        )",
        id.0,
        reason
    )
    .execute(connection)
    .await?;
    Ok(done.rows_affected())
}

impl Store {
    /// Jobs that are not over, and the last of those that are; `limit` of them, the newest first.
    pub async fn jobs(&self, limit: i64) -> Result<Vec<JobRow>, Error> {
        self.some_jobs(None, limit).await
    }

    pub async fn job(&self, id: JobId) -> Result<Option<JobRow>, Error> {
        Ok(self.some_jobs(Some(id.0), 1).await?.pop())
    }

    async fn some_jobs(&self, only: Option<Uuid>, limit: i64) -> Result<Vec<JobRow>, Error> {
        let rows = sqlx::query!(
            r#"select
                id, created_at, created_by, status, search, since, until, verification_ids, cut_off, starts_at, state,
                reason, ended_at, found, planned, looked_at, queued, skipped_verified, skipped_cool_down, skipped_daily_cap,
                skipped_waiting, skipped_suppressed, skipped_bounced, skipped_later, skipped_duplicate,
                terms, looked_for, is_of_mails,
                (
                    select count(*) from sends where job_id = jobs.id and state in ('queued', 'sending')
                ) as "open!"
            from jobs
            where $2::uuid is null or id = $2
            order by ended_at is not null, created_at desc
            limit $1"#,
            limit,
            only
        )
        .fetch_all(self.pool())
        .await?;
        Ok(rows
            .into_iter()
            .map(|row| JobRow {
                id: JobId(row.id),
                created_at: row.created_at.into(),
                created_by: row.created_by.into(),
                scope: stored::scope_of!(row),
                cut_off: row.cut_off.into(),
                starts_at: row.starts_at.into(),
                // A constraint keeps the column to the known states.
                state: row.state.parse().unwrap_or(JobState::Cancelled),
                reason: row.reason.map(Into::into),
                ended_at: row.ended_at.map(Into::into),
                found: row.found,
                planned: row.planned,
                looked_at: row.looked_at,
                queued: row.queued,
                open: row.open,
                skipped: Skipped {
                    verified: row.skipped_verified,
                    cool_down: row.skipped_cool_down,
                    daily_cap: row.skipped_daily_cap,
                    waiting: row.skipped_waiting,
                    suppressed: row.skipped_suppressed,
                    bounced: row.skipped_bounced,
                    later: row.skipped_later,
                    duplicate: row.skipped_duplicate,
                },
            })
            .collect())
    }
}
