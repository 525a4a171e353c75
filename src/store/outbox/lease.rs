//! Claiming under a lease: who may send what, and until when.

use std::time::Duration;

use uuid::Uuid;

use crate::domain::Time;
use crate::domain::id::SendId;
use crate::store::{Error, Store};

/// A claimed send. Ordered as they are to be sent: people before bulk, the longest due first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Claimed {
    /// Who goes first: [`crate::domain::send::Priority::rank`].
    pub rank: i16,
    /// Since when it is due.
    pub due_at: Time,
    /// Which one.
    pub id: SendId,
}

impl Store {
    /// Takes due sends under this worker's lease: up to `people` that somebody waits for, and up to `bulk` of jobs. They
    /// stay *queued*. Takes nothing that the brake or a paused job holds back.
    pub async fn claim(&self, worker: Uuid, people: i64, bulk: i64, lease: Duration) -> Result<Vec<Claimed>, Error> {
        // Each priority on its own: mails of people that wait for a later time do not stand before bulk in the index.
        let rows = sqlx::query!(
            r#"with gate as (
                select
                    case
                        when state = 'off' or until <= now() then 'infinity'::timestamptz
                        when state = 'draining' then set_at
                        else '-infinity'
                    end as queued_until
                from brake
            ),
            people as (
                select id
                from sends
                where
                    state = 'queued'
                    and priority = 0
                    and due_at <= now()
                    and (lease_until is null or lease_until < now())
                    and queued_at <= (select queued_until from gate)
                order by due_at, id
                limit $3
                for update skip locked
            ),
            bulk as (
                select id
                from sends
                where
                    state = 'queued'
                    and priority = 10
                    and due_at <= now()
                    and (lease_until is null or lease_until < now())
                    and queued_at <= (select queued_until from gate)
                    and not exists (select from jobs where jobs.id = sends.job_id and jobs.state = 'paused')
                order by due_at, id
                limit $4
                for update skip locked
            )
            update sends
            set lease_by = $1, lease_until = now() + make_interval(secs => $2)
            where id in (select id from people union all select id from bulk)
            returning id, priority, due_at"#,
            worker,
            lease.as_secs_f64(),
            people,
            bulk
        )
        .fetch_all(self.pool())
        .await?;
        Ok(rows.into_iter().map(|row| Claimed { rank: row.priority, due_at: row.due_at, id: SendId(row.id) }).collect())
    }

    /// Moves the lease's end to `lease` from now for what this worker holds of these. Leaves out what is being begun or
    /// recorded at this moment: that gets a lease of its own, or needs none any more.
    pub async fn renew_lease(&self, worker: Uuid, ids: &[SendId], lease: Duration) -> Result<(), Error> {
        sqlx::query!(
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
        Ok(())
    }

    /// Puts back what this worker holds: what is only claimed, but for the sends that it is `busy` with, and of what is
    /// *sending* those that are known to be `unbegun`.
    pub async fn put_back(&self, worker: Uuid, busy: &[SendId], unbegun: &[SendId]) -> Result<u64, Error> {
        let done = sqlx::query!(
            "update sends
            set
                state = 'queued',
                attempts = case when state = 'sending' then attempts - 1 else attempts end,
                changed_at = case when state = 'sending' then now() else changed_at end,
                lease_by = null,
                lease_until = null
            where
                lease_by = $1
                and lease_until is not null
                and (state = 'queued' and id <> all ($2) or state = 'sending' and id = any ($3))",
            worker,
            &bare(busy),
            &bare(unbegun)
        )
        .execute(self.pool())
        .await?;
        Ok(done.rows_affected())
    }

    /// How long until the next waiting send that nothing holds back is due or free; zero if one is, nothing if none
    /// waits.
    pub async fn next_due(&self) -> Result<Option<Duration>, Error> {
        let seconds = sqlx::query_scalar!(
            "select extract(epoch from least(
                (
                    select due_at
                    from sends
                    where
                        state = 'queued'
                        and lease_until is null
                        and not exists (select from jobs where jobs.id = sends.job_id and jobs.state = 'paused')
                    order by due_at
                    limit 1
                ),
                (select min(greatest(due_at, lease_until)) from sends where state = 'queued' and lease_until is not null)
            ) - now())::float8 as seconds"
        )
        .fetch_one(self.pool())
        .await?;
        Ok(seconds.map(|seconds| Duration::try_from_secs_f64(seconds).unwrap_or_default()))
    }

    /// How many sends wait for a later time.
    pub async fn deferred(&self) -> Result<i64, Error> {
        Ok(sqlx::query_scalar!(r#"select count(*) as "count!" from sends where state = 'queued' and due_at > now()"#)
            .fetch_one(self.pool())
            .await?)
    }
}

pub(super) fn bare(ids: &[SendId]) -> Vec<Uuid> {
    ids.iter().map(|id| id.0).collect()
}
