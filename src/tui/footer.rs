//! The bottom: the search or what is new, and the keys.

use ratatui::layout::{Position, Rect};
use ratatui::text::{Line, Span};

use crate::text::{self, width};
use crate::tui::Model;
use crate::tui::action::{self, Action, Entry, KeyContext};
use crate::tui::allowed;
use crate::tui::export;
use crate::tui::model::View;
use crate::tui::screen::layout::{Layout, STATUS_FROM};
use crate::tui::screen::notice;
use crate::tui::theme::Tone;
use crate::tui::view::hits;
use crate::tui::view::list::{List, Row};
use crate::tui::view::marks as marked_rows;
use crate::tui::view::{queue, search, suppressed, templates};
use crate::tui::widget::canvas::{Canvas, inset};
use crate::tui::widget::field;
use crate::tui::widget::number::thousands;

/// Columns that are left of a search where room is short.
const SEARCH_LEAST: usize = 6;

/// Draws it; returns where the cursor is while a search is typed.
pub fn draw(canvas: &mut Canvas<'_>, model: &Model, layout: &Layout) -> Option<Position> {
    let asked = model.dialog.as_ref().map(|dialog| dialog.keys(model, canvas.theme)).unwrap_or_default();
    let more = if asked.is_empty() {
        keys(canvas, model, layout.footer)
    } else {
        answers(canvas, &asked, layout.footer);
        Vec::new()
    };
    if model.prompt && model.dialog.is_none() {
        let spare = [layout.status, layout.footer, layout.list];
        let place = spare.into_iter().find(|area| area.height > 0 && area.width > 0)?;
        let place = Rect { y: place.bottom() - 1, height: 1, ..place };
        canvas.clear(place);
        return prompt(canvas, model, inset(place, 1));
    }
    status(canvas, model, &more, inset(layout.status, 1));
    None
}

/// The keys that answer a dialog, as it says them itself where there is room.
fn answers(canvas: &mut Canvas<'_>, asked: &[(&str, &str)], area: Rect) {
    let area = inset(area, 1);
    let wide =
        |keys: &[(&str, &str)]| keys.iter().map(|(key, title)| width(key) + 1 + width(title) + GAP).sum::<usize>();
    let mut fitting = asked.to_vec();
    // Its *yes* stands first and the way out last; what is between them goes first.
    while fitting.len() > 2 && wide(&fitting) > usize::from(area.width) + GAP {
        fitting.remove(fitting.len() - 2);
    }
    let pieces = fitting.iter().map(|(key, title)| ((*key).to_owned(), *title, false));
    let line = Line::from(spans(canvas, pieces));
    canvas.line(area, &line);
}

