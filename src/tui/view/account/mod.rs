//! The view *Account*: what SES says of the account, how mail is received, what became of it.

mod charts;
mod domains;
pub mod draw;
pub mod model;
mod panels;
pub(in crate::tui) mod update;

pub use draw::{draw, max_scroll, state, tone};
pub(in crate::tui) use update::times;
