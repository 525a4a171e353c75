//! The pace that all workers share: a token bucket with one row, and the mails of the last 24 hours.
//!
//! Mails get send slots, `1 / rate` apart; a worker reserves some of the next ones, in a statement of its own. A bucket
//! that was left alone for a while grants a fortieth of a second's worth at once. Slots are granted as waits from now,
//! so that the workers' clocks do not matter.

use std::time::Duration;

use tokio::time::Instant;
use uuid::Uuid;

use super::{Error, Store};
use crate::domain::pace::PaceView;
use crate::domain::worker::GONE_AFTER_SECONDS;

/// How far ahead slots are granted, in seconds: those who come later must get some as well.
const AHEAD: f64 = 0.1;

/// How far ahead the next one can be, in seconds and besides the distance of two: a pause after the server said that it
/// was too fast.
const AHEAD_MAX: f64 = 5.0;

/// How much of a rate is left after the server said that it was too fast, and how little at least of the limit.
const LOWERED_TO: f64 = 0.7;
const LOWEST: f64 = 0.02;

/// How much faster each accepted mail makes a lowered rate, in mails a second: five per cent a second.
const RAISE: f64 = 0.05;

/// Slots in which mails may go.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Reserved {
    pub count: usize,
    /// When they were granted.
    pub at: Instant,
    /// How long from then until the first; where there is none, until it makes sense to ask again.
    pub wait: Duration,
    /// How far apart they are.
    pub apart: Duration,
    /// The rate that they come from, in mails a second.
    pub rate: f64,
    /// Whether there is none because the mails of 24 hours are used up.
    pub is_quota_used: bool,
    /// Whether there is none because the brake is on.
    pub is_stopped: bool,
}

impl Reserved {
    /// When the one with this number is, from 0. What is done before a mail can go must not move it: it would meet
    /// another worker's.
    #[must_use]
    pub fn slot(&self, number: u32) -> Instant {
        self.at + self.wait + self.apart * number
    }
}

