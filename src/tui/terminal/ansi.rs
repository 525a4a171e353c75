//! Cells as bytes for a terminal.
//!
//! Not ratatui's backend, for four reasons found in its bytes: crossterm 0.29 answers `NO_COLOR` with a bare `CSI m`
//! for each colour, which takes bold and reverse away, so that the selected row vanishes; it writes the 16 colours as
//! `38;5;n`, which terminals with no more than 16 do not know; every frame ends in an underline colour's reset
//! (`CSI 59 m`), which old terminals do not know either; and a frame without any change is still 25 bytes.

use std::fmt::Write as _;

use ratatui::buffer::Cell;
use ratatui::layout::Position;
use ratatui::style::{Color, Modifier};

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

const PLAIN: Style = (Color::Reset, Color::Reset, Modifier::empty());

/// Writes cells at their places. Begins and ends in the terminal's own style.
pub fn write_cells<'a>(out: &mut String, cells: impl Iterator<Item = (u16, u16, &'a Cell)>) {
    let mut style = PLAIN;
    // Only a cell one to the right needs no move: after a wide character the place is set anew, so that a terminal
    // that counts its width differently spoils no more than its neighbour.
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
        // Whatever a screen did wrong, no control character leaves as part of a cell.
        if cell.symbol().chars().any(char::is_control) {
            out.push(char::REPLACEMENT_CHARACTER);
        } else {
            out.push_str(cell.symbol());
        }
    }
    if style != PLAIN {
        write_style(out, PLAIN);
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
            assert_eq!(written(&[(0, 0, cell(symbol, ratatui::style::Style::new()))]), "\u{1b}[1;1H\u{fffd}");
        }
    }
}
