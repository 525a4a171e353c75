//! What of a user can be opened from their pane, and the cursor on it.
//!
//! The arrow keys go from one mail or verification to the next that is in sight. Where none is, they scroll: nothing of
//! the pane is out of their reach.

use std::ops::Range;

use super::draw::{Laid, laid};
use crate::domain::id::{SendId, VerificationId};
use crate::domain::send::SendRow;
use crate::tui::Model;
use crate::tui::screen::layout;
use crate::tui::theme::Theme;
use crate::tui::widget::canvas::inset;

/// Something that Enter leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    Verification(VerificationId),
    Mail(SendId),
}

/// Which of its lines a pane of this height shows.
pub(super) fn sight(model: &Model, laid: &Laid, height: u16) -> Range<usize> {
    let height = usize::from(height);
    let top = model.detail.scroll.min(laid.lines.len().saturating_sub(height));
    top..top + height
}

/// The chosen one and its line, if it is in sight and the keys go there.
pub(super) fn chosen_in(model: &Model, laid: &Laid, sight: &Range<usize>) -> Option<(usize, Target)> {
    let chosen = model.detail.chosen.filter(|_| model.opened.is_some())?;
    laid.targets.iter().copied().find(|(line, target)| *target == chosen && sight.contains(line))
}

/// The pane as it is on the screen.
fn on_screen(model: &Model) -> (Laid, Range<usize>) {
    let pane = layout::whole(model).pane;
    let laid = laid(model, &Theme::plain(), inset(pane, 1).width);
    let sight = sight(model, &laid, pane.height);
    (laid, sight)
}

/// Where Enter leads: to the chosen one, else from a replaced link to the newer.
#[must_use]
pub fn leads_to(model: &Model) -> Option<Target> {
    let (laid, sight) = on_screen(model);
    let chosen = chosen_in(model, &laid, &sight).map(|(_, target)| target);
    chosen.or_else(|| model.replaced_by().map(Target::Verification))
}

/// The chosen mail.
#[must_use]
pub fn chosen_mail(model: &Model) -> Option<&SendRow> {
    let (laid, sight) = on_screen(model);
    let Some((_, Target::Mail(id))) = chosen_in(model, &laid, &sight) else { return None };
    model.detail.data.as_deref()?.mails().into_iter().find(|send| send.id == id)
}

/// One step up or down.
pub(in crate::tui) fn step(model: &mut Model, is_down: bool) {
    let (laid, sight) = on_screen(model);
    let from = chosen_in(model, &laid, &sight).map(|(line, _)| line);
    let mut seen = laid.targets.iter().filter(|(line, _)| sight.contains(line));
    let next = if is_down {
        seen.find(|(line, _)| from.is_none_or(|from| *line > from))
    } else {
        // At the top there is nothing to come back to.
        seen.rfind(|(line, _)| from.map_or(sight.start > 0, |from| *line < from))
    };
    if let Some((_, target)) = next {
        model.detail.chosen = Some(*target);
        return;
    }
    let most = laid.lines.len().saturating_sub(sight.len());
    model.detail.scroll = if is_down { sight.start + 1 } else { sight.start.saturating_sub(1) }.min(most);
}
