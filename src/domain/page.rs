//! Pages by key set: a place in a list is the last row seen, never an offset, so that page 5,000 costs what page 1
//! does and rows that come in between move nothing.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::DateTime;

use super::Time;
use super::verification::{Status, Verification};

/// A place in a list of verifications. Carries the list's as-of time: what was pending when the first page was shown
/// is in the list of pending ones on every later page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// Which list.
    pub status: Option<Status>,
    /// The time that decides between pending and expired.
    pub as_of: Time,
    /// The row's place in the order, by the time that the list is ordered by.
    pub at: Time,
    /// The row's number.
    pub id: i64,
}

/// Not a cursor that a list returned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a cursor of `verifydesk list --json`")]
pub struct MalformedCursor;

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = self.status.map_or("all", Status::as_str);
        let (as_of, at) = (self.as_of.timestamp_micros(), self.at.timestamp_micros());
        f.write_str(&URL_SAFE_NO_PAD.encode(format!("1 {list} {as_of} {at} {}", self.id)))
    }
}

impl FromStr for Cursor {
    type Err = MalformedCursor;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| MalformedCursor)?;
        let text = String::from_utf8(bytes).map_err(|_| MalformedCursor)?;
        let parts: Vec<&str> = text.split(' ').collect();
        let ["1", list, as_of, at, id] = parts[..] else { return Err(MalformedCursor) };
        let time = |micros: &str| {
            let time = micros.parse().ok().and_then(DateTime::from_timestamp_micros);
            time.filter(|time| super::is_kept(*time)).ok_or(MalformedCursor)
        };
        let status = if list == "all" { None } else { Some(list.parse().map_err(|_| MalformedCursor)?) };
        Ok(Self { status, as_of: time(as_of)?, at: time(at)?, id: id.parse().map_err(|_| MalformedCursor)? })
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
    /// The place of a row in a list.
    #[must_use]
    pub fn of(verification: &Verification, status: Option<Status>, as_of: Time) -> Self {
        let at = match status {
            None => verification.created_at,
            Some(Status::Pending | Status::Expired) => verification.expires_at,
            Some(Status::Verified) => verification.verified_at.unwrap_or(verification.created_at),
            Some(Status::Revoked) => verification.revoked_at.unwrap_or(verification.created_at),
        };
        Self { status, as_of, at, id: verification.id.0 }
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
        Self { rows, as_of, newer, older }
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
        fn round_trip(as_of in 0i64..4_000_000_000_000_000, at in 0i64..4_000_000_000_000_000, id in 1i64.., status in 0usize..5) {
            let cursor = Cursor {
                status: Status::ALL.get(status).copied(),
                as_of: DateTime::from_timestamp_micros(as_of).unwrap(),
                at: DateTime::from_timestamp_micros(at).unwrap(),
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
