//! A terminal's screen as SVG.
//!
//! Browsers have different fonts, so nothing relies on their widths: each word is fitted into its cells, everything
//! that is no ASCII stands in the middle of its own, and frames are lines, not letters.

use std::fmt::Write as _;
use std::time::Duration;

use vt100::{Cell, Color, Screen};

/// A cell, in pixels.
const WIDTH: f64 = 8.4;
const HEIGHT: f64 = 19.0;
const FONT_SIZE: f64 = 14.0;
/// From a cell's top to the line that letters stand on.
const BASELINE: f64 = 14.0;
/// Around the screen.
const MARGIN: f64 = 18.0;

/// How much of a colour is left in dim text.
const DIM: f64 = 0.6;

const BACKGROUND: &str = "#0d1117";
const FOREGROUND: &str = "#d1d7e0";

const FONTS: &str = "ui-monospace, 'SF Mono', Menlo, 'Cascadia Mono', Consolas, 'DejaVu Sans Mono', \
                     'Noto Sans Mono CJK KR', D2Coding, NanumGothicCoding, 'Apple SD Gothic Neo', 'Malgun Gothic', \
                     monospace";

/// The 16 colours, as a dark theme sets them.
const COLOURS: [&str; 16] = [
    "#484f58", "#ff7b72", "#3fb950", "#d29922", "#58a6ff", "#bc8cff", "#39c5cf", "#b1bac4", "#7d8590", "#ffa198",
    "#56d364", "#e3b341", "#79c0ff", "#d2a8ff", "#56d4dd", "#ffffff",
];

/// The screen as a picture.
pub fn draw(screen: &Screen) -> String {
    document(screen, "The console of verifydesk in a terminal", &cells(screen))
}

/// Screens one after the other, again and again, each for so long; for those who want no motion, the one with that number.
pub fn animate(screens: &[(Screen, Duration)], still: usize) -> Option<String> {
    let whole: f64 = screens.iter().map(|(_, held)| held.as_secs_f64()).sum();
    let mut style = format!("<style>.screen{{visibility:hidden;animation:{whole:.1}s step-end infinite}}\n");
    let (mut frames, mut since) = (String::new(), 0.0);
    for (number, (screen, held)) in screens.iter().enumerate() {
        let from = since / whole * 100.0;
        since += held.as_secs_f64();
        let to = since / whole * 100.0;
        let before = if number == 0 { "" } else { "0%{visibility:hidden}" };
        push(
            &mut style,
            format_args!(
                "@keyframes s{number}{{{before}{from:.2}%{{visibility:visible}}{to:.2}%{{visibility:hidden}}}}\n\
                 #s{number}{{animation-name:s{number}}}\n"
            ),
        );
        push(&mut frames, format_args!("<g class=\"screen\" id=\"s{number}\">\n{}</g>\n", cells(screen)));
    }
    push(
        &mut style,
        format_args!(
            "@media(prefers-reduced-motion:reduce){{.screen{{animation:none}}#s{still}{{visibility:visible}}}}\n</style>\n"
        ),
    );
    let (first, _) = screens.first()?;
    Some(document(first, "A call to the desk, key by key, in the console of verifydesk", &format!("{style}{frames}")))
}

/// A picture of a screen's size with this in it.
fn document(screen: &Screen, label: &str, content: &str) -> String {
    let (rows, columns) = screen.size();
    let (width, height) =
        (f64::from(columns.get()) * WIDTH + 2.0 * MARGIN, f64::from(rows.get()) * HEIGHT + 2.0 * MARGIN);
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width:.0}\" height=\"{height:.0}\" \
         viewBox=\"0 0 {width:.0} {height:.0}\" role=\"img\" aria-label=\"{label}\">\n\
         <rect width=\"100%\" height=\"100%\" rx=\"8\" fill=\"{BACKGROUND}\"/>\n\
         <g font-family=\"{FONTS}\" font-size=\"{FONT_SIZE}\" style=\"white-space:pre\">\n{content}</g>\n</svg>\n"
    )
}

