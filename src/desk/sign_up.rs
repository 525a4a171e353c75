//! Sign up: a user, a verification and a queued mail, all or nothing.

use std::time::Duration;

use super::resend::{Asked, Target, staying};
use super::{Desk, Error};
use crate::domain::address::EmailAddress;
use crate::domain::audit::{Action, Actor};
use crate::domain::change::Change;
use crate::domain::id::{SendId, UserId, VerificationId};
use crate::domain::locale::Locale;
use crate::domain::name;
use crate::domain::send::Priority;
use crate::store::audit::{self, NewEntry};
use crate::store::{outbox, users, verifications};
use crate::text::plain;

/// Someone who wants to join.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SignUp {
    /// Their address, as typed.
    pub email: String,
    /// Their name; may be empty.
    pub name: String,
    /// The language of their mails and pages.
    pub locale: Locale,
}

/// What a sign-up came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignUpStatus {
    /// A new user.
    Created,
    /// They had signed up before and not verified yet: another mail was queued.
    Resent,
    /// They had signed up before and is verified: nothing was done.
    AlreadyVerified,
}

impl SignUpStatus {
    /// As in JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Resent => "resent",
            Self::AlreadyVerified => "already_verified",
        }
    }
}

/// A sign-up that was done.
#[derive(Clone, Debug)]
pub struct SignedUp {
    /// What it came to.
    pub status: SignUpStatus,
    pub user_id: UserId,
    /// Their verification: the one mailed, or the one that verified them.
    pub verification_id: Option<VerificationId>,
    /// The mail that was queued.
    pub send_id: Option<SendId>,
    /// The address as it is stored and mailed.
    pub email: EmailAddress,
}

impl Desk {
    /// Signs an address up. One that is known already gets another mail under the cool-down, or, when it is verified,
    /// nothing; its name and language stay as they are, since one who types a stranger's address into a form must not
    /// change what the stranger reads.
    pub async fn sign_up(&self, actor: &Actor, request: &SignUp) -> Result<SignedUp, Error> {
        self.changing()?;
        let email = EmailAddress::parse(&request.email).map_err(|why| {
            Error::Invalid(plain(&format!("{} is not an address to sign up: {why}", quoted(&request.email))))
        })?;
        let name = name::check(&request.name).map_err(|why| Error::Invalid(plain(&why.to_string())))?;
        let mut tx = self.store.begin().await?;
        let done = loop {
            if let Some(user) = users::lock_by_email(&mut tx, &email).await? {
                staying(Some(&user))?;
                if user.verified_at.is_some() {
                    let verification = verifications::latest_of(&mut tx, user.id).await?;
                    let status = SignUpStatus::AlreadyVerified;
                    break SignedUp { status, user_id: user.id, verification_id: verification, send_id: None, email };
                }
                let target = Target {
                    user: user.id,
                    action: Action::SignUp,
                    priority: Priority::Person,
                    asked: Asked::ByUser,
                    hold: Duration::ZERO,
                };
                let resent = self.resend_locked(&mut tx, actor, target).await?;
                tx.commit().await?;
                self.store.notify(Change::Verification(resent.verification_id)).await;
                self.store.notify(Change::Queued).await;
                return Ok(SignedUp {
                    status: SignUpStatus::Resent,
                    user_id: user.id,
                    verification_id: Some(resent.verification_id),
                    send_id: Some(resent.send_id),
                    email,
                });
            }
            // `None` if another sign-up of the address was faster: then it is there to be locked.
            let Some(user) = users::insert(&mut tx, &email, name, request.locale).await? else { continue };
            let verification = verifications::insert(&mut tx, user, self.policy.lifetime).await?;
            let send = outbox::NewSend { verification, priority: Priority::Person };
            let send = outbox::queue(&mut tx, send).await?;
            break SignedUp {
                status: SignUpStatus::Created,
                user_id: user,
                verification_id: Some(verification),
                send_id: Some(send),
                email,
            };
        };
        let entry = NewEntry {
            actor,
            action: Action::SignUp,
            outcome: done.status.as_str(),
            reason: None,
            user: Some(done.user_id),
            verification: done.verification_id,
            send: done.send_id,
        };
        audit::append(&mut tx, entry).await?;
        tx.commit().await?;
        if let Some(id) = done.verification_id {
            self.store.notify(Change::Verification(id)).await;
        }
        if done.send_id.is_some() {
            self.store.notify(Change::Queued).await;
        }
        Ok(done)
    }
}

/// What someone typed, short enough for an error.
pub(super) fn quoted(text: &str) -> String {
    let mut shown: String = text.chars().take(80).collect();
    if shown.len() < text.len() {
        shown.push('…');
    }
    format!("\"{shown}\"")
}
