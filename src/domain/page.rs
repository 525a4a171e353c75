//! Pages by key set: a place in a list is the last row seen, never an offset, so that page 5,000 costs what page 1
//! does and rows that come in between move nothing.

mod ahead;

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::DateTime;

use super::Time;
use super::sort::{By, Sort};
use super::verification::{Status, Verification, VerificationRow};

pub use ahead::Ahead;

/// A place in a list of verifications. Carries the list's as-of time: what was pending when the first page was shown
/// is in the list of pending ones on every later page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// Which list.
    pub status: Option<Status>,
    /// In which order.
    pub sort: Sort,
    /// The time that decides between pending and expired.
    pub as_of: Time,
    /// The row's place in the order, by what the list is ordered by.
    pub at: At,
    /// The row's number.
    pub id: i64,
}

/// What a list is ordered by, of a row.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum At {
    Time(Time),
    /// In lower case.
    Email(Arc<str>),
}

/// An address in lower case; `None` where it is longer than any that is stored, or not of printable ASCII.
fn folded(email: &str) -> Option<At> {
    let is_email = email.len() <= EMAIL_MAX && email.bytes().all(|b| b.is_ascii_graphic());
    is_email.then(|| At::Email(email.to_ascii_lowercase().into()))
}

/// The longest address that is stored.
const EMAIL_MAX: usize = 254;

/// Not a cursor that a list returned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a cursor of `verifydesk list --json`")]
pub struct MalformedCursor;

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (list, as_of, id) = (self.status.map_or("all", Status::as_str), self.as_of.timestamp_micros(), self.id);
        let at = match &self.at {
            At::Time(at) => at.timestamp_micros().to_string(),
            At::Email(email) => email.to_string(),
        };
        let text = if self.sort == Sort::default_of(self.status) {
            format!("1 {list} {as_of} {at} {id}")
        } else {
            format!("2 {list} {} {as_of} {at} {id}", self.sort)
        };
        f.write_str(&URL_SAFE_NO_PAD.encode(text))
    }
}

impl FromStr for Cursor {
    type Err = MalformedCursor;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| MalformedCursor)?;
        let text = String::from_utf8(bytes).map_err(|_| MalformedCursor)?;
        let parts: Vec<&str> = text.split(' ').collect();
        let (list, sort, as_of, at, id) = match parts[..] {
            ["1", list, as_of, at, id] => (list, None, as_of, at, id),
            ["2", list, sort, as_of, at, id] => (list, Some(sort), as_of, at, id),
            _ => return Err(MalformedCursor),
        };
        let time = |micros: &str| {
            let time = micros.parse().ok().and_then(DateTime::from_timestamp_micros);
            time.filter(|time| super::is_kept(*time)).ok_or(MalformedCursor)
        };
        let status = if list == "all" { None } else { Some(list.parse().map_err(|_| MalformedCursor)?) };
        let sort = match sort {
            None => Sort::default_of(status),
            Some(sort) => sort.parse().ok().filter(|sort: &Sort| sort.fits(status)).ok_or(MalformedCursor)?,
        };
        let at = match sort.by {
            By::Email => folded(at).ok_or(MalformedCursor)?,
            _ => At::Time(time(at)?),
        };
        Ok(Self { status, sort, as_of: time(as_of)?, at, id: id.parse().map_err(|_| MalformedCursor)? })
    }
}

/// Where a page begins or ends; verifications are placed by [`Cursor`], sends by their id.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Position<C = Cursor> {
    /// With the newest row.
    #[default]
    Newest,
    /// With the first row older than this one.
    After(C),
    /// With the rows just newer than this one.
    Before(C),
    /// With the last rows that there are.
    Oldest,
}

impl Cursor {
    /// The place of a row in a list in its own order.
    #[must_use]
    pub fn of(verification: &Verification, status: Option<Status>, as_of: Time) -> Self {
        let sort = Sort::default_of(status);
        let at = At::Time(at(verification, sort.by));
        Self { status, sort, as_of, at, id: verification.id.0 }
    }

