//! Secrets in a type that never prints.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, Visitor};

use super::SettingError;
use crate::domain::key::SECRET_MIN;

/// A password, key, token or URL with a password in it. `Debug` shows nothing of it, and there is no `Display`.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Wraps a secret.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The secret itself, for the one place that needs it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// The secret's bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

/// Checks the secrets that keys are derived from.
pub(super) fn check(secret: Option<&Secret>, previous: Option<&Secret>) -> Result<(), SettingError> {
    for (name, secret) in [("secret", secret), ("secret_previous", previous)] {
        if let Some(secret) = secret
            && secret.bytes().len() < SECRET_MIN
        {
            return Err(SettingError::new(
                format!("`{name}` has {} bytes; at least {SECRET_MIN} are needed", secret.bytes().len()),
                if name == "secret" {
                    "make one with `openssl rand -base64 32` and set it as VERIFYDESK_SECRET on every worker"
                } else {
                    "set VERIFYDESK_SECRET_PREVIOUS to the whole secret that was used before, or leave it out"
                },
            ));
        }
    }
    if previous.is_some() && previous == secret {
        return Err(SettingError::new(
            "`secret_previous` is the same as `secret`",
            "set VERIFYDESK_SECRET_PREVIOUS to the secret that was used before, or leave it out; docs/secret.md says how \
             a secret is changed",
        ));
    }
    Ok(())
}

/// Serde's own errors quote the value that did not fit; this one must not.
impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Quoted;

        impl Quoted {
            fn refuse<T, E: Error>() -> Result<T, E> {
                Err(E::custom("a secret must be written in quotes"))
            }
        }

        impl Visitor<'_> for Quoted {
            type Value = Secret;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a secret in quotes")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Secret, E> {
                Ok(Secret::new(text))
            }

            fn visit_bool<E: Error>(self, _: bool) -> Result<Secret, E> {
                Self::refuse()
            }

            fn visit_i64<E: Error>(self, _: i64) -> Result<Secret, E> {
                Self::refuse()
            }

            fn visit_u64<E: Error>(self, _: u64) -> Result<Secret, E> {
                Self::refuse()
            }

            fn visit_f64<E: Error>(self, _: f64) -> Result<Secret, E> {
                Self::refuse()
            }
        }

        deserializer.deserialize_any(Quoted)
    }
}
