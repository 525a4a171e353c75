//! What is true: users, verifications and their status, keys, sends and their life, filters, pages, audit entries.
//!
//! Knows no other room, does no I/O and reads no clock: the time is passed in.

pub mod account;
pub mod address;
pub mod alert;
pub mod amazon;
pub mod audit;
pub mod brake;
pub mod change;
pub mod event;
pub mod filter;
pub mod hook;
pub mod id;
pub mod idempotency;
pub mod idn;
pub mod job;
pub mod key;
pub mod locale;
pub mod name;
pub mod number;
pub mod pace;
pub mod page;
pub mod reason;
pub mod reputation;
pub mod resend;
pub mod right;
pub mod secrets;
pub mod send;
pub mod serve;
pub mod sort;
pub mod undo;
pub mod user;
pub mod verdict;
pub mod verification;
pub mod waiting;
pub mod webhook;
pub mod worker;
pub mod zone;

/// The one clock's unit: UTC, as in PostgreSQL's `timestamptz`.
pub type Time = chrono::DateTime<chrono::Utc>;

/// The end of the last year that has four digits.
const YEARS_END: i64 = 253_402_300_800;

/// Whether rows may have this time: in the years 1 to 9999, as their constraints have it, and as old rows that have no
/// such time are shown.
#[must_use]
pub fn is_kept(time: Time) -> bool {
    const YEARS_BEGIN: i64 = -62_135_596_800;
    (YEARS_BEGIN..YEARS_END).contains(&time.timestamp())
}

/// Whether a time that someone types can be asked about: in the years 1970 to 9999. Anything else is a slip of the
/// keyboard, and would find all or nothing without a word.
#[must_use]
pub fn is_askable(time: Time) -> bool {
    (0..YEARS_END).contains(&time.timestamp())
}
