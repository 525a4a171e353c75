//! Acts at AWS. Consoles and the command line hold no AWS keys: what they change there waits in the database until a worker
//! that has the right does it.

use chrono::TimeDelta;
use strum::{EnumString, IntoStaticStr, VariantArray};

use super::identity_name;
use crate::domain::Time;
use crate::domain::id::{AccountActId, SendId, VerificationId};
use crate::text::Untrusted;

/// What is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumString, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "snake_case")]
pub enum ActKind {
    /// Ask whether an address is on the suppression list.
    LookUp,
    /// Take it off.
    Remove,
    /// Put it on.
    Add,
    /// Add an identity: an address or a domain that mails may come from.
    AddIdentity,
}

impl ActKind {
    /// As stored and in JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// The right that its call needs.
    #[must_use]
    pub fn permission(self) -> &'static str {
        match self {
            Self::LookUp => "ses:GetSuppressedDestination",
            Self::Remove => "ses:DeleteSuppressedDestination",
            Self::Add => "ses:PutSuppressedDestination",
            Self::AddIdentity => "ses:CreateEmailIdentity",
        }
    }
}

/// As what an address stands on the suppression list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumString, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "UPPERCASE", ascii_case_insensitive)]
pub enum Listing {
    Bounce,
    Complaint,
}

impl Listing {
    /// As SES has it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// How far it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumString, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum ActState {
    Waiting,
    Done,
    Failed,
}

impl ActState {
    /// As stored and in JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// What SES answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumString, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum Came {
    /// The address is on the list.
    Listed,
    /// It is not, or was not.
    NotListed,
    /// It was taken off or put on; or the identity was added.
    Done,
    /// There was such an identity already.
    Exists,
    Failed,
}

impl Came {
    /// As stored and in JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// An act at AWS.
#[derive(Clone, Debug, PartialEq)]
pub struct AccountAct {
    pub id: AccountActId,
    pub kind: ActKind,
    /// In lower case.
    pub address: Untrusted,
    /// The identity that is added, as SES takes it.
    pub identity: Option<Untrusted>,
    /// As what it is put on the list.
    pub listing: Option<Listing>,
    /// Whose link is mailed again once the address is off the list.
    pub mail_again: Option<VerificationId>,
    pub reason: Option<Untrusted>,
    /// Who asked for it.
    pub actor: Untrusted,
    pub origin: Untrusted,
    pub asked_at: Time,
    pub state: ActState,
    /// How often it was tried.
    pub attempts: i32,
    pub ended_at: Option<Time>,
    /// What SES answered; none while it waits.
    pub came: Option<Came>,
    /// Why it failed, or why it still waits.
    pub error: Option<Untrusted>,
    /// The right that is missing, where that is why.
    pub permission: Option<Untrusted>,
    /// The mail that was queued with it.
    pub send_id: Option<SendId>,
    /// Why none was, though one was asked for.
    pub not_mailed: Option<Untrusted>,
}

impl AccountAct {
    /// How it stands, in a line.
    #[must_use]
    pub fn in_words(&self) -> String {
        let why = || self.error.as_ref().map(|error| error.plain().into_string());
        if let Some(right) = &self.permission {
            return format!("not allowed: {}; give the workers' AWS identity this right", right.plain());
        }
        let what = match (self.state, self.kind, self.came) {
            (ActState::Waiting, ..) => {
                return why().map_or_else(
                    || "waits for a worker that has AWS's keys".into(),
                    |why| format!("is tried again: {why}"),
                );
            }
            (ActState::Failed, ..) => return why().map_or_else(|| "failed".into(), |why| format!("failed: {why}")),
            (_, ActKind::LookUp, Some(Came::Listed)) => "on SES's suppression list",
            (_, ActKind::Remove, Some(Came::Done)) => "taken off SES's suppression list",
            (_, ActKind::Add, _) => "put on SES's suppression list",
            (_, ActKind::AddIdentity, came) => return self.added(came == Some(Came::Exists)),
            (_, ActKind::LookUp | ActKind::Remove, _) => "not on SES's suppression list",
        };
        match (&self.send_id, &self.not_mailed) {
            (Some(_), _) => format!("{what}; the link is mailed again"),
            (None, Some(why)) => format!("{what}; not mailed again: {}", why.plain()),
            (None, None) => what.into(),
        }
    }

