//! Tables: the grid, and how high its rows are.

use super::block::{Open, Room};
use super::columns::{Column, Span, divide, spread, sums};
use super::{Content, Flow};
use crate::preview::layout::source::dom::{Data, Id};
use crate::preview::layout::style::value::{Length, Unit};
use crate::preview::layout::style::{BOTTOM, Display, LEFT, RIGHT, Sides, Style, TOP, Upright};

/// Most columns of a table, as in browsers.
const COLUMNS_MAX: usize = 1_000;

/// Most rows that a cell spans, as in browsers.
const ROWS_MAX: usize = 65_534;

/// A table's cells in their places.
#[derive(Default)]
struct Grid {
    rows: Vec<Option<Id>>,
    cells: Vec<Cell>,
    captions: Vec<Id>,
    told: Vec<Option<Length>>,
    columns: usize,
}

/// A cell in its place.
struct Cell {
    node: Id,
    /// Whether it stands for what is no cell, in its container's style.
    bare: bool,
    column: usize,
    columns: usize,
    row: usize,
    rows: usize,
}

/// What a table's parts stand off each other.
#[derive(Clone, Copy, Default)]
struct Gaps {
    insets: Sides<Unit>,
    across: Unit,
    down: Unit,
    collapse: bool,
}

impl Gaps {
    fn of(style: &Style, base: Unit) -> Self {
        let collapse = style.text.collapse;
        let insets = [TOP, RIGHT, BOTTOM, LEFT]
            .map(|side| if collapse { style.border[side].room() / 2 } else { style.inset(side, base) });
        let (across, down) = if collapse { (0, 0) } else { style.text.spacing };
        Self { insets, across, down, collapse }
    }

    /// Where borders collapse, half of what is at the outer edge is the table's.
    fn with_cells(mut self, flow: &Flow, grid: &Grid) -> Self {
        for cell in grid.cells.iter().filter(|cell| self.collapse && !cell.bare) {
            let at = [
                cell.row == 0,
                cell.column + cell.columns == grid.columns,
                cell.row + cell.rows == grid.rows.len(),
                cell.column == 0,
            ];
            for side in [TOP, RIGHT, BOTTOM, LEFT] {
                if at[side] {
                    self.insets[side] = self.insets[side].max(flow.style(cell.node).border[side].room() / 2);
                }
            }
        }
        self
    }

    /// What of a width is not for columns.
    fn chrome(&self, columns: usize) -> Unit {
        let gaps = Unit::try_from(columns).unwrap_or(0) + 1;
        self.insets[LEFT] + self.insets[RIGHT] + self.across * gaps
    }

    fn cell(&self, style: &Style, base: Unit) -> Sides<Unit> {
        [TOP, RIGHT, BOTTOM, LEFT].map(|side| {
            let border = style.border[side].room();
            style.padding[side].of(base).max(0) + if self.collapse { border / 2 } else { border }
        })
    }
}

