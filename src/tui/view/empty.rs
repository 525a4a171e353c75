//! What stands in the place of a list that has no rows: connecting, loading, nothing found, something wrong.

use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::hits;
use super::list::{List, Row};
use super::near;
use crate::domain::filter::Search;
use crate::domain::idn;
use crate::text::plain;
use crate::tui::Model;
use crate::tui::breakpoints::TALL_FROM;
use crate::tui::effect::Problem;
use crate::tui::model::{Link, Tabbed, View};
use crate::tui::screen::layout;
use crate::tui::theme::Tone;
use crate::tui::widget::canvas::{Canvas, inset, row};
use crate::tui::widget::wrap::wrap;

/// What to say instead of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State {
    /// What is the matter.
    pub what: String,
    /// How it feels.
    pub tone: Tone,
    /// What to do, a line each.
    pub hints: Vec<String>,
}

impl State {
    /// A quiet remark.
    pub fn quiet(what: impl Into<String>) -> Self {
        Self { what: what.into(), tone: Tone::Quiet, hints: Vec::new() }
    }

    /// With something to do about it.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    #[must_use]
    pub fn problem(problem: &Problem) -> Self {
        let state = Self { what: problem.what.clone(), tone: Tone::Bad, hints: Vec::new() };
        let hints = [problem.hint.clone(), "Press R to try again.".into()];
        hints.into_iter().filter(|h| !h.is_empty()).fold(state, State::hint)
    }
}

/// Draws it in the upper third, where the eye is.
pub fn draw(canvas: &mut Canvas<'_>, area: Rect, state: &State) {
    let area = inset(canvas.clip(area), if area.width > 24 { 3 } else { 1 });
    if area.is_empty() {
        return;
    }
    let columns = usize::from(area.width.min(72));
    let [_, bad, _] = canvas.glyphs().marks;
    let what = if state.tone == Tone::Bad { format!("{bad} {}", state.what) } else { state.what.clone() };
    let tone = if state.tone == Tone::Quiet { Tone::Strong } else { state.tone };
    let mut lines: Vec<Line<'_>> = Vec::new();
    let mut add = |text: &str, tone| {
        let style = canvas.style(tone);
        lines.extend(wrap(plain(text).as_str(), columns).into_iter().map(|part| Line::from(Span::styled(part, style))));
    };
    add(&what, tone);
    for hint in &state.hints {
        add(hint, Tone::Quiet);
    }
    if lines.len() + 3 < usize::from(area.height) && lines.len() > 1 {
        let first = wrap(plain(&what).as_str(), columns).len();
        lines.insert(first, Line::default());
    }
    let height = u16::try_from(lines.len()).unwrap_or(u16::MAX);
    let top = area.height.saturating_sub(height) / 3;
    for (n, line) in (top..area.height).zip(&lines) {
        canvas.line(row(area, n), line);
    }
}