    /// What an identity that was added waits for.
    fn added(&self, was_there: bool) -> String {
        let what = if was_there { "is an identity already" } else { "added at SES" };
        let next = if identity_name::is_address(self.address.raw()) {
            "AWS has mailed it a link that its owner has to open"
        } else {
            "SES verifies it when its records are in DNS"
        };
        if was_there { what.into() } else { format!("{what}; {next}") }
    }

    /// Whether it waits, or ended less than a day ago.
    #[must_use]
    pub fn is_news(&self, now: Time) -> bool {
        self.ended_at.is_none_or(|at| now - at < TimeDelta::days(1))
    }

    /// Whether someone has to look.
    #[must_use]
    pub fn is_trouble(&self) -> bool {
        self.state == ActState::Failed || self.error.is_some() || self.not_mailed.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn act(kind: ActKind, came: Option<Came>) -> AccountAct {
        AccountAct {
            id: AccountActId(7),
            kind,
            address: "mina@example.com".into(),
            identity: None,
            listing: None,
            mail_again: None,
            reason: None,
            actor: "mina".into(),
            origin: "cli".into(),
            asked_at: Time::default(),
            state: match came {
                None => ActState::Waiting,
                Some(Came::Failed) => ActState::Failed,
                Some(_) => ActState::Done,
            },
            attempts: 0,
            ended_at: None,
            came,
            error: None,
            permission: None,
            send_id: None,
            not_mailed: None,
        }
    }

    #[test]
    fn each_state_in_words() {
        let failed = |error: &str| AccountAct { error: Some(error.into()), ..act(ActKind::Remove, Some(Came::Failed)) };
        let table = [
            (act(ActKind::LookUp, None), "waits for a worker that has AWS's keys"),
            (
                AccountAct { error: Some("no answer in time".into()), ..act(ActKind::Add, None) },
                "is tried again: no answer in time",
            ),
            (act(ActKind::LookUp, Some(Came::Listed)), "on SES's suppression list"),
            (act(ActKind::LookUp, Some(Came::NotListed)), "not on SES's suppression list"),
            (act(ActKind::Remove, Some(Came::Done)), "taken off SES's suppression list"),
            (act(ActKind::Add, Some(Came::Done)), "put on SES's suppression list"),
            (
                act(ActKind::AddIdentity, Some(Came::Done)),
                "added at SES; AWS has mailed it a link that its owner has to open",
            ),
            (
                AccountAct { address: "example.org".into(), ..act(ActKind::AddIdentity, Some(Came::Done)) },
                "added at SES; SES verifies it when its records are in DNS",
            ),
            (act(ActKind::AddIdentity, Some(Came::Exists)), "is an identity already"),
            (failed("400 \u{1b}[2JBad"), "failed: 400 \u{241b}[2JBad"),
            (
                AccountAct { permission: Some("ses:DeleteSuppressedDestination".into()), ..failed("403") },
                "not allowed: ses:DeleteSuppressedDestination; give the workers' AWS identity this right",
            ),
            (
                AccountAct { send_id: Some(SendId::new()), ..act(ActKind::Remove, Some(Came::Done)) },
                "taken off SES's suppression list; the link is mailed again",
            ),
            (
                AccountAct { not_mailed: Some("verified".into()), ..act(ActKind::Remove, Some(Came::NotListed)) },
                "not on SES's suppression list; not mailed again: verified",
            ),
        ];
        for (act, expected) in table {
            assert_eq!(act.in_words(), expected, "{act:?}");
        }
    }

    #[test]
    fn words_round_trip() {
        for kind in ActKind::VARIANTS {
            assert_eq!(kind.as_str().parse(), Ok(*kind));
        }
        for listing in Listing::VARIANTS {
            assert_eq!(listing.as_str().to_lowercase().parse(), Ok(*listing));
        }
    }
}
