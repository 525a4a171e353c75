//! What an inbox shows of a mail before it is opened: the first words of its HTML, hidden ones first of all.

use html2text::config;
use html2text::render::TrivialDecorator;
use unicode_segmentation::UnicodeSegmentation as _;

use super::fallback::tamed;
use crate::text::{is_hidden, plain};

/// Longest preview that any mail program shows, with room to see what is cut, in characters.
const PREVIEW_MAX: usize = 150;

/// Where a mail program cuts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Program {
    pub name: &'static str,
    /// How many characters of the preview it shows, or of subject and preview where both share a line; measured by
    /// their users rather than promised by their makers.
    pub characters: usize,
    /// Whether the subject stands on the same line, and takes from it.
    pub one_line: bool,
}

/// The programs that are shown.
pub const PROGRAMS: [Program; 3] = [
    Program { name: "Gmail, desktop", characters: 100, one_line: true },
    Program { name: "iOS Mail", characters: 50, one_line: false },
    Program { name: "Outlook, desktop", characters: 35, one_line: false },
];

impl Program {
    /// A preview's part that is shown, and the rest.
    #[must_use]
    pub fn cut<'a>(&self, subject: &str, preview: &'a str) -> (&'a str, &'a str) {
        let taken = if self.one_line { subject.graphemes(true).count() + 3 } else { 0 };
        let at = preview.grapheme_indices(true).nth(self.characters.saturating_sub(taken));
        preview.split_at(at.map_or(preview.len(), |(at, _)| at))
    }
}

/// The words that an inbox takes from a mail's HTML: all text in its order, whether it is hidden or not, without the
/// invisible characters that some put behind a preheader. Takes as long as html2text does.
#[must_use]
pub fn preview(html: &str) -> String {
    // Without the mail's own styles what these hide is text like any other, as it is for mail programs.
    let config = config::with_decorator(TrivialDecorator::new()).raw_mode(true).no_table_borders();
    let text = config.string_from_read(tamed(html).as_bytes(), 10_000).unwrap_or_default();
    let visible: String = text.chars().filter(|c| !is_hidden(*c)).collect();
    let mut out = String::new();
    for word in visible.split_whitespace() {
        if out.chars().count() + word.chars().count() >= PREVIEW_MAX {
            break;
        }
        if !out.is_empty() {
            out.push(' ');
        }
        out.push_str(word);
    }
    plain(&out).into_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn begins_with_what_is_hidden() {
        let html = "<head><title>no</title><style>.x { display: none }</style></head><body>\
                    <div style=\"display: none\">One click.&#8204;&#847;&nbsp;</div><table><tr><td><h1>Hello</h1>\
                    <a href=\"https://example.org\">Verify</a></td></tr></table>";
        assert_eq!(preview(html), "One click. Hello Verify");
        assert_eq!(preview("a\u{202e}<b>b</b>\u{1b}[31m"), "ab[31m");
        assert!(preview(&"word ".repeat(1_000)).chars().count() <= PREVIEW_MAX);
    }

    #[test]
    fn is_cut_where_each_program_cuts() {
        let preview = "x".repeat(120);
        let shown = PROGRAMS.map(|program| program.cut("Confirm", &preview).0.len());
        assert_eq!(shown, [90, 50, 35]);
        assert_eq!(PROGRAMS[2].cut("", "short"), ("short", ""));
        assert_eq!(PROGRAMS[0].cut(&"s".repeat(200), "김철수"), ("", "김철수"));
        assert_eq!(PROGRAMS[2].cut("", &"김".repeat(36)).1, "김");
    }
}
