//! The view *Audit*: who did what to whom, when and why.

pub mod draw;
pub(in crate::tui) mod update;

pub use draw::{draw, entry_lines, one_entry};
