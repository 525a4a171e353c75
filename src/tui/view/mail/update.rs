//! The mails: what is asked for, and which are marked.

use crate::domain::filter::Filter;
use crate::domain::id::SendId;
use crate::domain::page::Position;
use crate::domain::send::SendRow;
use crate::domain::sort::Sort;
use crate::tui::effect::Load;
use crate::tui::model::Tabbed;
use crate::tui::view::near;
use crate::tui::view::paged::{self, Listed};
use crate::tui::{Effect, Model};

impl Listed for SendRow {
    fn tabbed(model: &Model) -> &Tabbed<Self> {
        &model.mail
    }

    fn tabbed_mut(model: &mut Model) -> &mut Tabbed<Self> {
        &mut model.mail
    }

    fn page(model: &Model, position: Position<SendId>, generation: u64) -> Load {
        Load::Sends { filter: filter(model), position, generation }
    }

    fn order(model: &Model) -> Option<Sort> {
        model.mail.filter.sort
    }

    fn marked(model: &Model) -> usize {
        model.mail_marks.len()
    }
}

pub(in crate::tui) fn want(model: &mut Model, fx: &mut Vec<Effect>) {
    if paged::want::<SendRow>(model, fx) {
        near::want::<SendRow>(model, fx);
        paged::want_changes::<SendRow>(model, fx);
    }
}

/// Which mails the list on the screen shows. Where the line names several states, the tab is the one of all.
pub(in crate::tui) fn filter(model: &Model) -> Filter {
    let filter = model.mail.filter.clone();
    let tab = model.mail.list().and_then(|list| list.tab);
    let mail = if filter.mail.is_any() { tab.into() } else { filter.mail };
    Filter { mail, ..filter }
}
