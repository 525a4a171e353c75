//! Lists of the audit log: which entries, in pages, with the user that each is about.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::DateTime;

use super::{Action, AuditEntry, Origin};
use crate::domain::Time;
use crate::domain::filter::{Filter, Search};
use crate::domain::id::VerificationId;
use crate::text::Untrusted;

/// Which entries. The default is all.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AuditFilter {
    /// A part of who acted or of their database role, whatever its capitals.
    pub by: Option<String>,
    /// One of these; `None` for any.
    pub actions: Option<Vec<Action>>,
    /// Through one of these doors; `None` for any.
    pub origins: Option<Vec<Origin>>,
    /// About users found by their address of now or before, name, number or an id.
    pub whom: Option<Search>,
    /// At or after.
    pub since: Option<Time>,
    /// Before.
    pub until: Option<Time>,
}

impl From<Filter> for AuditFilter {
    fn from(filter: Filter) -> Self {
        Self {
            by: filter.by,
            actions: Some(filter.actions).filter(|actions| !actions.is_empty()),
            origins: Some(filter.origins).filter(|origins| !origins.is_empty()),
            whom: filter.search,
            since: filter.since,
            until: filter.until,
        }
    }
}

impl AuditFilter {
    /// The same, of a kind only.
    #[must_use]
    pub fn of(mut self, kind: Option<AuditKind>) -> Self {
        let Some(kind) = kind else { return self };
        let (origins, actions) = kind.parts();
        self.origins = both(self.origins, origins);
        self.actions = both(self.actions, actions);
        self
    }
}

/// What is among both; `None` is any.
fn both<T: Copy + PartialEq>(asked: Option<Vec<T>>, of_kind: Option<&[T]>) -> Option<Vec<T>> {
    match (asked, of_kind) {
        (Some(asked), Some(of_kind)) => Some(asked.into_iter().filter(|one| of_kind.contains(one)).collect()),
        (asked, None) => asked,
        (None, of_kind) => of_kind.map(<[T]>::to_vec),
    }
}

/// No action, or no door, has this name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no such name")]
pub struct UnknownName;

impl FromStr for Action {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Self, UnknownName> {
        let name = text.to_lowercase().replace('-', "_");
        Self::ALL.into_iter().find(|action| action.as_str() == name).ok_or(UnknownName)
    }
}

impl FromStr for Origin {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Self, UnknownName> {
        let name = text.to_lowercase();
        Self::ALL.into_iter().find(|origin| origin.as_str() == name).ok_or(UnknownName)
    }
}

/// What an operator comes to the log for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuditKind {
    /// What people did in console and command line.
    Operators,
    /// What changed a user past the usual way.
    Users,
    /// What stopped or started mail.
    Outbox,
}

impl AuditKind {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::Operators, Self::Users, Self::Outbox];

    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::Operators => "By operators",
            Self::Users => "Users changed",
            Self::Outbox => "Sending",
        }
    }

    /// Through which doors, and which actions.
    fn parts(self) -> (Option<&'static [Origin]>, Option<&'static [Action]>) {
        use Action as A;
        match self {
            Self::Operators => (Some(&[Origin::Console, Origin::Cli]), None),
            Self::Users => (
                None,
                Some(&[
                    A::ForceVerify,
                    A::Unverify,
                    A::Revoke,
                    A::Extend,
                    A::ChangeAddress,
                    A::Delete,
                    A::Erase,
                    A::Undo,
                ]),
            ),
            Self::Outbox => (
                None,
                Some(&[
                    A::Pause,
                    A::Drain,
                    A::Resume,
                    A::StartJob,
                    A::PauseJob,
                    A::ResumeJob,
                    A::CancelJob,
                    A::ApproveTopic,
                    A::RefuseTopic,
                    A::TestWebhook,
                    A::RetryWebhooks,
                    A::Undo,
                ]),
            ),
        }
    }
}

