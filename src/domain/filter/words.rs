//! The words of a filter line, and which of them may be terms.

use std::ops::Range;

use super::key::{Key, Place};
use super::mailbox;
use crate::text::trimmed;

/// A word and what it may be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Word<'a> {
    pub span: Range<usize>,
    pub kind: Kind<'a>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Kind<'a> {
    /// To be looked for.
    Text,
    /// The beginning and the value of a term, and where the value is. The value is without its quotes.
    Term { key: Key, value: &'a str, at: Range<usize> },
    /// Looks like a term, and no term has that name.
    Unknown { name: &'a str },
    /// Has a colon in it, and no one would type it as a term.
    Pasted,
}

/// The words of a line.
pub(super) fn words(line: &str) -> Vec<Word<'_>> {
    let mut words = Vec::new();
    let mut rest = 0;
    while let Some(begin) = line[rest..].find(|c: char| !c.is_whitespace()).map(|at| rest + at) {
        let end = end_of(line, begin);
        let is_last = line[end..].trim().is_empty();
        words.push(Word { span: begin..end, kind: kind(line, begin..end, is_last) });
        rest = end;
    }
    words
}

/// The end of the word that begins there. The value of a term may be in quotes, with spaces in it.
fn end_of(line: &str, begin: usize) -> usize {
    let word = &line[begin..];
    let plain = word.find(char::is_whitespace).unwrap_or(word.len());
    let value = word[..plain].split_once(":\"").filter(|(name, _)| Key::of(name).is_some());
    let Some((name, _)) = value else { return begin + plain };
    let value = begin + name.len() + 2;
    match line[value..].find('"') {
        Some(closing) => value + closing + 1,
        // Still being typed.
        None => line.len(),
    }
}

fn kind(line: &str, span: Range<usize>, is_last: bool) -> Kind<'_> {
    let word = &line[span.clone()];
    let Some((name, value)) = word.split_once(':') else {
        let is_of_log = word.contains('=') && !word.starts_with('"') && mailbox::find(word).is_none();
        return if is_of_log { Kind::Pasted } else { Kind::Text };
    };
    // In quotes nothing is a term; and whatever has an address in it is about that.
    let may_hold_address = Key::of(name).is_some_and(|key| matches!(key, Key::By | Key::Reason));
    let is_link = word.get(..7).is_some_and(|scheme| scheme.eq_ignore_ascii_case("mailto:"));
    if word.starts_with('"') || is_link || !may_hold_address && mailbox::find(word).is_some() {
        return Kind::Text;
    }
    let at = span.start + name.len() + 1..span.end;
    match Key::of(name) {
        // `Status: 5.1.1` is no one's filter.
        Some(_) if value.is_empty() && !is_last => Kind::Pasted,
        Some(key) => {
            let (value, at) = unquoted(value, at);
            Kind::Term { key, value, at }
        }
        None if is_name(name) && !value.is_empty() && !value.starts_with('/') => Kind::Unknown { name },
        None => Kind::Pasted,
    }
}

fn unquoted(value: &str, at: Range<usize>) -> (&str, Range<usize>) {
    match value.strip_prefix('"') {
        Some(inner) => match inner.strip_suffix('"') {
            Some(inner) => (inner, at.start + 1..at.end - 1),
            None => (inner, at.start + 1..at.end),
        },
        None => (value, at),
    }
}

/// A value as it can be read again.
pub(super) fn quoted(value: &str) -> String {
    if value.contains(char::is_whitespace) { format!("\"{value}\"") } else { value.to_owned() }
}

/// What a term's name can be like.
fn is_name(name: &str) -> bool {
    (2..=12).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_lowercase())
}

/// Whether a line was pasted, not typed as a filter: one of its words is none of a filter's. Then all of it is looked for.
pub(super) fn is_pasted(words: &[Word<'_>], place: Place) -> bool {
    let has_term = words.iter().any(|word| matches!(word.kind, Kind::Term { .. }));
    let is_slip = |word: &Word<'_>| matches!(word.kind, Kind::Unknown { name } if nearest(name, place).is_some());
    let has_unknown = words.iter().any(|word| matches!(word.kind, Kind::Unknown { .. }));
    words.iter().any(|word| word.kind == Kind::Pasted) || has_unknown && !has_term && !words.iter().any(is_slip)
}

/// The term that was probably meant.
pub(super) fn nearest(name: &str, place: Place) -> Option<Key> {
    const SLIP_MAX: usize = 1;
    // Short names are near to too many words.
    let near = |key: &&Key| key.as_str().len() > 4 && strsim::osa_distance(key.as_str(), name) <= SLIP_MAX;
    place.keys().iter().find(near).copied()
}

/// The words that are looked for, as they stand in the line.
pub(super) fn free_text(line: &str, words: &[Word<'_>]) -> String {
    let text: Vec<&str> =
        words.iter().filter(|word| word.kind == Kind::Text).map(|word| &line[word.span.clone()]).collect();
    trimmed(&text.join(" ")).to_owned()
}
