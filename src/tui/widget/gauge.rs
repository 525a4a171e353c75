//! How much of something is done or used up.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::{LineGauge, Widget as _};

use super::rendered;
use crate::text::width;
use crate::tui::theme::{Theme, Tone};

/// A gauge of so many columns. `part` from 0 to 1; whatever is more than nothing and less than all is seen to be so.
#[must_use]
pub fn gauge(theme: &Theme, part: f64, columns: u16, tone: Tone) -> Vec<Span<'static>> {
    let (buffer, area) = drawn(theme, part, columns, tone);
    rendered::line(&buffer, area).spans
}

/// A gauge with marks, each at a part of it, and under it the words for them where there is room for all.
#[must_use]
pub fn marked(theme: &Theme, part: f64, columns: u16, tone: Tone, marks: &[(f64, String)]) -> Vec<Line<'static>> {
    let (mut buffer, area) = drawn(theme, part, columns, tone);
    if area.is_empty() {
        return Vec::new();
    }
    // What reaches a mark has filled its column.
    let places: Vec<u16> = marks.iter().map(|(at, _)| filled(*at, columns).saturating_sub(1)).collect();
    for place in &places {
        let at = (area.x + place, area.y);
        buffer[at].set_symbol(theme.glyphs().vertical).set_style(theme.style(Tone::Strong));
    }
    let mut lines = vec![rendered::line(&buffer, area)];
    lines.extend(words_under(theme, columns, marks, &places));
    lines
}

/// The words for the marks, each to end under its own or as near behind as there is room.
fn words_under(theme: &Theme, columns: u16, marks: &[(f64, String)], places: &[u16]) -> Option<Line<'static>> {
    let mut out = String::new();
    for ((_, words), place) in marks.iter().zip(places) {
        let gap = if out.is_empty() { 0 } else { 2 };
        let start = (usize::from(*place) + 1).saturating_sub(width(words)).max(width(&out) + gap);
        out = format!("{out}{}{words}", " ".repeat(start - width(&out)));
    }
    let has_room = !out.is_empty() && width(&out) <= usize::from(columns);
    has_room.then(|| Line::styled(out, theme.style(Tone::Quiet)))
}

/// The gauge on a buffer, and where.
fn drawn(theme: &Theme, part: f64, columns: u16, tone: Tone) -> (Buffer, Rect) {
    let [full, rest] = theme.glyphs().gauge;
    // The widget leaves a column behind its label, which is empty here.
    let whole = Rect::new(0, 0, columns.saturating_add(1), 1);
    let mut buffer = Buffer::empty(whole);
    // It cuts to whole columns: from the middle of one it is sure to be that one.
    let middle = f64::from(filled(part, columns)) + 0.5;
    let ratio = if middle < 1.0 { 0.0 } else { (middle / f64::from(columns.max(1))).min(1.0) };
    LineGauge::default()
        .label(Line::default())
        .ratio(ratio)
        .filled_symbol(full)
        .unfilled_symbol(rest)
        .filled_style(theme.style(tone))
        .unfilled_style(theme.style(Tone::Rule))
        .render(whole, &mut buffer);
    (buffer, Rect { x: 1, width: columns.min(whole.width - 1), ..whole })
}

fn filled(part: f64, columns: u16) -> u16 {
    let part = if part.is_finite() { part.clamp(0.0, 1.0) } else { 0.0 };
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and the columns")]
    let filled = (part * f64::from(columns)).round() as u16;
    match filled {
        0 if part > 0.0 && columns > 1 => 1,
        all if all == columns && part < 1.0 && columns > 1 => columns - 1,
        some => some,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::ColourDepth;

    #[test]
    fn neither_empty_nor_full_too_soon() {
        let theme = Theme::new(ColourDepth::None, false);
        let table = [
            (0.0, 10, 0),
            (0.001, 10, 1),
            (0.5, 10, 5),
            (0.999, 10, 9),
            (1.0, 10, 10),
            (7.0, 10, 10),
            (-1.0, 10, 0),
            (f64::NAN, 10, 0),
            (0.5, 1, 1),
            (0.4, 1, 0),
            (0.5, 0, 0),
        ];
        for (part, columns, expected) in table {
            assert_eq!(filled(part, columns), expected, "{part} of {columns}");
        }
        for columns in 0..60 {
            for full in 0..=columns {
                let part = f64::from(full) / f64::from(columns.max(1));
                let text = Line::from(gauge(&theme, part, columns, Tone::Good)).to_string();
                let expected = "=".repeat(full.into()) + &"-".repeat((columns - full).into());
                assert_eq!(text, expected, "{part} of {columns}");
            }
        }
    }

    #[test]
    fn marks_stand_where_they_are_reached() {
        let theme = Theme::new(ColourDepth::None, false);
        let shown = |part, columns, marks: &[(f64, &str)]| {
            let marks: Vec<_> = marks.iter().map(|(at, words)| (*at, (*words).to_owned())).collect();
            let lines = marked(&theme, part, columns, Tone::Good, &marks);
            lines.iter().map(|line| line.to_string().trim_end().to_owned()).collect::<Vec<_>>()
        };
        let three = [(0.2, "review 0.1 %"), (0.6, "brake 0.3 %"), (1.0, "pause 0.5 %")];
        assert_eq!(
            shown(0.5, 40, &three),
            ["=======|============---|---------------|", "review 0.1 %  brake 0.3 %    pause 0.5 %"]
        );
        // One is pushed behind the one before it; where that goes over the end, words have no room.
        assert_eq!(shown(0.0, 20, &[(0.4, "a long one"), (0.5, "b")]), ["-------|-|----------", "a long one  b"]);
        assert_eq!(shown(0.0, 10, &three), ["-|---|---|"]);
        assert_eq!(shown(0.0, 0, &three), [""; 0]);
    }
}
