//! Addresses near to the one that was looked for, where that is not there: one letter left out, doubled, swapped or
//! changed, or a common mail domain mistyped. They are candidates: each is looked up by an index, and nothing else is.

use std::collections::HashSet;

use super::Search;
use crate::domain::address::EmailAddress;

/// The candidates of each kind, at most: each is looked up in an index, in some microseconds.
const CANDIDATES_MAX: usize = 1_500;

/// From how many characters a word without a domain is worth it: shorter ones are near to too many.
const LOCAL_MIN: usize = 4;

/// Where most people have their mail, which some of them mistype.
const COMMON_DOMAINS: [&str; 17] = [
    "gmail.com",
    "naver.com",
    "daum.net",
    "hanmail.net",
    "kakao.com",
    "nate.com",
    "korea.com",
    "outlook.com",
    "hotmail.com",
    "live.com",
    "yahoo.com",
    "yahoo.co.kr",
    "icloud.com",
    "proton.me",
    "protonmail.com",
    "qq.com",
    "163.com",
];

/// What may have been meant, in lower case, the likeliest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Candidates {
    /// Addresses.
    pub emails: Vec<String>,
    /// Parts before the `@`, whatever the domain.
    pub locals: Vec<String>,
}

/// What may have been meant by a search that found no one. Nothing by names, numbers and ids.
#[must_use]
pub fn candidates(search: &Search) -> Candidates {
    if let Some((local, domain)) = search.mailbox().and_then(|mailbox| mailbox.email.split_once('@')) {
        let near = COMMON_DOMAINS.iter().filter(|common| strsim::osa_distance(domain, common) == 1);
        let mut emails: Vec<String> = near.map(|common| format!("{local}@{common}")).collect();
        emails.extend(misspelt(local).into_iter().map(|local| format!("{local}@{domain}")));
        emails.truncate(CANDIDATES_MAX);
        return Candidates { emails, locals: vec![local.to_owned()] };
    }
    let word = search.typed().trim_end_matches(['.', ',', ';', '@']).to_lowercase();
    let is_local = word.len() >= LOCAL_MIN && word.bytes().any(|b| b.is_ascii_alphabetic()) && is_local(&word);
    let locals = if is_local { misspelt(&word) } else { Vec::new() };
    Candidates { emails: Vec::new(), locals }
}

fn is_local(text: &str) -> bool {
    text.is_ascii() && EmailAddress::parse(&format!("{text}@example.com")).is_ok()
}

/// What becomes of a word by one slip, the likeliest ones first.
fn misspelt(word: &str) -> Vec<String> {
    const LETTERS: &[u8] = b"._-abcdefghijklmnopqrstuvwxyz0123456789";
    let bytes = word.as_bytes();
    let mut seen = HashSet::from([word.to_owned()]);
    let mut all = Vec::new();
    let mut add = |changed: Vec<u8>| {
        if all.len() < CANDIDATES_MAX
            && let Ok(changed) = String::from_utf8(changed)
            && is_local(&changed)
            && seen.insert(changed.clone())
        {
            all.push(changed);
        }
    };
    let with =
        |range: std::ops::Range<usize>, letters: &[u8]| [&bytes[..range.start], letters, &bytes[range.end..]].concat();
    for at in 1..bytes.len() {
        add(with(at - 1..at + 1, &[bytes[at], bytes[at - 1]]));
    }
    for at in 0..bytes.len() {
        add(with(at..at + 1, &[]));
        add(with(at..at, &bytes[at..=at]));
    }
    for letter in LETTERS {
        for at in 0..=bytes.len() {
            add(with(at..at, &[*letter]));
        }
        for at in 0..bytes.len() {
            add(with(at..at + 1, &[*letter]));
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn of(text: &str) -> Candidates {
        candidates(&Search::parse(text).unwrap())
    }

    #[test]
    fn slips() {
        for (typed, meant) in [
            ("mina.kmi@example.com", "mina.kim@example.com"),
            ("mina.ki@example.com", "mina.kim@example.com"),
            ("mina.kimm@example.com", "mina.kim@example.com"),
            ("joonho@example.com", "jonho@example.com"),
            ("minakim@example.com", "mina.kim@example.com"),
            ("mina_kim@example.com", "mina.kim@example.com"),
            ("Mina Kim <mina.kin@example.com>", "mina.kim@example.com"),
            ("mina.kim@gmial.com", "mina.kim@gmail.com"),
            ("mina.kim@nvaer.com", "mina.kim@naver.com"),
            ("mina.kim@daum.ent", "mina.kim@daum.net"),
            ("mina.kim@hanmail.ner", "mina.kim@hanmail.net"),
        ] {
            assert!(of(typed).emails.iter().any(|email| email == meant), "{typed}");
        }
        assert_eq!(of("mina.kim@example.com").locals, ["mina.kim"], "the same with another domain");
        assert!(of("mina.kmi").locals.iter().any(|local| local == "mina.kim"));
        for text in ["김미나", "kim mina", "42", "user 42", "abc", "%", "@gmial.com"] {
            assert_eq!(of(text), Candidates::default(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn they_are_bounded_and_none_is_what_was_typed(local in "[a-z0-9._%'-]{1,64}", domain in "[a-z]{1,30}\\.[a-z]{2,4}") {
            for text in [local.clone(), format!("{local}@{domain}")] {
                let Some(search) = Search::parse(&text) else { continue };
                let Candidates { emails, locals } = candidates(&search);
                prop_assert!(emails.len() <= CANDIDATES_MAX && locals.len() <= CANDIDATES_MAX);
                // Quotes around it are not of the address.
                prop_assert!(search.mailbox().is_none_or(|mailbox| !emails.contains(&mailbox.email)));
                prop_assert!(emails.iter().all(|email| EmailAddress::parse(email).is_ok()));
            }
        }
    }
}
