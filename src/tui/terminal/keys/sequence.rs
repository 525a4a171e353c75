//! Sequences: what bytes mean that begin something, and when they are whole.

use std::str;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::ESCAPE;

/// The beginning of a sequence of which nothing will come, whatever follows up to its end.
pub(super) const NOISE: &[u8] = b"\x1b[?";

/// What bytes begin with: how many bytes it takes, and what it is. `None`: more is needed to know.
pub(super) type Step = Option<(usize, Found)>;

#[derive(Debug)]
pub(super) enum Found {
    Key(KeyEvent),
    /// A paste begins.
    Paste,
    /// An answer of the terminal's begins.
    Answer,
    /// Nothing that concerns the console.
    Noise,
}

pub(super) fn key(code: KeyCode, modifiers: KeyModifiers) -> KeyEvent {
    KeyEvent::new(code, modifiers)
}

/// Whether bytes are the beginning of a sequence, rather than of a letter.
pub(super) fn has_begun(bytes: &[u8]) -> bool {
    bytes.first() == Some(&ESCAPE) || eight_bit(bytes).is_some()
}

/// Whether bytes may be the rest of a sequence whose Escape was taken for the key: a person goes on with such characters
/// too, but one by one.
pub(super) fn may_follow_escape(bytes: &[u8]) -> bool {
    match bytes {
        // What terminals answer by OSC begins with a number, or is a title.
        [b']', second, ..] => second.is_ascii_digit() || matches!(second, b'l' | b'L'),
        [first, ..] => matches!(first, b'[' | b'O' | b']' | b'P' | b'_' | b'^' | b'X' | b'\\'),
        [] => false,
    }
}

/// Whether bytes are the rest of a sequence and cannot be a person's, who types no such thing at once.
pub(super) fn is_rest(bytes: &[u8]) -> bool {
    // Keys that are held repeat.
    if bytes.len() < 2 || bytes == b"[[" || !may_follow_escape(bytes) {
        return false;
    }
    match step(&[&[ESCAPE], bytes].concat()) {
        None => true,
        Some((_, Found::Answer)) => {
            let has_end = |bytes: &[u8]| bytes == [ESCAPE, b'\\'] || matches!(bytes, [_, super::BELL | 0x9c]);
            bytes.first() == Some(&b']') || bytes.windows(2).any(has_end)
        }
        Some((used, _)) => used == bytes.len() + 1,
    }
}

/// The key, where bytes are one character and no more.
pub(super) fn single(bytes: &[u8]) -> Option<KeyEvent> {
    let mut characters = str::from_utf8(bytes).ok()?.chars();
    let c = characters.next().filter(|c| !c.is_control())?;
    characters.next().is_none().then(|| character(c))
}

fn character(c: char) -> KeyEvent {
    key(KeyCode::Char(c), if c.is_uppercase() { KeyModifiers::SHIFT } else { KeyModifiers::NONE })
}

pub(super) fn step(bytes: &[u8]) -> Step {
    let control = |letter: u8| key(KeyCode::Char(letter.into()), KeyModifiers::CONTROL);
    let plain = |code| key(code, KeyModifiers::NONE);
    let found = match *bytes.first()? {
        ESCAPE => return escape(bytes),
        0 => control(b' '),
        b'\r' => plain(KeyCode::Enter),
        b'\t' => plain(KeyCode::Tab),
        0x7f => plain(KeyCode::Backspace),
        byte @ 0x01..=0x1a => control(byte - 1 + b'a'),
        byte @ 0x1c..=0x1f => control(byte - 0x1c + b'4'),
        _ => {
            let Some((used, letter)) = eight_bit(bytes) else { return letter(bytes) };
            // As with seven bits, where the introducer takes two.
            let seven: Vec<u8> = [ESCAPE, letter].iter().chain(&bytes[used..]).copied().collect();
            return escape(&seven).map(|(length, found)| (length + used - 2, found));
        }
    };
    Some((1, Found::Key(found)))
}

