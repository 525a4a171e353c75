//! Questions before something is done: they say exactly what will happen, to whom.

mod outbox;
mod page;
mod test_send;

use ratatui::layout::{Position, Rect};
use ratatui::text::{Line, Span};

use super::lines::Lines;
use crate::desk::ResentHow;
use crate::domain::locale::Locale;
use crate::tui::Model;
use crate::tui::effect::Problem;
use crate::tui::look::{Look, Tone};
use crate::tui::model::Subject;
use crate::tui::model::overlay::{Form, FormField, ReasonDialog, ResendDialog};
use crate::tui::when;
use crate::tui::widget::canvas::{Canvas, row};
use crate::tui::widget::{field, sheet};
pub use outbox::{brake, bulk, cancel_job};
pub use page::{page, page_lines};
pub use test_send::test_send;

/// Columns of a dialog's text.
const COLUMNS: u16 = 60;

fn columns_for(area: Rect) -> u16 {
    COLUMNS.min(area.width.saturating_sub(6)).max(area.width.saturating_sub(2).min(20))
}

/// Puts lines on a sheet; returns where they went.
fn put(canvas: &mut Canvas<'_>, area: Rect, title: &str, lines: &[Line<'_>]) -> Rect {
    let rows = u16::try_from(lines.len()).unwrap_or(u16::MAX);
    let place = sheet::draw(canvas, area, title, columns_for(area), rows);
    for (n, line) in (0..place.height).zip(lines) {
        canvas.line(row(place, n), line);
    }
    place
}

fn who(lines: &mut Lines<'_>, subject: &Subject) {
    lines.value("to", &subject.email, Tone::Strong);
    if !subject.name.is_empty() {
        lines.value("name", &subject.name, Tone::Text);
    }
    lines.gap();
}

fn complaint(lines: &mut Lines<'_>, look: &Look, problem: &Problem) {
    let [_, bad, _] = look.glyphs().marks;
    lines.text(&format!("{bad} {}", problem.what), Tone::Bad);
    if !problem.hint.is_empty() {
        lines.text(&problem.hint, Tone::Text);
    }
}

fn answer(lines: &mut Lines<'_>, keys: &[(&str, &str)]) {
    lines.gap();
    let mut pieces = Vec::new();
    for (key, title) in keys {
        pieces.push(((*key).to_owned(), Tone::Key));
        pieces.push((format!(" {title}   "), Tone::Text));
    }
    lines.pieces(pieces);
}

/// The question before a resend.
pub fn resend(canvas: &mut Canvas<'_>, model: &Model, area: Rect, dialog: &ResendDialog) {
    let look = canvas.look;
    let mut lines = Lines::new(look, columns_for(area));
    who(&mut lines, &dialog.subject);
    match &dialog.plan {
        _ if dialog.busy => lines.text("queueing the mail…", Tone::Quiet),
        None => lines.text("asking the desk what a resend would do…", Tone::Quiet),
        Some(Ok(plan)) => {
            let (what, then) = match plan {
                ResentHow::SameLink => (
                    "The same link is mailed again.",
                    "Its life starts anew; the link in the earlier mail keeps working too.",
                ),
                ResentHow::NewKey => (
                    "A new link is mailed.",
                    "A new verification takes the place of this one; its old link does not work any more.",
                ),
                ResentHow::BroughtForward => {
                    ("A mail is waiting to be sent already; it goes first.", "No second mail is queued.")
                }
            };
            lines.text(what, Tone::Strong);
            lines.text(then, Tone::Text);
            lines.gap();
            lines.text(&format!("It is audited under {}.", operator(model)), Tone::Quiet);
            answer(&mut lines, &[("y", "mail it"), ("Esc", "cancel")]);
        }
        Some(Err(problem)) => {
            complaint(&mut lines, look, problem);
            match problem.possible_at {
                Some(at) if at > model.now => {
                    let left = when::seconds_until(at, model.now);
                    let clock = when::time_of_day(at, model.setup.zone);
                    lines.text(&format!("Possible at {clock}, in {left} s."), Tone::Strong);
                    answer(&mut lines, &[("Esc", "close")]);
                }
                Some(_) => {
                    lines.text("It is possible now.", Tone::Strong);
                    answer(&mut lines, &[("y", "ask again"), ("Esc", "close")]);
                }
                None => answer(&mut lines, &[("Esc", "close")]),
            }
        }
    }
    put(canvas, area, "Resend", &lines.finish());
}

