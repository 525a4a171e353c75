//! The template's files with their lines' numbers, the line that is looked at in the middle, and what Tera says about a
//! line below it.

use std::ops::Range;

use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Span};
use unicode_segmentation::UnicodeSegmentation as _;

use crate::mail::templates::Part;
use crate::preview::source;
use crate::text::{plain, width};
use crate::tui::theme::{Theme, Tone};
use crate::tui::view::templates::model::{Mode, Workbench};
use crate::tui::widget::canvas::{Canvas, inset, row};
use crate::tui::widget::wrap::wrap;

/// Rows of the title.
fn head(area: Rect) -> u16 {
    u16::from(area.height > 4)
}

/// How far into the line that is looked at the pane begins, and how far it can; nothing to go through where the line
/// fits.
pub fn fold(bench: &Workbench, theme: &Theme, area: Rect) -> (usize, usize) {
    let height = usize::from(area.height - head(area));
    View::new(bench, theme, bench.source_text(), area.width).fold(height)
}

pub fn draw(canvas: &mut Canvas<'_>, bench: &Workbench, area: Rect) {
    let mut area = area;
    if head(area) > 0 {
        canvas.line(inset(row(area, 0), 1), &title(bench, canvas.theme));
        (area.y, area.height) = (area.y + 1, area.height - 1);
    }
    let text = bench.source_text();
    let view = View::new(bench, canvas.theme, text, area.width);
    for (n, line) in (0..area.height).zip(view.in_sight(usize::from(area.height))) {
        canvas.line(row(area, n), &line);
    }
}

fn title(bench: &Workbench, theme: &Theme) -> Line<'static> {
    let quiet = theme.style(Tone::Quiet);
    let name = bench.source().map(|source| source.shown.clone()).unwrap_or_default();
    let mut spans = Vec::new();
    if bench.file.rendered {
        spans.push(Span::styled("rendered from ", quiet));
    }
    spans.push(Span::styled(name, theme.style(if bench.mode == Mode::Source { Tone::Strong } else { Tone::Quiet })));
    if bench.mode == Mode::Source {
        let other = if bench.file.rendered { "the template" } else { "what it became" };
        for (key, what) in [("a", "another file".to_owned()), ("d", other.to_owned())] {
            spans.push(Span::styled(format!("   {key}"), theme.style(Tone::Key)));
            spans.push(Span::styled(format!(" {what}"), quiet));
        }
    }
    Line::from(spans)
}

struct View<'a> {
    theme: &'a Theme,
    texts: Vec<&'a str>,
    pieces: Vec<source::Line>,
    /// Columns of a line's number.
    digits: usize,
    columns: usize,
    cursor: usize,
    /// As [`Workbench::row`] has it.
    row: Option<usize>,
    /// Whether the cursor is to be seen: not where the source only stands beside.
    marks: bool,
    /// The line with a trouble, from 0, its column, and what is wrong.
    trouble: Option<(usize, usize, String)>,
}

impl<'a> View<'a> {
    fn new(bench: &Workbench, theme: &'a Theme, text: &'a str, columns: u16) -> Self {
        let texts: Vec<&str> = text.lines().collect();
        let digits = texts.len().max(1).to_string().len().max(3);
        let own = |part: Option<Part>| part == Some(bench.file.part) && !bench.file.rendered;
        let trouble = bench.trouble.as_ref().filter(|trouble| own(trouble.part)).map(|trouble| {
            let (line, column) = trouble.place.unwrap_or((1, 1));
            (line.saturating_sub(1), column, trouble.message.clone())
        });
        Self {
            theme,
            pieces: source::lines(text, bench.file.part == Part::Html),
            texts,
            digits,
            columns: usize::from(columns).saturating_sub(digits + 4).max(1),
            cursor: bench.line,
            row: bench.row.filter(|(line, _)| *line == bench.line).map(|(_, row)| row),
            marks: matches!(bench.mode, Mode::Source | Mode::Checks) || bench.trouble.is_some(),
            trouble,
        }
    }

    /// The first row of the cursor's line to be shown, and the last one that can be, where it is higher than the pane.
    fn fold(&self, height: usize) -> (usize, usize) {
        let cursor = self.cursor.min(self.texts.len().saturating_sub(1));
        let most = self.rows(cursor).len().saturating_sub(height);
        let wrong = self.trouble.as_ref().filter(|(line, ..)| *line == cursor);
        let trouble = || wrong.map_or(0, |(_, column, _)| self.row_of(cursor, *column).0.saturating_sub(height / 2));
        (self.row.unwrap_or_else(trouble).min(most), most)
    }

