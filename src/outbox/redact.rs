//! Takes the link out of what a mail server says. Content filters quote what they dislike, and an answer is recorded,
//! shown and logged: a key that came along would verify anyone who reads it.
//!
//! A quote is seldom letter by letter: filters fold case, encode, wrap and cut. So a part of the mail's own key is
//! found by its letters and digits alone, whatever stands between them; even one of the wrong case is too good a hint.
//! Behind `key=` anything goes, since the key there may be another mail's.

use std::ops::Range;

use crate::domain::key::Key;
use crate::mail::transport::{Cause, Failure, Receipt, Reply};
use crate::ses::ApiRefusal;
use crate::text::Untrusted;

/// What stands for what was taken out.
const REDACTED: &str = "…";

/// How many letters and digits of the key in a row reveal it. Fewer leave more to guess than anyone can.
const RUN_MIN: usize = 8;

/// What a character may be written with, as its hexadecimal number: nothing, percent-encoding, quoted-printable, both,
/// and what link-rewriting filters make of percent-encoding.
const ESCAPES: [&str; 5] = ["", "%", "=", "%=", "-"];

/// `=` as those write it.
const EQUALS: [&str; 7] = ["=3d", "%3d", "%253d", "-3d", "&#61;", "&#x3d;", "="];

/// A server's answer to a mail with this key, without the key.
pub(super) fn answer(result: Result<Receipt, Failure>, key: &Key) -> Result<Receipt, Failure> {
    let clean = |what: &Untrusted| Untrusted::new(text(what.raw(), key));
    match result {
        Ok(Receipt { reply, ses_id }) => Ok(Receipt { reply: clean(&reply), ses_id: ses_id.as_ref().map(clean) }),
        Err(Failure { stage, cause }) => {
            let cause = match cause {
                Cause::Reply(reply) => Cause::Reply(Reply::new(reply.code, clean(&reply.text))),
                Cause::ApiRefusal(refusal) => {
                    Cause::ApiRefusal(ApiRefusal { message: clean(&refusal.message), ..refusal })
                }
                Cause::NoCredentials(what) => Cause::NoCredentials(clean(&what)),
                Cause::Network(what) => Cause::Network(clean(&what)),
                Cause::OutOfTurn(what) => Cause::OutOfTurn(clean(&what)),
                Cause::Certificate(what) => Cause::Certificate(clean(&what)),
                Cause::File(what) => Cause::File(clean(&what)),
                other @ (Cause::TimedOut(_) | Cause::NoStartTls | Cause::NoAuth | Cause::LeaseEnds) => other,
            };
            Err(Failure { stage, cause })
        }
    }
}

/// Text without the key, whole or in parts, and without the value of any `key=`.
pub(super) fn text(text: &str, key: &Key) -> String {
    let key: Vec<char> = letters(&key.expose(), "").into_iter().map(|letter| letter.is).collect();
    let mut secret: Vec<Range<usize>> = ESCAPES.iter().flat_map(|escapes| parts_of(&key, text, escapes)).collect();
    secret.extend(values(text));
    secret.sort_unstable_by_key(|range| range.start);
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    for range in secret {
        if range.start > at || out.is_empty() {
            out.push_str(&text[at..range.start]);
            out.push_str(REDACTED);
        }
        at = at.max(range.end);
    }
    out.push_str(&text[at..]);
    out
}

/// A letter or digit in lower case, and where it stands.
struct Letter {
    is: char,
    at: Range<usize>,
}

/// The letters and digits of a text, with those written by one of the `escapes` and a number read.
fn letters(text: &str, escapes: &str) -> Vec<Letter> {
    let mut letters = Vec::new();
    let mut at = 0;
    while let Some(c) = text[at..].chars().next() {
        let encoded = if escapes.contains(c) { number(&text[at + 1..]) } else { None };
        let (is, length) = encoded.map_or((c, c.len_utf8()), |(is, length)| (is, length + 1));
        // What was taken out before joins nothing.
        if is.is_ascii_alphanumeric() || REDACTED.contains(is) {
            letters.push(Letter { is: is.to_ascii_lowercase(), at: at..at + length });
        }
        at += length;
    }
    letters
}

/// The character of two hexadecimal digits, and how long they are; encoded again, `%41` is `%2541`.
fn number(text: &str) -> Option<(char, usize)> {
    let inner = text.trim_start_matches("25");
    let digits = inner.get(..2).filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()))?;
    let number = u8::from_str_radix(digits, 16).ok()?;
    Some((char::from(number), text.len() - inner.len() + 2))
}

/// Where the text has parts of the key that are long enough to matter.
fn parts_of(key: &[char], text: &str, escapes: &str) -> Vec<Range<usize>> {
    let letters = letters(text, escapes);
    let mut parts = Vec::new();
    let mut at = 0;
    while at < letters.len() {
        let run = |from: usize| letters[at..].iter().zip(&key[from..]).take_while(|(letter, key)| letter.is == **key);
        let longest = (0..key.len()).map(|from| run(from).count()).max().unwrap_or_default();
        if longest < RUN_MIN {
            at += 1;
            continue;
        }
        parts.push(letters[at].at.start..letters[at + longest - 1].at.end);
        at += longest;
    }
    parts
}

