//! The suppression list, opened from the view of the account: who is on it, why and since when, and what was asked for.

pub mod draw;
pub(in crate::tui) mod update;

pub use draw::{draw, remark, row_lines, state, tone};
