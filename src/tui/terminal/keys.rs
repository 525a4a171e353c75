//! Bytes from the keyboard as keys and pastes.
//!
//! Knows what xterm and its kin, VTE, the Linux console, tmux and screen send, and the keyboard protocol's `CSI u` in
//! case an outer program left it on. What it does not know it swallows whole: half a sequence must not be typed, nor what
//! a terminal answers to the program before.
//!
//! A slow link may cut anything anywhere. So the rest of what has begun is waited for: shortly behind a lone Escape,
//! which is a key, longer behind anything that can only be a beginning. After that, and until it has been quiet for a
//! while, what comes may still be the rest: a burst is taken for it, a single character for a key, but for one that is
//! [`Typed::Doubtful`], by which nothing is mailed or changed.

mod answer;
mod paste;
mod sequence;
mod spelt;
#[cfg(test)]
mod tests;

use std::time::{Duration, Instant};

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use answer::Answer;
use paste::Paste;
use sequence::{Found, key, step};

const ESCAPE: u8 = 0x1b;
const CTRL_C: u8 = 0x03;
const BELL: u8 = 0x07;

/// How long the rest of a sequence may take before a lone Escape is the key.
const ESCAPE_WAIT: Duration = Duration::from_millis(50);

/// How long the rest of anything may take that can only be a beginning.
const REST_WAIT: Duration = Duration::from_secs(1);

/// How long a paste may stand still before what has come of it is delivered.
const PASTE_WAIT: Duration = Duration::from_secs(2);

/// For how long what begins like the rest of a sequence is doubtful behind an Escape that was a key.
const ESCAPE_DOUBT: Duration = Duration::from_secs(1);

/// The same behind anything that was only a beginning.
const DOUBT: Duration = Duration::from_secs(5);

/// The same behind a paste without an end, whose rest would do most harm.
const PASTE_DOUBT: Duration = Duration::from_secs(30);

/// No sequence is longer; what is, is noise.
const SEQUENCE_MAX: usize = 64;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Typed {
    Key(KeyEvent),
    /// A key, or a piece of something that was cut: nothing may be mailed or changed by it.
    Doubtful(KeyEvent),
    /// Text pasted in one piece.
    Paste(String),
}

/// Bytes in, what was typed out.
#[derive(Debug, Default)]
pub struct Keys {
    /// The beginning of something.
    pending: Vec<u8>,
    inside: Inside,
    /// Whether the rest was waited for and did not come.
    is_late: bool,
    /// If so, for how long it may still come.
    doubt: Duration,
    /// When the last byte came.
    last: Option<Instant>,
}

/// What is being read over many bytes.
#[derive(Debug, Default)]
enum Inside {
    #[default]
    Nothing,
    Answer(Answer),
    /// What may be an answer, the beginning of which was delivered as a key; always late.
    Spelt,
    Paste(Paste),
}

impl Keys {
    /// Takes bytes as they came in one piece, and returns what is complete.
    pub fn feed(&mut self, bytes: &[u8], now: Instant) -> Vec<Typed> {
        let mut typed = Vec::new();
        let quiet = self.last.replace(now).map_or(Duration::ZERO, |last| now.saturating_duration_since(last));
        if self.is_late && quiet >= self.doubt && !(quiet < DOUBT && self.is_rest(bytes)) {
            self.forget();
        }
        let mut bytes = bytes;
        if let Some(at) = self.interrupt(bytes, now) {
            self.forget();
            bytes = &bytes[at..];
        }
        if self.is_late && self.take_late(bytes, &mut typed) {
            return typed;
        }
        self.pending.extend_from_slice(bytes);
        self.read(now, &mut typed);
        typed
    }

    /// How long to wait for more before [`Keys::give_up`]; `None` where nothing has begun.
    pub fn wait(&self, now: Instant) -> Option<Duration> {
        let wait = match &self.inside {
            _ if self.is_late => return None,
            // The operator's way out of a paste without an end.
            Inside::Paste(paste) if paste.has_stalled() && self.pending == [ESCAPE] => REST_WAIT,
            Inside::Paste(_) => PASTE_WAIT,
            Inside::Answer(_) | Inside::Spelt => REST_WAIT,
            Inside::Nothing if self.pending == [ESCAPE] => ESCAPE_WAIT,
            Inside::Nothing if sequence::has_begun(&self.pending) => REST_WAIT,
            // Half a letter is only a beginning.
            Inside::Nothing => return None,
        };
        let waited = self.last.map_or(Duration::ZERO, |last| now.saturating_duration_since(last));
        Some(wait.saturating_sub(waited))
    }

    /// Nothing more has come for as long as [`Keys::wait`] said: what may be all, is.
    pub fn give_up(&mut self) -> Vec<Typed> {
        if self.is_late {
            return Vec::new();
        }
        if let Inside::Paste(paste) = &mut self.inside {
            if !(paste.has_stalled() && self.pending == [ESCAPE]) {
                let text = paste.stall();
                self.be_late();
                return text.into_iter().map(Typed::Paste).collect();
            }
            self.inside = Inside::Nothing;
        }
        self.be_late();
        if matches!(self.inside, Inside::Nothing) && self.pending == [ESCAPE] {
            return vec![Typed::Key(key(KeyCode::Esc, KeyModifiers::NONE))];
        }
        Vec::new()
    }

    /// What came is over, whatever it was.
    fn forget(&mut self) {
        self.pending.clear();
        self.inside = Inside::Nothing;
        self.is_late = false;
    }

