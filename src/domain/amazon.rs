//! What workers have found out from Amazon's API: the queue that SES's events come by, and the SES account.

use super::Time;
use crate::text::Untrusted;

/// A queue that SES's events come by.
#[derive(Clone, Debug, PartialEq)]
pub struct EventQueue {
    pub url: Untrusted,
    /// How much was in it; `None` if that was never found out.
    pub depth: Option<Depth>,
    /// Messages left in it since they are no events.
    pub left_alone: i64,
    pub left_at: Option<Time>,
    /// Why it cannot be read or asked, while that is so, and since when.
    pub error: Option<(Untrusted, Time)>,
}

/// How much is in a queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Depth {
    pub seen_at: Time,
    pub waiting: i64,
    /// Received and not deleted yet.
    pub in_flight: i64,
    pub dead_letters: DeadLetters,
}

/// What is in a queue's dead-letter queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeadLetters {
    /// There is none: what is no event comes back until it is too old.
    NoQueue,
    /// It may not be asked.
    Unknown,
    Count(i64),
}

impl DeadLetters {
    /// Whether someone has to look.
    #[must_use]
    pub fn is_trouble(self) -> bool {
        matches!(self, Self::NoQueue | Self::Count(1..))
    }
}

impl EventQueue {
    /// Its state in words, but for its error.
    #[must_use]
    pub fn in_words(&self) -> String {
        let Some(depth) = &self.depth else { return "how much waits is not known yet".into() };
        let waiting = format!("{} waiting, {} being taken in", depth.waiting, depth.in_flight);
        let left =
            if self.left_alone == 0 { String::new() } else { format!(", {} left as no events", self.left_alone) };
        // What someone has to look at comes first.
        match depth.dead_letters {
            DeadLetters::Count(0) => format!("{waiting}{left}, none in the dead-letter queue"),
            DeadLetters::Count(count) => format!("{count} in the dead-letter queue{left}, {waiting}"),
            DeadLetters::NoQueue => format!("no dead-letter queue{left}, {waiting}"),
            DeadLetters::Unknown => format!("{waiting}{left}; its dead-letter queue may not be asked"),
        }
    }

    /// Whether someone has to look.
    #[must_use]
    pub fn is_trouble(&self) -> bool {
        self.error.is_some() || self.depth.is_some_and(|depth| depth.dead_letters.is_trouble())
    }
}
