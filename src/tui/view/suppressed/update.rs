//! The suppression list: what is asked for, and when.

use crate::domain::Time;
use crate::domain::account::suppressed::{SuppressedPage, SuppressedPlace, SuppressedRow};
use crate::domain::idn;
use crate::domain::page::Position;
use crate::tui::effect::{Answer, Load};
use crate::tui::model::{Subject, Tabbed, View};
use crate::tui::screen::layout;
use crate::tui::view::list::awaited;
use crate::tui::view::paged::{self, Listed};
use crate::tui::{Effect, Model};

impl Listed for SuppressedRow {
    fn tabbed(model: &Model) -> &Tabbed<Self> {
        &model.suppressed
    }

    fn tabbed_mut(model: &mut Model) -> &mut Tabbed<Self> {
        &mut model.suppressed
    }

    fn page(model: &Model, position: Position<SuppressedPlace>, generation: u64) -> Load {
        Load::Suppressed { part: model.suppressed.search.text().trim().to_owned(), position, generation }
    }

    fn marked(_: &Model) -> usize {
        0
    }
}

/// Asks for what the screen lacks. What may have changed is read again where it is: rows come and go anywhere.
pub(in crate::tui) fn want(model: &mut Model, fx: &mut Vec<Effect>) {
    if paged::want::<SuppressedRow>(model, fx) && std::mem::take(&mut model.suppressed.is_stale) {
        paged::reload::<SuppressedRow>(model, fx);
    }
}

/// Shows it, at the row where it was left.
pub(in crate::tui) fn show(model: &mut Model) {
    model.show(View::Suppressed);
    model.suppressed.is_stale = true;
}

/// A page has come, with how the list was read.
pub(in crate::tui) fn loaded(model: &mut Model, generation: u64, answer: Answer<Box<SuppressedPage>>) {
    let answer = answer.map(|read| *read);
    if let Ok(read) = &answer
        && awaited(&mut model.suppressed.lists, generation).is_some()
    {
        model.suppression.clone_from(&read.list);
    }
    paged::page_loaded(model, generation, answer.map(|read| read.page));
}

/// What was typed has changed: all is asked for again, and the rows stay until others arrive.
pub(in crate::tui) fn search_changed(model: &mut Model) {
    for list in &mut model.suppressed.lists {
        list.forget();
    }
}

/// The row that acts are about; none while someone is opened.
#[must_use]
pub fn listed(model: &Model) -> Option<&SuppressedRow> {
    model.suppressed.selected().filter(|_| model.view == View::Suppressed && model.opened.is_none())
}

/// The user that the selected row is about, where one has the address.
#[must_use]
pub fn subject(row: &SuppressedRow) -> Option<Subject> {
    let user = row.user.as_ref()?;
    Some(Subject {
        id: user.verification?,
        email: idn::shown(&row.address).into_string(),
        mailed: row.address.plain().into_string(),
        name: user.name.plain().into_string(),
        status: None,
        user_verified: user.is_verified,
        is_leaving: user.is_leaving,
    })
}

/// Every time that is shown as a distance.
pub(in crate::tui) fn times(model: &Model) -> Vec<Time> {
    let mut times = Vec::new();
    if let Some(list) = &model.suppression {
        times.extend(list.read_at);
        times.extend(list.trouble.as_ref().map(|trouble| trouble.since));
    }
    if let Some(row) = listed(model).filter(|_| layout::whole(model).pane.width > 0) {
        times.push(row.suppression.checked_at);
        times.extend(row.suppression.since);
        times.extend(row.act.as_ref().map(|act| act.ended_at.unwrap_or(act.asked_at)));
    }
    times
}
