//! What a database clock leaves in the future when it is set back: moments that were `now()` an hour ago lie an hour
//! ahead, and what waits for them would wait for that hour.
//!
//! A row that was stamped in the future shows that the clock has gone back since. What such a row waits for counts from
//! now. The pace's next slot is bounded where it is drawn, a worker's heartbeat from the future is none, and a cool-down
//! counts from now at the latest.

use std::time::Duration;

use super::{Error, Store};

impl Store {
    /// Brings back what waits for a moment that the clock has set farther away: sends, leases of `lease`, second tries
    /// `unknown_after` a lost answer, timed brakes, grace times of jobs, counted minutes. Returns how many there were.
    pub async fn repair_clock(&self, lease: Duration, unknown_after: Duration) -> Result<i64, Error> {
        let repaired = sqlx::query_scalar!(
            r#"with waiting as (
                update sends
                set due_at = now(), changed_at = now()
                where state = 'queued' and priority in (0, 10) and due_at > now() and changed_at > now()
                returning 1
            ),
            retried as (
                update sends
                set retry_at = now() + make_interval(secs => $2), changed_at = now()
                where retry_at > now() and changed_at > now()
                returning 1
            ),
            leased as (
                update sends
                set lease_until = now() + make_interval(secs => $1), changed_at = now()
                where state = 'sending' and lease_until > now() + make_interval(secs => $1) and changed_at > now()
                returning 1
            ),
            braked as (
                update brake
                set
                    until = now() + (until - set_at),
                    set_at = least(set_at, now()),
                    released_at = least(released_at, now())
                where set_at > now() or released_at > now()
                returning 1
            ),
            held as (
                update jobs
                set starts_at = now() + (starts_at - created_at), created_at = now()
                where state in ('running', 'paused') and created_at > now() and starts_at > now()
                returning 1
            ),
            slowed as (
                update pace set lowered_at = now() where lowered_at > now() returning 1
            ),
            counted as (
                delete from pace_minutes where minute > now() + interval '1 minute' returning drawn
            ),
            counted_again as (
                insert into pace_minutes (minute, drawn)
                select date_trunc('minute', now() - interval '1 minute'), sum(drawn) from counted having sum(drawn) > 0
                on conflict (minute) do update
                set drawn = pace_minutes.drawn + excluded.drawn
            )
            select
                (select count(*) from waiting)
                + (select count(*) from retried)
                + (select count(*) from leased)
                + (select count(*) from braked)
                + (select count(*) from held)
                + (select count(*) from slowed)
                + (select count(*) from counted) as "repaired!""#,
            lease.as_secs_f64(),
            unknown_after.as_secs_f64()
        )
        .fetch_one(self.pool())
        .await?;
        Ok(repaired)
    }
}
