//! Which verifications a list shows.

use super::Time;
use super::send::SendState;
use super::verification::Status;
use crate::text::trimmed;

/// From how many characters a search looks inside e-mails and names; shorter ones look at their beginnings only,
/// since a trigram index knows nothing shorter.
pub const SUBSTRING_MIN: usize = 3;

/// Which verifications. The default is all.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Filter {
    /// Of one status, or of all.
    pub status: Option<Status>,
    /// By e-mail, name or number.
    pub search: Option<Search>,
    /// At or after: by the time the list is ordered by (`verified_at` of verified ones, `revoked_at` of revoked,
    /// `expires_at` of expired), else by `created_at`.
    pub since: Option<Time>,
    /// Before; the same time.
    pub until: Option<Time>,
}

/// Which sends. The default is all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SendFilter {
    /// In one state, or in all.
    pub state: Option<SendState>,
    /// By recipient or SES id.
    pub search: Option<Search>,
}

/// What someone typed to find someone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Search {
    typed: String,
    text: String,
}

impl Search {
    /// `None` where there is no text.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let typed = trimmed(text).replace('\0', "");
        (!typed.is_empty()).then(|| Self { text: typed.to_lowercase(), typed })
    }

    /// What to look for, as it was typed: capitals matter in ids.
    #[must_use]
    pub fn typed(&self) -> &str {
        &self.typed
    }

    /// What to look for, in lower case.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The number it may be: `42` or `#42`.
    #[must_use]
    pub fn number(&self) -> Option<i64> {
        self.text.strip_prefix('#').unwrap_or(&self.text).parse().ok().filter(|n| *n > 0)
    }

    /// Whether there is a letter or a digit in it. Without one nothing is found: the index knows nothing else, and one
    /// who types `%` does not mean everyone.
    #[must_use]
    pub fn can_find(&self) -> bool {
        self.text.chars().any(char::is_alphanumeric)
    }

    /// Whether only beginnings are looked at.
    #[must_use]
    pub fn is_prefix(&self) -> bool {
        self.text.chars().count() < SUBSTRING_MIN
    }

    /// The pattern for SQL's `like`.
    #[must_use]
    pub fn like_pattern(&self) -> String {
        let prefix = self.prefix_pattern();
        if self.is_prefix() { prefix } else { format!("%{prefix}") }
    }

    /// The pattern for what begins with it.
    #[must_use]
    pub fn prefix_pattern(&self) -> String {
        let mut pattern = String::new();
        for c in self.text.chars() {
            if matches!(c, '%' | '_' | '\\') {
                pattern.push('\\');
            }
            pattern.push(c);
        }
        pattern.push('%');
        pattern
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn searches() {
        let table = [
            ("Mina", "%mina%", None),
            ("김민", "김민%", None),
            ("a_b%", "%a\\_b\\%%", None),
            ("42", "42%", Some(42)),
            ("#1042", "%#1042%", Some(1042)),
            ("-5", "-5%", None),
        ];
        for (text, pattern, number) in table {
            let search = Search::parse(text).unwrap();
            assert_eq!((search.like_pattern().as_str(), search.number()), (pattern, number), "{text}");
        }
        assert_eq!(Search::parse("  \0 "), None);
    }
}
