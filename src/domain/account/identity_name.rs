//! What an identity is called: an address or a domain, checked before SES is asked to add it.

use std::fmt;

use crate::domain::address::{AddressError, DomainName, EmailAddress};
use crate::domain::idn;
use crate::text::{Plain, plain};

/// An address or a domain. The domain is in lower case and in Punycode where it is international; the part before the `@`
/// keeps its case, which counts at SES.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IdentityName {
    Address(EmailAddress),
    Domain(DomainName),
}

impl IdentityName {
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        if text.contains('@') {
            EmailAddress::parse(text).map(Self::Address)
        } else if text.trim().chars().any(|c| c.is_control() || c.is_whitespace()) {
            Err(AddressError::Unprintable)
        } else {
            DomainName::parse(text).map(Self::Domain)
        }
    }

    /// As SES takes it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Address(address) => address.as_str(),
            Self::Domain(domain) => domain.as_str(),
        }
    }

    /// As people read it, safe to show.
    #[must_use]
    pub fn shown(&self) -> Plain {
        plain(&idn::readable(self.as_str()).text)
    }
}

impl fmt::Display for IdentityName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Whether an identity of this name is an address: its owner opens a link; a domain's puts records into DNS.
#[must_use]
pub fn is_address(name: &str) -> bool {
    name.contains('@')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_and_domains_are_taken_and_nonsense_is_not() {
        let taken = [
            ("Mina.Kim@Example.COM", "Mina.Kim@example.com"),
            ("o'brien@example.com", "o'brien@example.com"),
            ("  example.org ", "example.org"),
            ("Mail.Example.org", "mail.example.org"),
            // What SES takes is its form in ASCII.
            ("책방.example", "xn--vh3bp80a.example"),
            ("mina@책방.example", "mina@xn--vh3bp80a.example"),
        ];
        for (text, name) in taken {
            assert_eq!(IdentityName::parse(text).map(|name| name.to_string()).as_deref(), Ok(name), "{text}");
        }
        let long = format!("{}.example", "x".repeat(300));
        let long_local = format!("{}@example.com", "x".repeat(300));
        let refused = [
            "",
            " ",
            "@",
            "@example.org",
            "example",
            "exam ple.org",
            "mina kim@example.com",
            "example.org\u{1b}[2J",
            "mina\u{1b}[2J@example.com",
            "mina@example.com\nbcc: x@example.com",
            "\"mina\"@example.com",
            "mi\"na@example.com",
            "exam\"ple.org",
            "mina@[192.0.2.1]",
            "민아@example.com",
            "example.org/",
            "https://example.org",
            "-example.org",
            "*.example.org",
            &long,
            &long_local,
        ];
        for text in refused {
            assert!(IdentityName::parse(text).is_err(), "{text:?}");
        }
    }
}
