//! What may be an answer of the terminal's whose beginning was delivered as a key: to go on swallowing would take the
//! keyboard away from a person, so its characters are delivered too, as keys by which nothing is done, up to its end.

use std::str;

use super::{BELL, ESCAPE, Typed, sequence};

/// Cancel and substitute, which break an answer off.
const CANCEL: [u8; 2] = [0x18, 0x1a];

/// Its end in eight bits.
const END: u8 = 0x9c;

/// Takes what belongs to it, half a letter excepted; says whether it is over. What is left then is to be read.
pub(super) fn take(pending: &mut Vec<u8>, typed: &mut Vec<Typed>) -> bool {
    loop {
        let over = match pending[..] {
            [] => return false,
            [BELL | END, ..] => Some(1),
            [ESCAPE, b'\\', ..] => Some(2),
            [byte, ..] if CANCEL.contains(&byte) => Some(1),
            // Nothing else of the kind is in one.
            [0..=0x1f | 0x7f, ..] => Some(0),
            _ => None,
        };
        if let Some(used) = over {
            pending.drain(..used);
            return true;
        }
        let first = &pending[..pending.len().min(4)];
        let (text, broken) = match str::from_utf8(first) {
            Ok(text) => (text, None),
            Err(error) => {
                (str::from_utf8(&first[..error.valid_up_to()]).unwrap_or_default(), error.error_len().map(|_| 1))
            }
        };
        let used = match (text.chars().next(), broken) {
            (Some(c), _) => {
                typed.extend(sequence::single(c.encode_utf8(&mut [0; 4]).as_bytes()).map(Typed::Doubtful));
                c.len_utf8()
            }
            (None, Some(used)) => used,
            (None, None) => return false,
        };
        // Its end in UTF-8, too.
        let is_end = pending[..used] == *"\u{9c}".as_bytes();
        pending.drain(..used);
        if is_end {
            return true;
        }
    }
}
