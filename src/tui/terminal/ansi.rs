//! Cells as bytes for a terminal.
//!
//! Not ratatui's backend, for four reasons found in its bytes: crossterm 0.29 answers `NO_COLOR` with a bare `CSI m`
//! for each colour, which takes bold and reverse away, so that the selected row vanishes; it writes the 16 colours as
//! `38;5;n`, which terminals with no more than 16 do not know; every frame ends in an underline colour's reset
//! (`CSI 59 m`), which old terminals do not know either; and a frame without any change is still 25 bytes.

use std::fmt::Write as _;

use ratatui::buffer::{Buffer, Cell, CellWidth as _};
use ratatui::layout::Position;
use ratatui::style::{Color, Modifier};

use super::agreed::{is_agreed, reach};

/// What a style switches on, in the order of their numbers.
const MODIFIERS: [(Modifier, u8); 8] = [
    (Modifier::BOLD, 1),
    (Modifier::DIM, 2),
    (Modifier::ITALIC, 3),
    (Modifier::UNDERLINED, 4),
    (Modifier::SLOW_BLINK, 5),
    (Modifier::RAPID_BLINK, 6),
    (Modifier::REVERSED, 7),
    (Modifier::CROSSED_OUT, 9),
];

/// How a cell is drawn.
type Style = (Color, Color, Modifier);

/// What is seen of a style where nothing is written.
const SEEN_ON_BLANK: Modifier = Modifier::UNDERLINED
    .union(Modifier::SLOW_BLINK)
    .union(Modifier::RAPID_BLINK)
    .union(Modifier::REVERSED)
    .union(Modifier::CROSSED_OUT);

const PLAIN: Style = (Color::Reset, Color::Reset, Modifier::empty());

/// Writes cells at their places, none of them doubtful. Begins and ends in the terminal's own style.
pub fn write_cells<'a>(out: &mut String, cells: impl Iterator<Item = (u16, u16, &'a Cell)>) {
    let mut style = PLAIN;
    // Only a cell one to the right needs no move: the place is set again after a wide character.
    let mut next = None;
    for (x, y, cell) in cells {
        if next != Some((x, y)) {
            move_to(out, x, y);
        }
        next = x.checked_add(1).map(|x| (x, y));
        let wanted = (cell.fg, cell.bg, cell.modifier);
        if wanted != style {
            write_style(out, wanted);
            style = wanted;
        }
        write_symbol(out, cell.symbol());
    }
    if style != PLAIN {
        write_style(out, PLAIN);
    }
}

/// Writes a whole row, onto which `is_empty` says that nothing was written since it was cleared. For rows with something
/// doubtful in them, now or before: what the terminal made of that is not known, but that it kept to its row.
///
/// From left to right: whatever something doubtful was drawn over is written after it, blanks too. What comes out does
/// not depend on what the row showed before, so that it is what a redrawn terminal shows.
pub fn write_row(out: &mut String, buffer: &Buffer, y: u16, is_empty: bool) {
    let width = buffer.area.width;
    if !is_empty {
        move_to(out, 0, y);
        out.push_str("\u{1b}[2K");
    }
    let mut style = PLAIN;
    let mut next = None;
    // Up to here something doubtful may have been drawn.
    let mut reached = 0;
    let mut x = 0;
    while x < width {
        let cell = &buffer[(x, y)];
        let wide = cell.cell_width().clamp(1, width - x);
        let wanted = (cell.fg, cell.bg, cell.modifier);
        let is_blank = cell.symbol() == " " && !is_seen_on_blank(cell);
        if is_blank && x >= reached {
            x += wide;
            continue;
        }
        if next != Some(x) {
            move_to(out, x, y);
        }
        // The foreground of a blank is not seen.
        let wanted = if is_blank { PLAIN } else { wanted };
        if wanted != style {
            write_style(out, wanted);
            style = wanted;
        }
        next = (wide == 1).then_some(x + 1);
        if is_agreed(cell.symbol()) {
            write_symbol(out, cell.symbol());
        } else if width - x < reach(cell.symbol()) {
            // At the end of a row it might run over into the next, or scroll the screen.
            out.extend(std::iter::once('?').chain(std::iter::repeat_n(' ', usize::from(wide) - 1)));
            next = Some(x + wide);
        } else {
            // Where it is drawn narrower, the rest of its cells has its style all the same.
            if wanted != PLAIN {
                out.extend(std::iter::repeat_n(' ', usize::from(wide)));
                move_to(out, x, y);
            }
            write_symbol(out, cell.symbol());
            reached = reached.max(x + reach(cell.symbol()));
            next = None;
        }
        x += wide;
    }
    if style != PLAIN {
        write_style(out, PLAIN);
    }
}

