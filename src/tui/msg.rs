//! Everything that can happen to the console. The run loop puts these in; [`super::update()`] answers with effects.

use crossterm::event::KeyEvent;

use super::effect::{Acted, Answer, Benched, Loaded, Problem};
use crate::domain::Time;
use crate::domain::change::Change;

/// Input, answers to effects, and the time.
#[derive(Clone, Debug)]
pub enum Msg {
    /// The first message: what is on the first screen starts to load.
    Start,
    /// The time. Comes before every batch of other messages, and when [`super::screen::deadline::next`] is reached.
    Clock(Time),
    Key(KeyEvent),
    /// A key that may be a piece of something which the terminal sent: nothing is mailed or changed by it.
    Doubtful(KeyEvent),
    /// Text pasted in one piece (bracketed paste).
    Paste(String),
    /// The terminal has a new size, in cells.
    Resize {
        width: u16,
        height: u16,
    },
    /// The console is in the foreground again after it was suspended.
    Resumed,
    /// Some process changed something: this one too, which is how its own acts come to the screen.
    Changed(Vec<Change>),
    Loaded(Loaded),
    Acted(Acted),
    Bench(Benched),
    /// The editor was closed, or could not be opened.
    Edited(Answer<()>),
    /// The database cannot be reached; the executor tries again by itself.
    DatabaseAway {
        problem: Problem,
        retry_at: Time,
    },
    DatabaseBack,
}