/// Keys and their titles, with a gap between; dim where they would do nothing.
fn spans<'a>(canvas: &Canvas<'_>, pieces: impl Iterator<Item = (String, &'a str, bool)>) -> Vec<Span<'a>> {
    let mut spans = Vec::new();
    for (n, (key, title, is_idle)) in pieces.enumerate() {
        if n > 0 {
            spans.push(Span::raw(" ".repeat(GAP)));
        }
        let (of_key, of_title) = if is_idle { (Tone::Quiet, Tone::Quiet) } else { (Tone::Key, Tone::Text) };
        spans.push(Span::styled(key, canvas.style(of_key)));
        spans.push(Span::styled(format!(" {title}"), canvas.style(of_title)));
    }
    spans
}

fn prompt(canvas: &mut Canvas<'_>, model: &Model, area: Rect) -> Option<Position> {
    let text = model.search().text();
    let (hint, tone) = hint(canvas, model);
    let here = canvas.style(Tone::Here);
    let lead = canvas.text(area, "/ ", here).max(2).min(area.width);
    let room = Rect { x: area.x + lead, width: area.width - lead, ..area };
    let wide = u16::try_from(width(&hint)).unwrap_or(u16::MAX);
    let typed = u16::try_from(width(text)).unwrap_or(u16::MAX);
    let hint_fits = wide > 0 && typed.saturating_add(wide).saturating_add(4) <= room.width;
    let taken = if hint_fits { wide + 3 } else { 0 };
    let style = canvas.style(tone);
    if hint_fits {
        canvas.text(Rect { x: room.right() - wide, width: wide, ..room }, &hint, style);
    } else if tone == Tone::Bad && area.y > 0 {
        // What is wrong has to be read, whatever is there.
        let above = Rect { y: area.y - 1, ..area };
        canvas.clear(above);
        canvas.text(above, &hint, style);
    }
    let wrong = model.wrong_term().filter(|wrong| !wrong.is_unfinished).map(|wrong| &wrong.span);
    field::draw_marked(canvas, Rect { width: room.width - taken, ..room }, model.search(), wrong)
}

/// What is wrong with the line, what its last word may become, or how it is looked for.
fn hint(canvas: &Canvas<'_>, model: &Model) -> (String, Tone) {
    let line = model.search().text();
    if model.view == View::Suppressed {
        return ("any part of an address".into(), Tone::Quiet);
    }
    if line.trim().is_empty() {
        let words = if model.view == View::Audit {
            "whom: e-mail, name, number or id; Tab for terms"
        } else {
            "e-mail, name, number or id; Tab for terms"
        };
        return (words.into(), Tone::Quiet);
    }
    let offered = search::offered(model);
    let is_begun = !line[..offered.span.end].ends_with(char::is_whitespace);
    let completed = (is_begun && !offered.words.is_empty()).then(|| format!("Tab: {}", offered.words.join("  ")));
    if let Some(wrong) = model.wrong_term() {
        let tone = if wrong.is_unfinished { Tone::Quiet } else { Tone::Bad };
        return completed.map_or_else(|| (wrong.what.clone(), tone), |completed| (completed, Tone::Quiet));
    }
    let search = model.filter_line().search.as_ref();
    let hint = match (search, completed) {
        (_, Some(completed)) => completed,
        (Some(search), _) if !search.can_find() => "finds nothing without a letter or a digit".into(),
        (Some(search), None) if search.is_prefix() => {
            let min = if search.inside_from() == 2 { "two" } else { "three" };
            format!("matches beginnings only; {min} characters search inside")
        }
        _ => model.progress().or_else(|| found(canvas, model)).unwrap_or_default(),
    };
    (hint, Tone::Quiet)
}

/// What is new on the left or the search that applies; else what keys had no room below, or a quiet remark on where mail
/// goes.
fn status(canvas: &mut Canvas<'_>, model: &Model, more: &[&'static Entry], area: Rect) {
    if area.height == 0 {
        return;
    }
    let (news, loading) = match model.view {
        View::Verifications => (news(model.verifications.list()), is_loading(model.verifications.list())),
        View::Mail => (news(model.mail.list()), is_loading(model.mail.list())),
        View::Audit => (news(model.audit.list()), is_loading(model.audit.list())),
        View::Suppressed => (news(model.suppressed.list()), is_loading(model.suppressed.list())),
        View::Account | View::Queue => (None, false),
        View::Templates => (None, model.workbench.is_busy()),
    };
    let mut spans = Vec::new();
    let (mut searched_at, mut elsewhere_at, mut bulk_at) = (None, None, None);
    let search = model.search().text().trim();
    let (quiet, strong) = (canvas.style(Tone::Quiet), canvas.style(Tone::Strong));
    if marks(model) > 0 {
        spans.push(Span::styled(marked(model, canvas), canvas.style(Tone::Here)));
        let dot = canvas.glyphs().dot;
        let elsewhere = marked_rows::elsewhere(model);
        if elsewhere > 0 {
            elsewhere_at = Some((spans.len(), format!(", {} elsewhere", marked_rows::shown(elsewhere))));
            spans.push(Span::styled(format!(", {} not in this list", marked_rows::shown(elsewhere)), quiet));
        }
        bulk_at = Some(spans.len());
        spans.push(Span::styled(format!(" {dot} "), quiet));
        spans.push(Span::styled("B", canvas.style(Tone::Key)));
        // The search goes first.
        let unmarks = if search.is_empty() { format!(" {dot} Esc unmarks") } else { String::new() };
        spans.push(Span::styled(format!(" mails them again{unmarks}   "), quiet));
    }
    let is_searched = matches!(model.view, View::Verifications | View::Mail | View::Audit | View::Suppressed);
    if !search.is_empty() && is_searched {
        let [open, close] = canvas.glyphs().quotes;
        let is_search = model.filter_line().is_text() && model.filter_line().sort.is_none();
        spans.push(Span::styled(if is_search { "search " } else { "filter " }, quiet));
        searched_at = Some(spans.len());
        spans.push(Span::styled(format!("{open}{search}{close}"), strong));
        let dot = canvas.glyphs().dot;
        // Beside marks there is room for it once.
        if let Some(found) = found(canvas, model).filter(|_| marks(model) == 0 || position(model).is_none()) {
            spans.push(Span::styled(format!(" {dot} "), quiet));
            spans.push(Span::styled(found, strong));
        }
        let back = if search::is_of_job(model) { "goes back" } else { "clears it" };
        spans.push(Span::styled(format!(" {dot} Esc {back}   "), quiet));
    }
    let at_aws = if spans.is_empty() { suppressed::remark(model) } else { None };
    if let Some(news) = news {
        spans.push(Span::styled(news, canvas.style(Tone::Here)));
    } else if let Some((text, tone)) = at_aws {
        spans.push(Span::styled(text, canvas.style(tone)));
    } else if model.view == View::Templates {
        let remark = templates::remark(model);
        spans.extend(remark.map(|(text, tone)| Span::styled(text, canvas.style(tone))));
    } else if spans.is_empty()
        && let Some(remark) =
            notice::remark(model).filter(|remark| remark.is_needed || more.iter().all(|entry| entry.rank >= GETS_ABOUT))
    {
        spans.push(Span::styled(remark.text, quiet));
    }
    let mut room = area;
    let progress = model.progress();
    let exporting = export::progress(model);
    let doing = match model.view {
        _ if !loading => exporting.as_deref().unwrap_or_default(),
        View::Templates => model.workbench.doing(),
        _ => progress.as_deref().unwrap_or("loading…"),
    };
    let position = position(model).unwrap_or_default();
    for text in [position.as_str(), doing].into_iter().filter(|text| !text.is_empty()) {
        let wide = u16::try_from(width(text)).unwrap_or(0).min(room.width);
        canvas.text(Rect { x: room.right() - wide, width: wide, ..room }, text, quiet);
        room.width = room.width.saturating_sub(wide + 2);
    }
    // Of what does not fit, the search is known best: it was typed.
    if let Some(last) = spans.last_mut() {
        last.content = last.content.trim_end().to_owned().into();
    }
    let over = |spans: &[Span<'_>], spare: usize| {
        let wide: usize = spans.iter().map(|span| width(&span.content)).sum();
        wide.saturating_sub(usize::from(room.width) + spare)
    };
    let spare = if searched_at.is_some() { width(search).saturating_sub(SEARCH_LEAST) } else { 0 };
    // Then what is told elsewhere as well: what Esc does has to be read.
    if let Some((at, short)) = elsewhere_at.filter(|_| searched_at.is_some() && over(&spans, spare) > 0) {
        spans[at].content = short.into();
    }
    if let Some(at) = bulk_at.filter(|_| searched_at.is_some() && over(&spans, spare) > 0) {
        spans[at + 2].content = "   ".into();
        spans.drain(at..at + 2);
        searched_at = searched_at.map(|at| at - 2);
    }
    let over = over(&spans, 0);
    if let Some(at) = searched_at.filter(|_| over > 0) {
        let [open, close] = canvas.glyphs().quotes;
        let least = width(search).saturating_sub(over).max(SEARCH_LEAST);
        spans[at].content = format!("{open}{}{close}", text::fit(search, least, canvas.glyphs().ellipsis)).into();
    }
    if spans.is_empty() && more.iter().any(|entry| entry.rank < GETS_ABOUT) {
        let fitting = fit(canvas, model, more.iter().copied(), usize::from(room.width));
        spans = keys_of(canvas, model, &fitting);
    }
    canvas.line(room, &Line::from(spans));
}

