//! The detail of a verification, next to the lists of verifications and of mails.

pub mod draw;
pub(in crate::tui) mod update;

pub use draw::{draw, lines, one_send, wanted};
