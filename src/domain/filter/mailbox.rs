//! The address in what someone pasted: a mailbox of a mail program, a link, a line of a server's log.

use crate::domain::address::EmailAddress;
use crate::text::{plain, trimmed};

/// At how many `@` an address is looked for; what has more is no line of a log.
const PLACES_MAX: usize = 32;

/// What stands around an address, or at the beginning of it, in texts; within an address none of them is common.
const QUOTES: &str = "\"'`*“”‘’«»「」『』";

/// An address, and the name that was written before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mailbox {
    /// As it would be stored, in lower case.
    pub email: String,
    /// Empty where there was none.
    pub name: String,
}

/// The first address in a text. Of what may belong to it or not (`to=mina@example.com`) the shorter is taken: a search
/// for that finds the longer one as well.
#[must_use]
pub fn find(text: &str) -> Option<Mailbox> {
    let text = &without_mailto(text);
    text.match_indices('@').take(PLACES_MAX).find_map(|(at, _)| {
        let before = &text[..at];
        let local = local_part(before);
        let email = EmailAddress::parse(&format!("{local}@{}", domain(&text[at + 1..]))).ok()?;
        // The `Message-ID` that SES makes is no mailbox.
        if super::search::is_ses_id(local) {
            return None;
        }
        let name = name_before(&before[..before.len() - local.len()]);
        Some(Mailbox { email: email.as_str().to_lowercase(), name })
    })
}

/// The text with a `mailto:` link's address in its place.
#[must_use]
pub(super) fn without_mailto(text: &str) -> String {
    const SCHEME: &str = "mailto:";
    let begin = text.char_indices().map(|(at, _)| at).find(|at| {
        let scheme = text.as_bytes().get(*at..*at + SCHEME.len());
        scheme.is_some_and(|bytes| bytes.eq_ignore_ascii_case(SCHEME.as_bytes()))
    });
    let Some(begin) = begin else { return text.to_owned() };
    let rest = &text[begin + SCHEME.len()..];
    let ends = |c: char| c.is_whitespace() || matches!(c, '<' | '>' | '"' | ')' | ']');
    let (link, after) = rest.split_at(rest.find(ends).unwrap_or(rest.len()));
    let address = link.split('?').next().unwrap_or_default();
    format!("{}{}{after}", &text[..begin], percent_decoded(address))
}

/// What is no escape stays as it is.
fn percent_decoded(text: &str) -> String {
    let (mut bytes, mut rest) = (Vec::new(), text.as_bytes());
    while let [first, after @ ..] = rest {
        let digits = after.get(..2).filter(|_| *first == b'%').and_then(|digits| std::str::from_utf8(digits).ok());
        let decoded = digits.filter(|d| d.bytes().all(|b| b.is_ascii_hexdigit()));
        if let Some(byte) = decoded.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            bytes.push(byte);
            rest = &after[2..];
        } else {
            bytes.push(*first);
            rest = after;
        }
    }
    String::from_utf8_lossy(&bytes).replace('\0', "")
}

/// The end of a text, as far as it can be the part before the `@`.
fn local_part(before: &str) -> &str {
    let is_atom = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~.".contains(c);
    let begin = before.char_indices().rev().take_while(|(_, c)| is_atom(*c)).last().map_or(before.len(), |(at, _)| at);
    let mut local = &before[begin..];
    // `to=mina`, as logs have it.
    if let Some((key, value)) = local.split_once('=')
        && !value.is_empty()
        && key.chars().all(|c| c.is_ascii_alphabetic() || matches!(c, '_' | '-'))
    {
        local = value;
    }
    if let Some((_, value)) = local.rsplit_once('|').filter(|(_, value)| !value.is_empty()) {
        local = value;
    }
    let bare = local.trim_start_matches(|c| QUOTES.contains(c) || matches!(c, '.' | '/' | '=' | '{'));
    // One that is made of nothing else has its last character.
    if bare.is_empty() { local.char_indices().last().map_or(local, |(at, _)| &local[at..]) } else { bare }
}

