//! In place of the pollers, in a program that was built without Amazon's API.

use std::future::Ready;
use std::sync::Arc;

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::{Tally, Until};
use crate::config::{SettingError, Settings};
use crate::store::Store;

/// There is none.
pub enum EventPoller {}

impl EventPoller {
    /// Refuses a queue.
    pub fn from_settings(_: &Store, settings: &Settings) -> Result<Option<Self>, SettingError> {
        match settings.ses.queue {
            None => Ok(None),
            Some(_) => Err(SettingError::new(
                "`ses.queue` is set, but this program was built without Amazon's API (feature `aws`)",
                "leave it out, or build verifydesk with its default features",
            )),
        }
    }

    /// Is never called.
    pub fn run(&self, _: Until, _: &CancellationToken) -> Ready<Tally> {
        match *self {}
    }
}

/// There is none.
pub enum AccountPoller {}

impl AccountPoller {
    /// No account can be asked about.
    pub fn from_settings(_: &Store, _: &Settings) -> Result<Option<Self>, SettingError> {
        Ok(None)
    }

    /// Is never called.
    #[must_use]
    pub fn woken_by(self, _: Arc<Notify>) -> Self {
        match self {}
    }

    /// Is never called.
    pub fn run(&self, _: Until, _: &CancellationToken) -> Ready<()> {
        match *self {}
    }
}
