//! Links made by hand (`mint_link` in the database): the verification and the digest of its key, in one transaction.

use std::time::Duration;

use sqlx::PgConnection;

use super::Error;
use crate::domain::Time;
use crate::domain::audit::Actor;
use crate::domain::id::{UserId, VerificationId};
use crate::domain::key::{KeyDigest, NONCE_LENGTH, Nonce};
use crate::text::plain;

/// A verification whose key no one has yet.
pub struct Minted {
    pub user: UserId,
    /// The new one; the one that was named if its user is verified already.
    pub verification: VerificationId,
    /// `None` if its user is verified already.
    pub made: Option<(Nonce, Time)>,
}

/// Makes a verification in the place of the open one of this one's user, with its audit entries; or only notes the
/// attempt, where they are verified. `None` if there is no such verification.
pub async fn mint(
    connection: &mut PgConnection,
    actor: &Actor,
    id: VerificationId,
    reason: &str,
    lifetime: Duration,
) -> Result<Option<Minted>, Error> {
    let mut nonce = [0; NONCE_LENGTH];
    getrandom::fill(&mut nonce).map_err(|error| Error::Other(plain(&format!("no random bytes: {error}"))))?;
    let row = sqlx::query!(
        "select user_id, verification_id, expires_at, outcome from mint_link($1, $2, $3, $4, $5, $6)",
        id.0,
        actor.name,
        actor.origin.as_str(),
        reason,
        nonce.as_slice(),
        lifetime.as_secs_f64()
    )
    .fetch_one(connection)
    .await?;
    let (Some(user), Some(verification)) = (row.user_id, row.verification_id) else { return Ok(None) };
    Ok(Some(Minted {
        user: UserId(user),
        verification: VerificationId(verification),
        made: row.expires_at.map(|until| (Nonce(nonce), until.into())),
    }))
}

/// Commits to the key of a link that this transaction has made; false if it has made none.
pub async fn commit(connection: &mut PgConnection, id: VerificationId, digest: &KeyDigest) -> Result<bool, Error> {
    let is_done = sqlx::query_scalar!("select commit_minted_link($1, $2)", id.0, digest.0.as_slice())
        .fetch_one(connection)
        .await?;
    Ok(is_done == Some(true))
}
