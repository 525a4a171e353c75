//! Removes what is old: events a week at a time, finished sends in batches by id. Nothing here holds a lock for long, and
//! whatever ends it halfway leaves only what is whole.

use std::time::Duration;

use chrono::{TimeDelta, Utc};
use uuid::Uuid;

use super::{Error, Store, StoredTime};
use crate::domain::Time;

/// How many sends are looked at in a transaction.
pub const BATCH: i32 = 1_000;

/// How many of the users that jobs have left out are forgotten in a transaction.
const SKIPS: i64 = 10_000;

/// What came of a batch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PrunedSends {
    /// How many were removed, or would be.
    pub count: i64,
    /// Behind which one to continue; `None` at the end.
    pub reached: Option<Uuid>,
}

impl Store {
    /// The weeks of events that are older than this.
    pub async fn old_event_weeks(&self, keep: Duration) -> Result<Vec<String>, Error> {
        let weeks = sqlx::query_scalar!(
            r#"select old_event_weeks(least($1, now() - make_interval(secs => $2))) as "week!""#,
            cutoff(keep),
            keep.as_secs_f64()
        )
        .fetch_all(self.pool())
        .await?;
        Ok(weeks)
    }

    /// Drops one of them; false where it is in use at this moment.
    pub async fn drop_event_week(&self, week: &str, keep: Duration) -> Result<bool, Error> {
        let is_gone = sqlx::query_scalar!(
            r#"select drop_event_week($1, least($2, now() - make_interval(secs => $3))) as "is_gone!""#,
            week,
            cutoff(keep),
            keep.as_secs_f64()
        )
        .fetch_one(self.pool())
        .await?;
        Ok(is_gone)
    }

    /// The first of the mails that the brake still counts; `None` if there is none.
    pub async fn first_counted(&self, sends: i64) -> Result<Option<Uuid>, Error> {
        let first = sqlx::query_scalar!(
            "with last as (
                select newest.id
                from unnest(array['accepted', 'delivered', 'delayed', 'bounced', 'complained']) as one (state)
                cross join lateral (
                    select id
                    from sends
                    where
                        sends.state = one.state
                        and queued_at > (select released_at from brake)
                        and test_of is null
                    order by id desc
                    limit $1
                ) as newest
                order by id desc
                limit $1
            )
            select id from last order by id limit 1",
            sends
        )
        .fetch_optional(self.pool())
        .await?;
        Ok(first)
    }

    /// Removes finished sends that are older than this and that nothing asks about any more, among the next thousand
    /// behind `since`; or only counts them.
    pub async fn prune_sends(
        &self,
        keep: Duration,
        counted: Option<Uuid>,
        since: Uuid,
        is_trial: bool,
    ) -> Result<PrunedSends, Error> {
        let row = sqlx::query!(
            r#"select pruned as "pruned!", reached
            from prune_sends(least($1, now() - make_interval(secs => $2)), $3, $4, $5, $6)"#,
            cutoff(keep),
            keep.as_secs_f64(),
            counted,
            since,
            BATCH,
            is_trial
        )
        .fetch_one(self.pool())
        .await?;
        Ok(PrunedSends { count: row.pruned, reached: row.reached })
    }

    /// Forgets the users left out by jobs that were over longer ago than this, a batch of them: how many.
    pub async fn prune_job_skips(&self, keep: Duration) -> Result<u64, Error> {
        let done = sqlx::query!(
            "delete from job_skips
            where ctid = any(array(
                select s.ctid
                from jobs j
                join job_skips s on s.job_id = j.id
                where j.ended_at < least($1, now() - make_interval(secs => $2))
                limit $3
            ))",
            cutoff(keep),
            keep.as_secs_f64(),
            SKIPS
        )
        .execute(self.pool())
        .await?;
        Ok(done.rows_affected())
    }
}

/// By this machine's clock; the database's has a say too, since a clock that has leapt must not make everything old.
fn cutoff(keep: Duration) -> StoredTime {
    let by_this_clock = TimeDelta::from_std(keep).ok().and_then(|keep| Utc::now().checked_sub_signed(keep));
    StoredTime(by_this_clock.unwrap_or(Time::UNIX_EPOCH))
}
