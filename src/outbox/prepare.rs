//! The last look before mails go out, and the commitment to their keys: a batch in one transaction.
//!
//! Minutes or days may lie between queueing and sending. What is no longer wanted is cancelled here. A key's digest is
//! committed before anything connects to a mail server, so that no link can be in a mailbox that the database does not
//! know; a digest is never overwritten, so that no link that was mailed once stops working by accident.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use sqlx::PgConnection;
use uuid::Uuid;

use crate::config::Secret;
use crate::domain::Time;
use crate::domain::audit::Actor;
use crate::domain::id::{SendId, UserId, VerificationId};
use crate::domain::key::Key;
use crate::domain::user::User;
use crate::store::outbox::batch::{self, Leased};
use crate::store::{Error, Store, verifications};

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

/// What is to be done with claimed sends. Those in none of these are somebody else's by now.
#[derive(Debug, Default)]
pub struct Batch {
    /// To be mailed: they are *sending* now.
    pub ready: Vec<Ready>,
    /// Cancelled, with their verifications; the reasons are recorded.
    pub cancelled: Vec<Option<VerificationId>>,
    /// Their users are in the hands of an act at this moment: to be looked at again.
    pub later: Vec<SendId>,
}

/// All that a mail needs.
#[derive(Debug)]
pub struct Ready {
    /// The send.
    pub id: SendId,
    /// The number of the try.
    pub attempt: i16,
    /// How often the answer to it was lost.
    pub lost: i16,
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

/// A mail that is wanted, before its state says so.
struct Wanted {
    lost: i16,
    claimed: VerificationId,
    verification: VerificationId,
    user: User,
    key: Key,
}

impl Preparer {
    /// Looks at claimed sends again, in one transaction under their users' locks.
    pub async fn prepare(&self, store: &Store, ids: &[SendId]) -> Result<Batch, Error> {
        let mut tx = store.begin().await?;
        let locked: HashSet<UserId> = batch::lock_users(&mut tx, ids, self.worker).await?.into_iter().collect();
        let mut done = Batch::default();
        let mut unwanted = Vec::new();
        let mut wanted: HashMap<SendId, Wanted> = HashMap::new();
        // Looked at now that no act can change these users any more.
        for send in batch::leased(&mut tx, ids, self.worker).await? {
            if send.user.as_ref().is_some_and(|user| !locked.contains(&user.id)) {
                done.later.push(send.id);
                continue;
            }
            match self.decide(&mut tx, &send).await? {
                Ok(mail) => {
                    wanted.insert(send.id, mail);
                }
                Err(reason) => {
                    unwanted.push((send.id, reason));
                    done.cancelled.push(send.verification.map(|(id, _)| id));
                }
            }
        }
        if !unwanted.is_empty() {
            batch::cancel(&mut tx, self.worker, &unwanted).await?;
        }
        if !wanted.is_empty() {
            let keys: Vec<_> = wanted.values().map(|mail| (mail.verification, mail.key.digest())).collect();
            let expires_at = batch::set_keys(&mut tx, &keys, self.lifetime).await?;
            let sends: Vec<_> = wanted.iter().map(|(id, mail)| (*id, mail.verification)).collect();
            for (id, attempt) in batch::begin(&mut tx, self.worker, &sends, self.lease).await? {
                if let (Some(mail), Some(expires_at)) = (wanted.remove(&id), expires_at) {
                    let Wanted { lost, claimed, verification, user, key } = mail;
                    let superseded = (claimed != verification).then_some(claimed);
                    done.ready.push(Ready { id, attempt, lost, verification, superseded, user, key, expires_at });
                }
            }
        }
        tx.commit().await?;
        Ok(done)
    }

    /// Whether a mail is still wanted, and its key; or why it is not.
    async fn decide(
        &self,
        connection: &mut PgConnection,
        send: &Leased,
    ) -> Result<Result<Wanted, &'static str>, Error> {
        let Some(user) = send.user.clone() else { return Ok(Err("the user was deleted")) };
        if user.verified_at.is_some() {
            return Ok(Err("the user is verified already"));
        }
        let (claimed, material) = match &send.verification {
            None => return Ok(Err("the verification was deleted")),
            Some((_, material)) if !material.open => return Ok(Err("the verification was revoked")),
            Some((id, material)) => (*id, material),
        };
        let key = Key::derive(self.secret.bytes(), claimed, &material.nonce);
        let is_other = material.digest.is_some_and(|digest| digest != key.digest());
        let (verification, key) =
            if is_other { self.replace(connection, user.id, claimed).await? } else { (claimed, key) };
        Ok(Ok(Wanted { lost: send.lost, claimed, verification, user, key }))
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
        Ok((new, Key::derive(self.secret.bytes(), new, &material.nonce)))
    }
}
