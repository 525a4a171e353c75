//! From the outbox to a lane: a batch of due sends, prepared in one transaction.
//!
//! The transaction claims due sends, and while it keeps others off them it reserves send slots of the pace, as many as
//! it has mails, so that no slot is wasted. What got none stays *queued* and is free again when the transaction ends.
//! Then comes the last look before mails go out, and the commitment to their keys. Minutes or days may lie between
//! queueing and sending: what is no longer wanted is cancelled here. A key's digest is committed before anything
//! connects to a mail server, so that no link can be in a mailbox that the database does not know; a digest is never
//! overwritten, so that no link that was mailed once stops working by accident.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use sqlx::PgConnection;
use uuid::Uuid;

use crate::config::Secret;
use crate::contain::{Broke, contained_async};
use crate::domain::Time;
use crate::domain::audit::Actor;
use crate::domain::id::{SendId, UserId, VerificationId};
use crate::domain::key::Key;
use crate::domain::locale::Locale;
use crate::domain::send::MadeOf;
use crate::store::deletion;
use crate::store::outbox::begin::{self, Attempt, Beginning};
use crate::store::outbox::claim;
use crate::store::outbox::claimed::{self, Claimed, Recipient};
use crate::store::outbox::keys;
use crate::store::outbox::standing::{Claimant, ServerRun, Standing};
use crate::store::outbox::waiting;
use crate::store::pace::Reserved;
use crate::store::verifications::KeyMaterial;
use crate::store::{Error, Store, verifications};
use crate::text::plain;

/// Who prepares, and by which rules.
#[derive(Clone, Debug)]
pub(super) struct Preparer {
    /// The worker's run.
    pub(super) worker: Uuid,
    /// As the audit log names it.
    pub(super) actor: Actor,
    pub(super) secret: Secret,
    /// The one before it: links made with that are mailed again as they are.
    pub(super) secret_previous: Option<Secret>,
    /// How long a key works from its mailing on.
    pub(super) lifetime: Duration,
    /// How long the lease lasts from here.
    pub(super) lease: Duration,
    /// How long after it was asked for a mail is old: no longer put off.
    pub(super) old_after: Duration,
    /// What the mails of each language are made of.
    pub(super) made_of: [(Locale, MadeOf); Locale::ALL.len()],
    /// The database's server that it knows; any if none.
    pub(super) server: Option<ServerRun>,
}

/// What came of claiming.
#[derive(Debug, Default)]
pub(super) struct Batch {
    /// To be mailed: they are *sending* now.
    pub(super) ready: Vec<Ready>,
    /// Cancelled, with their verifications; the reasons are recorded.
    pub(super) cancelled: Vec<Option<VerificationId>>,
    /// How many were claimed. Fewer than asked for: no other is due.
    pub(super) claimed: usize,
    /// How many of these are left for later, since an act has their users at this moment.
    pub(super) later: usize,
    /// The slots to send in; `None` if there was nothing to claim.
    pub(super) reserved: Option<Reserved>,
    /// How many were given up, since no mail can be made of what the database holds; the reasons are recorded.
    pub(super) failed: usize,
    /// How the worker stood when it claimed.
    pub(super) standing: Option<Standing>,
}

impl Batch {
    /// Adds one that was prepared on its own. Its slots follow.
    pub(super) fn add(&mut self, other: Self) {
        self.ready.extend(other.ready);
        self.cancelled.extend(other.cancelled);
        self.claimed += other.claimed;
        self.later += other.later;
        self.failed += other.failed;
        self.standing = other.standing.or(self.standing);
        self.reserved = match (self.reserved, other.reserved) {
            (Some(first), Some(next)) => Some(Reserved { count: first.count + next.count, ..first }),
            (first, next) => first.or(next),
        };
    }

    /// Slots reserved and not needed.
    pub(super) fn unused(&self) -> usize {
        self.reserved.map_or(0, |reserved| reserved.count).saturating_sub(self.ready.len())
    }
}

/// Which sends to claim.
#[derive(Clone, Copy, Debug)]
enum Which {
    /// So many that are due.
    Due(usize),
    /// This one.
    Only(SendId),
}

/// How far an attempt came.
#[derive(Debug, Default)]
struct Tried {
    claimed: Vec<SendId>,
    reserved: Option<Reserved>,
}

/// Why an attempt came to nothing.
#[derive(Debug, thiserror::Error)]
pub(super) enum Why {
    #[error(transparent)]
    Error(Error),
    #[error(transparent)]
    Broke(Broke),
}

impl Why {
    /// Whether one send of several may be what it broke on.
    pub(super) fn may_be_of_one(&self) -> bool {
        match self {
            Self::Error(error) => error.is_a_fault(),
            Self::Broke(_) => true,
        }
    }

