//! Bounds on what a template may make: how long a part of a mail may get, how long that may take, and no text that
//! doubles.
//!
//! Tera has none of these. What is written out passes `Bounded`, which fails when it is too much or too late. Text
//! that is only assigned passes nothing; so a template may not make assigned text from more than one that was assigned
//! before: 30 lines of `{% set a = a ~ a %}` are a gigabyte. With one such part at a time text grows by what the
//! template itself or the mail brings along.

use std::collections::BTreeSet;
use std::io;
use std::time::{Duration, Instant};

use tera::{Context, Tera};

/// Longest part of a mail, in bytes; Gmail clips a mail at a fortieth of it.
const PART_MAX: usize = 4 << 20;

/// How long a part may take to be worded.
const TIME_MAX: Duration = Duration::from_secs(10);

/// Words a part of a mail, within the bounds. The outer error says what is too much.
pub fn render(tera: &Tera, path: &str, context: &Context) -> Result<tera::TeraResult<String>, String> {
    let mut bounded = Bounded { text: Vec::new(), started: Instant::now() };
    let rendered = tera.render_to(path, context, &mut bounded);
    match bounded.excess() {
        Some(excess) => Err(excess),
        None => Ok(rendered.map(|()| String::from_utf8_lossy(&bounded.text).into_owned())),
    }
}

/// Takes a part of a mail in, up to a bound.
struct Bounded {
    text: Vec<u8>,
    started: Instant,
}

impl Bounded {
    /// What it is too much of, if it is.
    fn excess(&self) -> Option<String> {
        if self.text.len() > PART_MAX {
            Some(format!("it makes more than {} KiB of one part of a mail", PART_MAX >> 10))
        } else if self.started.elapsed() > TIME_MAX {
            Some(format!("it takes longer than {} seconds", TIME_MAX.as_secs()))
        } else {
            None
        }
    }
}

impl io::Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.text.extend_from_slice(&bytes[..bytes.len().min(PART_MAX + 1)]);
        if self.excess().is_some() { Err(io::Error::other("too much")) } else { Ok(bytes.len()) }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A piece of a template's source.
enum Piece<'a> {
    /// `{{ … }}`
    Expression(&'a str),
    /// `{% … %}`
    Tag(&'a str),
}

/// The names that a source assigns to.
pub(super) fn assigned(source: &str) -> impl Iterator<Item = &str> {
    pieces(source).filter_map(|(_, piece)| match piece {
        Piece::Tag(tag) => assignment(tag).map(|(name, _)| name),
        Piece::Expression(_) => None,
    })
}

/// Where assigned text could double: line and column, from 1, and what to say. `assigned` is all that any source
/// assigns to: what a file includes sees what the file has assigned, and a loop what a later line of it has.
pub(super) fn doubling(source: &str, assigned: &BTreeSet<&str>) -> Option<((usize, usize), String)> {
    // Blocks that are assigned: where they begin, whose they are, and how many assigned texts are in them.
    let mut blocks: Vec<(usize, &str, usize)> = Vec::new();
    for (at, piece) in pieces(source) {
        let (text, is_tag) = match piece {
            Piece::Expression(text) => (text, false),
            Piece::Tag(tag) => (tag, true),
        };
        if is_tag && words(text).next() == Some("endset") {
            if let Some((at, name, used)) = blocks.pop()
                && used > 1
            {
                return Some((place(source, at), complaint(name)));
            }
            continue;
        }
        if let Some((name, value)) = assignment(text).filter(|_| is_tag) {
            match value {
                Some(value) if grows(value) && used(value, assigned) > 1 => {
                    return Some((place(source, at), complaint(name)));
                }
                Some(_) => {}
                None => blocks.push((at, name, 0)),
            }
        } else if !is_tag {
            let used = used(text, assigned);
            for block in &mut blocks {
                block.2 += used;
            }
        }
    }
    None
}

fn complaint(name: &str) -> String {
    format!(
        "`{}` is made of more than one text that was assigned before, so it could double again and again; \
         write the parts out where they are used",
        crate::text::plain(name)
    )
}

/// The name that a tag assigns to, and the value; none where a block follows that is it.
fn assignment(tag: &str) -> Option<(&str, Option<&str>)> {
    let tag = tag.trim_matches(|c: char| c == '-' || c.is_whitespace());
    let rest = tag.strip_prefix("set_global").or_else(|| tag.strip_prefix("set"))?;
    let rest = rest.strip_prefix(char::is_whitespace)?.trim_start();
    let end = rest.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(rest.len());
    let (name, rest) = rest.split_at(end);
    let value = rest.trim_start().strip_prefix('=');
    (!name.is_empty()).then_some((name, value))
}

/// Whether an expression can make longer text of what it is given.
fn grows(value: &str) -> bool {
    let value = without_strings(value);
    value.contains('~')
        || value.contains('[')
        || words(&value).any(|word| matches!(word, "replace" | "join" | "concat"))
}

/// How often an expression uses what the template assigns.
fn used(value: &str, assigned: &BTreeSet<&str>) -> usize {
    words(&without_strings(value)).filter(|word| assigned.contains(*word)).count()
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !(c.is_alphanumeric() || c == '_')).filter(|word| !word.is_empty())
}

