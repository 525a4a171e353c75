//! What can be done, one act a file. The console, the command line and the web all call these, so that whatever one
//! can do the others can, under the same rules.
//!
//! An act checks its rules, changes the data and writes the audit entry in one transaction, which locks the user's row
//! first; then it tells the other processes.

mod error;
mod force_verify;
mod link;
mod resend;
mod sign_up;

use std::time::Duration;

use crate::config::{SettingError, Settings};
use crate::store::Store;

pub use error::{Error, Refusal};
pub use force_verify::{ForceVerified, REASON_MAX, REASON_MIN};
pub use link::LinkOutcome;
pub use resend::{Resent, ResentHow};
pub use sign_up::{SignUp, SignUpStatus, SignedUp};

/// The acts, with the settings that they keep to.
#[derive(Clone, Debug)]
pub struct Desk {
    store: Store,
    lifetime: Duration,
    cool_down: Duration,
}

impl Desk {
    /// A desk over the database that the settings name. Connects at the first act.
    pub fn open(settings: &Settings) -> Result<Self, SettingError> {
        Ok(Self::with(Store::open(settings)?, settings))
    }

    /// A desk over a database opened elsewhere.
    #[must_use]
    pub fn with(store: Store, settings: &Settings) -> Self {
        Self { store, lifetime: settings.verification.lifetime, cool_down: settings.verification.cool_down }
    }

    /// For reading.
    #[must_use]
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// How long to wait between two mails to one user.
    #[must_use]
    pub fn cool_down(&self) -> Duration {
        self.cool_down
    }
}
