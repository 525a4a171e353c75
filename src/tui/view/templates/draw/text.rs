//! The text part, and whether it says what the HTML part says.

use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Span};

use crate::preview::part_comparison::Fact;
use crate::preview::proof::Proof;
use crate::text::plain_lines;
use crate::tui::theme::{Theme, Tone};
use crate::tui::widget::wrap::wrap;

pub fn lines(proof: &Proof, theme: &Theme, columns: u16) -> Vec<Line<'static>> {
    let columns = usize::from(columns).max(1);
    let mut lines = summary(&proof.facts, theme, columns);
    lines.push(Line::default());
    for line in plain_lines(&proof.text) {
        for part in wrap(line.as_str(), columns) {
            lines.push(marked(&part, &proof.facts, theme));
        }
    }
    lines
}

/// Each fact once: who says it.
fn summary(facts: &[Fact], theme: &Theme, columns: usize) -> Vec<Line<'static>> {
    let [good, bad, _] = theme.glyphs().marks;
    let mut lines: Vec<Vec<Span<'static>>> = vec![vec![Span::styled("Both parts say: ", theme.style(Tone::Quiet))]];
    let same: Vec<&str> = facts.iter().filter(|fact| !fact.differs()).map(|fact| fact.name.as_str()).collect();
    let text = if same.is_empty() { "nothing that is known of".to_owned() } else { same.join(", ") };
    lines[0].push(Span::styled(format!("{text} {}", if same.is_empty() { "" } else { good }), theme.style(Tone::Good)));
    for fact in facts.iter().filter(|fact| fact.differs()) {
        let only = if fact.in_text { "only the text says" } else { "only the HTML says" };
        let text = format!("{bad} {only} {}: {}", fact.name, fact.value);
        let parts = wrap(crate::text::plain(&text).as_str(), columns);
        lines.extend(parts.into_iter().map(|part| vec![Span::styled(part, theme.style(Tone::Bad))]));
    }
    lines.into_iter().map(Line::from).collect()
}

/// A line with the facts in it marked.
fn marked(line: &str, facts: &[Fact], theme: &Theme) -> Line<'static> {
    let mut spans = Vec::new();
    let mut rest = line;
    while !rest.is_empty() {
        let next = facts
            .iter()
            .filter(|fact| fact.in_text && !fact.value.is_empty())
            .filter_map(|fact| Some((rest.find(&fact.value)?, fact)))
            .min_by_key(|(at, fact)| (*at, std::cmp::Reverse(fact.value.len())));
        let Some((at, fact)) = next else { break };
        let end = at + fact.value.len();
        spans.push(Span::styled(rest[..at].to_owned(), theme.style(Tone::Text)));
        spans.push(Span::styled(rest[at..end].to_owned(), style(fact, theme)));
        rest = &rest[end..];
    }
    spans.push(Span::styled(rest.to_owned(), theme.style(Tone::Text)));
    Line::from(spans)
}

fn style(fact: &Fact, theme: &Theme) -> Style {
    let style = theme.style(if fact.differs() { Tone::Bad } else { Tone::Good });
    style.add_modifier(Modifier::UNDERLINED)
}
