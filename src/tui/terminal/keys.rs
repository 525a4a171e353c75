//! Bytes from the keyboard as keys and pastes.
//!
//! Knows what xterm and its kin, VTE, the Linux console, tmux and screen send, and the keyboard protocol's `CSI u` in
//! case an outer program left it on. What it does not know it swallows whole: half a sequence must not be typed.

use std::str;

use crossterm::event::{Event, KeyCode, KeyEvent, KeyModifiers};

const ESCAPE: u8 = 0x1b;

/// No sequence is longer; what is, is noise.
const SEQUENCE_MAX: usize = 64;

/// What a paste keeps; the rest is dropped, since nothing here takes so much.
const PASTE_MAX: usize = 1024 * 1024;

const PASTE_END: &[u8] = b"\x1b[201~";

/// Bytes in, events out.
#[derive(Debug, Default)]
pub struct Keys {
    /// The beginning of something.
    pending: Vec<u8>,
    /// The text of a paste that has begun.
    paste: Option<Vec<u8>>,
}

/// What the pending bytes begin with: how many bytes it takes, and what it is. Nothing: more is needed to tell.
type Step = Option<(usize, Found)>;

#[derive(Debug)]
enum Found {
    Key(KeyEvent),
    Paste,
    /// Nothing that concerns anybody.
    Noise,
}

impl Keys {
    /// Takes bytes and gives what is complete.
    pub fn feed(&mut self, bytes: &[u8]) -> Vec<Event> {
        self.pending.extend_from_slice(bytes);
        let mut events = Vec::new();
        while !self.pending.is_empty() {
            if self.paste.is_some() {
                match self.end_of_paste() {
                    Some(text) => events.push(Event::Paste(text)),
                    None => break,
                }
                continue;
            }
            let Some((used, found)) = step(&self.pending) else { break };
            self.pending.drain(..used);
            match found {
                Found::Key(key) => events.push(Event::Key(key)),
                Found::Paste => self.paste = Some(Vec::new()),
                Found::Noise => {}
            }
        }
        events
    }

    /// Whether what came last may be the beginning of something, or be all. Half a letter is only a beginning.
    pub fn is_waiting(&self) -> bool {
        self.paste.is_none() && self.pending.first() == Some(&ESCAPE)
    }

    /// Nothing more has come: what may be all, is.
    pub fn flush(&mut self) -> Vec<Event> {
        let pending = std::mem::take(&mut self.pending);
        match pending[..] {
            [ESCAPE] => vec![key(KeyCode::Esc, KeyModifiers::NONE)],
            [ESCAPE, letter @ (b'[' | b'O')] => vec![key(KeyCode::Char(letter.into()), KeyModifiers::ALT)],
            _ => Vec::new(),
        }
        .into_iter()
        .map(Event::Key)
        .collect()
    }

    /// Moves pending bytes into the paste; gives it when its end is there.
    fn end_of_paste(&mut self) -> Option<String> {
        let paste = self.paste.as_mut()?;
        let end = self.pending.windows(PASTE_END.len()).position(|window| window == PASTE_END);
        // The end may be cut in the middle.
        let text = end.unwrap_or(self.pending.len().saturating_sub(PASTE_END.len() - 1));
        let room = PASTE_MAX.saturating_sub(paste.len());
        paste.extend(self.pending.drain(..text).take(room));
        end?;
        self.pending.drain(..PASTE_END.len());
        self.paste.take().map(|paste| String::from_utf8_lossy(&paste).into_owned())
    }
}

fn key(code: KeyCode, modifiers: KeyModifiers) -> KeyEvent {
    KeyEvent::new(code, modifiers)
}

fn character(c: char) -> KeyEvent {
    key(KeyCode::Char(c), if c.is_uppercase() { KeyModifiers::SHIFT } else { KeyModifiers::NONE })
}

fn step(bytes: &[u8]) -> Step {
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
        _ => return letter(bytes),
    };
    Some((1, Found::Key(found)))
}

