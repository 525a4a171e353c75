//! Force-verify: an operator vouches for an address.

use super::resend::locked_user;
use super::{Desk, Error, Refusal};
use crate::domain::Time;
use crate::domain::audit::{Action, Actor};
use crate::domain::change::Change;
use crate::domain::id::{UserId, VerificationId};
use crate::store::audit::{self, NewEntry};
use crate::store::{outbox, users, verifications};

/// A force-verify that was done.
#[derive(Clone, Debug)]
pub struct ForceVerified {
    /// Who is verified now.
    pub user_id: UserId,
    /// By which verification: the one named, or her open one if the named one was revoked.
    pub verification_id: VerificationId,
    /// Since when.
    pub verified_at: Time,
}

impl Desk {
    /// Verifies the user of this verification without her click. An attempt on somebody who is verified already is
    /// refused and still written into the audit log: it tells what the operator meant to do.
    pub async fn force_verify(&self, actor: &Actor, id: VerificationId, reason: &str) -> Result<ForceVerified, Error> {
        let reason = super::reason(reason, "a force-verify")?;
        let mut tx = self.store.begin().await?;
        let user = locked_user(&mut tx, id).await?;
        let mut entry = NewEntry {
            actor,
            action: Action::ForceVerify,
            outcome: "already_verified",
            reason: Some(&reason),
            user: Some(user.id),
            verification: Some(id),
            send: None,
        };
        if user.verified_at.is_some() {
            audit::append(&mut tx, entry).await?;
            tx.commit().await?;
            return Err(Refusal::AlreadyVerified.into());
        }
        let open = match verifications::open_of(&mut tx, user.id).await? {
            Some(open) => open.id,
            None => verifications::insert(&mut tx, user.id, self.rules.lifetime).await?,
        };
        let at = verifications::approve_open(&mut tx, open).await?.ok_or(Refusal::AlreadyVerified)?;
        users::set_verified(&mut tx, user.id, at).await?;
        outbox::cancel_waiting(&mut tx, open, "an operator verified the user").await?;
        entry.outcome = "verified";
        entry.verification = Some(open);
        audit::append(&mut tx, entry).await?;
        tx.commit().await?;
        self.store.notify(Change::Verification(open)).await;
        Ok(ForceVerified { user_id: user.id, verification_id: open, verified_at: at })
    }
}
