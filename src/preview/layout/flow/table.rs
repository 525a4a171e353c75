//! Tables: the grid, and how high its rows are.

use super::block::AvailableSpace;
use super::columns::{Column, Span, divide, spread, sums};
use super::margin::MarginCollapse;
use super::{Content, Flow};
use crate::preview::layout::source::dom::{Data, Id};
use crate::preview::layout::style::value::{Length, Unit};
use crate::preview::layout::style::{BOTTOM, Display, LEFT, RIGHT, Sides, Style, TOP, VerticalAlign};

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
    specified: Vec<Option<Length>>,
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

/// The space between a table's parts.
#[derive(Clone, Copy, Default)]
struct Gaps {
    border_padding: Sides<Unit>,
    across: Unit,
    down: Unit,
    collapse: bool,
}

impl Gaps {
    fn of(style: &Style, base: Unit) -> Self {
        let collapse = style.text.collapse;
        let border_padding = [TOP, RIGHT, BOTTOM, LEFT]
            .map(|side| if collapse { style.border[side].used_width() / 2 } else { style.border_padding(side, base) });
        let (across, down) = if collapse { (0, 0) } else { style.text.spacing };
        Self { border_padding, across, down, collapse }
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
                    self.border_padding[side] =
                        self.border_padding[side].max(flow.style(cell.node).border[side].used_width() / 2);
                }
            }
        }
        self
    }

    /// What a table needs besides its columns: its border and padding, and `border-spacing`, which CSS calls
    /// undistributable space.
    fn undistributable(&self, columns: usize) -> Unit {
        let gaps = Unit::try_from(columns).unwrap_or(0) + 1;
        self.border_padding[LEFT] + self.border_padding[RIGHT] + self.across * gaps
    }

    fn cell(&self, style: &Style, base: Unit) -> Sides<Unit> {
        [TOP, RIGHT, BOTTOM, LEFT].map(|side| {
            let border = style.border[side].used_width();
            style.padding[side].of(base).max(0) + if self.collapse { border / 2 } else { border }
        })
    }
}

