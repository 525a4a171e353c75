//! Reads the key of a link that mail programs, chats and people have been at.
//!
//! They take punctuation and brackets into a link, break it over lines, hide invisible characters in it, escape it
//! once too often or forget to undo that. A key is [`KEY_LENGTH`] characters of base64url, and what is none of these
//! characters cannot belong to it: so it can be left out, at the key's ends and inside it, as long as exactly one
//! well-formed key remains. Never more than one: nothing is tried against the database.
//!
//! Two well-formed keys are no one's: then no one can say which is meant. Nor can they where one of two is cut or run
//! together with something: the one that is whole may be another person's.

use std::borrow::Cow;

use crate::domain::key::{KEY_LENGTH, Key};

/// How often a link may have been escaped. Each pass undoes one.
const ESCAPED_MAX: usize = 4;

/// The name of the parameter.
const NAME: &[u8] = b"key";

/// How many characters are looked at for a key in pieces: its own, a `3D` in front, and emphasis around it.
const JOINED_MAX: usize = 2 * KEY_LENGTH;

/// From how many of a key's characters on a value that is no key was one, most likely.
const REMAINS_MIN: usize = 30;

/// How many characters are kept of such a value.
const REMAINS_MAX: usize = 1_024;

/// What a link's path begins with, as the words of [`words_of`].
const PLACE: &str = "verify";

/// What the path of the form that asks for a new mail ends with.
const NEW_MAIL: &str = "/new-mail";

/// Characters that programs write for a hyphen (U+2010 to U+2013, U+2212, U+FE63, U+FF0D), and for two of them.
const HYPHENS: [(&str, &str); 8] = [
    ("\u{2010}", "-"),
    ("\u{2011}", "-"),
    ("\u{2012}", "-"),
    ("\u{2013}", "-"),
    ("\u{2212}", "-"),
    ("\u{fe63}", "-"),
    ("\u{ff0d}", "-"),
    ("\u{2014}", "--"),
];

/// Where a request goes whose path is no route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meant {
    View,
    /// To the form that asks for a new mail.
    NewMail,
}

/// What a path means that is no route: slashes are doubled, the `?` is escaped, a line break is in it.
pub(super) fn meant_by(path: &str) -> Option<Meant> {
    let is_ours = words_of(path.as_bytes()).starts_with(PLACE);
    let is_for_mail = || path.trim_end_matches('/').ends_with(NEW_MAIL);
    is_ours.then(|| if is_for_mail() { Meant::NewMail } else { Meant::View })
}

/// From the page at this path to the directory of the view, which its forms go to.
pub(super) fn way_to_view(path: &str) -> &'static str {
    let last = path.rsplit('/').next().unwrap_or_default();
    if words_of(last.as_bytes()).starts_with(PLACE) { "verify/" } else { "./" }
}

/// The letters and digits of a path, escapes undone.
fn words_of(path: &[u8]) -> String {
    let mut text = Cow::Borrowed(path);
    for _ in 0..ESCAPED_MAX {
        let Some(plainer) = unescaped(&text) else { break };
        text = plainer.into();
    }
    text.iter().filter(|byte| byte.is_ascii_alphanumeric()).map(|byte| char::from(byte.to_ascii_lowercase())).collect()
}

/// The one key that can be read in the address of a request.
pub(super) fn key_of(path: &str, query: Option<&str>) -> Option<Key> {
    let mut readings = Vec::new();
    let mut text = [path.as_bytes(), b"?", query.unwrap_or_default().as_bytes()].concat();
    for _ in 0..=ESCAPED_MAX {
        readings.push(Reading::of(&text));
        let variants = [with_hyphens(&text), without_markup(&text), without_soft_breaks(&text)];
        readings.extend(variants.into_iter().flatten().map(|variant| Reading::of(&variant)));
        if let Some(quoted) = Reading::of_quoted(&text) {
            readings.push(quoted);
        }
        let Some(plainer) = unescaped(&text) else { break };
        text = plainer;
    }
    // What was undone was an escape if a key comes of it. Before that its digits look like a key's now and then.
    let (named, anywhere): (Vec<_>, Vec<_>) = readings
        .into_iter()
        .rev()
        .map(|reading| ((reading.named, reading.remains.clone()), (reading.anywhere, reading.remains)))
        .unzip();
    let mut all = named.into_iter().chain(anywhere);
    let (mut surest, remains) = all.find_map(|(keys, remains)| Some((keys.surest()?, remains)))?;
    let key = if surest.len() == 1 { surest.pop()? } else { return None };
    let whole = key.expose();
    let is_of_it = |remains: &String| whole.contains(remains.as_str()) || remains.contains(&whole);
    remains.iter().all(is_of_it).then_some(key)
}

