//! Resend: the mail again, by the same link while its key works, else by a new one.

use std::time::Duration;

use sqlx::PgConnection;

use super::{Desk, Error, Refusal};
use crate::domain::Time;
use crate::domain::audit::{Action, Actor};
use crate::domain::change::Change;
use crate::domain::id::{SendId, UserId, VerificationId};
use crate::domain::resend::{Block, Held, Resend, Standing};
use crate::domain::send::{Priority, ResentHow};
use crate::domain::user::User;
use crate::store::audit::{self, NewEntry};
use crate::store::{self, outbox, undo, users, verifications};
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

/// Who a resend is for, and on what account.
#[derive(Clone, Debug)]
pub(super) struct Target {
    pub(super) user: UserId,
    pub(super) action: Action,
    pub(super) priority: Priority,
    pub(super) asked: Asked,
    /// How long its mail waits, so that it can be taken back.
    pub(super) hold: Duration,
}

/// How a resend is asked for.
#[derive(Clone, Debug)]
pub(super) enum Asked {
    /// By the user themselves (by the link, or by signing up again), or to an address that was never mailed.
    ByUser,
    /// By an operator, who may say why an address that takes no mail is mailed all the same.
    ByOperator { reason: Option<String> },
}

/// What a resend would do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ResendPlan {
    pub how: ResentHow,
    /// Why it needs a reason, if it does.
    pub block: Option<Block>,
}

impl Desk {
    /// Queues a mail to the user of this verification. Whichever of their verifications is named, it is their open one
    /// that is mailed, or a new one if there is none or its time is over.
    pub async fn resend(
        &self,
        actor: &Actor,
        id: VerificationId,
        priority: Priority,
        reason: Option<&str>,
    ) -> Result<Resent, Error> {
        self.changing()?;
        let reason = reason.map(|text| super::reason(text, "mailing an address that takes no mail")).transpose()?;
        let asked = Asked::ByOperator { reason };
        let mut tx = self.store.begin().await?;
        let user = locked_user(&mut tx, id).await?;
        let resent = self
            .resend_locked(
                &mut tx,
                actor,
                Target { user: user.id, action: Action::Resend, priority, asked, hold: self.hold },
            )
            .await?;
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
    pub async fn plan_resend(&self, id: VerificationId) -> Result<ResendPlan, Error> {
        let mut tx = self.store.begin().await?;
        let user = verifications::user_of(&mut tx, id).await?.ok_or_else(|| no_verification(id))?;
        staying(users::get(&mut tx, user).await?.as_ref())?;
        let standing = self.standing(&mut tx, user, true).await?;
        tx.rollback().await?;
        let how = decide(standing, true)?.how();
        let needs_reason = how != ResentHow::BroughtForward;
        Ok(ResendPlan { how, block: standing.0.block.filter(|_| needs_reason) })
    }

    /// The resend of a user whose row this transaction has locked.
    pub(super) async fn resend_locked(
        &self,
        connection: &mut PgConnection,
        actor: &Actor,
        target: Target,
    ) -> Result<Resent, Error> {
        let user = users::lock(connection, target.user).await?.ok_or_else(|| no_user(target.user))?;
        staying(Some(&user))?;
        let (by_operator, reason) = match target.asked {
            Asked::ByUser => (false, None),
            Asked::ByOperator { reason } => (true, reason),
        };
        let standing = self.standing(connection, user.id, by_operator).await?;
        let resend = decide(standing, reason.is_some())?;
        let how = resend.how();
        let mut before = None;
        let (verification, waiting) = match resend {
            Resend::BringForward(verification, send) => {
                if by_operator {
                    before = undo::before_bringing_forward(connection, send).await?;
                }
                outbox::bring_forward(connection, send, target.priority).await?;
                (verification, Some(send))
            }
            Resend::Renew(open) => {
                if by_operator {
                    before = undo::before_renewal(connection, open).await?;
                }
                verifications::renew(connection, open, self.policy.lifetime).await?;
                (open, None)
            }
            Resend::Replace(old) => {
                if let Some(old) = old {
                    verifications::supersede(connection, actor, user.id, old, verifications::TIME_OVER).await?;
                }
                (verifications::insert(connection, user.id, self.policy.lifetime).await?, None)
            }
        };
        let send = if let Some(send) = waiting {
            send
        } else {
            let send = outbox::NewSend { verification, priority: target.priority };
            outbox::queue(connection, send).await?
        };
        if !target.hold.is_zero() {
            undo::hold(connection, send, target.hold).await?;
        }
        let entry = NewEntry {
            actor,
            action: target.action,
            outcome: how.as_str(),
            reason: reason.as_deref(),
            user: Some(user.id),
            verification: Some(verification),
            send: Some(send),
        };
        if before.is_some() {
            audit::append_with(connection, entry, before.as_deref()).await?;
        } else {
            audit::append(connection, entry).await?;
        }
        Ok(Resent { user_id: user.id, verification_id: verification, send_id: send, how })
    }

    /// How the user stands, and what time it is.
    async fn standing(
        &self,
        connection: &mut PgConnection,
        user: UserId,
        by_operator: bool,
    ) -> Result<(Standing, Time), Error> {
        let (mut standing, now) =
            store::resend::standing(connection, user, &self.policy).await?.ok_or_else(|| no_user(user))?;
        if by_operator {
            standing.block = store::resend::block_of(connection, user).await?;
        }
        Ok((standing, now))
    }
}

fn decide((standing, now): (Standing, Time), has_reason: bool) -> Result<Resend, Refusal> {
    standing.alone(has_reason).map_err(|held| match held {
        Held::Verified => Refusal::AlreadyVerified,
        Held::BeingSent => Refusal::BeingSent,
        Held::CoolDown(until) => Refusal::CoolDown { until, now },
        Held::DailyCap(until) => Refusal::DailyCap { until, now },
        Held::Blocked(block) => Refusal::Blocked { block },
    })
}

/// Refused for one who is being deleted.
pub(super) fn staying(user: Option<&User>) -> Result<(), Refusal> {
    if user.is_some_and(|user| user.delete_after.is_some()) { Err(Refusal::BeingDeleted) } else { Ok(()) }
}

/// The user of a verification, their row locked.
async fn locked_user(connection: &mut PgConnection, id: VerificationId) -> Result<User, Error> {
    let user = verifications::user_of(connection, id).await?.ok_or_else(|| no_verification(id))?;
    users::lock(connection, user).await?.ok_or_else(|| no_verification(id))
}

pub(super) fn no_verification(id: VerificationId) -> Error {
    Error::NotFound(plain(&format!("there is no verification {id}")))
}

pub(super) fn no_user(id: UserId) -> Error {
    Error::NotFound(plain(&format!("there is no user {id}")))
}