fn cells(screen: &Screen) -> String {
    let (rows, columns) = screen.size();
    let mut svg = String::new();
    let top = |y: u16| MARGIN + f64::from(y) * HEIGHT;
    for y in 0..rows.get() {
        Row { svg: &mut svg, top: top(y) }.backgrounds(screen, y, columns.get());
    }
    for y in 0..rows.get() {
        Row { svg: &mut svg, top: top(y) }.texts(screen, y, columns.get());
    }
    svg
}

struct Row<'a> {
    svg: &'a mut String,
    top: f64,
}

impl Row<'_> {
    fn backgrounds(&mut self, screen: &Screen, y: u16, columns: u16) {
        let mut x = 0;
        while x < columns {
            let colour = screen.cell(y, x).and_then(background);
            let end = (x..columns).find(|x| screen.cell(y, *x).and_then(background) != colour).unwrap_or(columns);
            if let Some(colour) = colour {
                self.ground((x, end), (0.0, 1.0), &colour);
            }
            x = end;
        }
    }

    fn texts(&mut self, screen: &Screen, y: u16, columns: u16) {
        let mut x = 0;
        while x < columns {
            let Some(cell) = screen.cell(y, x).filter(|cell| !cell.contents().trim().is_empty()) else {
                x += 1;
                continue;
            };
            let style = style(cell);
            if let Some(half) = half(cell.contents()) {
                let is_same =
                    |other: &Cell| other.contents() == cell.contents() && foreground(other) == foreground(cell);
                let end = (x..columns).find(|x| !screen.cell(y, *x).is_some_and(is_same)).unwrap_or(columns);
                self.ground((x, end), half, &foreground(cell));
                x = end;
            } else if let Some(arms) = arms(cell.contents()) {
                self.frame(x, arms, cell);
                x += 1;
            } else if cell.contents().is_ascii() {
                let is_same = |cell: &Cell| {
                    let text = cell.contents();
                    !text.trim().is_empty() && text.is_ascii() && self::style(cell) == style
                };
                let end = (x..columns).find(|x| !screen.cell(y, *x).is_some_and(is_same)).unwrap_or(columns);
                let word: String = (x..end).filter_map(|x| screen.cell(y, x)).map(Cell::contents).collect();
                self.word(x, end - x, &word, &style);
                x = end;
            } else {
                let cells = if cell.is_wide() { 2 } else { 1 };
                self.letter(x, cells, cell.contents(), &style);
                x += cells;
            }
        }
    }

    /// Fills cells between two columns, and between two shares of their height.
    fn ground(&mut self, (x, end): (u16, u16), (from, to): (f64, f64), colour: &str) {
        // A little more than the cells, or hairlines show between them.
        let (left, width) = (left(x), f64::from(end - x) * WIDTH + 0.3);
        let (top, height) = (self.top + from * HEIGHT, (to - from) * HEIGHT + 0.3);
        self.push(format_args!(
            "<rect x=\"{left:.1}\" y=\"{top:.1}\" width=\"{width:.1}\" height=\"{height:.1}\" fill=\"{colour}\" shape-rendering=\"crispEdges\"/>\n"
        ));
    }

    fn word(&mut self, x: u16, cells: u16, word: &str, style: &str) {
        let (left, baseline, width, word) = (left(x), self.top + BASELINE, f64::from(cells) * WIDTH, escape(word));
        self.push(format_args!(
            "<text x=\"{left:.1}\" y=\"{baseline:.1}\" textLength=\"{width:.1}\"{style}>{word}</text>\n"
        ));
    }

    fn letter(&mut self, x: u16, cells: u16, letter: &str, style: &str) {
        let (middle, baseline) = (left(x) + f64::from(cells) * WIDTH / 2.0, self.top + BASELINE);
        let letter = escape(letter);
        self.push(format_args!(
            "<text x=\"{middle:.1}\" y=\"{baseline:.1}\" text-anchor=\"middle\"{style}>{letter}</text>\n"
        ));
    }

    fn frame(&mut self, x: u16, arms: Arms, cell: &Cell) {
        let (colour, opacity) = (foreground(cell), if cell.dim() { DIM } else { 1.0 });
        let (left, top) = (left(x), self.top);
        let (middle_x, middle_y) = (left + WIDTH / 2.0, top + HEIGHT / 2.0);
        let ends = [(left, middle_y), (left + WIDTH, middle_y), (middle_x, top), (middle_x, top + HEIGHT)];
        for (weight, (end_x, end_y)) in arms.into_iter().zip(ends).filter(|(weight, _)| *weight > 0) {
            self.push(format_args!(
                "<path d=\"M{middle_x:.1} {middle_y:.1}L{end_x:.1} {end_y:.1}\" stroke=\"{colour}\" stroke-opacity=\"{opacity}\" stroke-width=\"{weight}\"/>\n"
            ));
        }
    }

    fn push(&mut self, text: std::fmt::Arguments<'_>) {
        push(self.svg, text);
    }
}