fn letter(bytes: &[u8]) -> Step {
    let bytes = &bytes[..bytes.len().min(4)];
    let (valid, invalid) = match str::from_utf8(bytes) {
        Ok(text) => (text, None),
        Err(error) => (str::from_utf8(&bytes[..error.valid_up_to()]).unwrap_or_default(), error.error_len()),
    };
    match (valid.chars().next(), invalid) {
        (Some(c), _) => Some((c.len_utf8(), Found::Key(character(c)))),
        (None, Some(length)) => Some((length, Found::Noise)),
        (None, None) => None,
    }
}

fn escape(bytes: &[u8]) -> Step {
    match bytes.get(1)? {
        b'[' => csi(bytes),
        b'O' => {
            let found = match bytes.get(2)? {
                // Not a sequence after all: alt and O, then something else.
                &ESCAPE => return Some((2, Found::Key(key(KeyCode::Char('O'), KeyModifiers::ALT)))),
                b'M' => Found::Key(key(KeyCode::Enter, KeyModifiers::NONE)),
                last => by_letter(*last).map_or(Found::Noise, |code| Found::Key(key(code, KeyModifiers::NONE))),
            };
            Some((3, found))
        }
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

/// `CSI`, parameters, and a last byte that says what it is.
fn csi(bytes: &[u8]) -> Step {
    let parameters = &bytes[2..];
    let Some(length) = parameters.iter().position(|byte| !(0x20..=0x3f).contains(byte)) else {
        return (bytes.len() > SEQUENCE_MAX).then_some((bytes.len(), Found::Noise));
    };
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
    let text = str::from_utf8(parameters).unwrap_or_default();
    let mut parameters = text.split(';');
    let mut number = || {
        let mut parts = parameters.next().unwrap_or_default().split(':').map(|part| part.parse::<u32>().ok());
        (parts.next().flatten(), parts.next().flatten())
    };
    let (first, _) = number();
    let (modifiers, event) = number();
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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(bytes: &[u8]) -> Vec<Event> {
        let mut keys = Keys::default();
        let mut events = keys.feed(bytes);
        if keys.is_waiting() {
            events.extend(keys.flush());
        }
        events
    }

    fn event(code: KeyCode, modifiers: KeyModifiers) -> Event {
        Event::Key(key(code, modifiers))
    }

    #[test]
    fn single_keys() {
        let none = KeyModifiers::NONE;
        let table: [(&[u8], KeyCode, KeyModifiers); 38] = [
            (b"q", KeyCode::Char('q'), none),
            (b"G", KeyCode::Char('G'), KeyModifiers::SHIFT),
            (b"?", KeyCode::Char('?'), none),
            ("김".as_bytes(), KeyCode::Char('김'), none),
            ("👍".as_bytes(), KeyCode::Char('👍'), none),
            (b"\r", KeyCode::Enter, none),
            (b"\n", KeyCode::Char('j'), KeyModifiers::CONTROL),
            (b"\t", KeyCode::Tab, none),
            (b"\x7f", KeyCode::Backspace, none),
            (b"\x08", KeyCode::Char('h'), KeyModifiers::CONTROL),
            (b"\x00", KeyCode::Char(' '), KeyModifiers::CONTROL),
            (b"\x03", KeyCode::Char('c'), KeyModifiers::CONTROL),
            (b"\x1a", KeyCode::Char('z'), KeyModifiers::CONTROL),
            (b"\x1f", KeyCode::Char('7'), KeyModifiers::CONTROL),
            (b"\x1b", KeyCode::Esc, none),
            (b"\x1bx", KeyCode::Char('x'), KeyModifiers::ALT),
            (b"\x1b[", KeyCode::Char('['), KeyModifiers::ALT),
            (b"\x1b\r", KeyCode::Enter, KeyModifiers::ALT),
            (b"\x1b[A", KeyCode::Up, none),
            (b"\x1bOB", KeyCode::Down, none),
            (b"\x1b[1;5C", KeyCode::Right, KeyModifiers::CONTROL),
            (b"\x1b[1;4D", KeyCode::Left, KeyModifiers::SHIFT.union(KeyModifiers::ALT)),
            (b"\x1b[H", KeyCode::Home, none),
            (b"\x1b[4~", KeyCode::End, none),
            (b"\x1b[3~", KeyCode::Delete, none),
            (b"\x1b[5~", KeyCode::PageUp, none),
            (b"\x1b[6;2~", KeyCode::PageDown, KeyModifiers::SHIFT),
            (b"\x1b[Z", KeyCode::BackTab, KeyModifiers::SHIFT),
            (b"\x1bOP", KeyCode::F(1), none),
            (b"\x1b[[E", KeyCode::F(5), none),
            (b"\x1b[15~", KeyCode::F(5), none),
            (b"\x1b[17~", KeyCode::F(6), none),
            (b"\x1b[24~", KeyCode::F(12), none),
            (b"\x1b[1;2R", KeyCode::F(3), KeyModifiers::SHIFT),
            (b"\x1b[97;5u", KeyCode::Char('a'), KeyModifiers::CONTROL),
            (b"\x1b[27u", KeyCode::Esc, none),
            (b"\x1b[13;2u", KeyCode::Enter, KeyModifiers::SHIFT),
            (b"\x1bOM", KeyCode::Enter, none),
        ];
        for (bytes, code, modifiers) in table {
            assert_eq!(read(bytes), [event(code, modifiers)], "{:?}", str::from_utf8(bytes));
        }
    }

    #[test]
    fn noise_is_swallowed_whole() {
        let table: [&[u8]; 9] = [
            b"\x1b[I",
            b"\x1b[<0;10;20M",
            b"\x1b[M !!",
            b"\x1b[?62;22c",
            b"\x1b[97;1:3u",
            b"\x1b[99~",
            b"\x1b[57358u",
            b"\xff",
            b"\x1b[12",
        ];
        for bytes in table {
            let mut bytes = bytes.to_vec();
            assert_eq!(read(&bytes), [], "{bytes:?}");
            // And what follows is read.
            if bytes != b"\x1b[12" {
                bytes.push(b'q');
                assert_eq!(read(&bytes), [event(KeyCode::Char('q'), KeyModifiers::NONE)], "{bytes:?}");
            }
        }
        assert_eq!(read(b"\x1b[1\x1b[A"), [event(KeyCode::Up, KeyModifiers::NONE)]);
        assert_eq!(read(b"\x1b\x1b"), [KeyCode::Esc, KeyCode::Esc].map(|code| event(code, KeyModifiers::NONE)));
    }

    #[test]
    fn a_paste_is_one_event_whatever_is_in_it() {
        let text = "rm -rf\r\n\u{1b}[A김\u{3}q";
        let bytes = format!("\u{1b}[200~{text}\u{1b}[201~q");
        let events = [Event::Paste(text.into()), event(KeyCode::Char('q'), KeyModifiers::NONE)];
        assert_eq!(read(bytes.as_bytes()), events);
        let mut keys = Keys::default();
        let mut large = b"\x1b[200~".to_vec();
        large.resize(3 * PASTE_MAX, b'x');
        assert_eq!(keys.feed(&large), []);
        assert!(!keys.is_waiting(), "a pause does not end a paste");
        assert_eq!(keys.feed(PASTE_END), [Event::Paste("x".repeat(PASTE_MAX))]);
    }

    proptest! {
        /// However the bytes arrive, the events are the same: slow links cut anywhere.
        #[test]
        fn cuts_do_not_matter(
            pieces in prop::collection::vec(prop::sample::select(vec![
                "q", "김", "\u{1b}[A", "\u{1b}[1;5C", "\u{1b}OP", "\u{1b}x", "\r", "\u{1b}[200~a\u{1b}[Bb\u{1b}[201~", "\u{1b}[[A",
            ]), 0..8),
            size in 1usize..5,
        ) {
            let bytes = pieces.concat();
            let whole = read(bytes.as_bytes());
            prop_assert_eq!(whole.len(), pieces.len());
            let mut keys = Keys::default();
            let cut: Vec<Event> = bytes.as_bytes().chunks(size).flat_map(|chunk| keys.feed(chunk)).collect();
            prop_assert_eq!(cut, whole);
        }

        #[test]
        fn no_bytes_break_it(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let mut keys = Keys::default();
            keys.feed(&bytes);
            keys.feed(PASTE_END);
            if keys.is_waiting() {
                keys.flush();
            }
            keys.feed(&[b'x'; SEQUENCE_MAX + 1]);
            let events = keys.feed(b"q");
            prop_assert_eq!(events.last(), Some(&event(KeyCode::Char('q'), KeyModifiers::NONE)));
        }
    }
}