/// The beginning of a text, as far as it can be a domain.
fn domain(after: &str) -> &str {
    let ends = |c: char| !(c.is_alphanumeric() || matches!(c, '-' | '.' | '。') || is_mark(c));
    let domain = after.split(ends).next().unwrap_or_default().trim_end_matches(['.', '-', '。']);
    // A Korean particle follows without a space (`mina@example.com으로`); no top-level domain mixes scripts.
    let top = domain.rfind('.').map_or(0, |dot| dot + 1);
    let is_latin = domain[top..].starts_with(|c: char| c.is_ascii_alphabetic());
    let other = domain[top..].find(|c: char| !c.is_ascii()).filter(|_| is_latin);
    other.map_or(domain, |other| &domain[..top + other])
}

/// Vowel signs and joiners, without which domains of some scripts cannot be written.
fn is_mark(c: char) -> bool {
    !c.is_ascii() && unicode_width::UnicodeWidthChar::width(c) == Some(0)
}

/// The name of `Kim Mina <`: nothing if what is before the address is no name.
fn name_before(before: &str) -> String {
    let Some(name) = before.trim_end().strip_suffix('<') else { return String::new() };
    let name = trimmed(name).trim_matches(|c: char| QUOTES.contains(c) || c == '\\');
    let is_name = !name.contains(['@', '=', '<', '>', ':', ';']) && crate::domain::name::check(name).is_ok();
    if is_name { plain(name).into_string() } else { String::new() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn finds_the_address() {
        let mina = "mina.kim@example.com";
        let table = [
            ("Kim Mina <mina.kim@Example.com>", mina, "Kim Mina"),
            ("\"김미나\" <mina.kim@example.com>,", mina, "김미나"),
            ("<mina.kim@example.com>", mina, ""),
            ("mina.kim@example.com.", mina, ""),
            ("'mina.kim@example.com';", mina, ""),
            ("“mina.kim@example.com”", mina, ""),
            ("mina.kim@example.com으로 안 왔어요", mina, ""),
            ("mailto:mina.kim%40example.com?subject=a@b.test", mina, ""),
            ("[write](MAILTO:mina%2Ekim@example.com)", mina, ""),
            ("Kim Mina <mailto:mina.kim@example.com>", mina, "Kim Mina"),
            ("mina.kim@example.com, joon@example.com", mina, ""),
            ("Nov 27 smtpd[4]: AB12: to=<mina.kim@example.com>, relay=mx[1.2.3.4]:25, status=bounced", mina, ""),
            ("orig_to=mina.kim@example.com delay=3", mina, ""),
            ("=> mina.kim@example.com R=dnslookup T=remote_smtp", mina, ""),
            ("mina@예시.한국", "mina@xn--vv4b15g.xn--3e0b707e", ""),
        ];
        for (text, email, name) in table {
            let found = find(text);
            let found = found.as_ref().map(|found| (found.email.as_str(), found.name.as_str()));
            // The Punycode of a domain is what the sign-up makes of it.
            let email = if email.contains("xn--") {
                EmailAddress::parse(text).unwrap().as_str().to_owned()
            } else {
                email.into()
            };
            assert_eq!(found, Some((email.as_str(), name)), "{text}");
        }
        for text in ["", "@", "mina", "@example.com", "mina@", "mina@localhost", "김미나@", "a @ b.com", "mailto:"] {
            assert_eq!(find(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn hostile_text_is_no_trouble(text in "\\PC{0,60}", parts in "[@<>\"'=:?%a-c가.\\s]{0,40}") {
            for text in [text, parts.clone(), format!("mailto:{parts}"), parts.replace('%', "%e0%9")] {
                if let Some(found) = find(&text) {
                    prop_assert!(EmailAddress::parse(&found.email).is_ok());
                }
            }
        }
    }
}
