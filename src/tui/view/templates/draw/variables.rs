//! The template's variables: what they are, what they say here, and which parts use them.

use ratatui::text::{Line, Span};

use crate::mail::templates::Part;
use crate::preview::proof::{Proof, Variable};
use crate::text::{pad, plain};
use crate::tui::theme::{Theme, Tone};
use crate::tui::widget::wrap::wrap;

/// Columns of a variable's name.
const NAME: usize = 14;

pub fn lines(proof: &Proof, theme: &Theme, columns: u16) -> Vec<Line<'static>> {
    let columns = usize::from(columns).max(1);
    let mut lines = Vec::new();
    for variable in &proof.variables {
        if !lines.is_empty() {
            lines.push(Line::default());
        }
        lines.extend(one(variable, theme, columns));
    }
    if lines.is_empty() {
        lines.push(Line::styled("It uses no variables.", theme.style(Tone::Quiet)));
    }
    lines
}

fn one(variable: &Variable, theme: &Theme, columns: usize) -> Vec<Line<'static>> {
    let (name, about) = (plain(&variable.name), plain(&variable.about));
    let dot = theme.glyphs().dot;
    let mut kind = vec![if variable.kind.is_empty() { "not in the schema" } else { variable.kind }];
    kind.extend(variable.required.then_some("never empty"));
    kind.extend(variable.untrusted.then_some("typed by people"));
    let kind = kind.join(&format!(" {dot} "));
    let known = !variable.kind.is_empty();
    let mut lines = vec![Line::from(vec![
        Span::styled(pad(name.as_str(), NAME.max(name.width() + 1), ""), theme.style(Tone::Strong)),
        Span::styled(kind, theme.style(if known { Tone::Quiet } else { Tone::Warn })),
    ])];
    let (value, tone) = match &variable.value {
        None => ("not defined".to_owned(), Tone::Bad),
        Some(value) if value.is_empty() => ("empty".to_owned(), Tone::Quiet),
        Some(value) => (plain(value).into_string(), Tone::Text),
    };
    let (used, used_tone) = used(&variable.used);
    for (label, text, tone) in
        [("", about.as_str(), Tone::Quiet), ("says", &value, tone), ("used in", &used, used_tone)]
    {
        if text.is_empty() {
            continue;
        }
        let indent = if columns > 2 * NAME { NAME } else { 2 };
        for (n, part) in wrap(text, columns.saturating_sub(indent).max(1)).into_iter().enumerate() {
            let lead = if n == 0 && indent == NAME { pad(&format!("  {label}"), NAME, "") } else { " ".repeat(indent) };
            lines.push(Line::from(vec![
                Span::styled(lead, theme.style(Tone::Quiet)),
                Span::styled(part, theme.style(tone)),
            ]));
        }
    }
    lines
}

fn used(parts: &[Part]) -> (String, Tone) {
    let name = |part: &Part| match part {
        Part::Subject => "subject",
        Part::Text => "text",
        Part::Html => "HTML",
    };
    match parts {
        [] => ("nowhere".to_owned(), Tone::Warn),
        parts => (parts.iter().map(name).collect::<Vec<_>>().join(", "), Tone::Text),
    }
}
