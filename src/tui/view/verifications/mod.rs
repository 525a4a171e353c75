//! The view *Verifications*: who has to verify, by status.

pub mod draw;
pub(in crate::tui) mod update;

pub use draw::draw;
