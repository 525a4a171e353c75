//! The six views and the suppression list, a folder each, and what they share: lists, the detail of a verification, the search, and what stands in
//! the place of a list without rows.

pub mod account;
pub mod audit;
pub mod detail;
pub(in crate::tui) mod detour;
pub mod empty;
pub(in crate::tui) mod hits;
pub mod list;
pub mod mail;
pub(in crate::tui) mod marks;
pub(in crate::tui) mod near;
pub(in crate::tui) mod paged;
pub(in crate::tui) mod pane;
pub mod queue;
mod rows;
pub(in crate::tui) mod search;
pub(in crate::tui) mod sort;
pub mod suppressed;
pub mod templates;
pub mod verifications;

use super::Model;
use super::model::View;
use super::screen::layout;
use super::theme::Theme;
use super::widget::canvas::inset;

/// How far what is under any dialog can be scrolled.
pub(super) fn max_scroll(model: &Model) -> usize {
    let pane = layout::whole(model).pane;
    let height = usize::from(pane.height);
    let theme = Theme::plain();
    let columns = inset(pane, 1).width;
    let count = match model.view {
        View::Account => return account::max_scroll(model),
        View::Templates => return templates::draw::max_scroll(model),
        View::Queue if model.opened.is_none() => queue::laid(model, &theme, columns, false).lines.len(),
        View::Audit if model.opened.is_none() => audit::entry_lines(model, &theme, columns).len(),
        View::Mail if model.opened.is_none() => mail::detail_lines(model, &theme, columns).len(),
        View::Suppressed if model.opened.is_none() => suppressed::row_lines(model, &theme, columns).len(),
        View::Audit | View::Mail | View::Queue | View::Suppressed | View::Verifications => {
            detail::laid(model, &theme, columns).lines.len()
        }
    };
    count.saturating_sub(height)
}
