//! Where the layouter has put what a browser shows.

use unicode_segmentation::UnicodeSegmentation as _;
use unicode_width::UnicodeWidthStr as _;
use verifydesk::preview::cell_layout::{CellLayout, Kind, Paint, Rgb, Row};
use verifydesk::preview::view::{CELL_HEIGHT, CELL_WIDTH};

use super::seen::Seen;

/// What stands in one or two cells.
#[derive(Clone, Debug)]
struct Cell<'a> {
    column: u16,
    letter: &'a str,
    paint: Paint,
    /// Whether a run of the browser is here.
    taken: bool,
}

/// The cells of a mail that was laid out.
pub struct Cells<'a>(Vec<Vec<Cell<'a>>>);

/// Where a run was found.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    pub row: usize,
    pub column: u16,
    pub paint: Paint,
    /// Where its background begins and ends, in columns.
    pub from: u16,
    pub to: u16,
}

impl<'a> Cells<'a> {
    pub fn of(laid: &'a CellLayout) -> Self {
        let row = |row: &'a Row| {
            let mut cells: Vec<Cell<'a>> = Vec::new();
            let mut next = 0;
            for run in &row.runs {
                cells.extend((next..run.column).map(|column| window(column, laid.background)));
                next = run.column;
                for letter in run.text.graphemes(true) {
                    cells.push(Cell { column: next, letter, paint: run.paint, taken: false });
                    next += width(letter);
                }
            }
            cells.extend((next..laid.columns.max(laid.needed)).map(|column| window(column, laid.background)));
            cells
        };
        Self(laid.rows.iter().map(row).collect())
    }

    /// Finds each run; each cell serves one run only. `None` for a run that stands nowhere as one piece.
    pub fn find(&mut self, seen: &[Seen]) -> Vec<Option<Place>> {
        // How many rows lower than in the browser things are just now.
        let mut shift = 0.0;
        let places = seen.iter().map(|run| {
            let letters: Vec<&str> = run.text.graphemes(true).filter(|letter| width(letter) > 0).collect();
            let expected = run.top / f64::from(CELL_HEIGHT) + shift;
            let mut best: Option<(f64, usize, usize)> = None;
            for (number, row) in self.0.iter().enumerate() {
                for start in 0..row.len() {
                    if !stands_at(row, start, &letters) {
                        continue;
                    }
                    let across = f64::from(row[start].column) - run.left / f64::from(CELL_WIDTH);
                    let distance = (as_f64(number) - expected).abs() + across.abs() / 8.0;
                    if best.is_none_or(|(nearest, ..)| distance < nearest) {
                        best = Some((distance, number, start));
                    }
                }
            }
            let (_, number, start) = best?;
            shift = as_f64(number) - run.top / f64::from(CELL_HEIGHT);
            let row = &mut self.0[number];
            row[start..start + letters.len()].iter_mut().for_each(|cell| cell.taken = true);
            Some(place(row, number, start, start + letters.len() - 1))
        });
        places.collect()
    }

    /// Text that no one sees in a browser.
    pub fn left_over(&self, seen: &[Seen]) -> Vec<String> {
        let all: String = seen.iter().flat_map(|run| run.text.split_whitespace()).collect();
        let mut over = Vec::new();
        for row in &self.0 {
            for stretch in row.split(|cell| cell.taken || cell.paint.kind != Kind::Text) {
                let text: String = stretch.iter().map(|cell| cell.letter).collect();
                let bare: String = text.split_whitespace().collect();
                if !bare.is_empty() && !all.contains(&bare) {
                    over.push(text.trim().to_owned());
                }
            }
        }
        over
    }
}

fn stands_at(row: &[Cell<'_>], start: usize, letters: &[&str]) -> bool {
    let Some(cells) = row.get(start..start + letters.len()) else { return false };
    let mut column = cells[0].column;
    cells.iter().zip(letters).all(|(cell, letter)| {
        let next =
            cell.column == column && !cell.taken && (cell.letter == *letter || blank(cell.letter) && blank(letter));
        column += width(cell.letter);
        next
    })
}

fn place(row: &[Cell<'_>], number: usize, first: usize, last: usize) -> Place {
    let background = row[first].paint.background;
    // A border that runs down beside the text ends its background.
    // Where the background changes in mid-row, one half counts.
    let has = |cell: &Cell<'_>| {
        near(cell.paint.background, background) || cell.letter == "▀" && near(cell.paint.text, background)
    };
    let goes_on =
        |one: &Cell<'_>, other: &Cell<'_>| one.column + width(one.letter) == other.column && has(one) && has(other);
    let upright = |cell: &Cell<'_>| {
        cell.paint.kind == Kind::Line && !"─━═┄┅┈┉╌╍▁▔▀▄".contains(cell.letter) && !blank(cell.letter)
    };
    let (mut from, mut to) = (first, last);
    while from > 0 && goes_on(&row[from - 1], &row[from]) && !upright(&row[from - 1]) {
        from -= 1;
    }
    while to + 1 < row.len() && goes_on(&row[to], &row[to + 1]) && !upright(&row[to + 1]) {
        to += 1;
    }
    Place {
        row: number,
        column: row[first].column,
        paint: row[first].paint,
        from: row[from].column,
        to: row[to].column + width(row[to].letter),
    }
}

/// A gap shows the window.
fn window<'a>(column: u16, background: Rgb) -> Cell<'a> {
    let paint = Paint::plain(Rgb::BLACK, background, Kind::Background);
    Cell { column, letter: " ", paint, taken: false }
}

/// Whether two colours are the same to the eye.
pub fn near(one: Rgb, other: Rgb) -> bool {
    let channels = [(one.0, other.0), (one.1, other.1), (one.2, other.2)];
    channels.iter().all(|(one, other)| one.abs_diff(*other) <= 3)
}

fn blank(letter: &str) -> bool {
    letter.chars().all(char::is_whitespace)
}

fn width(letter: &str) -> u16 {
    u16::try_from(letter.width()).unwrap()
}

pub fn as_f64(count: usize) -> f64 {
    f64::from(u32::try_from(count).unwrap())
}
