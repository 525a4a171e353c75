//! The view *Mail*: what became of each mail.

pub mod draw;
pub(in crate::tui) mod update;

pub use draw::{detail_lines, draw};
