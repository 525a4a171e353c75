//! Identifiers. Users and verifications are numbered (small keys where pages are); sends and jobs carry a UUIDv7 that
//! exists before the row does: the mail itself names it.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::Time;

macro_rules! number_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub i64);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }

        impl FromStr for $name {
            type Err = std::num::ParseIntError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.parse().map(Self)
            }
        }
    };
}

number_id!(
    /// A user's number.
    UserId
);
number_id!(
    /// A verification's number: what `verifydesk show`, `resend` and `verify` take.
    VerificationId
);
number_id!(
    /// The number of an act at AWS that is queued.
    AccountActId
);

macro_rules! uuid_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl $name {
            /// A new id, ordered by the time it was made.
            #[must_use]
            pub fn new() -> Self {
                Self(Uuid::now_v7())
            }
        }

        impl Default for $name {
            fn default() -> Self {
                Self::new()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.parse().map(Self)
            }
        }
    };
}

uuid_id!(
    /// A send's UUIDv7; mails carry it in `X-SES-MESSAGE-TAGS` so that SES's events name it.
    SendId
);
impl SendId {
    /// When it was made, which is when its mail was queued, by the clock of the host that did; `None` for an id that was
    /// made otherwise.
    #[must_use]
    pub fn made_at(self) -> Option<Time> {
        let (seconds, nanos) = self.0.get_timestamp()?.to_unix();
        Time::from_timestamp(i64::try_from(seconds).ok()?, nanos)
    }
}

uuid_id!(
    /// A job's UUIDv7.
    JobId
);
