//! The one way from untrusted text to anything a person sees.
//!
//! Names, addresses, SMTP replies and SES events are written by strangers. Shown as they are, they could move the
//! cursor, retitle the terminal, forge a log line or turn a line's reading direction (CWE-150, CVE-2021-42574).
//! [`Untrusted`] cannot be displayed; [`plain`] makes a [`Plain`] of it, which can, and which leaves what was wrong
//! visible: an operator should see an attack, not miss it.

use std::fmt;

use serde::{Deserialize, Serialize};
use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

/// Longest text that [`plain`] keeps, in characters; a 10 kB SMTP reply must not fill a screen or a log.
pub const PLAIN_MAX: usize = 1_000;

/// Most combining marks kept on one base character.
const MARKS_MAX: usize = 4;

/// What stands for a character that must not reach a terminal and has no picture of its own.
const REPLACEMENT: char = '\u{fffd}';

/// Text from outside. Has no `Display`; its `Debug` is plain.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Untrusted(String);

impl Untrusted {
    /// Wraps text as it came.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text as it came: for SQL parameters and for further checking, never for a screen, log or terminal.
    #[must_use]
    pub fn raw(&self) -> &str {
        &self.0
    }

    /// The text as a person may see it, on one line.
    #[must_use]
    pub fn plain(&self) -> Plain {
        plain(&self.0)
    }

    /// Whether there is no text at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for Untrusted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.plain().as_str())
    }
}

impl From<String> for Untrusted {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl From<&str> for Untrusted {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

/// Text that is safe to show: no control, bidi or invisible character is left in it. Made only by [`plain`] and
/// [`plain_lines`].
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Plain(String);

impl Plain {
    /// The safe text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The safe text, owned.
    #[must_use]
    pub fn into_string(self) -> String {
        self.0
    }

