//! The mail's row in three inboxes, each cut where that one cuts.

use ratatui::style::Modifier;
use ratatui::text::{Line, Span};

use crate::preview::inbox::{PROGRAMS, Program};
use crate::preview::proof::Proof;
use crate::text::{fit, pad, plain, width};
use crate::tui::look::{Look, Tone};
use crate::tui::widget::wrap::wrap;

/// Its lines, for a width.
pub fn lines(proof: &Proof, look: &Look, columns: u16) -> Vec<Line<'static>> {
    let columns = usize::from(columns).max(1);
    let mut lines = Vec::new();
    for program in PROGRAMS {
        if !lines.is_empty() {
            lines.push(Line::default());
        }
        let name = format!("{}, preview of {} characters", program.name, program.characters);
        let name = if program.one_line {
            format!("{}, {} characters with the subject", program.name, program.characters)
        } else {
            name
        };
        lines.push(Line::styled(name, look.style(Tone::Quiet)));
        lines.extend(row(&program, proof, look, columns));
    }
    lines.push(Line::default());
    let note = "Where each cuts depends on its window; the marks stand where most people have them.";
    lines.extend(wrap(note, columns).into_iter().map(|line| Line::styled(line, look.style(Tone::Quiet))));
    lines
}

fn row(program: &Program, proof: &Proof, look: &Look, columns: usize) -> Vec<Line<'static>> {
    let strong = look.style(Tone::Strong);
    let from = sender(&proof.from);
    let subject = plain(&proof.subject).into_string();
    let (shown, rest) = program.cut(&subject, &proof.preview);
    let mut preview = vec![Span::styled(shown.to_owned(), look.style(Tone::Text))];
    if !rest.is_empty() {
        preview.push(Span::styled(if look.is_unicode() { "┃" } else { "|" }, look.style(Tone::Warn)));
        let rest = Span::styled(rest.to_owned(), look.style(Tone::Quiet).add_modifier(Modifier::CROSSED_OUT));
        preview.push(rest);
    }
    if program.one_line {
        let from = pad(&from, (columns / 5).clamp(8, 22), look.glyphs().ellipsis);
        let indent = width(&from) + 2;
        let mut spans = vec![Span::styled(subject, strong), Span::styled(" - ", look.style(Tone::Quiet))];
        spans.extend(preview);
        let mut out = Vec::new();
        for (n, mut line) in broken(&spans, columns.saturating_sub(indent)).into_iter().enumerate() {
            let lead = if n == 0 { Span::styled(format!("{from}  "), strong) } else { Span::raw(" ".repeat(indent)) };
            line.insert(0, lead);
            out.push(Line::from(line));
        }
        return out;
    }
    let mut out = vec![
        Line::styled(fit(&from, columns, look.glyphs().ellipsis), strong),
        Line::styled(fit(&subject, columns, look.glyphs().ellipsis), look.style(Tone::Text)),
    ];
    out.extend(broken(&preview, columns).into_iter().map(Line::from));
    out
}

/// The name that an inbox shows: without the address, if there is one.
fn sender(from: &str) -> String {
    let name = from.split_once('<').map_or(from, |(name, _)| name).trim().trim_matches('"');
    plain(if name.is_empty() { from } else { name }).into_string()
}

/// Spans over as many lines as they need, cut anywhere.
fn broken(spans: &[Span<'static>], columns: usize) -> Vec<Vec<Span<'static>>> {
    use unicode_segmentation::UnicodeSegmentation as _;
    let columns = columns.max(8);
    let mut lines = vec![Vec::new()];
    let mut used = 0;
    for span in spans {
        let mut text = String::new();
        for grapheme in span.content.graphemes(true) {
            let wide = width(grapheme);
            if used + wide > columns {
                if let Some(line) = lines.last_mut() {
                    line.push(Span::styled(std::mem::take(&mut text), span.style));
                }
                lines.push(Vec::new());
                used = 0;
            }
            used += wide;
            text.push_str(grapheme);
        }
        if let Some(line) = lines.last_mut() {
            line.push(Span::styled(text, span.style));
        }
    }
    lines
}
