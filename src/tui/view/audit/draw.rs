//! The audit log: the list, and beside it all about the selected entry.
//!
//! ```text
//!   When          Who    What                  Whom                  Why
//! > 14:13:53      mina   force-verify: done    kim@example.com       the user called
//! ```

use ratatui::layout::Rect;
use ratatui::text::Line;

use crate::domain::audit::{AuditEntry, AuditKind, AuditRow};
use crate::text::width;
use crate::tui::Model;
use crate::tui::screen::layout::Layout;
use crate::tui::theme::{Theme, Tone};
use crate::tui::view::detail;
use crate::tui::view::empty::{self, State};
use crate::tui::view::list::{Item, List};
use crate::tui::view::rows;
use crate::tui::when;
use crate::tui::widget::canvas::{Canvas, inset, row};
use crate::tui::widget::lines::Lines;
use crate::tui::widget::table::{Column, HIDDEN, NARROW};

pub fn draw(canvas: &mut Canvas<'_>, model: &Model, layout: &Layout) {
    if let Some(list) = model.audit.list().filter(|_| layout.list.height > 0 && layout.list.width > 0) {
        table(canvas, model, list, layout);
    }
    if layout.pane.width == 0 {
        return;
    }
    if model.opened.is_some() {
        detail::draw(canvas, model, layout.pane);
    } else {
        pane(canvas, model, layout.pane);
    }
}

fn table(canvas: &mut Canvas<'_>, model: &Model, list: &List<AuditRow>, layout: &Layout) {
    if list.items.is_empty() {
        empty::draw(canvas, layout.list, &nothing(model, list));
        return;
    }
    let columns = columns(list, layout.list.width);
    let is_away = model.row_open || model.opened.is_some();
    rows::draw(
        canvas,
        (layout, model.now),
        list,
        &columns,
        is_away,
        |canvas, item, _| cells(model, canvas.theme, item),
        |_| false,
    );
}

fn columns(list: &List<AuditRow>, room: u16) -> [Column; 5] {
    let narrow = room < NARROW;
    let wide_only = |least: u16| if narrow { HIDDEN } else { least };
    let cap = |n: usize, least: u16, most: u16| u16::try_from(n).unwrap_or(most).clamp(least, most);
    let who = list.items.iter().map(|item| width(&item.row.entry.system_user())).max().unwrap_or_default();
    let [whom, why, what] = list.wide.usual;
    let [longest_whom, longest_why, longest_what] = list.wide.longest;
    [
        Column::new("When", wide_only(12), 12, 3),
        Column::new("Who", cap(who, 4, 10), cap(who, 4, 24), 2),
        Column::new("What", cap(what, 8, 16), cap(what, 8, 32), 1).more(cap(longest_what, 8, 40)),
        Column::new("Whom", wide_only(cap(whom, 8, 18)), cap(whom, 8, 40), 4).more(cap(longest_whom, 8, 48)),
        Column::new("Why", wide_only(cap(why, 6, 14)), cap(why, 6, 80), 5).more(cap(longest_why, 6, 120)).filling(),
    ]
}

fn why(entry: &AuditEntry) -> String {
    entry.reason.as_ref().map(|reason| reason.plain().into_string()).unwrap_or_default()
}

fn cells(model: &Model, theme: &Theme, item: &Item<AuditRow>) -> [Line<'static>; 5] {
    let (row, quiet) = (&item.row, theme.style(Tone::Quiet));
    let entry = &row.entry;
    let or_none = |text: String| {
        if text.is_empty() { Line::styled(theme.glyphs().none, quiet) } else { Line::from(text) }
    };
    [
        Line::styled(when::brief(entry.at, model.now, model.setup.zone), quiet),
        Line::from(entry.system_user()),
        Line::from(entry.what()),
        or_none(row.whom().unwrap_or_default()),
        or_none(why(entry)),
    ]
}

/// The selected entry beside the list, or alone on a narrow screen.
fn pane(canvas: &mut Canvas<'_>, model: &Model, area: Rect) {
    let area = inset(area, 1);
    let lines = entry_lines(model, canvas.theme, area.width);
    let most = lines.len().saturating_sub(usize::from(area.height));
    for (n, line) in (0..area.height).zip(lines.iter().skip(model.entry_scroll.min(most))) {
        canvas.line(row(area, n), line);
    }
}

