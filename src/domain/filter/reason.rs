//! Why a mail did not arrive, as a filter names it.

use std::fmt;

use crate::domain::event::HELD_BACK;
use crate::domain::verdict::NO_MAILBOX_PHRASES;
use crate::text::trimmed;

/// Why a mail is where it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// A suppression list held it back.
    Suppressed,
    /// The address does not exist.
    NoMailbox,
    MailboxFull,
    /// This is somewhere in the words that were kept, in lower case.
    Said(String),
}

/// The longest text that is looked for, in characters.
const TEXT_MAX: usize = 200;

impl Reason {
    /// Those that have a name.
    pub const NAMED: [Self; 3] = [Self::Suppressed, Self::NoMailbox, Self::MailboxFull];

    /// `None` where it holds no letter and no digit.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = trimmed(text).replace(['\0', '"'], "").to_lowercase();
        let said = || {
            let can_find = text.chars().any(char::is_alphanumeric) && text.chars().count() <= TEXT_MAX;
            can_find.then(|| Self::Said(text.clone()))
        };
        Self::NAMED.into_iter().find(|reason| reason.as_str() == text).or_else(said)
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Suppressed => "suppressed",
            Self::NoMailbox => "no-mailbox",
            Self::MailboxFull => "mailbox-full",
            Self::Said(text) => text,
        }
    }

    /// SES's sub-types that say it, as endings.
    #[must_use]
    pub fn sub_kinds(&self) -> Vec<&'static str> {
        match self {
            Self::Suppressed => HELD_BACK.to_vec(),
            Self::NoMailbox => vec!["NoEmail"],
            Self::MailboxFull => vec!["MailboxFull"],
            Self::Said(_) => Vec::new(),
        }
    }

    /// A regular expression of PostgreSQL's for texts that say it, whatever their case: a server's reply, an event, a
    /// mail's own reason.
    #[must_use]
    pub fn regex(&self) -> String {
        let phrases = match self {
            Self::Suppressed => vec!["suppression list", "suppressed by SES"],
            // By the enhanced status too (RFC 3463).
            Self::NoMailbox => {
                let phrases = NO_MAILBOX_PHRASES.map(escaped).join("|");
                return format!("(^|[^0-9.])5[.]1[.](1|2|10)($|[^0-9.])|{phrases}");
            }
            Self::MailboxFull => vec!["mailbox full", "mailbox is full", "mailbox stayed full", "over quota"],
            Self::Said(text) => vec![text.as_str()],
        };
        phrases.into_iter().map(escaped).collect::<Vec<_>>().join("|")
    }
}

/// As it stands: outside of ASCII nothing has a meaning of its own.
fn escaped(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        if c.is_ascii_punctuation() {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_words() {
        assert_eq!(Reason::parse(" Suppressed "), Some(Reason::Suppressed));
        assert_eq!(Reason::parse("Mailbox Full"), Some(Reason::Said("mailbox full".into())));
        assert_eq!(Reason::parse("5.7.1 (a|b)\0").map(|reason| reason.regex()), Some("5\\.7\\.1 \\(a\\|b\\)".into()));
        for nothing in ["", " ", "%", "\0", &"a".repeat(201)] {
            assert_eq!(Reason::parse(nothing), None, "{nothing:?}");
        }
        assert!(Reason::NAMED.iter().all(|reason| Reason::parse(reason.as_str()).as_ref() == Some(reason)));
    }
}
