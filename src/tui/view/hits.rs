//! How many the line finds, under each tab: counted once the list is there, and never waited for. Without a line, mails are
//! counted all the same; of verifications the database keeps count.

use super::list::Row;
use crate::domain::filter::Filter;
use crate::domain::filter::hits::{HITS_MAX, Hits};
use crate::domain::send::SendState;
use crate::domain::verification::Status;
use crate::tui::effect::{Answer, Load};
use crate::tui::model::{Tabbed, View};
use crate::tui::widget::number::thousands;
use crate::tui::{Effect, Model};

/// Asks for what the screen lacks.
pub(in crate::tui) fn want(model: &mut Model, fx: &mut Vec<Effect>) {
    match model.view {
        View::Verifications => {
            let asked = wanted(&mut model.verifications);
            fx.extend(asked.map(|filter| Effect::Load(Load::VerificationHits { filter })));
        }
        View::Mail => {
            let asked = wanted(&mut model.mail);
            fx.extend(asked.map(|filter| Effect::Load(Load::SendHits { filter })));
        }
        View::Account | View::Audit | View::Suppressed | View::Queue | View::Templates => {}
    }
}

/// The filter whose hits are to be counted now.
fn wanted<R: Row>(tabbed: &mut Tabbed<R>) -> Option<Filter> {
    let Some(filter) = counted(tabbed) else {
        (tabbed.hits, tabbed.counted) = (None, None);
        return None;
    };
    let is_there = tabbed.list().is_some_and(|list| list.loaded && list.awaiting.is_none());
    if !is_there || tabbed.counted.as_ref() == Some(&filter) {
        return None;
    }
    tabbed.counted = Some(filter.clone());
    Some(filter)
}

/// What is counted: all that the line says but what chooses the tab, and the order.
fn counted<R: Row>(tabbed: &Tabbed<R>) -> Option<Filter> {
    let filter = &tabbed.filter;
    let is_one = filter.mail.only().is_some();
    let mail = if is_one && R::ARE_MAILS { None.into() } else { filter.mail };
    let filter = Filter { status: None, mail, ..filter.unsorted() };
    (R::ARE_MAILS || filter != Filter::default()).then_some(filter)
}

/// Something has changed: where counting is cheap, it is done again.
pub(in crate::tui) fn changed<R: Row>(tabbed: &mut Tabbed<R>) {
    if tabbed.hits.as_ref().is_some_and(|(_, hits)| hits.is_all) {
        tabbed.counted = None;
    }
}

pub(in crate::tui) fn verifications_loaded(model: &mut Model, filter: Filter, answer: Answer<Option<Hits<Status>>>) {
    model.heard(&answer);
    loaded(&mut model.verifications, filter, answer);
}

pub(in crate::tui) fn sends_loaded(model: &mut Model, filter: Filter, answer: Answer<Option<Hits<SendState>>>) {
    model.heard(&answer);
    loaded(&mut model.mail, filter, answer);
}

/// Without a number the list is as good: that it could not be counted is no news.
fn loaded<R: Row>(tabbed: &mut Tabbed<R>, filter: Filter, answer: Answer<Option<Hits<R::Kind>>>) {
    if tabbed.counted.as_ref() == Some(&filter) {
        tabbed.hits = answer.ok().flatten().map(|hits| (filter, hits));
    }
}

/// The number beside a tab while there is a line; empty where it is not known. What was found before stays until the next
/// is known.
pub(in crate::tui) fn beside<R: Row>(tabbed: &Tabbed<R>, kind: Option<R::Kind>) -> Option<String> {
    tabbed.counted.as_ref()?;
    let Some((_, hits)) = &tabbed.hits else { return Some(String::new()) };
    Some(shown(hits, kind).unwrap_or_default())
}

/// Whether the line says anything of what is to be found.
pub(in crate::tui) fn is_filtered<R: Row>(tabbed: &Tabbed<R>) -> bool {
    tabbed.filter.search.is_some() || !tabbed.filter.is_text()
}

/// How many are found under the tab that is shown, in words.
pub(in crate::tui) fn found<R: Row>(tabbed: &Tabbed<R>) -> Option<String> {
    let hits = of_this_line(tabbed).filter(|_| is_filtered(tabbed))?;
    Some(format!("{} found", shown(hits, tabbed.list()?.tab)?))
}

/// What the mark beside the first rows says, where they are in sight of the window.
pub(in crate::tui) fn exact<R: Row>(tabbed: &Tabbed<R>, mark: &str) -> Option<String> {
    let list = tabbed.list().filter(|list| list.loaded && !list.newer)?;
    match list.exact() {
        0 => None,
        count if count == list.items.len() && !list.older => Some(format!("{mark} exact")),
        count => Some(format!("{mark} {count} exact first")),
    }
}

/// The hits of what is being looked for now.
pub(in crate::tui) fn of_this_line<R: Row>(tabbed: &Tabbed<R>) -> Option<&Hits<R::Kind>> {
    let (filter, hits) = tabbed.hits.as_ref()?;
    (counted(tabbed).as_ref() == Some(filter)).then_some(hits)
}

/// "3", "1,000+"; nothing where none of many was met.
pub(in crate::tui) fn shown<K: Copy + PartialEq>(hits: &Hits<K>, kind: Option<K>) -> Option<String> {
    match (hits.of(kind), hits.is_exact(kind)) {
        (count, true) => Some(thousands(count)),
        (0, false) => None,
        (count, false) => Some(format!("{}+", thousands(count.min(HITS_MAX)))),
    }
}

/// Which row of how many is selected: "37 of 6,410". `count` is how many there are without a search, where that is known.
pub(in crate::tui) fn position<R: Row>(tabbed: &Tabbed<R>, count: Option<i64>) -> Option<String> {
    let list = tabbed.list()?;
    if let Some(hits) = of_this_line(tabbed)
        && !hits.is_exact(list.tab)
    {
        let at_least = hits.of(list.tab).min(HITS_MAX);
        let position = list.position(None)?;
        return Some(format!("{} of {}+", thousands(position), thousands(at_least.max(position))));
    }
    let count = if tabbed.counted.is_some() {
        of_this_line(tabbed).map(|hits| hits.of(list.tab))
    } else {
        count.filter(|_| !is_filtered(tabbed))
    };
    let total = count.or_else(|| list.length())?;
    let position = list.position(Some(total))?;
    Some(format!("{} of {}", thousands(position), thousands(total.max(position))))
}
