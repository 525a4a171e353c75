//! Every language with every fixture, a verdict a cell.

use ratatui::layout::Rect;

use crate::tui::Model;
use crate::tui::screen::state::{self, State};
use crate::tui::widget::canvas::Canvas;

/// Draws it.
pub fn draw(canvas: &mut Canvas<'_>, _model: &Model, area: Rect) {
    state::draw(canvas, area, &State::quiet("Nothing was checked yet."));
}
