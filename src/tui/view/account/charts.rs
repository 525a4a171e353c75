//! What became of the mails: 14 days, 24 hours, and how far the newest links came, all together and by domain.

use ratatui::text::{Line, Span};

use super::domains;
use super::panels::heading;
use crate::domain::account::flow::{COUNTED_MAX, DAYS, Funnel, Series, Step, lasting, series};
use crate::domain::account::view::AccountView;
use crate::domain::reputation::{HOURS, Hour, percent};
use crate::text::{pad, width};
use crate::tui::Model;
use crate::tui::theme::{Theme, Tone};
use crate::tui::widget::gauge::gauge;
use crate::tui::widget::number::thousands;
use crate::tui::widget::sparkline::{bars, sparkline_of};

/// Columns of a name and the gap behind it, as facts have them.
const NAME: usize = 12;

/// Columns of a number with the gap before it, and of a part of all.
const NUMBER: usize = 9;
const PART: usize = 8;

/// Columns of a time and of the later one, with the gap before.
const MEDIAN: usize = 9;
const LATE: usize = 12;

/// Most columns of a day or an hour.
const BAR_MAX: usize = 5;

/// Most columns of a step's gauge, and fewest.
const GAUGE_MAX: usize = 30;
const GAUGE_MIN: usize = 6;

/// Rows of the bars of what was accepted.
const ROWS: u16 = 4;

/// How much room there is for bars, and what stands beside them.
struct Shape {
    /// Columns of all bars.
    bars: usize,
    has_parts: bool,
}

impl Shape {
    fn of(columns: u16) -> Self {
        let columns = usize::from(columns);
        let with_parts = columns.saturating_sub(NAME + NUMBER + PART);
        let has_parts = with_parts >= DAYS;
        let room = if has_parts { with_parts } else { columns.saturating_sub(NAME + NUMBER) };
        Self { bars: room, has_parts }
    }

    /// Columns of each of so many, and of the gap in them.
    fn each(&self, count: usize) -> (usize, usize) {
        match (self.bars / count.max(1)).min(BAR_MAX) {
            wide @ 3.. => (wide - 1, 1),
            wide => (wide, 0),
        }
    }

    /// Columns that the bars of days and of hours take: what stands behind them is in one line.
    fn taken(&self) -> usize {
        [DAYS, HOURS]
            .map(|count| {
                let (wide, gap) = self.each(count);
                count * (wide + gap)
            })
            .into_iter()
            .max()
            .unwrap_or_default()
    }
}

pub(super) fn lines(model: &Model, theme: &Theme, columns: u16, view: &AccountView) -> Vec<Line<'static>> {
    let mut out = days(model, theme, columns, view);
    out.push(Line::default());
    out.extend(hours(model, theme, columns, view));
    out.push(Line::default());
    out.extend(funnel(model, theme, columns, view));
    let domains = domains::lines(model, theme, columns, view);
    if !domains.is_empty() {
        out.push(Line::default());
        out.extend(domains);
    }
    out
}

/// A row of bars, and all of them together behind it, as a part of so many.
struct Row<'a> {
    name: &'a str,
    counts: &'a [i64],
    total: String,
    part: Option<f64>,
    tone: Tone,
    /// What is the most in all rows that are to be compared with this one.
    most: i64,
}

