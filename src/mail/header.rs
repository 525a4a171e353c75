//! Headers as mail programs read them without guessing: names that are no atoms are quoted (RFC 5322, 3.2.4), what is
//! not ASCII goes into encoded words of at most 75 octets on lines of at most 76, and none of them ends within a
//! character (RFC 2047, 2 and 5). lettre's own leaves dots bare, and makes longer lines.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use lettre::message::header::{HeaderName, HeaderValue};

/// Longest line with an encoded word in it, without its end; other lines keep to it where they have a space to break at.
const LINE_MAX: usize = 76;

/// Longest encoded word.
const WORD_MAX: usize = 75;

const PREFIX: &str = "=?utf-8?b?";
const SUFFIX: &str = "?=";

/// How many octets of text the longest encoded word holds.
const CHUNK_MAX: usize = (WORD_MAX - PREFIX.len() - SUFFIX.len()) / 4 * 3;

/// A header that holds one mailbox.
pub(super) fn mailbox(header: HeaderName, name: Option<&str>, address: &str) -> HeaderValue {
    let mut line = Lines::behind(&header);
    match name.filter(|name| !name.is_empty()) {
        None => line.put(address),
        Some(name) => {
            if is_atom(name) {
                line.put(name);
            } else if is_plain(name) {
                quoted(name).split(' ').for_each(|word| line.put(word));
            } else {
                line.put_encoded(name);
            }
            line.put(&format!("<{address}>"));
        }
    }
    // lettre makes the envelope out of the raw value.
    HeaderValue::dangerous_new_pre_encoded(header, address.to_owned(), line.text)
}

/// A header of free text.
pub(super) fn text(header: HeaderName, text: &str) -> HeaderValue {
    let mut line = Lines::behind(&header);
    // A line that cannot be broken would be longer than is good; within encoded words everything can.
    if is_plain(text) && text.split(' ').all(|word| word.len() < LINE_MAX) {
        text.split(' ').for_each(|word| line.put(word));
    } else {
        line.put_encoded(text);
    }
    HeaderValue::dangerous_new_pre_encoded(header, text.to_owned(), line.text)
}

/// Whether a name is one atom, which needs no quotes. A dot is in none.
fn is_atom(name: &str) -> bool {
    !name.contains("=?")
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&byte))
}

/// Whether text can stand for itself, be it within quotes: no control characters, nothing that looks like an encoded
/// word, which many programs decode even within quotes, and no spaces that breaking lines could change.
fn is_plain(text: &str) -> bool {
    let is_printable = text.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic());
    let has_odd_spaces = text.starts_with(' ') || text.ends_with(' ') || text.contains("  ");
    is_printable && !has_odd_spaces && !text.contains("=?")
}

fn quoted(name: &str) -> String {
    let mut out = String::from('"');
    for c in name.chars() {
        if c == '"' || c == '\\' {
            out.push('\\');
        }
        out.push(c);
    }
    out.push('"');
    out
}

/// A header's value as it grows, line by line.
struct Lines {
    text: String,
    /// How long the line is that is being written.
    used: usize,
    is_begun: bool,
}

impl Lines {
    fn behind(header: &HeaderName) -> Self {
        Self { text: String::new(), used: header.len() + ": ".len(), is_begun: false }
    }

    /// A word, behind a space or on a new line.
    fn put(&mut self, word: &str) {
        if self.is_begun {
            if self.used + 1 + word.len() > LINE_MAX {
                self.text.push_str("\r\n");
                self.used = 0;
            }
            self.text.push(' ');
            self.used += 1;
        }
        self.text.push_str(word);
        self.used += word.len();
        self.is_begun = true;
    }

    /// Text in encoded words; the first is as long as fits behind what is there.
    fn put_encoded(&mut self, mut text: &str) {
        while !text.is_empty() {
            let space = usize::from(self.is_begun);
            let left = LINE_MAX.saturating_sub(self.used + space + PREFIX.len() + SUFFIX.len()) / 4 * 3;
            let mut end = text.floor_char_boundary(left.min(CHUNK_MAX));
            if end == 0 {
                end = text.floor_char_boundary(CHUNK_MAX);
            }
            let (chunk, rest) = text.split_at(end);
            self.put(&format!("{PREFIX}{}{SUFFIX}", STANDARD.encode(chunk)));
            text = rest;
        }
    }
}

#[cfg(test)]
pub(super) mod tests;
