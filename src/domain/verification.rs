//! Verifications: one key issued to one user.

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};
use strum::{Display, EnumString, IntoStaticStr};

use super::Time;
use super::account::act::AccountAct;
use super::amazon::Suppression;
use super::audit::AuditEntry;
use super::id::{UserId, VerificationId};
use super::send::{LastSend, SendRow};
use super::user::User;

/// What a verification is, at a given time.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Display, EnumString, IntoStaticStr,
)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase", parse_err_ty = UnknownStatus, parse_err_fn = UnknownStatus::of)]
pub enum Status {
    /// Its key would verify.
    Pending,
    /// Its key, or an operator, has verified the user.
    Verified,
    /// Past `expires_at`, and neither verified nor revoked.
    Expired,
    /// Superseded by a newer verification, or withdrawn.
    Revoked,
}

#[derive(Debug, thiserror::Error)]
#[error("unknown status; there are pending, verified, expired and revoked")]
pub struct UnknownStatus;

impl UnknownStatus {
    fn of(_: &str) -> Self {
        Self
    }
}

impl Status {
    /// Every status, in the order that screens show them.
    pub const ALL: [Self; 4] = [Self::Pending, Self::Verified, Self::Expired, Self::Revoked];

    /// The first status that fits.
    #[must_use]
    pub fn at(now: Time, expires_at: Time, verified_at: Option<Time>, revoked_at: Option<Time>) -> Self {
        if verified_at.is_some() {
            Self::Verified
        } else if revoked_at.is_some() {
            Self::Revoked
        } else if expires_at <= now {
            Self::Expired
        } else {
            Self::Pending
        }
    }

    /// The word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// One key issued to one user. At most one of a user's is neither verified nor revoked.
#[derive(Clone, Debug, PartialEq)]
pub struct Verification {
    pub id: VerificationId,
    pub user_id: UserId,
    pub created_at: Time,
    /// When its key stops working; moves when its mail is sent again.
    pub expires_at: Time,
    /// When it verified the user.
    pub verified_at: Option<Time>,
    /// When it was superseded or withdrawn.
    pub revoked_at: Option<Time>,
    /// When its link was first opened, whatever came of it.
    pub opened_at: Option<Time>,
    /// First 8 hexadecimal digits of the key's digest; nothing before the key is first mailed.
    pub key_fingerprint: Option<String>,
}

impl Verification {
    /// Its status at a time.
    #[must_use]
    pub fn status(&self, now: Time) -> Status {
        Status::at(now, self.expires_at, self.verified_at, self.revoked_at)
    }
}

/// A line of a list: a verification, its user, and what became of its last mail.
#[derive(Clone, Debug, PartialEq)]
pub struct VerificationRow {
    pub verification: Verification,
    pub user: User,
    /// The newest of its mails; a cancelled one only where there is no other.
    pub last_send: Option<LastSend>,
}

/// All there is to know about a verification.
#[derive(Clone, Debug, PartialEq)]
pub struct VerificationDetail {
    pub verification: Verification,
    pub user: User,
    /// The user's other verifications, newest first.
    pub others: Vec<Verification>,
    /// Mails of this verification, newest first, at most [`DETAIL_MAX`].
    pub sends: Vec<SendRow>,
    /// Those of the user's [`DETAIL_MAX`] newest mails that are of others of their verifications, newest first.
    pub other_sends: Vec<SendRow>,
    pub in_all: InAll,
    /// The user's audit trail, newest first, at most [`DETAIL_MAX`].
    pub audit: Vec<AuditEntry>,
    /// What SES's suppression list says of their address, if that was asked.
    pub suppression: Option<Suppression>,
    /// What was last asked for at AWS about their address, if something was.
    pub act: Option<AccountAct>,
    /// Whether the first opening did not look like a browser's.
    pub is_oddly_opened: bool,
}

/// How many verifications a user has, and how many mails were made for them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InAll {
    pub verifications: Counted,
    pub mails: Counted,
}

