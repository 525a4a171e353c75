//! Force-verify: an operator vouches for an address.

use super::resend::no_verification;
use super::{Desk, Error, Refusal};
use crate::domain::Time;
use crate::domain::audit::Actor;
use crate::domain::change::Change;
use crate::domain::id::{UserId, VerificationId};

/// A force-verify that was done.
#[derive(Clone, Debug)]
pub struct ForceVerified {
    /// Who is verified now.
    pub user_id: UserId,
    /// By which verification: the one named, or the user's open one if the named one was revoked.
    pub verification_id: VerificationId,
    pub verified_at: Time,
}

impl Desk {
    /// Verifies the user of this verification without a click. An attempt on someone who is verified already is
    /// refused and still written into the audit log: it shows what the operator meant to do.
    pub async fn force_verify(&self, actor: &Actor, id: VerificationId, reason: &str) -> Result<ForceVerified, Error> {
        self.changing()?;
        let reason = super::reason(reason, "a force-verify")?;
        let vouched = self.store.force_verify(actor, id, &reason, self.policy.lifetime).await?;
        let vouched = vouched.ok_or_else(|| no_verification(id))?;
        let at = vouched.at.ok_or(Refusal::AlreadyVerified)?;
        self.store.notify(Change::Verification(vouched.verification)).await;
        if vouched.verification != id {
            self.store.notify(Change::Verification(id)).await;
        }
        Ok(ForceVerified { user_id: vouched.user, verification_id: vouched.verification, verified_at: at })
    }
}