    fn be_late(&mut self) {
        self.is_late = true;
        self.doubt = match self.inside {
            Inside::Paste(_) => PASTE_DOUBT,
            Inside::Nothing if self.pending == [ESCAPE] => ESCAPE_DOUBT,
            Inside::Nothing | Inside::Answer(_) | Inside::Spelt => DOUBT,
        };
    }

    /// Whether bytes are the rest of what an Escape that was a key began after all, since no person types them at once.
    fn is_rest(&self, bytes: &[u8]) -> bool {
        matches!(self.inside, Inside::Nothing) && self.pending == [ESCAPE] && sequence::is_rest(bytes)
    }

    /// Where Ctrl-C stands by itself, once or again and again, and what has begun takes too long to be right; in a paste
    /// that has stood still, also behind more of it.
    fn interrupt(&self, bytes: &[u8], now: Instant) -> Option<usize> {
        let at = bytes.iter().rposition(|byte| *byte != CTRL_C).map_or(0, |last| last + 1);
        let is_one = match &self.inside {
            Inside::Paste(paste) if at == 0 => paste.has_stalled() || paste.is_overdue(now),
            Inside::Paste(paste) => paste.has_stalled() && !paste::has_end(&[&self.pending, bytes].concat()),
            _ => at == 0,
        };
        (at < bytes.len() && is_one).then_some(at)
    }

    /// Reads what is pending as far as it is complete.
    fn read(&mut self, now: Instant, typed: &mut Vec<Typed>) {
        while !self.pending.is_empty() {
            match &mut self.inside {
                Inside::Paste(paste) => {
                    if !paste.take(&mut self.pending) {
                        return;
                    }
                    typed.extend(paste.text().map(Typed::Paste));
                    self.inside = Inside::Nothing;
                }
                Inside::Answer(answer) => {
                    if !answer.take(&mut self.pending) {
                        // Beyond its bounds the keyboard is an operator's again, as far as that is safe.
                        if answer.is_overdue(now) {
                            self.be_late();
                        }
                        return;
                    }
                    self.inside = Inside::Nothing;
                }
                Inside::Spelt => {
                    if !spelt::take(&mut self.pending, typed) {
                        return;
                    }
                    self.inside = Inside::Nothing;
                    self.is_late = false;
                }
                Inside::Nothing => {
                    let Some((used, found)) = step(&self.pending) else {
                        if self.pending.len() > SEQUENCE_MAX {
                            // Still to be swallowed up to its end, but not to be kept.
                            self.pending = sequence::NOISE.to_vec();
                        }
                        return;
                    };
                    self.pending.drain(..used);
                    match found {
                        Found::Key(key) => typed.push(Typed::Key(key)),
                        Found::Paste => self.inside = Inside::Paste(Paste::new(now)),
                        Found::Answer => self.inside = Inside::Answer(Answer::new(now)),
                        Found::Noise => {}
                    }
                }
            }
        }
    }

    /// Takes bytes that came late, if they are single characters; otherwise they are to be read as what they may be: the
    /// rest of what has begun, or, where that was forgotten, keys.
    fn take_late(&mut self, bytes: &[u8], typed: &mut Vec<Typed>) -> bool {
        match self.inside {
            Inside::Paste(_) => return self.take_late_in_paste(bytes, typed),
            Inside::Spelt => return false,
            Inside::Nothing | Inside::Answer(_) => {}
        }
        let is_answer = matches!(self.inside, Inside::Answer(_));
        match bytes.first() {
            // Its end, or what looks so.
            Some(&BELL | 0x18 | 0x1a) if is_answer => self.is_late = false,
            Some(&ESCAPE) if is_answer && bytes.get(1) == Some(&b'\\') => self.is_late = false,
            Some(b'\\') if is_answer && self.pending == [ESCAPE] => self.is_late = false,
            // No rest contains such a thing.
            Some(0..=0x1f | 0x7f) | None => self.forget(),
            _ if self.pending == [ESCAPE] && !is_answer && !sequence::may_follow_escape(bytes) => self.forget(),
            _ => match sequence::single(bytes) {
                Some(key) => {
                    typed.push(Typed::Doubtful(key));
                    if !is_answer {
                        self.follow(bytes);
                    }
                    return true;
                }
                None => self.is_late = false,
            },
        }
        false
    }

    /// Follows a sequence through single characters, each of which has been delivered as a key: behind its end they are no
    /// longer doubtful.
    fn follow(&mut self, bytes: &[u8]) {
        self.pending.extend_from_slice(bytes);
        // Now it can only be a beginning, or a person's.
        self.doubt = DOUBT;
        match step(&self.pending) {
            None => {}
            Some((_, Found::Answer)) => {
                self.pending.clear();
                self.inside = Inside::Spelt;
            }
            Some(_) => self.forget(),
        }
    }

    fn take_late_in_paste(&mut self, bytes: &[u8], typed: &mut Vec<Typed>) -> bool {
        let is_end = paste::END.starts_with(&[&self.pending, bytes].concat());
        // A key by itself, be it Enter or an arrow, does not come in a burst.
        let single = sequence::single(bytes).or_else(|| match step(bytes) {
            Some((used, Found::Key(key))) if used == bytes.len() => Some(key),
            _ => None,
        });
        match single {
            Some(key) if !is_end => {
                typed.push(Typed::Doubtful(key));
                true
            }
            _ => {
                self.is_late = false;
                false
            }
        }
    }
}
