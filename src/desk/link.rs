//! The link: looked at, opened, or used to ask for a new mail.

use super::resend::{Resent, Target};
use super::{Desk, Error};
use crate::domain::audit::{Action, Actor};
use crate::domain::change::Change;
use crate::domain::key::Key;
use crate::domain::locale::Locale;
use crate::domain::send::Priority;
use crate::domain::verification::Status;
use crate::store::audit::{self, NewEntry};
use crate::store::verifications::LinkedVerification;
use crate::store::{outbox, users, verifications};

/// What a link leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkOutcome {
    /// It has verified the user, just now or before: she need not know the difference.
    Verified {
        /// Her language.
        locale: Locale,
        /// Whether it was just now.
        now: bool,
    },
    /// It would verify the user.
    Pending {
        /// Her language.
        locale: Locale,
    },
    /// Its time is over.
    Expired {
        /// Her language.
        locale: Locale,
    },
    /// A newer one took its place, or it was withdrawn.
    Revoked {
        /// Her language.
        locale: Locale,
    },
    /// Nobody was ever mailed this key.
    Unknown,
}

impl LinkOutcome {
    fn of(link: &LinkedVerification) -> Self {
        let locale = link.locale;
        match link.status {
            // An older mail's link of somebody who is verified meanwhile leads where the one that did it leads.
            _ if link.user_verified => Self::Verified { locale, now: false },
            Status::Verified => Self::Verified { locale, now: false },
            Status::Revoked => Self::Revoked { locale },
            Status::Expired => Self::Expired { locale },
            Status::Pending => Self::Pending { locale },
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

    /// As in the audit log.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Verified { now: true, .. } => "verified",
            Self::Verified { now: false, .. } => "already_verified",
            Self::Pending { .. } => "pending",
            Self::Expired { .. } => "expired",
            Self::Revoked { .. } => "revoked",
            Self::Unknown => "unknown",
        }
    }
}

impl Desk {
    /// What the link would lead to. Changes nothing.
    pub async fn look_at_link(&self, key: &Key) -> Result<LinkOutcome, Error> {
        let mut connection = self.store.pool().acquire().await?;
        let link = verifications::by_digest(&mut connection, &key.digest()).await?;
        Ok(link.as_ref().map_or(LinkOutcome::Unknown, LinkOutcome::of))
    }

    /// Opens the link: verifies the user if its key still works. The first opening of a link is written into the
    /// audit log whatever comes of it; repeated ones change nothing and write nothing.
    pub async fn open_link(&self, actor: &Actor, key: &Key) -> Result<LinkOutcome, Error> {
        let digest = key.digest();
        {
            let mut connection = self.store.pool().acquire().await?;
            let Some(link) = verifications::by_digest(&mut connection, &digest).await? else {
                return Ok(LinkOutcome::Unknown);
            };
            let outcome = LinkOutcome::of(&link);
            if link.opened && !matches!(outcome, LinkOutcome::Pending { .. }) {
                return Ok(outcome);
            }
        }
        let mut tx = self.store.begin().await?;
        let Some(link) = verifications::by_digest(&mut tx, &digest).await? else { return Ok(LinkOutcome::Unknown) };
        let Some(_) = users::lock(&mut tx, link.user_id).await? else { return Ok(LinkOutcome::Unknown) };
        // Again, now that nobody else can change it.
        let Some(link) = verifications::by_digest(&mut tx, &digest).await? else { return Ok(LinkOutcome::Unknown) };
        let mut outcome = LinkOutcome::of(&link);
        if matches!(outcome, LinkOutcome::Pending { .. }) {
            outcome = match verifications::approve_pending(&mut tx, link.id).await? {
                Some(at) => {
                    users::set_verified(&mut tx, link.user_id, at).await?;
                    outbox::cancel_waiting(&mut tx, link.id, "the user opened the link of an earlier mail").await?;
                    LinkOutcome::Verified { locale: link.locale, now: true }
                }
                // The key's last moment passed since the look above.
                None => LinkOutcome::Expired { locale: link.locale },
            };
        }
        let first = matches!(outcome, LinkOutcome::Verified { now: true, .. })
            || verifications::set_opened(&mut tx, link.id).await?;
        if first {
            let entry = NewEntry {
                actor,
                action: Action::OpenLink,
                outcome: outcome.as_str(),
                reason: None,
                user: Some(link.user_id),
                verification: Some(link.id),
                send: None,
            };
            audit::append(&mut tx, entry).await?;
        }
        tx.commit().await?;
        if first {
            self.store.notify(Change::Verification(link.id)).await;
        }
        Ok(outcome)
    }

    /// Queues a new mail for whoever holds this link, under the cool-down. Nothing for a key that nobody was mailed.
    pub async fn ask_for_new_mail(&self, actor: &Actor, key: &Key) -> Result<Option<Resent>, Error> {
        let mut tx = self.store.begin().await?;
        let Some(link) = verifications::by_digest(&mut tx, &key.digest()).await? else { return Ok(None) };
        let target = Target { user: link.user_id, action: Action::Resend, priority: Priority::Person };
        let resent = self.resend_locked(&mut tx, actor, target).await?;
        tx.commit().await?;
        self.store.notify(Change::Verification(resent.verification_id)).await;
        self.store.notify(Change::Verification(link.id)).await;
        self.store.notify(Change::Queued).await;
        Ok(Some(resent))
    }
}
