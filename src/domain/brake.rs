//! The brake: what stops the whole outbox, who set it, and why.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use strum::{Display, EnumString, IntoStaticStr};

use super::Time;
use crate::text::Untrusted;

/// How far it is on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, Display, EnumString, IntoStaticStr)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase", parse_err_ty = UnknownBrake, parse_err_fn = UnknownBrake::of)]
pub enum BrakeState {
    /// Mails go out.
    #[default]
    Off,
    /// What was queued before goes out, then nothing; jobs make no more.
    Draining,
    /// Nothing goes out.
    Paused,
}

/// What set it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Display, EnumString, IntoStaticStr)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase", parse_err_ty = UnknownBrake, parse_err_fn = UnknownBrake::of)]
pub enum BrakeCause {
    /// A person.
    Operator,
    /// Too many of the last mails bounced or were complained of.
    Reputation,
    /// SES says that the mails of the day are used up.
    Quota,
    /// SES refuses every mail until someone fixes something.
    Configuration,
    /// The mail server takes no mail; one is tried now and then, and the first that is taken ends it.
    Refusals,
    /// The database is a copy of the one that workers last came to: what is queued in it may have gone out.
    Restored,
}

/// Not a word for it.
#[derive(Debug, thiserror::Error)]
#[error("unknown word for the brake")]
pub struct UnknownBrake;

impl UnknownBrake {
    fn of(_: &str) -> Self {
        Self
    }
}

impl BrakeState {
    /// Every state.
    pub const ALL: [Self; 3] = [Self::Off, Self::Draining, Self::Paused];

    /// The word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

impl BrakeCause {
    /// Every cause.
    pub const ALL: [Self; 6] =
        [Self::Operator, Self::Reputation, Self::Quota, Self::Configuration, Self::Refusals, Self::Restored];

    /// The word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// The brake, where it is on.
#[derive(Clone, Debug, PartialEq)]
pub struct Brake {
    /// How far.
    pub state: BrakeState,
    /// What set it.
    pub cause: BrakeCause,
    /// Who: an operator, or `worker@host`.
    pub set_by: Untrusted,
    /// Why, and what to fix.
    pub reason: Untrusted,
    /// Since when.
    pub set_at: Time,
    /// Until when, if it ends by itself.
    pub until: Option<Time>,
    /// When the next mail is tried, where it ends as soon as one is taken.
    pub probe_at: Option<Time>,
    /// The database's clock when it was read: the only one that any of these can be compared with.
    pub as_of: Time,
}

impl Brake {
    /// How long until it ends by itself, if it does.
    #[must_use]
    pub fn ends_in(&self) -> Option<Duration> {
        self.until.map(|until| (until - self.as_of).to_std().unwrap_or_default())
    }

    /// How long until the next mail is tried: at once where that moment lies further ahead than any wait for one, as
    /// after a clock that was set back.
    #[must_use]
    pub fn probe_in(&self, longest: Duration) -> Option<Duration> {
        let wait = self.probe_at.map(|at| (at - self.as_of).to_std().unwrap_or_default());
        wait.map(|wait| if wait > longest { Duration::ZERO } else { wait })
    }
}