/// Where in the whole list the selected row is. What is open may be another by now.
fn position(model: &Model) -> Option<String> {
    if model.opened.is_some_and(|id| model.verifications.selected().is_none_or(|row| row.verification.id != id)) {
        return None;
    }
    match model.view {
        View::Verifications => {
            let list = model.verifications.list()?;
            let count = model.counts.map(|counts| counts.of(list.tab));
            hits::position(&model.verifications, count)
        }
        View::Mail => hits::position(&model.mail, None),
        View::Audit => hits::position(&model.audit, None),
        View::Suppressed => hits::position(&model.suppressed, None),
        View::Account | View::Queue | View::Templates => None,
    }
}

/// How many the search finds under the tab that is shown, and which of them stand before all others, and why.
fn found(canvas: &Canvas<'_>, model: &Model) -> Option<String> {
    let (found, exact) = match model.view {
        // Of a job, the tabs say it all.
        View::Mail => (
            hits::found(&model.mail).filter(|_| !search::is_of_job(model)),
            hits::exact(&model.mail, canvas.glyphs().vertical),
        ),
        View::Audit | View::Suppressed => (None, None),
        _ => (hits::found(&model.verifications), hits::exact(&model.verifications, canvas.glyphs().vertical)),
    };
    let words: Vec<String> = found.into_iter().chain(exact).collect();
    (!words.is_empty()).then(|| words.join(", "))
}

