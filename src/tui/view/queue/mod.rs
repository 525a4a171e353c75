//! The view *Queue*: the pace, jobs and workers.

pub mod draw;
pub mod model;
pub(in crate::tui) mod skipped;
pub(in crate::tui) mod update;

pub use draw::{draw, laid, mails_to_go, shown, state, tone};