impl Flow<'_> {
    /// Lays a table out; gives its size from border to border.
    pub(super) fn table(&mut self, id: Id, base: Unit, available: Unit) -> (Unit, Unit) {
        let style = self.style(id);
        let grid = self.grid(id, None);
        let gaps = Gaps::of(style, base).with_cells(self, &grid);
        let chrome = gaps.chrome(grid.columns);
        let columns = self.columns(&grid, gaps);
        let (least, most) = sums(&columns);
        let across = gaps.insets[LEFT] + gaps.insets[RIGHT];
        let outer = |length: Length| if style.border_box { length.of(base) } else { length.of(base) + across };
        let told = style.width.map(outer);
        let mut width = told.unwrap_or_else(|| (most + chrome).min(available));
        if let Some(most) = style.max_width {
            width = width.min(outer(most));
        }
        if let Some(least) = style.min_width {
            width = width.max(outer(least));
        }
        let fixed = style.fixed && told.is_some();
        let widths = if fixed {
            self.fixed(&grid, gaps, (width - chrome).max(0))
        } else {
            width = width.max(least + chrome);
            divide(&columns, width - chrome)
        };
        width = width.max(widths.iter().sum::<Unit>() + chrome);
        for caption in &grid.captions {
            width = width.max(self.outer_widths(*caption).0);
        }
        let height = style.height.filter(|height| !height.is_relative()).map_or(0, |height| height.fixed);
        let height = height.max(style.min_height.map_or(0, |height| height.fixed));
        let height = self.rows(&grid, gaps, &widths, width, height);
        (width, height)
    }

    /// Rows and cells without a table around.
    pub(super) fn bare_table(&mut self, container: Id, cells: &[Id], room: Unit) -> (Unit, Unit) {
        let grid = self.grid(container, Some(cells));
        let gaps = Gaps::default();
        let columns = self.columns(&grid, gaps);
        let (least, most) = sums(&columns);
        let width = most.min(room).max(least);
        let widths = divide(&columns, width);
        let height = self.rows(&grid, gaps, &widths, width, 0);
        (width, height)
    }

    /// The least and the most width of a table.
    pub(super) fn table_widths_of(&mut self, id: Id) -> (Unit, Unit) {
        let grid = self.grid(id, None);
        let gaps = Gaps::of(self.style(id), 0).with_cells(self, &grid);
        let (least, most) = sums(&self.columns(&grid, gaps));
        let chrome = gaps.chrome(grid.columns);
        (least + chrome, most + chrome)
    }

    /// The least and the most width of rows and cells without a table around.
    pub(super) fn table_widths(&mut self, container: Id, cells: &[Id]) -> (Unit, Unit) {
        let grid = self.grid(container, Some(cells));
        sums(&self.columns(&grid, Gaps::default()))
    }

    /// What columns want.
    fn columns(&mut self, grid: &Grid, gaps: Gaps) -> Vec<Column> {
        let mut columns = vec![Column::default(); grid.columns];
        for (column, told) in columns.iter_mut().zip(&grid.told) {
            if let Some(told) = told {
                column.percent = told.percent;
                (column.most, column.fixed) = (told.fixed, !told.is_relative());
            }
        }
        let mut spans = Vec::new();
        for cell in &grid.cells {
            let wants = self.wants(cell, gaps);
            if cell.columns > 1 {
                spans.push(Span { column: cell.column, count: cell.columns, wants });
                continue;
            }
            let column = &mut columns[cell.column];
            column.least = column.least.max(wants.least);
            if wants.fixed && !column.fixed {
                (column.fixed, column.most) = (true, column.least.max(wants.most));
            } else if wants.fixed || !column.fixed {
                column.most = column.most.max(wants.most);
            }
            column.percent = column.percent.max(wants.percent);
        }
        for column in &mut columns {
            column.most = column.most.max(column.least);
        }
        spans.sort_by_key(|span| span.count);
        for span in &spans {
            spread(&mut columns, span, gaps.across);
        }
        columns
    }

    fn wants(&mut self, cell: &Cell, gaps: Gaps) -> Column {
        let (least, most) = self.content_widths(cell.node);
        if cell.bare {
            return Column { least, most, ..Column::default() };
        }
        let style = self.style(cell.node);
        let insets = gaps.cell(style, 0);
        let across = insets[LEFT] + insets[RIGHT];
        let floor = style.min_width.filter(|width| !width.is_relative()).map_or(0, |width| width.fixed);
        let (least, most) = ((least + across).max(floor), (most + across).max(floor));
        match style.width {
            Some(width) if width.percent > 0 => Column { least, most, fixed: false, percent: width.percent },
            Some(width) if width.percent == 0 => {
                let told = if style.border_box { width.fixed } else { width.fixed + across };
                Column { least, most: told.max(least), fixed: true, percent: 0 }
            }
            _ => Column { least, most, fixed: false, percent: 0 },
        }
    }

    /// Widths of columns under `table-layout: fixed`: what the first row says.
    fn fixed(&mut self, grid: &Grid, gaps: Gaps, width: Unit) -> Vec<Unit> {
        let mut told: Vec<Option<Unit>> = grid.told.iter().map(|told| told.map(|told| told.of(width))).collect();
        told.resize(grid.columns, None);
        for cell in grid.cells.iter().filter(|cell| cell.row == 0 && !cell.bare) {
            let style = self.style(cell.node);
            let Some(length) = style.width else { continue };
            let insets = gaps.cell(style, 0);
            let extra = if style.border_box || length.is_relative() { 0 } else { insets[LEFT] + insets[RIGHT] };
            let count = Unit::try_from(cell.columns).unwrap_or(1);
            let share = (length.of(width) + extra) / count;
            told[cell.column..cell.column + cell.columns].iter_mut().for_each(|told| {
                told.get_or_insert(share);
            });
        }
        let given: Unit = told.iter().flatten().sum();
        let free = Unit::try_from(told.iter().filter(|told| told.is_none()).count()).unwrap_or(0);
        let rest = (width - given).max(0);
        if free > 0 {
            return told.into_iter().map(|told| told.unwrap_or(rest / free)).collect();
        }
        // Nothing is left for others: all grow.
        let columns: Vec<Column> = told
            .into_iter()
            .map(|told| Column { least: told.unwrap_or(0), most: told.unwrap_or(0), fixed: true, percent: 0 })
            .collect();
        divide(&columns, width)
    }

    /// Lays rows out below each other; gives how high they are with all around.
    fn rows(&mut self, grid: &Grid, gaps: Gaps, widths: &[Unit], width: Unit, least: Unit) -> Unit {
        let mut y = 0;
        for caption in &grid.captions {
            let start = self.fragments.len();
            let block = self.block(*caption, &Room::new(width));
            self.shift(start, 0, y + block.top.value());
            y += block.top.value() + block.height + block.bottom.value();
        }
        let top = y + gaps.insets[TOP] + gaps.down;
        let mut lefts = Vec::with_capacity(widths.len() + 1);
        let mut x = gaps.insets[LEFT] + gaps.across;
        for width in widths {
            lefts.push(x);
            x += width + gaps.across;
        }
        lefts.push(x);
        let (placed, bands, mut heights) = self.cells(grid, gaps, &lefts);
        // What a cell over several rows needs beyond them goes to the last.
        for (cell, (_, natural)) in grid.cells.iter().zip(&placed).filter(|(cell, _)| cell.rows > 1) {
            let span = &mut heights[cell.row..cell.row + cell.rows];
            let between = gaps.down * Unit::try_from(span.len() - 1).unwrap_or(0);
            let more = natural.outer - between - span.iter().sum::<Unit>();
            if let Some(last) = span.last_mut().filter(|_| more > 0) {
                *last += more;
            }
        }
        let count = Unit::try_from(heights.len()).unwrap_or(0);
        let around = gaps.insets[TOP] + gaps.insets[BOTTOM] + if count > 0 { gaps.down * (count + 1) } else { 0 };
        let all: Unit = heights.iter().sum();
        let more = least - around - all;
        if more > 0 && count > 0 {
            for height in &mut heights {
                *height += if all > 0 { more * *height / all } else { more / count };
            }
        }
        let mut tops = Vec::with_capacity(heights.len());
        let mut down = top;
        for height in &heights {
            tops.push(down);
            down += height + gaps.down;
        }
        for (row, band) in bands {
            let band = &mut self.fragments[band];
            (band.x, band.y, band.width, band.height) = (lefts[0], tops[row], x - gaps.across - lefts[0], heights[row]);
        }
        for (cell, (at, natural)) in grid.cells.iter().zip(placed) {
            let last = cell.row + cell.rows - 1;
            let height = tops[last] + heights[last] - tops[cell.row];
            let free = (height - natural.outer.min(height)).max(0);
            let free = free.max(height - natural.inner).max(0);
            let lower = match self.style(cell.node).upright {
                _ if cell.bare => 0,
                Upright::Top | Upright::Base => 0,
                Upright::Middle => free / 2,
                Upright::Bottom => free,
            };
            let count = self.fragments[at].count;
            self.shift_within(at + 1, at + 1 + count, 0, lower);
            let fragment = &mut self.fragments[at];
            (fragment.y, fragment.height) = (tops[cell.row], height);
        }
        let end = if count > 0 { down } else { top - gaps.down };
        (end + gaps.insets[BOTTOM]).max(least + y)
    }

    /// Lays cells out; gives their fragments and heights, the fragments of rows that have a ground, and how high the
    /// rows are for cells of a single row.
    #[expect(clippy::type_complexity, reason = "three lists that are used up at once")]
    fn cells(
        &mut self,
        grid: &Grid,
        gaps: Gaps,
        lefts: &[Unit],
    ) -> (Vec<(usize, Natural)>, Vec<(usize, usize)>, Vec<Unit>) {
        let mut heights = vec![0; grid.rows.len()];
        let mut bands = Vec::new();
        let mut placed = Vec::with_capacity(grid.cells.len());
        let mut row = None;
        for cell in &grid.cells {
            if row != Some(cell.row) {
                row = Some(cell.row);
                if let Some(node) = grid.rows[cell.row] {
                    let style = self.style(node);
                    heights[cell.row] = style.height.filter(|height| !height.is_relative()).map_or(0, |it| it.fixed);
                    if style.background.is_some() && !cell.bare {
                        bands.push((cell.row, self.push(node, Content::Box)));
                    }
                }
            }
            let width = lefts[cell.column + cell.columns] - gaps.across - lefts[cell.column];
            let at = self.push(cell.node, if cell.bare { Content::Group } else { Content::Box });
            let style = self.style(cell.node);
            let insets = if cell.bare { [0; 4] } else { gaps.cell(style, width) };
            let start = self.fragments.len();
            let inner = (width - insets[LEFT] - insets[RIGHT]).max(0);
            let contents = self.contents(cell.node, inner, Open::default(), Vec::new());
            self.shift(start, insets[LEFT], insets[TOP]);
            self.close(at);
            let fragment = &mut self.fragments[at];
            (fragment.x, fragment.width) = (lefts[cell.column], width);
            let natural = contents.height + insets[TOP] + insets[BOTTOM];
            let told = style.height.filter(|height| !height.is_relative() && !cell.bare).map_or(0, |height| {
                if style.border_box || self.dom.quirks {
                    height.fixed
                } else {
                    height.fixed + insets[TOP] + insets[BOTTOM]
                }
            });
            let natural = Natural { inner: natural, outer: natural.max(told) };
            if cell.rows == 1 {
                heights[cell.row] = heights[cell.row].max(natural.outer);
            }
            placed.push((at, natural));
        }
        (placed, bands, heights)
    }

    /// A table's cells in their places.
    fn grid(&self, container: Id, cells: Option<&[Id]>) -> Grid {
        let children: Vec<Id> = match cells {
            Some(cells) => cells.to_vec(),
            None => self.shown(container).collect(),
        };
        let mut grid = Grid::default();
        let mut builder = Builder { free: Vec::new() };
        let mut groups: Vec<(u8, Id)> = Vec::new();
        let mut loose = false;
        for child in children {
            let name = self.dom.element(child).map_or("", |element| element.name());
            match self.style(child).display {
                Display::Caption => grid.captions.push(child),
                Display::Column => self.told(child, &mut grid.told),
                Display::RowGroup if name == "thead" => groups.push((0, child)),
                Display::RowGroup if name == "tfoot" => groups.push((2, child)),
                Display::RowGroup | Display::Row | Display::Cell => groups.push((1, child)),
                _ => {
                    loose = true;
                    groups.push((1, child));
                }
            }
        }
        let all_loose = groups.iter().all(|(_, child)| !self.is_part(*child));
        let has_text = cells.is_none() && self.has_text(container);
        if cells.is_none() && all_loose && (loose || has_text) {
            builder.bare(container, &mut grid);
        } else {
            groups.sort_by_key(|(rank, _)| *rank);
            let mut stray = Vec::new();
            for (_, child) in groups {
                match self.style(child).display {
                    Display::RowGroup => {
                        builder.flush(self, &mut stray, &mut grid);
                        self.group(child, &mut builder, &mut grid);
                    }
                    Display::Row => {
                        builder.flush(self, &mut stray, &mut grid);
                        self.row(child, 1, &mut builder, &mut grid);
                    }
                    _ => stray.push(child),
                }
            }
            builder.flush(self, &mut stray, &mut grid);
        }
        merge(&mut grid);
        grid
    }

    fn shown(&self, container: Id) -> impl Iterator<Item = Id> {
        self.dom.children(container).filter(|child| self.styles.of(*child).is_some())
    }

    fn is_part(&self, id: Id) -> bool {
        matches!(self.style(id).display, Display::RowGroup | Display::Row | Display::Cell)
    }

    fn has_text(&self, id: Id) -> bool {
        self.dom.children(id).any(|child| matches!(self.dom.data(child), Data::Text(text) if !text.trim().is_empty()))
    }

    /// Widths that `<col>` and `<colgroup>` tell.
    fn told(&self, column: Id, told: &mut Vec<Option<Length>>) {
        let span = |id: Id| {
            let span = self.dom.element(id).and_then(|element| element.attribute("span")?.trim().parse::<usize>().ok());
            span.unwrap_or(1).clamp(1, COLUMNS_MAX)
        };
        let inner: Vec<Id> = self.shown(column).collect();
        let columns = if inner.is_empty() { vec![column] } else { inner };
        for id in columns {
            for _ in 0..span(id) {
                if told.len() < COLUMNS_MAX {
                    told.push(self.style(id).width);
                }
            }
        }
    }

    fn group(&self, group: Id, builder: &mut Builder, grid: &mut Grid) {
        let children: Vec<Id> = self.shown(group).collect();
        if !children.is_empty() && children.iter().all(|child| !self.is_part(*child)) {
            builder.bare(group, grid);
            return;
        }
        let count = children.len();
        let mut stray = Vec::new();
        for (index, child) in children.into_iter().enumerate() {
            if self.style(child).display == Display::Row {
                builder.flush(self, &mut stray, grid);
                self.row(child, count - index, builder, grid);
            } else {
                stray.push(child);
            }
        }
        builder.flush(self, &mut stray, grid);
        // Cells do not reach beyond their group.
        builder.free.iter_mut().for_each(|free| *free = (*free).min(grid.rows.len()));
    }

    /// A row; `left` are the rows of its group from it on.
    fn row(&self, row: Id, left: usize, builder: &mut Builder, grid: &mut Grid) {
        let children: Vec<Id> = self.shown(row).collect();
        let loose = children.iter().all(|child| self.style(*child).display != Display::Cell);
        if loose && (!children.is_empty() || self.has_text(row)) {
            builder.bare(row, grid);
            return;
        }
        builder.row(self, Some(row), &children, left, grid);
    }

    fn span(&self, cell: Id, name: &str) -> Option<usize> {
        let element = self.dom.element(cell).filter(|element| matches!(element.name(), "td" | "th"))?;
        element.attribute(name)?.trim().parse().ok()
    }
}

