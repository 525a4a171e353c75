//! The filter language: free text and terms, such as `status:pending domain:naver.com created:>2d mina`.
//!
//! Whatever someone may paste is looked for as it stands: an address is never taken for a term, nor is a line of a log,
//! one of whose words has a colon as no term has.

use std::ops::Range;
use std::str::FromStr;

use super::key::{Key, Place};
use super::moment::{Clock, Moment};
use super::words::{self, Kind, Word};
use super::{Filter, Reason, Search, Span, States};
use crate::domain::address::DomainName;
use crate::domain::send::SendState;
use crate::domain::verification::Status;
use crate::text::{plain, width};

/// A line that cannot be understood, and which word of it is to blame.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what}")]
pub struct WrongTerm {
    /// Where the word is in the line, in bytes.
    pub span: Range<usize>,
    /// What is wrong with it. Plain.
    pub what: String,
    /// Nothing is wrong yet: it is not typed to its end.
    pub is_unfinished: bool,
}

/// A name longer than this, no operator has.
const BY_MAX: usize = 200;

/// Reads a line.
pub fn parse(line: &str, place: Place, clock: Clock) -> Result<Filter, WrongTerm> {
    let words = words::words(line);
    if words::is_pasted(&words, place) || words.iter().all(|word| word.kind == Kind::Text) {
        return Ok(Filter { search: Search::parse(line), ..Filter::default() });
    }
    let text = words::free_text(line, &words);
    let mut filter = Filter { search: Search::parse(&text), ..Filter::default() };
    let mut seen: Vec<Key> = Vec::new();
    for Word { span, kind } in words {
        match kind {
            Kind::Text | Kind::Pasted => {}
            Kind::Unknown { name } => {
                let meant = words::nearest(name, place).map(|key| format!("; did you mean {}:?", key.as_str()));
                let all: Vec<&str> = place.keys().iter().map(|key| key.as_str()).collect();
                let what = match meant {
                    Some(meant) => format!("there is no {name}:{meant}"),
                    None => format!("there is no {name}:, only {}", all.join(", ")),
                };
                return Err(wrong(span.start..span.start + name.len(), &what));
            }
            Kind::Term { key, .. } if !place.keys().contains(&key) => {
                let what = format!("{}: is no term for {}", key.as_str(), place.noun());
                return Err(wrong(span, &what));
            }
            // Spans have two ends.
            Kind::Term { key, .. } if seen.contains(&key) && !matches!(key, Key::Created | Key::Expires) => {
                return Err(wrong(span, &format!("{}: is there twice", key.as_str())));
            }
            Kind::Term { key, value, at } => {
                seen.push(key);
                if value.is_empty() {
                    let what = format!("{}: {}", key.as_str(), key.wants());
                    return Err(WrongTerm { is_unfinished: true, ..wrong(span, &what) });
                }
                set(&mut filter, key, value, clock).map_err(|what| wrong(at.clone(), &what))?;
                if let Some(sort) = filter.sort.filter(|sort| !place.orders().contains(&sort.by)) {
                    let orders: Vec<&str> = place.orders().iter().map(|by| by.as_str()).collect();
                    let what = format!(
                        "{} are not sorted by {}, only by {}",
                        place.noun(),
                        sort.by.as_str(),
                        orders.join(", ")
                    );
                    return Err(wrong(at, &what));
                }
            }
        }
    }
    Ok(filter)
}

/// Where a term is in a line that is a filter.
#[must_use]
pub fn find(line: &str, place: Place, key: Key) -> Option<Range<usize>> {
    let words = words::words(line);
    let is_it = |word: &&Word<'_>| matches!(word.kind, Kind::Term { key: found, .. } if found == key);
    let found = words.iter().find(is_it).filter(|_| !words::is_pasted(&words, place))?;
    Some(found.span.clone())
}

/// A line without the word that a part of it is in.
#[must_use]
pub fn without(line: &str, part: &Range<usize>) -> String {
    let word = words::words(line).into_iter().map(|word| word.span).find(|word| word.contains(&part.start));
    let Some(word) = word else { return line.to_owned() };
    let [before, behind] = [&line[..word.start], &line[word.end..]].map(str::trim);
    [before, behind].join(if before.is_empty() || behind.is_empty() { "" } else { " " })
}

fn wrong(span: Range<usize>, what: &str) -> WrongTerm {
    WrongTerm { span, what: plain(what).into_string(), is_unfinished: false }
}

impl WrongTerm {
    /// The line without the wrong word.
    #[must_use]
    pub fn without_word(&self, line: &str) -> String {
        without(line, &self.span)
    }

