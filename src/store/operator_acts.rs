//! What an operator does about one verification by functions of the database (migrations 33 and 34), which check the rules,
//! change what is to be changed and write the audit entry: take an approval back, revoke, extend, change the address.

use sqlx::PgConnection;

use super::{Error, Store};
use crate::domain::Time;
use crate::domain::address::EmailAddress;
use crate::domain::audit::Actor;
use crate::domain::id::{UserId, VerificationId};
use crate::text::plain;

/// What came of such an act.
#[derive(Clone, Copy, Debug)]
pub struct ActedOn {
    /// Whose verification was named.
    pub user: UserId,
    pub outcome: Outcome,
}

/// Whether it was done, or which rule forbade it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It was done; for an extension, until when the link works.
    Done(Option<Time>),
    NotVerified,
    /// By which verification, if by one.
    VerifiedByAnother(Option<VerificationId>),
    AlreadyVerified,
    AlreadyRevoked,
    AddressTaken,
    SameAddress,
}

impl Store {
    /// Takes back that the user of a verification is verified by it. `None` if there is no such verification.
    pub async fn unverify(&self, actor: &Actor, id: VerificationId, reason: &str) -> Result<Option<ActedOn>, Error> {
        let row = sqlx::query!(
            "select user_id, outcome, verified_by from unverify($1, $2, $3, $4)",
            id.0,
            actor.name,
            actor.origin.as_str(),
            reason
        )
        .fetch_one(self.pool())
        .await?;
        acted_on(row.user_id, row.outcome.as_deref(), None, row.verified_by.map(VerificationId))
    }

    /// Revokes an open verification. `None` if there is no such verification.
    pub async fn revoke(&self, actor: &Actor, id: VerificationId, reason: &str) -> Result<Option<ActedOn>, Error> {
        let row = sqlx::query!(
            "select user_id, outcome from revoke_verification($1, $2, $3, $4)",
            id.0,
            actor.name,
            actor.origin.as_str(),
            reason
        )
        .fetch_one(self.pool())
        .await?;
        acted_on(row.user_id, row.outcome.as_deref(), None, None)
    }

    /// Lets an open verification work for `lifetime` from now on. `None` if there is no such verification.
    pub async fn extend(
        &self,
        actor: &Actor,
        id: VerificationId,
        reason: &str,
        lifetime: std::time::Duration,
    ) -> Result<Option<ActedOn>, Error> {
        let row = sqlx::query!(
            "select user_id, outcome, expires_at from extend_verification($1, $2, $3, $4, $5)",
            id.0,
            actor.name,
            actor.origin.as_str(),
            reason,
            lifetime.as_secs_f64()
        )
        .fetch_one(self.pool())
        .await?;
        acted_on(row.user_id, row.outcome.as_deref(), row.expires_at.map(Into::into), None)
    }
}

/// Changes the address of a verification's user within an act's transaction. `None` if there is no such verification.
pub async fn change_address(
    connection: &mut PgConnection,
    actor: &Actor,
    id: VerificationId,
    email: &EmailAddress,
    reason: &str,
) -> Result<Option<ActedOn>, Error> {
    let row = sqlx::query!(
        "select user_id, outcome from change_address($1, $2, $3, $4, $5)",
        id.0,
        actor.name,
        actor.origin.as_str(),
        reason,
        email.as_str()
    )
    .fetch_one(connection)
    .await?;
    acted_on(row.user_id, row.outcome.as_deref(), None, None)
}

fn acted_on(
    user: Option<i64>,
    word: Option<&str>,
    until: Option<Time>,
    another: Option<VerificationId>,
) -> Result<Option<ActedOn>, Error> {
    let (Some(user), Some(word)) = (user, word) else { return Ok(None) };
    let outcome = match word {
        "done" | "unverified" => Outcome::Done(until),
        "not_verified" => Outcome::NotVerified,
        "verified_by_another" => Outcome::VerifiedByAnother(another),
        "already_verified" => Outcome::AlreadyVerified,
        "revoked" => Outcome::AlreadyRevoked,
        "address_taken" => Outcome::AddressTaken,
        "same_address" => Outcome::SameAddress,
        other => {
            let what = format!("an act came to {other}, which this version does not know");
            return Err(Error::Other(plain(&what)));
        }
    };
    Ok(Some(ActedOn { user: UserId(user), outcome }))
}
