//! A mail laid out in cells, in as many of its colours as the terminal has.
//!
//! Without colours what stands out by its ground, such as a button, is reversed; without Unicode frames and half blocks
//! become what ASCII has for them.

use std::collections::BTreeMap;

use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};
use unicode_segmentation::UnicodeSegmentation as _;

use super::canvas::{Canvas, row};
use crate::preview::cell_layout::{CellLayout, Kind, Paint, Rgb, Run};
use crate::text::width;
use crate::tui::theme::colour_depth::between;
use crate::tui::theme::{ColourDepth, Theme};

/// What of a mail is in sight.
#[derive(Clone, Copy, Debug)]
pub struct Sight {
    /// Rows above.
    pub top: usize,
    /// Columns to the left.
    pub left: u16,
    /// Whether it is an older one, shown for want of a new one.
    pub faded: bool,
}

/// How much of its contrast a faded mail loses, of 255.
const FADED: u8 = 120;

/// A ground that stands out so much is seen without colours too.
const STANDS_OUT: f64 = 2.5;

/// Draws what is in sight, in a window of the mail's columns; returns the rows it took.
pub fn draw(canvas: &mut Canvas<'_>, area: Rect, laid: &CellLayout, sight: Sight) -> u16 {
    let columns = laid.columns.max(laid.needed).saturating_sub(sight.left);
    let area = Rect { width: area.width.min(columns), ..area };
    let base = ground_of(laid).unwrap_or(laid.background);
    let empty = style(canvas.theme, (laid.background, laid.background), Modifier::empty(), sight.faded);
    let mut used = 0;
    for (n, line) in (0..area.height).zip(laid.rows.iter().skip(sight.top)) {
        let place = row(area, n);
        canvas.fill(place, empty);
        for run in &line.runs {
            draw_run(canvas, place, run, sight, base);
        }
        used = n + 1;
    }
    used
}

fn draw_run(canvas: &mut Canvas<'_>, area: Rect, run: &Run, sight: Sight, base: Rgb) {
    let theme = canvas.theme;
    let paint = run.paint;
    let mut column = run.column;
    for grapheme in run.text.graphemes(true) {
        let wide = u16::try_from(width(grapheme)).unwrap_or(1);
        let at = column;
        column = column.saturating_add(wide);
        if wide == 0 || column <= sight.left {
            continue;
        }
        if at - sight.left.min(at) >= area.width {
            break;
        }
        // Half of a wide character that is cut at the left is a blank.
        let (x, symbol) = if at < sight.left { (0, " ") } else { (at - sight.left, grapheme) };
        let mut pair = (paint.text, paint.background);
        let mut symbol = symbol;
        if symbol == HALF && (theme.colour_depth() == ColourDepth::None || !theme.is_unicode()) {
            (symbol, pair) = half(theme, &paint, base);
        } else if !theme.is_unicode() && !symbol.is_ascii() {
            symbol = ascii(symbol);
        }
        let style = style(theme, pair, modifiers(theme, &paint, pair.1, base), sight.faded);
        canvas.cell(Rect { x: area.x + x, width: area.width - x, ..area }, symbol, style);
    }
}

fn style(theme: &Theme, (text, ground): (Rgb, Rgb), modifiers: Modifier, faded: bool) -> Style {
    if faded {
        let (text, ground) = theme.colour_depth().pair(between(text, ground, FADED), ground);
        let dim = if theme.colour_depth() > ColourDepth::Sixteen { Modifier::empty() } else { Modifier::DIM };
        return Style::reset().fg(text).bg(ground).add_modifier(modifiers | dim);
    }
    let (text, ground) = theme.colour_depth().pair(text, ground);
    Style::reset().fg(text).bg(ground).add_modifier(modifiers)
}

fn modifiers(theme: &Theme, paint: &Paint, ground: Rgb, base: Rgb) -> Modifier {
    let stands_out = theme.colour_depth() == ColourDepth::None && stands_out(ground, base);
    let heading = paint.kind == Kind::Text && paint.size > 20;
    [
        (Modifier::BOLD, paint.bold || heading),
        (Modifier::ITALIC, paint.italic),
        (Modifier::UNDERLINED, paint.underline),
        (Modifier::CROSSED_OUT, paint.strike),
        (Modifier::REVERSED, stands_out),
    ]
    .into_iter()
    .filter(|(_, is_so)| *is_so)
    .fold(Modifier::empty(), |all, (one, _)| all | one)
}

/// What stands for a half block where it cannot be drawn as it is: the upper half has the text's colour, the lower one
/// the ground's.
fn half(theme: &Theme, paint: &Paint, base: Rgb) -> (&'static str, (Rgb, Rgb)) {
    if theme.colour_depth() > ColourDepth::None || !theme.is_unicode() {
        // What is half of a button is all of it.
        return (" ", (paint.text, paint.text));
    }
    match (stands_out(paint.text, base), stands_out(paint.background, base)) {
        (true, false) => ("▀", (base, base)),
        (false, true) => ("▄", (base, base)),
        _ => (" ", (paint.text, paint.background)),
    }
}

fn stands_out(ground: Rgb, base: Rgb) -> bool {
    ground.contrast(base) >= STANDS_OUT
}

