//! Webhooks to the site: the outbox of messages, which the database's triggers write, as workers work it off.

mod keep;
mod list;
mod retry;

use std::time::Duration;

use super::{Error, Store};
use crate::domain::Time;
use crate::domain::hook::MessageId;

pub use retry::Retry;

/// Longest error that is kept, in characters.
const ERROR_MAX: usize = 500;

/// A message that is to be delivered now.
#[derive(Clone, Debug)]
pub struct Claimed {
    /// Its place in the order.
    pub number: i64,
    pub id: MessageId,
    pub body: String,
    pub attempt: i32,
    /// The present.
    pub now: Time,
}

/// Why a message was not taken.
#[derive(Clone, Debug)]
pub struct NotTaken {
    pub status: Option<u16>,
    pub error: String,
    /// The beginning of the answer, or nothing. It is kept with the message only, and goes with it: it may name the user.
    pub said: String,
    /// How long until it is tried again.
    pub wait: Duration,
}

/// An endpoint of a worker's settings, as far as the database knows it.
#[derive(Clone, Debug)]
pub struct KnownAs {
    pub name: String,
    /// Its scheme and host, to be shown.
    pub place: String,
    pub wants_expired: bool,
}

impl Store {
    /// Takes up to `limit` messages for an endpoint, of each user only the first that waits; no other worker gets them
    /// until `lease` is over.
    pub async fn claim_webhooks(&self, endpoint: &str, limit: i64, lease: Duration) -> Result<Vec<Claimed>, Error> {
        let rows = sqlx::query!(
            r#"with due as (
                select d.message_id
                from webhook_deliveries d
                where
                    d.endpoint = $1
                    and d.state = 'waiting'
                    and d.due_at <= now()
                    and not exists (
                        select
                        from webhook_deliveries earlier
                        where
                            earlier.endpoint = $1
                            and earlier.state = 'waiting'
                            and earlier.user_id = d.user_id
                            and earlier.message_id < d.message_id
                    )
                    and exists (select from webhook_endpoints e where e.name = $1 and e.disabled_at is null)
                -- By nothing more: what became due together, as thousands that are tried again, would be sorted each time.
                order by d.due_at
                limit $2
                for update of d skip locked
            )
            update webhook_deliveries d
            set
                attempts = d.attempts + 1,
                due_at = now() + make_interval(secs => $3),
                tried_since = coalesce(d.tried_since, now()),
                changed_at = now()
            from due
            join webhook_messages m on m.id = due.message_id
            where d.endpoint = $1 and d.message_id = due.message_id
            returning d.message_id, m.uid, m.body, d.attempts, now() as "now!""#,
            endpoint,
            limit,
            lease.as_secs_f64()
        )
        .fetch_all(self.pool())
        .await?;
        let mut claimed: Vec<Claimed> = rows
            .into_iter()
            .map(|row| Claimed {
                number: row.message_id,
                id: MessageId(row.uid),
                body: row.body,
                attempt: row.attempts,
                now: row.now.into(),
            })
            .collect();
        claimed.sort_by_key(|message| message.number);
        Ok(claimed)
    }

    /// The endpoint has taken a message; what waits behind it is due. Returns whether that is news: it had taken none.
    pub async fn webhook_taken(&self, endpoint: &str, number: i64, status: u16) -> Result<bool, Error> {
        let is_news = sqlx::query_scalar!(
            r#"with taken as (
                update webhook_deliveries
                set state = 'delivered', status = $3, error = null, changed_at = now()
                where endpoint = $1 and message_id = $2
                returning user_id
            ),
            next as (
                update webhook_deliveries d
                set due_at = now()
                from taken
                where
                    d.endpoint = $1
                    and d.state = 'waiting'
                    and d.user_id = taken.user_id
                    and d.message_id > $2
                    and d.due_at > now()
            ),
            -- A row that all deliveries share is not written by each of them.
            noted as (
                update webhook_endpoints
                set failing_since = null, error = null, delivered_at = now()
                where
                    name = $1
                    and (
                        failing_since is not null
                        or delivered_at is null
                        or delivered_at not between now() - interval '10 seconds' and now()
                    )
            )
            select failing_since is not null as "is_news!" from webhook_endpoints where name = $1"#,
            endpoint,
            number,
            i16::try_from(status).unwrap_or_default()
        )
        .fetch_optional(self.pool())
        .await?;
        Ok(is_news.unwrap_or_default())
    }

    /// The endpoint has not taken a message: it is tried again, and what waits behind it not before. Given up where it has
    /// been tried for `longest`. Returns whether it is news that nothing is taken there.
    pub async fn webhook_not_taken(
        &self,
        endpoint: &str,
        claimed: &Claimed,
        why: &NotTaken,
        longest: Duration,
    ) -> Result<bool, Error> {
        let error = kept(&why.error);
        let in_full = if why.said.is_empty() { error.clone() } else { kept(&format!("{error}: {}", why.said)) };
        let is_news = sqlx::query_scalar!(
            r#"with failed as (
                update webhook_deliveries
                set
                    state = case
                        when now() >= tried_since + make_interval(secs => $7) then 'given_up' else 'waiting'
                    end,
                    -- The last time at the end of it.
                    due_at = greatest(
                        now(),
                        least(now() + make_interval(secs => $6), tried_since + make_interval(secs => $7))
                    ),
                    status = $4,
                    error = $8,
                    changed_at = now()
                -- Another worker may have it by now.
                where endpoint = $1 and message_id = $2 and attempts = $3 and state = 'waiting'
                returning user_id, due_at, state
            ),
            tried as (
                insert into webhook_attempts (message_id, endpoint, status, error)
                select $2, $1, $4, $8 from failed
            ),
            behind as (
                update webhook_deliveries d
                set due_at = failed.due_at
                from failed
                where
                    d.endpoint = $1
                    and d.state = 'waiting'
                    and failed.state = 'waiting'
                    and d.user_id = failed.user_id
                    and d.message_id > $2
                    and d.due_at < failed.due_at
            ),
            noted as (
                update webhook_endpoints
                set failing_since = coalesce(failing_since, now()), error = $5
                where name = $1 and (failing_since is null or error is distinct from $5)
            )
            select failing_since is null as "is_news!" from webhook_endpoints where name = $1"#,
            endpoint,
            claimed.number,
            claimed.attempt,
            why.status.and_then(|status| i16::try_from(status).ok()),
            error,
            why.wait.as_secs_f64(),
            longest.as_secs_f64(),
            in_full
        )
        .fetch_optional(self.pool())
        .await?;
        Ok(is_news.unwrap_or_default())
    }

    /// The endpoint wants nothing any more: it is told nothing, and what waits for it is given up.
    pub async fn disable_webhook(&self, endpoint: &str, number: i64, status: u16, error: &str) -> Result<(), Error> {
        let error = kept(error);
        sqlx::query!(
            "with disabled as (
                update webhook_endpoints set disabled_at = now(), error = $2 where name = $1
            ),
            tried as (
                insert into webhook_attempts (message_id, endpoint, status, error)
                select message_id, endpoint, $4, $2
                from webhook_deliveries
                where endpoint = $1 and message_id = $3
            )
            update webhook_deliveries
            set
                state = 'given_up',
                error = $2,
                status = case when message_id = $3 then $4 else status end,
                changed_at = now()
            where endpoint = $1 and state = 'waiting'",
            endpoint,
            error,
            number,
            i16::try_from(status).unwrap_or_default()
        )
        .execute(self.pool())
        .await?;
        Ok(())
    }

    /// What was claimed and not tried to its end is due again.
    pub async fn put_webhooks_back(&self, endpoint: &str, claimed: &[Claimed]) -> Result<(), Error> {
        let (numbers, attempts): (Vec<i64>, Vec<i32>) =
            claimed.iter().map(|claimed| (claimed.number, claimed.attempt)).unzip();
        sqlx::query!(
            "update webhook_deliveries d
            set due_at = now()
            from unnest($2::bigint[], $3::integer[]) as given (number, attempt)
            where d.endpoint = $1 and d.state = 'waiting' and d.message_id = number and d.attempts = attempt",
            endpoint,
            &numbers,
            &attempts
        )
        .execute(self.pool())
        .await?;
        Ok(())
    }

    /// Notes that these endpoints are in a worker's settings: from now on they are told.
    pub async fn have_webhooks(&self, endpoints: &[KnownAs]) -> Result<(), Error> {
        let names: Vec<String> = endpoints.iter().map(|one| one.name.clone()).collect();
        let places: Vec<String> = endpoints.iter().map(|one| one.place.clone()).collect();
        let wants_expired: Vec<bool> = endpoints.iter().map(|one| one.wants_expired).collect();
        sqlx::query!(
            "insert into webhook_endpoints as e (name, place, wants_expired)
            select * from unnest($1::text[], $2::text[], $3::boolean[])
            order by 1
            on conflict (name) do update
            set
                seen_at = now(),
                place = excluded.place,
                wants_expired = excluded.wants_expired,
                -- While no worker was there, nothing was tried.
                failing_since = case when e.seen_at > now() - interval '10 minutes' then e.failing_since end,
                -- Another is no longer that which wanted nothing.
                disabled_at = case when e.place = excluded.place then e.disabled_at end",
            &names,
            &places,
            &wants_expired
        )
        .execute(self.pool())
        .await?;
        Ok(())
    }
}

/// An error as it is kept.
fn kept(error: &str) -> String {
    error.replace('\0', "").chars().take(ERROR_MAX).collect()
}
