//! The link: looked at, opened, or used to ask for a new mail.

use std::time::Duration;

use super::resend::{Asked, Resent, Target};
use super::{Desk, Error};
use crate::domain::audit::{Action, Actor};
use crate::domain::change::Change;
use crate::domain::id::UserId;
use crate::domain::key::Key;
use crate::domain::locale::Locale;
use crate::domain::send::Priority;
use crate::store::verifications::{self, Led, LinkedVerification};

/// What a link leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkOutcome {
    /// It has verified the user, just now or before: they need not know the difference.
    Verified {
        /// The user's language.
        locale: Locale,
        /// Whether it was just now.
        now: bool,
    },
    /// It would verify the user.
    Pending {
        /// The user's language.
        locale: Locale,
    },
    /// Its time is over.
    Expired {
        /// The user's language.
        locale: Locale,
    },
    /// A newer one took its place, or it was withdrawn.
    Revoked {
        /// The user's language.
        locale: Locale,
    },
    /// This key was never mailed to anyone.
    Unknown,
}

impl LinkOutcome {
    fn of(link: &LinkedVerification) -> Self {
        let locale = link.locale;
        match link.outcome {
            Led::Verified => Self::Verified { locale, now: true },
            Led::AlreadyVerified => Self::Verified { locale, now: false },
            Led::Revoked => Self::Revoked { locale },
            Led::Expired => Self::Expired { locale },
            Led::Pending => Self::Pending { locale },
        }
    }

    /// The user's language, where there is a user.
    #[must_use]
    pub fn locale(self) -> Option<Locale> {
        match self {
            Self::Verified { locale, .. }
            | Self::Pending { locale }
            | Self::Expired { locale }
            | Self::Revoked { locale } => Some(locale),
            Self::Unknown => None,
        }
    }
}

/// Who opened a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opener {
    Browser,
    /// What does not look like one.
    Program,
}

impl Desk {
    /// What the link would lead to. Changes nothing.
    pub async fn look_at_link(&self, key: &Key) -> Result<LinkOutcome, Error> {
        let link = self.store.look_at_link(&key.digest()).await?;
        Ok(link.as_ref().map_or(LinkOutcome::Unknown, LinkOutcome::of))
    }

    /// Opens the link: verifies the user if its key still works. The first opening of a link is written into the
    /// audit log whatever comes of it; repeated ones change nothing and write nothing.
    pub async fn open_link(&self, key: &Key, by: Opener) -> Result<LinkOutcome, Error> {
        let Some(opened) = self.store.approve(&key.digest()).await? else { return Ok(LinkOutcome::Unknown) };
        if opened.is_first {
            // The user is verified all the same.
            if by == Opener::Program
                && let Err(error) = self.store.note_odd_opening(opened.link.id).await
            {
                tracing::warn!(%error, "that a link was opened by no browser was not noted");
            }
            self.store.notify(Change::Verification(opened.link.id)).await;
        }
        Ok(LinkOutcome::of(&opened.link))
    }

    /// Whose a link is. `None` for a key that no one was mailed.
    pub async fn user_of_link(&self, key: &Key) -> Result<Option<UserId>, Error> {
        let mut tx = self.store.begin().await?;
        let linked = verifications::user_of_link(&mut tx, &key.digest()).await?;
        tx.rollback().await?;
        Ok(linked.map(|(_, user)| user))
    }

    /// Queues a new mail for the holder of this link, under the cool-down. Nothing for a key that was never mailed.
    pub async fn ask_for_new_mail(&self, actor: &Actor, key: &Key) -> Result<Option<Resent>, Error> {
        let mut tx = self.store.begin().await?;
        let Some((id, user)) = verifications::user_of_link(&mut tx, &key.digest()).await? else { return Ok(None) };
        let target = Target {
            user,
            action: Action::Resend,
            priority: Priority::Person,
            asked: Asked::ByUser,
            hold: Duration::ZERO,
        };
        let resent = self.resend_locked(&mut tx, actor, target).await?;
        tx.commit().await?;
        self.store.notify(Change::Verification(resent.verification_id)).await;
        self.store.notify(Change::Verification(id)).await;
        self.store.notify(Change::Queued).await;
        Ok(Some(resent))
    }
}
