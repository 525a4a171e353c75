//! Columns chosen by width. The widget is given the rows in sight only.

use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};
use ratatui::text::Line;

use super::canvas::{Canvas, row};
use crate::tui::theme::Tone;

/// Columns between columns.
pub const GAP: u16 = 2;

/// Columns that the selection's marker takes.
pub const MARKER: u16 = 2;

/// Under how many columns a list shows glyphs without their words, and what matters less not at all.
pub const NARROW: u16 = 56;

/// From how many columns on the selected row is underlined: the eye loses its way from one end to the other.
const WIDE: u16 = 90;

/// Wider than any terminal: such a column is not shown.
pub const HIDDEN: u16 = u16::MAX;

#[derive(Clone, Copy, Debug)]
pub struct Column {
    pub title: &'static str,
    /// Fewest terminal columns that make it worth showing.
    pub least: u16,
    /// As many as nearly all of its texts need.
    pub full: u16,
    /// As many as it is given once all have what they need.
    pub more: u16,
    /// Its rank: 1 stays longest where room is short, and grows first where there is more.
    pub rank: u8,
    /// Whether it stands at its right edge.
    pub right: bool,
    /// Whether it gets what is left then: of several, the last by rank.
    pub fills: bool,
    /// Whether the list is in its order, and not as usual: whether the least comes first.
    pub sorted: Option<bool>,
}

impl Column {
    #[must_use]
    pub const fn new(title: &'static str, least: u16, full: u16, rank: u8) -> Self {
        Self { title, least, full, more: full, rank, right: false, fills: false, sorted: None }
    }

    #[must_use]
    pub const fn more(self, more: u16) -> Self {
        Self { more, ..self }
    }

    #[must_use]
    pub const fn at_right(self) -> Self {
        Self { right: true, ..self }
    }

    /// The list is in its order.
    #[must_use]
    pub const fn sorted(self, is_up: Option<bool>) -> Self {
        Self { sorted: is_up, ..self }
    }

    #[must_use]
    pub const fn filling(self) -> Self {
        Self { fills: true, ..self }
    }
}

/// How wide each column is; 0 is not shown.
#[must_use]
pub fn widths(columns: &[Column], room: u16) -> Vec<u16> {
    let room = room.saturating_sub(MARKER);
    let mut widths = vec![0u16; columns.len()];
    let mut by_rank: Vec<usize> = (0..columns.len()).collect();
    by_rank.sort_by_key(|n| columns[*n].rank);
    let mut left = room;
    for (place, &n) in by_rank.iter().enumerate() {
        let gap = if place == 0 { 0 } else { GAP };
        // The first one is shown however little room there is.
        let needed = if place == 0 { columns[n].least.min(room) } else { columns[n].least };
        if left < needed.saturating_add(gap) {
            break;
        }
        widths[n] = needed;
        left -= needed + gap;
    }
    by_rank.retain(|n| widths[*n] > 0);
    for wanted in [|column: &Column| column.full, |column: &Column| column.more] {
        for &n in &by_rank {
            let more = wanted(&columns[n]).saturating_sub(widths[n]).min(left);
            widths[n] += more;
            left -= more;
        }
    }
    if let Some(n) = by_rank.into_iter().rev().find(|n| columns[*n].fills) {
        widths[n] += left;
    }
    widths
}

/// Draws the titles.
pub fn head(canvas: &mut Canvas<'_>, area: Rect, columns: &[Column], widths: &[u16]) {
    let (style, here) = (canvas.style(Tone::Quiet), canvas.style(Tone::Here));
    let [up, down] = canvas.glyphs().beyond;
    let title = |column: &Column| match column.sorted {
        Some(is_up) => Line::styled(format!("{} {}", column.title, if is_up { up } else { down }), here),
        None => Line::styled(column.title, style),
    };
    let cells = columns.iter().map(title).collect::<Vec<_>>();
    cells_at(canvas, area, columns, widths, &cells, Style::new());
}

