//! Everything the console knows, as plain data.

use chrono::FixedOffset;

use crate::domain::Time;

/// What the console is told when it starts.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Setup {
    /// The site's name, or "demo".
    pub site: String,
    /// Under which name the operator's acts are audited.
    pub operator: String,
    /// In which zone absolute times are shown.
    pub zone: Zone,
    /// Whether this console sends mail itself (`console.send`).
    pub sends: bool,
}

/// The zone of absolute times; they always show their offset.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Zone {
    /// UTC.
    #[default]
    Utc,
    /// The operator's, found once at the start.
    Local(FixedOffset),
}

/// The console's whole state.
#[derive(Clone, Debug, PartialEq)]
pub struct Model {
    /// As told at the start.
    pub setup: Setup,
    /// Columns and rows of the terminal.
    pub size: (u16, u16),
    /// The time of the last [`super::Msg::Clock`].
    pub now: Time,
    dirty: bool,
}

impl Model {
    /// A console that has loaded nothing yet. Send it `Start` next.
    #[must_use]
    pub fn new(setup: Setup, now: Time, width: u16, height: u16) -> Self {
        Self { setup, size: (width, height), now, dirty: true }
    }

    /// When something visible changes by the mere passing of time; send `Clock` then. Nothing: only messages change it.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Time> {
        None
    }

    /// Whether there may be something new to draw; asking resets it.
    pub fn take_dirty(&mut self) -> bool {
        std::mem::take(&mut self.dirty)
    }
}
