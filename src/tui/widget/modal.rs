//! What a dialog is drawn on: centred, in one thin box; on a small screen the whole of it, without a box.

use ratatui::layout::Rect;
use ratatui::style::Modifier;
use ratatui::text::Line;

use super::canvas::{Canvas, inset, row};
use crate::tui::theme::Tone;

/// Columns of a text on a screen that would rather have so many.
#[must_use]
pub fn columns(wanted: u16, screen: Rect) -> u16 {
    wanted.min(screen.width.saturating_sub(6)).max(screen.width.saturating_sub(2).min(20))
}

/// Draws an empty dialog for a text of this size; returns where the text goes.
pub fn draw(canvas: &mut Canvas<'_>, screen: Rect, title: &str, columns: u16, rows: u16) -> Rect {
    let screen = canvas.clip(screen);
    canvas.dim(screen);
    let (width, height) = (columns.saturating_add(6), rows.saturating_add(4));
    if screen.width < width || screen.height < height {
        canvas.clear(screen);
        let style = canvas.style(Tone::Here);
        let shown = screen.height > rows.min(3);
        if shown {
            canvas.text(inset(row(screen, 0), 1), title, style);
        }
        let used = u16::from(shown) + u16::from(screen.height > rows.saturating_add(1));
        let below = Rect { y: screen.y + used, height: screen.height - used.min(screen.height), ..screen };
        return inset(below, 1);
    }
    let x = screen.x + (screen.width - width) / 2;
    let y = screen.y + (screen.height - height) / 3;
    let framed = Rect { x, y, width, height };
    if screen.width < width + 8 {
        // Slivers of the list beside the dialog would only be noise.
        canvas.clear(Rect { y, height, ..screen });
    }
    frame(canvas, framed, title);
    Rect { x: x + 3, y: y + 2, width: columns, height: rows }
}

/// Draws lines in a dialog, from the given one on, and how many more there are.
pub fn scrolled(canvas: &mut Canvas<'_>, screen: Rect, title: &str, columns: u16, lines: &[Line<'_>], scroll: usize) {
    let rows = u16::try_from(lines.len()).unwrap_or(u16::MAX);
    let place = draw(canvas, screen, title, columns, rows);
    let most = lines.len().saturating_sub(usize::from(place.height));
    for (n, line) in (0..place.height).zip(lines.iter().skip(scroll.min(most))) {
        canvas.line(row(place, n), line);
    }
    if scroll < most && place.height > 2 {
        let last = row(place, place.height - 1);
        canvas.clear(last);
        let [_, down, ..] = canvas.glyphs().arrows;
        let style = canvas.style(Tone::Quiet);
        canvas.text(last, &format!("{down} {} more", most - scroll + 1), style);
    }
}

/// How far so many lines can be scrolled.
#[must_use]
pub fn most(lines: usize, screen: Rect) -> usize {
    let height = usize::from(screen.height);
    // The title's line, where the dialog is the whole screen; it fits wherever it has a box.
    if height >= lines + 4 { 0 } else { (lines + usize::from(height > lines.min(3))).saturating_sub(height) }
}

/// A cleared box with its title in the upper edge.
fn frame(canvas: &mut Canvas<'_>, area: Rect, title: &str) {
    let glyphs = canvas.glyphs();
    let margin = Rect { x: area.x.saturating_sub(1), width: area.width.saturating_add(2), ..area };
    canvas.clear(margin);
    let bottom = area.height.saturating_sub(1);
    canvas.rule(row(area, 0), glyphs.rule, Tone::Rule);
    canvas.rule(row(area, bottom), glyphs.rule, Tone::Rule);
    let right = area.right().saturating_sub(1);
    canvas.upright(area, glyphs.vertical, Tone::Rule);
    canvas.upright(Rect { x: right, width: 1, ..area }, glyphs.vertical, Tone::Rule);
    let corners = [(area.x, area.y), (right, area.y), (area.x, area.y + bottom), (right, area.y + bottom)];
    for ((x, y), glyph) in corners.into_iter().zip(glyphs.corners) {
        canvas.rule(Rect { x, y, width: 1, height: 1 }, glyph, Tone::Rule);
    }
    let style = canvas.style(Tone::Here).remove_modifier(Modifier::DIM);
    canvas.text(inset(row(area, 0), 2), &format!(" {title} "), style);
}
