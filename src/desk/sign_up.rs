//! Sign up: a user, a verification and a queued mail, all or nothing.

use std::time::Duration;

use sha2::{Digest as _, Sha256};
use sqlx::PgConnection;
use strum::{EnumString, IntoStaticStr};

use super::resend::{Asked, Target, staying};
use super::{Desk, Error, Refusal};
use crate::domain::address::EmailAddress;
use crate::domain::audit::{Action, Actor};
use crate::domain::change::Change;
use crate::domain::id::{SendId, UserId, VerificationId};
use crate::domain::idempotency::IdempotencyKey;
use crate::domain::locale::Locale;
use crate::domain::name;
use crate::domain::send::Priority;
use crate::store::audit::{self, NewEntry};
use crate::store::idempotency::{self, Known};
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumString, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
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
        self.into()
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
        self.sign_up_under(actor, request, None).await
    }

    /// The same; a request that was done under this key within the last day is not done again, and comes to what it came
    /// to then.
    pub async fn sign_up_once(&self, actor: &Actor, request: &SignUp, key: &IdempotencyKey) -> Result<SignedUp, Error> {
        self.sign_up_under(actor, request, Some(key)).await
    }

    async fn sign_up_under(
        &self,
        actor: &Actor,
        request: &SignUp,
        key: Option<&IdempotencyKey>,
    ) -> Result<SignedUp, Error> {
        self.changing()?;
        let email = EmailAddress::parse(&request.email).map_err(|why| {
            Error::Invalid(plain(&format!("{} is not an address to sign up: {why}", quoted(&request.email))))
        })?;
        let name = name::check(&request.name).map_err(|why| Error::Invalid(plain(&why.to_string())))?;
        let mut tx = self.store.begin().await?;
        if let Some(key) = key {
            match idempotency::take(&mut tx, key, &request.digest()).await? {
                Known::New => {}
                Known::Done { status, user, verification } => {
                    let status = status.parse().unwrap_or(SignUpStatus::Created);
                    return Ok(SignedUp { status, user_id: user, verification_id: verification, send_id: None, email });
                }
                Known::Other => return Err(Refusal::KeyReused.into()),
            }
        }
        let done = self.signed_up(&mut tx, actor, email, name, request.locale).await?;
        if let Some(key) = key {
            idempotency::finish(&mut tx, key, done.status.as_str(), done.user_id, done.verification_id).await?;
        }
        tx.commit().await?;
        if done.status != SignUpStatus::AlreadyVerified {
            if let Some(id) = done.verification_id {
                self.store.notify(Change::Verification(id)).await;
            }
            self.store.notify(Change::Queued).await;
        }
        Ok(done)
    }

    async fn signed_up(
        &self,
        connection: &mut PgConnection,
        actor: &Actor,
        email: EmailAddress,
        name: &str,
        locale: Locale,
    ) -> Result<SignedUp, Error> {
        let done = loop {
            if let Some(user) = users::lock_by_email(connection, &email).await? {
                staying(Some(&user))?;
                if user.verified_at.is_some() {
                    break SignedUp {
                        status: SignUpStatus::AlreadyVerified,
                        user_id: user.id,
                        verification_id: verifications::latest_of(connection, user.id).await?,
                        send_id: None,
                        email,
                    };
                }
                let target = Target {
                    user: user.id,
                    action: Action::SignUp,
                    priority: Priority::Person,
                    asked: Asked::ByUser,
                    hold: Duration::ZERO,
                };
                // It writes its own audit entry.
                let resent = self.resend_locked(connection, actor, target).await?;
                return Ok(SignedUp {
                    status: SignUpStatus::Resent,
                    user_id: user.id,
                    verification_id: Some(resent.verification_id),
                    send_id: Some(resent.send_id),
                    email,
                });
            }
            // `None` if another sign-up of the address was faster: then it is there to be locked.
            let Some(user) = users::insert(connection, &email, name, locale).await? else { continue };
            let verification = verifications::insert(connection, user, self.policy.lifetime).await?;
            let send = outbox::NewSend { verification, priority: Priority::Person };
            let send = outbox::queue(connection, send).await?;
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
        audit::append(connection, entry).await?;
        Ok(done)
    }
}

impl SignUp {
    /// The same for the same request only.
    fn digest(&self) -> [u8; 32] {
        // None of them may hold the byte between them.
        let parts = [self.email.as_str(), self.name.as_str(), self.locale.as_str()];
        Sha256::digest(parts.join("\0")).into()
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
