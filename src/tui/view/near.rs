//! Addresses near to the one that was looked for, where no one has that.

use crate::domain::filter::Search;
use crate::text::Untrusted;
use crate::tui::effect::{Answer, Load};
use crate::tui::model::{Tabbed, View};
use crate::tui::view::list::Row;
use crate::tui::view::paged::Listed;
use crate::tui::{Effect, Model};

/// Asks for them, once.
pub(super) fn want<R: Listed>(model: &mut Model, fx: &mut Vec<Effect>) {
    let Some(search) = not_found(R::tabbed(model)).cloned() else { return };
    if model.near.as_ref().is_none_or(|(asked, _)| *asked != search) {
        model.near = Some((search.clone(), Vec::new()));
        fx.push(Effect::Load(Load::NearMisses { search }));
    }
}

/// What was looked for under all tabs, and is not there.
fn not_found<R: Row>(tabbed: &Tabbed<R>) -> Option<&Search> {
    tabbed.list().filter(|list| list.tab.is_none() && list.loaded && list.items.is_empty())?;
    tabbed.filter.search.as_ref()
}

/// A guess that failed is none: what was looked for is not there, with or without it.
pub(in crate::tui) fn loaded(model: &mut Model, search: &Search, answer: Answer<Vec<Untrusted>>) {
    model.heard(&answer);
    if let (Some((asked, near)), Ok(found)) = (&mut model.near, answer)
        && asked == search
    {
        *near = found;
    }
}

/// The likeliest one.
pub(in crate::tui) fn miss(model: &Model) -> Option<&Untrusted> {
    let searched = match model.view {
        View::Verifications => not_found(&model.verifications),
        View::Mail => not_found(&model.mail),
        View::Account | View::Audit | View::Suppressed | View::Queue | View::Templates => None,
    }?;
    let (asked, near) = model.near.as_ref()?;
    near.first().filter(|_| asked == searched)
}
