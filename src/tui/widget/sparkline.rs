//! Bars beside each other: in a row, a column each, or in several.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::symbols::bar;
use ratatui::text::Line;
use ratatui::widgets::{Bar, BarChart, Sparkline, Widget as _};

use super::rendered;
use crate::tui::theme::{Theme, Tone};

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
    sparkline_of(theme, counts, 0)
}

/// The same as a part of what is the most in several such rows, so that one can be compared with the other.
#[must_use]
pub fn sparkline_of(theme: &Theme, counts: &[i64], most: i64) -> String {
    let highest = highest(counts).max(most.max(0).unsigned_abs());
    let width = u16::try_from(counts.len()).unwrap_or(u16::MAX);
    let area = Rect::new(0, 0, width, 1);
    let mut buffer = Buffer::empty(area);
    let heights = heights(counts, highest, 1);
    Sparkline::default().data(heights).max(highest).bar_set(set(theme)).render(area, &mut buffer);
    (0..width).map(|x| buffer[(x, 0)].symbol().to_owned()).collect()
}

/// The same in several rows, each bar in so many columns with a gap behind it.
#[must_use]
pub fn bars(theme: &Theme, counts: &[i64], (wide, gap): (u16, u16), rows: u16, tone: Tone) -> Vec<Line<'static>> {
    let highest = highest(counts);
    let data: Vec<Bar<'_>> = heights(counts, highest, rows).map(|value| Bar::new(value).text_value("")).collect();
    let columns = u16::try_from(counts.len()).unwrap_or(u16::MAX).saturating_mul(wide + gap);
    let chart = BarChart::vertical(data)
        .max(highest)
        .bar_set(set(theme))
        .bar_width(wide)
        .bar_gap(gap)
        .bar_style(theme.style(tone));
    rendered::lines(chart, columns, rows)
}

fn set(theme: &Theme) -> bar::Set<'static> {
    if theme.is_unicode() { bar::NINE_LEVELS } else { ASCII }
}

fn highest(counts: &[i64]) -> u64 {
    counts.iter().copied().max().unwrap_or_default().max(1).unsigned_abs()
}

/// Of what is more than nothing, as much as is seen: a bar is cut to whole eighths of a row.
fn heights(counts: &[i64], highest: u64, rows: u16) -> impl Iterator<Item = u64> {
    let least = highest.div_ceil(8 * u64::from(rows.max(1)));
    counts.iter().map(move |count| match count.unsigned_abs() {
        _ if *count <= 0 => 0,
        count => count.max(least),
    })
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

    #[test]
    fn rows_can_be_compared() {
        let ascii = Theme::new(ColourDepth::None, false);
        assert_eq!(sparkline_of(&ascii, &[1, 0, 8], 16), ". =");
        assert_eq!(sparkline_of(&ascii, &[1, 0, 8], -1), sparkline(&ascii, &[1, 0, 8]));
    }

    #[test]
    fn bars_are_as_high_as_there_are_rows() {
        let ascii = Theme::new(ColourDepth::None, false);
        let shown = |counts: &[i64], size, rows| -> Vec<String> {
            bars(&ascii, counts, size, rows, Tone::Good)
                .iter()
                .map(|line| line.to_string().trim_end().to_owned())
                .collect()
        };
        assert_eq!(shown(&[8, 16, 0, 1], (2, 1), 2), ["   ##", "## ##    .."]);
        assert_eq!(shown(&[0, 0], (1, 0), 2), ["", ""]);
        assert_eq!(shown(&[3, 100_000], (1, 0), 1), [".#"]);
        assert_eq!(shown(&[], (1, 0), 1), [""]);
    }
}
