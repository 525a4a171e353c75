//! Identities at SES: consoles and the command line hold no AWS keys, so they ask for one, and a worker adds it.

use super::{Desk, Error, Refusal};
use crate::domain::account::Identity;
use crate::domain::account::act::{AccountAct, Came};
use crate::domain::account::identity_name::IdentityName;
use crate::domain::audit::Actor;
use crate::domain::change::Change;
use crate::domain::id::AccountActId;
use crate::store::account_acts::{self, Ended};
use crate::store::identities;
use crate::text::Untrusted;

impl Desk {
    /// Has an address or a domain added as an identity.
    pub async fn add_identity(
        &self,
        actor: &Actor,
        identity: &IdentityName,
        reason: Option<&str>,
    ) -> Result<AccountActId, Error> {
        self.changing()?;
        let reason = reason.map(|reason| super::reason(reason, "adding an identity")).transpose()?;
        let id = self.store.queue_identity(actor, identity, reason.as_deref()).await?.ok_or(Refusal::ActsFull)?;
        self.store.notify(Change::Account).await;
        Ok(id)
    }

    /// Ends an act that a worker has done, with what SES said of the identity. False where another worker has ended it.
    pub(super) async fn end_identity_act(
        &self,
        act: &AccountAct,
        came: Came,
        identity: Option<&Identity>,
    ) -> Result<bool, Error> {
        let name = act.identity.as_ref().map(Untrusted::raw).unwrap_or_default();
        let domain = identity.filter(|_| !name.contains('@')).map(|identity| (name, identity));
        let mut tx = self.store.begin().await?;
        identities::note_added(&mut tx, domain).await?;
        if !account_acts::end(&mut tx, act, &Ended::well(came)).await? {
            tx.rollback().await?;
            return Ok(false);
        }
        tx.commit().await?;
        self.store.notify(Change::Account).await;
        Ok(true)
    }
}
