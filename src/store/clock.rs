//! What a database clock leaves in the future when it is set back: moments that were `now()` an hour ago lie an hour
//! ahead, and what waits for them would wait for that hour.
//!
//! A row that was stamped in the future shows that the clock has gone back since. What such a row waits for counts from
//! now. The pace's next slot is bounded where it is drawn, a worker's heartbeat from the future is none, and a cool-down
//! counts from now at the latest.
//!
//! Every worker looks. Each passes over the rows that another has locked, and what cannot be brought back keeps nothing
//! else from it.

use std::time::Duration;

use super::{Error, Store};

/// How many sends one statement brings back: a whole outbox would take longer than a statement may.
const AT_ONCE: i64 = 10_000;

/// The first error, if any, after all has been tried.
struct Repaired {
    count: u64,
    error: Option<Error>,
}

impl Repaired {
    fn add(&mut self, result: Result<u64, Error>) {
        match result {
            Ok(count) => self.count += count,
            Err(error) => self.error = self.error.take().or(Some(error)),
        }
    }
}

impl Store {
    /// Brings back what waits for a moment that the clock has set farther away: sends, leases of `lease`, second tries
    /// `unknown_after` a lost answer, timed brakes, grace times of jobs, counted minutes. Returns how many there were.
    pub async fn repair_clock(&self, lease: Duration, unknown_after: Duration) -> Result<u64, Error> {
        let mut repaired = Repaired { count: 0, error: None };
        repaired.add(self.repair_queued().await);
        repaired.add(self.repair_second_tries(unknown_after).await);
        repaired.add(self.repair_leases(lease).await);
        repaired.add(self.repair_brake().await);
        repaired.add(self.repair_jobs().await);
        repaired.add(self.repair_pace().await);
        repaired.add(self.repair_minutes().await);
        match repaired.error {
            Some(error) if repaired.count == 0 => Err(error),
            // What is left is tried at the next look.
            _ => Ok(repaired.count),
        }
    }

    async fn repair_queued(&self) -> Result<u64, Error> {
        let mut repaired = 0;
        loop {
            let count = sqlx::query!(
                "with waiting as materialized (
                    select id
                    from sends
                    where state = 'queued' and priority in (0, 10) and due_at > now() and changed_at > now()
                    limit $1
                    for no key update skip locked
                )
                update sends
                set due_at = now(), changed_at = now()
                from waiting
                where sends.id = waiting.id",
                AT_ONCE
            )
            .execute(self.pool())
            .await?
            .rows_affected();
            repaired += count;
            if count < AT_ONCE.unsigned_abs() {
                return Ok(repaired);
            }
        }
    }

    async fn repair_second_tries(&self, unknown_after: Duration) -> Result<u64, Error> {
        let done = sqlx::query!(
            "with waiting as materialized (
                select id
                from sends
                where retry_at > now() and changed_at > now()
                limit $2
                for no key update skip locked
            )
            update sends
            set retry_at = now() + make_interval(secs => $1), changed_at = now()
            from waiting
            where sends.id = waiting.id",
            unknown_after.as_secs_f64(),
            AT_ONCE
        );
        Ok(done.execute(self.pool()).await?.rows_affected())
    }

    async fn repair_leases(&self, lease: Duration) -> Result<u64, Error> {
        let done = sqlx::query!(
            "with leased as materialized (
                select id
                from sends
                where state = 'sending' and lease_until > now() + make_interval(secs => $1) and changed_at > now()
                limit $2
                for no key update skip locked
            )
            update sends
            set lease_until = now() + make_interval(secs => $1), changed_at = now()
            from leased
            where sends.id = leased.id",
            lease.as_secs_f64(),
            AT_ONCE
        );
        Ok(done.execute(self.pool()).await?.rows_affected())
    }

    /// `least` passes over nulls, and a brake that is off has none but nulls.
    async fn repair_brake(&self) -> Result<u64, Error> {
        let done = sqlx::query!(
            "update brake
            set
                until = now() + (until - set_at),
                set_at = case when set_at > now() then now() else set_at end,
                released_at = case when released_at > now() then now() else released_at end
            where set_at > now() or released_at > now()"
        );
        Ok(done.execute(self.pool()).await?.rows_affected())
    }

    async fn repair_jobs(&self) -> Result<u64, Error> {
        let done = sqlx::query!(
            "update jobs
            set starts_at = now() + (starts_at - created_at), created_at = now()
            where state in ('running', 'paused') and created_at > now() and starts_at > now()"
        );
        Ok(done.execute(self.pool()).await?.rows_affected())
    }

    async fn repair_pace(&self) -> Result<u64, Error> {
        let done = sqlx::query!("update pace set lowered_at = now() where lowered_at > now()");
        Ok(done.execute(self.pool()).await?.rows_affected())
    }

    /// What was sent stays counted against the day's quota.
    async fn repair_minutes(&self) -> Result<u64, Error> {
        let done = sqlx::query!(
            "with counted as (
                delete from pace_minutes where minute > now() + interval '1 minute' returning drawn
            )
            insert into pace_minutes (minute, drawn)
            select date_trunc('minute', now() - interval '1 minute'), sum(drawn) from counted having sum(drawn) > 0
            on conflict (minute) do update
            set drawn = pace_minutes.drawn + excluded.drawn"
        );
        Ok(done.execute(self.pool()).await?.rows_affected())
    }
}
