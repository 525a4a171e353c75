//! What a terminal answers: a string behind OSC, DCS, APC, PM or SOS, up to its end. None of it is kept, and none of it
//! is a key.

use std::time::{Duration, Instant};

use super::{BELL, CTRL_C, ESCAPE};

/// No answer is longer; a clipboard may be large.
const ANSWER_MAX: usize = 1024 * 1024;

/// No answer takes longer.
const ANSWER_TIME: Duration = Duration::from_secs(30);

/// An answer that has begun.
#[derive(Debug)]
pub(super) struct Answer {
    began: Instant,
    swallowed: usize,
    /// How many bytes of a letter are still to come: they may look like the end.
    letter: u8,
    /// Whether the byte before can be the first of an end in UTF-8 (`U+009C`).
    may_end: bool,
}

impl Answer {
    pub(super) fn new(began: Instant) -> Self {
        Self { began, swallowed: 0, letter: 0, may_end: false }
    }

    /// Swallows what belongs to it; says whether it has ended. What is left is not its.
    pub(super) fn take(&mut self, pending: &mut Vec<u8>) -> bool {
        let mut at = 0;
        while let Some(&byte) = pending.get(at) {
            let end = match byte {
                0x80..=0xbf if self.letter > 0 => {
                    self.letter -= 1;
                    (self.may_end && byte == 0x9c).then_some(at + 1)
                }
                // Cancel and substitute break it off for terminals too.
                BELL | 0x9c | 0x18 | 0x1a => Some(at + 1),
                CTRL_C => Some(at),
                ESCAPE => match pending.get(at + 1) {
                    Some(b'\\') => Some(at + 2),
                    Some(_) => Some(at),
                    None => break,
                },
                _ => {
                    self.letter = match byte {
                        0xc2..=0xdf => 1,
                        0xe0..=0xef => 2,
                        0xf0..=0xf4 => 3,
                        _ => 0,
                    };
                    None
                }
            };
            self.may_end = byte == 0xc2;
            if let Some(end) = end {
                pending.drain(..end);
                return true;
            }
            at += 1;
        }
        self.swallowed = self.swallowed.saturating_add(at);
        pending.drain(..at);
        false
    }

    /// Whether it is longer than any.
    pub(super) fn is_overdue(&self, now: Instant) -> bool {
        self.swallowed > ANSWER_MAX || now.saturating_duration_since(self.began) > ANSWER_TIME
    }
}