    /// The line and a mark under the wrong word, for messages. Plain.
    #[must_use]
    pub fn pointed_at(&self, line: &str) -> [String; 2] {
        let part = |range: Range<usize>| plain(line.get(range).unwrap_or_default()).into_string();
        let before = width(&part(0..self.span.start));
        let marks = "^".repeat(width(&part(self.span.clone())).max(1));
        [plain(line).into_string(), format!("{}{marks}", " ".repeat(before))]
    }
}

fn set(filter: &mut Filter, key: Key, value: &str, clock: Clock) -> Result<(), String> {
    let unknown = || format!("\"{value}\" is no {}: {}", key.as_str(), key.wants());
    let lower = || value.to_lowercase();
    match key {
        Key::Status if lower() == "all" => filter.status = None,
        Key::Status => filter.status = Some(lower().parse::<Status>().map_err(|_| unknown())?),
        Key::Locale => filter.locale = Some(lower().parse().map_err(|_| unknown())?),
        Key::Mail => {
            let states = value.split(',').map(|word| word.to_lowercase().parse::<SendState>());
            filter.mail = states.collect::<Result<States, _>>().map_err(|_| unknown())?;
        }
        Key::Reason => filter.reason = Some(Reason::parse(value).ok_or_else(unknown)?),
        Key::Domain => filter.domain = Some(DomainName::parse(value).map_err(|_| unknown())?),
        Key::Job => filter.job = Some(value.parse().map_err(|_| unknown())?),
        Key::By => {
            let by = value.replace(['\0', '"'], "");
            filter.by = Some(by).filter(|by| (1..=BY_MAX).contains(&by.trim().chars().count()));
            filter.by.as_ref().ok_or_else(unknown)?;
        }
        Key::Action => filter.actions = several(value).map_err(|()| unknown())?,
        Key::Origin => filter.origins = several(value).map_err(|()| unknown())?,
        Key::Sort => filter.sort = Some(value.parse().map_err(|_| unknown())?),
        Key::Since => filter.since = Some(super::moment::time(value, clock).map_err(|error| error.to_string())?),
        Key::Until => filter.until = Some(super::moment::time(value, clock).map_err(|error| error.to_string())?),
        Key::Created => filter.created = filter.created.and(span(key, value, clock)?),
        Key::Expires => filter.expires = filter.expires.and(span(key, value, clock)?),
    }
    Ok(())
}

/// Values with commas between them; what is not typed yet behind the last one is none.
fn several<T: FromStr>(value: &str) -> Result<Vec<T>, ()> {
    value.trim_end_matches(',').split(',').map(|word| word.parse().map_err(|_| ())).collect()
}

/// One term alone, as an option of the command line says it. The error is the words that a line would be refused with.
pub fn term(key: Key, value: &str, clock: Clock) -> Result<Filter, String> {
    let mut filter = Filter::default();
    let value = value.trim();
    if value.is_empty() {
        return Err(key.wants());
    }
    set(&mut filter, key, value, clock).map(|()| filter)
}

/// `<2d`, `>2d`, `yesterday`, `<2026-11-01`. A distance is back from now, or ahead of it for what expires.
fn span(key: Key, value: &str, clock: Clock) -> Result<Span, String> {
    let (sign, rest) = match value.strip_prefix(['<', '>']) {
        Some(rest) => (value.chars().next(), rest),
        None => (None, value),
    };
    if rest.is_empty() {
        return Err(format!("{}: {}", key.as_str(), key.wants()));
    }
    let moment = Moment::read(rest, clock).map_err(|error| error.to_string())?;
    let (from, to) = (|time| Span { from: Some(time), to: None }, |time| Span { from: None, to: Some(time) });
    let now = clock.now;
    let length = if let Moment::Distance(length) = moment { Some(length) } else { None };
    let ahead = length.and_then(|length| now.checked_add_signed(length));
    Ok(match (sign, moment) {
        (None, Moment::Day(begin, end)) => Span { from: Some(begin), to: Some(end) },
        (None, _) => return Err(format!("put < or > before \"{rest}\": {}", key.wants())),
        (Some('<'), Moment::Distance(_)) if key == Key::Expires => Span { from: Some(now), to: ahead },
        (Some(_), Moment::Distance(_)) if key == Key::Expires => Span { from: ahead, to: None },
        (Some('<'), Moment::Distance(_)) => from(moment.begin(now)),
        (Some('<'), _) | (Some(_), Moment::Distance(_)) => to(moment.begin(now)),
        (Some(_), _) => from(moment.begin(now)),
    })
}

#[cfg(test)]
mod tests;
