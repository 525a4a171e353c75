//! The view *Templates*: the workbench, where templates are looked at, checked and tried.

pub mod draw;
pub mod model;
pub(in crate::tui) mod person;
pub mod update;

pub use draw::{draw, remark};