/// How high a cell is by its contents, and as it is told.
#[derive(Clone, Copy)]
struct Natural {
    inner: Unit,
    outer: Unit,
}

/// Finds places for cells.
struct Builder {
    /// The first row in which each column is free.
    free: Vec<usize>,
}

impl Builder {
    /// A row of a single cell that stands for what is none.
    fn bare(&mut self, node: Id, grid: &mut Grid) {
        let row = grid.rows.len();
        grid.rows.push(None);
        grid.columns = grid.columns.max(1);
        grid.cells.push(Cell { node, bare: true, column: 0, columns: 1, row, rows: 1 });
    }

    /// Cells without a row make one.
    fn flush(&mut self, flow: &Flow, stray: &mut Vec<Id>, grid: &mut Grid) {
        if !stray.is_empty() {
            self.row(flow, None, &std::mem::take(stray), 1, grid);
        }
    }

    fn row(&mut self, flow: &Flow, node: Option<Id>, children: &[Id], left: usize, grid: &mut Grid) {
        let row = grid.rows.len();
        grid.rows.push(node);
        let mut column = 0;
        for child in children {
            while self.free.get(column).is_some_and(|free| *free > row) {
                column += 1;
            }
            if column >= COLUMNS_MAX {
                break;
            }
            let columns = flow.span(*child, "colspan").unwrap_or(1).clamp(1, COLUMNS_MAX - column);
            let rows = match flow.span(*child, "rowspan") {
                Some(0) => left,
                rows => rows.unwrap_or(1).min(ROWS_MAX).min(left),
            };
            let rows = rows.max(1);
            if self.free.len() < column + columns {
                self.free.resize(column + columns, 0);
            }
            self.free[column..column + columns].iter_mut().for_each(|free| *free = row + rows);
            grid.columns = grid.columns.max(column + columns);
            grid.cells.push(Cell { node: *child, bare: false, column, columns, row, rows });
            column += columns;
        }
    }
}

/// Columns in which no cell begins are none; rows that a cell reaches beyond the last are none either.
fn merge(grid: &mut Grid) {
    let mut begins = vec![false; grid.columns.max(grid.told.len())];
    for cell in &grid.cells {
        begins[cell.column] = true;
    }
    let mut index = Vec::with_capacity(begins.len() + 1);
    let mut count = 0;
    for begin in &begins {
        index.push(count);
        count += usize::from(*begin);
    }
    index.push(count);
    // Where columns from `at` on begin, after the merge.
    for cell in &mut grid.cells {
        let end = index[cell.column + cell.columns];
        cell.column = index[cell.column];
        cell.columns = end.saturating_sub(cell.column).max(1);
        cell.rows = cell.rows.min(grid.rows.len() - cell.row);
    }
    let told = std::mem::take(&mut grid.told);
    grid.told = told.into_iter().zip(&begins).filter(|(_, begins)| **begins).map(|(told, _)| told).collect();
    grid.told.resize(count, None);
    grid.columns = count;
}
