//! What a mail server and this program say to each other, line by line as it happens, for a test send.
//!
//! What is shown holds no secret: of signing in only the method is shown, of a mail only its size.

use std::fmt;

use tokio::sync::mpsc::UnboundedSender;

use crate::text::{Plain, plain};

/// Most lines of one connection that are recorded; a server that never ends its answer must not fill memory.
const LINES_MAX: usize = 500;

/// Who said a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Speaker {
    /// This program.
    Client,
    /// The mail server.
    Server,
    /// Neither: what happened between the lines, such as the beginning of TLS.
    Note,
}

/// One line, fit to be seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DialogueLine {
    /// Who said it.
    pub speaker: Speaker,
    /// What, without the line break.
    pub text: Plain,
}

impl DialogueLine {
    #[must_use]
    pub fn new(speaker: Speaker, text: &str) -> Self {
        Self { speaker, text: plain(text) }
    }
}

impl fmt::Display for DialogueLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.speaker {
            Speaker::Client => write!(f, "C: {}", self.text),
            Speaker::Server => write!(f, "S: {}", self.text),
            Speaker::Note => write!(f, "-- {}", self.text),
        }
    }
}

/// Where the lines go. They end when every sender is gone, which is when the connection is.
pub type Dialogue = UnboundedSender<DialogueLine>;

/// What this program is writing, and so how much of it is recorded. How far a mail has come is a [`super::Stage`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Phase {
    /// Commands, recorded as they are.
    #[default]
    Commands,
    /// AUTH: only the method is recorded.
    Auth,
    /// A mail, of which the size has been recorded.
    Content,
}

/// Records the lines for the one who reads along, if there is one.
#[derive(Debug, Default)]
pub(super) struct Transcript {
    dialogue: Option<Dialogue>,
    phase: Phase,
    /// The beginning of a command that was not written in one piece.
    unfinished: Vec<u8>,
    recorded: usize,
}

impl Transcript {
    pub(super) fn new(dialogue: Option<Dialogue>) -> Self {
        Self { dialogue, ..Self::default() }
    }

    pub(super) fn set_phase(&mut self, phase: Phase) {
        self.phase = phase;
        self.unfinished.clear();
    }

    pub(super) fn is_signing_in(&self) -> bool {
        self.phase == Phase::Auth
    }

    pub(super) fn note(&mut self, text: &str) {
        self.record(Speaker::Note, text);
    }

    /// This program has written this.
    pub(super) fn wrote(&mut self, bytes: &[u8]) {
        if self.dialogue.is_none() || self.phase == Phase::Content {
            return;
        }
        self.unfinished.extend_from_slice(bytes);
        while let Some(end) = self.unfinished.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = self.unfinished.drain(..=end).collect();
            let line = String::from_utf8_lossy(&line);
            let line = line.trim_end();
            if self.phase == Phase::Auth {
                let mut words = line.split(' ');
                let shown = match (words.next(), words.next(), words.next()) {
                    (Some("AUTH"), Some(method), None) => format!("AUTH {method}"),
                    (Some("AUTH"), Some(method), Some(_)) => format!("AUTH {method} ***"),
                    _ => "***".to_owned(),
                };
                self.record(Speaker::Client, &shown);
            } else {
                self.record(Speaker::Client, line);
            }
        }
    }

    /// The server has said this line.
    pub(super) fn heard(&mut self, line: &str) {
        self.record(Speaker::Server, line);
    }

    pub(super) fn record(&mut self, speaker: Speaker, text: &str) {
        let Some(dialogue) = &self.dialogue else { return };
        if self.recorded < LINES_MAX {
            self.recorded += 1;
            // The receiver may be gone, which is no reason not to send.
            let _ = dialogue.send(DialogueLine::new(speaker, text));
        }
    }
}
