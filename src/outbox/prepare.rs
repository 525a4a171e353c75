//! From the outbox into a worker's hands: a batch in one transaction.
//!
//! The transaction claims due sends, and while it keeps others off them it draws moments from the pace, as many as it
//! has mails, so that no moment is wasted. What got none stays *queued* and is free again when the transaction ends. Then
//! comes the last look before mails go out, and the commitment to their keys. Minutes or days may lie between queueing and sending. What is no longer wanted is cancelled here. A key's digest is
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
use crate::store::outbox::batch::{self, Claimed};
use crate::store::pace::Drawn;
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
    /// How long after it was asked for a mail is old: no longer put off.
    pub old_after: Duration,
}

/// What came of claiming.
#[derive(Debug, Default)]
pub struct Batch {
    /// To be mailed: they are *sending* now.
    pub ready: Vec<Ready>,
    /// Cancelled, with their verifications; the reasons are recorded.
    pub cancelled: Vec<Option<VerificationId>>,
    /// How many were claimed. Fewer than asked for: no other is due.
    pub claimed: usize,
    /// How many of these are left for later, since an act has their users at this moment.
    pub later: usize,
    /// The moments to send at; nothing if there was nothing to claim.
    pub drawn: Option<Drawn>,
}

impl Batch {
    /// Moments drawn and not needed.
    #[must_use]
    pub fn unused(&self) -> usize {
        self.drawn.map_or(0, |drawn| drawn.count).saturating_sub(self.ready.len())
    }
}

/// What to tell the pace at the next draw.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ToTell {
    /// Moments drawn in vain.
    pub unused: usize,
    /// Mails accepted.
    pub accepted: usize,
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
    /// Whether it was asked for so long ago that it is put off no more.
    pub is_old: bool,
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
    is_old: bool,
    claimed: VerificationId,
    verification: VerificationId,
    user: User,
    key: Key,
}

impl Preparer {
    /// Claims up to `limit` due sends, draws moments for them, and looks at them again under their users' locks. Where
    /// there is nothing to claim, nothing is told to the pace.
    pub async fn prepare(&self, store: &Store, limit: usize, to_tell: ToTell) -> Result<Batch, Error> {
        let mut tx = store.begin().await?;
        let ids = batch::claim(&mut tx, i64::try_from(limit).unwrap_or(i64::MAX)).await?;
        let mut done = Batch { claimed: ids.len(), ..Batch::default() };
        if ids.is_empty() {
            return Ok(done);
        }
        let locked: HashSet<UserId> = batch::lock_users(&mut tx, &ids).await?.into_iter().collect();
        // Read now that no act can change these users any more.
        let mut sends = batch::read(&mut tx, &ids, self.old_after).await?;
        sends.retain(|send| send.user.as_ref().is_none_or(|user| locked.contains(&user.id)));
        // As they were claimed: the first gets the first moment.
        sends.sort_by_key(|send| ids.iter().position(|id| *id == send.id));
        done.later = ids.len() - sends.len();
        if sends.is_empty() {
            return Ok(done);
        }
        // Over another connection, in a statement of its own: nobody waits for the pace longer than that.
        let drawn = store.draw(sends.len(), to_tell.unused, to_tell.accepted).await?;
        done.drawn = Some(drawn);
        sends.truncate(drawn.count);
        if sends.is_empty() {
            return Ok(done);
        }
        match self.begin(&mut tx, &sends, &mut done).await {
            Ok(()) => tx.commit().await?,
            Err(error) => {
                // Should even that fail, they are moments lost.
                let _ = store.draw(0, drawn.count, 0).await;
                return Err(error);
            }
        }
        Ok(done)
    }

    /// Cancels what is no longer wanted, commits to the keys of the others, and makes these *sending*.
    pub(super) async fn begin(
        &self,
        connection: &mut PgConnection,
        sends: &[Claimed],
        done: &mut Batch,
    ) -> Result<(), Error> {
        let mut unwanted = Vec::new();
        let mut wanted: HashMap<SendId, Wanted> = HashMap::new();
        for send in sends {
            match self.decide(connection, send).await? {
                Ok(mail) => {
                    wanted.insert(send.id, mail);
                }
                Err(reason) => {
                    unwanted.push((send.id, reason));
                    done.cancelled.push(send.verification.as_ref().map(|(id, _)| *id));
                }
            }
        }
        if !unwanted.is_empty() {
            batch::cancel(connection, &unwanted).await?;
        }
        if !wanted.is_empty() {
            let keys: Vec<_> = wanted.values().map(|mail| (mail.verification, mail.key.digest())).collect();
            let expires_at = batch::set_keys(connection, &keys, self.lifetime).await?;
            let begun: Vec<_> = wanted.iter().map(|(id, mail)| (*id, mail.verification)).collect();
            for (id, attempt) in batch::begin(connection, self.worker, &begun, self.lease).await? {
                if let (Some(mail), Some(expires_at)) = (wanted.remove(&id), expires_at) {
                    let Wanted { lost, is_old, claimed, verification, user, key } = mail;
                    let superseded = (claimed != verification).then_some(claimed);
                    done.ready.push(Ready {
                        id,
                        attempt,
                        lost,
                        is_old,
                        verification,
                        superseded,
                        user,
                        key,
                        expires_at,
                    });
                }
            }
        }
        done.ready.sort_by_key(|ready| sends.iter().position(|send| send.id == ready.id));
        Ok(())
    }

    /// Whether a mail is still wanted, and its key; or why it is not.
    async fn decide(
        &self,
        connection: &mut PgConnection,
        send: &Claimed,
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
        Ok(Ok(Wanted { lost: send.lost, is_old: send.is_old, claimed, verification, user, key }))
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