/// Where the values of `key=` stand, over soft line breaks.
fn values(text: &str) -> Vec<Range<usize>> {
    let lower = text.to_ascii_lowercase();
    let value_behind = |(at, word): (usize, &str)| {
        let behind = at + word.len();
        let equals = EQUALS.iter().find(|equals| lower[behind..].starts_with(**equals))?;
        let start = behind + equals.len();
        let mut end = start;
        while let Some(c) = text[end..].chars().next() {
            let is_broken = || text[start..end].ends_with('=') && c.is_ascii_whitespace();
            if !(c.is_ascii_alphanumeric() || "-_~.%+=".contains(c) || is_broken()) {
                break;
            }
            end += c.len_utf8();
        }
        (end > start).then_some(start..end)
    };
    lower.match_indices("key").filter_map(value_behind).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::id::VerificationId;
    use crate::domain::key::{NONCE_LENGTH, Nonce};
    use crate::mail::transport::Stage;
    use proptest::prelude::*;

    fn key(id: i64) -> Key {
        Key::derive(b"0123456789abcdef0123456789abcdef", VerificationId(id), &Nonce([7; NONCE_LENGTH]))
    }

    /// Each character of a text behind this escape, as its number.
    fn encoded(text: &str, escape: &str) -> String {
        text.bytes().fold(String::new(), |out, byte| out + &format!("{escape}{byte:02X}"))
    }

    #[test]
    fn the_link_goes_and_the_rest_stays() {
        let own = key(42);
        let secret = own.expose();
        let (head, tail) = secret.split_at(20);
        let other = key(1).expose();
        let page = "https://example.org/verify/";
        let table = [
            (format!("5.7.1 Blocked: {page}?key={secret}"), format!("5.7.1 Blocked: {page}?key=…")),
            (format!("<{page}?key={secret}>: spam; ask"), format!("<{page}?key=…>: spam; ask")),
            (format!("{page}?key=3D{secret} spam"), format!("{page}?key=3D… spam")),
            (format!("{page}?key=3D{head}=\r\n{tail} spam"), format!("{page}?key=3D… spam")),
            (format!("{page}?key=3D{head}= {tail} spam"), format!("{page}?key=3D… spam")),
            (format!("KEY={} seen", secret.to_uppercase()), "KEY=… seen".into()),
            (format!("key%3D{} seen", secret.to_lowercase()), "key%3D… seen".into()),
            (format!("key%253d{secret} seen"), "key%253d… seen".into()),
            (format!("saw {secret}, {secret}"), "saw …, …".into()),
            (format!("saw {head} and {tail}"), "saw … and -…".into()),
            (format!("saw {}", encoded(&secret, "%")), "saw …".into()),
            (format!("saw {}", encoded(&secret, "%25")), "saw …".into()),
            (format!("saw {}", encoded(&secret, "=")), "saw …".into()),
            (format!("saw {} twice", secret.replace('-', "-2D").replace('_', "-5F")), "saw … twice".into()),
            (format!("saw {}", secret.chars().flat_map(|c| [c, ' ']).collect::<String>()), "saw … ".into()),
            (format!("another's key={other}, gone"), "another's key=…, gone".into()),
            ("DKIM key=a.b+c".into(), "DKIM key=…".into()),
            ("key= is missing".into(), "key= is missing".into()),
            ("monkey business, key가".into(), "monkey business, key가".into()),
            ("250 2.0.0 Ok: queued as 4VqK2w6Dz1z9rxX".into(), "250 2.0.0 Ok: queued as 4VqK2w6Dz1z9rxX".into()),
            ("100% =3 %zz %é =".into(), "100% =3 %zz %é =".into()),
            (String::new(), String::new()),
        ];
        for (said, kept) in table {
            assert_eq!(text(&said, &own), kept, "{said}");
        }
    }

    #[test]
    fn every_kind_of_answer_is_cleaned() {
        let own = key(42);
        let secret = || Untrusted::new(own.expose());
        let receipt = Receipt { reply: format!("250 Ok {}", own.expose()).into(), ses_id: Some(secret()) };
        let receipt = answer(Ok(receipt), &own).unwrap();
        assert_eq!((receipt.reply.raw(), receipt.ses_id.unwrap().raw().to_owned()), ("250 Ok …", "…".to_owned()));
        let causes = [
            Cause::Reply(Reply::new(554, secret())),
            Cause::Network(secret()),
            Cause::OutOfTurn(secret()),
            Cause::Certificate(secret()),
            Cause::File(secret()),
        ];
        for cause in causes {
            let failure = answer(Err(Failure { stage: Stage::EndOfData, cause }), &own).unwrap_err();
            let shown = failure.to_string();
            assert!(shown.contains('…') && !shown.contains(&own.expose()), "{shown}");
        }
    }

    proptest! {
        #[test]
        fn no_part_of_the_key_is_left(
            before in "\\PC{0,20}",
            behind in "\\PC{0,20}",
            noise in "[ =.\\r\\n>*]{0,3}",
            every in 1usize..20,
            upper in any::<bool>(),
            (from, length) in (0usize..30, 13usize..44),
        ) {
            let own = key(42);
            let quote: String = own.expose().chars().skip(from).take(length).enumerate().fold(
                String::new(),
                |mut quote, (at, c)| {
                    quote.push(if upper { c.to_ascii_uppercase() } else { c });
                    if at % every == 0 {
                        quote.push_str(&noise);
                    }
                    quote
                },
            );
            let kept = text(&format!("{before}{quote}{behind}"), &own);
            let plain = |text: &str| -> String {
                text.to_lowercase().chars().filter(|c| c.is_ascii_alphanumeric() || *c == '…').collect()
            };
            let (kept_letters, key) = (plain(&kept), plain(&own.expose()));
            for at in 0..=key.len() - RUN_MIN {
                prop_assert!(!kept_letters.contains(&key[at..at + RUN_MIN]), "{kept}");
            }
            prop_assert_eq!(text(&kept, &own), kept);
        }

        #[test]
        fn any_text_is_taken(said in any::<String>()) {
            text(&said, &key(42));
        }
    }
}
