//! The console.
//!
//! Elm's shape: [`Msg`] in, [`update()`] changes the [`Model`] and returns [`Effect`]s, [`draw`] shows the model. Both are
//! synchronous and do no I/O; the run loop and the executor around them do.

pub mod action;
mod app;
pub mod effect;
pub mod executor;
pub mod headless;
pub mod look;
pub mod model;
pub mod msg;
pub mod run;
pub mod terminal;
pub mod update;
pub mod widget;

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

pub use effect::Effect;
pub use look::Look;
pub use model::Model;
pub use msg::Msg;
pub use update::update;

/// Draws the console; any size will do. Returns where the terminal's cursor belongs while a text is typed (input
/// methods show their pre-edit there), or nothing where it should be hidden.
pub fn draw(_model: &Model, area: Rect, buf: &mut Buffer, _look: &Look) -> Option<Position> {
    buf.set_stringn(area.x, area.y, "connecting…", usize::from(area.width), ratatui::style::Style::new());
    None
}
