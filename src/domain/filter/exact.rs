//! What a search's text is as a whole: someone's address, their name, a number or an id.

use super::search::{Number, Search, words};
use crate::domain::id::{SendId, VerificationId};

/// What a user or a mail has to have to be exactly what was looked for: one of these is enough.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exact<'a> {
    /// An address, in lower case.
    pub email: Option<&'a str>,
    /// A name in lower case, in each way that it may have been written.
    pub names: Vec<String>,
    pub verification: Option<VerificationId>,
    pub send: Option<SendId>,
    pub ses_ids: &'a [String],
}

impl Search {
    /// `None` where nothing is found but what it names.
    #[must_use]
    pub fn exact(&self) -> Option<Exact<'_>> {
        if self.clauses().is_empty() || !self.can_find() {
            return None;
        }
        let email = self.mailbox().map(|mailbox| mailbox.email.as_str());
        let verification = match self.number() {
            Some(Number::Verification(id)) => Some(id),
            Some(Number::User(_)) | None => None,
        };
        let mut names = if email.is_some() { Vec::new() } else { names(self.typed()) };
        // Of few letters, the beginning alone is looked for: without the quotes before it.
        names.retain(|name| self.fits("", name));
        Some(Exact { email, names, verification, send: self.send(), ses_ids: self.ses_ids() })
    }

    /// Whether a user is exactly the one: what the database is asked, for lists that are not there.
    #[must_use]
    pub fn is_exactly(&self, email: &str, name: &str, id: VerificationId) -> bool {
        self.exact().is_some_and(|exact| {
            exact.email.is_some_and(|exact| exact == email.to_lowercase())
                || exact.names.contains(&name.to_lowercase())
                || exact.verification == Some(id)
        })
    }
}

/// As it stands, without what stands around words, and, where names have no spaces between their parts, without those.
fn names(typed: &str) -> Vec<String> {
    let (typed, words) = words(typed);
    let mut names = vec![words.join(" ")];
    if !typed.is_ascii() {
        names.push(words.concat());
    }
    names.push(typed);
    let mut once: Vec<String> = Vec::new();
    for name in names {
        if !name.is_empty() && !once.contains(&name) {
            once.push(name);
        }
    }
    once
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// An address, names, a verification's number.
    type Meant<'a> = (Option<String>, &'a [&'a str], Option<i64>);

    #[test]
    fn the_whole_text_is_meant() {
        let of = |text: &str| {
            let search = Search::parse(text).unwrap();
            search.exact().map(|exact| {
                let verification = exact.verification.map(|id| id.0);
                (exact.email.map(str::to_owned), exact.names, verification)
            })
        };
        let mina = Some("mina.kim@example.com".to_owned());
        let table: [(&str, Option<Meant<'_>>); 11] = [
            ("mina.kim@Example.com", Some((mina.clone(), &[], None))),
            ("Kim Mina <mina.kim@example.com>", Some((mina, &[], None))),
            ("Mina", Some((None, &["mina"], None))),
            ("\"Kim,  Mina\".", Some((None, &["kim mina", "\"kim,  mina\"."], None))),
            ("김 미나", Some((None, &["김 미나", "김미나"], None))),
            ("\u{1100}\u{1175}\u{11b7}", Some((None, &["김"], None))),
            ("42", Some((None, &["42"], Some(42)))),
            ("#42", Some((None, &["#42"], Some(42)))),
            ("'k", Some((None, &["k"], None))),
            ("user 42", None),
            ("%", None),
        ];
        for (text, exact) in table {
            let exact = exact.map(|(email, names, id)| (email, names.iter().map(|&n| n.to_owned()).collect(), id));
            assert_eq!(of(text), exact, "{text}");
        }
    }

    proptest! {
        /// Else a row would stand first that the list does not have.
        #[test]
        fn what_is_exactly_it_is_found(text in "\\PC{1,40}", words in "[a-c가-나 .,'\"<%_]{1,20}") {
            for text in [text, words] {
                let Some(search) = Search::parse(&text) else { continue };
                let Some(exact) = search.exact() else { continue };
                for name in exact.names {
                    prop_assert!(search.fits("", &name), "{name}");
                }
                if let Some(email) = exact.email {
                    prop_assert!(search.fits(email, ""), "{email}");
                }
            }
        }
    }
}
