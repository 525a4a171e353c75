//! What a widget of ratatui's draws, as lines.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Widget;

/// Draws a widget in so many columns and rows.
#[must_use]
pub fn lines(widget: impl Widget, columns: u16, rows: u16) -> Vec<Line<'static>> {
    let area = Rect::new(0, 0, columns, rows);
    let mut buffer = Buffer::empty(area);
    widget.render(area, &mut buffer);
    (0..rows).map(|y| line(&buffer, Rect { y, height: 1, ..area })).collect()
}

/// The first row of an area of a buffer, a span for all that has one style.
#[must_use]
pub fn line(buffer: &Buffer, area: Rect) -> Line<'static> {
    let area = area.intersection(buffer.area);
    let mut spans: Vec<Span<'static>> = Vec::new();
    for x in (area.left()..area.right()).filter(|_| area.height > 0) {
        let cell = &buffer[(x, area.y)];
        match spans.last_mut() {
            Some(span) if span.style == cell.style() => span.content.to_mut().push_str(cell.symbol()),
            _ => spans.push(Span::styled(cell.symbol().to_owned(), cell.style())),
        }
    }
    Line::from(spans)
}
