//! Where the cursor on a user's pane leads.

use super::draw::laid;
use crate::domain::send::SendRow;
use crate::tui::Model;
use crate::tui::screen::layout;
use crate::tui::theme::Theme;
use crate::tui::view::pane::{Pane, Target};
use crate::tui::widget::canvas::inset;

/// What is chosen while the keys go there.
pub(super) fn chosen(model: &Model) -> Option<Target> {
    model.detail.chosen.filter(|_| model.opened.is_some())
}

/// The pane as it is on the screen.
fn on_screen(model: &Model) -> Pane {
    let pane = layout::whole(model).pane;
    let laid = laid(model, &Theme::plain(), inset(pane, 1).width);
    Pane::new(laid, model.detail.scroll, pane.height, chosen(model))
}

/// Where Enter leads: to the chosen one, else from a replaced link to the newer.
#[must_use]
pub fn leads_to(model: &Model) -> Option<Target> {
    on_screen(model).chosen().or_else(|| model.replaced_by().map(Target::Verification))
}

/// The chosen mail.
#[must_use]
pub fn chosen_mail(model: &Model) -> Option<&SendRow> {
    let Some(Target::Mail(id)) = on_screen(model).chosen() else { return None };
    model.detail.data.as_deref()?.mails().into_iter().find(|send| send.id == id)
}

/// One step up or down.
pub(in crate::tui) fn step(model: &mut Model, is_down: bool) {
    let pane = on_screen(model);
    pane.step(is_down, &mut model.detail.scroll, &mut model.detail.chosen);
}
