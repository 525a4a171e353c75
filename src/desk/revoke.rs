//! Revoke and extend: an operator ends the life of an open verification, or prolongs it.

use super::resend::no_verification;
use super::{Desk, Error, Refusal};
use crate::domain::Time;
use crate::domain::audit::Actor;
use crate::domain::change::Change;
use crate::domain::id::{UserId, VerificationId};
use crate::store::operator_acts::{ActedOn, Outcome};

impl Desk {
    /// Revokes this verification, and cancels its mail that waits. What takes its place is mailed by a resend.
    pub async fn revoke(&self, actor: &Actor, id: VerificationId, reason: &str) -> Result<UserId, Error> {
        self.changing()?;
        let reason = super::reason(reason, "a revocation")?;
        let acted = self.store.revoke(actor, id, &reason).await?;
        let (user, _) = self.changed_open(id, acted).await?;
        Ok(user)
    }

    /// Lets this verification's link work for its whole lifetime from now on, also where it has expired. Nothing is
    /// mailed. Returns until when it works.
    pub async fn extend(&self, actor: &Actor, id: VerificationId, reason: &str) -> Result<Time, Error> {
        self.changing()?;
        let reason = super::reason(reason, "an extension")?;
        let acted = self.store.extend(actor, id, &reason, self.policy.lifetime).await?;
        let (_, until) = self.changed_open(id, acted).await?;
        until.ok_or_else(|| no_verification(id))
    }

    async fn changed_open(&self, id: VerificationId, acted: Option<ActedOn>) -> Result<(UserId, Option<Time>), Error> {
        let acted = acted.ok_or_else(|| no_verification(id))?;
        match acted.outcome {
            Outcome::Done(until) => {
                self.store.notify(Change::Verification(id)).await;
                Ok((acted.user, until))
            }
            Outcome::AlreadyRevoked => Err(Refusal::AlreadyRevoked.into()),
            _ => Err(Refusal::AlreadyVerified.into()),
        }
    }
}
