//! The cursor on the people that the selected job skipped.

use super::draw::laid;
use crate::domain::id::VerificationId;
use crate::tui::Model;
use crate::tui::screen::layout;
use crate::tui::theme::Theme;
use crate::tui::view::pane::{Pane, Target};
use crate::tui::widget::canvas::inset;

fn on_screen(model: &Model) -> Pane {
    let pane = layout::whole(model).pane;
    let laid = laid(model, &Theme::plain(), inset(pane, 1).width, false);
    Pane::new(laid, model.queue.scroll, pane.height, model.queue.skipped)
}

/// Whose verification Enter opens, if one is chosen.
#[must_use]
pub(in crate::tui) fn chosen(model: &Model) -> Option<VerificationId> {
    match on_screen(model).chosen()? {
        Target::Verification(id) => Some(id),
        Target::Mail(_) => None,
    }
}

/// One step up or down.
pub(in crate::tui) fn step(model: &mut Model, is_down: bool) {
    let pane = on_screen(model);
    pane.step(is_down, &mut model.queue.scroll, &mut model.queue.skipped);
}
