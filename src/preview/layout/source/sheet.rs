//! `<style>`: what stands in `@media` that match is unwrapped, everything else that begins with `@` is dropped, since
//! neither fonts nor key frames can be shown in cells.

use super::media;
use crate::preview::view::View;

/// Deepest nesting of at-rules that is read.
const DEPTH_MAX: usize = 8;

/// The mail with its style sheets reduced to plain rules that apply, and whether there are any.
pub fn unwrap(html: &str, view: View) -> (String, bool) {
    let mut out = String::with_capacity(html.len());
    let mut styled = false;
    let mut rest = html;
    while let Some(at) = rest.find('<') {
        let tail = &rest[at..];
        if let Some(after) = tail.strip_prefix("<!--") {
            let end = after.find("-->").map_or(after.len(), |end| end + 3) + 4;
            // A comment left empty, or cut off by the end of the mail: nothing in it is seen.
            out.push_str(&rest[..at]);
            rest = &tail[end..];
        } else if let Some((attributes, css, after)) = style(tail) {
            out.push_str(&rest[..at]);
            if view.styles && media_of(attributes).is_none_or(|query| media::matches(query, view)) {
                let mut rules = String::with_capacity(css.len());
                self::rules(css, view, 0, &mut rules);
                if !rules.is_empty() {
                    styled = true;
                    out.push_str("<style>");
                    out.push_str(&rules);
                    out.push_str("</style>");
                }
            }
            rest = after;
        } else {
            out.push_str(&rest[..=at]);
            rest = &tail[1..];
        }
    }
    out.push_str(rest);
    (out, styled)
}

/// Splits `<style …>…</style>`: attributes, contents, what follows.
fn style(tail: &str) -> Option<(&str, &str, &str)> {
    let name = tail.get(1..6)?;
    let after = &tail[6..];
    let ends = after.starts_with(|c: char| c == '>' || c == '/' || c.is_ascii_whitespace());
    if !name.eq_ignore_ascii_case("style") || !ends {
        return None;
    }
    let (attributes, contents) = after.split_once('>')?;
    let end = find_ignoring_case(contents, "</style").unwrap_or(contents.len());
    let (css, closing) = contents.split_at(end);
    Some((attributes, css, closing.split_once('>').map_or("", |(_, rest)| rest)))
}

/// Where an ASCII text first stands.
fn find_ignoring_case(text: &str, wanted: &str) -> Option<usize> {
    text.as_bytes().windows(wanted.len()).position(|window| window.eq_ignore_ascii_case(wanted.as_bytes()))
}

/// The `media` attribute.
fn media_of(attributes: &str) -> Option<&str> {
    let value = attributes[find_ignoring_case(attributes, "media=")? + 6..].trim_start();
    let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''));
    match quote {
        Some(quote) => value[1..].split(quote).next(),
        None => value.split_ascii_whitespace().next(),
    }
}

/// Appends the rules that apply.
fn rules(css: &str, view: View, depth: usize, out: &mut String) {
    let mut scan = Scan { css, at: 0 };
    while let Some((prelude, block)) = scan.rule() {
        let prelude = prelude.trim();
        let Some(name) = prelude.strip_prefix('@') else {
            if let Some(block) = block.filter(|_| !prelude.is_empty()) {
                out.push_str(&without_comments(prelude));
                out.push('{');
                out.push_str(&without_comments(block).replace('<', ""));
                out.push_str("}\n");
            }
            continue;
        };
        let (name, condition) =
            name.split_at(name.find(|c: char| !c.is_alphanumeric() && c != '-').unwrap_or(name.len()));
        let applies = match name.to_ascii_lowercase().as_str() {
            "media" => media::matches(&without_comments(condition), view),
            "supports" => !condition.trim_start().to_ascii_lowercase().starts_with("not"),
            "layer" => true,
            _ => false,
        };
        if let Some(block) = block.filter(|_| applies && depth < DEPTH_MAX) {
            rules(block, view, depth + 1, out);
        }
    }
}

/// Reads a sheet rule by rule, quotes, comments and brackets in mind.
struct Scan<'a> {
    css: &'a str,
    at: usize,
}

impl<'a> Scan<'a> {
    /// The next rule: what stands before its block, and the block's contents; none for a statement such as `@import`.
    fn rule(&mut self) -> Option<(&'a str, Option<&'a str>)> {
        self.skip_blank();
        let start = self.at;
        let bytes = self.css.as_bytes();
        while self.at < bytes.len() {
            match bytes[self.at] {
                b'{' => {
                    let prelude = &self.css[start..self.at];
                    let inner = self.at + 1;
                    self.block();
                    let closed =
                        self.at <= bytes.len() && bytes.get(self.at.wrapping_sub(1)) == Some(&b'}') && self.at > inner;
                    let end = if closed { self.at - 1 } else { self.at };
                    return Some((prelude, Some(&self.css[inner.min(end)..end])));
                }
                b';' if bytes[start] == b'@' => {
                    self.at += 1;
                    return Some((&self.css[start..self.at], None));
                }
                // A brace too many.
                b'}' => {
                    self.at += 1;
                    return Some(("", None));
                }
                _ => self.step(),
            }
        }
        None
    }

