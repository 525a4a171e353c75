//! The queues that SES's events come by, as workers saw them.

use super::{Error, Store};
use crate::domain::amazon::{DeadLetters, Depth, EventQueue};

/// How often a queue is asked how much is in it, by all workers together, in seconds.
pub const ASK_EVERY_SECONDS: i32 = 30;

/// How long one that no one reads any more is shown, in seconds.
const SHOWN_SECONDS: i32 = 24 * 60 * 60;

impl Store {
    /// Whether it is this caller's turn to ask the queue how much is in it: one of all workers has it, now and then.
    pub async fn may_ask_queue(&self, url: &str) -> Result<bool, Error> {
        let asked = sqlx::query_scalar!(
            r#"insert into event_queues (url)
            values ($1)
            on conflict (url) do update
            set asked_at = now()
            -- A clock that was set back keeps no one waiting.
            where event_queues.asked_at not between now() - make_interval(secs => $2) and now() + interval '1 minute'
            returning true as "is_asked!""#,
            url,
            f64::from(ASK_EVERY_SECONDS)
        )
        .fetch_optional(self.pool())
        .await?;
        Ok(asked.is_some())
    }

    /// Notes how much is in a queue. Returns whether that is news: trouble began or ended.
    pub async fn note_queue(&self, url: &str, waiting: i64, in_flight: i64, dead: DeadLetters) -> Result<bool, Error> {
        let (has_dead, dead) = match dead {
            DeadLetters::NoQueue => (false, None),
            DeadLetters::Unknown => (true, None),
            DeadLetters::Count(count) => (true, Some(count)),
        };
        let is_news = sqlx::query_scalar!(
            r#"with before as (
                select dead, has_dead_letter_queue, error from event_queues where url = $1
            ),
            noted as (
                update event_queues
                set
                    seen_at = now(),
                    waiting = $2,
                    in_flight = $3,
                    has_dead_letter_queue = $4,
                    dead = $5,
                    error = null,
                    failed_at = null
                where url = $1
            )
            select (dead is distinct from $5 or has_dead_letter_queue is distinct from $4 or error is not null) as "is_news!"
            from before"#,
            url,
            waiting,
            in_flight,
            has_dead,
            dead
        )
        .fetch_optional(self.pool())
        .await?;
        Ok(is_news.unwrap_or(false))
    }

    /// Notes that a queue cannot be read or asked. Returns whether that is news.
    pub async fn note_queue_failure(&self, url: &str, error: &str) -> Result<bool, Error> {
        let is_news = sqlx::query_scalar!(
            r#"insert into event_queues as q (url, error, failed_at)
            values ($1, $2, now())
            on conflict (url) do update
            set error = $2, failed_at = case when q.error is null then now() else q.failed_at end
            where q.error is distinct from $2
            returning true as "is_news!""#,
            url,
            error
        )
        .fetch_optional(self.pool())
        .await?;
        Ok(is_news.is_some())
    }

    /// Notes that a queue is read again. Returns whether that is news.
    pub async fn note_queue_is_read(&self, url: &str) -> Result<bool, Error> {
        let done = sqlx::query!(
            "update event_queues set error = null, failed_at = null where url = $1 and error is not null",
            url
        )
        .execute(self.pool())
        .await?;
        Ok(done.rows_affected() > 0)
    }

    /// Counts messages that were left in a queue, since they are no events.
    pub async fn note_left_alone(&self, url: &str, count: i64) -> Result<(), Error> {
        sqlx::query!(
            "insert into event_queues as q (url, left_alone, left_at)
            values ($1, $2, now())
            on conflict (url) do update set left_alone = q.left_alone + $2, left_at = now()",
            url,
            count
        )
        .execute(self.pool())
        .await?;
        Ok(())
    }

    /// The queues that were read or asked in the last day.
    pub(super) async fn event_queues(&self) -> Result<Vec<EventQueue>, Error> {
        let rows = sqlx::query!(
            "select url, seen_at, waiting, in_flight, dead, has_dead_letter_queue, left_alone, left_at, error, failed_at
            from event_queues
            where asked_at > now() - make_interval(secs => $1)
            order by url
            limit 10",
            f64::from(SHOWN_SECONDS)
        )
        .fetch_all(self.pool())
        .await?;
        let queues = rows.into_iter().map(|row| EventQueue {
            url: row.url.into(),
            depth: row.seen_at.zip(row.waiting).zip(row.in_flight).map(|((seen_at, waiting), in_flight)| Depth {
                seen_at: seen_at.into(),
                waiting,
                in_flight,
                dead_letters: match (row.has_dead_letter_queue, row.dead) {
                    (Some(false), _) => DeadLetters::NoQueue,
                    (_, Some(count)) => DeadLetters::Count(count),
                    (_, None) => DeadLetters::Unknown,
                },
            }),
            left_alone: row.left_alone,
            left_at: row.left_at.map(Into::into),
            error: row.error.zip(row.failed_at).map(|(error, at)| (error.into(), at.into())),
        });
        Ok(queues.collect())
    }

    /// Forgets queues that no one has read for a month.
    pub async fn forget_old_queues(&self) -> Result<(), Error> {
        sqlx::query!("delete from event_queues where asked_at < now() - interval '30 days'")
            .execute(self.pool())
            .await?;
        Ok(())
    }
}
