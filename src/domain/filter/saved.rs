//! Filters that have a name, in the settings: `@name` in a line stands for the line that is saved under it.

use std::collections::BTreeMap;
use std::ops::Range;

use serde::Deserialize;

use super::key::Place;
use super::line::{self, WrongTerm};
use super::moment::Clock;
use super::words::{self, Kind};
use super::{Filter, Search};
use crate::domain::Time;
use crate::text::plain;

/// Lines by their names.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Saved(BTreeMap<Name, Line>);

/// What follows the `@`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
struct Name(String);

/// A line that can be read in one list at least.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
struct Line(String);

/// Longest name, in characters.
const NAME_MAX: usize = 30;

/// What lists can be filtered.
const PLACES: [Place; 3] = [Place::Verifications, Place::Mails, Place::Audit];

impl TryFrom<String> for Name {
    type Error = String;

    fn try_from(name: String) -> Result<Self, String> {
        let is_letter = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_';
        if (1..=NAME_MAX).contains(&name.len()) && name.bytes().all(is_letter) {
            return Ok(Self(name));
        }
        let name = plain(&name);
        Err(format!("\"{name}\" is no name for a filter: 1 to {NAME_MAX} of a to z, 0 to 9, - and _ make one"))
    }
}

impl TryFrom<String> for Line {
    type Error = String;

    fn try_from(line: String) -> Result<Self, String> {
        // Any moment does: whether `2h` and `yesterday` can be read does not depend on it.
        let clock = Clock::utc(Time::from_timestamp(1_750_000_000, 0).unwrap_or_default());
        // It stands within other lines, of which an open quote would take the rest.
        if line.matches('"').count() % 2 == 1 {
            return Err(format!("a quote is not closed in \"{}\"", plain(&line)));
        }
        // What is typed may have been pasted, what is saved has not: a term that is none is a slip.
        let all = words::words(&line).into_iter().find_map(|word| match word.kind {
            Kind::Unknown { name } => Some(format!("there is no {}: in \"{}\"", plain(name), plain(&line))),
            Kind::Pasted => Some(format!("\"{}\" is no term, in \"{}\"", plain(&line[word.span]), plain(&line))),
            Kind::Text | Kind::Term { .. } => None,
        });
        if let Some(wrong) = all {
            return Err(wrong);
        }
        let mut furthest: Option<WrongTerm> = None;
        for place in PLACES {
            match line::parse(&line, place, clock) {
                Ok(filter) if finds(&filter, &line) => return Ok(Self(line)),
                Ok(_) => return Err("it needs a letter or a digit".into()),
                Err(wrong) if furthest.as_ref().is_none_or(|other| other.span.start < wrong.span.start) => {
                    furthest = Some(wrong);
                }
                Err(_) => {}
            }
        }
        let Some(wrong) = furthest else { return Ok(Self(line)) };
        let word = line.get(wrong.span.clone()).unwrap_or_default();
        Err(format!("{wrong}; at \"{}\" in \"{}\"", plain(word), plain(&line)))
    }
}

fn finds(filter: &Filter, line: &str) -> bool {
    filter.search.as_ref().map_or(!line.trim().is_empty(), Search::can_find)
}

/// A line with what its names stand for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expanded {
    pub line: String,
    parts: Vec<Part>,
}

/// A piece of it, and what of the line that was typed it comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Part {
    at: Range<usize>,
    typed: Range<usize>,
    is_saved: bool,
}

impl Saved {
    /// Those that can be used for a list, in the order of the alphabet.
    pub fn names(&self, place: Place, clock: Clock) -> impl Iterator<Item = &str> {
        let fits = move |line: &Line| line::parse(&line.0, place, clock).is_ok();
        self.0.iter().filter(move |(_, line)| fits(line)).map(|(name, _)| name.0.as_str())
    }

    fn get(&self, name: &str) -> Option<&str> {
        let name = name.to_lowercase();
        self.0.iter().find(|(saved, _)| saved.0 == name).map(|(_, line)| line.0.as_str())
    }

    /// The name that was probably meant by a word that is none.
    fn nearest(&self, name: &str) -> Option<&str> {
        let is_near = |saved: &&Name| name.len() > 3 && strsim::osa_distance(&saved.0, &name.to_lowercase()) == 1;
        self.0.keys().find(is_near).map(|saved| saved.0.as_str())
    }

    /// Puts lines in the place of their names. `@naver.com`, which names none, stays what is looked for.
    #[must_use]
    pub fn expand(&self, line: &str) -> Expanded {
        let mut expanded = Expanded { line: String::new(), parts: Vec::new() };
        let mut rest = 0;
        for word in words::words(line).into_iter().filter(|word| word.kind == Kind::Text) {
            let saved = line[word.span.clone()].strip_prefix('@').and_then(|name| self.get(name));
            if let Some(saved) = saved {
                expanded.push(&line[rest..word.span.start], rest..word.span.start, false);
                rest = word.span.end;
                expanded.push(saved, word.span, true);
            }
        }
        expanded.push(&line[rest..], rest..line.len(), false);
        expanded
    }

    /// Reads a line in which names may stand.
    pub fn read(&self, line: &str, place: Place, clock: Clock) -> Result<Filter, WrongTerm> {
        let expanded = self.expand(line);
        if let Some(wrong) = self.slip(line) {
            return Err(wrong);
        }
        line::parse(&expanded.line, place, clock).map_err(|wrong| expanded.as_typed(line, wrong))
    }