fn operator(model: &Model) -> &str {
    if model.setup.operator.is_empty() { "your name" } else { &model.setup.operator }
}

/// The question before a forced verification.
pub fn reason(canvas: &mut Canvas<'_>, model: &Model, area: Rect, dialog: &ReasonDialog) -> Option<Position> {
    let look = canvas.look;
    let columns = columns_for(area);
    // Where not everything fits, what is typed and what is wrong with it come before what is explained.
    let short = area.height < 18;
    let mut explained = Lines::new(look, columns);
    explained.text("The address counts as verified from now on, without the link.", Tone::Strong);
    explained.text(&format!("It is audited under {}, with your reason.", operator(model)), Tone::Text);
    let explained = explained.finish();
    let mut wrong = Lines::new(look, columns);
    if dialog.busy {
        wrong.text("verifying…", Tone::Quiet);
    } else if let Some(problem) = &dialog.problem {
        complaint(&mut wrong, look, problem);
    }
    let wrong = wrong.finish();
    let mut lines = Lines::new(look, columns);
    if short {
        lines.value("to", &dialog.subject.email, Tone::Strong);
    } else {
        who(&mut lines, &dialog.subject);
    }
    let mut lines = lines.finish();
    if !short {
        lines.extend(explained.clone());
        lines.push(Line::default());
    }
    let at = lines.len();
    lines.push(Line::styled("reason", look.style(Tone::Quiet)));
    if !wrong.is_empty() {
        lines.extend(Some(Line::default()).filter(|_| !short));
        lines.extend(wrong);
    }
    if short {
        lines.extend(explained);
    } else {
        let mut keys = Lines::new(look, columns);
        answer(&mut keys, &[("Enter", "verify"), ("Esc", "cancel")]);
        lines.extend(keys.finish());
    }
    let place = put(canvas, area, "Force-verify", &lines);
    input(canvas, place, at, &dialog.reason, true)
}

/// A field behind its label on a line of a dialog; returns where the cursor is if it is the one typed into. Where the
/// line is not on the screen, the last one takes its place: what is typed must be seen.
fn input(
    canvas: &mut Canvas<'_>,
    place: Rect,
    at: usize,
    content: &crate::tui::model::field::Field,
    typed: bool,
) -> Option<Position> {
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

/// The sign-up form.
pub fn form(canvas: &mut Canvas<'_>, area: Rect, form: &Form) -> Option<Position> {
    let look = canvas.look;
    let quiet = look.style(Tone::Quiet);
    let mut lines: Vec<Line<'_>> =
        ["e-mail", "name", "language"].iter().map(|label| Line::styled(*label, quiet)).collect();
    let mut below = Lines::new(look, columns_for(area));
    below.gap();
    if form.busy {
        below.text("signing up…", Tone::Quiet);
    } else if let Some(problem) = &form.problem {
        complaint(&mut below, look, problem);
    } else {
        below.text("A verification mail is queued for the address.", Tone::Quiet);
    }
    answer(&mut below, &[("Enter", "sign up"), ("Tab", "next field"), ("Esc", "cancel")]);
    lines.extend(below.finish());
    let place = put(canvas, area, "Sign someone up", &lines);
    let language = language_line(look, form);
    let n = 2;
    let label = 10.min(place.width / 2);
    let room = row(place, n);
    canvas.line(Rect { x: room.x + label, width: room.width - label, ..room }, &language);
    let email = input(canvas, place, 0, &form.email, form.field == FormField::Email);
    let name = input(canvas, place, 1, &form.name, form.field == FormField::Name);
    email.or(name)
}

fn language_line(look: &Look, form: &Form) -> Line<'static> {
    let here = form.field == FormField::Locale;
    let mut spans = vec![Span::styled(if here { look.glyphs().selected } else { "  " }, look.style(Tone::Here))];
    for (locale, name) in [(Locale::Ko, "Korean"), (Locale::En, "English")] {
        let chosen = form.locale == locale;
        let mark = if chosen { look.glyphs().on } else { look.glyphs().off };
        spans.push(Span::styled(
            format!("{mark} {name}   "),
            look.style(if chosen { Tone::Strong } else { Tone::Quiet }),
        ));
    }
    if here {
        let [_, _, left, right] = look.glyphs().arrows;
        spans.push(Span::styled(format!("{left} {right}"), look.style(Tone::Quiet)));
    }
    Line::from(spans)
}
