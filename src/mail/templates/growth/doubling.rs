//! Finds assigned text that could double, before anything is rendered.

use std::collections::{BTreeMap, BTreeSet};

use super::pieces::{Piece, assignment, pieces, strings, without_strings, words};

/// Many times, for what is only asked whether it is more than once.
const MANY: usize = 2;

/// How deep files are followed that include each other; Tera refuses circles.
const INCLUDES_MAX: usize = 50;

/// What is known of all sources.
pub(in crate::mail::templates) struct Known<'a> {
    sources: BTreeMap<&'a str, &'a str>,
    /// All that any source assigns to: what a file includes sees what the file has assigned, and a loop what a later
    /// line of it has.
    assigned: BTreeSet<&'a str>,
}

impl<'a> Known<'a> {
    pub(in crate::mail::templates) fn new(sources: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let sources: BTreeMap<_, _> = sources.into_iter().collect();
        let assigned = sources.values().flat_map(|source| assigned(source)).collect();
        Self { sources, assigned }
    }

    /// Where assigned text could double: line and column, from 1, and what to say.
    pub(in crate::mail::templates) fn doubling(&self, source: &str) -> Option<((usize, usize), String)> {
        // Blocks that are assigned: where they begin, whose they are, how many loops are around them, and how many
        // assigned texts are in them.
        let mut blocks: Vec<(usize, &str, usize, usize)> = Vec::new();
        let mut loops = 0;
        for placed in pieces(source) {
            let at = placed.begin;
            if is_nested(&placed.piece) {
                return Some((place(source, at), "`[… for …]` stands within another; write a loop".to_owned()));
            }
            if let Piece::Tag(tag) = placed.piece {
                if words(tag).next() == Some("endset") {
                    if let Some((at, name, _, used)) = blocks.pop()
                        && used > 1
                    {
                        return Some((place(source, at), complaint(name)));
                    }
                    continue;
                }
                match assignment(tag) {
                    Some((name, Some(value))) => {
                        if self.doubles(value) {
                            return Some((place(source, at), complaint(name)));
                        }
                        continue;
                    }
                    Some((name, None)) => {
                        blocks.push((at, name, loops, 0));
                        continue;
                    }
                    None => loops = after(tag, loops),
                }
            }
            let used = self.used_by(&placed.piece, 0);
            for (_, _, around, sum) in &mut blocks {
                *sum = sum.saturating_add(if loops > *around { used.saturating_mul(MANY) } else { used });
            }
        }
        None
    }

    /// Whether a value may be more than twice as long as what was assigned before.
    fn doubles(&self, value: &str) -> bool {
        let bare = without_strings(value);
        let used = self.used_in(&bare);
        let is_many = words(&bare).any(|word| word == "for") || calls_component(&bare);
        (grows(&bare) && used > 1) || (used > 0 && is_many && (grows(&bare) || calls_component(&bare)))
    }

    /// How often assigned text is written by a piece, in a file that so many others include.
    fn used_by(&self, piece: &Piece<'_>, depth: usize) -> usize {
        match piece {
            Piece::Expression(code) => self.used_as_written(code),
            // With a body that follows.
            Piece::Tag(tag) if is_component(tag) => self.used_as_written(tag),
            Piece::Tag(tag) if words(tag).next() == Some("include") && depth < INCLUDES_MAX => {
                let paths = strings(tag).filter_map(|path| self.sources.get(path));
                paths.map(|source| self.used_by_file(source, depth + 1)).fold(0, usize::saturating_add)
            }
            Piece::Tag(_) => 0,
        }
    }

    fn used_by_file(&self, source: &str, depth: usize) -> usize {
        let mut loops = 0;
        let mut sum = 0_usize;
        for placed in pieces(source) {
            if let Piece::Tag(tag) = placed.piece {
                loops = after(tag, loops);
            }
            let used = self.used_by(&placed.piece, depth);
            sum = sum.saturating_add(if loops > 0 { used.saturating_mul(MANY) } else { used });
            // Enough is known, and files that include each other twice are many.
            if sum >= MANY {
                break;
            }
        }
        sum
    }

    /// A component may write its arguments as often as it likes.
    fn used_as_written(&self, code: &str) -> usize {
        let bare = without_strings(code);
        self.used_in(&bare) * if calls_component(&bare) { MANY } else { 1 }
    }

    fn used_in(&self, bare: &str) -> usize {
        words(bare).filter(|word| self.assigned.contains(*word)).count()
    }
}

/// The names that a source assigns to.
fn assigned(source: &str) -> impl Iterator<Item = &str> {
    pieces(source).filter_map(|placed| match placed.piece {
        Piece::Tag(tag) => assignment(tag).map(|(name, _)| name),
        Piece::Expression(_) => None,
    })
}

/// In how many loops, and bodies of components, what follows a tag is.
fn after(tag: &str, loops: usize) -> usize {
    let is_end = tag.trim_start_matches('-').trim_start().starts_with("</");
    match words(tag).next() {
        _ if is_end => loops.saturating_sub(1),
        _ if is_component(tag) => loops + 1,
        Some("for") => loops + 1,
        Some("endfor") => loops.saturating_sub(1),
        _ => loops,
    }
}

/// Whether a tag calls a component whose body follows.
fn is_component(tag: &str) -> bool {
    let tag = tag.trim_matches(|c: char| c == '-' || c.is_whitespace());
    tag.starts_with('<') && !tag.starts_with("</") && !tag.ends_with("/>")
}

fn calls_component(bare: &str) -> bool {
    bare.contains('>') && bare.match_indices('<').any(|(at, _)| bare[at + 1..].starts_with(char::is_alphabetic))
}

/// Whether a list is made for each element of another, in one expression: nothing bounds how long that takes.
fn is_nested(piece: &Piece<'_>) -> bool {
    let (code, own) = match piece {
        Piece::Expression(code) => (code, 0),
        Piece::Tag(tag) => (tag, usize::from(words(tag).next() == Some("for"))),
    };
    words(&without_strings(code)).filter(|word| *word == "for").count() > own + 1
}

fn complaint(name: &str) -> String {
    format!(
        "`{}` is made of more than one text that was assigned before, so it could double again and again; \
         write the parts out where they are used",
        crate::text::plain(name)
    )
}

/// Whether an expression can make longer text than its input.
fn grows(bare: &str) -> bool {
    bare.contains('~') || bare.contains('[') || words(bare).any(|word| matches!(word, "replace" | "join" | "concat"))
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
            assert_eq!(Known::new([("a", source)]).doubling(source).map(|(place, _)| place), found, "{source}");
        }
    }

    proptest! {
        #[test]
        fn never_panics(source in "([{}%#~'\"a =\\PC]|set|endset|\\{% set a = a ~ a %\\}){0,40}") {
            let _ = Known::new([("a", source.as_str())]).doubling(&source);
        }
    }
}
