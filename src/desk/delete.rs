//! Delete: an operator has a user erased, with all that names them.

use super::resend::{no_user, no_verification, staying};
use super::{Desk, Error, Refusal};
use crate::domain::Time;
use crate::domain::address::EmailAddress;
use crate::domain::audit::Actor;
use crate::domain::change::Change;
use crate::domain::id::VerificationId;
use crate::domain::undo::UNDO_FOR;
use crate::domain::user::User;
use crate::store::deletion::Belongings;
use crate::store::{users, verifications};
use crate::text::plain;

/// Who is meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Whom {
    /// The user of this verification.
    Verification(VerificationId),
    /// The user with this address, however it is capitalised.
    Address(EmailAddress),
}

/// A deletion that was asked for.
#[derive(Clone, Debug)]
pub struct Deletion {
    pub user: User,
    /// The verification by which they were found, or their newest.
    pub verification: Option<VerificationId>,
    /// From when on they are erased; until then, and until someone comes to it, it can be taken back.
    pub delete_after: Time,
}

impl Desk {
    /// Has a user erased, ten seconds from now: as long as that is not done, an undo takes it back. Meanwhile no link of
    /// theirs works, none of their mails goes out, and no other act is done about them. A worker erases them then, or
    /// `verifydesk prune`.
    pub async fn delete_user(&self, actor: &Actor, whom: &Whom, reason: &str) -> Result<Deletion, Error> {
        self.changing()?;
        let reason = super::reason(reason, "a deletion")?;
        let (user, seen) = self.meant(whom).await?;
        let held = self.store.delete_user(actor, user.id, seen, &reason, UNDO_FOR).await?;
        let held = held.ok_or_else(|| no_user(user.id))?;
        if !held.is_new {
            return Err(Refusal::BeingDeleted.into());
        }
        if let Some(id) = seen {
            self.store.notify(Change::Verification(id)).await;
        }
        // Their other verifications and their mails are on screens too.
        self.store.notify(Change::Many).await;
        Ok(Deletion { user, verification: seen, delete_after: held.until })
    }

    /// Who would be erased, and what with them. Changes nothing.
    pub async fn plan_deletion(&self, whom: &Whom) -> Result<(User, Belongings), Error> {
        let (user, _) = self.meant(whom).await?;
        staying(Some(&user))?;
        let belongings = self.store.belongings_of(user.id).await?;
        Ok((user, belongings))
    }

    async fn meant(&self, whom: &Whom) -> Result<(User, Option<VerificationId>), Error> {
        match whom {
            Whom::Verification(id) => {
                let mut tx = self.store.begin().await?;
                let user = verifications::user_of(&mut tx, *id).await?.ok_or_else(|| no_verification(*id))?;
                let user = users::get(&mut tx, user).await?.ok_or_else(|| no_verification(*id))?;
                tx.rollback().await?;
                Ok((user, Some(*id)))
            }
            Whom::Address(email) => {
                let found = self.store.user_state(email).await?;
                let (user, newest) =
                    found.ok_or_else(|| Error::NotFound(plain(&format!("no user has the address {email}"))))?;
                Ok((user, newest.map(|verification| verification.id)))
            }
        }
    }
}
