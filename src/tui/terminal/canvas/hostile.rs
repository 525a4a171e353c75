//! Names that terminals count otherwise than ratatui does, on terminals that count otherwise than each other.

use std::collections::BTreeMap;

use proptest::prelude::*;
use ratatui::buffer::{Buffer, CellWidth as _};
use ratatui::layout::{Rect, Size};
use ratatui::style::{Color, Style};

use super::Canvas;
use crate::text::plain;
use crate::tui::terminal::agreed::is_agreed;

/// Parts of names: flags whole and half, Thai, Devanagari, Tamil, Khmer, Burmese, kana with marks, loose jamo, emoji old
/// and new, letters with marks of their own, what no table knows yet; and parts that all agree on.
const PARTS: [&str; 30] = [
    "🇰🇷",
    "🇰",
    "กำ",
    "ำ",
    "น้ำ",
    "कि",
    "ि",
    "நி",
    "ক্ষ",
    "ក្រុម",
    "မြန်မာ",
    "က္က",
    "ﾀﾞ",
    "ｶﾞｷﾞ",
    "ᄒ",
    "ᅡ",
    "👍",
    "🫩",
    "👩\u{200d}🚀",
    "e\u{301}",
    "\u{301}",
    "☰",
    "\u{1f3fb}",
    "Mina",
    "김철수",
    "山田",
    " ",
    "ab",
    "𠀋",
    "\u{378}",
];

const SIZE: Size = Size::new(24, 4);

/// A terminal that has a width of its own for whatever is not agreed on. It knows what a canvas writes and no more.
struct Odd {
    rows: Vec<Vec<String>>,
    x: usize,
    y: usize,
    widths: BTreeMap<char, usize>,
    /// What should never happen: text that runs over the end of a line.
    has_wrapped: bool,
}

impl Odd {
    fn new(widths: &BTreeMap<char, usize>) -> Self {
        let rows = vec![vec![" ".to_owned(); SIZE.width.into()]; SIZE.height.into()];
        Self { rows, x: 0, y: 0, widths: widths.clone(), has_wrapped: false }
    }

    fn process(&mut self, bytes: &[u8]) {
        let mut text = std::str::from_utf8(bytes).unwrap();
        while let Some(c) = text.chars().next() {
            text = if let Some(rest) = text.strip_prefix("\u{1b}[") {
                let end = rest.find(|c: char| c.is_ascii_alphabetic()).unwrap();
                self.control(&rest[..end], &rest[end..=end]);
                &rest[end + 1..]
            } else {
                self.print(c);
                &text[c.len_utf8()..]
            };
        }
    }

    fn control(&mut self, parameters: &str, last: &str) {
        let blank = " ".to_owned();
        match (parameters, last) {
            ("2", "J") => self.rows.iter_mut().for_each(|row| row.fill(blank.clone())),
            ("2", "K") => self.rows[self.y].fill(blank),
            (at, "H") => {
                let (y, x) = at.split_once(';').unwrap();
                (self.y, self.x) = (y.parse::<usize>().unwrap() - 1, x.parse::<usize>().unwrap() - 1);
            }
            (_, "m" | "h" | "l") => {}
            other => panic!("{other:?} is written, and not known here"),
        }
    }

    fn print(&mut self, c: char) {
        let symbol = c.to_string();
        let own = if is_agreed(&symbol) { crate::text::width(&symbol) } else { self.widths[&c] };
        let columns = usize::from(SIZE.width);
        if own == 0 {
            if let Some(before) = self.x.checked_sub(1) {
                self.rows[self.y][before.min(columns - 1)].push(c);
            }
            return;
        }
        if self.x + own > columns {
            self.has_wrapped = true;
            self.x = 0;
            self.y = (self.y + 1).min(usize::from(SIZE.height) - 1);
        }
        let row = &mut self.rows[self.y];
        // The other half of a wide character goes when one half is written over.
        if row[self.x].is_empty() {
            row[self.x - 1] = " ".into();
        }
        if row.get(self.x + own).is_some_and(String::is_empty) {
            row[self.x + own] = " ".into();
        }
        row[self.x] = symbol;
        if own == 2 {
            row[self.x + 1] = String::new();
        }
        self.x += own;
    }
}

/// A row of a frame: a name, and what stands to the right of it, under which it must not run.
type Row = (String, u16);

fn draw(canvas: &mut Canvas, frame: &[Row]) -> Vec<u8> {
    let draw = |_: Rect, buffer: &mut Buffer| {
        for (y, (name, room)) in (0..).zip(frame) {
            let style = if *room % 2 == 0 { Style::new() } else { Style::new().bg(Color::Blue) };
            buffer.set_stringn(0, y, "> ", 2, Style::new());
            buffer.set_stringn(2, y, name, usize::from(*room), style);
            if *room < 16 {
                buffer.set_stringn(2 + room, y, "│김 x", 6, Style::new());
            }
        }
        None
    };
    canvas.frame(draw).to_vec()
}

