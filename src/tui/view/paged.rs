//! What the views of lists have in common: which pages are asked for, and what their answers change.

use super::list::{ANNOUNCED_MAX, Edge, Row, awaited};
use crate::domain::page::{Page, Position};
use crate::domain::sort::Sort;
use crate::tui::effect::{Answer, Load};
use crate::tui::model::Tabbed;
use crate::tui::{Effect, Model};

/// Rows that a view lists.
pub(in crate::tui) trait Listed: Row {
    fn tabbed(model: &Model) -> &Tabbed<Self>;

    fn tabbed_mut(model: &mut Model) -> &mut Tabbed<Self>;

    /// What asks for a page of the list on the screen.
    fn page(model: &Model, position: Position<Self::Place>, generation: u64) -> Load;

    /// The order of the list on the screen, where it may have several.
    fn order(_: &Model) -> Option<Sort> {
        None
    }

    /// How many rows are marked, here or under other tabs.
    fn marked(model: &Model) -> usize;
}

/// Asks for what the list on the screen lacks; says whether it lacked nothing.
pub(in crate::tui) fn want<R: Listed>(model: &mut Model, fx: &mut Vec<Effect>) -> bool {
    let Some(list) = R::tabbed(model).list() else { return true };
    if list.awaiting.is_some() || list.problem.is_some() {
        return false;
    }
    if !list.loaded {
        load_page::<R>(model, Edge::Top, Position::Newest, fx);
        return false;
    }
    if let Some((edge, position)) = list.wanted() {
        load_page::<R>(model, edge, position, fx);
        return false;
    }
    true
}

/// Brings the list on the screen up to date where something may have changed, all of it in one page: for lists of which
/// nothing says what has changed.
pub(in crate::tui) fn want_changes<R: Listed>(model: &mut Model, fx: &mut Vec<Effect>) {
    let follows = follows::<R>(model);
    let tabbed = R::tabbed_mut(model);
    let Some(list) = tabbed.lists.get(tabbed.tab) else { return };
    let (is_empty, announced) = (list.items.is_empty(), list.announced);
    let is_near = list.shows_newest_on_refresh();
    let is_wanted = tabbed.is_stale || follows && announced > 0;
    if !is_wanted || !is_empty && !is_near {
        return;
    }
    tabbed.is_stale = false;
    if is_empty {
        load_page::<R>(model, Edge::Top, Position::Newest, fx);
    } else {
        load_page::<R>(model, Edge::Merge { shows: follows }, Position::Newest, fx);
    }
}

/// Shows the rows that have come above, where the operator watches them come.
pub(in crate::tui) fn follow<R: Listed>(model: &mut Model, fx: &mut Vec<Effect>) {
    let Some(list) = R::tabbed(model).list().filter(|list| list.announced > 0 && follows::<R>(model)) else { return };
    match list.newest() {
        Some(first) if list.announced < ANNOUNCED_MAX => {
            let position = Position::Before(R::at_time(first, model.now));
            load_page::<R>(model, Edge::Follow, position, fx);
        }
        // So many that none of those on the screen stays there.
        _ => load_page::<R>(model, Edge::Top, Position::Newest, fx),
    }
}

/// Whether rows that come above are shown at once: where the operator stands at the top of the list and has nothing in
/// hand that they would push away.
pub(in crate::tui) fn follows<R: Listed>(model: &Model) -> bool {
    let is_free = model.dialog.is_none() && model.opened.is_none() && !model.row_open && R::marked(model) == 0;
    is_free && R::tabbed(model).list().is_some_and(|list| list.is_at_top)
}

/// Asks for a page of the list on the screen.
pub(in crate::tui) fn load_page<R: Listed>(
    model: &mut Model,
    edge: Edge,
    position: Position<R::Place>,
    fx: &mut Vec<Effect>,
) {
    if model.is_away() {
        return;
    }
    model.generation += 1;
    let generation = model.generation;
    let load = R::page(model, position, generation);
    let sort = R::order(model);
    let tabbed = R::tabbed_mut(model);
    for list in &mut tabbed.lists {
        list.awaiting = None;
    }
    if let Some(list) = tabbed.list_mut() {
        list.awaiting = Some((generation, edge));
        list.sort = sort;
        fx.push(Effect::Load(load));
    }
}

/// The same rows again, at the same place.
pub(in crate::tui) fn reload<R: Listed>(model: &mut Model, fx: &mut Vec<Effect>) {
    let now = model.now;
    if let Some(list) = R::tabbed_mut(model).list_mut() {
        list.problem = None;
        let position = list.same_place(now);
        load_page::<R>(model, Edge::Fresh, position, fx);
    }
}

/// A page has come, or not; says to which edge.
pub(in crate::tui) fn page_loaded<R: Listed>(
    model: &mut Model,
    generation: u64,
    answer: Answer<Page<R>>,
) -> Option<Edge> {
    model.heard(&answer);
    let now = model.now;
    let list = awaited(&mut R::tabbed_mut(model).lists, generation)?;
    match answer {
        Ok(page) => list.arrived(generation, page, now),
        Err(problem) => {
            if list.failed(&problem) {
                model.complain(problem);
            }
            None
        }
    }
}

/// Whatever was under way is lost.
pub(in crate::tui) fn forget_awaited<R: Listed>(model: &mut Model) {
    for list in &mut R::tabbed_mut(model).lists {
        (list.awaiting, list.problem) = (None, None);
    }
}

/// Keeps the cursor of each list in sight. Where rows that came have pushed its row off the screen, it returns to the
/// newest: an operator who watches them come has chosen none.
pub(in crate::tui) fn settle<R: Listed>(model: &mut Model, height: usize) {
    let follows = follows::<R>(model);
    let tabbed = R::tabbed_mut(model);
    let shown = tabbed.tab;
    for (n, list) in tabbed.lists.iter_mut().enumerate() {
        if n == shown && follows && list.cursor >= height.max(1) {
            list.cursor = 0;
        }
        list.top = list.top_for(height);
    }
}

/// Moves the cursor, or asks for the page at that end.
pub(in crate::tui) fn step<R: Listed>(model: &mut Model, to: To, fx: &mut Vec<Effect>) {
    let Some(list) = R::tabbed_mut(model).list_mut() else { return };
    match to {
        To::Newest if list.newer || list.announced > 0 => load_page::<R>(model, Edge::Top, Position::Newest, fx),
        To::Oldest if list.older => load_page::<R>(model, Edge::Bottom, Position::Oldest, fx),
        To::Newest => list.step(isize::MIN),
        To::Oldest => list.step(isize::MAX),
        To::By(rows) => list.step(rows),
    }
}

/// Where the cursor is moved to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::tui) enum To {
    Newest,
    Oldest,
    By(isize),
}
