//! A template's source in pieces, for colours: HTML as far as eyes need it, and Tera wherever it stands, inside of tags
//! and values too. No parser: whatever is written comes out again, piece by piece.

use std::ops::Range;

/// What a piece of source is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Token {
    /// Text, styles, and whatever else is not one of the others.
    Text,
    /// A tag's brackets and name.
    Tag,
    /// An attribute's name.
    Attribute,
    /// An attribute's value, with its quotes.
    Value,
    /// `<!-- … -->`, `{# … #}`.
    Comment,
    /// `{{ … }}`.
    Expression,
    /// `{% … %}`.
    Statement,
}

/// A line's pieces, by bytes of that line.
pub type Line = Vec<(Range<usize>, Token)>;

/// Where in HTML a place is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Text,
    /// Inside of a tag, between attributes.
    Tag,
    /// In a value between these quotes.
    Quoted(char),
    Comment,
}

/// Takes a source apart, line by line. With `html` false only Tera is seen.
#[must_use]
pub fn lines(source: &str, html: bool) -> Vec<Line> {
    let mut lines = Lines::default();
    let mut place = Place::Text;
    let mut rest = source;
    while !rest.is_empty() {
        let (length, token, next) = piece(rest, place, html);
        lines.add(&rest[..length], token);
        rest = &rest[length..];
        place = next;
    }
    lines.out
}

/// The next piece: its length, at least one character, what it is, and where its end is.
fn piece(rest: &str, place: Place, html: bool) -> (usize, Token, Place) {
    for (open, close, token) in
        [("{{", "}}", Token::Expression), ("{%", "%}", Token::Statement), ("{#", "#}", Token::Comment)]
    {
        if let Some(inner) = rest.strip_prefix(open) {
            let end = inner.find(close).map_or(rest.len(), |at| at + open.len() + close.len());
            return (end, token, place);
        }
    }
    let upto = |stop: &dyn Fn(char) -> bool| {
        let mut end = rest.chars().next().map_or(0, char::len_utf8);
        while let Some(c) = rest[end..].chars().next() {
            if stop(c) || is_tera(&rest[end..]) {
                break;
            }
            end += c.len_utf8();
        }
        end
    };
    match place {
        Place::Text if html && rest.starts_with("<!--") => (4, Token::Comment, Place::Comment),
        Place::Text if html && is_tag(rest) => {
            let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '!' | ':' | '-');
            (upto(&|c| !is_name(c)), Token::Tag, Place::Tag)
        }
        Place::Text => (upto(&|c| html && c == '<'), Token::Text, Place::Text),
        Place::Comment if rest.starts_with("-->") => (3, Token::Comment, Place::Text),
        Place::Comment => (upto(&|c| c == '-'), Token::Comment, Place::Comment),
        Place::Tag => match rest.as_bytes()[0] {
            b'>' => (1, Token::Tag, Place::Text),
            b'/' => (1, Token::Tag, Place::Tag),
            quote @ (b'"' | b'\'') => (1, Token::Value, Place::Quoted(char::from(quote))),
            b'=' | b' ' | b'\n' | b'\r' | b'\t' => (1, Token::Text, Place::Tag),
            _ => {
                let ends = |c: char| c.is_whitespace() || matches!(c, '=' | '>' | '"' | '\'');
                (upto(&ends), Token::Attribute, Place::Tag)
            }
        },
        Place::Quoted(quote) if rest.starts_with(quote) => (1, Token::Value, Place::Tag),
        Place::Quoted(quote) => (upto(&|c| c == quote), Token::Value, Place::Quoted(quote)),
    }
}

fn is_tera(rest: &str) -> bool {
    ["{{", "{%", "{#"].iter().any(|open| rest.starts_with(open))
}

fn is_tag(rest: &str) -> bool {
    let mut after = rest.strip_prefix('<').unwrap_or_default().chars();
    after.next().is_some_and(|c| c.is_ascii_alphabetic() || matches!(c, '/' | '!'))
}

/// Lines being filled.
#[derive(Default)]
struct Lines {
    out: Vec<Line>,
    column: usize,
    open: bool,
}

impl Lines {
    fn add(&mut self, text: &str, token: Token) {
        for part in text.split_inclusive('\n') {
            if !self.open {
                self.out.push(Line::new());
                self.open = true;
                self.column = 0;
            }
            let shown = part.trim_end_matches(['\n', '\r']);
            let range = self.column..self.column + shown.len();
            self.column += part.len();
            if let Some(line) = self.out.last_mut().filter(|_| !range.is_empty()) {
                match line.last_mut() {
                    Some((last, kind)) if *kind == token && last.end == range.start => last.end = range.end,
                    _ => line.push((range, token)),
                }
            }
            self.open = !part.ends_with('\n');
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn tokens(source: &str, html: bool) -> Vec<(&str, Token)> {
        let texts = source.lines();
        texts
            .zip(lines(source, html))
            .flat_map(|(text, line)| line.into_iter().map(move |(r, t)| (&text[r], t)))
            .collect()
    }

    #[test]
    fn distinguishes_html_and_tera() {
        use Token::{Attribute, Comment, Expression, Statement, Tag, Text, Value};
        let source =
            "<a class=\"x {{ y }}\" {% if z %}id=q{% endif %}>1 < 2 {{ w }}</a>\n<!-- a - <b>\n --> {# c\nd #}";
        let expected = vec![
            ("<a", Tag),
            (" ", Text),
            ("class", Attribute),
            ("=", Text),
            ("\"x ", Value),
            ("{{ y }}", Expression),
            ("\"", Value),
            (" ", Text),
            ("{% if z %}", Statement),
            ("id", Attribute),
            ("=", Text),
            ("q", Attribute),
            ("{% endif %}", Statement),
            (">", Tag),
            ("1 < 2 ", Text),
            ("{{ w }}", Expression),
            ("</a>", Tag),
            ("<!-- a - <b>", Comment),
            (" -->", Comment),
            (" ", Text),
            ("{# c", Comment),
            ("d #}", Comment),
        ];
        assert_eq!(tokens(source, true), expected);
        assert_eq!(tokens("<a>{{ b }}", false), [("<a>", Text), ("{{ b }}", Expression)]);
    }

    proptest! {
        /// Nothing is lost or made up, and it ends, whatever is written.
        #[test]
        fn everything_comes_out_again(source in "([<>a\"'=/!-]|\\{\\{|\\}\\}|\\{%|%\\}|\\{#|#\\}|<!--|-->|가|\n|\r\n| ){0,60}") {
            for html in [false, true] {
                let split: Vec<String> = source.split('\n').map(|line| line.trim_end_matches('\r').to_owned()).collect();
                let lines = lines(&source, html);
                prop_assert!(lines.len() <= split.len());
                for (text, line) in split.iter().zip(&lines) {
                    let together: String = line.iter().map(|(range, _)| &text[range.clone()]).collect();
                    prop_assert_eq!(&together, text);
                }
            }
        }
    }
}
