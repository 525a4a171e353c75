//! Frames as bytes: what must be written so that a terminal which shows the last frame shows the next one.
//!
//! Pure but for the buffers it keeps. A frame that changes nothing is no bytes at all; any other is one piece inside a
//! synchronized update (mode 2026), so that it appears at once and takes one `write(2)`. Whether a terminal knows that
//! mode is never asked: those that do not ignore it, and an answer that comes late over SSH would be taken for typing.

use std::collections::BTreeSet;

use ratatui::buffer::{Buffer, Cell, CellWidth as _};
use ratatui::layout::{Position, Rect, Size};

use super::agreed::is_agreed;
use super::ansi;

/// What follows is shown at once, at [`END`].
const BEGIN: &str = "\u{1b}[?2026h";
/// Shows what came since [`BEGIN`].
const END: &str = "\u{1b}[?2026l";
/// The terminal's own style, no cursor, an empty screen.
const CLEAR: &str = "\u{1b}[0m\u{1b}[?25l\u{1b}[2J";
/// No cursor.
const HIDE: &str = "\u{1b}[?25l";

/// Longest side that is drawn on, in cells. Terminals may claim 65,535 × 65,535, for which no memory suffices.
const SIDE_MAX: u16 = 1_000;

/// Room for a whole frame of a large screen, so that the buffer does not grow piecemeal.
const FRAME_BYTES: usize = 64 * 1024;

/// What the terminal shows, and what it is to show next.
#[derive(Debug)]
pub struct Canvas {
    shown: Buffer,
    next: Buffer,
    cursor: Option<Position>,
    /// Nothing is known about what the terminal shows: everything must be sent.
    is_stale: bool,
    bytes: String,
}

impl Canvas {
    /// A canvas for a terminal of that size, whose contents are unknown.
    #[must_use]
    pub fn new(size: Size) -> Self {
        let area = area(size);
        Self {
            shown: Buffer::empty(area),
            next: Buffer::empty(area),
            cursor: None,
            is_stale: true,
            bytes: String::with_capacity(FRAME_BYTES),
        }
    }

    /// The part of the terminal that is drawn on.
    #[must_use]
    pub fn area(&self) -> Rect {
        self.next.area
    }

    /// Takes a new size; the next frame is redrawn, since terminals differ in what they keep.
    pub fn resize(&mut self, size: Size) {
        let area = area(size);
        self.shown.resize(area);
        self.next.resize(area);
        self.is_stale = true;
    }

    /// Makes the next frame redraw everything.
    pub fn forget(&mut self) {
        self.is_stale = true;
    }

    /// Draws a frame and returns the bytes that bring it onto the terminal: none where nothing changed. `draw` gets
    /// an empty buffer, and returns where the cursor is to be shown, if anywhere.
    pub fn frame(&mut self, draw: impl FnOnce(Rect, &mut Buffer) -> Option<Position>) -> &[u8] {
        self.next.reset();
        let area = self.area();
        let cursor = draw(area, &mut self.next).filter(|at| area.contains(*at));
        let was_stale = std::mem::take(&mut self.is_stale);
        if was_stale {
            self.shown.reset();
        }
        let whole = self.whole_rows();
        let mut changes = self.shown.diff_iter(&self.next).filter(|(_, y, _)| !whole.contains(y)).peekable();
        let out = &mut self.bytes;
        out.clear();
        if was_stale || !whole.is_empty() || changes.peek().is_some() || cursor != self.cursor {
            out.push_str(BEGIN);
            if was_stale {
                out.push_str(CLEAR);
            }
            ansi::write_cells(out, changes);
            for y in &whole {
                ansi::write_row(out, &self.next, *y, was_stale);
            }
            match cursor {
                Some(at) => ansi::show_cursor(out, at),
                None if self.cursor.is_some() => out.push_str(HIDE),
                None => {}
            }
            out.push_str(END);
        }
        self.cursor = cursor;
        std::mem::swap(&mut self.shown, &mut self.next);
        self.bytes.as_bytes()
    }

    /// The rows that must be written whole: they change, and have or had something in them whose width terminals do not
    /// agree on; or a wide character is overwritten, perhaps half of it by a style that some terminals extend to the
    /// other half.
    fn whole_rows(&self) -> BTreeSet<u16> {
        let width = usize::from(self.next.area.width).max(1);
        let rows = self.shown.content.chunks(width).zip(self.next.content.chunks(width));
        (0..).zip(rows).filter(|(_, (before, after))| is_whole(before, after)).map(|(y, _)| y).collect()
    }
}

fn is_whole(before: &[Cell], after: &[Cell]) -> bool {
    if before == after {
        return false;
    }
    let is_doubtful = |row: &[Cell]| row.iter().any(|cell| !is_agreed(cell.symbol()));
    let gives_way = |(before, after): (&Cell, &Cell)| before.symbol() != after.symbol() && before.cell_width() > 1;
    is_doubtful(before)
        || is_doubtful(after)
        || (after.iter().any(ansi::is_seen_on_blank) && before.iter().zip(after).any(gives_way))
}