    /// In which row of a line a column is, and where in it, both from 0.
    fn row_of(&self, line: usize, column: usize) -> (usize, usize) {
        let text = self.texts.get(line).copied().unwrap_or_default();
        let end = text.char_indices().nth(column).map_or(text.len(), |(at, _)| at);
        let mut used = 0;
        let rows = self.broken(text, 0..end, &mut used);
        (rows.len().saturating_sub(1), used.saturating_sub(1))
    }

    /// The rows that fit, with the cursor's line as near to the middle as the ends allow.
    fn in_sight(&self, height: usize) -> Vec<Line<'static>> {
        let cursor = self.cursor.min(self.texts.len().saturating_sub(1));
        let (row, most) = self.fold(height);
        if most > 0 {
            return self.rows(cursor).into_iter().skip(row).take(height).collect();
        }
        let mut before: Vec<Line<'static>> = Vec::new();
        for n in (0..cursor).rev() {
            if before.len() >= height {
                break;
            }
            before.extend(self.rows(n).into_iter().rev());
        }
        let mut after: Vec<Line<'static>> = Vec::new();
        for n in cursor..self.texts.len() {
            if after.len() >= height {
                break;
            }
            after.extend(self.rows(n));
        }
        let middle = (height / 2).max(height.saturating_sub(after.len()));
        let shown = before.len().min(middle);
        before.truncate(shown);
        before.reverse();
        before.append(&mut after);
        before.truncate(height);
        before
    }

    /// A line over as many rows as it needs.
    fn rows(&self, n: usize) -> Vec<Line<'static>> {
        let text = self.texts.get(n).copied().unwrap_or_default();
        let here = n == self.cursor && self.marks;
        let wrong = self.trouble.as_ref().filter(|(line, ..)| *line == n);
        let number = Span::styled(
            format!("{}{:>width$} ", if here { ">" } else { " " }, n + 1, width = self.digits),
            self.theme.style(match (wrong.is_some(), here) {
                (true, _) => Tone::Bad,
                (false, true) => Tone::Here,
                (false, false) => Tone::Quiet,
            }),
        );
        let gutter = Span::raw(" ".repeat(self.digits + 2));
        let mut rows: Vec<Vec<Span<'static>>> = vec![vec![number]];
        let mut used = 0;
        let empty = source::Line::new();
        for (range, token) in self.pieces.get(n).unwrap_or(&empty) {
            let mut style = self.theme.token(*token);
            if wrong.is_some() {
                style = style.add_modifier(Modifier::UNDERLINED);
            }
            for (piece, breaks) in self.broken(text, range.clone(), &mut used) {
                if breaks {
                    rows.push(vec![gutter.clone()]);
                }
                if let Some(row) = rows.last_mut() {
                    row.push(Span::styled(piece, style));
                }
            }
        }
        let mut lines: Vec<Line<'static>> = rows.into_iter().map(Line::from).collect();
        if let Some((_, column, message)) = wrong {
            // Below the row that it is about: the line may go on for screens.
            let (row, at) = self.row_of(n, *column);
            let below = (row + 1).min(lines.len());
            lines.splice(below..below, self.said(at, message));
        }
        lines
    }

    /// A piece of a line, cut where a row ends; whether a new row begins before each.
    fn broken(&self, text: &str, range: Range<usize>, used: &mut usize) -> Vec<(String, bool)> {
        let mut out = vec![(String::new(), false)];
        for grapheme in plain_all(text.get(range).unwrap_or_default()).graphemes(true) {
            let wide = width(grapheme);
            if *used + wide > self.columns && *used > 0 {
                out.push((String::new(), true));
                *used = 0;
            }
            *used += wide;
            if let Some((last, _)) = out.last_mut() {
                last.push_str(grapheme);
            }
        }
        out
    }

    /// What is wrong with the line, under its column in the row, from 0, where there is room.
    fn said(&self, column: usize, message: &str) -> Vec<Line<'static>> {
        let [_, bad, _] = self.theme.glyphs().marks;
        let style: Style = self.theme.style(Tone::Bad);
        let at = if column + 1 < self.columns / 2 { column } else { 0 };
        let indent = " ".repeat(self.digits + 2 + at);
        let room = self.columns.saturating_sub(at + 2).max(8);
        let lines = wrap(plain(message).as_str(), room).into_iter().enumerate();
        lines
            .map(|(n, line)| {
                let lead = if n == 0 { format!("{indent}{bad} ") } else { format!("{indent}  ") };
                Line::from(vec![Span::styled(lead, style), Span::styled(line, style)])
            })
            .collect()
    }
}

/// Plain, however long: lines of templates are longer than anything else that is shown.
fn plain_all(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while !rest.is_empty() {
        let end = rest.char_indices().nth(512).map_or(rest.len(), |(at, _)| at);
        out.push_str(plain(&rest[..end]).as_str());
        rest = &rest[end..];
    }
    out
}
