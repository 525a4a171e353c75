//! Change of address: the commonest cure for a bounce is a typo corrected.

use super::resend::{Asked, Target, no_verification};
use super::sign_up::quoted;
use super::{Desk, Error, Refusal, Resent};
use crate::domain::address::EmailAddress;
use crate::domain::audit::{Action, Actor};
use crate::domain::change::Change;
use crate::domain::id::VerificationId;
use crate::domain::send::Priority;
use crate::store::operator_acts::{self, Outcome};
use crate::text::plain;

impl Desk {
    /// Gives the user of this verification another address and mails them a new link there, all or nothing: under the
    /// rules of a resend, so that no one is mailed through this what they would not be mailed otherwise. Their earlier
    /// links stop working, and they are unverified until they open the new one.
    pub async fn change_address(
        &self,
        actor: &Actor,
        id: VerificationId,
        address: &str,
        reason: &str,
    ) -> Result<(EmailAddress, Resent), Error> {
        self.changing()?;
        let email = EmailAddress::parse(address)
            .map_err(|why| Error::Invalid(plain(&format!("{} is not an address: {why}", quoted(address)))))?;
        let reason = super::reason(reason, "a change of address")?;
        let mut tx = self.store.begin().await?;
        let acted = operator_acts::change_address(&mut tx, actor, id, &email, &reason).await?;
        let acted = acted.ok_or_else(|| no_verification(id))?;
        let refusal = match acted.outcome {
            Outcome::AddressTaken => Refusal::AddressTaken,
            Outcome::SameAddress => Refusal::SameAddress,
            _ => {
                let target = Target {
                    user: acted.user,
                    action: Action::Resend,
                    priority: Priority::Person,
                    asked: Asked::ByUser,
                    hold: self.hold,
                };
                let resent = self.resend_locked(&mut tx, actor, target).await?;
                tx.commit().await?;
                self.store.notify(Change::Verification(id)).await;
                self.store.notify(Change::Verification(resent.verification_id)).await;
                self.store.notify(Change::Queued).await;
                return Ok((email, resent));
            }
        };
        // The attempt is in the audit log.
        tx.commit().await?;
        Err(refusal.into())
    }
}