/// The keys that can be read in one spelling of a link.
#[derive(Default)]
struct Reading {
    /// In a parameter of the key's name.
    named: Keys,
    /// Anywhere. Other parameters do not matter where one has the key's name: mail services add theirs.
    anywhere: Keys,
    /// The characters of a key in those parameters' values that are as good as one and none.
    remains: Vec<String>,
}

/// Keys of one place, each once.
#[derive(Default)]
struct Keys {
    /// In one piece.
    whole: Vec<Key>,
    /// In pieces, which are as long as a key.
    joined: Vec<Key>,
    /// In pieces, with something in front that was taken off.
    trimmed: Vec<Key>,
}

impl Reading {
    fn of(text: &[u8]) -> Self {
        let mut reading = Self::default();
        for value in values(text) {
            reading.value(value);
        }
        for piece in text.split(|byte| matches!(byte, b'&' | b'?' | b'/')) {
            reading.anywhere.read(piece);
        }
        reading
    }

    /// With the values in quoted-printable; `None` where none is.
    fn of_quoted(text: &[u8]) -> Option<Self> {
        let mut reading = Self::default();
        let mut any = false;
        for value in values(text) {
            let plainer = without_quoting(value);
            any |= plainer.is_some();
            reading.value(plainer.as_deref().unwrap_or(value));
        }
        any.then_some(reading)
    }

    /// Reads the value of a parameter of the key's name.
    fn value(&mut self, value: &[u8]) {
        if self.named.read(value) {
            return;
        }
        let of_a_key = value.iter().filter(|byte| is_of_a_key(**byte)).take(REMAINS_MAX);
        let remains: String = of_a_key.copied().map(char::from).collect();
        if remains.len() >= REMAINS_MIN {
            self.remains.push(remains);
        }
    }
}

impl Keys {
    /// Adds the keys that stand in a piece of text, and the one that its first pieces make; false if there are none.
    fn read(&mut self, piece: &[u8]) -> bool {
        let mut joined = Vec::new();
        let mut any = false;
        for run in piece.split(|byte| !is_of_a_key(*byte)).filter(|run| !run.is_empty()) {
            if let Some((key, _)) = key_in(run) {
                add(key, &mut self.whole);
                any = true;
            }
            if joined.len() <= JOINED_MAX {
                joined.extend_from_slice(run);
                if let Some((key, is_trimmed)) = key_in(&joined) {
                    add(key, if is_trimmed { &mut self.trimmed } else { &mut self.joined });
                    any = true;
                }
            }
        }
        any
    }

    /// The keys of the surest kind that there is.
    fn surest(self) -> Option<Vec<Key>> {
        [self.whole, self.joined, self.trimmed].into_iter().find(|keys| !keys.is_empty())
    }
}

fn add(key: Key, keys: &mut Vec<Key>) {
    if !keys.contains(&key) {
        keys.push(key);
    }
}

/// The values of the parameters that have the key's name, in whatever case. A value ends where the next parameter
/// begins.
fn values(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    let is_name = |at: &usize| {
        let before = at.checked_sub(1).and_then(|before| text.get(before));
        let behind = text.get(at + NAME.len());
        text[*at..].get(..NAME.len()).is_some_and(|name| name.eq_ignore_ascii_case(NAME))
            && before.is_none_or(|byte| !is_of_a_key(*byte))
            && behind.is_none_or(|byte| !is_of_a_key(*byte))
    };
    let names: Vec<usize> = (0..text.len()).filter(is_name).collect();
    let ends: Vec<usize> = names.iter().skip(1).copied().chain([text.len()]).collect();
    names.into_iter().zip(ends).map(|(name, end)| {
        let value = text[name + NAME.len()..end].split_first().map_or(&[][..], |(_, value)| value);
        value.split(|byte| *byte == b'&').next().unwrap_or_default()
    })
}

