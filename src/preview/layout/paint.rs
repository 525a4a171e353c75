//! From where things stand to cells.
//!
//! Text stands in the row that its line is nearest to. Backgrounds have half rows: where one begins or ends in mid-row and
//! no text stands there, half blocks show it.

use unicode_segmentation::UnicodeSegmentation as _;

use super::flow::{COLUMN, Content, Flow, Fragment, ROW};
use super::invert;
use super::style::colour::Rgba;
use super::style::value::{PX, Unit};
use super::style::{BOTTOM, LEFT, RIGHT, Style, Styles, TOP};
use crate::preview::cell_layout::{Kind, Paint, Rgb, Row, Run};
use crate::preview::view::{Scheme, View};
use crate::text::width;

/// Most cells of a mail.
const CELLS_MAX: usize = 1_000_000;

/// From which weight on text is bold.
const BOLD: u16 = 600;

/// Widest mail.
const COLUMNS_MAX: usize = 4_000;

/// Borders thinner than that are drawn as lines, thicker ones as backgrounds.
const THICK: Unit = 3 * PX;

/// What stands in a cell.
#[derive(Clone, Copy)]
struct Cell {
    /// The backgrounds of the upper and the lower half.
    backgrounds: [Rgb; 2],
    /// Whether the mail has said anything about it.
    touched: bool,
    mark: Mark,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Mark {
    None,
    /// A grapheme: where it is in the text, and which fragment it belongs to.
    Glyph {
        start: u32,
        length: u16,
        fragment: u32,
        wide: bool,
    },
    /// The right half of a wide one.
    Rest,
    /// Parts of lines that meet here: up 1, down 2, left 4, right 8; round 16.
    Line {
        arms: u8,
        colour: Rgb,
        background: Rgb,
    },
    /// A block at the left edge.
    Bar {
        eighths: u8,
        colour: Rgb,
    },
}

/// Where a fragment stands: columns, and half rows.
#[derive(Clone, Copy, Debug, Default)]
struct Area {
    left: i64,
    right: i64,
    top: i64,
    bottom: i64,
    clip: Option<usize>,
}

/// Paints a mail; `None` if it takes more cells than the budget has. Returns its rows, how many columns they take, and
/// the window's background.
pub fn paint(flow: &Flow, styles: &Styles, view: View, canvas: Option<Rgba>) -> Option<(Vec<Row>, u16, Rgb)> {
    let inverted = view.scheme == Scheme::Inverted;
    let base = if styles.knows_dark { Rgb(18, 18, 18) } else { Rgb::WHITE };
    let base = if inverted { invert::background(Rgba::opaque(base)).rgb } else { base };
    let canvas = canvas.map(|canvas| if inverted { invert::background(canvas) } else { canvas }.over(base));
    let areas = areas(&flow.fragments);
    let seen = |(fragment, area): &(&Fragment, &Area)| {
        let style = styles.get(fragment.node);
        match fragment.content {
            Content::Text(..) | Content::Marker(..) | Content::Image(..) => style.text.visible,
            _ => style.background.is_some() || style.border.iter().any(|edge| edge.used_width() > 0),
        }
        .then_some((area.right, area.bottom))
    };
    let ends: Vec<(i64, i64)> = flow.fragments.iter().zip(&areas).filter_map(|pair| seen(&pair)).collect();
    let columns = usize::try_from(ends.iter().map(|(right, _)| *right).max().unwrap_or(0)).unwrap_or(0);
    // A background of the whole mail fills the window.
    let columns = if canvas.is_some() { columns.max(usize::from(view.width.columns())) } else { columns };
    let halves =
        areas.first().map_or(0, |all| all.bottom).max(ends.iter().map(|(_, bottom)| *bottom).max().unwrap_or(0));
    let rows = usize::try_from(halves.max(0)).unwrap_or(0).div_ceil(2);
    if columns > COLUMNS_MAX || columns.max(1).saturating_mul(rows) > CELLS_MAX {
        return None;
    }
    let blank = Cell { touched: canvas.is_some(), backgrounds: [canvas.unwrap_or(base); 2], mark: Mark::None };
    let mut painter =
        Painter { cells: vec![blank; columns * rows], columns, rows, flow, styles, inverted, areas: &areas };
    for (index, fragment) in flow.fragments.iter().enumerate() {
        match fragment.content {
            Content::Box | Content::Clip | Content::Inline(..) => painter.box_(index, fragment),
            _ => {}
        }
    }
    for (index, fragment) in flow.fragments.iter().enumerate() {
        match fragment.content {
            Content::Text(start, end) | Content::Marker(start, end) => painter.text(index, fragment, (start, end)),
            Content::Image(start, end) => painter.image(index, fragment, (start, end)),
            _ => {}
        }
    }
    for (index, fragment) in flow.fragments.iter().enumerate() {
        if let Some((begins, ends)) = edges(&fragment.content) {
            painter.lines(index, fragment, begins, ends);
        }
    }
    let rows = (0..rows).map(|row| painter.row(row)).collect();
    Some((rows, u16::try_from(columns).unwrap_or(u16::MAX), base))
}

/// The nearest multiple.
fn nearest(length: Unit, step: Unit) -> i64 {
    (2 * length + step).div_euclid(2 * step)
}

/// Where everything stands. Boxes grow to hold the rows of the text in them.
fn areas(fragments: &[Fragment]) -> Vec<Area> {
    struct Around {
        end: usize,
        x: Unit,
        y: Unit,
        bottom: Unit,
        index: usize,
        clip: Option<usize>,
    }
    let mut areas: Vec<Area> = Vec::with_capacity(fragments.len());
    let mut stack: Vec<Around> = Vec::new();
    for (index, fragment) in fragments.iter().enumerate() {
        while stack.last().is_some_and(|around| index >= around.end) {
            stack.pop();
        }
        let (x, y, clip) = stack.last().map_or((0, 0, None), |around| (around.x, around.y, around.clip));
        let (x, y) = (x + fragment.x, y + fragment.y);
        let (left, right) = (nearest(x, COLUMN), nearest(x + fragment.width, COLUMN));
        let is_text = matches!(fragment.content, Content::Text(..) | Content::Marker(..));
        let (top, bottom) = if is_text {
            let row = nearest(y, ROW);
            (2 * row, 2 * row + 2)
        } else if matches!(fragment.content, Content::Image(..)) {
            // Not from the middle of a row: what stands next to its upper edge would seem to stand above it.
            let top = nearest(y, ROW / 2);
            (top - top.rem_euclid(2), nearest(y + fragment.height, ROW / 2))
        } else {
            (nearest(y, ROW / 2), nearest(y + fragment.height, ROW / 2))
        };
        areas.push(Area { left, right, top, bottom, clip });
        if is_text {
            let middle = y + ROW / 2;
            for around in stack.iter().filter(|around| around.y <= middle && middle < around.bottom) {
                let area = &mut areas[around.index];
                area.top = area.top.min(top);
                area.bottom = area.bottom.max(bottom);
            }
        }
        let clip = if fragment.content == Content::Clip { Some(index) } else { clip };
        stack.push(Around { end: index + fragment.count + 1, x, y, bottom: y + fragment.height, index, clip });
    }
    areas
}

/// Whether a box begins and ends where its fragment does; `None` for what is no box.
fn edges(content: &Content) -> Option<(bool, bool)> {
    match *content {
        Content::Inline(begins, ends) => Some((begins, ends)),
        Content::Box | Content::Clip => Some((true, true)),
        _ => None,
    }
}

struct Painter<'a> {
    cells: Vec<Cell>,
    columns: usize,
    rows: usize,
    flow: &'a Flow<'a>,
    styles: &'a Styles,
    inverted: bool,
    areas: &'a [Area],
}

