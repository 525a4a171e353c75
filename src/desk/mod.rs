//! What can be done, one file per act. The console, the command line and the web all call these, so that whatever one
//! can do the others can, under the same rules.
//!
//! An act checks its rules, changes the data and writes the audit entry in one transaction, which locks the user's row
//! first; then it notifies the other processes.

mod brake;
mod change_address;
mod delete;
mod error;
mod force_verify;
mod hook;
mod identity;
mod job;
mod link;
mod mint;
mod resend;
mod revoke;
mod sign_up;
mod suppression;
mod take_events;
pub mod test_send;
mod undo;
mod unverify;
mod webhook;

use std::time::Duration;

use crate::config::{SettingError, Settings};
use crate::domain::reason::says_something;
use crate::domain::resend::ResendPolicy;
use crate::store::{Purpose, Store};
use crate::text::plain;

pub use crate::domain::send::ResentHow;
pub use crate::store::deletion::Belongings;
pub use crate::store::undo::TakenBack;
pub use delete::{Deletion, Whom};
pub use error::{Error, Refusal};
pub use force_verify::ForceVerified;
pub use hook::no_message;
pub use job::MARKED_MAX;
pub use link::{LinkOutcome, Opener};
pub use mint::Minted;
pub use resend::{ResendPlan, Resent};
pub use sign_up::{SignUp, SignUpStatus, SignedUp};
pub use suppression::SesAnswer;

/// Shortest reason of an act that needs one, in characters.
pub const REASON_MIN: usize = 3;

/// Longest reason, in characters.
pub const REASON_MAX: usize = 500;

/// An operator's reason for `act`, checked.
fn reason(text: &str, act: &'static str) -> Result<String, Error> {
    let reason = text.trim().replace('\0', "");
    let length = reason.chars().count();
    if length < REASON_MIN || !says_something(&reason) {
        return Err(Refusal::ReasonMissing { act }.into());
    }
    if length > REASON_MAX {
        return Err(Error::Invalid(plain(&format!("the reason is longer than {REASON_MAX} characters"))));
    }
    Ok(reason)
}

/// The acts, with the settings that they keep to.
#[derive(Clone, Debug)]
pub struct Desk {
    store: Store,
    policy: ResendPolicy,
    grace: Duration,
    hold: Duration,
    is_read_only: bool,
}

impl Desk {
    /// A desk over the database that the settings name. Connects at the first act.
    pub fn open(settings: &Settings) -> Result<Self, SettingError> {
        Ok(Self::with(Store::open(settings)?, settings))
    }

    /// A desk for what faces the internet: its sessions wait for less, and leave connections to each other.
    pub fn open_to_strangers(settings: &Settings) -> Result<Self, SettingError> {
        Ok(Self::with(Store::open_for(settings, Purpose::Serve)?, settings))
    }

    /// A desk over a database opened elsewhere.
    #[must_use]
    pub fn with(store: Store, settings: &Settings) -> Self {
        Self {
            store,
            policy: settings.verification.resend_policy(),
            grace: settings.jobs.grace,
            hold: Duration::ZERO,
            is_read_only: settings.read_only,
        }
    }

    /// Refused where the settings let nothing be changed. The first that an act asks.
    fn changing(&self) -> Result<(), Refusal> {
        if self.is_read_only { Err(Refusal::ReadOnly) } else { Ok(()) }
    }

    /// The same, but an operator's resend waits for so long before it goes out, and can be taken back until then.
    #[must_use]
    pub fn holding(self, hold: Duration) -> Self {
        Self { hold, ..self }
    }

    /// For reading.
    #[must_use]
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// What every resend keeps to.
    #[must_use]
    pub fn policy(&self) -> &ResendPolicy {
        &self.policy
    }

    /// How long to wait between two mails to one user.
    #[must_use]
    pub fn cool_down(&self) -> Duration {
        self.policy.cool_down
    }
}