impl Row<'_> {
    /// In one row.
    fn line(&self, theme: &Theme, shape: &Shape) -> Line<'static> {
        let (wide, gap) = shape.each(self.counts.len());
        let heights = sparkline_of(theme, self.counts, self.most);
        let drawn: String =
            heights.chars().flat_map(|c| std::iter::repeat_n(c, wide).chain(std::iter::repeat_n(' ', gap))).collect();
        self.around(theme, shape, Line::from(Span::styled(drawn, theme.style(self.tone))), true)
    }

    /// In several rows, the name and the numbers on the last.
    fn lines(&self, theme: &Theme, shape: &Shape) -> Vec<Line<'static>> {
        let (wide, gap) = shape.each(self.counts.len());
        if wide == 0 {
            return vec![self.line(theme, shape)];
        }
        let size = (u16::try_from(wide).unwrap_or(1), u16::try_from(gap).unwrap_or_default());
        let rows = bars(theme, self.counts, size, ROWS, self.tone);
        let last = rows.len().saturating_sub(1);
        rows.into_iter().enumerate().map(|(n, row)| self.around(theme, shape, row, n == last)).collect()
    }

    fn around(&self, theme: &Theme, shape: &Shape, drawn: Line<'static>, is_named: bool) -> Line<'static> {
        let name = if is_named { self.name } else { "" };
        let mut spans = vec![Span::styled(pad(name, NAME, ""), theme.style(Tone::Quiet))];
        let gap = shape.taken().saturating_sub(drawn.width());
        spans.extend(drawn.spans);
        if is_named {
            spans.push(Span::raw(" ".repeat(gap)));
            spans.push(Span::styled(right(&self.total, NUMBER), theme.style(Tone::Text)));
            let part = self.part.filter(|_| shape.has_parts).map(|part| right(&percent(part), PART));
            spans.extend(part.map(|part| Span::styled(part, theme.style(Tone::Quiet))));
        }
        Line::from(spans)
    }
}

/// Where the bars begin and end in time.
fn axis(theme: &Theme, shape: &Shape, count: usize, from: &str) -> Option<Line<'static>> {
    let (wide, gap) = shape.each(count);
    let columns = (count * (wide + gap)).saturating_sub(gap);
    let now = "now";
    let between = columns.checked_sub(width(from) + width(now)).filter(|between| *between > 1)?;
    let words = format!("{}{from}{}{now}", " ".repeat(NAME), " ".repeat(between));
    Some(Line::styled(words, theme.style(Tone::Quiet)))
}

fn tone_of(is_bad: bool, total: i64) -> Tone {
    match (is_bad, total) {
        (_, 0) => Tone::Quiet,
        (true, _) => Tone::Bad,
        (false, _) => Tone::Good,
    }
}

fn most<'a>(counts: impl Iterator<Item = &'a i64>) -> i64 {
    counts.copied().max().unwrap_or_default()
}

/// A number at the end of its columns.
pub(super) fn right(text: &str, columns: usize) -> String {
    format!("{text:>columns$}")
}

/// As a part of 1.
fn part_of(count: i64, all: i64) -> Option<f64> {
    #[expect(clippy::cast_precision_loss, reason = "a part of all, in a few digits")]
    let part = |count: i64| count as f64 / all as f64;
    (all > 0).then(|| part(count))
}

fn days(model: &Model, theme: &Theme, columns: u16, view: &AccountView) -> Vec<Line<'static>> {
    let mut lines =
        vec![heading(model, theme, columns, ("14 days", "each back from this time of day"), Some(view.as_of))];
    let all = series(&view.days);
    if view.days.len() < DAYS || all[0].total() == 0 {
        lines.push(Line::styled("no mail was accepted", theme.style(Tone::Quiet)));
        return lines;
    }
    let shape = Shape::of(columns);
    let accepted = all[0].total();
    let worst = most(all.iter().filter(|one| one.is_bad).flat_map(|one| &one.counts));
    for (n, one) in all.iter().enumerate() {
        let total = if one.is_cut() { format!("{}+", thousands(one.total())) } else { thousands(one.total()) };
        // Of what was cut the parts say nothing.
        let part = part_of(one.total(), accepted).filter(|_| n > 0 && !all.iter().any(Series::is_cut));
        let row = Row {
            name: one.name,
            counts: &one.counts,
            total,
            part,
            tone: tone_of(one.is_bad, one.total()),
            most: if one.is_bad { worst } else { 0 },
        };
        if n == 0 {
            lines.extend(row.lines(theme, &shape));
        } else {
            lines.push(row.line(theme, &shape));
        }
    }
    lines.extend(axis(theme, &shape, DAYS, "14 d ago"));
    if all.iter().any(Series::is_cut) {
        let words = format!("a day is counted up to {} mails in a state", thousands(COUNTED_MAX));
        lines.push(Line::styled(words, theme.style(Tone::Quiet)));
    }
    lines
}

/// What is counted of an hour.
type CountOf = fn(&Hour) -> i64;