    /// The place of a row in a list in any order.
    #[must_use]
    pub fn sorted(row: &VerificationRow, status: Option<Status>, sort: Sort, as_of: Time) -> Self {
        let by_email = if sort.by == By::Email { folded(row.user.email.raw()) } else { None };
        let at = by_email.unwrap_or_else(|| At::Time(at(&row.verification, sort.by)));
        Self { status, sort, as_of, at, id: row.verification.id.0 }
    }
}

/// The time that lists in this order have of a row.
fn at(verification: &Verification, by: By) -> Time {
    match by {
        By::Created | By::Email | By::Queued => verification.created_at,
        By::Expires => verification.expires_at,
        By::Verified => verification.verified_at.unwrap_or(verification.created_at),
        By::Revoked => verification.revoked_at.unwrap_or(verification.created_at),
    }
}

impl<C> Position<C> {
    /// The same place in the list turned upside down.
    #[must_use]
    pub fn mirrored(self) -> Self {
        match self {
            Self::Newest => Self::Oldest,
            Self::After(place) => Self::Before(place),
            Self::Before(place) => Self::After(place),
            Self::Oldest => Self::Newest,
        }
    }
}

/// Some rows of a list, newest first.
#[derive(Clone, Debug, PartialEq)]
pub struct Page<T> {
    pub rows: Vec<T>,
    /// The time that decided between pending and expired.
    pub as_of: Time,
    /// Whether there are newer rows than the first.
    pub newer: bool,
    /// Whether there are older rows than the last.
    pub older: bool,
    /// How many of them, at its beginning, stand before all others: they are exactly what was looked for.
    pub exact: usize,
}

impl<T> Page<T> {
    /// Makes a page of what a query returned: rows read away from the position, and one more than `limit` if there are
    /// more.
    #[must_use]
    pub fn cut<C>(mut rows: Vec<T>, limit: i64, position: &Position<C>, as_of: Time) -> Self {
        let more = i64::try_from(rows.len()).is_ok_and(|count| count > limit);
        if more {
            rows.pop();
        }
        let (newer, older) = match position {
            Position::Newest => (false, more),
            Position::After(_) => (true, more),
            Position::Before(_) => {
                rows.reverse();
                (more, true)
            }
            Position::Oldest => {
                rows.reverse();
                (more, false)
            }
        };
        Self { rows, as_of, newer, older, exact: 0 }
    }

    /// The same page of the list turned upside down.
    #[must_use]
    pub fn mirrored(mut self) -> Self {
        self.rows.reverse();
        Self { newer: self.older, older: self.newer, ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// No list returned them: no row is shown with such a time.
    #[test]
    fn times_beyond_the_database_are_no_places() {
        for micros in [i64::MIN, -62_135_596_800_000_001, 253_402_300_800_000_000, i64::MAX] {
            for text in [format!("1 all {micros} 0 1"), format!("1 all 0 {micros} 1")] {
                assert!(URL_SAFE_NO_PAD.encode(&text).parse::<Cursor>().is_err(), "{text}");
            }
        }
        // What a row without a beginning is shown with.
        assert!(URL_SAFE_NO_PAD.encode("1 all 0 -62135596800000000 1").parse::<Cursor>().is_ok());
    }

    proptest! {
        #[test]
        fn round_trip(
            as_of in 0i64..4_000_000_000_000_000,
            at in 0i64..4_000_000_000_000_000,
            email in "[!-?A-~]{1,100}@[!-?A-~]{1,153}",
            id in 1i64..,
            status in 0usize..5,
            sort in 0usize..4,
        ) {
            let status = Status::ALL.get(status).copied();
            let sort = Sort::all_of(status)[sort];
            let at = match sort.by {
                By::Email => folded(&email).unwrap(),
                _ => At::Time(DateTime::from_timestamp_micros(at).unwrap()),
            };
            let cursor = Cursor {
                status,
                sort,
                as_of: DateTime::from_timestamp_micros(as_of).unwrap(),
                at,
                id,
            };
            prop_assert_eq!(cursor.to_string().parse::<Cursor>(), Ok(cursor));
        }

        #[test]
        fn nonsense_is_refused(text in any::<String>()) {
            prop_assert!(text.parse::<Cursor>().is_err());
        }
    }
}
