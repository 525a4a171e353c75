//! A row of bars, a column each.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::symbols::bar;
use ratatui::widgets::{Sparkline, Widget as _};

use crate::tui::theme::Theme;

/// Heights where there is nothing but ASCII.
const ASCII: bar::Set<'static> = bar::Set {
    full: "#",
    seven_eighths: "%",
    three_quarters: "*",
    five_eighths: "+",
    half: "=",
    three_eighths: "-",
    one_quarter: ":",
    one_eighth: ".",
    empty: " ",
};

/// The bars, as high as their part of the highest; whatever is more than nothing is seen.
#[must_use]
pub fn sparkline(theme: &Theme, counts: &[i64]) -> String {
    let highest = counts.iter().copied().max().unwrap_or_default().max(1);
    // A bar is cut to whole eighths of the highest.
    let least = highest.unsigned_abs().div_ceil(8);
    let bars = counts.iter().map(|count| match count.unsigned_abs() {
        _ if *count <= 0 => 0,
        count => count.max(least),
    });
    let width = u16::try_from(counts.len()).unwrap_or(u16::MAX);
    let area = Rect::new(0, 0, width, 1);
    let mut buffer = Buffer::empty(area);
    let set = if theme.is_unicode() { bar::NINE_LEVELS } else { ASCII };
    Sparkline::default().data(bars).max(highest.unsigned_abs()).bar_set(set).render(area, &mut buffer);
    (0..width).map(|x| buffer[(x, 0)].symbol().to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::ColourDepth;

    #[test]
    fn what_is_more_than_nothing_is_seen() {
        let unicode = Theme::new(ColourDepth::None, true);
        let ascii = Theme::new(ColourDepth::None, false);
        let table: [(&[i64], &str, &str); 4] = [
            (&[0, 1, 500, 1_000, -3], " ▁▄█ ", " .=# "),
            (&[0, 0], "  ", "  "),
            (&[1, 2, 3, 4, 5, 6, 7, 8], "▁▂▃▄▅▆▇█", ".:-=+*%#"),
            (&[], "", ""),
        ];
        for (counts, bars, plain) in table {
            assert_eq!((sparkline(&unicode, counts).as_str(), sparkline(&ascii, counts).as_str()), (bars, plain));
        }
    }
}
