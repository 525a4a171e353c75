//! What has to be loaded, so that what is on the screen is there and true.

use crate::domain::change::Change;
use crate::domain::filter::{Filter, Search, SendFilter};
use crate::domain::id::VerificationId;
use crate::domain::page::Position;
use crate::domain::verification::VerificationDetail;
use crate::tui::effect::Load;
use crate::tui::model::list::Edge;
use crate::tui::model::{Link, Slots, View};
use crate::tui::screen::{detail, layout};
use crate::tui::{Effect, Model};

/// The first loads. The list itself follows by [`settle`].
pub fn start(model: &mut Model, fx: &mut Vec<Effect>) {
    if model.setup.only_templates {
        return;
    }
    counts(model, fx);
    outbox(model, fx);
}

/// After every message: keeps the cursor in sight, and asks for what the screen lacks.
pub fn settle(model: &mut Model, fx: &mut Vec<Effect>) {
    let height = usize::from(layout::whole(model).list.height);
    for list in &mut model.people.lists {
        list.top = list.top_for(height);
    }
    for list in &mut model.mail.lists {
        list.top = list.top_for(height);
    }
    match model.view {
        View::Templates => {}
        _ if is_away(model) => {}
        View::Verifications => want_people(model, fx),
        View::Mail => want_mail(model, fx),
        View::Queue => {}
    }
    want_detail(model, fx);
}

/// Nobody is asked while nobody is there; [`catch_up`] follows.
fn is_away(model: &Model) -> bool {
    matches!(model.link, Link::Away { .. })
}

fn want_people(model: &mut Model, fx: &mut Vec<Effect>) {
    let Some(list) = model.people.list() else { return };
    if !list.loaded && list.awaiting.is_none() && list.problem.is_none() {
        people(model, Edge::Top, Position::Newest, fx);
    } else if let Some((edge, position)) = list.wanted() {
        people(model, edge, position, fx);
    }
}

fn want_mail(model: &mut Model, fx: &mut Vec<Effect>) {
    let Some(list) = model.mail.list() else { return };
    if !list.loaded && list.awaiting.is_none() && list.problem.is_none() {
        mail(model, Edge::Top, Position::Newest, fx);
    } else if let Some((edge, position)) = list.wanted() {
        mail(model, edge, position, fx);
    } else if model.slots.mail && list.awaiting.is_none() && list.problem.is_none() {
        model.slots.mail = false;
        if list.items.is_empty() {
            mail(model, Edge::Top, Position::Newest, fx);
        } else if list.shows_newest_on_refresh() {
            mail(model, Edge::Merge, Position::Newest, fx);
        }
    }
}

/// Asks for a page of the verifications on the screen.
pub fn people(model: &mut Model, edge: Edge, position: Position, fx: &mut Vec<Effect>) {
    if is_away(model) {
        return;
    }
    model.generation += 1;
    let generation = model.generation;
    let filter = filter(model);
    for list in &mut model.people.lists {
        list.awaiting = None;
    }
    if let Some(list) = model.people.list_mut() {
        list.awaiting = Some((generation, edge));
        fx.push(Effect::Load(Load::Page { filter, position, generation }));
    }
}

/// Asks for a page of the mails on the screen.
pub fn mail(model: &mut Model, edge: Edge, position: Position<crate::domain::id::SendId>, fx: &mut Vec<Effect>) {
    if is_away(model) {
        return;
    }
    model.generation += 1;
    let generation = model.generation;
    let search = Search::parse(model.mail.search.text());
    for list in &mut model.mail.lists {
        list.awaiting = None;
    }
    if let Some(list) = model.mail.list_mut() {
        list.awaiting = Some((generation, edge));
        let filter = SendFilter { state: list.tab, search };
        fx.push(Effect::Load(Load::Sends { filter, position, generation }));
    }
}

/// Whom the list on the screen shows.
pub fn filter(model: &Model) -> Filter {
    let status = model.people.list().and_then(|list| list.tab);
    Filter { status, search: Search::parse(model.people.search.text()), since: None, until: None }
}

/// One load of a detail at a time: while the cursor runs over rows, those in between are never asked for.
fn want_detail(model: &mut Model, fx: &mut Vec<Effect>) {
    let (wanted, away) = (detail::wanted(model), is_away(model));
    let detail = &mut model.detail;
    if detail.id != wanted {
        detail.id = wanted;
        detail.scroll = 0;
        detail.data = None;
        (detail.missing, detail.problem, detail.stale) = (false, None, false);
    }
    let Some(id) = wanted else { return };
    let lacking = detail.data.is_none() && !detail.missing && detail.problem.is_none();
    if !away && detail.loading.is_none() && (lacking || detail.stale) {
        detail.loading = Some(id);
        detail.stale = false;
        fx.push(Effect::Load(Load::Detail { id }));
    }
}

