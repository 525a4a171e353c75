//! The detail of a user and one of their verifications, next to the lists of verifications and of mails.

pub mod cursor;
pub mod draw;
pub mod mails;
pub(in crate::tui) mod update;

pub use draw::{draw, laid, wanted};