fn marked(model: &Model, canvas: &Canvas<'_>) -> String {
    format!("{} {} marked", canvas.glyphs().marked, marked_rows::shown(marks(model)))
}

/// How many rows of the view are marked.
fn marks(model: &Model) -> usize {
    match model.view {
        View::Verifications => model.marks.len(),
        View::Mail => model.mail_marks.len(),
        View::Account | View::Audit | View::Suppressed | View::Queue | View::Templates => 0,
    }
}

/// How many rows have come, and the key that shows them.
fn news<R: Row>(list: Option<&List<R>>) -> Option<String> {
    let list = list.filter(|list| list.announced > 0)?;
    let key = if list.shows_newest_on_refresh() { "R" } else { "g" };
    let count = if list.announced >= 100 { "100 or more".to_owned() } else { thousands(list.announced) };
    Some(format!("{count} new, press {key}"))
}

fn is_loading<R: Row>(list: Option<&List<R>>) -> bool {
    list.is_some_and(|list| list.awaiting.is_some() && !list.items.is_empty())
}

/// The keys that apply, as many as fit, the most needed first; returns those that had no room.
fn keys(canvas: &mut Canvas<'_>, model: &Model, area: Rect) -> Vec<&'static Entry> {
    let area = inset(area, 1);
    if area.is_empty() {
        return Vec::new();
    }
    // Where there is no line for it above.
    let area = if marks(model) > 0
        && matches!(model.key_context(), KeyContext::Verifications | KeyContext::Mail)
        && model.size.1 < STATUS_FROM
    {
        let (text, style) = (marked(model, canvas), canvas.style(Tone::Here));
        let used = canvas.text(area, &text, style).saturating_add(3).min(area.width);
        Rect { x: area.x + used, width: area.width - used, ..area }
    } else {
        area
    };
    let mut entries: Vec<&'static Entry> = action::at(model.key_context())
        .filter(|entry| entry.rank > 0 && model.offers(entry.action))
        .filter(|entry| entry.action != Action::Undo || model.undo.is_some())
        .filter(|entry| {
            // Marks are for a bulk resend.
            let action = if entry.action == Action::Mark { Action::BulkResend } else { entry.action };
            allowed::forbidden(model, action).is_none()
        })
        .collect();
    let fitting = fit(canvas, model, entries.iter().copied(), usize::from(area.width));
    entries.retain(|entry| !fitting.iter().any(|shown| std::ptr::eq(*shown, *entry)));
    let line = Line::from(keys_of(canvas, model, &fitting));
    canvas.line(area, &line);
    entries
}

/// Those that fit, the most needed first, in the order that they came in.
fn fit(
    canvas: &Canvas<'_>,
    model: &Model,
    entries: impl Iterator<Item = &'static Entry>,
    columns: usize,
) -> Vec<&'static Entry> {
    let mut entries: Vec<(usize, &'static Entry)> = entries.enumerate().collect();
    entries.sort_by_key(|(_, entry)| entry.rank);
    let mut room = columns + GAP;
    entries.retain(|(_, entry)| {
        let needed = width(&key_of(canvas, entry)) + 1 + width(title_of(model, entry)) + GAP;
        let fits = needed <= room;
        room -= if fits { needed } else { 0 };
        fits
    });
    entries.sort_by_key(|(at, _)| *at);
    entries.into_iter().map(|(_, entry)| entry).collect()
}

/// The key that the footer shows for an entry.
fn key_of(canvas: &Canvas<'_>, entry: &Entry) -> String {
    let first = |entry: &Entry| entry.keys.first().map(|key| key.name(canvas.theme)).unwrap_or_default();
    // Tabs go both ways, and both are told of at once.
    let back = action::all().find(|other| entry.action == Action::NextTab && other.action == Action::PreviousTab);
    back.map_or_else(|| first(entry), |back| format!("{} {}", first(back), first(entry)))
}

fn keys_of(canvas: &Canvas<'_>, model: &Model, entries: &[&'static Entry]) -> Vec<Span<'static>> {
    let pieces = entries.iter().map(|entry| {
        let title = title_of(model, entry);
        (key_of(canvas, entry), title, is_idle(model, entry.action))
    });
    spans(canvas, pieces)
}

