//! The outbox: sends queued by acts, claimed under a lease, recorded by whoever holds it.

use std::time::Duration;

use sqlx::PgConnection;
use uuid::Uuid;

use super::{Error, Store};
use crate::domain::Time;
use crate::domain::id::{SendId, UserId, VerificationId};
use crate::domain::send::{Priority, SendState};

/// A send to be queued.
#[derive(Clone, Copy, Debug)]
pub struct NewSend {
    /// For which verification.
    pub verification: VerificationId,
    /// To which user, at the address and in the language that her row holds.
    pub user: UserId,
    /// Who goes first.
    pub priority: Priority,
}

/// Queues a mail within an act's transaction.
pub async fn queue(connection: &mut PgConnection, send: NewSend) -> Result<SendId, Error> {
    let id = SendId::new();
    sqlx::query!(
        "insert into sends (id, verification_id, user_id, recipient, locale, priority)
        select $1, $2, id, email, locale, $4
        from users
        where id = $3",
        id.0,
        send.verification.0,
        send.user.0,
        send.priority.rank()
    )
    .execute(connection)
    .await?;
    Ok(id)
}

/// Until when the user's last mail keeps the next one back; nothing if it does not. Mails that never went out do not
/// count. By the database's clock, which all processes share.
pub async fn cooling_until(
    connection: &mut PgConnection,
    user: UserId,
    cool_down: Duration,
) -> Result<Option<Time>, Error> {
    let until = sqlx::query_scalar!(
        "select max(queued_at) + make_interval(secs => $2) as until
        from sends
        where user_id = $1 and state not in ('failed', 'cancelled')
        having max(queued_at) + make_interval(secs => $2) > now()",
        user.0,
        cool_down.as_secs_f64()
    )
    .fetch_optional(connection)
    .await?;
    Ok(until.flatten())
}

/// Until when the mails of the last 24 hours keep the next one back; nothing if there were fewer than `daily_cap`. Mails
/// that never went out do not count.
pub async fn capped_until(connection: &mut PgConnection, user: UserId, daily_cap: u32) -> Result<Option<Time>, Error> {
    let until = sqlx::query_scalar!(
        r#"select queued_at + interval '24 hours' as "until!"
        from sends
        where
            user_id = $1
            and state not in ('failed', 'cancelled')
            and queued_at > now() - interval '24 hours'
        order by queued_at desc
        offset $2::bigint - 1
        limit 1"#,
        user.0,
        i64::from(daily_cap.max(1))
    )
    .fetch_optional(connection)
    .await?;
    Ok(until)
}

/// A mail that waits or is being sent.
#[derive(Clone, Copy, Debug)]
pub struct OpenSend {
    /// Which one.
    pub id: SendId,
    /// Whether a worker has it in hand.
    pub in_hand: bool,
}

/// The one mail of a verification that waits or is being sent.
pub async fn open_send(connection: &mut PgConnection, id: VerificationId) -> Result<Option<OpenSend>, Error> {
    let row = sqlx::query!(
        r#"select id, (state = 'sending' or lease_until > now()) is true as "in_hand!"
        from sends
        where verification_id = $1 and state in ('queued', 'sending')"#,
        id.0
    )
    .fetch_optional(connection)
    .await?;
    Ok(row.map(|row| OpenSend { id: SendId(row.id), in_hand: row.in_hand }))
}