    /// A word that looks like the name of one, and is a letter away from it.
    fn slip(&self, line: &str) -> Option<WrongTerm> {
        words::words(line).into_iter().filter(|word| word.kind == Kind::Text).find_map(|word| {
            let name = line[word.span.clone()].strip_prefix('@').filter(|name| self.get(name).is_none())?;
            let meant = self.nearest(name)?;
            let what = format!("there is no @{}; did you mean @{meant}?", plain(name));
            Some(WrongTerm { span: word.span.clone(), what, is_unfinished: meant.starts_with(&name.to_lowercase()) })
        })
    }
}

impl Expanded {
    fn push(&mut self, text: &str, typed: Range<usize>, is_saved: bool) {
        let begin = self.line.len();
        self.line.push_str(text);
        self.parts.push(Part { at: begin..self.line.len(), typed, is_saved });
    }

    /// What is wrong, said of the line that was typed.
    fn as_typed(&self, line: &str, wrong: WrongTerm) -> WrongTerm {
        let part = self.parts.iter().find(|part| part.at.contains(&wrong.span.start));
        match part {
            Some(part) if part.is_saved => {
                let name = plain(line.get(part.typed.clone()).unwrap_or_default());
                WrongTerm { span: part.typed.clone(), what: format!("{name}: {}", wrong.what), is_unfinished: false }
            }
            Some(part) => {
                let at = |end: usize| end - part.at.start + part.typed.start;
                WrongTerm { span: at(wrong.span.start)..at(wrong.span.end), ..wrong }
            }
            None => wrong,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn saved() -> Saved {
        toml::from_str(
            "lost = 'mail:failed,unknown since:yesterday'\nnaver = 'status:pending domain:naver.com kim'\n\
             forced = 'action:force-verify'",
        )
        .unwrap()
    }

    fn clock() -> Clock {
        Clock::utc("2026-11-27T12:00:00Z".parse().unwrap())
    }

    #[test]
    fn a_name_stands_for_its_line() {
        let read = |line: &str, place| saved().read(line, place, clock());
        for (line, place, long) in [
            ("@lost", Place::Mails, "mail:failed,unknown since:yesterday"),
            ("mina  @LOST until:18:00", Place::Mails, "mina mail:failed,unknown since:yesterday until:18:00"),
            ("@naver mail:bounced jun", Place::Verifications, "kim jun status:pending domain:naver.com mail:bounced"),
            ("by:mina @forced", Place::Audit, "by:mina action:force-verify"),
        ] {
            assert_eq!(read(line, place), line::parse(long, place, clock()), "{line}");
        }
        // No names.
        for line in ["@naver.com", "mina@naver", "\"@lost\"", "@", "@x", "by:\"@lost"] {
            assert_eq!(read(line, Place::Audit), line::parse(line, Place::Audit, clock()), "{line}");
        }
    }

    #[test]
    fn what_is_wrong_is_said_of_the_line_that_was_typed() {
        let table = [
            ("kim @naver", Place::Mails, "@naver", "@naver: status: is no term for mails"),
            ("김 @lost mail:bounced", Place::Mails, "mail:bounced", "mail: is there twice"),
            ("mail:bounced @lost", Place::Mails, "@lost", "@lost: mail: is there twice"),
            ("@lost 김 status:x", Place::Verifications, "x", "\"x\" is no status: "),
            ("kim @lsot", Place::Mails, "@lsot", "there is no @lsot; did you mean @lost?"),
        ];
        for (line, place, word, what) in table {
            let wrong = saved().read(line, place, clock()).unwrap_err();
            assert_eq!(&line[wrong.span.clone()], word, "{line}");
            assert!(wrong.what.starts_with(what), "{line}: {}", wrong.what);
        }
    }

    #[test]
    fn only_those_that_a_list_can_have_are_offered() {
        let names = |place| saved().names(place, clock()).map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(names(Place::Verifications), ["lost", "naver"]);
        assert_eq!(names(Place::Mails), ["lost"]);
        assert_eq!(names(Place::Audit), ["forced"]);
    }

    #[test]
    fn what_cannot_be_read_is_not_saved() {
        let refused = |text: &str| toml::from_str::<Saved>(text).unwrap_err().message().to_owned();
        for (text, why) in [
            ("a = 'kim status:pendng'", "\"pendng\" is no status: "),
            ("a = 'kim status:pendng'", "; at \"pendng\" in \"kim status:pendng\""),
            ("a = 'status:pending by:x'", "by: is no term for verifications"),
            ("a = 'status:'", "status: pending, verified"),
            ("a = 'mial:failed kim'", "there is no mial: in \"mial:failed kim\""),
            ("a = 'status: kim'", "\"status:\" is no term, in \"status: kim\""),
            ("a = ' '", "it needs a letter or a digit"),
            ("a = '%'", "it needs a letter or a digit"),
            ("a = 'reason:\"x'", "a quote is not closed"),
            ("'A b' = 'kim'", "is no name for a filter"),
            ("\"x\\u001b\" = 'kim'", "is no name for a filter"),
            ("'naver.com' = 'kim'", "is no name for a filter"),
        ] {
            let error = refused(text);
            assert!(error.contains(why) && !error.contains('\u{1b}'), "{text}: {error}");
        }
    }

    proptest! {
        #[test]
        fn hostile_text_is_no_trouble(text in "\\PC{0,40}", odd in "[@\":a-z김 ]{0,10}(@lost|@naver|@lsot)?[@\": a-z김]{0,20}") {
            for line in [&text, &odd, &format!("{odd} {text}")] {
                for place in PLACES {
                    if let Err(wrong) = saved().read(line, place, clock()) {
                        let word = line.get(wrong.span.clone());
                        prop_assert!(word.is_some_and(|word| !word.is_empty()), "{:?}", wrong);
                        let _ = wrong.pointed_at(line);
                    }
                }
            }
        }
    }
}
