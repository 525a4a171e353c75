//! What dialogs are drawn with.

use ratatui::layout::{Position, Rect};
use ratatui::text::Line;

use super::Keys;
use crate::tui::Model;
use crate::tui::effect::Problem;
use crate::tui::model::Subject;
use crate::tui::model::field::Field;
use crate::tui::theme::{Theme, Tone};
use crate::tui::widget::canvas::{Canvas, row};
use crate::tui::widget::lines::Lines;
use crate::tui::widget::tabs::capital;
use crate::tui::widget::{field, modal};

/// Columns of a dialog's text.
const COLUMNS: u16 = 60;

pub(super) fn columns_for(area: Rect) -> u16 {
    modal::columns(COLUMNS, area)
}

/// What a dialog covers, for what is asked before it is drawn.
pub(super) fn screen(model: &Model) -> Rect {
    Rect { width: model.size.0, height: model.size.1.saturating_sub(1), ..Rect::default() }
}

/// Draws lines in a dialog's box; returns where they went.
pub(super) fn put(canvas: &mut Canvas<'_>, area: Rect, title: &str, lines: &[Line<'_>]) -> Rect {
    let rows = u16::try_from(lines.len()).unwrap_or(u16::MAX);
    let place = modal::draw(canvas, area, title, columns_for(area), rows);
    for (n, line) in (0..place.height).zip(lines) {
        canvas.line(row(place, n), line);
    }
    place
}

/// Whom it is about; where room is short, their address alone.
pub(super) fn who(lines: &mut Lines<'_>, label: &str, subject: &Subject, is_short: bool) {
    lines.value(label, &subject.email, Tone::Strong);
    if is_short {
        return;
    }
    if subject.mailed != subject.email {
        lines.value("", &subject.mailed, Tone::Quiet);
    }
    if !subject.name.is_empty() {
        lines.value("name", &subject.name, Tone::Text);
    }
    lines.gap();
}

/// What was said in the middle of one, as a sentence of its own.
pub(super) fn sentence(words: &str) -> String {
    if words.is_empty() { String::new() } else { format!("{}.", capital(words)) }
}

pub(super) fn complaint(lines: &mut Lines<'_>, theme: &Theme, problem: &Problem) {
    let [_, bad, _] = theme.glyphs().marks;
    lines.text(&format!("{bad} {}", problem.what), Tone::Bad);
    if !problem.hint.is_empty() {
        lines.text(&problem.hint, Tone::Text);
    }
}

/// Puts the next of the usual reasons into a field, or the one before; never over what was typed. Says whether it did.
pub(super) fn choose(field: &mut Field, usual: &[&str], back: bool) -> bool {
    let now = usual.iter().position(|reason| *reason == field.text());
    if usual.is_empty() || now.is_none() && !field.is_empty() {
        return false;
    }
    let next = match now {
        None if back => usual.len() - 1,
        None => 0,
        Some(now) => (now + if back { usual.len() - 1 } else { 1 }) % usual.len(),
    };
    field.clear();
    field.paste(usual[next]);
    true
}

/// A question, most often about a user, that is answered by an address and a reason.
pub(super) struct AddressAndReason<'a> {
    pub title: &'a str,
    /// What the address is called.
    pub label: &'a str,
    pub subject: Option<&'a Subject>,
    pub address: &'a Field,
    pub reason: &'a Field,
    /// Whether typing goes to the reason.
    pub at_reason: bool,
    pub problem: Option<&'a Problem>,
    /// What is said while it is done.
    pub doing: Option<&'a str>,
    pub keys: Keys,
}

/// Draws it; `explain` says what it does, where nothing is wrong.
pub(super) fn draw_address_and_reason(
    canvas: &mut Canvas<'_>,
    area: Rect,
    asked: &AddressAndReason<'_>,
    explain: impl FnOnce(&mut Lines<'_>, &Theme),
) -> Option<Position> {
    let theme = canvas.theme;
    let columns = columns_for(area);
    let short = area.height < 18;
    let mut lines = Lines::new(theme, columns);
    if let Some(subject) = asked.subject {
        who(&mut lines, "user", subject, short);
    }
    let mut lines = lines.finish();
    let at = lines.len();
    let quiet = theme.style(Tone::Quiet);
    lines.extend([asked.label, "reason"].map(|label| Line::styled(label.to_owned(), quiet)));
    let mut below = Lines::new(theme, columns);
    if !short {
        below.gap();
    }
    match (asked.doing, asked.problem) {
        (Some(doing), _) => below.text(doing, Tone::Quiet),
        (None, Some(problem)) => complaint(&mut below, theme, problem),
        (None, None) => explain(&mut below, theme),
    }
    if !short {
        keys(&mut below, &asked.keys);
    }
    lines.extend(below.finish());
    let place = put(canvas, area, asked.title, &lines);
    let address = input(canvas, place, at, asked.address, !asked.at_reason);
    let reason = input(canvas, place, at + 1, asked.reason, asked.at_reason);
    address.or(reason)
}

#[cfg(test)]
pub(super) fn assert_passes(reason: &str) {
    use crate::desk::{REASON_MAX, REASON_MIN};
    assert!((REASON_MIN..=REASON_MAX).contains(&reason.chars().count()), "{reason}");
    assert!(crate::domain::reason::says_something(reason), "{reason}");
}

/// The keys that answer it.
pub(super) fn keys(lines: &mut Lines<'_>, keys: &[(&str, &str)]) {
    lines.gap();
    let mut pieces = Vec::new();
    for (key, title) in keys {
        pieces.push(((*key).to_owned(), Tone::Key));
        pieces.push((format!(" {title}   "), Tone::Text));
    }
    lines.pieces(pieces);
}

/// In whose name the audit log keeps an act, and with what else.
pub(super) fn recorded(model: &Model, with: &str) -> String {
    match model.setup.operator.as_str() {
        "" => format!("Recorded under your name{with}."),
        operator => format!("Recorded as {operator}{with}."),
    }
}

/// A field behind its label on a line of a dialog; returns where the cursor is if it is the one typed into. Where the
/// line is not on the screen, the last one takes its place: what is typed must be seen.
pub(super) fn input(canvas: &mut Canvas<'_>, place: Rect, at: usize, content: &Field, typed: bool) -> Option<Position> {
    const LABEL: u16 = 10;
    let n = u16::try_from(at).unwrap_or(u16::MAX);
    let n = if typed { n.min(place.height.saturating_sub(1)) } else { n };
    let line = row(place, n);
    if line.is_empty() {
        return None;
    }
    let label = LABEL.min(line.width / 2);
    let room = Rect { x: line.x + label, width: line.width - label, ..line };
    canvas.clear(room);
    if typed {
        let marker = canvas.style(Tone::Here);
        canvas.text(Rect { x: room.x, width: 1, ..room }, canvas.glyphs().selected.trim_end(), marker);
    }
    let room = Rect { x: room.x + 2.min(room.width), width: room.width.saturating_sub(2), ..room };
    let caret = field::draw(canvas, room, content);
    caret.filter(|_| typed)
}
