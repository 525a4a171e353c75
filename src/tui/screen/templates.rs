//! The verification mail for a sample user: subject, then one of its parts.

use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::state::{self, State};
use crate::domain::locale::Locale;
use crate::text::{plain, plain_lines};
use crate::tui::Model;
use crate::tui::look::{Look, Tone};
use crate::tui::model::Part;
use crate::tui::widget::canvas::{Canvas, inset, row};
use crate::tui::widget::wrap::wrap;

/// Lines above the part: language, to, subject, a gap.
pub const HEAD: usize = 4;

/// Widest a mail is laid out: longer lines are hard to read, and mail programs do not show them either.
pub const COLUMNS_MAX: u16 = 76;

/// Draws it.
pub fn draw(canvas: &mut Canvas<'_>, model: &Model, area: Rect) {
    let templates = &model.templates;
    if let Some(problem) = &templates.problem {
        return state::draw(canvas, area, &State::problem(problem));
    }
    let Some(mail) = templates.mail.as_deref() else {
        return state::draw(canvas, area, &State::quiet("rendering…"));
    };
    let area = inset(area, 1);
    let language = match templates.locale {
        Locale::Ko => "Korean",
        Locale::En => "English",
    };
    let mut top = 0;
    if area.height > 8 {
        let quiet = canvas.style(Tone::Quiet);
        let head = [
            ("language", language, Tone::Text),
            ("to", &mail.to, Tone::Text),
            ("subject", &mail.subject, Tone::Strong),
        ];
        for (n, (label, value, tone)) in (0..).zip(head) {
            let value = Span::styled(plain(value).into_string(), canvas.style(tone));
            canvas.line(row(area, n), &Line::from(vec![Span::styled(format!("{label:<10}"), quiet), value]));
        }
        top = 4;
    }
    let body = Rect { y: area.y + top, height: area.height - top, ..area };
    let lines = lines(model, canvas.look, body.width);
    let most = lines.len().saturating_sub(usize::from(body.height));
    for (n, line) in (0..body.height).zip(lines.iter().skip(templates.scroll.min(most))) {
        canvas.line(row(body, n), line);
    }
}

/// The part's lines, for a width.
#[must_use]
pub fn lines(model: &Model, look: &Look, columns: u16) -> Vec<Line<'static>> {
    let Some(mail) = model.templates.mail.as_deref() else { return Vec::new() };
    let columns = usize::from(columns.max(1));
    let wrapped = |text: &str| -> Vec<Line<'static>> {
        let lines = plain_lines(text).into_iter();
        lines.flat_map(|line| wrap(line.as_str(), columns)).map(Line::from).collect()
    };
    match model.templates.part {
        Part::Text => wrapped(&mail.text),
        Part::Source => wrapped(&mail.html),
        Part::Html if mail.shown.is_empty() => {
            let note = "The window is too narrow to lay the HTML out; this is its source.";
            let mut lines = vec![Line::styled(note, look.style(Tone::Quiet)), Line::default()];
            lines.extend(wrapped(&mail.html));
            lines
        }
        Part::Html => mail
            .shown
            .iter()
            .map(|line| {
                let spans = line.pieces.iter().map(|piece| {
                    let mut style = look.style(if piece.strong { Tone::Strong } else { Tone::Text });
                    if piece.link {
                        style = style.patch(look.style(Tone::Here)).add_modifier(ratatui::style::Modifier::UNDERLINED);
                    }
                    Span::styled(piece.text.clone(), style)
                });
                Line::from(spans.collect::<Vec<_>>())
            })
            .collect(),
    }
}
