//! Webhooks to the site: messages, and what becomes of them at each endpoint. (What SNS posts to us is in
//! [`super::webhook`].)

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use strum::{EnumString, IntoStaticStr, VariantArray};
use uuid::Uuid;

use super::Time;
use super::id::UserId;
use crate::text::Untrusted;

/// How long a message is tried.
pub const TRIED_FOR: Duration = Duration::from_hours(72);

/// How long what is over stays, and how long an endpoint is told that no worker has in its settings any more (as
/// `told_endpoints` in the database has it).
pub const KEPT_FOR: Duration = Duration::from_hours(30 * 24);

/// Longest name of an endpoint, in characters.
pub const NAME_MAX: usize = 32;

/// Whether an endpoint can have this name.
#[must_use]
pub fn is_name(name: &str) -> bool {
    let is_letter = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    (1..=NAME_MAX).contains(&name.len())
        && name.bytes().next().is_some_and(is_letter)
        && name.bytes().all(|b| is_letter(b) || b == b'-' || b == b'_')
}

/// By what the receiver knows a message: `webhook-id`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MessageId(pub Uuid);

impl fmt::Display for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("msg_{}", self.0.simple()))
    }
}

impl FromStr for MessageId {
    type Err = uuid::Error;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.strip_prefix("msg_").unwrap_or(text).parse().map(Self)
    }
}

/// What became of a message at an endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumString, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "snake_case")]
pub enum DeliveryState {
    /// It is tried, now or later.
    Waiting,
    Delivered,
    GivenUp,
}

impl DeliveryState {
    /// As stored and in JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// For a person.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Delivered => "delivered",
            Self::GivenUp => "given up",
        }
    }
}

/// A message and what became of it at one endpoint.
#[derive(Clone, Debug, PartialEq)]
pub struct Delivery {
    /// Its place in the order of messages.
    pub number: i64,
    pub id: MessageId,
    /// `user.verified`, …
    pub kind: Untrusted,
    pub user_id: Option<UserId>,
    /// When it was written.
    pub at: Time,
    pub endpoint: Untrusted,
    pub state: DeliveryState,
    pub attempts: i32,
    /// When it is tried next, while it waits.
    pub due_at: Time,
    pub changed_at: Time,
    /// The last answer, where there was one.
    pub status: Option<i16>,
    /// What was wrong.
    pub error: Option<Untrusted>,
}

impl Delivery {
    /// Its place in a list.
    #[must_use]
    pub fn place(&self) -> DeliveryPlace {
        DeliveryPlace { number: self.number, endpoint: self.endpoint.raw().to_owned() }
    }

    /// What was answered last, or else what was wrong, in a line.
    #[must_use]
    pub fn answer(&self) -> Option<String> {
        answer(self.status, self.error.as_ref())
    }
}

/// An error says its status, too.
fn answer(status: Option<i16>, error: Option<&Untrusted>) -> Option<String> {
    error.map(|error| error.plain().into_string()).or_else(|| status.map(|status| format!("it answered {status}")))
}

/// An attempt that was not taken.
#[derive(Clone, Debug, PartialEq)]
pub struct Attempt {
    pub endpoint: Untrusted,
    pub at: Time,
    /// That of the answer, where there was one.
    pub status: Option<i16>,
    /// What was wrong, and the beginning of the answer.
    pub error: Untrusted,
}

/// A message, what became of it at each endpoint, and each attempt that was not taken.
#[derive(Clone, Debug, PartialEq)]
pub struct MessageDetail {
    pub id: MessageId,
    pub kind: Untrusted,
    pub user_id: Option<UserId>,
    pub at: Time,
    /// As it is sent.
    pub body: Untrusted,
    pub deliveries: Vec<Delivery>,
    /// Of the endpoints, the oldest first.
    pub attempts: Vec<Attempt>,
}

/// Which deliveries.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeliveryFilter {
    /// All, if none is named.
    pub state: Option<DeliveryState>,
    pub endpoint: Option<String>,
    /// About this user.
    pub user: Option<UserId>,
    /// Written at or after this time.
    pub since: Option<Time>,
    /// Written before this time.
    pub until: Option<Time>,
}

/// A place in a list of deliveries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeliveryPlace {
    pub number: i64,
    pub endpoint: String,
}

/// Not a cursor that a list of deliveries returned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a cursor of `verifydesk webhooks list --json`")]
pub struct MalformedPlace;

impl fmt::Display for DeliveryPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&URL_SAFE_NO_PAD.encode(format!("1 webhook {} {}", self.number, self.endpoint)))
    }
}

impl FromStr for DeliveryPlace {
    type Err = MalformedPlace;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| MalformedPlace)?;
        let text = String::from_utf8(bytes).map_err(|_| MalformedPlace)?;
        let parts: Vec<&str> = text.split(' ').collect();
        let ["1", "webhook", number, endpoint] = parts[..] else { return Err(MalformedPlace) };
        let endpoint = endpoint.to_owned();
        // PostgreSQL takes no such text.
        if endpoint.contains('\0') {
            return Err(MalformedPlace);
        }
        Ok(Self { number: number.parse().map_err(|_| MalformedPlace)?, endpoint })
    }
}

