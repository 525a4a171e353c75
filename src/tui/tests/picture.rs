//! A buffer as text and as a map of its styles.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use ratatui::buffer::{Buffer, CellWidth as _};
use ratatui::layout::Rect;
use ratatui::style::{Color, Modifier};

use crate::tui::{Model, Theme, draw};

/// The model drawn at its size.
pub fn drawn(model: &Model, theme: &Theme) -> Buffer {
    let area = Rect::new(0, 0, model.size.0, model.size.1);
    let mut buffer = Buffer::empty(area);
    draw(model, area, &mut buffer, theme);
    buffer
}

/// Its text, line by line.
pub fn text(buffer: &Buffer) -> String {
    let mut out = String::new();
    for y in buffer.area.top()..buffer.area.bottom() {
        let mut line = String::new();
        let mut x = buffer.area.left();
        while x < buffer.area.right() {
            let cell = &buffer[(x, y)];
            line.push_str(cell.symbol());
            x += cell.cell_width().max(1);
        }
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
}

/// A letter for each style, and what the letters mean. Blank cells are `.`.
fn styles(buffer: &Buffer) -> String {
    let mut letters: BTreeMap<String, char> = BTreeMap::new();
    let mut names = ('a'..='z').chain('A'..='Z');
    let mut out = String::new();
    for y in buffer.area.top()..buffer.area.bottom() {
        let mut line = String::new();
        for x in buffer.area.left()..buffer.area.right() {
            let cell = &buffer[(x, y)];
            let styled = cell.fg != Color::Reset || cell.bg != Color::Reset || cell.modifier != Modifier::empty();
            line.push(match (cell.symbol().trim().is_empty(), styled) {
                (true, _) if cell.bg == Color::Reset && !cell.modifier.contains(Modifier::REVERSED) => ' ',
                (_, false) => '.',
                _ => {
                    let mut name = format!("{}", cell.fg);
                    if cell.bg != Color::Reset {
                        let _ = write!(name, " on {}", cell.bg);
                    }
                    for (flag, _) in cell.modifier.iter_names() {
                        let _ = write!(name, " {}", flag.to_lowercase());
                    }
                    *letters.entry(name).or_insert_with(|| names.next().unwrap())
                }
            });
        }
        out.push_str(line.trim_end());
        out.push('\n');
    }
    for (name, letter) in letters {
        let _ = writeln!(out, "{letter} = {name}");
    }
    out
}

/// Text and styles, for a snapshot.
pub fn picture(model: &Model, theme: &Theme) -> String {
    let buffer = drawn(model, theme);
    let rule = "=".repeat(usize::from(buffer.area.width.max(8)));
    format!("{}{rule}\n{}", text(&buffer), styles(&buffer))
}