/// The key that a run of its characters is, and whether something was taken off in front: a `3D` (an `=` of
/// quoted-printable that was not undone) or emphasis. Emphasis behind it is in no doubt: no key ends in `-` or `_`,
/// since its last character holds 4 bits and two zeros.
fn key_in(run: &[u8]) -> Option<(Key, bool)> {
    let end = run.iter().rposition(|byte| !is_emphasis(*byte))?;
    let run = &run[..=end];
    let mut rest = run;
    while rest.len() > KEY_LENGTH {
        rest = match rest {
            [b'3', b'D' | b'd', behind @ ..] => behind,
            [first, behind @ ..] if is_emphasis(*first) => behind,
            _ => return None,
        };
    }
    let key = Key::parse(std::str::from_utf8(rest).ok()?).ok()?;
    Some((key, rest.len() < run.len()))
}

fn is_of_a_key(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || is_emphasis(byte)
}

fn is_emphasis(byte: u8) -> bool {
    matches!(byte, b'-' | b'_')
}

/// The text with its percent-escapes undone; `None` where it has none.
fn unescaped(text: &[u8]) -> Option<Vec<u8>> {
    undone(text, b'%', |rest| hex(rest).map(|byte| (Some(byte), 2)))
}

/// The text without the soft breaks of quoted-printable (RFC 2045, 6.7).
fn without_soft_breaks(text: &[u8]) -> Option<Vec<u8>> {
    undone(text, b'=', |rest| match rest {
        [b'\r', b'\n', ..] => Some((None, 2)),
        [b'\n' | b'\r', ..] => Some((None, 1)),
        _ => None,
    })
}

/// The value of a parameter with the escapes of quoted-printable undone; breaks are left out.
fn without_quoting(value: &[u8]) -> Option<Vec<u8>> {
    undone(value, b'=', |rest| hex(rest).map(|byte| (Some(byte).filter(|byte| !matches!(byte, b'\r' | b'\n')), 2)))
}

/// The text without its tags, and with a blank for each entity, which is left out of a key; `&amp;` is the `&` that
/// it stands for.
fn without_markup(text: &[u8]) -> Option<Vec<u8>> {
    const LONGEST: usize = 10;
    let ending = |rest: &[u8], end: u8, is_part: fn(&u8) -> bool| {
        let length = rest.iter().take(LONGEST).position(|byte| *byte == end)?;
        (length > 0 && rest[..length].iter().all(is_part)).then_some(length + 1)
    };
    let tagless = undone(text, b'<', |rest| {
        ending(rest, b'>', |byte| byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b' '))
            .map(|length| (None, length))
    });
    let plainer = undone(tagless.as_deref().unwrap_or(text), b'&', |rest| {
        let length = ending(rest, b';', |byte| byte.is_ascii_alphanumeric() || *byte == b'#')?;
        let is_and = matches!(&rest[..length], b"amp;" | b"AMP;" | b"#38;" | b"#x26;");
        Some((Some(if is_and { b'&' } else { b' ' }), length))
    });
    plainer.or(tagless)
}

/// The text with hyphens that are ones; `None` where it has no others.
fn with_hyphens(text: &[u8]) -> Option<Vec<u8>> {
    let text = String::from_utf8_lossy(text);
    let others = HYPHENS.iter().any(|(other, _)| text.contains(other));
    others.then(|| HYPHENS.iter().fold(text.into_owned(), |text, (other, hyphen)| text.replace(other, hyphen)).into())
}

/// The text with each escape replaced by what `meaning` says it stands for (a byte or nothing) and how long it is
/// behind its mark; `None` where there is no escape.
fn undone(text: &[u8], mark: u8, meaning: impl Fn(&[u8]) -> Option<(Option<u8>, usize)>) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    let mut any = false;
    while let [first, behind @ ..] = rest {
        if let Some((byte, length)) = (*first == mark).then(|| meaning(behind)).flatten() {
            out.extend(byte);
            rest = &behind[length..];
            any = true;
        } else {
            out.push(*first);
            rest = behind;
        }
    }
    any.then_some(out)
}

fn hex(text: &[u8]) -> Option<u8> {
    let digits = text.get(..2)?;
    let digit = |byte: u8| char::from(byte).to_digit(16);
    u8::try_from(digit(digits[0])? * 16 + digit(digits[1])?).ok()
}

#[cfg(test)]
mod tests;
