//! Requests that were done under an idempotency key.

use sqlx::PgConnection;

use super::{Error, Store};
use crate::domain::id::{UserId, VerificationId};
use crate::domain::idempotency::IdempotencyKey;

/// How long a request that is sent again is known, in seconds.
pub const KEPT_SECONDS: f64 = 86_400.0;

/// How many are forgotten in a transaction.
const BATCH: i64 = 10_000;

/// What is known of a key.
#[derive(Debug)]
pub enum Known {
    /// It is this transaction's.
    New,
    /// The same request was done under it.
    Done { status: String, user: UserId, verification: Option<VerificationId> },
    /// It came with another request.
    Other,
}

/// Takes the key for this transaction. Waits for another one that has it in hand.
pub async fn take(connection: &mut PgConnection, key: &IdempotencyKey, request: &[u8; 32]) -> Result<Known, Error> {
    loop {
        let taken = sqlx::query!(
            "insert into idempotency_keys as known (key_digest, request_digest) values ($1, $2)
            on conflict (key_digest) do update
            set request_digest = excluded.request_digest, made_at = now(), status = null, user_id = null, verification_id = null
            where known.made_at < now() - make_interval(secs => $3)",
            key.digest(),
            request,
            KEPT_SECONDS
        )
        .execute(&mut *connection)
        .await?;
        if taken.rows_affected() == 1 {
            return Ok(Known::New);
        }
        let known = sqlx::query!(
            "select request_digest, status, user_id, verification_id from idempotency_keys where key_digest = $1",
            key.digest()
        )
        .fetch_optional(&mut *connection)
        .await?;
        // Gone since: its user was erased.
        let Some(known) = known else { continue };
        return Ok(match (known.status, known.user_id) {
            (Some(status), Some(user)) if known.request_digest == request => {
                Known::Done { status, user: UserId(user), verification: known.verification_id.map(VerificationId) }
            }
            _ => Known::Other,
        });
    }
}

/// What the request came to, for when it is sent again.
pub async fn finish(
    connection: &mut PgConnection,
    key: &IdempotencyKey,
    status: &str,
    user: UserId,
    verification: Option<VerificationId>,
) -> Result<(), Error> {
    sqlx::query!(
        "update idempotency_keys set status = $2, user_id = $3, verification_id = $4 where key_digest = $1",
        key.digest(),
        status,
        user.0,
        verification.map(|id| id.0)
    )
    .execute(connection)
    .await?;
    Ok(())
}

impl Store {
    /// Forgets keys that are too old, a batch of them: how many.
    pub async fn prune_idempotency_keys(&self) -> Result<u64, Error> {
        let done = sqlx::query!(
            "delete from idempotency_keys
            where ctid = any(array(
                select ctid from idempotency_keys where made_at < now() - make_interval(secs => $1) limit $2
            ))",
            KEPT_SECONDS,
            BATCH
        )
        .execute(self.pool())
        .await?;
        Ok(done.rows_affected())
    }
}
