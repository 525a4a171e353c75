//! The panels: a heading with its age, and a line for each fact.

use ratatui::text::{Line, Span};

use crate::domain::Time;
use crate::domain::account::facts::{Fact, Level, PanelFacts};
use crate::text::{fit, width};
use crate::tui::Model;
use crate::tui::theme::{Theme, Tone};
use crate::tui::when;
use crate::tui::widget::gauge::{gauge, marked};
use crate::tui::widget::lines::Lines;

/// How old figures are before they are called so, in minutes: workers ask every five.
const STALE_MINUTES: i64 = 15;

/// Columns of a gauge without marks, and most of one with.
const GAUGE: u16 = 20;
const MARKED_MAX: u16 = 44;

/// From how many columns on there is room for one.
const GAUGE_FROM: u16 = 44;

/// Columns of a label and the gap behind it: the longest has ten.
const LABEL: usize = 12;

pub(super) fn lines(model: &Model, theme: &Theme, columns: u16, panels: &[PanelFacts]) -> Vec<Line<'static>> {
    let mut out = Vec::new();
    for panel in panels {
        if !out.is_empty() {
            out.push(Line::default());
        }
        out.push(heading(model, theme, columns, (panel.title, &panel.subject), panel.seen_at));
        out.extend(body(model, theme, columns, panel));
    }
    out
}

/// The title, what it is about, and how old it is, at the right.
pub(super) fn heading(
    model: &Model,
    theme: &Theme,
    columns: u16,
    (title, about): (&str, &str),
    seen_at: Option<Time>,
) -> Line<'static> {
    // By a clock that is a moment ahead it would still be to come.
    let age = seen_at.map(|at| (when::relative(at.min(model.now), model.now), is_stale(model, at)));
    let age_room = age.as_ref().map_or(0, |(age, _)| width(age) + 1);
    let room = usize::from(columns).saturating_sub(age_room);
    let title = fit(title, room, "");
    let about_room = room.saturating_sub(width(&title) + 2);
    let about = if about.is_empty() || about_room < 4 {
        String::new()
    } else {
        format!("  {}", fit(about, about_room, theme.glyphs().ellipsis))
    };
    let gap = room.saturating_sub(width(&title) + width(&about));
    let mut spans = vec![Span::styled(title, theme.style(Tone::Strong)), Span::styled(about, theme.style(Tone::Quiet))];
    if let Some((age, is_stale)) = age {
        spans.push(Span::raw(" ".repeat(gap + 1)));
        spans.push(Span::styled(age, theme.style(if is_stale { Tone::Warn } else { Tone::Quiet })));
    }
    Line::from(spans)
}

fn is_stale(model: &Model, at: Time) -> bool {
    (model.now - at).num_minutes() >= STALE_MINUTES
}

fn body(model: &Model, theme: &Theme, columns: u16, panel: &PanelFacts) -> Vec<Line<'static>> {
    let mut lines = Lines::new(theme, columns);
    let [_, bad, attention] = theme.glyphs().marks;
    if let Some(right) = &panel.missing {
        lines.marked(bad, &format!("not allowed: {right}"), Tone::Warn);
        lines.under("give the workers' AWS identity this right", Tone::Quiet);
    } else if let Some((trouble, since)) = &panel.trouble {
        let words = format!("no answer, {}: {trouble}", when::relative(*since, model.now));
        lines.marked(attention, &words, Tone::Warn);
    } else if !panel.is_own && panel.seen_at.is_some_and(|at| is_stale(model, at)) {
        lines.marked(attention, "no worker has asked since then", Tone::Warn);
    }
    let mut out = lines.finish();
    for fact in &panel.facts {
        out.extend(line(theme, columns, fact));
    }
    out
}

fn line(theme: &Theme, columns: u16, fact: &Fact) -> Vec<Line<'static>> {
    // What is well is seen by its gauge; the words about it need no colour.
    let of_words = if fact.scale.is_some() && fact.level == Level::Good { Tone::Text } else { tone(fact.level) };
    let mut lines = Lines::with_labels(theme, columns, LABEL);
    let (drawn, has_limits) = drawn(theme, columns, fact);
    let words = if has_limits { fact.words.clone() } else { fact.in_words() };
    if fact.label.is_empty() {
        lines.under(&words, of_words);
    } else {
        lines.value(fact.label, &words, of_words);
    }
    let mut out = lines.finish();
    out.extend(drawn);
    out
}

fn tone(level: Level) -> Tone {
    match level {
        Level::Plain => Tone::Text,
        Level::Good => Tone::Good,
        Level::Look => Tone::Warn,
        Level::Bad => Tone::Bad,
    }
}

/// How much of something is used up, by each count, where there is room to draw it; and whether the limits stand below.
fn drawn(theme: &Theme, columns: u16, fact: &Fact) -> (Vec<Line<'static>>, bool) {
    let Some(scale) = fact.scale.as_ref().filter(|_| columns >= GAUGE_FROM) else { return (Vec::new(), false) };
    let room = columns.saturating_sub(u16::try_from(LABEL).unwrap_or_default());
    let mut out = Vec::new();
    let mut limits = None;
    for bar in &scale.bars {
        let tone = if bar.level == Level::Plain { Tone::Good } else { tone(bar.level) };
        let mut lines = if scale.marks.is_empty() {
            vec![Line::from(gauge(theme, bar.part, GAUGE.min(room), tone))]
        } else {
            marked(theme, bar.part, MARKED_MAX.min(room), tone, &scale.marks)
        };
        limits = lines.split_off(lines.len().min(1)).pop();
        // Ours alone is what the words are about.
        let name = if bar.name == "ours" && scale.bars.len() == 1 { "" } else { bar.name };
        let name = Span::styled(format!("{:LABEL$}", format!("  {name}")), theme.style(Tone::Quiet));
        out.extend(lines.into_iter().map(|line| before(name.clone(), line)));
    }
    let has_limits = limits.is_some();
    out.extend(limits.map(|line| before(Span::raw(" ".repeat(LABEL)), line)));
    (out, has_limits)
}

fn before(first: Span<'static>, mut line: Line<'static>) -> Line<'static> {
    line.spans.insert(0, first);
    line
}
