//! The mail's row in three inboxes, each cut where that one cuts.

use ratatui::text::{Line, Span};

use crate::preview::inbox::{PROGRAMS, Program};
use crate::preview::proof::Proof;
use crate::text::{fit, pad, plain, width};
use crate::tui::theme::{Theme, Tone};
use crate::tui::widget::wrap::wrap;

pub fn lines(proof: &Proof, theme: &Theme, columns: u16) -> Vec<Line<'static>> {
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
        lines.push(Line::styled(name, theme.style(Tone::Quiet)));
        lines.extend(row(&program, proof, theme, columns));
    }
    lines.push(Line::default());
    let note = "Where each cuts depends on its window; the marks stand where most people have them.";
    lines.extend(wrap(note, columns).into_iter().map(|line| Line::styled(line, theme.style(Tone::Quiet))));
    lines
}

fn row(program: &Program, proof: &Proof, theme: &Theme, columns: usize) -> Vec<Line<'static>> {
    let strong = theme.style(Tone::Strong);
    let from = sender(&proof.from);
    let subject = plain(&proof.subject).into_string();
    let (shown, rest) = program.cut(&subject, &proof.preview);
    let mut preview = vec![Span::styled(shown.to_owned(), theme.style(Tone::Text))];
    if !rest.is_empty() {
        preview.push(Span::styled(if theme.is_unicode() { "┃" } else { "|" }, theme.style(Tone::Warn)));
        preview.push(Span::styled(rest.to_owned(), theme.style(Tone::Quiet)));
    }
    if program.one_line {
        let from = pad(&from, (columns / 5).clamp(8, 22), theme.glyphs().ellipsis);
        let indent = width(&from) + 2;
        let mut spans = vec![Span::styled(subject, strong), Span::styled(" - ", theme.style(Tone::Quiet))];
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
        Line::styled(fit(&from, columns, theme.glyphs().ellipsis), strong),
        Line::styled(fit(&subject, columns, theme.glyphs().ellipsis), theme.style(Tone::Text)),
    ];
    out.extend(broken(&preview, columns).into_iter().map(Line::from));
    out
}

/// The name that an inbox shows: without the address, if there is one.
fn sender(from: &str) -> String {
    let name = from.split_once('<').map_or(from, |(name, _)| name).trim().trim_matches('"');
    plain(if name.is_empty() { from } else { name }).into_string()
}

/// Spans over as many lines as they need, broken at spaces where there are any.
fn broken(spans: &[Span<'static>], columns: usize) -> Vec<Vec<Span<'static>>> {
    let text: String = spans.iter().map(|span| span.content.as_ref()).collect();
    let mut lines = Vec::new();
    let mut rest = spans.iter().map(|span| (span.content.to_string(), span.style));
    let mut now = rest.next();
    for line in wrap(&text, columns.max(8)) {
        let mut out = Vec::new();
        let mut left = line.as_str();
        while let Some((piece, style)) = &mut now {
            if left.is_empty() {
                break;
            }
            let shared = left.bytes().zip(piece.bytes()).take_while(|(a, b)| a == b).count();
            if shared > 0 {
                out.push(Span::styled(left[..shared].to_owned(), *style));
                (left, *piece) = (&left[shared..], piece[shared..].to_owned());
            } else if !piece.is_empty() {
                // A space that the break has swallowed.
                *piece = piece.chars().skip(1).collect();
            }
            if piece.is_empty() {
                now = rest.next();
            }
        }
        lines.push(out);
    }
    lines
}
