//! The rows of a list that are in sight, under their headings.

use ratatui::text::Line;

use super::list::{Item, List, Row};
use crate::domain::Time;
use crate::tui::screen::layout::Layout;
use crate::tui::widget::canvas::{Canvas, row};
use crate::tui::widget::table::{self, Column, RowMark};

/// Draws them. `cells` is given the columns' widths; `is_away` is whether the keys go to something beside the list.
pub fn draw<R: Row, const N: usize>(
    canvas: &mut Canvas<'_>,
    (layout, now): (&Layout, Time),
    list: &List<R>,
    columns: &[Column; N],
    is_away: bool,
    cells: impl Fn(&Canvas<'_>, &Item<R>, &[u16]) -> [Line<'static>; N],
    is_stale: impl Fn(&Item<R>) -> bool,
) {
    let height = usize::from(layout.list.height);
    let top = list.top_for(height);
    let widths = table::widths(columns, layout.list.width.saturating_sub(1));
    if layout.table_head.height > 0 {
        table::head(canvas, layout.table_head, columns, &widths);
    }
    for (n, item) in (0..layout.list.height).zip(list.items.iter().skip(top)) {
        let cells = cells(canvas, item, &widths);
        let selected = top + usize::from(n) == list.cursor;
        let came = item.tinted_until().is_some_and(|until| until > now);
        let mark = RowMark { selected, away: is_away, stale: is_stale(item), came, exact: item.is_exact };
        table::body_row(canvas, row(layout.list, n), columns, &widths, &cells, mark);
    }
}
