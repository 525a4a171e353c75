//! The view *Mail*: what became of each mail.

pub(in crate::tui) mod detour;
pub mod draw;
pub(in crate::tui) mod update;

pub use draw::{detail_lines, draw};