fn area(size: Size) -> Rect {
    Rect::new(0, 0, size.width.min(SIDE_MAX), size.height.min(SIDE_MAX))
}

#[cfg(test)]
mod hostile;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use ratatui::style::{Color, Modifier, Style};
    use std::num::NonZeroU16;

    fn parser(size: Size) -> vt100::Parser {
        let cells = |length| NonZeroU16::new(length).unwrap_or(NonZeroU16::MIN);
        vt100::Parser::new(cells(size.height), cells(size.width), 0)
    }

    fn line(text: &'static str) -> impl FnOnce(Rect, &mut Buffer) -> Option<Position> {
        move |area, buffer| {
            buffer.set_stringn(0, 0, text, usize::from(area.width), Style::new());
            None
        }
    }

    #[test]
    fn a_frame_is_one_synchronized_update_and_an_unchanged_one_nothing() {
        let mut canvas = Canvas::new(Size::new(20, 3));
        let first = String::from_utf8(canvas.frame(line("pending")).to_vec()).unwrap();
        assert!(first.starts_with(BEGIN) && first.ends_with(END), "{first:?}");
        assert_eq!(first.matches(BEGIN).count(), 1);
        assert_eq!(canvas.frame(line("pending")), b"");
        let change = String::from_utf8(canvas.frame(line("pendinG")).to_vec()).unwrap();
        assert!(change.starts_with(BEGIN) && change.ends_with(END) && change.len() < 60, "{change:?}");
    }

    #[test]
    fn the_cursor_is_moved_shown_and_hidden_only_when_it_changes() {
        let mut canvas = Canvas::new(Size::new(20, 3));
        let mut terminal = parser(Size::new(20, 3));
        let at = |x, y| move |_: Rect, _: &mut Buffer| Some(Position::new(x, y));
        terminal.process(canvas.frame(at(3, 1)));
        assert!(!terminal.screen().hide_cursor());
        assert_eq!(terminal.screen().cursor_position(), (1, 3));
        assert_eq!(canvas.frame(at(3, 1)), b"");
        terminal.process(canvas.frame(at(99, 1)));
        assert!(terminal.screen().hide_cursor(), "a cursor outside of the screen is none");
    }

    #[test]
    fn forgetting_and_resizing_redraw_everything() {
        let mut canvas = Canvas::new(Size::new(20, 3));
        canvas.frame(line("pending"));
        canvas.forget();
        let mut terminal = parser(Size::new(20, 3));
        terminal.process("was here before".as_bytes());
        terminal.process(canvas.frame(line("pending")));
        assert_eq!(terminal.screen().contents().trim_end(), "pending");
        canvas.resize(Size::new(4, 1));
        let mut terminal = parser(Size::new(4, 1));
        terminal.process(canvas.frame(line("pending")));
        assert_eq!(terminal.screen().contents().trim_end(), "pend");
        for size in [Size::new(0, 0), Size::new(1, 1), Size::new(0, 9), Size::MAX] {
            canvas.resize(size);
            canvas.frame(line("pending"));
        }
        assert!(canvas.area().width <= SIDE_MAX && canvas.area().height <= SIDE_MAX);
    }

    #[test]
    fn bold_and_reverse_survive_no_colour() {
        let mut canvas = Canvas::new(Size::new(20, 1));
        let mut terminal = parser(Size::new(20, 1));
        let bytes = canvas.frame(|_, buffer| {
            buffer.set_string(0, 0, "a", Style::new().add_modifier(Modifier::BOLD | Modifier::REVERSED));
            buffer.set_string(1, 0, "b", Style::new().fg(Color::Red).add_modifier(Modifier::REVERSED));
            None
        });
        terminal.process(bytes);
        let first = terminal.screen().cell(0, 0).unwrap();
        assert!(first.bold() && first.inverse());
        let second = terminal.screen().cell(0, 1).unwrap();
        assert!(!second.bold() && second.inverse());
        assert_eq!(second.fgcolor(), vt100::Color::Idx(1));
    }

    proptest! {
        /// Whatever the frames before were, the terminal shows the last one.
        #[test]
        fn the_terminal_shows_the_last_frame(frames in prop::collection::vec("[a가 ]{0,30}", 1..6)) {
            let size = Size::new(16, 2);
            let shown = |frames: &[String]| {
                let mut canvas = Canvas::new(size);
                let mut terminal = parser(size);
                for text in frames {
                    let draw = |_, buffer: &mut Buffer| {
                        buffer.set_stringn(0, 0, text, 16, Style::new());
                        None
                    };
                    terminal.process(canvas.frame(draw));
                }
                terminal.screen().rows(0, 16).map(|row| row.trim_end().to_owned()).collect::<Vec<_>>()
            };
            prop_assert_eq!(shown(&frames), shown(&frames[frames.len() - 1..]));
        }
    }
}