fn frames() -> impl Strategy<Value = Vec<Vec<Row>>> {
    let name = prop::collection::vec(prop::sample::select(PARTS.to_vec()), 0..6);
    let row = (name.prop_map(|parts| plain(&parts.concat()).into_string()), 2u16..24);
    prop::collection::vec(prop::collection::vec(row, 4), 1..5)
}

/// For each character in the names, how many cells it takes on some terminal.
fn widths() -> impl Strategy<Value = BTreeMap<char, usize>> {
    let doubtful: Vec<char> = PARTS.iter().flat_map(|part| part.chars()).chain(['\u{fffd}']).collect();
    let each = prop::collection::vec(0usize..3, doubtful.len());
    each.prop_map(move |widths| doubtful.iter().copied().zip(widths).collect())
}

/// What the terminal must show in a row, where that is certain: nothing for cells that something doubtful may reach.
fn certain(buffer: &Buffer, y: u16) -> Vec<Option<String>> {
    let mut reached = 0;
    let cells: Vec<_> = (0..SIZE.width).map(|x| buffer[(x, y)].symbol()).collect();
    (0u16..)
        .zip(&cells)
        .map(|(x, symbol)| {
            if !is_agreed(symbol) {
                reached = x + symbol.cell_width();
            }
            // A mark may be drawn over what is to the left of it.
            let next = cells.get(usize::from(x) + 1).is_none_or(|next| is_agreed(next));
            (x >= reached && next).then(|| (*symbol).to_owned())
        })
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    /// Whatever a terminal thinks of a name's width, what it shows is what it would show if all were redrawn, and
    /// everything but the name is where it belongs.
    #[test]
    fn a_name_stays_in_its_place(frames in frames(), widths in widths()) {
        let mut canvas = Canvas::new(SIZE);
        let mut terminal = Odd::new(&widths);
        for frame in &frames {
            terminal.process(&draw(&mut canvas, frame));
            let mut fresh = Odd::new(&widths);
            fresh.process(&draw(&mut Canvas::new(SIZE), frame));
            prop_assert_eq!(&terminal.rows, &fresh.rows);
            prop_assert!(!terminal.has_wrapped);
            for y in 0..SIZE.height {
                let shown = &terminal.rows[usize::from(y)];
                let mut behind_wide = false;
                for (x, wanted) in certain(&canvas.shown, y).into_iter().enumerate() {
                    if let Some(wanted) = wanted.filter(|_| !behind_wide) {
                        prop_assert_eq!(&shown[x], &wanted, "column {} of {:?}", x, shown);
                        behind_wide = crate::text::width(&wanted) == 2;
                    } else {
                        behind_wide = false;
                    }
                }
            }
        }
    }

    /// The same on a terminal that was written elsewhere, with widths of its own.
    #[test]
    fn a_name_stays_in_its_place_on_a_known_terminal(frames in frames()) {
        let shown = |frames: &[Vec<Row>]| {
            let cells = |length| std::num::NonZeroU16::new(length).unwrap();
            let mut canvas = Canvas::new(SIZE);
            let mut terminal = vt100::Parser::new(cells(SIZE.height), cells(SIZE.width), 0);
            for frame in frames {
                terminal.process(&draw(&mut canvas, frame));
            }
            let row = |y| (0..SIZE.width).map(move |x| (y, x));
            let cells = (0..SIZE.height).flat_map(row);
            let cells = cells.map(|(y, x)| terminal.screen().cell(y, x).unwrap());
            // What is written as a blank and what was never written look the same.
            let shown = cells.map(|cell| (Some(cell.contents()).filter(|text| *text != " ").unwrap_or_default().to_owned(), cell.bgcolor()));
            shown.collect::<Vec<_>>()
        };
        prop_assert_eq!(shown(&frames), shown(&frames[frames.len() - 1..]));
    }
}

#[test]
fn a_row_with_a_doubtful_name_costs_little_more() {
    let size = Size::new(120, 40);
    let names = ["สมชาย ใจดี", "🇰🇷 Mina", "မြန်မာ", "Иван", "김철수", "José"];
    let frame = |canvas: &mut Canvas, selected: u16| {
        let bytes = canvas.frame(|_, buffer| {
            for y in 0..40 {
                let marker = if y == selected { "> " } else { "  " };
                let text = format!("{marker}{:04} user{y}@example.com", 1000 + y);
                buffer.set_stringn(0, y, text, 40, Style::new());
                buffer.set_stringn(60, y, names[usize::from(y) % names.len()], 30, Style::new());
                buffer.set_stringn(100, y, "queued 3 min ago", 20, Style::new());
            }
            None
        });
        bytes.len()
    };
    let mut canvas = Canvas::new(size);
    let first = frame(&mut canvas, 0);
    let step = frame(&mut canvas, 1);
    let plain = { (2..5).map(|y| frame(&mut canvas, y)).last().unwrap() };
    assert!(first < 5_500, "{first}");
    assert!(step < 350, "{step}");
    assert!(plain < 60, "{plain}");
}
