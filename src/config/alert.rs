//! Settings of alerts: who is told that something is wrong.

use std::time::Duration;

use serde::Deserialize;

use super::{SettingError, file};

#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Alert {
    /// A program and its arguments; it gets the alert as further arguments and as JSON. No shell.
    pub command: Vec<String>,
    /// How long it may take to tell someone.
    #[serde(with = "file::duration")]
    pub timeout: Duration,
}

impl Default for Alert {
    fn default() -> Self {
        Self { command: Vec::new(), timeout: Duration::from_secs(20) }
    }
}

impl Alert {
    pub(super) fn check(&self) -> Result<(), SettingError> {
        // Services have a directory of their own, or none.
        match self.command.first() {
            Some(program) if !program.starts_with('/') => Err(SettingError::new(
                "`alert.command` does not begin with the whole path of a program",
                "write it like [\"/usr/local/bin/tell\", \"--team\", \"mail\"]",
            )),
            _ => Ok(()),
        }
    }
}