/// The eight-bit form of an introducer, by itself or in UTF-8: how many bytes it takes, and which letter stands behind the
/// Escape of its seven-bit form. No letter begins with such a byte, and no key sends such a character.
fn eight_bit(bytes: &[u8]) -> Option<(usize, u8)> {
    let (used, byte) = match bytes {
        [0xc2, byte, ..] => (2, byte),
        [byte, ..] => (1, byte),
        [] => return None,
    };
    matches!(byte, 0x8f | 0x90 | 0x98 | 0x9b | 0x9d..=0x9f).then(|| (used, byte - 0x40))
}

fn letter(bytes: &[u8]) -> Step {
    let bytes = &bytes[..bytes.len().min(4)];
    let (valid, invalid) = match str::from_utf8(bytes) {
        Ok(text) => (text, None),
        Err(error) => (str::from_utf8(&bytes[..error.valid_up_to()]).unwrap_or_default(), error.error_len()),
    };
    match (valid.chars().next(), invalid) {
        (Some(c), _) if c.is_control() => Some((c.len_utf8(), Found::Noise)),
        (Some(c), _) => Some((c.len_utf8(), Found::Key(character(c)))),
        (None, Some(length)) => Some((length, Found::Noise)),
        (None, None) => None,
    }
}

/// Escape, a second byte, and what it asks for.
fn escape(bytes: &[u8]) -> Step {
    match bytes.get(1)? {
        b'[' => csi(bytes),
        b'O' => ss3(bytes),
        // OSC, DCS, SOS, PM, APC.
        b']' | b'P' | b'X' | b'^' | b'_' => Some((2, Found::Answer)),
        // The end of an answer whose beginning was forgotten.
        b'\\' => Some((2, Found::Noise)),
        &ESCAPE => Some((1, Found::Key(key(KeyCode::Esc, KeyModifiers::NONE)))),
        _ => {
            let (used, found) = step(&bytes[1..])?;
            let found = match found {
                Found::Key(event) => Found::Key(key(event.code, event.modifiers | KeyModifiers::ALT)),
                other => other,
            };
            Some((used + 1, found))
        }
    }
}

/// `SS3`, modifiers on some terminals, and a letter.
fn ss3(bytes: &[u8]) -> Step {
    let parameters = &bytes[2..];
    let length = parameters.iter().position(|byte| !matches!(byte, b'0'..=b'9' | b';'))?;
    let (parameters, last) = (&parameters[..length], parameters[length]);
    let modifiers = str::from_utf8(parameters).unwrap_or_default().rsplit(';').next();
    let modifiers = modifiers.and_then(|text| text.parse().ok()).map_or(KeyModifiers::NONE, modifiers_of);
    let found = match last {
        // Not a sequence after all: alt and O, then something else.
        0..=0x1f | 0x7f.. if length == 0 => Found::Key(key(KeyCode::Char('O'), KeyModifiers::ALT)),
        0..=0x1f | 0x7f.. => Found::Noise,
        b'M' => Found::Key(key(KeyCode::Enter, modifiers)),
        last => by_letter(last).map_or(Found::Noise, |code| Found::Key(key(code, modifiers))),
    };
    // What broke it off is left to be read.
    let used = if matches!(last, 0..=0x1f | 0x7f..) { length + 2 } else { length + 3 };
    Some((used, found))
}

