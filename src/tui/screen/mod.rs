//! What is drawn. Drawing changes nothing and cannot fail: every size has a picture, down to one cell and none.

pub mod banner;
pub mod bar;
pub mod deadline;
pub mod detail;
pub mod layout;
pub mod mail;
pub mod notice;
pub mod people;
pub mod queue;
pub mod state;
pub mod workbench;

use super::Model;
use super::look::Look;
use super::model::View;
use super::widget::canvas::inset;

/// How far what is under any dialog can be scrolled.
pub(super) fn max_scroll(model: &Model) -> usize {
    let pane = layout::whole(model).pane;
    let height = usize::from(pane.height);
    let look = Look::plain();
    let columns = inset(pane, 1).width;
    let count = match model.view {
        View::Templates => return workbench::max_scroll(model),
        View::Queue => queue::lines(model, &look, columns, false).len(),
        View::Mail if model.opened.is_none() => mail::detail_lines(model, &look, columns).len(),
        View::Mail | View::Verifications => detail::lines(model, &look, columns).len(),
    };
    count.saturating_sub(height)
}