impl Flow<'_> {
    /// Lays a table out; returns its size from border to border.
    pub(super) fn table(&mut self, id: Id, base: Unit, available: Unit) -> (Unit, Unit) {
        let style = self.style(id);
        let grid = self.grid(id, None);
        let gaps = Gaps::of(style, base).with_cells(self, &grid);
        let undistributable = gaps.undistributable(grid.columns);
        let columns = self.columns(&grid, gaps);
        let (min_content, max_content) = sums(&columns);
        let across = gaps.border_padding[LEFT] + gaps.border_padding[RIGHT];
        let outer = |length: Length| if style.border_box { length.of(base) } else { length.of(base) + across };
        let specified = style.width.map(outer);
        let mut width = specified.unwrap_or_else(|| (max_content + undistributable).min(available));
        if let Some(max) = style.max_width {
            width = width.min(outer(max));
        }
        if let Some(min) = style.min_width {
            width = width.max(outer(min));
        }
        let fixed = style.fixed && specified.is_some();
        let widths = if fixed {
            self.fixed(&grid, gaps, (width - undistributable).max(0))
        } else {
            width = width.max(min_content + undistributable);
            divide(&columns, width - undistributable)
        };
        width = width.max(widths.iter().sum::<Unit>() + undistributable);
        for caption in &grid.captions {
            width = width.max(self.outer_widths(*caption).0);
        }
        let height = style.height.filter(|height| !height.is_relative()).map_or(0, |height| height.fixed);
        let height = height.max(style.min_height.map_or(0, |height| height.fixed));
        let height = self.rows(&grid, gaps, &widths, width, height);
        (width, height)
    }

    /// Rows and cells without a table around.
    pub(super) fn bare_table(&mut self, container: Id, cells: &[Id], available: Unit) -> (Unit, Unit) {
        let grid = self.grid(container, Some(cells));
        let gaps = Gaps::default();
        let columns = self.columns(&grid, gaps);
        let (min_content, max_content) = sums(&columns);
        let width = max_content.min(available).max(min_content);
        let widths = divide(&columns, width);
        let height = self.rows(&grid, gaps, &widths, width, 0);
        (width, height)
    }

    /// The min-content and the max-content width of a table.
    pub(super) fn table_widths_of(&mut self, id: Id) -> (Unit, Unit) {
        let grid = self.grid(id, None);
        let gaps = Gaps::of(self.style(id), 0).with_cells(self, &grid);
        let (min_content, max_content) = sums(&self.columns(&grid, gaps));
        let undistributable = gaps.undistributable(grid.columns);
        (min_content + undistributable, max_content + undistributable)
    }

    /// The same of rows and cells without a table around.
    pub(super) fn table_widths(&mut self, container: Id, cells: &[Id]) -> (Unit, Unit) {
        let grid = self.grid(container, Some(cells));
        sums(&self.columns(&grid, Gaps::default()))
    }

    /// The widths of columns.
    fn columns(&mut self, grid: &Grid, gaps: Gaps) -> Vec<Column> {
        let mut columns = vec![Column::default(); grid.columns];
        for (column, specified) in columns.iter_mut().zip(&grid.specified) {
            if let Some(specified) = specified {
                column.percent = specified.percent;
                (column.max_content, column.fixed) = (specified.fixed, !specified.is_relative());
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
            column.min_content = column.min_content.max(wants.min_content);
            if wants.fixed && !column.fixed {
                (column.fixed, column.max_content) = (true, column.min_content.max(wants.max_content));
            } else if wants.fixed || !column.fixed {
                column.max_content = column.max_content.max(wants.max_content);
            }
            column.percent = column.percent.max(wants.percent);
        }
        for column in &mut columns {
            column.max_content = column.max_content.max(column.min_content);
        }
        spans.sort_by_key(|span| span.count);
        for span in &spans {
            spread(&mut columns, span, gaps.across);
        }
        columns
    }

    fn wants(&mut self, cell: &Cell, gaps: Gaps) -> Column {
        let (min_content, max_content) = self.content_widths(cell.node);
        if cell.bare {
            return Column { min_content, max_content, ..Column::default() };
        }
        let style = self.style(cell.node);
        let border_padding = gaps.cell(style, 0);
        let across = border_padding[LEFT] + border_padding[RIGHT];
        let floor = style.min_width.filter(|width| !width.is_relative()).map_or(0, |width| width.fixed);
        let (min_content, max_content) = ((min_content + across).max(floor), (max_content + across).max(floor));
        match style.width {
            Some(width) if width.percent > 0 => {
                Column { min_content, max_content, fixed: false, percent: width.percent }
            }
            Some(width) if width.percent == 0 => {
                let specified = if style.border_box { width.fixed } else { width.fixed + across };
                Column { min_content, max_content: specified.max(min_content), fixed: true, percent: 0 }
            }
            _ => Column { min_content, max_content, fixed: false, percent: 0 },
        }
    }

    /// Widths of columns under `table-layout: fixed`: what the first row says.
    fn fixed(&mut self, grid: &Grid, gaps: Gaps, width: Unit) -> Vec<Unit> {
        let mut specified: Vec<Option<Unit>> =
            grid.specified.iter().map(|specified| specified.map(|specified| specified.of(width))).collect();
        specified.resize(grid.columns, None);
        for cell in grid.cells.iter().filter(|cell| cell.row == 0 && !cell.bare) {
            let style = self.style(cell.node);
            let Some(length) = style.width else { continue };
            let border_padding = gaps.cell(style, 0);
            let extra =
                if style.border_box || length.is_relative() { 0 } else { border_padding[LEFT] + border_padding[RIGHT] };
            let count = Unit::try_from(cell.columns).unwrap_or(1);
            let share = (length.of(width) + extra) / count;
            specified[cell.column..cell.column + cell.columns].iter_mut().for_each(|specified| {
                specified.get_or_insert(share);
            });
        }
        let given: Unit = specified.iter().flatten().sum();
        let free = Unit::try_from(specified.iter().filter(|specified| specified.is_none()).count()).unwrap_or(0);
        let rest = (width - given).max(0);
        if free > 0 {
            return specified.into_iter().map(|specified| specified.unwrap_or(rest / free)).collect();
        }
        // Nothing is left for others: all grow.
        let columns: Vec<Column> = specified
            .into_iter()
            .map(|specified| Column {
                min_content: specified.unwrap_or(0),
                max_content: specified.unwrap_or(0),
                fixed: true,
                percent: 0,
            })
            .collect();
        divide(&columns, width)
    }

    /// Lays rows out below each other; returns how high they are with all around.
    fn rows(&mut self, grid: &Grid, gaps: Gaps, widths: &[Unit], width: Unit, min_height: Unit) -> Unit {
        let mut y = 0;
        for caption in &grid.captions {
            let start = self.fragments.len();
            let block = self.block(*caption, &AvailableSpace::new(width));
            self.shift(start, 0, y + block.top.value());
            y += block.top.value() + block.height + block.bottom.value();
        }
        let top = y + gaps.border_padding[TOP] + gaps.down;
        let mut lefts = Vec::with_capacity(widths.len() + 1);
        let mut x = gaps.border_padding[LEFT] + gaps.across;
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
        let around = gaps.border_padding[TOP]
            + gaps.border_padding[BOTTOM]
            + if count > 0 { gaps.down * (count + 1) } else { 0 };
        let all: Unit = heights.iter().sum();
        let more = min_height - around - all;
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
            let end = cell.row + cell.rows - 1;
            let height = tops[end] + heights[end] - tops[cell.row];
            let free = (height - natural.outer.min(height)).max(0);
            let free = free.max(height - natural.inner).max(0);
            let lower = match self.style(cell.node).vertical_align {
                _ if cell.bare => 0,
                VerticalAlign::Top | VerticalAlign::Baseline => 0,
                VerticalAlign::Middle => free / 2,
                VerticalAlign::Bottom => free,
            };
            let count = self.fragments[at].count;
            self.shift_within(at + 1, at + 1 + count, 0, lower);
            let fragment = &mut self.fragments[at];
            (fragment.y, fragment.height) = (tops[cell.row], height);
        }
        let end = if count > 0 { down } else { top - gaps.down };
        (end + gaps.border_padding[BOTTOM]).max(min_height + y)
    }

    /// Lays cells out; returns their fragments and heights, the fragments of rows that have a background, and how high
    /// the rows are for cells of a single row.
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
            let border_padding = if cell.bare { [0; 4] } else { gaps.cell(style, width) };
            let start = self.fragments.len();
            let inner = (width - border_padding[LEFT] - border_padding[RIGHT]).max(0);
            let contents = self.contents(cell.node, inner, MarginCollapse::default(), Vec::new());
            self.shift(start, border_padding[LEFT], border_padding[TOP]);
            self.close(at);
            let fragment = &mut self.fragments[at];
            (fragment.x, fragment.width) = (lefts[cell.column], width);
            let natural = contents.height + border_padding[TOP] + border_padding[BOTTOM];
            let specified = style.height.filter(|height| !height.is_relative() && !cell.bare).map_or(0, |height| {
                if style.border_box || self.dom.quirks {
                    height.fixed
                } else {
                    height.fixed + border_padding[TOP] + border_padding[BOTTOM]
                }
            });
            let natural = Natural { inner: natural, outer: natural.max(specified) };
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
                Display::Column => self.column_elements(child, &mut grid.specified),
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
            bare(container, &mut grid);
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

    /// The widths of `<col>` and `<colgroup>`.
    fn column_elements(&self, column: Id, specified: &mut Vec<Option<Length>>) {
        let span = |id: Id| {
            let span = self.dom.element(id).and_then(|element| element.attribute("span")?.trim().parse::<usize>().ok());
            span.unwrap_or(1).clamp(1, COLUMNS_MAX)
        };
        let inner: Vec<Id> = self.shown(column).collect();
        let columns = if inner.is_empty() { vec![column] } else { inner };
        for id in columns {
            for _ in 0..span(id) {
                if specified.len() < COLUMNS_MAX {
                    specified.push(self.style(id).width);
                }
            }
        }
    }

    fn group(&self, group: Id, builder: &mut Builder, grid: &mut Grid) {
        let children: Vec<Id> = self.shown(group).collect();
        if !children.is_empty() && children.iter().all(|child| !self.is_part(*child)) {
            bare(group, grid);
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
            bare(row, grid);
            return;
        }
        builder.row(self, Some(row), &children, left, grid);
    }

    fn span(&self, cell: Id, name: &str) -> Option<usize> {
        let element = self.dom.element(cell).filter(|element| matches!(element.name(), "td" | "th"))?;
        element.attribute(name)?.trim().parse().ok()
    }
}

/// How high a cell is by its contents, and with its specified height.
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
    let mut begins = vec![false; grid.columns.max(grid.specified.len())];
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
    let specified = std::mem::take(&mut grid.specified);
    grid.specified =
        specified.into_iter().zip(&begins).filter(|(_, begins)| **begins).map(|(specified, _)| specified).collect();
    grid.specified.resize(count, None);
    grid.columns = count;
}

/// A row of a single cell that stands for what is none.
fn bare(node: Id, grid: &mut Grid) {
    let row = grid.rows.len();
    grid.rows.push(None);
    grid.columns = grid.columns.max(1);
    grid.cells.push(Cell { node, bare: true, column: 0, columns: 1, row, rows: 1 });
}