/// `CSI`, parameters, and a last byte that says what it is.
fn csi(bytes: &[u8]) -> Step {
    let parameters = &bytes[2..];
    let length = parameters.iter().position(|byte| !(0x20..=0x3f).contains(byte))?;
    let (parameters, last) = (&parameters[..length], parameters[length]);
    let used = length + 3;
    match last {
        // The Linux console's first five function keys.
        b'[' if length == 0 => {
            let number = bytes.get(3)?.wrapping_sub(b'A');
            let found =
                if number < 5 { Found::Key(key(KeyCode::F(number + 1), KeyModifiers::NONE)) } else { Found::Noise };
            Some((4, found))
        }
        // A mouse report of the oldest kind, with three bytes of any value after it.
        b'M' if length == 0 => (bytes.len() >= 6).then_some((6, Found::Noise)),
        // Cut off by something new, which is left to be read.
        0..=0x1f | 0x7f.. => Some((used - 1, Found::Noise)),
        _ => Some((used, by_parameters(parameters, last))),
    }
}

fn by_parameters(parameters: &[u8], last: u8) -> Found {
    // Marks of the terminal's own, before or behind the numbers, make a report of it, never a key.
    if !parameters.iter().all(|byte| matches!(byte, b'0'..=b'9' | b':' | b';')) {
        return Found::Noise;
    }
    let text = str::from_utf8(parameters).unwrap_or_default();
    let mut parameters = text.split(';');
    let mut number = || {
        let mut parts = parameters.next().unwrap_or_default().split(':').map(|part| part.parse::<u32>().ok());
        (parts.next().flatten(), parts.next().flatten())
    };
    let (first, _) = number();
    let (modifiers, event) = number();
    // Where the cursor is: F3 has 1 and a modifier there.
    if last == b'R' && (first.is_some_and(|row| row != 1) || modifiers.is_some_and(|column| column > 16)) {
        return Found::Noise;
    }
    let modifiers = modifiers.map_or(KeyModifiers::NONE, modifiers_of);
    let is_release = event == Some(3);
    let code = match (last, first) {
        (b'~', Some(200)) => return Found::Paste,
        (b'~', Some(number)) => by_number(number),
        (b'u', Some(code)) => by_code(code),
        (b'Z', _) => return Found::Key(key(KeyCode::BackTab, modifiers | KeyModifiers::SHIFT)),
        _ => by_letter(last),
    };
    match code {
        Some(code) if !is_release => Found::Key(key(code, modifiers)),
        _ => Found::Noise,
    }
}

fn modifiers_of(number: u32) -> KeyModifiers {
    let bits = number.saturating_sub(1);
    let table = [(1, KeyModifiers::SHIFT), (2, KeyModifiers::ALT), (4, KeyModifiers::CONTROL)];
    table.into_iter().filter(|(bit, _)| bits & bit != 0).fold(KeyModifiers::NONE, |all, (_, one)| all | one)
}

fn by_letter(last: u8) -> Option<KeyCode> {
    Some(match last {
        b'A' => KeyCode::Up,
        b'B' => KeyCode::Down,
        b'C' => KeyCode::Right,
        b'D' => KeyCode::Left,
        b'F' => KeyCode::End,
        b'H' => KeyCode::Home,
        b'P'..=b'S' => KeyCode::F(last - b'P' + 1),
        _ => return None,
    })
}

fn by_number(number: u32) -> Option<KeyCode> {
    let function = |number: u32| u8::try_from(number).ok().map(KeyCode::F);
    match number {
        1 | 7 => Some(KeyCode::Home),
        2 => Some(KeyCode::Insert),
        3 => Some(KeyCode::Delete),
        4 | 8 => Some(KeyCode::End),
        5 => Some(KeyCode::PageUp),
        6 => Some(KeyCode::PageDown),
        11..=15 => function(number - 10),
        17..=21 => function(number - 11),
        23..=24 => function(number - 12),
        _ => None,
    }
}

fn by_code(code: u32) -> Option<KeyCode> {
    match code {
        9 => Some(KeyCode::Tab),
        13 => Some(KeyCode::Enter),
        27 => Some(KeyCode::Esc),
        127 => Some(KeyCode::Backspace),
        // Keys without a character live in a private area.
        0xe000..=0xf8ff => None,
        _ => char::from_u32(code).filter(|c| !c.is_control()).map(KeyCode::Char),
    }
}
