//! What any worker does for all webhooks now and then.

use super::super::{Error, Store};
use crate::domain::hook::{KEPT_FOR, TRIED_FOR};

/// The longest that a message waits for its next attempt, and more: what waits for longer was written before the clock was
/// set back.
const WAIT_MAX_SECONDS: f64 = 7.0 * 3600.0;

/// Of how many that have expired is told in a transaction, and how many of those a round has.
const EXPIRED_PIECE: i32 = 500;
const EXPIRED_PIECES: usize = 20;

/// How many rows are changed in a transaction.
const BATCH: i64 = 10_000;

impl Store {
    /// Tells of what has expired, gives up what was tried for too long and what no one delivers any more, and removes what
    /// is old.
    pub async fn keep_webhooks(&self) -> Result<(), Error> {
        let duties = [
            self.tell_of_expired().await,
            self.repair_webhook_times().await,
            self.give_up_webhooks().await,
            self.forget_unseen_endpoints().await,
            self.forget_old_webhooks().await,
        ];
        duties.into_iter().collect()
    }

    /// A few hundred in a transaction, since it holds their rows, and as many of those as a round may take.
    async fn tell_of_expired(&self) -> Result<(), Error> {
        for _ in 0..EXPIRED_PIECES {
            let looked = sqlx::query_scalar!(r#"select tell_of_expired($1) as "looked!""#, EXPIRED_PIECE)
                .fetch_one(self.pool())
                .await?;
            if looked < EXPIRED_PIECE {
                break;
            }
        }
        Ok(())
    }

    async fn repair_webhook_times(&self) -> Result<(), Error> {
        sqlx::query!(
            "update webhook_deliveries
            set due_at = now(), tried_since = least(tried_since, now())
            where state = 'waiting' and due_at > now() + make_interval(secs => $1)",
            WAIT_MAX_SECONDS
        )
        .execute(self.pool())
        .await?;
        Ok(())
    }

    /// Where an endpoint takes nothing, only some messages are tried; the others are as old.
    async fn give_up_webhooks(&self) -> Result<(), Error> {
        sqlx::query!(
            "update webhook_deliveries d
            set state = 'given_up', changed_at = now(), error = coalesce(d.error, old.error)
            from (
                select d.message_id, d.endpoint, e.error
                from webhook_endpoints e
                join webhook_deliveries d on d.endpoint = e.name and d.state = 'waiting'
                join webhook_messages m on m.id = d.message_id
                where
                    e.failing_since < now() - make_interval(secs => $1)
                    and m.at < now() - make_interval(secs => $1)
                    -- It may have been asked for again since.
                    and d.changed_at < now() - make_interval(secs => $1)
                limit $2
                for update of d skip locked
            ) as old
            where d.message_id = old.message_id and d.endpoint = old.endpoint",
            TRIED_FOR.as_secs_f64(),
            BATCH
        )
        .execute(self.pool())
        .await?;
        Ok(())
    }

    async fn forget_unseen_endpoints(&self) -> Result<(), Error> {
        sqlx::query!(
            "with unseen as (
                delete from webhook_endpoints
                where seen_at < now() - make_interval(secs => $1)
                returning name
            )
            update webhook_deliveries d
            set state = 'given_up', changed_at = now(), error = 'no worker has the endpoint in its settings any more'
            from unseen
            where d.endpoint = unseen.name and d.state = 'waiting'",
            KEPT_FOR.as_secs_f64()
        )
        .execute(self.pool())
        .await?;
        Ok(())
    }

    async fn forget_old_webhooks(&self) -> Result<(), Error> {
        sqlx::query!(
            "delete from webhook_messages
            where id in (
                select m.id
                from webhook_messages m
                where
                    m.at < now() - make_interval(secs => $1)
                    and not exists (
                        select from webhook_deliveries d where d.message_id = m.id and d.state = 'waiting'
                    )
                order by m.at
                limit $2
            )",
            KEPT_FOR.as_secs_f64(),
            BATCH
        )
        .execute(self.pool())
        .await?;
        Ok(())
    }
}
