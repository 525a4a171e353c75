//! What a check is, and what it finds.

use std::fmt;
use std::time::Duration;

use futures_util::future::BoxFuture;
use strum::{Display, IntoStaticStr};

use super::Room;
use crate::text::{Plain, plain};

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Display, IntoStaticStr)]
#[strum(serialize_all = "lowercase")]
pub enum State {
    /// It does not apply here, or cannot be looked at from here.
    Skipped,
    Green,
    /// Someone should look.
    Yellow,
    /// Something does not work, or soon will not.
    Red,
}

impl State {
    /// Every state, the worst first.
    pub const ALL: [Self; 4] = [Self::Red, Self::Yellow, Self::Green, Self::Skipped];

    /// The word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// What a check finds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    pub state: State,
    /// What is so; of a skipped one, why it was.
    pub found: Plain,
    /// What to do next, where something is not as it should be, or can be seen from elsewhere.
    pub next: Option<Plain>,
}

impl Finding {
    fn new(state: State, found: &str, next: Option<&str>) -> Self {
        Self { state, found: plain(found), next: next.map(plain) }
    }

    pub fn green(found: impl AsRef<str>) -> Self {
        Self::new(State::Green, found.as_ref(), None)
    }

    pub fn yellow(found: impl AsRef<str>, next: impl AsRef<str>) -> Self {
        Self::new(State::Yellow, found.as_ref(), Some(next.as_ref()))
    }

    pub fn red(found: impl AsRef<str>, next: impl AsRef<str>) -> Self {
        Self::new(State::Red, found.as_ref(), Some(next.as_ref()))
    }

    pub fn skipped(why: impl AsRef<str>) -> Self {
        Self::new(State::Skipped, why.as_ref(), None)
    }

    /// Skipped because it takes the settings of a host that sends mails.
    pub fn of_workers(why: impl AsRef<str>) -> Self {
        Self::new(State::Skipped, why.as_ref(), Some("run `verifydesk doctor` on a worker's host"))
    }
}

/// What it finds, or why that was known before its end.
pub type Examined<'a> = BoxFuture<'a, Result<Finding, Finding>>;

/// A check, and what it has found.
pub type Found = (&'static Check, Finding);

/// How it looks.
pub type Examine = fn(&Room) -> Examined<'_>;

/// A check.
pub struct Check {
    /// Its name: group and check. Scripts rely on it.
    pub name: &'static str,
    /// What it asks, for the manual.
    pub about: &'static str,
    /// The longest that it may take.
    pub limit: Duration,
    pub examine: Examine,
}

impl fmt::Debug for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

impl Check {
    /// The group's name.
    #[must_use]
    pub fn group(&self) -> &'static str {
        self.name.split_once('.').map_or(self.name, |(group, _)| group)
    }

    /// Its name within the group.
    #[must_use]
    pub fn short(&self) -> &'static str {
        self.name.split_once('.').map_or(self.name, |(_, short)| short)
    }
}
