//! What [`super::update()`] asks for. The executor runs these against the desk and sends the answers back as messages.
//!
//! Each kind is a file, with its answers. Every effect that has an answer is answered, whatever happens, except that a
//! newer page, page of sends, count of a search's hits, proof, plan of a job or export may cancel an older one of its kind: the last query wins. While the
//! database is away, loads are answered with a problem that says `away`; the model asks again after
//! [`super::Msg::DatabaseBack`].

mod act;
mod bench;
mod load;
mod terminal;

use crate::domain::Time;
pub use act::{Act, Acted, BrakeChange, JobChange, JobStarted, Reasoned};
pub use bench::{Bench, Benched};
pub use load::{GIVEN_UP_ROWS, Load, Loaded, PAGE_ROWS};
pub use terminal::TerminalCommand;

/// Something to do outside the model.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Read the database.
    Load(Load),
    /// Change it, in the operator's name.
    Act(Act),
    /// What the templates' workbench asks for: it needs no database.
    Bench(Bench),
    /// What the loop does itself, since it holds the terminal.
    Terminal(TerminalCommand),
}

/// What an effect came to.
pub type Answer<T> = Result<T, Problem>;

/// Something that did not work.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Problem {
    /// What happened, to what: one line.
    pub what: String,
    /// What to do about it.
    pub hint: String,
    /// The database is away: no fault of the act, and no toast, since the banner says so.
    pub away: bool,
    /// When the refused act will be possible (a cool-down).
    pub possible_at: Option<Time>,
}
