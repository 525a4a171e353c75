//! The words that terms begin with, and which list has which.

use crate::domain::locale::Locale;
use crate::domain::send::SendState;
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
}

/// What a line filters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    Verifications,
    Mails,
    Audit,
}

impl Key {
    pub const ALL: [Self; 11] = [
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
    pub fn values(self) -> Vec<&'static str> {
        match self {
            Self::Status => Status::ALL.iter().map(|status| status.as_str()).chain(["all"]).collect(),
            Self::Locale => Locale::ALL.iter().map(|locale| locale.as_str()).collect(),
            Self::Mail => SendState::ALL.iter().map(|state| state.as_str()).collect(),
            Self::Reason => Reason::NAMED.each_ref().iter().map(|reason| named(reason)).collect(),
            Self::Since | Self::Until => vec!["today", "yesterday"],
            Self::Created | Self::Expires => vec!["<", ">", "today", "yesterday"],
            Self::Domain | Self::Job | Self::By => Vec::new(),
        }
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
            Self::By => "an operator's name".into(),
            Self::Reason => format!("{}, or a word of what the server said", self.values().join(", ")),
            Self::Status | Self::Locale => self.values().join(", "),
            Self::Mail => format!("{}; several with commas", self.values().join(", ")),
        }
    }
}

fn named(reason: &Reason) -> &'static str {
    match reason {
        Reason::Suppressed => "suppressed",
        Reason::NoMailbox => "no-mailbox",
        Reason::MailboxFull => "mailbox-full",
        Reason::Said(_) => "",
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
            ],
            Self::Mails => &[Key::Mail, Key::Reason, Key::Since, Key::Until, Key::Domain, Key::Locale, Key::Job],
            Self::Audit => &[Key::By, Key::Since, Key::Until],
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
