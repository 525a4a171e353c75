//! How much of something is done or used up.

use ratatui::text::Span;

use crate::tui::theme::{Theme, Tone};

/// A gauge of so many columns. `part` from 0 to 1; whatever is more than nothing and less than all is seen to be so.
#[must_use]
pub fn gauge(theme: &Theme, part: f64, columns: u16, tone: Tone) -> Vec<Span<'static>> {
    let [full, rest] = theme.glyphs().gauge;
    let filled = usize::from(filled(part, columns));
    vec![
        Span::styled(full.repeat(filled), theme.style(tone)),
        Span::styled(rest.repeat(usize::from(columns).saturating_sub(filled)), theme.style(Tone::Rule)),
    ]
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
    use super::filled;

    #[test]
    fn neither_empty_nor_full_too_soon() {
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
    }
}