    /// Blanks, comments, and what wraps a sheet for browsers of the last century.
    fn skip_blank(&mut self) {
        loop {
            let rest = &self.css[self.at..];
            let trimmed = rest.trim_start();
            self.at += rest.len() - trimmed.len();
            if trimmed.starts_with("/*") {
                self.step();
            } else if let Some(mark) = ["<!--", "-->"].iter().find(|mark| trimmed.starts_with(**mark)) {
                self.at += mark.len();
            } else {
                return;
            }
        }
    }

    /// From an opening brace to behind the closing one that fits it.
    fn block(&mut self) {
        let mut depth = 0_usize;
        while let Some(byte) = self.css.as_bytes().get(self.at) {
            match byte {
                b'{' => depth += 1,
                b'}' => depth -= 1,
                _ => {
                    self.step();
                    continue;
                }
            }
            self.at += 1;
            if depth == 0 {
                return;
            }
        }
    }

    /// Over one byte, or a comment, a string, an escape as a whole.
    fn step(&mut self) {
        let rest = &self.css[self.at..];
        let bytes = rest.as_bytes();
        let length = match bytes.first() {
            Some(b'/') if bytes.get(1) == Some(&b'*') => rest[2..].find("*/").map_or(rest.len(), |end| end + 4),
            Some(quote @ (b'"' | b'\'')) => string(bytes, *quote),
            Some(b'\\') => 2,
            _ => 1,
        };
        self.at = (self.at + length).min(self.css.len());
        while !self.css.is_char_boundary(self.at) {
            self.at += 1;
        }
    }
}

/// How long a string is that begins here; it ends at the line's end at the latest.
fn string(bytes: &[u8], quote: u8) -> usize {
    let mut at = 1;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'\\' => at += 1,
            b'\n' => return at,
            byte if *byte == quote => return at + 1,
            _ => {}
        }
        at += 1;
    }
    bytes.len()
}

fn without_comments(css: &str) -> String {
    let mut out = String::with_capacity(css.len());
    let mut rest = css;
    while let Some(at) = rest.find("/*") {
        out.push_str(&rest[..at]);
        out.push(' ');
        rest = rest[at + 2..].find("*/").map_or("", |end| &rest[at + end + 4..]);
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::preview::view::{Scheme, Width};

    #[test]
    fn sheets() {
        let table = [
            ("a { b: c }", "a{ b: c }\n"),
            ("@media (max-width: 600px) { a { b: c } } d { e: f }", "d{ e: f }\n"),
            ("@media (min-width: 600px) { a { b: '}' } } d { e: f }", "a{ b: '}' }\nd{ e: f }\n"),
            ("@import url(x); /* { */ a { b: c /* } */ }", "a{ b: c   }\n"),
            ("@font-face { a: b } @media screen { @media print { x { y: z } } a { b: c } }", "a{ b: c }\n"),
            ("<!-- a { b: c } -->", "a{ b: c }\n"),
            ("a { b: c", "a{ b: c}\n"),
            ("} a { b: c }", "a{ b: c }\n"),
            ("@media screen {", ""),
            ("a { b: \"", "a{ b: \"}\n"),
        ];
        for (css, expected) in table {
            let mut out = String::new();
            rules(css, View::default(), 0, &mut out);
            assert_eq!(out, expected, "{css}");
        }
    }

    #[test]
    fn elements() {
        let phone = View { width: Width::Phone, scheme: Scheme::Dark, ..View::default() };
        let table = [
            ("<STYLE media='(max-width:400px)'>a{b:c}</STYLE >x", "<style>a{b:c}\n</style>x"),
            ("<style media=\"print\">a{b:c}</style>x", "x"),
            ("<styles>a{b:c}</styles>", "<styles>a{b:c}</styles>"),
            ("<style>@media (prefers-color-scheme:dark){a{b:c}}", "<style>a{b:c}\n</style>"),
            ("a<!-- <style>a{b:c}</style> -->b<style", "ab<style"),
        ];
        for (html, expected) in table {
            assert_eq!(unwrap(html, phone).0, expected, "{html}");
        }
        let bare = View { styles: false, ..phone };
        assert_eq!(unwrap("<style>a{b:c}</style>x", bare), ("x".to_owned(), false));
    }
}