/// Makes a waiting mail due now, ahead of bulk. It counts as queued now: the cool-down holds the next asker back, or
/// impatience would use up its tries.
pub async fn bring_forward(connection: &mut PgConnection, id: SendId, priority: Priority) -> Result<(), Error> {
    sqlx::query!(
        "update sends
        set due_at = now(), queued_at = now(), priority = least(priority, $2), changed_at = now()
        where id = $1 and state = 'queued'",
        id.0,
        priority.rank()
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Calls off what waits for a verification that is no longer open. What a worker has in hand it looks at itself.
pub async fn cancel_waiting(connection: &mut PgConnection, id: VerificationId, reason: &str) -> Result<(), Error> {
    sqlx::query!(
        "update sends
        set state = 'cancelled', reason = $2, changed_at = now(), lease_by = null, lease_until = null
        where verification_id = $1 and state = 'queued'",
        id.0,
        reason
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// A send under this worker's lease, about to be handed to a lane.
#[derive(Clone, Debug)]
pub struct LeasedSend {
    /// For which verification; nothing if the user is gone.
    pub verification: Option<VerificationId>,
    /// To which user; nothing if she is gone.
    pub user: Option<UserId>,
}

/// The send if it still waits under this worker's lease.
pub async fn leased(connection: &mut PgConnection, id: SendId, worker: Uuid) -> Result<Option<LeasedSend>, Error> {
    let row = sqlx::query!(
        "select verification_id, user_id from sends where id = $1 and lease_by = $2 and state = 'queued'",
        id.0,
        worker
    )
    .fetch_optional(connection)
    .await?;
    Ok(row
        .map(|row| LeasedSend { verification: row.verification_id.map(VerificationId), user: row.user_id.map(UserId) }))
}

/// Cancels the send under this worker's lease.
pub async fn cancel(connection: &mut PgConnection, id: SendId, worker: Uuid, reason: &str) -> Result<(), Error> {
    sqlx::query!(
        "update sends
        set state = 'cancelled', reason = $3, changed_at = now(), lease_by = null, lease_until = null
        where id = $1 and lease_by = $2 and state = 'queued'",
        id.0,
        worker,
        reason
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Moves the send to *sending* for `verification`, and its lease's end to `lease` from now. False if the lease was
/// lost.
pub async fn begin_sending(
    connection: &mut PgConnection,
    id: SendId,
    worker: Uuid,
    verification: VerificationId,
    lease: Duration,
) -> Result<bool, Error> {
    let done = sqlx::query!(
        "update sends
        set
            state = 'sending',
            verification_id = $3,
            attempts = attempts + 1,
            changed_at = now(),
            lease_until = now() + make_interval(secs => $4)
        where id = $1 and lease_by = $2 and state = 'queued'",
        id.0,
        worker,
        verification.0,
        lease.as_secs_f64()
    )
    .execute(connection)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// What became of a mail that a lane had in hand.
#[derive(Clone, Debug)]
pub enum Fate {
    /// The server took it.
    Accepted {
        /// SES's message id, if the reply held one.
        ses_id: Option<String>,
    },
    /// Tried again later.
    Again {
        /// After how long.
        after: Duration,
        /// Whether this attempt counts towards the limit.
        counts: bool,
        /// Why, in words for an operator.
        reason: String,
    },
    /// Given up.
    Failed {
        /// Why, in words for an operator.
        reason: String,
    },
    /// Nobody knows whether the server took it.
    Unknown {
        /// Why, in words for an operator.
        reason: String,
    },
}

impl Fate {
    /// The state that it leads to.
    #[must_use]
    pub fn state(&self) -> SendState {
        match self {
            Self::Accepted { .. } => SendState::Accepted,
            Self::Again { .. } => SendState::Queued,
            Self::Failed { .. } => SendState::Failed,
            Self::Unknown { .. } => SendState::Unknown,
        }
    }
}

/// Longest reply that is kept, in characters.
const REPLY_MAX: usize = 10_000;

/// A claimed send.
#[derive(Clone, Copy, Debug)]
pub struct Claimed {
    /// Which one.
    pub id: SendId,
    /// How often it was tried before.
    pub attempts: i16,
}

impl Store {
    /// Takes up to `limit` due sends under this worker's lease, people before bulk, the longest due first.
    pub async fn claim(&self, worker: Uuid, limit: i64, lease: Duration) -> Result<Vec<Claimed>, Error> {
        let mut rows = sqlx::query!(
            "update sends
            set lease_by = $1, lease_until = now() + make_interval(secs => $3)
            where id in (
                select id
                from sends
                where state = 'queued' and due_at <= now() and (lease_until is null or lease_until < now())
                order by priority, due_at, id
                limit $2
                for update skip locked
            )
            returning id, attempts, priority, due_at",
            worker,
            limit,
            lease.as_secs_f64()
        )
        .fetch_all(self.pool())
        .await?;
        rows.sort_by_key(|row| (row.priority, row.due_at, row.id));
        Ok(rows.into_iter().map(|row| Claimed { id: SendId(row.id), attempts: row.attempts }).collect())
    }

    /// Records what became of a mail; false if this worker no longer held its lease.
    pub async fn record(&self, id: SendId, worker: Uuid, fate: &Fate, reply: Option<&str>) -> Result<bool, Error> {
        let (mut after, mut counts, mut ses_id) = (0.0, true, None);
        let reason = match fate {
            Fate::Accepted { ses_id: given } => {
                ses_id = given.as_deref();
                None
            }
            Fate::Again { after: wait, counts: counted, reason } => {
                (after, counts) = (wait.as_secs_f64(), *counted);
                Some(reason.as_str())
            }
            Fate::Failed { reason } | Fate::Unknown { reason } => Some(reason.as_str()),
        };
        let reply: Option<String> = reply.map(|text| text.replace('\0', "").chars().take(REPLY_MAX).collect());
        let done = sqlx::query!(
            "update sends
            set
                state = $3,
                changed_at = now(),
                due_at = case when $3 = 'queued' then now() + make_interval(secs => $4) else due_at end,
                attempts = attempts - case when $5 then 0 else 1 end,
                ses_id = $6,
                -- A user deleted meanwhile is forgotten: servers quote the address in what they say.
                reply = case when user_id is not null then $7 end,
                reason = case when user_id is null and $8::text is not null then 'the user was deleted' else $8 end,
                lease_by = null,
                lease_until = null
            where id = $1 and lease_by = $2 and state = 'sending'",
            id.0,
            worker,
            fate.state().as_str(),
            after,
            counts,
            ses_id,
            reply,
            reason
        )
        .execute(self.pool())
        .await?;
        Ok(done.rows_affected() == 1)
    }

    /// Puts back what this worker holds: what is only claimed, but for the sends that it is `busy` with, and of what is
    /// *sending* those that are known to be `unbegun`.
    pub async fn put_back(&self, worker: Uuid, busy: &[SendId], unbegun: &[SendId]) -> Result<u64, Error> {
        let bare = |ids: &[SendId]| ids.iter().map(|id| id.0).collect::<Vec<_>>();
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
                and (state = 'queued' and id <> all ($2) or state = 'sending' and id = any ($3))",
            worker,
            &bare(busy),
            &bare(unbegun)
        )
        .execute(self.pool())
        .await?;
        Ok(done.rows_affected())
    }

    /// Settles mails whose worker died with them in hand: whether the server took them nobody can say.
    pub async fn settle_lost(&self) -> Result<u64, Error> {
        let done = sqlx::query!(
            "update sends
            set
                state = 'unknown',
                changed_at = now(),
                reason = 'the worker died while it was sending; the mail may or may not have gone out',
                lease_by = null,
                lease_until = null
            where state = 'sending' and lease_until < now()"
        )
        .execute(self.pool())
        .await?;
        Ok(done.rows_affected())
    }

    /// How long until the next waiting send is due or free; zero if one is, nothing if none waits.
    pub async fn next_due(&self) -> Result<Option<Duration>, Error> {
        let seconds = sqlx::query_scalar!(
            "select extract(epoch from least(
                (select min(due_at) from sends where state = 'queued' and lease_until is null),
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
