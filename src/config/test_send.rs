//! Settings of test mails.

use serde::Deserialize;

use super::SettingError;
use crate::domain::address::EmailAddress;
use crate::text::{plain, trimmed};

/// Test mails: where they may go.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TestSend {
    /// Addresses, and domains as `@example.org`; in the environment with commas between them.
    pub allow: Vec<String>,
}

impl TestSend {
    /// Whether a test mail may go to this address.
    #[must_use]
    pub fn allows(&self, address: &EmailAddress) -> bool {
        let entries = self.allow.iter().map(|entry| trimmed(entry));
        entries.filter_map(|entry| Some((entry, example_of(entry)?))).any(|(entry, example)| {
            if entry.starts_with('@') {
                example.domain() == address.domain()
            } else {
                example.as_str().eq_ignore_ascii_case(address.as_str())
            }
        })
    }

    pub(super) fn check(&self) -> Result<(), SettingError> {
        for entry in &self.allow {
            if example_of(trimmed(entry)).is_none() {
                return Err(SettingError::new(
                    format!("`test_send.allow` holds what is neither an address nor a domain: {}", plain(entry)),
                    "write addresses as dev@example.org, and domains as @example.org",
                ));
            }
        }
        Ok(())
    }
}

/// An address that the entry allows; `None` if it is a wrong one.
fn example_of(entry: &str) -> Option<EmailAddress> {
    if entry.starts_with('@') {
        EmailAddress::parse(&format!("x{entry}")).ok()
    } else {
        EmailAddress::parse(entry).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_and_domains() {
        let settings =
            TestSend { allow: vec!["\u{feff}Dev@example.org ".to_owned(), "\u{a0}@example.com\n".to_owned()] };
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
        let no_one = TestSend::default();
        assert!(!no_one.allows(&EmailAddress::parse("dev@example.org").unwrap()));
    }

    #[test]
    fn nonsense_is_named() {
        for entry in ["example.org", "@", "@x", "*", "*@example.org@", "dev@example.org\u{1b}[31m"] {
            let error = TestSend { allow: vec![entry.to_owned()] }.check().unwrap_err();
            assert!(error.what.contains("`test_send.allow`") && !error.what.contains('\u{1b}'), "{}", error.what);
        }
    }
}