/// Whether a cell's style is seen where nothing is written.
pub fn is_seen_on_blank(cell: &Cell) -> bool {
    cell.bg != Color::Reset || cell.modifier.intersects(SEEN_ON_BLANK)
}

/// Whatever a screen did wrong, no control character leaves as part of a cell.
fn write_symbol(out: &mut String, symbol: &str) {
    if symbol.chars().any(char::is_control) {
        out.push('?');
    } else {
        out.push_str(symbol);
    }
}

/// Shows the cursor there.
pub fn show_cursor(out: &mut String, at: Position) {
    move_to(out, at.x, at.y);
    out.push_str("\u{1b}[?25h");
}

fn move_to(out: &mut String, x: u16, y: u16) {
    push(out, format_args!("\u{1b}[{};{}H", u32::from(y) + 1, u32::from(x) + 1));
}

/// One sequence, from nothing: what was switched on before does not matter.
fn write_style(out: &mut String, (foreground, background, modifiers): Style) {
    out.push_str("\u{1b}[0");
    for (modifier, number) in MODIFIERS {
        if modifiers.contains(modifier) {
            push(out, format_args!(";{number}"));
        }
    }
    write_colour(out, foreground, 30);
    write_colour(out, background, 40);
    out.push('m');
}

/// `base` is 30 for the foreground, 40 for the background.
fn write_colour(out: &mut String, colour: Color, base: u8) {
    let named = match colour {
        Color::Reset => return,
        Color::Black => 0,
        Color::Red => 1,
        Color::Green => 2,
        Color::Yellow => 3,
        Color::Blue => 4,
        Color::Magenta => 5,
        Color::Cyan => 6,
        Color::Gray => 7,
        Color::DarkGray => 60,
        Color::LightRed => 61,
        Color::LightGreen => 62,
        Color::LightYellow => 63,
        Color::LightBlue => 64,
        Color::LightMagenta => 65,
        Color::LightCyan => 66,
        Color::White => 67,
        Color::Indexed(index) => return push(out, format_args!(";{};5;{index}", base + 8)),
        Color::Rgb(red, green, blue) => return push(out, format_args!(";{};2;{red};{green};{blue}", base + 8)),
    };
    push(out, format_args!(";{}", base + named));
}

fn push(out: &mut String, text: std::fmt::Arguments<'_>) {
    // Writing to a String cannot fail.
    let _ = out.write_fmt(text);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(cells: &[(u16, u16, Cell)]) -> String {
        let mut out = String::new();
        write_cells(&mut out, cells.iter().map(|(x, y, cell)| (*x, *y, cell)));
        out
    }

    fn cell(symbol: &str, style: ratatui::style::Style) -> Cell {
        let mut cell = Cell::EMPTY;
        cell.set_symbol(symbol).set_style(style);
        cell
    }

    #[test]
    fn neighbours_share_move_and_style() {
        let bold = ratatui::style::Style::new().bold().fg(Color::Red);
        let cells = [(2, 1, cell("a", bold)), (3, 1, cell("b", bold)), (9, 1, cell("c", ratatui::style::Style::new()))];
        assert_eq!(written(&cells), "\u{1b}[2;3H\u{1b}[0;1;31mab\u{1b}[2;10H\u{1b}[0mc");
        assert_eq!(written(&cells[..1]), "\u{1b}[2;3H\u{1b}[0;1;31ma\u{1b}[0m");
    }

    #[test]
    fn the_sixteen_colours_are_written_as_such() {
        let table = [
            (Color::Gray, Color::Reset, "37"),
            (Color::DarkGray, Color::White, "90;107"),
            (Color::LightCyan, Color::Black, "96;40"),
            (Color::Indexed(208), Color::Indexed(16), "38;5;208;48;5;16"),
            (Color::Rgb(1, 2, 3), Color::Reset, "38;2;1;2;3"),
        ];
        for (foreground, background, numbers) in table {
            let style = ratatui::style::Style::new().fg(foreground).bg(background);
            assert_eq!(written(&[(0, 0, cell("x", style))]), format!("\u{1b}[1;1H\u{1b}[0;{numbers}mx\u{1b}[0m"));
        }
    }

    #[test]
    fn a_control_character_in_a_cell_does_not_get_out() {
        for symbol in ["\u{1b}[2J", "\u{7}", "\u{9b}31m", "a\n"] {
            assert_eq!(written(&[(0, 0, cell(symbol, ratatui::style::Style::new()))]), "\u{1b}[1;1H?");
        }
    }
}
