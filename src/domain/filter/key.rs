//! The words that terms begin with, and which list has which.

use crate::domain::audit::{Action, Origin};
use crate::domain::locale::Locale;
use crate::domain::send::SendState;
use crate::domain::sort::By;
use crate::domain::verification::Status;

use super::Reason;

/// What a term is about: what stands before its colon.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Key {
    Status,
    Domain,
    Locale,
    Created,
    Expires,
    Mail,
    Reason,
    Since,
    Until,
    Job,
    By,
    Action,
    Origin,
    Sort,
}

/// What a line filters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    Verifications,
    Mails,
    Audit,
}

impl Key {
    pub const ALL: [Self; 14] = [
        Self::Status,
        Self::Mail,
        Self::Reason,
        Self::Since,
        Self::Until,
        Self::Domain,
        Self::Locale,
        Self::Created,
        Self::Expires,
        Self::Job,
        Self::By,
        Self::Action,
        Self::Origin,
        Self::Sort,
    ];

    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Status => "status",
            Self::Domain => "domain",
            Self::Locale => "locale",
            Self::Created => "created",
            Self::Expires => "expires",
            Self::Mail => "mail",
            Self::Reason => "reason",
            Self::Since => "since",
            Self::Until => "until",
            Self::Job => "job",
            Self::By => "by",
            Self::Action => "action",
            Self::Origin => "origin",
            Self::Sort => "sort",
        }
    }

    /// By its name in any case. A mail's state goes by that name too.
    #[must_use]
    pub fn of(name: &str) -> Option<Self> {
        let name = name.to_ascii_lowercase();
        if name == "state" {
            return Some(Self::Mail);
        }
        Self::ALL.into_iter().find(|key| key.as_str() == name)
    }

    /// What may stand behind the colon, where that can be listed; else how it begins.
    #[must_use]
    pub fn values(self) -> Vec<String> {
        fn words<'a>(words: impl IntoIterator<Item = &'a str>) -> Vec<String> {
            words.into_iter().map(str::to_owned).collect()
        }
        match self {
            Self::Status => words(Status::ALL.iter().map(|status| status.as_str()).chain(["all"])),
            Self::Locale => words(Locale::ALL.iter().map(|locale| locale.as_str())),
            Self::Mail => words(SendState::ALL.iter().map(|state| state.as_str())),
            Self::Reason => words(Reason::NAMED.iter().map(Reason::as_str)),
            Self::Since | Self::Until => words(["today", "yesterday"]),
            Self::Created | Self::Expires => words(["<", ">", "today", "yesterday"]),
            Self::Action => Action::ALL.iter().map(|action| action.as_str().replace('_', "-")).collect(),
            Self::Origin => words(Origin::ALL.iter().map(|origin| origin.as_str())),
            // Those of sorting depend on the list.
            Self::Domain | Self::Job | Self::By | Self::Sort => Vec::new(),
        }
    }

    /// Whether several values can be given at once, with commas between them.
    #[must_use]
    pub fn takes_several(self) -> bool {
        matches!(self, Self::Mail | Self::Action | Self::Origin)
    }

    /// What belongs behind the colon, in words.
    #[must_use]
    pub fn wants(self) -> String {
        match self {
            Self::Domain => "a whole domain, such as naver.com".into(),
            Self::Created => "such as <2h (in the last two hours), >2d (longer ago), yesterday or 2026-11-01".into(),
            Self::Expires => "such as <6h (within six hours), >2d (later), today or 2026-11-01".into(),
            Self::Since | Self::Until => "such as yesterday, 18:00, 2h (ago) or 2026-11-01T09:30".into(),
            Self::Job => "the id of a bulk resend".into(),
            Self::By => "a part of a system user, of an address that they came from, or of a database role".into(),
            Self::Reason => format!("{}, or a word of what the server said", self.values().join(", ")),
            Self::Sort => {
                "created, expires, verified, revoked or email; of mails queued; with a - before it the other way round"
                    .into()
            }
            Self::Status | Self::Locale => self.values().join(", "),
            Self::Mail | Self::Action | Self::Origin => format!("{}; several with commas", self.values().join(", ")),
        }
    }
}

impl Place {
    /// The terms that it has, in the order in which they are offered.
    #[must_use]
    pub fn keys(self) -> &'static [Key] {
        match self {
            Self::Verifications => &[
                Key::Status,
                Key::Mail,
                Key::Reason,
                Key::Since,
                Key::Until,
                Key::Domain,
                Key::Locale,
                Key::Created,
                Key::Expires,
                Key::Job,
                Key::Sort,
            ],
            Self::Mails => {
                &[Key::Mail, Key::Reason, Key::Since, Key::Until, Key::Domain, Key::Locale, Key::Job, Key::Sort]
            }
            Self::Audit => &[Key::By, Key::Action, Key::Origin, Key::Since, Key::Until],
        }
    }

    /// The orders that its lists can be in.
    #[must_use]
    pub fn orders(self) -> &'static [By] {
        match self {
            Self::Verifications => &[By::Created, By::Expires, By::Verified, By::Revoked, By::Email],
            Self::Mails => &[By::Queued],
            Self::Audit => &[],
        }
    }

    /// What its rows are.
    #[must_use]
    pub fn noun(self) -> &'static str {
        match self {
            Self::Verifications => "verifications",
            Self::Mails => "mails",
            Self::Audit => "the audit log",
        }
    }
}
