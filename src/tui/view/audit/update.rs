//! The audit log: what is asked for, and what an answer changes.

use crate::domain::audit::{AuditFilter, AuditPlace, AuditRow};
use crate::domain::page::{Page, Position};
use crate::tui::effect::{Answer, Load};
use crate::tui::view::list::{Edge, awaited};
use crate::tui::{Effect, Model};

pub(in crate::tui) fn want(model: &mut Model, fx: &mut Vec<Effect>) {
    let Some(list) = model.audit.list() else { return };
    if !list.loaded && list.awaiting.is_none() && list.problem.is_none() {
        load_page(model, Edge::Top, Position::Newest, fx);
    } else if let Some((edge, position)) = list.wanted() {
        load_page(model, edge, position, fx);
    } else if model.slots.audit && list.awaiting.is_none() && list.problem.is_none() {
        model.slots.audit = false;
        if list.items.is_empty() {
            load_page(model, Edge::Top, Position::Newest, fx);
        } else if list.shows_newest_on_refresh() {
            load_page(model, Edge::Merge, Position::Newest, fx);
        }
    }
}

/// Which entries the list on the screen shows. A word that is none, such as an action's that is being typed, finds what
/// the line without it finds.
pub(in crate::tui) fn filter(model: &Model) -> Result<AuditFilter, String> {
    let kind = model.audit.list().and_then(|list| list.tab);
    Ok(AuditFilter::parse(model.audit.search.text())?.of(kind))
}

/// Asks for a page of the entries on the screen; for none while the filter has a word that is none.
pub(in crate::tui) fn load_page(model: &mut Model, edge: Edge, position: Position<AuditPlace>, fx: &mut Vec<Effect>) {
    if model.is_away() {
        return;
    }
    let Ok(filter) = filter(model) else { return };
    model.generation += 1;
    let generation = model.generation;
    for list in &mut model.audit.lists {
        list.awaiting = None;
    }
    if let Some(list) = model.audit.list_mut() {
        list.awaiting = Some((generation, edge));
        fx.push(Effect::Load(Load::Audit { filter, position, generation }));
    }
}

pub(in crate::tui) fn page_loaded(model: &mut Model, generation: u64, answer: Answer<Page<AuditRow>>) {
    model.heard(&answer);
    let Some(list) = awaited(&mut model.audit.lists, generation) else { return };
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
