//! Errors as the console shows them.

use super::Problem;
use crate::contain::Broke;
use crate::export::file;
use crate::mail::templates::eject::NotWritten;
use crate::{desk, store};

impl From<Broke> for Problem {
    fn from(broke: Broke) -> Self {
        let hint = "it is a fault of this program, brought out by what it read; everything else goes on".into();
        Self { what: broke.to_string(), hint, ..Self::default() }
    }
}

impl From<store::Error> for Problem {
    fn from(error: store::Error) -> Self {
        Self { what: error.to_string(), hint: error.hint().into(), away: error.is_away(), possible_at: None }
    }
}

impl From<file::Error> for Problem {
    fn from(error: file::Error) -> Self {
        let hint = match error {
            file::Error::Store(error) => return error.into(),
            file::Error::NoHome => "set HOME or XDG_DATA_HOME",
            file::Error::File { .. } => "make room there, or set XDG_DATA_HOME to where files can be written",
        };
        Self { what: error.to_string(), hint: hint.into(), ..Self::default() }
    }
}

impl From<NotWritten> for Problem {
    fn from(error: NotWritten) -> Self {
        Self { what: error.to_string(), hint: error.hint().into(), ..Self::default() }
    }
}

impl From<desk::Error> for Problem {
    fn from(error: desk::Error) -> Self {
        let possible_at = match &error {
            // On the database's clock, as `Model::now` is.
            desk::Error::Refused(desk::Refusal::CoolDown { until, .. } | desk::Refusal::DailyCap { until, .. }) => {
                Some(*until)
            }
            _ => None,
        };
        let away = matches!(&error, desk::Error::Store(error) if error.is_away());
        Self { what: error.to_string(), hint: error.hint(), away, possible_at }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_resend_is_possible_again_by_the_database_s_clock() {
        // An hour behind this machine's.
        let now = chrono::Utc::now() - chrono::Duration::hours(1);
        let until = now + chrono::Duration::seconds(40);
        for refusal in [desk::Refusal::CoolDown { until, now }, desk::Refusal::DailyCap { until, now }] {
            assert_eq!(Problem::from(desk::Error::Refused(refusal)).possible_at, Some(until));
        }
    }
}
