//! What lists show, as files: JSON Lines and CSV, a part of the list at a time, however long it is. One place for
//! console and command line.

pub(crate) mod csv;
pub mod file;
pub(crate) mod json;
mod listed;
mod rows;

use chrono::SecondsFormat;

use crate::domain::Time;

pub use listed::Listed;
pub(crate) use rows::Columns;
pub use rows::Format;

/// For JSON, CSV and tables: RFC 3339 in UTC, to the second.
pub(crate) fn shown(time: Time) -> String {
    time.to_rfc3339_opts(SecondsFormat::Secs, true)
}
