//! The last look before a mail goes out, and the commitment to its key.
//!
//! Minutes or days may lie between queueing and sending. What is no longer wanted is cancelled here. The key's digest
//! is committed before anything connects to a mail server, so that no link can be in a mailbox that the database does
//! not know; a digest is never overwritten, so that no link that was mailed once stops working by accident.

use std::time::Duration;

use sqlx::PgConnection;
use uuid::Uuid;

use crate::config::Secret;
use crate::domain::Time;
use crate::domain::audit::Actor;
use crate::domain::id::{SendId, UserId, VerificationId};
use crate::domain::key::Key;
use crate::domain::user::User;
use crate::store::{Error, Store, outbox, users, verifications};

/// Who prepares, and by which rules.
#[derive(Clone, Debug)]
pub struct Preparer {
    /// The worker's run.
    pub worker: Uuid,
    /// As the audit log names it.
    pub actor: Actor,
    /// The server secret.
    pub secret: Secret,
    /// How long a key works from its mailing on.
    pub lifetime: Duration,
    /// How long the lease lasts from here.
    pub lease: Duration,
}

/// What is to be done with a claimed send.
#[derive(Debug)]
pub enum Prepared {
    /// Mail it: it is *sending* now.
    Ready(Box<Ready>),
    /// It was cancelled; the reason is recorded.
    Cancelled(Option<VerificationId>),
    /// Somebody else has it, or it is gone.
    Lost,
}

/// All that the mail needs.
#[derive(Debug)]
pub struct Ready {
    /// The verification that is mailed; not the one claimed if the server secret was changed.
    pub verification: VerificationId,
    /// The one claimed, if it was superseded for that.
    pub superseded: Option<VerificationId>,
    /// To whom.
    pub user: User,
    /// The secret in its link.
    pub key: Key,
    /// Until when the link works.
    pub expires_at: Time,
}

impl Preparer {
    /// Looks at a claimed send again, in one transaction under the user's lock.
    pub async fn prepare(&self, store: &Store, id: SendId) -> Result<Prepared, Error> {
        let mut tx = store.begin().await?;
        let Some(send) = outbox::leased(&mut tx, id, self.worker).await? else { return Ok(Prepared::Lost) };
        let user = match send.user {
            Some(user) => users::lock(&mut tx, user).await?,
            None => None,
        };
        // Again, now that no act on this user can change it.
        if outbox::leased(&mut tx, id, self.worker).await?.is_none() {
            return Ok(Prepared::Lost);
        }
        let (Some(user), Some(verification)) = (user, send.verification) else {
            outbox::cancel(&mut tx, id, self.worker, "the user was deleted").await?;
            tx.commit().await?;
            return Ok(Prepared::Cancelled(None));
        };
        let material = verifications::key_material(&mut tx, verification).await?;
        let unwanted = match &material {
            _ if user.verified_at.is_some() => Some("the user is verified already"),
            None => Some("the verification was deleted"),
            Some(material) if !material.open => Some("the verification was revoked"),
            Some(_) => None,
        };
        let (None, Some(material)) = (unwanted, material) else {
            outbox::cancel(&mut tx, id, self.worker, unwanted.unwrap_or_default()).await?;
            tx.commit().await?;
            return Ok(Prepared::Cancelled(Some(verification)));
        };
        let key = Key::derive(self.secret.bytes(), verification, &material.nonce);
        let claimed = verification;
        let (verification, key) = match material.digest {
            Some(digest) if digest == key.digest() => {
                verifications::renew(&mut tx, verification, self.lifetime).await?;
                (verification, key)
            }
            Some(_) => self.replace(&mut tx, user.id, verification).await?,
            None => {
                verifications::set_digest(&mut tx, verification, &key.digest()).await?;
                verifications::renew(&mut tx, verification, self.lifetime).await?;
                (verification, key)
            }
        };
        if !outbox::begin_sending(&mut tx, id, self.worker, verification, self.lease).await? {
            return Ok(Prepared::Lost);
        }
        let expires_at = verifications::expiry(&mut tx, verification).await?;
        tx.commit().await?;
        let superseded = (claimed != verification).then_some(claimed);
        Ok(Prepared::Ready(Box::new(Ready { verification, superseded, user, key, expires_at })))
    }

    /// A verification in place of one whose key this worker cannot make: the link mailed before keeps its digest, and
    /// leads to the page that speaks of a newer mail.
    async fn replace(
        &self,
        connection: &mut PgConnection,
        user: UserId,
        old: VerificationId,
    ) -> Result<(VerificationId, Key), Error> {
        verifications::supersede(connection, &self.actor, user, old, "the server secret was changed").await?;
        let new = verifications::insert(connection, user, self.lifetime).await?;
        let missing = || Error::from(sqlx::Error::RowNotFound);
        let material = verifications::key_material(connection, new).await?.ok_or_else(missing)?;
        let key = Key::derive(self.secret.bytes(), new, &material.nonce);
        verifications::set_digest(connection, new, &key.digest()).await?;
        Ok((new, key))
    }
}