fn hours(model: &Model, theme: &Theme, columns: u16, view: &AccountView) -> Vec<Line<'static>> {
    let hours = &view.reputation.hours;
    let day = view.reputation.day();
    let mut lines = vec![heading(model, theme, columns, ("24 hours", "hour by hour, this one last"), Some(view.as_of))];
    if day == Hour::default() {
        lines.push(Line::styled("nothing was sent", theme.style(Tone::Quiet)));
        return lines;
    }
    let shape = Shape::of(columns);
    let rows: [(_, CountOf); 4] = [
        ("sent", |hour| hour.sent),
        ("bounced", |hour| hour.bounced),
        ("complained", |hour| hour.complained),
        ("failed", |hour| hour.failed),
    ];
    let counts = rows.map(|(_, of)| hours.iter().map(of).collect::<Vec<_>>());
    let worst = most(counts[1..].iter().flatten());
    for (n, ((name, _), counts)) in rows.iter().zip(&counts).enumerate() {
        let is_bad = n > 0;
        let total: i64 = counts.iter().sum();
        let row = Row {
            name,
            counts,
            total: thousands(total),
            // What bounces in an hour may have been sent in another.
            part: None,
            tone: tone_of(is_bad, total),
            most: if is_bad { worst } else { 0 },
        };
        lines.push(row.line(theme, &shape));
    }
    lines.extend(axis(theme, &shape, HOURS, "24 h ago"));
    lines
}

fn funnel(model: &Model, theme: &Theme, columns: u16, view: &AccountView) -> Vec<Line<'static>> {
    let funnel = &view.funnel;
    let of = if funnel.made >= funnel.most { "the newest " } else { "" };
    let about = format!("{of}{} links of 14 days", thousands(funnel.made));
    let mut lines = vec![heading(model, theme, columns, ("From link to verified", &about), Some(view.as_of))];
    if funnel.made == 0 {
        return lines;
    }
    let room = usize::from(columns).checked_sub(NAME + NUMBER + PART + MEDIAN + LATE);
    if let Some(room) = room {
        let wide = if room < GAUGE_MIN { 0 } else { room.min(GAUGE_MAX) };
        let head = " ".repeat(NAME + wide + NUMBER + PART) + &right("median", MEDIAN) + &right("95 in 100", LATE);
        lines.push(Line::styled(head, theme.style(Tone::Quiet)));
        lines.extend(funnel.steps().into_iter().map(|step| in_columns(theme, wide, funnel, step)));
    } else {
        lines.extend(funnel.steps().into_iter().flat_map(|step| below_each_other(theme, funnel, step)));
    }
    lines
}

/// A step with its times beside it.
fn in_columns(theme: &Theme, wide: usize, funnel: &Funnel, step: Step) -> Line<'static> {
    let mut spans = vec![Span::styled(pad(step.name, NAME, ""), theme.style(Tone::Quiet))];
    spans.extend(gauge(theme, funnel.part(step), u16::try_from(wide).unwrap_or_default(), Tone::Good));
    spans.push(Span::styled(right(&thousands(step.count), NUMBER), theme.style(Tone::Text)));
    spans.push(Span::styled(right(&percent(funnel.part(step)), PART), theme.style(Tone::Quiet)));
    if let Some((median, late)) = step.times {
        spans.push(Span::styled(right(&lasting(median), MEDIAN), theme.style(Tone::Text)));
        spans.push(Span::styled(right(&lasting(late), LATE), theme.style(Tone::Text)));
    }
    Line::from(spans)
}

/// A step with its times under it.
fn below_each_other(theme: &Theme, funnel: &Funnel, step: Step) -> Vec<Line<'static>> {
    let mut lines = vec![Line::from(vec![
        Span::styled(pad(step.name, NAME, ""), theme.style(Tone::Quiet)),
        Span::styled(right(&thousands(step.count), NUMBER), theme.style(Tone::Text)),
        Span::styled(right(&percent(funnel.part(step)), PART), theme.style(Tone::Quiet)),
    ])];
    lines.extend(step.times.map(|(median, late)| {
        let words = format!("  median {}, 95 in 100 {}", lasting(median), lasting(late));
        Line::styled(words, theme.style(Tone::Quiet))
    }));
    lines
}