/// Asks for the counts.
pub fn counts(model: &mut Model, fx: &mut Vec<Effect>) {
    if !is_away(model) && model.slots.counts.ask() {
        fx.push(Effect::Load(Load::Counts));
    }
}

/// Asks for the outbox.
pub fn outbox(model: &mut Model, fx: &mut Vec<Effect>) {
    if !is_away(model) && model.slots.outbox.ask() {
        fx.push(Effect::Load(Load::Outbox));
    }
}

/// Asks for these rows as they are now.
pub fn rows(model: &mut Model, ids: impl IntoIterator<Item = VerificationId>, fx: &mut Vec<Effect>) {
    for id in ids {
        if !model.slots.changed.contains(&id) {
            model.slots.changed.push(id);
        }
    }
    if !model.slots.changed.is_empty() && !is_away(model) && model.slots.rows.ask() {
        fx.push(Effect::Load(Load::Rows { ids: std::mem::take(&mut model.slots.changed) }));
    }
}

/// Asks how many rows have come above the list on the screen.
pub fn newer(model: &mut Model, fx: &mut Vec<Effect>) {
    let Some(list) = model.people.list().filter(|list| list.loaded && model.view == View::Verifications) else {
        return;
    };
    let Some(than) = list.newest() else {
        // Nothing is there to be disturbed: what came is simply shown.
        if list.items.is_empty() && list.awaiting.is_none() {
            people(model, Edge::Top, Position::Newest, fx);
        }
        return;
    };
    if !is_away(model) && model.slots.newer.ask() {
        model.generation += 1;
        model.newer_for = Some((model.generation, model.people.tab));
        fx.push(Effect::Load(Load::Newer { filter: filter(model), than, generation: model.generation }));
    }
}

/// Something changed in the database: what of it is on the screen is read again, once, and nothing moves.
pub fn changed(model: &mut Model, changes: &[Change], fx: &mut Vec<Effect>) {
    if model.setup.only_templates {
        return;
    }
    let mut ids = Vec::new();
    let (mut verifications, mut mails) = (false, false);
    for change in changes {
        match change {
            Change::Verification(id) => {
                let mut known = model.people.lists.iter().flat_map(|list| &list.items);
                if known.any(|item| item.row.verification.id == *id) {
                    ids.push(*id);
                }
                let concerns = |data: &VerificationDetail| data.others.iter().any(|other| other.id == *id);
                if model.detail.id == Some(*id) || model.detail.data.as_deref().is_some_and(concerns) {
                    model.detail.stale = true;
                }
                (verifications, mails) = (true, true);
            }
            Change::Many => {
                let shown = model.people.list().into_iter().flat_map(|list| &list.items);
                ids.extend(shown.map(|item| item.row.verification.id));
                model.detail.stale = true;
                (verifications, mails) = (true, true);
            }
            Change::Queued => mails = true,
            Change::Workers | Change::Outbox => {}
        }
    }
    if verifications {
        rows(model, ids, fx);
        newer(model, fx);
        counts(model, fx);
    }
    outbox(model, fx);
    model.slots.mail |= mails;
}

/// After a time away: whatever was under way is lost.
pub fn catch_up(model: &mut Model, fx: &mut Vec<Effect>) {
    model.slots = Slots::default();
    model.detail.loading = None;
    model.detail.problem = None;
    for list in &mut model.people.lists {
        (list.awaiting, list.problem) = (None, None);
    }
    for list in &mut model.mail.lists {
        (list.awaiting, list.problem) = (None, None);
    }
    changed(model, &[Change::Many], fx);
}

/// Loads what is on the screen anew, at the same place.
pub fn refresh(model: &mut Model, fx: &mut Vec<Effect>) {
    if model.view == View::Templates {
        model.workbench.reread();
    }
    if model.setup.only_templates {
        return;
    }
    if is_away(model) {
        fx.push(Effect::Load(Load::Reconnect));
        return;
    }
    counts(model, fx);
    outbox(model, fx);
    model.detail.problem = None;
    model.detail.missing = false;
    model.detail.stale = true;
    if model.opened.is_some() {
        return;
    }
    let now = model.now;
    match model.view {
        View::Verifications => {
            if let Some(list) = model.people.list_mut() {
                list.problem = None;
                let position = list.same_place(now);
                people(model, Edge::Fresh, position, fx);
            }
        }
        View::Mail => {
            if let Some(list) = model.mail.list_mut() {
                list.problem = None;
                let position = list.same_place(now);
                mail(model, Edge::Fresh, position, fx);
            }
        }
        View::Queue | View::Templates => {}
    }
}
