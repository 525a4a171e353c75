//! The verifications: what is asked for, what an answer changes, what their keys do.

use crate::domain::filter::Filter;
use crate::domain::id::VerificationId;
use crate::domain::page::{Page, Position};
use crate::domain::sort::Sort;
use crate::domain::verification::{Counts, VerificationRow};
use crate::tui::effect::{Answer, Load};
use crate::tui::model::slot::Slot;
use crate::tui::model::{Tabbed, View};
use crate::tui::view::list::{Edge, List};
use crate::tui::view::paged::{self, Listed};
use crate::tui::view::{near, search};
use crate::tui::{Effect, Model};

impl Listed for VerificationRow {
    fn tabbed(model: &Model) -> &Tabbed<Self> {
        &model.verifications
    }

    fn tabbed_mut(model: &mut Model) -> &mut Tabbed<Self> {
        &mut model.verifications
    }

    fn page(model: &Model, position: Position, generation: u64) -> Load {
        Load::Page { filter: filter(model), position, generation }
    }

    fn order(model: &Model) -> Option<Sort> {
        Some(filter(model).order())
    }

    fn marked(model: &Model) -> usize {
        model.marks.len()
    }
}

pub(in crate::tui) fn want(model: &mut Model, fx: &mut Vec<Effect>) {
    if !paged::want::<VerificationRow>(model, fx) {
        return;
    }
    near::want::<VerificationRow>(model, fx);
    if model.verifications.list().is_some_and(List::has_exact) {
        paged::want_changes::<VerificationRow>(model, fx);
    } else {
        paged::follow::<VerificationRow>(model, fx);
    }
}

/// Who the list on the screen shows.
pub(in crate::tui) fn filter(model: &Model) -> Filter {
    let status = model.verifications.list().and_then(|list| list.tab);
    Filter { status, ..model.verifications.filter.clone() }
}

pub(in crate::tui) fn page_loaded(model: &mut Model, generation: u64, answer: Answer<Page<VerificationRow>>) {
    let as_of = answer.as_ref().ok().map(|page| page.as_of);
    let Some(edge) = paged::page_loaded(model, generation, answer) else { return };
    // Only a page that begins with the newest row was made as of now.
    if let Some(as_of) = as_of.filter(|_| edge == Edge::Top) {
        model.correct_clock(as_of);
    }
    search::found(model);
}

/// Asks for these rows as they are now.
pub(in crate::tui) fn load_rows(
    model: &mut Model,
    ids: impl IntoIterator<Item = VerificationId>,
    fx: &mut Vec<Effect>,
) {
    for id in ids {
        if !model.slots.changed.contains(&id) {
            model.slots.changed.push(id);
        }
    }
    if !model.slots.changed.is_empty() && !model.is_away() && model.slots.rows.ask() {
        fx.push(Effect::Load(Load::Rows { ids: std::mem::take(&mut model.slots.changed) }));
    }
}

/// Rows that had changed.
pub(in crate::tui) fn rows_loaded(
    model: &mut Model,
    asked: &[VerificationId],
    answer: Answer<Vec<VerificationRow>>,
    fx: &mut Vec<Effect>,
) {
    model.heard(&answer);
    match answer {
        Ok(rows) => {
            for list in &mut model.verifications.lists {
                list.replace(asked, &rows);
            }
        }
        Err(problem) => model.complain(problem),
    }
    model.slots.rows = Slot::Idle;
    load_rows(model, [], fx);
}

/// Asks how many rows have come above the list on the screen.
pub(in crate::tui) fn load_newer(model: &mut Model, fx: &mut Vec<Effect>) {
    let Some(list) = model.verifications.list().filter(|list| list.loaded && model.view == View::Verifications) else {
        return;
    };
    // They come in among those that are exactly what is looked for, and below.
    if list.has_exact() {
        model.verifications.is_stale = true;
        return;
    }
    // In any other order than the list's own they come in anywhere.
    let is_own = list.sort.is_none_or(|sort| sort == Sort::default_of(list.tab));
    let Some(than) = list.newest().filter(|_| is_own) else {
        // Nothing is there to be disturbed: what came is simply shown.
        if list.items.is_empty() && list.awaiting.is_none() {
            paged::load_page::<VerificationRow>(model, Edge::Top, Position::Newest, fx);
        }
        return;
    };
    if !model.is_away() && model.slots.newer.ask() {
        model.generation += 1;
        model.newer_for = Some((model.generation, model.verifications.tab));
        fx.push(Effect::Load(Load::Newer { filter: filter(model), than, generation: model.generation }));
    }
}

/// How many rows have come above.
pub(in crate::tui) fn newer_loaded(model: &mut Model, generation: u64, answer: Answer<i64>, fx: &mut Vec<Effect>) {
    model.heard(&answer);
    let again = model.slots.newer.done();
    if let (Ok(count), Some((asked, tab))) = (answer, model.newer_for)
        && asked == generation
        && let Some(list) = model.verifications.lists.get_mut(tab)
        && list.loaded
    {
        list.announced = count;
    }
    if again {
        model.slots.newer = Slot::Idle;
        load_newer(model, fx);
    }
}

pub(in crate::tui) fn load_counts(model: &mut Model, fx: &mut Vec<Effect>) {
    if !model.is_away() && model.slots.counts.ask() {
        fx.push(Effect::Load(Load::Counts));
    }
}

pub(in crate::tui) fn counts_loaded(model: &mut Model, answer: Answer<Counts>, fx: &mut Vec<Effect>) {
    model.heard(&answer);
    if model.slots.counts.done() {
        fx.push(Effect::Load(Load::Counts));
    }
    match answer {
        Ok(counts) => model.counts = Some(counts),
        Err(problem) => model.complain(problem),
    }
}
