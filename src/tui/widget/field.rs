//! A line of text being typed.

use std::ops::Range;

use ratatui::layout::{Position, Rect};
use ratatui::style::Modifier;

use super::canvas::Canvas;
use crate::text::width;
use crate::tui::model::field::Field;
use crate::tui::theme::Tone;

/// Draws the text so that its cursor is in sight; returns where the cursor is.
pub fn draw(canvas: &mut Canvas<'_>, area: Rect, field: &Field) -> Option<Position> {
    draw_marked(canvas, area, field, None)
}

/// The same; a part of it, in bytes, is wrong.
pub fn draw_marked(
    canvas: &mut Canvas<'_>,
    area: Rect,
    field: &Field,
    wrong: Option<&Range<usize>>,
) -> Option<Position> {
    let area = canvas.clip(area);
    if area.is_empty() {
        return None;
    }
    let before = width(field.before_cursor());
    let room = usize::from(area.width).saturating_sub(1);
    // Whole characters scroll out on the left until the cursor fits.
    let mut text = field.text();
    let mut hidden = 0;
    while before - hidden > room {
        let Some(first) = text.chars().next() else { break };
        hidden += width(first.encode_utf8(&mut [0; 4])).min(before - hidden);
        text = &text[first.len_utf8()..];
    }
    let style = canvas.style(Tone::Text);
    canvas.text(area, text, style);
    if let Some(wrong) = wrong {
        let scrolled = field.text().len() - text.len();
        let part = wrong.start.saturating_sub(scrolled)..wrong.end.saturating_sub(scrolled);
        let before = u16::try_from(text.get(..part.start).map_or(0, width)).unwrap_or(u16::MAX);
        if let Some(word) = text.get(part).filter(|word| !word.is_empty() && before < area.width) {
            let style = canvas.style(Tone::Bad).add_modifier(Modifier::UNDERLINED);
            canvas.text(Rect { x: area.x + before, width: area.width - before, ..area }, word, style);
        }
    }
    let column = u16::try_from(before - hidden).unwrap_or(0).min(area.width - 1);
    Some(Position::new(area.x + column, area.y))
}