/// All about the selected entry.
#[must_use]
pub fn entry_lines(model: &Model, theme: &Theme, columns: u16) -> Vec<Line<'static>> {
    let Some(row) = model.audit.selected() else { return Vec::new() };
    let entry = &row.entry;
    let mut lines = Lines::new(theme, columns);
    lines.text(&entry.what(), if model.row_open { Tone::Here } else { Tone::Strong });
    if let Some(reason) = &entry.reason {
        let [open, close] = theme.glyphs().quotes;
        lines.text(&format!("{open}{}{close}", reason.plain()), Tone::Text);
    }
    lines.gap();
    lines.value("when", &when::absolute(entry.at, model.setup.zone), Tone::Text);
    lines.value("", &when::relative(entry.at, model.now), Tone::Quiet);
    lines.value("who", &entry.system_user(), Tone::Text);
    if let Some(address) = entry.ssh_address() {
        lines.value("from", &format!("{address} (SSH)"), Tone::Text);
    }
    lines.value("by way of", entry.origin.plain().as_str(), Tone::Text);
    // What the program says of who acted can be forged where the program runs; this cannot.
    if let Some(login) = &entry.login {
        let client = entry.client.as_ref().map(|client| format!(" from {}", client.plain())).unwrap_or_default();
        lines.value("role", &format!("{}{client}", login.plain()), Tone::Text);
    }
    if let Some(whom) = row.whom() {
        lines.gap();
        lines.value("whom", &whom, Tone::Text);
        if let Some(id) = entry.user_id.filter(|_| row.email.is_some()) {
            lines.value("", &format!("user {id}"), Tone::Quiet);
        }
    }
    changes(&mut lines, model, row);
    lines.gap();
    if let Some(id) = entry.verification_id {
        lines.value("about", &format!("verification {id}"), Tone::Quiet);
    }
    if let Some(id) = entry.send_id {
        lines.value("send", &id.to_string(), Tone::Quiet);
    }
    lines.value("entry", &entry.id.to_string(), Tone::Quiet);
    if let Some(id) = row.undoes {
        lines.value("", &format!("takes back entry {id}"), Tone::Quiet);
    }
    if row.shown_by.is_some() {
        lines.gap();
        lines.pieces(vec![("Enter".into(), Tone::Key), (" shows the user.".into(), Tone::Quiet)]);
    }
    lines.finish()
}

/// What it has changed.
fn changes(lines: &mut Lines<'_>, model: &Model, row: &AuditRow) {
    let show = |at| when::brief(at, model.now, model.setup.zone);
    let (before, after) = (row.entry.before_in_words(show), row.after_in_words(show));
    for (label, words) in [("before", before), ("after", after)] {
        if let Some(words) = words {
            lines.value(label, &words, Tone::Text);
        }
    }
}

/// An entry among all about a user.
pub fn one_entry(lines: &mut Lines<'_>, model: &Model, theme: &Theme, entry: &AuditEntry) {
    let dot = theme.glyphs().dot;
    lines.pieces(vec![(entry.what(), Tone::Text)]);
    let who = format!("{} via {}", entry.actor.plain(), entry.origin.plain());
    lines.under(&format!("{} {dot} {who}", when::absolute(entry.at, model.setup.zone)), Tone::Quiet);
    if let Some(reason) = &entry.reason {
        let [open, close] = theme.glyphs().quotes;
        lines.under(&format!("{open}{}{close}", reason.plain()), Tone::Text);
    }
    if let Some(before) = entry.before_in_words(|at| when::brief(at, model.now, model.setup.zone)) {
        lines.under(&format!("before: {before}"), Tone::Text);
    }
}

/// Why there are no entries.
fn nothing(model: &Model, list: &List<AuditRow>) -> State {
    if let Some(state) = empty::unread(model, list) {
        return state;
    }
    let text = model.audit.search.text().trim();
    if !text.is_empty() {
        let state = State::quiet(format!("No entry matches \"{text}\"."));
        let state = if list.tab.is_some() { state.hint(empty::all_of_them(model)) } else { state };
        return state.hint(empty::to_change(model));
    }
    match list.tab {
        Some(AuditKind::Operators) => {
            State::quiet("No operator has done anything yet.").hint("Press 4 for all entries.")
        }
        Some(AuditKind::Users) => State::quiet("No operator has changed a user yet.")
            .hint("Force-verified, un-verified, revoked, extended, another address: they come here."),
        Some(AuditKind::Outbox) => State::quiet("No one has stopped or started mail yet.")
            .hint("Pauses, drains, bulk resends and topics come here."),
        None => State::quiet("Nothing has happened yet."),
    }
}