/// A number that is counted no further than [`Counted::MAX`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counted {
    pub count: i64,
    /// Whether that is all. If not, there are at least so many.
    pub is_all: bool,
}

impl Counted {
    pub const MAX: i64 = 1_000;

    /// Of what was counted to one more than [`Counted::MAX`].
    #[must_use]
    pub fn of(count: i64) -> Self {
        Self { count: count.min(Self::MAX), is_all: count <= Self::MAX }
    }
}

/// What is said of such an opening.
pub const PROBABLY_SCANNED: &str = "probably a mail scanner";

/// How soon after the delivery an opening is a program's rather than a person's.
const TOO_SOON: TimeDelta = TimeDelta::seconds(5);

impl VerificationDetail {
    /// The user's verifications, this one among them, newest first.
    #[must_use]
    pub fn verifications(&self) -> Vec<&Verification> {
        let mut all: Vec<_> = std::iter::once(&self.verification).chain(&self.others).collect();
        all.sort_by_key(|verification| std::cmp::Reverse(verification.id));
        all
    }

    /// The user's mails, of whichever verification, newest first.
    #[must_use]
    pub fn mails(&self) -> Vec<&SendRow> {
        let mut all: Vec<_> = self.sends.iter().chain(&self.other_sends).collect();
        all.sort_by_key(|send| std::cmp::Reverse(send.id));
        all
    }

    /// The one that took the place of a revoked one.
    #[must_use]
    pub fn replaced_by(&self) -> Option<&Verification> {
        self.verification.revoked_at?;
        self.others.iter().filter(|other| other.revoked_at.is_none()).max_by_key(|other| other.id)
    }

    /// Whether the first opening was probably a mail scanner's: by what is no browser, or within seconds of when the
    /// receiving server took the mail, or before that, while it looked at it. For people to see; nothing is decided by it.
    #[must_use]
    pub fn is_probably_scanned(&self) -> bool {
        let Some(opened_at) = self.verification.opened_at else { return false };
        if self.is_oddly_opened {
            return true;
        }
        let before = self.sends.iter().filter(|send| send.queued_at <= opened_at);
        let deliveries = before.flat_map(|send| &send.events).filter(|event| event.kind.raw() == "Delivery");
        // What was delivered first could be opened first.
        deliveries.map(|event| event.occurred_at).min().is_some_and(|delivered_at| opened_at - delivered_at < TOO_SOON)
    }
}

/// How many sends and audit entries a detail view loads.
pub const DETAIL_MAX: i64 = 50;

/// How many verifications there are of each status.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Of status pending.
    pub pending: i64,
    /// Of status verified.
    pub verified: i64,
    /// Of status expired.
    pub expired: i64,
    /// Of status revoked.
    pub revoked: i64,
}

impl Counts {
    /// The count of one status, or of all.
    #[must_use]
    pub fn of(&self, status: Option<Status>) -> i64 {
        match status {
            Some(Status::Pending) => self.pending,
            Some(Status::Verified) => self.verified,
            Some(Status::Expired) => self.expired,
            Some(Status::Revoked) => self.revoked,
            None => self.pending + self.verified + self.expired + self.revoked,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::{Duration, TimeZone, Utc};

    #[test]
    fn first_status_that_fits() {
        let now = Utc.timestamp_opt(1_800_000_000, 0).unwrap();
        let (past, future) = (now - Duration::seconds(1), now + Duration::seconds(1));
        let table = [
            (future, None, None, Status::Pending),
            (now, None, None, Status::Expired),
            (past, None, None, Status::Expired),
            (past, Some(past), None, Status::Verified),
            (future, Some(past), Some(past), Status::Verified),
            (past, None, Some(past), Status::Revoked),
            (future, None, Some(past), Status::Revoked),
        ];
        for (expires_at, verified_at, revoked_at, status) in table {
            let verification = Verification {
                id: VerificationId(1),
                user_id: UserId(1),
                created_at: past,
                expires_at,
                verified_at,
                revoked_at,
                opened_at: None,
                key_fingerprint: None,
            };
            assert_eq!(verification.status(now), status, "{verification:?}");
        }
    }
}
