//! The mails: what is asked for, and what an answer changes.

use crate::domain::filter::Filter;
use crate::domain::id::SendId;
use crate::domain::page::{Page, Position};
use crate::domain::send::SendRow;
use crate::tui::effect::{Answer, Load};
use crate::tui::view::list::{Edge, awaited};
use crate::tui::{Effect, Model};

pub(in crate::tui) fn want(model: &mut Model, fx: &mut Vec<Effect>) {
    let Some(list) = model.mail.list() else { return };
    if !list.loaded && list.awaiting.is_none() && list.problem.is_none() {
        load_page(model, Edge::Top, Position::Newest, fx);
    } else if let Some((edge, position)) = list.wanted() {
        load_page(model, edge, position, fx);
    } else if model.slots.mail && list.awaiting.is_none() && list.problem.is_none() {
        model.slots.mail = false;
        if list.items.is_empty() {
            load_page(model, Edge::Top, Position::Newest, fx);
        } else if list.shows_newest_on_refresh() {
            load_page(model, Edge::Merge, Position::Newest, fx);
        }
    }
}

/// Asks for a page of the mails on the screen.
pub(in crate::tui) fn load_page(model: &mut Model, edge: Edge, position: Position<SendId>, fx: &mut Vec<Effect>) {
    if model.is_away() {
        return;
    }
    model.generation += 1;
    let generation = model.generation;
    let filter = filter(model);
    for list in &mut model.mail.lists {
        list.awaiting = None;
    }
    if let Some(list) = model.mail.list_mut() {
        list.awaiting = Some((generation, edge));
        fx.push(Effect::Load(Load::Sends { filter, position, generation }));
    }
}

/// Which mails the list on the screen shows. Where the line names several states, the tab is the one of all.
pub(in crate::tui) fn filter(model: &Model) -> Filter {
    let filter = model.mail.filter.clone();
    let tab = model.mail.list().and_then(|list| list.tab);
    let mail = if filter.mail.is_any() { tab.into() } else { filter.mail };
    Filter { mail, ..filter }
}

/// Marks or unmarks the selected mail and goes to the next.
pub(in crate::tui) fn mark(model: &mut Model) {
    let Some((id, verification)) = model.mail.selected().and_then(|send| Some((send.id, send.verification_id?))) else {
        return;
    };
    if model.mail_marks.remove(&id).is_none() {
        model.mail_marks.insert(id, verification);
    }
    if let Some(list) = model.mail.list_mut() {
        list.step(1);
    }
}

pub(in crate::tui) fn page_loaded(model: &mut Model, generation: u64, answer: Answer<Page<SendRow>>) {
    model.heard(&answer);
    let Some(list) = awaited(&mut model.mail.lists, generation) else { return };
    match answer {
        Ok(page) => {
            list.arrived(generation, page);
        }
        Err(problem) => {
            if list.failed(&problem) {
                model.complain(problem);
            }
        }
    }
}
