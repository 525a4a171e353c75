//! Un-verify: an operator takes back that a user is verified, by whatever that came about.

use super::resend::no_verification;
use super::{Desk, Error, Refusal};
use crate::domain::audit::Actor;
use crate::domain::change::Change;
use crate::domain::id::{UserId, VerificationId};
use crate::store::operator_acts::Outcome;

impl Desk {
    /// Takes back that the user of this verification is verified by it: it is revoked, and a resend mails a new one.
    /// Refused where the state has moved on: where they are not verified, or by another verification.
    pub async fn unverify(&self, actor: &Actor, id: VerificationId, reason: &str) -> Result<UserId, Error> {
        self.changing()?;
        let reason = super::reason(reason, "an un-verify")?;
        let acted = self.store.unverify(actor, id, &reason).await?.ok_or_else(|| no_verification(id))?;
        match acted.outcome {
            Outcome::Done(_) => {}
            Outcome::VerifiedByAnother(by) => return Err(Refusal::VerifiedByAnother { by }.into()),
            _ => return Err(Refusal::NotVerified.into()),
        }
        self.store.notify(Change::Verification(id)).await;
        Ok(acted.user)
    }
}
