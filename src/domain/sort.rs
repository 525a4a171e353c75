//! In which order a list is.

use std::fmt;
use std::str::FromStr;

use super::verification::Status;

/// By what.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum By {
    Created,
    Expires,
    Verified,
    Revoked,
    Email,
    /// Of mails.
    Queued,
}

/// An order. Rows that are alike in it are in the order of their numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sort {
    pub by: By,
    /// Whether the least comes first: the oldest, or what begins with *a*.
    pub is_up: bool,
}

/// Not an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("use created, expires, verified, revoked or email; with a - before it the other way round")]
pub struct UnknownSort;

impl By {
    pub const ALL: [Self; 6] = [Self::Created, Self::Expires, Self::Verified, Self::Revoked, Self::Email, Self::Queued];

    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Expires => "expires",
            Self::Verified => "verified",
            Self::Revoked => "revoked",
            Self::Email => "email",
            Self::Queued => "queued",
        }
    }

    /// The order by it that begins with the greatest, as it is written.
    #[must_use]
    pub fn reversed(self) -> &'static str {
        match self {
            Self::Created => "-created",
            Self::Expires => "-expires",
            Self::Verified => "-verified",
            Self::Revoked => "-revoked",
            Self::Email => "-email",
            Self::Queued => "-queued",
        }
    }

    /// What verifications of a status are in the order of where nothing else is asked for.
    #[must_use]
    pub fn default_of(status: Option<Status>) -> Self {
        match status {
            None => Self::Created,
            Some(Status::Pending | Status::Expired) => Self::Expires,
            Some(Status::Verified) => Self::Verified,
            Some(Status::Revoked) => Self::Revoked,
        }
    }
}

impl Sort {
    /// The order of a status where nothing else is asked for: the newest first.
    #[must_use]
    pub fn default_of(status: Option<Status>) -> Self {
        Self { by: By::default_of(status), is_up: false }
    }

    /// The orders that a list of verifications can be in, its own first: each is that of an index.
    #[must_use]
    pub fn all_of(status: Option<Status>) -> Vec<Self> {
        let both = |by| [Self { by, is_up: by == By::Email }, Self { by, is_up: by != By::Email }];
        [By::default_of(status), By::Email].into_iter().flat_map(both).collect()
    }

    /// Whether verifications of a status can be in it.
    #[must_use]
    pub fn fits(self, status: Option<Status>) -> bool {
        Self::all_of(status).contains(&self)
    }

    /// In words: what comes first.
    #[must_use]
    pub fn in_words(self) -> &'static str {
        match (self.by, self.is_up) {
            (By::Created, false) => "made last first",
            (By::Created, true) => "made first first",
            (By::Expires, false) => "expiring last first",
            (By::Expires, true) => "expiring soonest first",
            (By::Verified, false) => "verified last first",
            (By::Verified, true) => "verified first first",
            (By::Revoked, false) => "revoked last first",
            (By::Revoked, true) => "revoked first first",
            (By::Email, false) => "e-mail, z to a",
            (By::Email, true) => "e-mail, a to z",
            (By::Queued, false) => "queued last first",
            (By::Queued, true) => "queued first first",
        }
    }
}

impl fmt::Display for Sort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_up { self.by.as_str() } else { self.by.reversed() })
    }
}

impl FromStr for Sort {
    type Err = UnknownSort;

    fn from_str(text: &str) -> Result<Self, UnknownSort> {
        let text = text.to_ascii_lowercase();
        let (name, is_up) = match text.strip_prefix('-') {
            Some(name) => (name, false),
            None => (text.as_str(), true),
        };
        let by = By::ALL.into_iter().find(|by| by.as_str() == name).ok_or(UnknownSort)?;
        Ok(Self { by, is_up })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_are_read_as_they_are_written() {
        for by in By::ALL {
            for is_up in [false, true] {
                let sort = Sort { by, is_up };
                assert_eq!(sort.to_string().parse(), Ok(sort));
                assert_eq!(sort.to_string().to_uppercase().parse(), Ok(sort));
            }
        }
        assert_eq!(Sort { by: By::Expires, is_up: true }.to_string(), "expires");
        assert!(["", "-", "name", "--email", "e-mail"].iter().all(|text| text.parse::<Sort>().is_err()));
    }

    #[test]
    fn a_list_has_its_own_order_first() {
        for status in Status::ALL.map(Some).into_iter().chain([None]) {
            let all = Sort::all_of(status);
            assert_eq!(all[0], Sort::default_of(status));
            let names: Vec<String> = all.iter().map(Sort::to_string).collect();
            let expected = match status {
                None => "-created created email -email",
                Some(Status::Pending | Status::Expired) => "-expires expires email -email",
                Some(Status::Verified) => "-verified verified email -email",
                Some(Status::Revoked) => "-revoked revoked email -email",
            };
            assert_eq!(names.join(" "), expected);
        }
    }
}
