//! Lines of a detail: headings, labelled values, text broken to the width.

use ratatui::style::Style;
use ratatui::text::{Line, Span};

use crate::text::{fit, pad, plain, width};
use crate::tui::theme::{Theme, Tone};
use crate::tui::widget::wrap::wrap;

/// Columns of a label.
const LABEL: usize = 10;

/// Lines being gathered for a width.
pub struct Lines<'a> {
    theme: &'a Theme,
    columns: usize,
    /// Columns of a label.
    label: usize,
    out: Vec<Line<'static>>,
}

impl<'a> Lines<'a> {
    #[must_use]
    pub fn new(theme: &'a Theme, columns: u16) -> Self {
        Self::with_labels(theme, columns, LABEL)
    }

    /// With other labels: of so many columns, the gap behind them among them.
    #[must_use]
    pub fn with_labels(theme: &'a Theme, columns: u16, label: usize) -> Self {
        Self { theme, columns: usize::from(columns).max(1), label, out: Vec::new() }
    }

    #[must_use]
    pub fn finish(self) -> Vec<Line<'static>> {
        self.out
    }

    /// Columns that a value has on one line, behind a label set in that far.
    #[must_use]
    pub fn room(&self, indent: usize) -> usize {
        self.columns.saturating_sub(indent + self.label)
    }

    /// How many lines there are: on which one the next comes.
    #[must_use]
    pub fn count(&self) -> usize {
        self.out.len()
    }

    /// An empty line.
    pub fn gap(&mut self) {
        self.out.push(Line::default());
    }

    /// A heading, with a gap above.
    pub fn heading(&mut self, text: &str) {
        self.gap();
        self.out.push(Line::styled(text.to_owned(), self.theme.style(Tone::Strong)));
    }

    /// Text over as many lines as it needs, set in from the left.
    pub fn under(&mut self, text: &str, tone: Tone) {
        self.indented(text, 2, self.theme.style(tone));
    }

    /// Text over as many lines as it needs.
    pub fn text(&mut self, text: &str, tone: Tone) {
        self.indented(text, 0, self.theme.style(tone));
    }

    /// Text behind a mark, over as many lines as it needs.
    pub fn marked(&mut self, mark: &str, text: &str, tone: Tone) {
        let style = self.theme.style(tone);
        let indent = width(mark) + 1;
        for (n, part) in wrap(plain(text).as_str(), self.columns.saturating_sub(indent).max(1)).into_iter().enumerate()
        {
            let lead = if n == 0 { format!("{mark} ") } else { " ".repeat(indent) };
            self.out.push(Line::from(vec![Span::styled(lead, style), Span::styled(part, style)]));
        }
    }

    /// Pieces on one line, or over as many as they need.
    pub fn pieces(&mut self, pieces: Vec<(String, Tone)>) {
        let whole: String = pieces.iter().map(|(text, _)| text.as_str()).collect();
        let mut rest = pieces.into_iter();
        let (mut text, mut tone) = rest.next().unwrap_or((String::new(), Tone::Text));
        for line in wrap(&whole, self.columns) {
            let mut spans = Vec::new();
            // The same characters, each in its piece's style; what was left out between lines were spaces.
            for c in line.chars() {
                loop {
                    match text.chars().next() {
                        None => match rest.next() {
                            Some(next) => (text, tone) = next,
                            None => break,
                        },
                        Some(next) => {
                            text.drain(..next.len_utf8());
                            if next == c {
                                break;
                            }
                        }
                    }
                }
                spans.push((c, tone));
            }
            let mut out: Vec<Span<'static>> = Vec::new();
            for part in spans.chunk_by(|a, b| a.1 == b.1) {
                let text: String = part.iter().map(|(c, _)| *c).collect();
                out.push(Span::styled(text, self.theme.style(part[0].1)));
            }
            self.out.push(Line::from(out));
        }
    }

    /// A labelled value over as many lines as it needs.
    pub fn value(&mut self, label: &str, value: &str, tone: Tone) {
        self.value_under(0, label, value, tone);
    }

    /// The same, indented under something.
    pub fn value_under(&mut self, indent: usize, label: &str, value: &str, tone: Tone) {
        let start = indent + self.label;
        let (quiet, style) = (self.theme.style(Tone::Quiet), self.theme.style(tone));
        // A label that would touch its value has a line of its own, as on a narrow screen.
        let is_apart = self.columns < start + LABEL || width(label) >= self.label;
        let label = pad(label, self.label.max(width(label)), "");
        let label = Span::styled(format!("{}{label}", " ".repeat(indent)), quiet);
        if is_apart {
            self.out.push(Line::from(label));
            self.indented(value, indent + 2, style);
            return;
        }
        for (n, part) in wrap(plain(value).as_str(), self.columns - start).into_iter().enumerate() {
            let lead = if n == 0 { label.clone() } else { Span::raw(" ".repeat(start)) };
            self.out.push(Line::from(vec![lead, Span::styled(part, style)]));
        }
    }

    /// A labelled value over so many lines at most.
    pub fn value_within(&mut self, label: &str, value: &str, tone: Tone, lines: usize) {
        let before = self.out.len();
        self.value(label, value, tone);
        if self.out.len() > before + lines {
            self.out.truncate(before + lines);
            if let Some(last) = self.out.last_mut().and_then(|line| line.spans.last_mut()) {
                let short = fit(&last.content, width(&last.content).saturating_sub(1).max(1), "");
                last.content = format!("{short}{}", self.theme.glyphs().ellipsis).into();
            }
        }
    }

    /// Pieces on one line behind a label.
    pub fn labelled(&mut self, label: &str, pieces: Vec<(String, Tone)>) {
        self.pieces(std::iter::once((pad(label, self.label, ""), Tone::Quiet)).chain(pieces).collect());
    }

    fn indented(&mut self, text: &str, indent: usize, style: Style) {
        let indent = if self.columns > indent + LABEL { indent } else { 0 };
        for part in wrap(plain(text).as_str(), self.columns - indent) {
            self.out.push(Line::from(vec![Span::raw(" ".repeat(indent)), Span::styled(part, style)]));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::theme::ColourDepth;

    #[test]
    fn a_label_never_touches_its_value() {
        let theme = Theme::new(ColourDepth::None, false);
        let mut lines = Lines::new(&theme, 60);
        for label in ["queued", "nine char", "ten chars!", "eleven char"] {
            lines.value(label, "12:50:40", Tone::Text);
        }
        let texts: Vec<String> = lines.finish().iter().map(ToString::to_string).collect();
        let expected =
            ["queued    12:50:40", "nine char 12:50:40", "ten chars!", "  12:50:40", "eleven char", "  12:50:40"];
        assert_eq!(texts, expected);
    }
}