    /// Whether the send on its own is what it broke on, so that another try would do the same.
    fn is_of_one(&self) -> bool {
        match self {
            Self::Error(error) => error.is_of_the_row(),
            Self::Broke(_) => true,
        }
    }
}

impl From<Why> for Error {
    fn from(why: Why) -> Self {
        match why {
            Why::Error(error) => error,
            Why::Broke(broke) => Self::Other(plain(&broke.to_string())),
        }
    }
}

/// How long a send is put off that could not be prepared for a reason that may pass.
const PUT_OFF: Duration = Duration::from_mins(1);

/// What the pace has not heard of yet: reported with the next reservation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct PaceReport {
    /// Slots reserved in vain.
    pub(super) unused: usize,
    pub(super) accepted: usize,
}

/// All that a mail needs.
#[derive(Debug)]
pub(super) struct Ready {
    pub(super) id: SendId,
    pub(super) attempt: Attempt,
    /// How often the answer to it was lost.
    pub(super) lost: i16,
    /// Whether it was asked for so long ago that it is put off no more.
    pub(super) is_old: bool,
    /// The verification that is mailed; not the one claimed if the server secret was changed.
    pub(super) verification: VerificationId,
    /// The one claimed, if it was superseded for that.
    pub(super) superseded: Option<VerificationId>,
    pub(super) user: Recipient,
    pub(super) key: Key,
    pub(super) expires_at: Time,
}

impl Preparer {
    /// Claims up to `limit` due sends, reserves slots for them, and looks at them again under their users' locks. Where
    /// there is nothing to claim, nothing is reported to the pace; what was reported is taken out of `report`. A batch
    /// that breaks is tried one by one, and the send on which it breaks fails alone.
    pub(super) async fn prepare(&self, store: &Store, limit: usize, report: &mut PaceReport) -> Result<Batch, Error> {
        let mut tried = Tried::default();
        let why = match self.attempt(store, Which::Due(limit), report, &mut tried).await {
            Ok(batch) => return Ok(batch),
            Err(why) => why,
        };
        if !why.may_be_of_one() || tried.claimed.is_empty() {
            return Err(why.into());
        }
        tracing::warn!(%why, count = tried.claimed.len(), "a batch failed; its mails are tried one by one");
        let mut done = Batch::default();
        for id in tried.claimed {
            let mut tried = Tried::default();
            match self.attempt(store, Which::Only(id), report, &mut tried).await {
                Ok(one) => done.add(one),
                Err(why) if why.may_be_of_one() => {
                    done.claimed += 1;
                    done.failed += usize::from(self.leave_out(store, id, &why).await?);
                }
                // What is begun must reach its lane; the others are still queued.
                Err(_) if !done.ready.is_empty() => break,
                Err(why) => return Err(why.into()),
            }
        }
        Ok(done)
    }

    /// Fails the send on which a batch breaks, with its reason; or puts it off if the reason may not lie in it.
    /// Returns whether it was given up.
    pub(super) async fn leave_out(&self, store: &Store, id: SendId, why: &Why) -> Result<bool, Error> {
        let is_given_up = why.is_of_one();
        let reason = format!("the mail could not be prepared: {why}");
        tracing::error!(send = %id, is_given_up, "{reason}");
        if is_given_up {
            return store.give_up(id, &format!("{reason}; look at the rows of its user and verification")).await;
        }
        store.put_off(id, PUT_OFF, &format!("{reason}; it is tried again")).await?;
        Ok(false)
    }

    /// Under which name it claims.
    pub(super) fn claimant(&self) -> Claimant {
        Claimant { worker: Some(self.worker), server: self.server }
    }

    /// One transaction; returns its slots to the pace if it comes to nothing.
    async fn attempt(
        &self,
        store: &Store,
        which: Which,
        report: &mut PaceReport,
        tried: &mut Tried,
    ) -> Result<Batch, Why> {
        let result = contained_async(self.prepare_at_once(store, which, report, tried)).await;
        let why = match result {
            Ok(Ok(batch)) => return Ok(batch),
            Ok(Err(error)) => Why::Error(error),
            Err(broke) => Why::Broke(broke),
        };
        if let Some(reserved) = &tried.reserved {
            // Should even that fail, they are slots lost.
            let _ = store.reserve(0, reserved.count, 0).await;
        }
        Err(why)
    }