/// What it does where the cursor is.
fn title_of(model: &Model, entry: &Entry) -> &'static str {
    let is_on_one = entry.action == Action::Open && model.key_context() == KeyContext::QueueItem;
    if is_on_one && queue::skipped::chosen(model).is_some() { "open" } else { entry.title }
}

/// From which rank on keys only lead about.
const GETS_ABOUT: u8 = 12;

const GAP: usize = 3;

/// Whether an action would do nothing now.
fn is_idle(model: &Model, action: Action) -> bool {
    allowed::blocked(model, action).is_some()
}

#[cfg(test)]
mod tests {
    use crate::tui::tests::fixture::Console;

    #[test]
    fn at_80_columns_every_key_of_the_list_is_told() {
        let (mut console, world) = Console::loaded(80, 24);
        let told = |console: &Console| {
            let shown = console.screen();
            shown.lines().skip(22).collect::<Vec<_>>().join("\n")
        };
        let keys = ["Enter open", "/ search", "r resend", "v force-verify", "B bulk resend", "n sign up", "Space mark"];
        for key in keys.into_iter().chain(["Tab next view", "[ ] tabs", "? help", "q quit"]) {
            assert!(told(&console).contains(key), "{key} is missing in\n{}", told(&console));
        }
        // What is said there comes first.
        console.run(&world, "/ k i m Enter");
        assert!(!told(&console).contains("Space mark") && told(&console).contains("1 found"), "{}", told(&console));
    }

    #[test]
    fn a_dialog_s_keys_are_told_under_it_in_its_own_words() {
        for (width, height) in [(40, 10), (80, 24), (120, 40)] {
            for (keys, yes, between, out) in [
                ("r", "y mail it", "", "Esc cancel"),
                ("v", "Enter verify", "↑ ↓ usual reasons", "Esc cancel"),
                ("x", "Enter revoke", "↑ ↓ usual reasons", "Esc cancel"),
                ("a", "Enter change it", "Tab next field", "Esc cancel"),
                ("n", "Enter sign up", "Tab next field", "Esc cancel"),
                ("3 B", "Enter start it", "", "Esc cancel"),
                ("o P", "Enter pause", "", "Esc cancel"),
                ("y", "Enter copy", "1 that line", "Esc close"),
                ("?", "", "", "Esc close"),
                ("t T", "Enter send", "Tab next", "Esc cancel"),
            ] {
                let (mut console, world) = Console::loaded(width, height);
                console.run(&world, keys);
                let shown = console.screen();
                let footer = shown.trim_end().lines().last().unwrap();
                for told in [yes, out].into_iter().chain(Some(between).filter(|_| width >= 80)) {
                    assert!(footer.contains(told), "{keys} at {width}x{height}: {footer}");
                }
            }
        }
    }
}
