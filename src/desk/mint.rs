//! A link made by hand, for an operator who gives it to the user themselves.

use url::Url;

use super::resend::no_verification;
use super::{Desk, Error, Refusal};
use crate::config::Secret;
use crate::domain::Time;
use crate::domain::audit::Actor;
use crate::domain::change::Change;
use crate::domain::id::{UserId, VerificationId};
use crate::domain::key::{Key, secret_fingerprint};
use crate::mail::link::Link;
use crate::store::{self, mint};
use crate::text::plain;

/// A link that was made by hand.
#[derive(Debug)]
pub struct Minted {
    pub user_id: UserId,
    /// The new verification; the user's earlier links do not work any more.
    pub verification_id: VerificationId,
    pub expires_at: Time,
    /// To be shown once, and kept nowhere.
    pub link: Link,
}

impl Desk {
    /// Makes a new link for the user of this verification, in the place of the open one, and mails it to no one. Anyone who
    /// has it can verify the user, so it is for those who may force-verify, on a host with the workers' secret.
    pub async fn mint_link(
        &self,
        actor: &Actor,
        id: VerificationId,
        reason: &str,
        secret: &Secret,
        public_url: &Url,
    ) -> Result<Minted, Error> {
        self.changing()?;
        let reason = super::reason(reason, "a link made by hand")?;
        // With another secret, no worker could mail this link again.
        let outbox = self.store.outbox().await?;
        let newest = outbox.workers.iter().max_by_key(|worker| worker.beat_at);
        if newest.is_some_and(|worker| worker.secret_fingerprint.raw() != secret_fingerprint(secret.bytes())) {
            return Err(Refusal::SecretDiffers.into());
        }
        let mut tx = self.store.begin().await?;
        let minted = mint::mint(&mut tx, actor, id, &reason, self.policy.lifetime).await?;
        let minted = minted.ok_or_else(|| no_verification(id))?;
        let Some((nonce, expires_at)) = minted.made else {
            // The attempt is in the audit log.
            tx.commit().await?;
            return Err(Refusal::AlreadyVerified.into());
        };
        let key = Key::derive(secret.bytes(), minted.verification, &nonce);
        if !mint::commit(&mut tx, minted.verification, &key.digest()).await? {
            return Err(store::Error::Other(plain("the link's digest was not taken")).into());
        }
        tx.commit().await?;
        self.store.notify(Change::Verification(minted.verification)).await;
        // Those that it took the place of are on screens too.
        self.store.notify(Change::Many).await;
        Ok(Minted {
            user_id: minted.user,
            verification_id: minted.verification,
            expires_at,
            link: Link::new(public_url, &key),
        })
    }
}