    async fn prepare_at_once(
        &self,
        store: &Store,
        which: Which,
        report: &mut PaceReport,
        tried: &mut Tried,
    ) -> Result<Batch, Error> {
        let mut tx = store.begin().await?;
        let mut done = Batch::default();
        let ids = match which {
            Which::Due(limit) => {
                let limit = i64::try_from(limit).unwrap_or(i64::MAX);
                let claim = claim::claim(&mut tx, self.claimant(), limit).await?;
                done.standing = Some(claim.standing);
                claim.ids
            }
            Which::Only(id) => claim::claim_one(&mut tx, id).await?,
        };
        done.claimed = ids.len();
        if ids.is_empty() {
            return Ok(done);
        }
        tried.claimed.clone_from(&ids);
        let locked: HashSet<UserId> = claim::lock_users(&mut tx, &ids).await?.into_iter().collect();
        // Read now that no act can change these users any more.
        let mut sends = claimed::read(&mut tx, &ids, self.old_after).await?;
        sends.retain(|send| send.user.as_ref().is_none_or(|user| locked.contains(&user.id)));
        // As they were claimed: the first gets the first slot.
        sends.sort_by_key(|send| ids.iter().position(|id| *id == send.id));
        done.later = ids.len() - sends.len();
        if sends.is_empty() {
            return Ok(done);
        }
        // Over another connection, in a statement of its own: no one waits for the pace longer than that.
        let reserved = store.reserve(sends.len(), report.unused, report.accepted).await?;
        *report = PaceReport::default();
        tried.reserved = Some(reserved);
        done.reserved = Some(reserved);
        sends.truncate(reserved.count);
        if sends.is_empty() {
            return Ok(done);
        }
        self.begin(&mut tx, &sends, &mut done).await?;
        tx.commit().await?;
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
        let mut wanted: HashMap<SendId, (VerificationId, Key)> = HashMap::new();
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
            waiting::cancel(connection, &unwanted).await?;
        }
        if wanted.is_empty() {
            return Ok(());
        }
        let keys: Vec<_> = wanted.values().map(|(verification, key)| (*verification, key.digest())).collect();
        let expires_at = keys::set_keys(connection, &keys, self.lifetime).await?;
        let locale = |id: SendId| sends.iter().find(|send| send.id == id)?.user.as_ref().map(|user| user.locale);
        let made_of = |id| {
            let locale = locale(id)?;
            self.made_of.iter().find(|(of, _)| *of == locale).map(|(_, made_of)| *made_of)
        };
        let begun: Vec<_> = wanted
            .iter()
            .map(|(&id, &(verification, _))| Beginning { id, verification, made_of: made_of(id) })
            .collect();
        let attempts: HashMap<_, _> =
            begin::begin(connection, self.worker, &begun, self.lease).await?.into_iter().collect();
        // In the order of the slots.
        for send in sends {
            if let Some(attempt) = attempts.get(&send.id)
                && let (Some((verification, key)), Some(expires_at)) = (wanted.remove(&send.id), expires_at)
                && let (Some(user), Some((claimed, _))) = (&send.user, &send.verification)
            {
                done.ready.push(Ready {
                    id: send.id,
                    attempt: *attempt,
                    lost: send.lost,
                    is_old: send.is_old,
                    verification,
                    superseded: (*claimed != verification).then_some(*claimed),
                    user: user.clone(),
                    key,
                    expires_at,
                });
            }
        }
        Ok(())
    }

    /// Which verification is mailed, and its key; or why none is.
    async fn decide(
        &self,
        connection: &mut PgConnection,
        send: &Claimed,
    ) -> Result<Result<(VerificationId, Key), &'static str>, Error> {
        let Some(user) = &send.user else { return Ok(Err("the user was deleted")) };
        if user.is_leaving {
            return Ok(Err(deletion::CANCELLED));
        }
        if user.is_verified {
            return Ok(Err("the user is verified already"));
        }
        let (claimed, material) = match &send.verification {
            None => return Ok(Err("the verification was deleted")),
            Some((_, material)) if !material.open => return Ok(Err("the verification was revoked")),
            Some((id, material)) => (*id, material),
        };
        Ok(Ok(match self.key_of(claimed, material) {
            Some(key) => (claimed, key),
            None => self.replace(connection, user.id, claimed).await?,
        }))
    }

    /// The key of a verification; `None` if one was mailed that none of the secrets makes.
    fn key_of(&self, id: VerificationId, material: &KeyMaterial) -> Option<Key> {
        let made = |secret: &Secret| Key::derive(secret.bytes(), id, &material.nonce);
        let key = made(&self.secret);
        let Some(digest) = material.digest.filter(|digest| *digest != key.digest()) else { return Some(key) };
        let key = self.secret_previous.as_ref().map(made).filter(|key| key.digest() == digest)?;
        tracing::info!(verification = %id, "mailed again with its key of the previous secret");
        Some(key)
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
