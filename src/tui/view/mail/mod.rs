//! The view *Mail*: what became of each mail.

pub mod draw;
pub(in crate::tui) mod update;

pub use draw::{detail_lines, draw};

use crate::domain::send::SendRow;
use crate::tui::Model;
use crate::tui::model::View;

/// The mail under the cursor of the list, unless a user is opened: what is done is about them then.
#[must_use]
pub fn listed(model: &Model) -> Option<&SendRow> {
    model.mail.selected().filter(|_| model.view == View::Mail && model.opened.is_none())
}