/// An entry, with the user that it is about.
#[derive(Clone, Debug, PartialEq)]
pub struct AuditRow {
    pub entry: AuditEntry,
    /// The user's address as it is now; none where it is about no user, or they were deleted.
    pub email: Option<Untrusted>,
    /// What the act has made of it: a JSON object, where the act keeps that.
    pub after: Option<Untrusted>,
    /// Of a changed address: what it became.
    pub new_email: Option<Untrusted>,
    /// The entry whose act it takes back.
    pub undoes: Option<i64>,
    /// Where all about the user is shown: the verification that the entry is about, else the user's newest.
    pub shown_by: Option<VerificationId>,
}

/// A place in a list of entries, which are ordered by time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AuditPlace {
    pub at: Time,
    pub id: i64,
}

impl AuditRow {
    /// Its place in the order.
    #[must_use]
    pub fn place(&self) -> AuditPlace {
        AuditPlace { at: self.entry.at, id: self.entry.id }
    }
}

/// Not a cursor that a list of entries returned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a cursor of `verifydesk audit --json`")]
pub struct MalformedPlace;

impl fmt::Display for AuditPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&URL_SAFE_NO_PAD.encode(format!("1 audit {} {}", self.at.timestamp_micros(), self.id)))
    }
}

impl FromStr for AuditPlace {
    type Err = MalformedPlace;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| MalformedPlace)?;
        let text = String::from_utf8(bytes).map_err(|_| MalformedPlace)?;
        let parts: Vec<&str> = text.split(' ').collect();
        let ["1", "audit", at, id] = parts[..] else { return Err(MalformedPlace) };
        let at = at.parse().ok().and_then(DateTime::from_timestamp_micros);
        let at = at.filter(|at| crate::domain::is_kept(*at)).ok_or(MalformedPlace)?;
        Ok(Self { at, id: id.parse().map_err(|_| MalformedPlace)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::filter::{Clock, Place, line};
    use proptest::prelude::*;

    fn parsed(text: &str) -> AuditFilter {
        line::parse(text, Place::Audit, Clock::utc(Time::default())).unwrap().into()
    }

    #[test]
    fn a_line_of_the_filter_language_says_who_what_and_whom() {
        let whom = |text: &str| Search::parse(text);
        let table = [
            ("", AuditFilter::default()),
            ("by:mina", AuditFilter { by: Some("mina".into()), ..AuditFilter::default() }),
            (
                "kim by:Mina action:pause,Force-Verify jun origin:cli,",
                AuditFilter {
                    by: Some("Mina".into()),
                    actions: Some(vec![Action::Pause, Action::ForceVerify]),
                    origins: Some(vec![Origin::Cli]),
                    whom: whom("kim jun"),
                    ..AuditFilter::default()
                },
            ),
            ("since:1970-01-02", AuditFilter { since: "1970-01-02T00:00:00Z".parse().ok(), ..AuditFilter::default() }),
            ("user:7", AuditFilter { whom: whom("user:7"), ..AuditFilter::default() }),
        ];
        for (text, expected) in table {
            assert_eq!(parsed(text), expected, "{text}");
        }
    }

    #[test]
    fn kinds_narrow_what_is_asked_for() {
        let of = |text: &str, kind| parsed(text).of(Some(kind));
        assert_eq!(of("action:pause", AuditKind::Outbox).actions, Some(vec![Action::Pause]));
        assert_eq!(of("action:pause", AuditKind::Users).actions, Some(vec![]), "nothing is both");
        assert_eq!(of("", AuditKind::Users).actions.unwrap().len(), 8);
        let operators = of("action:pause", AuditKind::Operators);
        assert_eq!(operators.actions, Some(vec![Action::Pause]));
        assert_eq!(operators.origins, Some(vec![Origin::Console, Origin::Cli]));
    }

    proptest! {
        #[test]
        fn places_round_trip(at in 0i64..4_000_000_000_000_000, id in 1i64..) {
            let place = AuditPlace { at: DateTime::from_timestamp_micros(at).unwrap(), id };
            prop_assert_eq!(place.to_string().parse::<AuditPlace>(), Ok(place));
        }

        #[test]
        fn nonsense_is_no_place(text in any::<String>()) {
            prop_assert!(text.parse::<AuditPlace>().is_err());
        }
    }
}
