//! Text pasted in one piece (bracketed paste), up to its end: whatever is in it, it is no key.

use std::time::{Duration, Instant};

/// What a paste keeps; the rest is dropped, since nothing here takes so much.
pub(super) const PASTE_MAX: usize = 1024 * 1024;

/// A paste that takes longer, or is longer, can be broken off by Ctrl-C.
const PASTE_TIME: Duration = Duration::from_secs(30);

pub(super) const END: &[u8] = b"\x1b[201~";

/// A paste that has begun.
#[derive(Debug)]
pub(super) struct Paste {
    began: Instant,
    text: Vec<u8>,
    /// How much has been kept, what was delivered included.
    kept: usize,
    has_stalled: bool,
}

impl Paste {
    pub(super) fn new(began: Instant) -> Self {
        Self { began, text: Vec::new(), kept: 0, has_stalled: false }
    }

    /// Takes what belongs to it; says whether it has ended. What is left is not its, or may be its end.
    pub(super) fn take(&mut self, pending: &mut Vec<u8>) -> bool {
        let end = end(pending);
        let text = end.unwrap_or_else(|| pending.len() - half_end(pending));
        let room = PASTE_MAX - self.kept;
        self.kept += text.min(room);
        self.text.extend(pending.drain(..text).take(room));
        if end.is_some() {
            pending.drain(..END.len());
        }
        end.is_some()
    }

    /// It stands still: what has come is all for now.
    pub(super) fn stall(&mut self) -> Option<String> {
        self.has_stalled = true;
        self.text()
    }

    /// Whether it ever stood still.
    pub(super) fn has_stalled(&self) -> bool {
        self.has_stalled
    }

    /// Whether it is longer than any should be.
    pub(super) fn is_overdue(&self, now: Instant) -> bool {
        self.kept >= PASTE_MAX || now.saturating_duration_since(self.began) > PASTE_TIME
    }

    /// The text that was not delivered yet; `None` where all was.
    pub(super) fn text(&mut self) -> Option<String> {
        if self.has_stalled && self.text.is_empty() {
            return None;
        }
        Some(String::from_utf8_lossy(&std::mem::take(&mut self.text)).into_owned())
    }
}

/// Whether a paste ends in bytes.
pub(super) fn has_end(bytes: &[u8]) -> bool {
    end(bytes).is_some()
}

fn end(bytes: &[u8]) -> Option<usize> {
    bytes.windows(END.len()).position(|window| window == END)
}

/// How many of the last bytes may be the beginning of the end.
fn half_end(bytes: &[u8]) -> usize {
    (1..END.len()).rev().find(|length| bytes.ends_with(&END[..*length])).unwrap_or(0)
}