/// Which share of a cell's height a block fills.
fn half(text: &str) -> Option<(f64, f64)> {
    match text {
        "▀" => Some((0.0, 0.5)),
        "▄" => Some((0.5, 1.0)),
        "█" => Some((0.0, 1.0)),
        _ => None,
    }
}

/// How strong a frame's lines are to the left, right, top and bottom.
type Arms = [u8; 4];

fn arms(text: &str) -> Option<Arms> {
    Some(match text {
        "─" => [1, 1, 0, 0],
        "━" => [2, 2, 0, 0],
        "│" => [0, 0, 1, 1],
        "┌" | "╭" => [0, 1, 0, 1],
        "┐" | "╮" => [1, 0, 0, 1],
        "└" | "╰" => [0, 1, 1, 0],
        "┘" | "╯" => [1, 0, 1, 0],
        "├" => [0, 1, 1, 1],
        "┤" => [1, 0, 1, 1],
        "┬" => [1, 1, 0, 1],
        "┴" => [1, 1, 1, 0],
        "┼" => [1, 1, 1, 1],
        _ => return None,
    })
}

fn left(x: u16) -> f64 {
    MARGIN + f64::from(x) * WIDTH
}

fn style(cell: &Cell) -> String {
    let mut style = format!(" fill=\"{}\"", foreground(cell));
    if cell.bold() {
        style.push_str(" font-weight=\"bold\"");
    }
    if cell.dim() {
        push(&mut style, format_args!(" opacity=\"{DIM}\""));
    }
    if cell.italic() {
        style.push_str(" font-style=\"italic\"");
    }
    if cell.underline() {
        style.push_str(" text-decoration=\"underline\"");
    }
    style
}

fn foreground(cell: &Cell) -> String {
    if cell.inverse() { colour(cell.bgcolor(), BACKGROUND) } else { colour(cell.fgcolor(), FOREGROUND) }
}

/// `None` if it is the terminal's own.
fn background(cell: &Cell) -> Option<String> {
    if cell.inverse() {
        Some(colour(cell.fgcolor(), FOREGROUND))
    } else {
        (cell.bgcolor() != Color::Default).then(|| colour(cell.bgcolor(), BACKGROUND))
    }
}

fn colour(colour: Color, own: &str) -> String {
    match colour {
        Color::Default => own.into(),
        Color::Rgb(red, green, blue) => format!("#{red:02x}{green:02x}{blue:02x}"),
        Color::Idx(index @ 0..16) => COLOURS[usize::from(index)].into(),
        Color::Idx(index @ 16..232) => {
            // A cube of six steps a side, the first of which is a large one.
            let step = |place: u8| match (index - 16) / place % 6 {
                0 => 0,
                step => 55 + 40 * step,
            };
            format!("#{:02x}{:02x}{:02x}", step(36), step(6), step(1))
        }
        Color::Idx(index) => {
            let grey = 8 + 10 * (index - 232);
            format!("#{grey:02x}{grey:02x}{grey:02x}")
        }
    }
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

fn push(svg: &mut String, text: std::fmt::Arguments<'_>) {
    // Writing to a String cannot fail.
    let _ = svg.write_fmt(text);
}