    /// How many terminal columns it takes.
    #[must_use]
    pub fn width(&self) -> usize {
        width(&self.0)
    }
}

impl fmt::Display for Plain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl From<Plain> for String {
    fn from(text: Plain) -> Self {
        text.0
    }
}

/// Makes text safe to show on one line: line breaks become ` ⏎ `, tabs spaces, control characters their pictures,
/// bidi and invisible characters `�`; emoji sequences shrink to their first emoji, whose width terminals agree on.
#[must_use]
pub fn plain(text: &str) -> Plain {
    Plain(clean(text, " ⏎ "))
}

/// The same for text of several lines: each line is plain, the breaks stay.
#[must_use]
pub fn plain_lines(text: &str) -> Vec<Plain> {
    text.lines().map(|line| Plain(clean(line.trim_end_matches('\r'), " ⏎ "))).collect()
}

fn clean(text: &str, line_break: &str) -> String {
    let mut out = String::with_capacity(text.len().min(4 * PLAIN_MAX));
    let mut kept = 0;
    for grapheme in text.graphemes(true) {
        if kept >= PLAIN_MAX {
            out.push('…');
            break;
        }
        if matches!(grapheme, "\n" | "\r\n" | "\r") {
            out.push_str(line_break);
            kept += line_break.chars().count();
            continue;
        }
        kept += clean_grapheme(grapheme, &mut out);
    }
    out
}

/// Appends one grapheme made safe; returns how many characters were appended.
fn clean_grapheme(grapheme: &str, out: &mut String) -> usize {
    let joined = grapheme.contains('\u{200d}');
    let mut kept = 0;
    for (at, c) in grapheme.chars().enumerate() {
        match c {
            '\u{200d}' if at > 0 => {
                // A joiner between letters shapes them (Persian, Indic); between emoji it makes widths differ.
                if !grapheme.starts_with(char::is_alphabetic) {
                    break;
                }
                continue;
            }
            '\u{fe00}'..='\u{fe0f}' | '\u{e0100}'..='\u{e01ef}' | '\u{1f3fb}'..='\u{1f3ff}' if at > 0 => continue,
            _ => {}
        }
        if at > MARKS_MAX && !joined {
            continue;
        }
        out.push(safe(c));
        kept += 1;
    }
    kept
}

/// The character itself where it is harmless, else what stands for it.
fn safe(c: char) -> char {
    match c {
        '\t' => ' ',
        '\u{0}'..='\u{1f}' => char::from_u32(0x2400 + u32::from(c)).unwrap_or(REPLACEMENT),
        '\u{7f}' => '\u{2421}',
        c if c.is_control() || is_hidden(c) => REPLACEMENT,
        c => c,
    }
}

/// Whether a character that is no control is invisible, or turns, joins or spans what stands around it: no one sees
/// that it is there, or terminals disagree on what it does.
#[must_use]
pub fn is_hidden(c: char) -> bool {
    matches!(c,
        '\u{ad}'
        | '\u{34f}'
        // Signs that span the digits behind them: terminals and ratatui disagree on their width.
        | '\u{600}'..='\u{605}'
        | '\u{61c}'
        | '\u{6dd}'
        | '\u{70f}'
        | '\u{890}'..='\u{891}'
        | '\u{8e2}'
        | '\u{110bd}'
        | '\u{110cd}'
        | '\u{115f}'..='\u{1160}'
        | '\u{17b4}'..='\u{17b5}'
        | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}'
        | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{3164}'
        | '\u{fe00}'..='\u{fe0f}'
        | '\u{feff}'
        | '\u{ffa0}'
        | '\u{fff0}'..='\u{fffb}'
        | '\u{1bca0}'..='\u{1bca3}'
        | '\u{1d173}'..='\u{1d17a}'
        | '\u{e0000}'..='\u{e0fff}')
}

/// Text without what is around it and cannot be seen: white space, control and invisible characters. People paste
/// them along with what they copied.
#[must_use]
pub fn trimmed(text: &str) -> &str {
    text.trim_matches(|c: char| c.is_whitespace() || c.is_control() || is_hidden(c))
}

/// How many terminal columns text takes, counted as ratatui draws: grapheme by grapheme, though some take less
/// together (Arabic lam and alef), and the marks of half-width kana take one each.
#[must_use]
pub fn width(text: &str) -> usize {
    if text.is_ascii() {
        return text.len();
    }
    text.graphemes(true).map(width_of_grapheme).sum()
}

fn width_of_grapheme(grapheme: &str) -> usize {
    UnicodeWidthStr::width(grapheme) + grapheme.matches(['\u{ff9e}', '\u{ff9f}']).count()
}

/// Text cut to at most `columns` terminal columns, ending in `ellipsis` where something was cut. Never splits a
/// grapheme.
#[must_use]
pub fn fit(text: &str, columns: usize, ellipsis: &str) -> String {
    if width(text) <= columns {
        return text.to_owned();
    }
    let room = columns.saturating_sub(width(ellipsis));
    let mut out = String::new();
    let mut used = 0;
    for grapheme in text.graphemes(true) {
        let wide = width_of_grapheme(grapheme);
        if used + wide > room {
            break;
        }
        used += wide;
        out.push_str(grapheme);
    }
    if used + width(ellipsis) <= columns {
        out.push_str(ellipsis);
    }
    out
}

/// Text cut or filled with spaces to exactly `columns` terminal columns.
#[must_use]
pub fn pad(text: &str, columns: usize, ellipsis: &str) -> String {
    let mut out = fit(text, columns, ellipsis);
    let used = width(&out);
    out.extend(std::iter::repeat_n(' ', columns.saturating_sub(used)));
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn shows_what_was_wrong() {
        let table = [
            ("Kim", "Kim"),
            ("\x1b]0;pwn\x07", "␛]0;pwn␇"),
            ("a\r\nBcc: x", "a ⏎ Bcc: x"),
            ("a\tb", "a b"),
            ("\u{9b}31m", "\u{fffd}31m"),
            ("evil\u{202e}gpj", "evil\u{fffd}gpj"),
            ("김\u{200b}철수", "김\u{fffd}철수"),
            ("👨\u{200d}👩\u{200d}👧", "👨"),
            ("👍🏽", "👍"),
            ("⚠\u{fe0f}", "⚠"),
            ("나\u{3164}", "나\u{fffd}"),
            ("\u{7f}", "␡"),
            ("\u{6dd}5", "\u{fffd}5"),
        ];
        for (raw, shown) in table {
            assert_eq!(plain(raw).as_str(), shown, "{raw:?}");
        }
    }

    #[test]
    fn caps_length_and_marks() {
        assert_eq!(plain(&"x".repeat(10_000)).as_str().chars().count(), PLAIN_MAX + 1);
        let zalgo = format!("a{}", "\u{301}".repeat(500));
        assert!(plain(&zalgo).as_str().chars().count() <= 1 + MARKS_MAX);
    }

    #[test]
    fn fits_by_columns() {
        assert_eq!(fit("김철수", 6, "…"), "김철수");
        assert_eq!(fit("김철수", 5, "…"), "김철…");
        assert_eq!(fit("김철수", 4, "…"), "김…");
        assert_eq!(fit("abc", 0, "…"), "");
        assert_eq!(pad("김", 4, "…"), "김  ");
    }

    /// Where ratatui stands when it has drawn a text.
    fn drawn(text: &str) -> usize {
        let mut buffer = ratatui::buffer::Buffer::empty(ratatui::layout::Rect::new(0, 0, 1_000, 1));
        usize::from(buffer.set_stringn(0, 0, text, 1_000, ratatui::style::Style::default()).0)
    }

    #[test]
    fn counts_as_ratatui_counts() {
        let texts = ["ﾔﾏﾀﾞ ﾊﾟ", "ﾞ", "김", "กำ", "🇰🇷", "e\u{301}", "မြန်မာ", "abc", "", "سلام", "علاء", "ក្រុម", "ꓹꓼ"];
        for text in texts {
            assert_eq!(width(text), drawn(text), "{text:?}");
        }
        // Nothing is cut off without a sign of it.
        assert_eq!(fit("سلام", 3, "…"), "سل…");
    }

    proptest! {
        #[test]
        fn nothing_dangerous_is_left(text in any::<String>()) {
            let shown = plain(&text);
            prop_assert!(!shown.as_str().chars().any(char::is_control));
            let hidden = |c| matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}');
            prop_assert!(!shown.as_str().chars().any(hidden));
            let again = plain(shown.as_str());
            prop_assert_eq!(again, shown);
        }

        #[test]
        fn is_as_wide_as_it_is_drawn(text in any::<String>(), arabic in "[\u{620}-\u{64a} ]{0,20}", khmer in "[\u{1780}-\u{17d3}]{0,20}") {
            for text in [text, arabic, khmer] {
                let shown = plain(&text);
                prop_assert_eq!(width(shown.as_str()), drawn(shown.as_str()), "{:?}", shown);
            }
        }

        #[test]
        fn never_wider_than_asked(text in any::<String>(), columns in 0usize..40) {
            prop_assert!(width(&fit(plain(&text).as_str(), columns, "…")) <= columns);
            prop_assert_eq!(width(&pad(plain(&text).as_str(), columns, "…")), columns);
        }
    }
}