/// Where the site is told.
#[derive(Clone, Debug, PartialEq)]
pub struct HookEndpoint {
    pub name: Untrusted,
    /// Scheme and host.
    pub place: Untrusted,
    pub since: Time,
    /// When a worker last had it in its settings.
    pub seen_at: Time,
    /// Since when nothing is sent to it, because it answered 410.
    pub disabled_at: Option<Time>,
    pub delivered_at: Option<Time>,
    pub failing_since: Option<Time>,
    pub error: Option<Untrusted>,
    /// Messages that wait, at most [`COUNTED_MAX`].
    pub waiting: i64,
    /// Since when the first of them does.
    pub oldest: Option<Time>,
    /// Messages given up, at most [`COUNTED_MAX`].
    pub given_up: i64,
    /// Those of them that were given up within [`GIVEN_UP_LATELY`], at most [`COUNTED_MAX`].
    pub given_up_lately: i64,
}

/// For how long it is news that a message was given up.
pub const GIVEN_UP_LATELY: Duration = Duration::from_hours(24);

/// More are not counted: a number to be looked at must not read a table.
pub const COUNTED_MAX: i64 = 10_000;

/// How long a worker may be silent about an endpoint before that is said.
const UNSEEN: chrono::TimeDelta = chrono::TimeDelta::minutes(5);

impl HookEndpoint {
    /// Whether nothing is taken there, or nothing wanted.
    #[must_use]
    pub fn is_failing(&self) -> bool {
        self.failing_since.is_some() || self.disabled_at.is_some()
    }

    /// What an operator has to know of it; `None` if it is well. `now` by the database's clock.
    #[must_use]
    pub fn trouble(&self, now: Time) -> Option<String> {
        let error = self.error.as_ref().map(|error| format!(": {}", error.plain())).unwrap_or_default();
        if self.disabled_at.is_some() {
            return Some("switched off: its receiver answered 410 (gone)".to_owned());
        }
        if now - self.seen_at > UNSEEN {
            return Some("no worker has it in its settings".to_owned());
        }
        if self.failing_since.is_some() {
            return Some(format!("failing{error}"));
        }
        None
    }
}

/// How it goes with all endpoints, in a line, with times as `shown` writes how long ago they were; and whether that is
/// trouble. `None` where none is set. `how` says where those that were given up are seen.
#[must_use]
pub fn in_words(
    endpoints: &[HookEndpoint],
    now: Time,
    shown: impl Fn(Time) -> String,
    how: &str,
) -> Option<(String, bool)> {
    if endpoints.is_empty() {
        return None;
    }
    let sum = |of: fn(&HookEndpoint) -> i64| endpoints.iter().map(of).sum::<i64>();
    let some = |count: i64| if count < COUNTED_MAX { count.to_string() } else { format!("{COUNTED_MAX} or more") };
    let (waiting, given_up) = (sum(|one| one.waiting), sum(|one| one.given_up));
    let oldest = endpoints.iter().filter_map(|one| one.oldest).min();
    let mut parts = vec![match (waiting, oldest) {
        (0, _) | (_, None) => "told all".to_owned(),
        (1, Some(at)) => format!("1 webhook waits, written {}", shown(at)),
        (_, Some(at)) => format!("{} webhooks wait, the oldest written {}", some(waiting), shown(at)),
    }];
    if given_up > 0 {
        parts.push(format!("{} given up{how}", some(given_up)));
    }
    let troubles = endpoints.iter().filter_map(|one| Some(format!("{}: {}", one.name.plain(), one.trouble(now)?)));
    parts.extend(troubles);
    let is_trouble = given_up > 0 || endpoints.iter().any(|one| one.trouble(now).is_some());
    Some((parts.join("; "), is_trouble))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_read_as_they_are_shown_and_nothing_else_is() {
        let place = DeliveryPlace { number: 7, endpoint: "site".into() };
        assert_eq!(place.to_string().parse(), Ok(place));
        for text in
            ["", "7", "1 audit 7 site", "1 webhook x site", "1 webhook 7", "1 webhook 7 si\0te", "1 webhook 7 a b"]
        {
            assert_eq!(text.parse::<DeliveryPlace>(), Err(MalformedPlace), "{text}");
            assert_eq!(URL_SAFE_NO_PAD.encode(text).parse::<DeliveryPlace>(), Err(MalformedPlace), "{text}");
        }
    }

    #[test]
    fn ids_are_read_as_they_are_shown() {
        let id = MessageId(Uuid::from_u128(7));
        assert_eq!(id.to_string(), "msg_00000000000000000000000000000007");
        assert_eq!(id.to_string().parse(), Ok(id));
        assert_eq!(id.0.to_string().parse(), Ok(id));
        for wrong in ["msg_", "", "7", "msg_g0000000000000000000000000000007"] {
            assert!(wrong.parse::<MessageId>().is_err(), "{wrong}");
        }
    }
}
