//! Settings of test mails.

use serde::{Deserialize, Deserializer};

use super::SettingError;
use crate::domain::address::EmailAddress;
use crate::text::plain;

/// Test mails: to whom they may go.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TestSend {
    /// Addresses, and domains as `@example.org`; in the environment with commas between them.
    #[serde(deserialize_with = "list")]
    pub allow: Vec<String>,
}

impl TestSend {
    /// Whether a test mail may go to this address.
    #[must_use]
    pub fn allows(&self, address: &EmailAddress) -> bool {
        self.allow.iter().filter_map(|entry| Some((entry, example_of(entry)?))).any(|(entry, example)| {
            if entry.starts_with('@') {
                example.domain() == address.domain()
            } else {
                example.as_str().eq_ignore_ascii_case(address.as_str())
            }
        })
    }

    pub(super) fn check(&self) -> Result<(), SettingError> {
        for entry in &self.allow {
            if example_of(entry).is_none() {
                return Err(SettingError::new(
                    format!("`test_send.allow` holds what is neither an address nor a domain: {}", plain(entry)),
                    "write addresses as dev@example.org, and domains as @example.org",
                ));
            }
        }
        Ok(())
    }
}

/// An address that the entry allows; nothing if it is a wrong one.
fn example_of(entry: &str) -> Option<EmailAddress> {
    if entry.starts_with('@') {
        EmailAddress::parse(&format!("x{entry}")).ok()
    } else {
        EmailAddress::parse(entry).ok()
    }
}

/// A list, or one string with commas.
fn list<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged, expecting = "expected a list of addresses and domains")]
    enum Entries {
        One(String),
        Many(Vec<String>),
    }
    let entries = match Entries::deserialize(deserializer)? {
        Entries::One(text) => text.split(',').map(ToOwned::to_owned).collect(),
        Entries::Many(entries) => entries,
    };
    Ok(entries.into_iter().map(|entry| entry.trim().to_owned()).filter(|entry| !entry.is_empty()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowing(text: &str) -> TestSend {
        toml::from_str(text).unwrap()
    }

    #[test]
    fn addresses_and_domains() {
        for text in ["allow = [\"Dev@example.org\", \"@example.com\"]", "allow = \"Dev@example.org, @example.com,\""] {
            let settings = allowing(text);
            settings.check().unwrap();
            let table = [
                ("dev@example.org", true),
                ("dev@EXAMPLE.org", true),
                ("any.body@example.com", true),
                ("other@example.org", false),
                ("dev@sub.example.com", false),
                ("dev@example.com.evil.example", false),
                ("xdev@example.org", false),
            ];
            for (address, is_allowed) in table {
                assert_eq!(settings.allows(&EmailAddress::parse(address).unwrap()), is_allowed, "{address}");
            }
        }
        let nobody = TestSend::default();
        assert!(!nobody.allows(&EmailAddress::parse("dev@example.org").unwrap()));
    }

    #[test]
    fn nonsense_is_named() {
        for entry in ["example.org", "@", "@x", "*", "*@example.org@", "dev@example.org\u{1b}[31m"] {
            let error = TestSend { allow: vec![entry.to_owned()] }.check().unwrap_err();
            assert!(error.what.contains("`test_send.allow`") && !error.what.contains('\u{1b}'), "{}", error.what);
        }
    }
}
