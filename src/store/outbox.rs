//! The outbox: sends queued by acts; by workers [`claim`]ed, read ([`claimed`]), kept back ([`waiting`]) or given their
//! [`keys`] and begun ([`mod@begin`]) under a [`lease`], and later [`record`]ed; those whose answer was [`lost`]; and
//! [`mod@test`]s, which no worker touches. Each is few statements, however many mails there are.

pub mod begin;
pub mod claim;
pub mod claimed;
pub mod keys;
pub mod lease;
pub mod lost;
pub mod record;
pub mod result;
pub mod standing;
pub mod test;
pub mod waiting;

use sqlx::PgConnection;

use super::Error;
use crate::domain::id::{SendId, VerificationId};
use crate::domain::send::Priority;
use crate::text::plain;

/// A send to be queued.
#[derive(Clone, Copy, Debug)]
pub struct NewSend {
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