/// How a row stands out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a state of its own")]
pub struct RowMark {
    pub selected: bool,
    /// Keys go elsewhere.
    pub away: bool,
    /// It no longer matches.
    pub stale: bool,
    /// It has just come by itself.
    pub came: bool,
    /// It stands before all others, as exactly what is looked for.
    pub exact: bool,
}

/// Draws a row of cells.
pub fn body_row(
    canvas: &mut Canvas<'_>,
    area: Rect,
    columns: &[Column],
    widths: &[u16],
    cells: &[Line<'_>],
    mark: RowMark,
) {
    let mut style = if mark.came { canvas.style(Tone::Came) } else { Style::new() };
    if mark.stale {
        style = style.add_modifier(Modifier::DIM);
    }
    if mark.selected {
        style = style.add_modifier(Modifier::BOLD);
        let tone = if mark.away { Tone::Quiet } else { Tone::Here };
        let marker = canvas.style(tone);
        canvas.text(Rect { width: area.width.min(MARKER), ..area }, canvas.glyphs().selected.trim_end(), marker);
    }
    if mark.exact && area.width > MARKER {
        let beside = Rect { x: area.x + MARKER - 1, width: 1, ..area };
        canvas.text(beside, canvas.glyphs().vertical, canvas.style(Tone::Here));
    }
    cells_at(canvas, area, columns, widths, cells, style);
    if mark.selected && !mark.away && area.width >= WIDE {
        let line = Style::new().add_modifier(Modifier::UNDERLINED);
        canvas.restyle(Rect { x: area.x + MARKER, width: area.width - MARKER - 1, ..row(area, 0) }, line);
    }
}

fn cells_at(canvas: &mut Canvas<'_>, area: Rect, columns: &[Column], widths: &[u16], cells: &[Line<'_>], style: Style) {
    let mut x = area.x.saturating_add(MARKER).min(area.right());
    for ((cell, width), column) in cells.iter().zip(widths).zip(columns) {
        if *width == 0 {
            continue;
        }
        let place = Rect { x, width: (*width).min(area.right().saturating_sub(x)), ..row(area, 0) };
        let mut cell = cell.clone();
        for span in &mut cell.spans {
            span.style = span.style.patch(style);
        }
        let indent =
            if column.right { place.width.saturating_sub(u16::try_from(cell.width()).unwrap_or(u16::MAX)) } else { 0 };
        canvas.line(Rect { x: place.x + indent, width: place.width - indent, ..place }, &cell);
        x = x.saturating_add(*width).saturating_add(GAP).min(area.right());
    }
}

/// The width that nine of ten texts do with: one long address does not push the other columns off the screen.
#[must_use]
pub fn usual(widths: impl Iterator<Item = usize>) -> usize {
    let mut widths: Vec<usize> = widths.collect();
    widths.sort_unstable();
    widths.get((widths.len() * 9 / 10).min(widths.len().saturating_sub(1))).copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const COLUMNS: [Column; 3] =
        [Column::new("a", 4, 10, 2), Column::new("b", 10, 30, 1).more(40), Column::new("c", 6, 6, 3).at_right()];

    #[test]
    fn drops_and_grows_by_rank() {
        let table = [
            (0, [0, 0, 0]),
            (5, [0, 3, 0]),
            (12, [0, 10, 0]),
            (17, [0, 15, 0]),
            (18, [4, 10, 0]),
            (26, [4, 10, 6]),
            (46, [4, 30, 6]),
            (52, [10, 30, 6]),
            (58, [10, 36, 6]),
            (62, [10, 40, 6]),
            (200, [10, 40, 6]),
        ];
        for (room, expected) in table {
            assert_eq!(widths(&COLUMNS, room), expected, "{room}");
        }
    }

    #[test]
    fn what_is_left_goes_to_one() {
        let [a, b, c] = COLUMNS;
        let columns = [a.filling(), b.filling(), c];
        // The marker and two gaps take six.
        for (room, expected) in [(12, [0, 10, 0]), (14, [0, 12, 0]), (62, [10, 40, 6]), (100, [48, 40, 6])] {
            assert_eq!(widths(&columns, room), expected, "{room}");
        }
    }
}
