//! What a mail server and this program say to each other, line by line as it happens, for whoever sends a test.
//!
//! What is shown holds no secret: of signing in only the method is told, of a mail only its size.

use std::fmt;

use tokio::sync::mpsc::UnboundedSender;

use crate::text::{Plain, plain};

/// Most lines that one connection tells; a server that never ends its answer must not fill memory.
const LINES_MAX: usize = 500;

/// Who said a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Speaker {
    /// This program.
    Client,
    /// The mail server.
    Server,
    /// Nobody: what happened between the lines, such as the beginning of TLS.
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
    /// A line.
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

/// What this program is saying.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Speech {
    /// Commands, to be shown as they are.
    #[default]
    Commands,
    /// What signs in.
    Secrets,
    /// A mail, of which its size has been told.
    Content,
}

/// Listens in.
#[derive(Debug, Default)]
pub(super) struct Tap {
    dialogue: Option<Dialogue>,
    speech: Speech,
    /// The beginning of a command that was not written in one piece.
    unfinished: Vec<u8>,
    told: usize,
}

impl Tap {
    pub(super) fn new(dialogue: Option<Dialogue>) -> Self {
        Self { dialogue, ..Self::default() }
    }

    pub(super) fn set_speech(&mut self, speech: Speech) {
        self.speech = speech;
        self.unfinished.clear();
    }

    pub(super) fn is_signing_in(&self) -> bool {
        self.speech == Speech::Secrets
    }

    pub(super) fn note(&mut self, text: &str) {
        self.tell(Speaker::Note, text);
    }

    /// This program has written this.
    pub(super) fn wrote(&mut self, bytes: &[u8]) {
        if self.dialogue.is_none() || self.speech == Speech::Content {
            return;
        }
        self.unfinished.extend_from_slice(bytes);
        while let Some(end) = self.unfinished.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = self.unfinished.drain(..=end).collect();
            let line = String::from_utf8_lossy(&line);
            let line = line.trim_end();
            if self.speech == Speech::Secrets {
                let mut words = line.split(' ');
                let shown = match (words.next(), words.next(), words.next()) {
                    (Some("AUTH"), Some(method), None) => format!("AUTH {method}"),
                    (Some("AUTH"), Some(method), Some(_)) => format!("AUTH {method} ***"),
                    _ => "***".to_owned(),
                };
                self.tell(Speaker::Client, &shown);
            } else {
                self.tell(Speaker::Client, line);
            }
        }
    }

    /// The server has said this line.
    pub(super) fn heard(&mut self, line: &str) {
        self.tell(Speaker::Server, line);
    }

    pub(super) fn tell(&mut self, speaker: Speaker, text: &str) {
        let Some(dialogue) = &self.dialogue else { return };
        if self.told < LINES_MAX {
            self.told += 1;
            // Nobody may be listening any more, which is no reason not to send.
            let _ = dialogue.send(DialogueLine::new(speaker, text));
        }
    }
}
