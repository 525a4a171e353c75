//! Where start tags begin. The parser reports only the line at which a tag ends, and tags go over several lines.

use std::collections::{HashMap, VecDeque};

/// Elements in which no tag begins another element.
const RAW: [&str; 8] = ["style", "script", "title", "textarea", "xmp", "iframe", "noembed", "noframes"];

/// Where a start tag is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Start {
    /// The line of its `<`, from 1.
    pub line: usize,
    /// The column of its `<`, in characters from 1.
    pub column: usize,
    /// The line at which the value of its `style` begins; that of the `<` where it has none.
    pub style: usize,
    /// The line of its `>`.
    pub end: usize,
}

/// The start tags of a source that no element was made from yet, by their names.
#[derive(Default)]
pub struct Starts(HashMap<String, VecDeque<Start>>);

impl Starts {
    pub fn of(html: &str) -> Self {
        let mut starts = Self::default();
        let mut place = Place { html, at: 0, line: 1, line_start: 0, counted: 0, characters: 0 };
        while let Some(open) = html[place.at..].find('<').map(|at| place.at + at) {
            let rest = &html[open..];
            let next = rest[1..].chars().next();
            if let Some(inner) = rest.strip_prefix("<!--") {
                place.go(inner.find("-->").map_or(html.len(), |at| open + at + 7));
            } else if next.is_some_and(|c| c.is_ascii_alphabetic()) {
                place.go(open);
                let (name, start) = place.tag();
                if RAW.contains(&name.as_str()) {
                    place.go(raw_end(html, place.at, &name));
                }
                starts.0.entry(name).or_default().push_back(start);
            } else {
                place.go(open + 1);
            }
        }
        starts
    }

    /// The tag of this name that ends in this line and that no element was made from.
    pub fn take(&mut self, name: &str, end: usize) -> Option<Start> {
        let waiting = self.0.get_mut(name)?;
        // What the parser passed by made no element.
        while waiting.front().is_some_and(|start| start.end < end) {
            waiting.pop_front();
        }
        waiting.pop_front_if(|start| start.end == end)
    }
}

/// Where the end tag of such an element begins.
fn raw_end(html: &str, from: usize, name: &str) -> usize {
    let ends = html[from..].match_indices("</").map(|(at, _)| from + at);
    let is_own = |at: &usize| html[at + 2..].get(..name.len()).is_some_and(|end| end.eq_ignore_ascii_case(name));
    ends.into_iter().find(is_own).unwrap_or(html.len())
}

/// A walk through a source, forwards only.
struct Place<'a> {
    html: &'a str,
    at: usize,
    line: usize,
    line_start: usize,
    /// Up to where the characters of the line are counted, and how many there are: lines may be long.
    counted: usize,
    characters: usize,
}

impl Place<'_> {
    fn go(&mut self, to: usize) {
        let passed = &self.html[self.at..to];
        self.line += passed.matches('\n').count();
        if let Some(newline) = passed.rfind('\n') {
            self.line_start = self.at + newline + 1;
            (self.counted, self.characters) = (self.line_start, 0);
        }
        self.at = to;
    }

    fn column(&mut self) -> usize {
        self.characters += self.html[self.counted..self.at].chars().count();
        self.counted = self.at;
        self.characters + 1
    }

    fn skip(&mut self, while_in: impl Fn(char) -> bool) -> (usize, usize) {
        let from = self.at;
        let rest = &self.html[from..];
        self.go(from + rest.find(|c| !while_in(c)).unwrap_or(rest.len()));
        (from, self.at)
    }

    /// Walks through the tag that begins here.
    fn tag(&mut self) -> (String, Start) {
        let (line, column) = (self.line, self.column());
        self.go(self.at + 1);
        let is_name = |c: char| !c.is_whitespace() && c != '/' && c != '>';
        let (from, to) = self.skip(is_name);
        let name = self.html[from..to].to_ascii_lowercase();
        let mut style = None;
        loop {
            self.skip(|c| c.is_whitespace() || c == '/');
            if self.at == self.html.len() || self.html[self.at..].starts_with('>') {
                break;
            }
            let (from, to) = self.skip(|c| c == '=');
            let (_, to) = if to > from { (from, to) } else { self.skip(|c| is_name(c) && c != '=') };
            let attribute = self.html[from..to].to_ascii_lowercase();
            self.skip(char::is_whitespace);
            if !self.html[self.at..].starts_with('=') {
                continue;
            }
            self.go(self.at + 1);
            self.skip(char::is_whitespace);
            let quote = self.html[self.at..].chars().next().filter(|c| matches!(c, '"' | '\''));
            if quote.is_some() {
                self.go(self.at + 1);
            }
            if attribute == "style" {
                style = style.or(Some(self.line));
            }
            match quote {
                Some(quote) => {
                    self.skip(|c| c != quote);
                    self.go((self.at + 1).min(self.html.len()));
                }
                None => {
                    self.skip(|c| !c.is_whitespace() && c != '>');
                }
            }
        }
        (name, Start { line, column, style: style.unwrap_or(line), end: self.line })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_where_they_begin() {
        let html =
            "<!-- <p> --><p>가<a\n href='x>y'\n  STYLE = \"color:\nred\"\n><style>a > b <i></style\n><IMG/><a b=c>\n<";
        let mut starts = Starts::of(html);
        let start = |line, column, style, end| Some(Start { line, column, style, end });
        assert_eq!(starts.take("p", 1), start(1, 13, 1, 1));
        assert_eq!(starts.take("a", 5), start(1, 17, 3, 5));
        assert_eq!(starts.take("style", 5), start(5, 2, 5, 5));
        assert_eq!(starts.take("i", 5), None);
        assert_eq!(starts.take("img", 6), start(6, 2, 6, 6));
        assert_eq!(starts.take("a", 6), start(6, 8, 6, 6));
        assert_eq!(starts.take("a", 6), None);
    }

    #[test]
    fn any_source_ends() {
        for html in ["<", "<a", "<a =", "<a b=\"", "<a b='x", "<style>", "<!--", "<a ==>", "<a/ / >", "<p =가 가='>"]
        {
            let _ = Starts::of(html);
        }
    }
}
