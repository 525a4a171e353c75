//! Resend: the mail again, by the same link while its key works, else by a new one.

use sqlx::PgConnection;

use super::{Desk, Error, Refusal};
use crate::domain::audit::{Action, Actor};
use crate::domain::change::Change;
use crate::domain::id::{SendId, UserId, VerificationId};
use crate::domain::send::{Priority, ResentHow};
use crate::domain::user::User;
use crate::store::audit::{self, NewEntry};
use crate::store::{self, outbox, users, verifications};
use crate::text::plain;

/// A resend that was done.
#[derive(Clone, Debug)]
pub struct Resent {
    /// The recipient.
    pub user_id: UserId,
    /// The verification that is mailed: a new one where the old one had expired or was revoked.
    pub verification_id: VerificationId,
    /// The mail.
    pub send_id: SendId,
    /// In which way.
    pub how: ResentHow,
}

/// Whom a resend is for, and on what account.
#[derive(Clone, Copy, Debug)]
pub(super) struct Target {
    pub(super) user: UserId,
    pub(super) action: Action,
    pub(super) priority: Priority,
}

/// What a resend will do to the user's one open verification.
enum Plan {
    BringForward { verification: VerificationId, send: SendId },
    Renew(VerificationId),
    Replace(Option<VerificationId>),
}

impl Plan {
    fn how(&self) -> ResentHow {
        match self {
            Self::BringForward { .. } => ResentHow::BroughtForward,
            Self::Renew(_) => ResentHow::SameLink,
            Self::Replace(_) => ResentHow::NewKey,
        }
    }
}

impl Desk {
    /// Queues a mail to the user of this verification. Whichever of their verifications is named, it is their open one
    /// that is mailed, or a new one if there is none or its time is over.
    pub async fn resend(&self, actor: &Actor, id: VerificationId, priority: Priority) -> Result<Resent, Error> {
        let mut tx = self.store.begin().await?;
        let user = locked_user(&mut tx, id).await?;
        let resent =
            self.resend_locked(&mut tx, actor, Target { user: user.id, action: Action::Resend, priority }).await?;
        tx.commit().await?;
        self.store.notify(Change::Verification(resent.verification_id)).await;
        if resent.verification_id != id {
            self.store.notify(Change::Verification(id)).await;
        }
        self.store.notify(Change::Queued).await;
        Ok(resent)
    }

    /// What a resend would do now, or the refusal that it would meet. Changes nothing and locks nothing: a login that may
    /// only read may ask too.
    pub async fn plan_resend(&self, id: VerificationId) -> Result<ResentHow, Error> {
        let mut tx = self.store.begin().await?;
        let user = verifications::user_of(&mut tx, id).await?.ok_or_else(|| no_verification(id))?;
        let user = users::get(&mut tx, user).await?.ok_or_else(|| no_verification(id))?;
        let plan = self.plan(&mut tx, &user).await?;
        tx.rollback().await?;
        Ok(plan.how())
    }

    /// The resend of a user whose row this transaction has locked.
    pub(super) async fn resend_locked(
        &self,
        connection: &mut PgConnection,
        actor: &Actor,
        target: Target,
    ) -> Result<Resent, Error> {
        let user = users::lock(connection, target.user).await?.ok_or_else(|| no_user(target.user))?;
        let plan = self.plan(connection, &user).await?;
        let how = plan.how();
        let (verification, waiting) = match plan {
            Plan::BringForward { verification, send } => {
                outbox::bring_forward(connection, send, target.priority).await?;
                (verification, Some(send))
            }
            Plan::Renew(open) => {
                verifications::renew(connection, open, self.rules.lifetime).await?;
                (open, None)
            }
            Plan::Replace(old) => {
                if let Some(old) = old {
                    verifications::supersede(connection, actor, user.id, old, verifications::TIME_OVER).await?;
                }
                (verifications::insert(connection, user.id, self.rules.lifetime).await?, None)
            }
        };
        let send = if let Some(send) = waiting {
            send
        } else {
            let send = outbox::NewSend { verification, priority: target.priority };
            outbox::queue(connection, send).await?
        };
        let entry = NewEntry {
            actor,
            action: target.action,
            outcome: how.as_str(),
            reason: None,
            user: Some(user.id),
            verification: Some(verification),
            send: Some(send),
        };
        audit::append(connection, entry).await?;
        Ok(Resent { user_id: user.id, verification_id: verification, send_id: send, how })
    }

    async fn plan(&self, connection: &mut PgConnection, user: &User) -> Result<Plan, Error> {
        if user.verified_at.is_some() {
            return Err(Refusal::AlreadyVerified.into());
        }
        if let Some(until) = outbox::cooling_until(connection, user.id, self.rules.cool_down).await? {
            return Err(Refusal::CoolDown { until, now: store::now(connection).await? }.into());
        }
        let open = verifications::open_of(connection, user.id).await?;
        if let Some(open) = open
            && let Some(send) = outbox::open_send(connection, open.id).await?
        {
            if send.in_hand {
                return Err(Refusal::BeingSent.into());
            }
            // No second mail, so that the daily cap does not matter.
            return Ok(Plan::BringForward { verification: open.id, send: send.id });
        }
        if let Some(until) = outbox::capped_until(connection, user.id, self.rules.daily_cap).await? {
            return Err(Refusal::DailyCap { until, now: store::now(connection).await? }.into());
        }
        Ok(match open {
            Some(open) if open.works() => Plan::Renew(open.id),
            open => Plan::Replace(open.map(|open| open.id)),
        })
    }
}

/// The user of a verification, their row locked.
async fn locked_user(connection: &mut PgConnection, id: VerificationId) -> Result<User, Error> {
    let user = verifications::user_of(connection, id).await?.ok_or_else(|| no_verification(id))?;
    users::lock(connection, user).await?.ok_or_else(|| no_verification(id))
}

pub(super) fn no_verification(id: VerificationId) -> Error {
    Error::NotFound(plain(&format!("there is no verification {id}")))
}

fn no_user(id: UserId) -> Error {
    Error::NotFound(plain(&format!("there is no user {id}")))
}