impl Store {
    /// Makes the smallest wish of the workers at work the pace of all: this one's, and those of the others as far as
    /// their heartbeats are fresh. Returns whether they differ. Without a worker of its own the caller only wishes.
    pub async fn set_pace(&self, worker: Option<Uuid>, rate: f64, daily_quota: Option<i64>) -> Result<bool, Error> {
        if let Some(worker) = worker {
            // In a statement of its own: who only sends a test may not write here, whether there is a row or not.
            sqlx::query!(
                "update workers
                set pace_rate = $2, pace_quota = $3
                where id = $1 and (pace_rate is distinct from $2 or pace_quota is distinct from $3)",
                worker,
                rate,
                daily_quota
            )
            .execute(self.pool())
            .await?;
        }
        let differ = sqlx::query_scalar!(
            r#"with wishes as (
                select $2::float8 as rate, $3::bigint as quota
                union all
                select pace_rate, pace_quota
                from workers
                where
                    id is distinct from $1
                    and stopped_at is null
                    and waits_for is null
                    and pace_rate is not null
                    and beat_at > now() - make_interval(secs => $4::bigint)
                    -- `now()` is when this was asked, and a heartbeat may have come since.
                    and beat_at <= clock_timestamp() + interval '1 second'
            ),
            -- No more than what SES says of the account, and what others leave of its mails, unless that is old.
            account as (
                select
                    rate_max,
                    -- Without a limit it stays so.
                    case when daily_max is not null then greatest(daily_max::bigint - sent_by_others, 0) end as daily_max
                from ses_account
                where seen_at > now() - interval '1 day' and rate_max > 0
            ),
            wished as (
                select
                    least(min(rate), (select rate_max from account)) as rate,
                    least(min(quota), (select daily_max from account)) as quota,
                    count(distinct (rate, quota)) > 1 as differ
                from wishes
            ),
            updated as (
                update pace
                set
                    limit_rate = wished.rate,
                    -- A lowered rate stays so; a limit that was raised is tried at once.
                    rate = case when limit_rate = wished.rate then pace.rate else wished.rate end,
                    next_at = case when limit_rate = wished.rate then next_at else now() end,
                    daily_quota = wished.quota
                from wished
                where limit_rate <> wished.rate or daily_quota is distinct from wished.quota
            )
            select differ as "differ!" from wished"#,
            worker,
            rate,
            daily_quota,
            GONE_AFTER_SECONDS
        )
        .fetch_one(self.pool())
        .await?;
        Ok(differ)
    }

    /// Reserves up to `wanted` slots; `unused` ones of earlier reservations come back for anyone, and so many mails
    /// were `accepted` since the last one.
    pub async fn reserve(&self, wanted: usize, unused: usize, accepted: usize) -> Result<Reserved, Error> {
        loop {
            if let Some(reserved) = self.reserve_this_minute(wanted, unused, accepted).await? {
                return Ok(reserved);
            }
            self.turn_minute().await?;
        }
    }

    /// `None` if the row still counts for a minute that is over.
    async fn reserve_this_minute(
        &self,
        wanted: usize,
        unused: usize,
        accepted: usize,
    ) -> Result<Option<Reserved>, Error> {
        let bounded = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
        let row = sqlx::query!(
            r#"with locked as (
                select
                    -- No slot is handed out further ahead than that; only a clock that was set back leaves one there.
                    least(next_at, now() + make_interval(secs => $6::float8 + 1 / rate))
                        - make_interval(secs => $2::bigint / rate) as next_at,
                    minute_drawn,
                    daily_quota - earlier_drawn - greatest(minute_drawn - $2::bigint, 0) as quota_left,
                    exists (
                        select from brake where state = 'paused' and (until is null or until > now())
                    ) as is_stopped,
                    least(rate + $3::bigint * $4::float8, limit_rate) as rate
                from pace
                where minute = date_trunc('minute', now())
                for update
            ),
            placed as (
                -- A bucket left alone holds a fortieth of a second's worth, and one at least: with what jitter moves
                -- together on the way to the server that stays below a tenth.
                select
                    *,
                    greatest(next_at, now() - make_interval(secs => (greatest(rate / 40, 1) - 1) / rate)) as first_at
                from locked
            ),
            granted as (
                select
                    *,
                    greatest(least(
                        case when is_stopped then 0 else $1::bigint end,
                        quota_left,
                        1 + floor((extract(epoch from now() - first_at) + $5::float8) * rate)::bigint
                    ), 0) as count
                from placed
            )
            update pace
            set
                rate = granted.rate,
                next_at = case
                    when granted.count > 0 then granted.first_at + make_interval(secs => granted.count / granted.rate)
                    else granted.next_at
                end,
                minute_drawn = greatest(granted.minute_drawn - $2, 0) + granted.count
            from granted
            returning
                granted.count as "count!",
                granted.rate as "rate!",
                extract(epoch from granted.first_at - now())::float8 as "first_in!",
                (granted.quota_left <= 0) is true as "is_quota_used!",
                granted.is_stopped as "is_stopped!""#,
            bounded(wanted),
            bounded(unused),
            bounded(accepted),
            RAISE,
            AHEAD,
            AHEAD_MAX
        )
        .fetch_optional(self.pool())
        .await?;
        let seconds = |seconds: f64| Duration::try_from_secs_f64(seconds).unwrap_or_default();
        Ok(row.map(|row| Reserved {
            count: usize::try_from(row.count).unwrap_or_default(),
            at: Instant::now(),
            wait: if row.count > 0 { seconds(row.first_in) } else { seconds(row.first_in - AHEAD) },
            apart: seconds(1.0 / row.rate),
            rate: row.rate,
            is_quota_used: row.count == 0 && row.is_quota_used,
            is_stopped: row.is_stopped,
        }))
    }

    /// Adds the minute that is over to the others of the day, and forgets those whose last mail is a day old. One
    /// statement: every worker needs this row, and a transaction that waits for its client keeps it for as long as that
    /// one stands still. Another worker that turns the same minute waits, and then finds nothing to do; so nothing has
    /// changed `pace_minutes` since this statement's snapshot where it does find something.
    pub(super) async fn turn_minute(&self) -> Result<(), Error> {
        sqlx::query!(
            "with over as materialized (
                select minute, minute_drawn
                from pace
                where minute <> date_trunc('minute', now())
                for update
            ),
            noted as (
                insert into pace_minutes (minute, drawn)
                select minute, minute_drawn from over where minute_drawn > 0
                on conflict (minute) do update
                set drawn = pace_minutes.drawn + excluded.drawn
            ),
            forgotten as (
                delete from pace_minutes
                where
                    minute <= now() - interval '24 hours 1 minute'
                    and exists (select from over)
                    -- No statement may change a row twice.
                    and minute not in (select minute from over)
            )
            update pace
            set
                minute = date_trunc('minute', now()),
                minute_drawn = 0,
                earlier_drawn = over.minute_drawn + (
                    select coalesce(sum(drawn), 0)::bigint
                    from pace_minutes
                    where pace_minutes.minute > now() - interval '24 hours 1 minute'
                )
            from over"
        )
        .execute(self.pool())
        .await?;
        Ok(())
    }

    /// The server says that it was too fast: slower from now on, and a pause of this length first. Answers to mails
    /// that were in progress at the same time are the same answer. False if it was one of those.
    pub async fn lower_pace(&self, pause: Duration) -> Result<bool, Error> {
        let done = sqlx::query!(
            "update pace
            set
                rate = greatest(rate * $1, limit_rate * $2),
                next_at = greatest(next_at, now() + make_interval(secs => $3)),
                lowered_at = now()
            where
                lowered_at is null
                or lowered_at < now() - make_interval(secs => $3)
                -- Another may have lowered it since this was asked.
                or lowered_at > now() + interval '1 second'",
            LOWERED_TO,
            LOWEST,
            pause.as_secs_f64()
        )
        .execute(self.pool())
        .await?;
        Ok(done.rows_affected() > 0)
    }

    pub async fn pace(&self) -> Result<PaceView, Error> {
        let row = sqlx::query!(
            r#"select
                limit_rate,
                rate,
                lowered_at,
                daily_quota,
                drawn.used as "used!",
                case when drawn.used >= daily_quota then drawn.since + interval '24 hours 1 minute' end as next_place_at
            from pace
            cross join lateral (
                select coalesce(sum(minutes.drawn), 0)::bigint as used, min(minutes.minute) as since
                from (
                    select minute, drawn from pace_minutes
                    union all
                    select pace.minute, pace.minute_drawn
                ) as minutes
                where minutes.minute > now() - interval '24 hours 1 minute' and minutes.drawn > 0
            ) as drawn"#
        )
        .fetch_one(self.pool())
        .await?;
        Ok(PaceView {
            limit: row.limit_rate,
            rate: row.rate,
            lowered_at: row.lowered_at.map(Into::into),
            daily_quota: row.daily_quota,
            used: row.used,
            next_place_at: row.next_place_at.map(Into::into),
        })
    }
}