/// The text with its strings empty.
fn without_strings(text: &str) -> String {
    let mut quote = None;
    let keep = |c: &char| match (quote, *c) {
        (None, '"' | '\'' | '`') => {
            quote = Some(*c);
            true
        }
        (None, _) => true,
        (Some(open), c) => {
            if c == open {
                quote = None;
            }
            c == open
        }
    };
    text.chars().filter(keep).collect()
}

/// The tags and expressions of a source, each with where it begins; comments are passed over.
fn pieces(source: &str) -> impl Iterator<Item = (usize, Piece<'_>)> {
    let mut at = 0;
    std::iter::from_fn(move || {
        loop {
            let begin = at + source[at..].find('{')?;
            let rest = &source[begin..];
            let close = match rest.as_bytes().get(1) {
                Some(b'{') => "}}",
                Some(b'%') => "%}",
                Some(b'#') => "#}",
                _ => {
                    at = begin + 1;
                    continue;
                }
            };
            let inside = &rest[2..];
            let end = inside.find(close).unwrap_or(inside.len());
            at = (begin + 2 + end + 2).min(source.len());
            match close {
                "}}" => return Some((begin, Piece::Expression(&inside[..end]))),
                "%}" => return Some((begin, Piece::Tag(&inside[..end]))),
                _ => {}
            }
        }
    })
}

fn place(source: &str, at: usize) -> (usize, usize) {
    let before = &source[..at];
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_could_double_is_found() {
        let table = [
            ("{% set a = name ~ name %}{{ a }}", None),
            ("{% set a = \"x\" %}\n {% set b = a ~ a %}", Some((2, 2))),
            ("{% set a = \"x\" %}{% for i in range(end=40) %}{% set_global a = a ~ a %}{% endfor %}", Some((1, 46))),
            ("{%- set a = 'a ~ a' -%}{% set b = a ~ ', ' ~ name %}", None),
            ("{% for i in l %}{% set_global a = a ~ b %}{% set_global b = b ~ a %}{% endfor %}", Some((1, 17))),
            ("{% set a = \"x\" %}{% set a = a | replace(from=\"x\", to=a) %}", Some((1, 18))),
            ("{% set a %}x{% endset %}{% set a %}{{ a }}{{ a }}{% endset %}", Some((1, 25))),
            ("{% set a %}{{ name }}{{ name }}{% endset %}{{ a }}{{ a }}{{ a }}", None),
            ("{% set a = 1 %}{% set b = a + a %}", None),
            ("{% set a = [1] %}{% set a = [a, a] %}", Some((1, 18))),
            ("{# {% set a = a ~ a %} #}{{ name", None),
            ("{% set", None),
        ];
        for (source, found) in table {
            let assigned = assigned(source).collect();
            assert_eq!(doubling(source, &assigned).map(|(place, _)| place), found, "{source}");
        }
    }

    proptest! {
        #[test]
        fn never_panics(source in "([{}%#~'\"a =\\PC]|set|endset|\\{% set a = a ~ a %\\}){0,40}") {
            let _ = doubling(&source, &assigned(&source).collect());
        }
    }
}