/// Why a list has no rows. `noun` is what it lists; `empty` says what an empty list under each of its tabs means.
pub(in crate::tui) fn nothing<R: Row>(
    model: &Model,
    lists: &Tabbed<R>,
    list: &List<R>,
    (noun, name): (&str, fn(R::Kind) -> &'static str),
    empty: impl FnOnce(Option<R::Kind>) -> State,
) -> State {
    if let Some(state) = unread(model, list) {
        return state;
    }
    let filter = model.filter_line();
    let kind = list.tab.map_or_else(|| noun.to_owned(), |tab| format!("{} {noun}", name(tab)));
    if !filter.is_text() {
        let state = State::quiet(format!("No {kind} matches \"{}\".", lists.search.text().trim()));
        let state = if list.tab.is_some() { elsewhere(state, model, lists, name) } else { state };
        return state.hint(to_change(model));
    }
    if let Some(search) = &filter.search {
        let state = no_match(search, &kind);
        let state = if list.tab.is_some() { elsewhere(state, model, lists, name) } else { state };
        return hints(state, search, model);
    }
    empty(list.tab)
}

/// Why it is not known yet whether a list has rows; nothing where it is.
pub(in crate::tui) fn unread<R: Row>(model: &Model, list: &List<R>) -> Option<State> {
    match &list.problem {
        // What is wrong with the whole database is said in one place, in one wording.
        Some(problem) if !problem.away && !model.is_away() => return Some(State::problem(problem)),
        Some(_) => return Some(away(model)),
        None if list.loaded => return None,
        None => {}
    }
    Some(match model.progress() {
        Some(progress) => State::quiet(progress).hint("Esc stops it and clears the search."),
        None => away(model),
    })
}

/// Nothing came yet: connecting, away, or on its way.
pub(in crate::tui) fn away(model: &Model) -> State {
    match &model.link {
        Link::Connecting => State::quiet("connecting…"),
        Link::Up => State::quiet("loading…"),
        // On a small screen the banner is cut.
        Link::Away { .. } if layout::whole(model).banner.height > 0 && model.size.1 >= TALL_FROM => {
            State::quiet("The list comes as soon as the database is back.").hint("R tries now, q quits.")
        }
        Link::Away { problem, .. } => {
            let state = State { what: problem.what.clone(), tone: Tone::Bad, hints: vec![problem.hint.clone()] };
            state.hint("The list comes as soon as the database is back. R tries now, q quits.")
        }
    }
}

fn no_match(search: &Search, kind: &str) -> State {
    let how = if search.is_prefix() { "begins with" } else { "matches" };
    State::quiet(format!("No {kind} {how} \"{}\".", search.typed()))
}

/// Where a search is typed, a key goes into it.
fn key(model: &Model, key: &str) -> String {
    if model.prompt { format!("Enter, then {key},") } else { format!("Press {key}") }
}

/// What is found under other tabs, and the key that goes there.
fn elsewhere<R: Row>(state: State, model: &Model, lists: &Tabbed<R>, name: fn(R::Kind) -> &'static str) -> State {
    let all = tab_of_all(model);
    let Some(hits) = hits::of_this_line(lists) else { return state.hint(all_of_them(model)) };
    let found = |kind| hits::shown(hits, Some(kind)).filter(|count| count != "0");
    let kinds = lists.lists.iter().filter_map(|list| list.tab);
    let found: Vec<String> = kinds.filter_map(|kind| Some(format!("{} {}", found(kind)?, name(kind)))).collect();
    if found.is_empty() {
        return state;
    }
    let go = if model.prompt { "Tab shows them.".to_owned() } else { format!("Press {all} to see them.") };
    state.hint(format!("Found elsewhere: {}. {go}", found.join(", ")))
}

/// The key of the tab that has all of a view.
fn tab_of_all(model: &Model) -> &'static str {
    match model.view {
        View::Mail => "1",
        View::Audit => "4",
        _ => "5",
    }
}

/// How all of them are searched, and not those of one tab alone.
pub(in crate::tui) fn all_of_them(model: &Model) -> String {
    if model.prompt {
        return "Tab searches all of them.".to_owned();
    }
    format!("Press {} to search all of them.", tab_of_all(model))
}

fn hints(mut state: State, search: &Search, model: &Model) -> State {
    if search.is_prefix() {
        let min = if search.inside_from() == 2 { "Two" } else { "Three" };
        state = state.hint(format!("{min} characters or more also find what is inside e-mails and names."));
    }
    if let Some(near) = near::miss(model) {
        let email = idn::shown(near);
        state = state.hint(if model.prompt {
            format!("Did you mean {email}? Tab searches that.")
        } else {
            format!("Did you mean {email}? Press / and Tab to search that.")
        });
    }
    if model.view == View::Verifications && search.can_find() && !search.clauses().is_empty() {
        let signs = if model.prompt { "signs" } else { "to sign" };
        state = state.hint(format!("{} {signs} them up.", key(model, "n")));
    }
    state.hint(to_change(model))
}

pub(in crate::tui) fn to_change(model: &Model) -> &'static str {
    if model.prompt { "Esc clears the search." } else { "Press / to change the search, Esc to clear it." }
}