impl Painter<'_> {
    fn at(&mut self, row: i64, column: i64) -> Option<&mut Cell> {
        let (row, column) = (usize::try_from(row).ok()?, usize::try_from(column).ok()?);
        if row >= self.rows || column >= self.columns {
            return None;
        }
        self.cells.get_mut(row * self.columns + column)
    }

    /// Fills columns and half rows.
    fn fill(&mut self, columns: (i64, i64), halves: (i64, i64), colour: Rgba) {
        if colour.is_clear() {
            return;
        }
        for half in halves.0.max(0)..halves.1 {
            for column in columns.0.max(0)..columns.1 {
                let Some(cell) = self.at(half.div_euclid(2), column) else { break };
                let background = &mut cell.backgrounds[usize::from(half.rem_euclid(2) == 1)];
                *background = colour.over(*background);
                cell.touched = true;
                if colour.alpha >= 1.0 {
                    cell.mark = Mark::None;
                }
            }
        }
    }

    fn box_(&mut self, index: usize, fragment: &Fragment) {
        let style = self.styles.get(fragment.node);
        if !style.text.visible {
            return;
        }
        let area = self.areas[index];
        if let Some(colour) = style.background {
            let colour = colour.faded(style.text.opacity);
            let colour = if self.inverted { invert::background(colour) } else { colour };
            self.fill((area.left, area.right), (area.top, area.bottom), colour);
        }
        let Some((begins, ends)) = edges(&fragment.content) else { return };
        self.border(style, area, begins, ends);
    }

    fn border(&mut self, style: &Style, area: Area, begins: bool, ends: bool) {
        let drawn = |side: usize| match side {
            LEFT if !begins => 0,
            RIGHT if !ends => 0,
            _ => style.border[side].used_width(),
        };
        for side in [TOP, BOTTOM, LEFT, RIGHT] {
            let width = drawn(side);
            if width < THICK {
                continue;
            }
            let colour = style.edge_colour(side).faded(style.text.opacity);
            // A border this thick is a background.
            let colour = if self.inverted { invert::background(colour) } else { colour };
            match side {
                TOP | BOTTOM => {
                    let halves = nearest(width, ROW / 2).max(1);
                    let from = if side == TOP { area.top } else { (area.bottom - halves).max(area.top) };
                    self.fill((area.left, area.right), (from, (from + halves).min(area.bottom.max(from + 1))), colour);
                }
                _ => self.side_border(side, width, area, colour),
            }
        }
    }

    /// Borders that are drawn as lines, when the text is there: they keep out of its rows where they can.
    fn lines(&mut self, index: usize, fragment: &Fragment, begins: bool, ends: bool) {
        let style = self.styles.get(fragment.node);
        let area = self.areas[index];
        if !style.text.visible {
            return;
        }
        let drawn = |side: usize| match side {
            LEFT if !begins => 0,
            RIGHT if !ends => 0,
            _ => style.border[side].used_width(),
        };
        let thin = |side: usize| (1..THICK).contains(&drawn(side));
        if ![TOP, RIGHT, BOTTOM, LEFT].into_iter().any(thin) {
            return;
        }
        let (mut top, mut bottom) = (area.top.div_euclid(2), (area.bottom - 1).div_euclid(2));
        let (left, right) = (area.left, area.right - 1);
        let flat = bottom <= top;
        if thin(BOTTOM) && !self.is_free(bottom, left, right) && self.is_free(bottom + 1, left, right) {
            bottom += 1;
        }
        if thin(TOP) && !self.is_free(top, left, right) && self.is_free(top - 1, left, right) {
            top -= 1;
        }
        // A box lower than two rows has no space for both lines.
        let flat = flat && bottom <= top;
        let round = if style.round { 16 } else { 0 };
        let colour = |side: usize| {
            let colour = style.edge_colour(side).faded(style.text.opacity);
            if self.inverted { invert::line(colour) } else { colour }
        };
        let colours = [TOP, RIGHT, BOTTOM, LEFT].map(colour);
        for (side, row) in [(TOP, top), (BOTTOM, bottom)] {
            if thin(side) && !(flat && side == BOTTOM && thin(TOP)) {
                for column in left..=right {
                    let mut arms = 12;
                    if column == left && thin(LEFT) {
                        arms &= !4;
                    }
                    if column == right && thin(RIGHT) {
                        arms &= !8;
                    }
                    self.line(row, column, side, arms | round, colours[side]);
                }
            }
        }
        for (side, column) in [(LEFT, left), (RIGHT, right)] {
            if thin(side) && right > left {
                for row in top..=bottom {
                    let mut arms = 3;
                    if row == top && thin(TOP) {
                        arms &= !1;
                    }
                    if row == bottom && thin(BOTTOM) {
                        arms &= !2;
                    }
                    if !flat || arms == 3 {
                        self.line(row, column, side, arms | round, colours[side]);
                    }
                }
            }
        }
    }

    /// A thick border at a side: whole columns, and a bar for the rest.
    fn side_border(&mut self, side: usize, width: Unit, area: Area, colour: Rgba) {
        let whole = nearest(width, COLUMN);
        if width < COLUMN && side == LEFT {
            let eighths = u8::try_from(nearest(width, COLUMN / 8)).unwrap_or(4).clamp(1, 7);
            for row in area.top.div_euclid(2)..(area.bottom + 1).div_euclid(2) {
                if let Some(cell) = self.at(row, area.left) {
                    cell.mark = Mark::Bar { eighths, colour: colour.over(cell.backgrounds[0]) };
                }
            }
            return;
        }
        let columns = if side == LEFT { (area.left, area.left + whole) } else { (area.right - whole, area.right) };
        self.fill(columns, (area.top, area.bottom), colour);
    }

    /// Whether no text stands in a row, between two columns.
    fn is_free(&mut self, row: i64, left: i64, right: i64) -> bool {
        (left..=right).all(|column| {
            self.at(row, column).is_some_and(|cell| !matches!(cell.mark, Mark::Glyph { .. } | Mark::Rest))
        })
    }

    fn line(&mut self, row: i64, column: i64, side: usize, arms: u8, colour: Rgba) {
        if colour.is_clear() {
            return;
        }
        if let Some(cell) = self.at(row, column) {
            let there = match cell.mark {
                Mark::Line { arms, .. } => arms,
                Mark::None => 0,
                _ => return,
            };
            // A line lies on the background of the box that it belongs to.
            let background = cell.backgrounds[usize::from(side != BOTTOM)];
            cell.mark = Mark::Line { arms: there | arms, colour: colour.over(background), background };
        }
    }

    fn text(&mut self, index: usize, fragment: &Fragment, (start, end): (usize, usize)) {
        let area = self.areas[index];
        self.write(index, fragment, area.top.div_euclid(2), area.left, i64::MAX, (start, end));
    }

    fn write(
        &mut self,
        index: usize,
        fragment: &Fragment,
        row: i64,
        column: i64,
        limit: i64,
        (start, end): (usize, usize),
    ) {
        let look = &self.styles.get(fragment.node).text;
        if !look.visible || look.opacity <= 0.0 || self.is_clipped(index, row) {
            return;
        }
        let flow = self.flow;
        let Some(text) = flow.text.get(start..end) else { return };
        let mut column = column;
        for (at, grapheme) in text.grapheme_indices(true) {
            let wide = i64::try_from(width(grapheme)).unwrap_or(0);
            if wide == 0 {
                continue;
            }
            if column + wide > limit {
                break;
            }
            let (Ok(start), Ok(length), Ok(fragment)) =
                (u32::try_from(start + at), u16::try_from(grapheme.len()), u32::try_from(index))
            else {
                return;
            };
            self.put(row, column, Mark::Glyph { start, length, fragment, wide: wide > 1 });
            for rest in 1..wide {
                self.put(row, column + rest, Mark::Rest);
            }
            column += wide;
        }
    }

    /// Whether a row is hidden by a box around.
    fn is_clipped(&self, index: usize, row: i64) -> bool {
        let mut clip = self.areas[index].clip;
        while let Some(around) = clip {
            let area = self.areas[around];
            if 2 * row < area.top || 2 * row + 1 > area.bottom {
                return true;
            }
            clip = area.clip;
        }
        false
    }

    /// Puts a glyph, or half of one. What it covers half of goes.
    fn put(&mut self, row: i64, column: i64, mark: Mark) {
        let Some(cell) = self.at(row, column) else { return };
        let before = std::mem::replace(&mut cell.mark, mark);
        let (halves, rest) = (before, mark);
        if halves == Mark::Rest && rest != Mark::Rest {
            self.clear(row, column - 1, |mark| matches!(mark, Mark::Glyph { wide: true, .. }));
        }
        if matches!(halves, Mark::Glyph { wide: true, .. }) {
            self.clear(row, column + 1, |mark| mark == Mark::Rest);
        }
    }

    fn clear(&mut self, row: i64, column: i64, what: impl Fn(Mark) -> bool) {
        if let Some(cell) = self.at(row, column)
            && what(cell.mark)
        {
            cell.mark = Mark::None;
        }
    }

    fn image(&mut self, index: usize, fragment: &Fragment, text: (usize, usize)) {
        let style = self.styles.get(fragment.node);
        if !style.text.visible {
            return;
        }
        let area = self.areas[index];
        let (top, bottom) = (area.top, area.bottom.max(area.top));
        // What is too small to be seen is not shown.
        if fragment.height < ROW / 4 || fragment.width < COLUMN / 2 {
            return;
        }
        let row = (top + (bottom - top - 1).max(0) / 2).div_euclid(2);
        // The text has a whole row of the image's background.
        let (top, bottom) = (top.min(2 * row), bottom.max(2 * row + 2));
        let tint = Rgba { rgb: Rgb(128, 128, 128), alpha: 0.18 * style.text.opacity };
        self.fill((area.left, area.right), (top, bottom), tint);
        let columns = i64::try_from(width(&self.flow.text[text.0..text.1])).unwrap_or(0);
        let column = area.left + ((area.right - area.left - columns) / 2).max(0);
        self.write(index, fragment, row, column, area.right, text);
    }

    /// A finished row.
    fn row(&self, row: usize) -> Row {
        let mut runs: Vec<Run> = Vec::new();
        let mut end = 0;
        for (column, cell) in self.cells[row * self.columns..(row + 1) * self.columns].iter().enumerate() {
            let Some((text, paint)) = self.shown(cell) else { continue };
            match runs.last_mut() {
                Some(run) if end == column && run.paint == paint => run.text.push_str(&text),
                _ => runs.push(Run { column: u16::try_from(column).unwrap_or(u16::MAX), text: text.into(), paint }),
            }
            end = column + if matches!(cell.mark, Mark::Glyph { wide: true, .. }) { 2 } else { 1 };
        }
        Row { runs }
    }

    /// What a cell shows; `None` where it shows the window, or is the rest of another.
    fn shown(&self, cell: &Cell) -> Option<(std::borrow::Cow<'_, str>, Paint)> {
        let [upper, lower] = cell.backgrounds;
        match cell.mark {
            Mark::Rest => None,
            Mark::None if upper != lower => Some(("▀".into(), Paint::plain(upper, lower, Kind::Background))),
            Mark::None if !cell.touched => None,
            Mark::None => Some((" ".into(), Paint::plain(upper, upper, Kind::Background))),
            Mark::Line { arms, colour, background } => {
                Some((lines(arms).into(), Paint::plain(colour, background, Kind::Line)))
            }
            Mark::Bar { eighths, colour } => {
                const BARS: [&str; 8] = ["▏", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
                Some((BARS[usize::from(eighths.min(7))].into(), Paint::plain(colour, lower, Kind::Line)))
            }
            Mark::Glyph { start, length, fragment, .. } => {
                let start = start as usize;
                let text = &self.flow.text[start..start + usize::from(length)];
                let text = if text == "\u{a0}" { " " } else { text };
                let fragment = &self.flow.fragments[fragment as usize];
                let look = &self.styles.get(fragment.node).text;
                let background = if upper == lower { upper } else { lower };
                let colour = look.colour.faded(look.opacity);
                let colour = if self.inverted { invert::text(colour) } else { colour };
                let paint = Paint {
                    text: colour.over(background),
                    background,
                    bold: look.weight >= BOLD,
                    italic: look.italic,
                    underline: look.underline,
                    strike: look.strike,
                    size: u16::try_from(nearest(look.size, PX)).unwrap_or(u16::MAX),
                    link: look.link,
                    kind: match fragment.content {
                        Content::Image(..) => Kind::Image,
                        Content::Marker(..) => Kind::Marker,
                        _ => Kind::Text,
                    },
                };
                Some((text.into(), paint))
            }
        }
    }
}

/// The sign for parts of lines that meet.
fn lines(arms: u8) -> &'static str {
    let round = arms & 16 != 0;
    match arms & 15 {
        0 => " ",
        1..=3 => "│",
        4 | 8 | 12 => "─",
        5 if round => "╯",
        5 => "┘",
        6 if round => "╮",
        6 => "┐",
        7 => "┤",
        9 if round => "╰",
        9 => "└",
        10 if round => "╭",
        10 => "┌",
        11 => "├",
        13 => "┴",
        14 => "┬",
        _ => "┼",
    }
}
