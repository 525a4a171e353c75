//! The lease: until when a worker's mails are its own.

use std::time::Duration;

use uuid::Uuid;

use crate::domain::id::SendId;
use crate::store::{Error, Store};

impl Store {
    /// Moves the lease's end to `lease` from now for what this worker holds of these. Leaves out what is being begun or
    /// recorded at this moment: that gets a lease of its own, or needs none any more. Gives how many it moved.
    pub async fn renew_lease(&self, worker: Uuid, ids: &[SendId], lease: Duration) -> Result<u64, Error> {
        let done = sqlx::query!(
            "update sends
            set lease_until = now() + make_interval(secs => $3)
            where id in (
                select id
                from sends
                where id = any ($2) and lease_by = $1
                for update skip locked
            )",
            worker,
            &bare(ids),
            lease.as_secs_f64()
        )
        .execute(self.pool())
        .await?;
        Ok(done.rows_affected())
    }

    /// Puts back whatever this worker has begun but for what it keeps: sends of which it knows that no server has heard,
    /// and those that were begun while the database's answer was lost. Gives how many.
    pub async fn put_back(&self, worker: Uuid, kept: &[SendId]) -> Result<u64, Error> {
        let done = sqlx::query!(
            "update sends
            set
                -- What SES has reported of an earlier attempt.
                state = coalesce(fate, 'queued'),
                attempts = attempts - 1,
                changed_at = now(),
                lease_by = null,
                lease_until = null
            where state = 'sending' and lease_by = $1 and id <> all ($2)",
            worker,
            &bare(kept)
        )
        .execute(self.pool())
        .await?;
        Ok(done.rows_affected())
    }

    /// How long until the next waiting send that nothing holds back is due; zero if one is, `None` if none waits.
    pub async fn next_due(&self) -> Result<Option<Duration>, Error> {
        let seconds = sqlx::query_scalar!(
            "select extract(epoch from least(
                (
                    select due_at
                    from sends
                    where state = 'queued' and priority = 0 and queued_at <= (select queued_until from outbox_gate)
                    order by due_at
                    limit 1
                ),
                (
                    select due_at
                    from sends
                    where
                        state = 'queued'
                        and priority = 10
                        and queued_at <= (select queued_until from outbox_gate)
                        and not exists (select from jobs where jobs.id = sends.job_id and jobs.state = 'paused')
                    order by due_at
                    limit 1
                )
            ) - now())::float8 as seconds"
        )
        .fetch_one(self.pool())
        .await?;
        Ok(seconds.map(|seconds| Duration::try_from_secs_f64(seconds).unwrap_or_default()))
    }

    /// How many sends were put off: they wait for a later time, or again after they were tried.
    pub async fn deferred(&self) -> Result<i64, Error> {
        Ok(sqlx::query_scalar!(
            r#"select count(*) as "count!"
            from sends
            where state = 'queued' and (due_at > now() or reason is not null)"#
        )
        .fetch_one(self.pool())
        .await?)
    }
}

pub(super) fn bare(ids: &[SendId]) -> Vec<Uuid> {
    ids.iter().map(|id| id.0).collect()
}
