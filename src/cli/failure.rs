//! What went wrong, as the shell sees it.

use std::io;
use std::process::ExitCode;

use super::output;
use crate::config::SettingError;
use crate::mail::templates::eject::NotWritten;
use crate::{desk, store, tui};

/// An error with its exit code.
#[derive(Debug)]
pub struct Failure {
    code: u8,
    what: String,
    hint: String,
}

impl Failure {
    /// Exit code 1: it was tried and failed.
    pub fn failed(what: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { code: 1, what: what.into(), hint: hint.into() }
    }

    /// Exit code 2: it was asked for wrongly, or the settings are wrong.
    pub fn usage(what: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { code: 2, what: what.into(), hint: hint.into() }
    }

    /// Exit code 3: it is not there.
    pub fn not_found(what: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { code: 3, what: what.into(), hint: hint.into() }
    }

    /// The same, said of one thing among several.
    #[must_use]
    pub fn of(mut self, thing: &str) -> Self {
        self.what = format!("{thing}: {}", self.what);
        self
    }

    #[must_use]
    pub fn code(&self) -> u8 {
        self.code
    }

    /// Prints it to stderr and returns the exit code. A reader that went away (`| head`) is no failure.
    #[must_use]
    pub fn report(&self) -> ExitCode {
        if !self.what.is_empty() {
            output::remark(&format!("{self}"));
        }
        ExitCode::from(self.code)
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "error: {}", self.what)?;
        if self.hint.is_empty() { Ok(()) } else { write!(f, "\n       {}", self.hint) }
    }
}

impl From<SettingError> for Failure {
    fn from(error: SettingError) -> Self {
        Self::usage(error.what, error.hint)
    }
}

impl From<store::Error> for Failure {
    fn from(error: store::Error) -> Self {
        Self { code: code_of(&error), what: error.to_string(), hint: error.hint().into() }
    }
}

fn code_of(error: &store::Error) -> u8 {
    if matches!(error, store::Error::ReadOnly(_) | store::Error::NoAudit(_)) { 4 } else { 1 }
}

impl From<desk::Error> for Failure {
    fn from(error: desk::Error) -> Self {
        let code = match &error {
            desk::Error::Invalid(_) | desk::Error::Setting(_) => 2,
            desk::Error::Template(_) => 1,
            desk::Error::NotFound(_) | desk::Error::NoTemplate(_) => 3,
            desk::Error::Refused(_) => 4,
            desk::Error::Store(error) => code_of(error),
        };
        Self { code, what: error.to_string(), hint: error.hint() }
    }
}

impl From<NotWritten> for Failure {
    fn from(error: NotWritten) -> Self {
        let code = if matches!(error, NotWritten::NotBuiltIn(_)) { 2 } else { 1 };
        Self { code, what: error.to_string(), hint: error.hint().into() }
    }
}

impl From<tui::run::Error> for Failure {
    fn from(error: tui::run::Error) -> Self {
        Self { code: error.exit_code(), what: error.to_string(), hint: error.hint() }
    }
}

/// Of writing to stdout.
impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe {
            return Self { code: 0, what: String::new(), hint: String::new() };
        }
        Self::failed(format!("cannot write the output: {error}"), "check where it goes")
    }
}
