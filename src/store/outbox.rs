//! The outbox: sends queued by acts, claimed, begun under a [`lease`] and recorded in [`batch`]es by workers; those
//! whose answer was [`lost`]; and [`mod@test`]s, which no worker touches.

pub mod batch;
pub mod lease;
pub mod lost;
pub mod standing;
pub mod test;

use std::time::Duration;

use sqlx::PgConnection;

use super::Error;
use crate::domain::Time;
use crate::domain::id::{SendId, UserId, VerificationId};
use crate::domain::send::Priority;
use crate::text::plain;

/// A send to be queued.
#[derive(Clone, Copy, Debug)]
pub struct NewSend {
    /// For which verification.
    pub verification: VerificationId,
    /// Who goes first.
    pub priority: Priority,
}

/// Queues a mail within an act's transaction, at the address and in the language that the user's row holds.
pub async fn queue(connection: &mut PgConnection, send: NewSend) -> Result<SendId, Error> {
    let id = SendId::new();
    let is_queued = sqlx::query_scalar!(
        r#"select queue_mail($1, $2, $3) as "is_queued!""#,
        id.0,
        send.verification.0,
        send.priority.rank()
    )
    .fetch_one(connection)
    .await?;
    if is_queued { Ok(id) } else { Err(Error::Other(plain("a mail was not queued: its verification is gone"))) }
}

/// Until when the user's last mail keeps the next one back; nothing if it does not. It counts whatever became of it: who
/// presses again and again before a server that refuses ruins the sender's reputation. Only cancelled ones were never on
/// their way. By the database's clock, which all processes share.
pub async fn cooling_until(
    connection: &mut PgConnection,
    user: UserId,
    cool_down: Duration,
) -> Result<Option<Time>, Error> {
    let until = sqlx::query_scalar!(
        // A clock that was set back leaves some from the future; act by act they are seconds ahead at most.
        "select max(queued_at) + make_interval(secs => $2) as until
        from sends
        where user_id = $1 and state <> 'cancelled' and queued_at <= now() + interval '1 minute'
        having max(queued_at) + make_interval(secs => $2) > now()",
        user.0,
        cool_down.as_secs_f64()
    )
    .fetch_optional(connection)
    .await?;
    Ok(until.flatten().map(Into::into))
}

/// Until when the mails of the last 24 hours keep the next one back; nothing if there were fewer than `daily_cap`. They
/// count as for [`cooling_until`].
pub async fn capped_until(connection: &mut PgConnection, user: UserId, daily_cap: u32) -> Result<Option<Time>, Error> {
    let until = sqlx::query_scalar!(
        r#"select least(queued_at, now()) + interval '24 hours' as "until!"
        from sends
        where
            user_id = $1
            and state <> 'cancelled'
            and queued_at > now() - interval '24 hours'
        order by queued_at desc
        offset $2::bigint - 1
        limit 1"#,
        user.0,
        i64::from(daily_cap.max(1))
    )
    .fetch_optional(connection)
    .await?;
    Ok(until.map(Into::into))
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
