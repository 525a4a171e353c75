//! What a database clock leaves in the future when it is set back: moments that were `now()` an hour ago lie an hour
//! ahead, and what waits for them would wait for that hour.
//!
//! A row that was stamped in the future shows that the clock has gone back since. What such a row waits for counts from
//! now, and so do its cool-down and its place before or behind a drain. The pace's next slot is bounded where it is
//! drawn, and a worker's heartbeat from the future is none.
//!
//! `now()` is when a statement was asked, and what it sees may have been written a moment later: the future begins a
//! second ahead.
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

/// Whether a statement that has done so many has left some to the next.
fn is_whole_piece(count: u64) -> bool {
    count >= AT_ONCE.unsigned_abs()
}

impl Store {
    /// Brings back what waits for a moment that the clock has set farther away: sends, leases of `lease`, second tries
    /// `unknown_after` a lost answer, timed brakes, grace times of jobs, counted minutes. Returns how many there were.
    pub async fn repair_clock(&self, lease: Duration, unknown_after: Duration) -> Result<u64, Error> {
        let mut repaired = Repaired { count: 0, error: None };
        repaired.add(self.repair_second_tries(unknown_after).await);
        repaired.add(self.repair_leases(lease).await);
        // In this order what was queued before a drain stays before it, and what was sent before the brake was released
        // too; and what came after the drain stays behind it.
        repaired.add(self.repair_waiting().await);
        let sent = self.repair_sent().await;
        let are_minutes_done_with = sent.is_ok();
        repaired.add(sent);
        let brake = self.repair_brake().await;
        let is_behind = brake.as_ref().is_ok_and(|count| *count > 0);
        repaired.add(brake);
        if is_behind {
            repaired.add(self.repair_waiting().await);
        }
        repaired.add(self.repair_jobs().await);
        repaired.add(self.repair_pace().await);
        if are_minutes_done_with {
            repaired.add(self.repair_minutes().await);
        }
        match repaired.error {
            Some(error) if repaired.count == 0 => Err(error),
            // What is left is tried at the next look.
            _ => Ok(repaired.count),
        }
    }

    /// Those that wait for a moment in the future. What is due already and was never tried waits for none.
    async fn repair_waiting(&self) -> Result<u64, Error> {
        let mut repaired = 0;
        loop {
            let done = sqlx::query!(
                "with gate as materialized (
                    select coalesce(case when state = 'draining' then set_at end, drain_set_at, 'infinity') as until
                    from brake
                ),
                waiting as materialized (
                    select id, changed_at > now() + interval '1 second' as is_stamped_ahead
                    from sends
                    where
                        state = 'queued'
                        and priority in (0, 10)
                        and due_at > now() + interval '1 second'
                        and (
                            changed_at > now() + interval '1 second'
                            or queued_at > now() + interval '1 second'
                        )
                        and (
                            queued_at <= now() + interval '1 second'
                            or queued_at <= (select until from gate)
                            or (select until from gate) <= now()
                        )
                    limit $1
                    for no key update skip locked
                )
                update sends
                set
                    due_at = case when is_stamped_ahead then now() else due_at end,
                    queued_at = least(queued_at, now()),
                    changed_at = least(changed_at, now())
                from waiting
                where sends.id = waiting.id",
                AT_ONCE
            );
            let count = done.execute(self.pool()).await?.rows_affected();
            repaired += count;
            if !is_whole_piece(count) {
                return Ok(repaired);
            }
        }
    }

    /// Those that have been tried, for the cool-downs that count from them. No index leads to them: they are looked for
    /// only while the pace shows moments drawn in the future, and among those of which the number says that they are of
    /// the last day.
    async fn repair_sent(&self) -> Result<u64, Error> {
        let mut repaired = 0;
        loop {
            let done = sqlx::query!(
                "with tried as materialized (
                    select id
                    from sends
                    where
                        (
                            exists (select from pace_minutes where minute > now() + interval '1 minute')
                            or exists (select from pace where minute > now() + interval '1 minute')
                        )
                        and id > (
                            lpad(to_hex((extract(epoch from now() - interval '1 day') * 1000)::bigint), 12, '0')
                                || repeat('0', 20)
                        )::uuid
                        and queued_at > now() + interval '1 second'
                        and (
                            state <> 'queued'
                            or queued_at <= (
                                select coalesce(
                                    case when state = 'draining' then set_at end, drain_set_at, 'infinity'
                                )
                                from brake
                            )
                        )
                    limit $1
                    for no key update skip locked
                )
                update sends
                set queued_at = now()
                from tried
                where sends.id = tried.id",
                AT_ONCE
            );
            let count = done.execute(self.pool()).await?.rows_affected();
            repaired += count;
            if !is_whole_piece(count) {
                return Ok(repaired);
            }
        }
    }

    async fn repair_second_tries(&self, unknown_after: Duration) -> Result<u64, Error> {
        let done = sqlx::query!(
            "with waiting as materialized (
                select id
                from sends
                where retry_at > now() + interval '1 second' and changed_at > now() + interval '1 second'
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
                where
                    state = 'sending'
                    and lease_until > now() + make_interval(secs => $1) + interval '1 second'
                    and changed_at > now() + interval '1 second'
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

    /// `greatest` passes over nulls. A brake that is off has none but nulls, and must keep them.
    async fn repair_brake(&self) -> Result<u64, Error> {
        let done = sqlx::query!(
            "update brake
            set
                until = case when set_at > now() then now() + (until - set_at) else until end,
                set_at = case when set_at > now() then now() else set_at end,
                drain_set_at = case when drain_set_at > now() then now() else drain_set_at end,
                released_at = least(released_at, now())
            where greatest(set_at, drain_set_at, released_at) > now() + interval '1 second'"
        );
        Ok(done.execute(self.pool()).await?.rows_affected())
    }

    async fn repair_jobs(&self) -> Result<u64, Error> {
        let done = sqlx::query!(
            "update jobs
            set starts_at = now() + (starts_at - created_at), created_at = now()
            where
                state in ('running', 'paused')
                and created_at > now() + interval '1 second'
                and starts_at > now() + interval '1 second'"
        );
        Ok(done.execute(self.pool()).await?.rows_affected())
    }

    async fn repair_pace(&self) -> Result<u64, Error> {
        let done = sqlx::query!("update pace set lowered_at = now() where lowered_at > now() + interval '1 second'");
        Ok(done.execute(self.pool()).await?.rows_affected())
    }

    /// What was sent stays counted against the day's quota. That a minute lies ahead is known no more afterwards.
    async fn repair_minutes(&self) -> Result<u64, Error> {
        let is_ahead = sqlx::query_scalar!(
            r#"select exists (select from pace where minute > now() + interval '1 minute') as "is_ahead!""#
        );
        if is_ahead.fetch_one(self.pool()).await? {
            self.turn_minute().await?;
        }
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