/// The ground that most of a mail's text stands on.
fn ground_of(laid: &CellLayout) -> Option<Rgb> {
    let mut grounds: BTreeMap<[u8; 3], usize> = BTreeMap::new();
    for run in laid.rows.iter().flat_map(|row| &row.runs).filter(|run| run.paint.kind == Kind::Text) {
        let Rgb(red, green, blue) = run.paint.background;
        *grounds.entry([red, green, blue]).or_default() += run.text.chars().filter(|c| c.is_alphanumeric()).count();
    }
    grounds.into_iter().max_by_key(|(_, count)| *count).map(|([red, green, blue], _)| Rgb(red, green, blue))
}

/// A cell whose halves differ.
const HALF: &str = "▀";

/// What ASCII has for a mark of the layout; letters of other scripts stay.
fn ascii(symbol: &str) -> &str {
    match symbol {
        "─" | "━" | "┄" | "┈" | "╌" | "═" | "╴" | "╶" | "▔" | "▁" | "–" | "—" => "-",
        "│" | "┃" | "┆" | "║" | "▏" | "▕" => "|",
        "┌" | "┐" | "└" | "┘" | "├" | "┤" | "┬" | "┴" | "┼" | "╭" | "╮" | "╯" | "╰" | "╔" | "╗" | "╚" | "╝" => {
            "+"
        }
        "•" | "◦" | "▪" | "●" | "○" | "■" => "*",
        "▄" | "█" | "▌" | "▐" | "▣" | "▢" | "□" | "▒" | "░" | "▓" => "#",
        "…" => ".",
        "“" | "”" => "\"",
        "‘" | "’" => "'",
        "\u{a0}" => " ",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::preview::cell_layout::Row;
    use ratatui::buffer::Buffer;
    use ratatui::style::Color;

    const INK: Rgb = Rgb(28, 36, 48);
    const BLUE: Rgb = Rgb(29, 95, 196);

    fn paint(text: Rgb, background: Rgb) -> Paint {
        Paint::plain(text, background, Kind::Text)
    }

    fn mail() -> CellLayout {
        let run = |column, text: &str, paint| Run { column, text: text.into(), paint };
        let rows = vec![
            Row { runs: vec![run(1, "한글 text…", paint(INK, Rgb::WHITE))] },
            Row { runs: vec![run(2, "▀▀▀▀", paint(Rgb::WHITE, BLUE))] },
            Row { runs: vec![run(2, " Go ", paint(Rgb::WHITE, BLUE))] },
        ];
        CellLayout { columns: 14, needed: 14, rows, ..CellLayout::default() }
    }

    fn drawn(theme: &Theme, left: u16, top: usize) -> Buffer {
        let area = Rect::new(0, 0, 10, 3);
        let mut buffer = Buffer::empty(area);
        let sight = Sight { top, left, faded: false };
        draw(&mut Canvas::new(&mut buffer, theme), area, &mail(), sight);
        buffer
    }

    fn texts(buffer: &Buffer) -> Vec<String> {
        crate::tui::tests::picture::text(buffer).lines().map(ToOwned::to_owned).collect()
    }

    #[test]
    fn shows_what_is_in_sight() {
        let theme = Theme::new(ColourDepth::True, true);
        assert_eq!(texts(&drawn(&theme, 0, 0)), [" 한글 text", "  ▀▀▀▀", "   Go"]);
        // Two columns on, the first character is cut in half.
        assert_eq!(texts(&drawn(&theme, 2, 0)), [" 글 text…", "▀▀▀▀", " Go"]);
        assert_eq!(texts(&drawn(&theme, 0, 2)), ["   Go", "", ""]);
        assert_eq!(texts(&drawn(&theme, 40, 9)), ["", "", ""]);
    }

    #[test]
    fn has_the_colours_that_there_are() {
        let buffer = drawn(&Theme::new(ColourDepth::True, true), 0, 0);
        assert_eq!((buffer[(3, 2)].fg, buffer[(3, 2)].bg), (Color::Rgb(255, 255, 255), Color::Rgb(29, 95, 196)));
        assert_eq!(buffer[(0, 0)].bg, Color::Rgb(255, 255, 255), "the window shows where nothing stands");
        let buffer = drawn(&Theme::new(ColourDepth::Sixteen, true), 0, 0);
        assert_eq!((buffer[(3, 2)].fg, buffer[(3, 2)].bg), (Color::White, Color::Blue));
    }

    #[test]
    fn without_colours_a_button_is_reversed_and_without_unicode_whole() {
        let buffer = drawn(&Theme::new(ColourDepth::None, true), 0, 0);
        assert_eq!(texts(&buffer), [" 한글 text", "  ▄▄▄▄", "   Go"]);
        let is_reversed = |x, y| buffer[(x, y)].modifier.contains(Modifier::REVERSED);
        assert!(is_reversed(3, 2) && !is_reversed(3, 1) && !is_reversed(1, 2));
        let buffer = drawn(&Theme::new(ColourDepth::None, false), 0, 0);
        assert_eq!(texts(&buffer), [" 한글 text", "", "   Go"]);
        assert!(!buffer[(1, 0)].modifier.contains(Modifier::REVERSED));
        assert!(buffer.content().iter().all(|cell| cell.fg == Color::Reset && cell.bg == Color::Reset));
    }
}
