//! E-mail addresses, as strict as SES: RFC 5321 syntax, an ASCII local part, the domain in its ASCII form.

use std::fmt;

use crate::text::trimmed;

/// A checked address. The domain is lower case and in Punycode where it was international.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct EmailAddress(String);

/// Why an address cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// No `@`, or nothing before or behind it.
    #[error("it needs one part before and one behind an @")]
    Shape,
    /// A control character or a space.
    #[error("it holds a space or a control character")]
    Unprintable,
    /// The part before the `@` has letters beyond ASCII, which Amazon SES refuses.
    #[error("the part before the @ must be plain ASCII; Amazon SES refuses others")]
    LocalNotAscii,
    /// The part before the `@` is not a dot-atom (RFC 5321, 4.1.2).
    #[error("the part before the @ has a character or a dot where none may be")]
    Local,
    #[error("the part behind the @ is not a domain name with at least two labels")]
    Domain,
    /// Longer than RFC 5321 (4.5.3.1) allows: 64 before the `@`, 254 in all.
    #[error("it is too long: 64 characters before the @ and 254 in all are allowed")]
    Long,
}

impl EmailAddress {
    /// Checks an address that someone typed or pasted: what is around it and cannot be seen goes.
    ///
    /// Quoted local parts (`"a b"@example.org`) and address literals (`a@[192.0.2.1]`) are refused: no one signs up
    /// with one, and much software behind this one mishandles them.
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        let text = trimmed(text);
        if text.chars().any(|c| c.is_control() || c.is_whitespace()) {
            return Err(AddressError::Unprintable);
        }
        let (local, domain) = text.rsplit_once('@').ok_or(AddressError::Shape)?;
        if local.is_empty() || domain.is_empty() {
            return Err(AddressError::Shape);
        }
        if !local.is_ascii() {
            return Err(AddressError::LocalNotAscii);
        }
        if local.len() > 64 {
            return Err(AddressError::Long);
        }
        if !local.split('.').all(|atom| !atom.is_empty() && atom.bytes().all(is_atom)) {
            return Err(AddressError::Local);
        }
        let domain = ascii_domain(domain)?;
        let address = format!("{local}@{domain}");
        if address.len() > 254 { Err(AddressError::Long) } else { Ok(Self(address)) }
    }

    /// The address as it goes into the envelope.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The part behind the `@`.
    #[must_use]
    pub fn domain(&self) -> &str {
        self.0.rsplit_once('@').map_or("", |(_, domain)| domain)
    }
}

impl fmt::Display for EmailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for EmailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The domain of addresses, checked: in lower case and in Punycode where it is international.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct DomainName(String);

impl DomainName {
    /// `naver.com`, `@naver.com`
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        let text = trimmed(text);
        let domain = ascii_domain(text.strip_prefix('@').unwrap_or(text))?;
        if domain.len() > 252 { Err(AddressError::Long) } else { Ok(Self(domain)) }
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for DomainName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// RFC 5322 atext.
fn is_atom(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&byte)
}

/// The domain in lower case and Punycode (IDNA 2008, UTS 46).
fn ascii_domain(domain: &str) -> Result<String, AddressError> {
    let ascii = idna::domain_to_ascii_strict(domain).map_err(|_| AddressError::Domain)?;
    let labels: Vec<&str> = ascii.split('.').collect();
    let label_fits = |label: &&str| {
        !label.is_empty()
            && label.len() <= 63
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let top_is_name = labels.last().is_some_and(|top| top.len() >= 2 && !top.bytes().all(|b| b.is_ascii_digit()));
    if labels.len() >= 2 && labels.iter().all(label_fits) && top_is_name {
        Ok(ascii)
    } else {
        Err(AddressError::Domain)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn accepts_and_normalises() {
        let table = [
            ("mina@example.com", "mina@example.com"),
            ("  mina@Example.COM ", "mina@example.com"),
            ("\tmina@example.com\r\n", "mina@example.com"),
            ("\u{a0}mina@example.com\u{3000}", "mina@example.com"),
            ("\u{feff}mina@example.com\u{200b}", "mina@example.com"),
            ("\u{202a}mina@example.com\u{202c}", "mina@example.com"),
            ("\u{200e} \u{2060}mina@example.com\u{ad} \u{2028}\u{0}", "mina@example.com"),
            ("\u{3164}mina@example.com\u{fe0f}", "mina@example.com"),
            ("Mina.Kim+tag@example.co.kr", "Mina.Kim+tag@example.co.kr"),
            ("a@예제.한국", "a@xn--2j5b21b.xn--3e0b707e"),
            ("o'brien@example.org", "o'brien@example.org"),
            ("a@xn--bcher-kva.example", "a@xn--bcher-kva.example"),
        ];
        for (raw, address) in table {
            assert_eq!(EmailAddress::parse(raw).map(|a| a.to_string()), Ok(address.to_owned()), "{raw}");
        }
    }

    #[test]
    fn refuses() {
        let long_local = format!("{}@example.com", "a".repeat(65));
        let long = format!(
            "a@{}.com",
            ["b".repeat(60), "c".repeat(60), "d".repeat(60), "e".repeat(60), "f".repeat(5)].join(".")
        );
        let table = [
            ("", AddressError::Shape),
            ("mina", AddressError::Shape),
            ("@example.com", AddressError::Shape),
            ("mina@", AddressError::Shape),
            ("mina@example", AddressError::Domain),
            ("mina@localhost", AddressError::Domain),
            ("mina@[127.0.0.1]", AddressError::Domain),
            ("mina@127.0.0.1", AddressError::Domain),
            ("mina@-a.com", AddressError::Domain),
            ("mina@a..com", AddressError::Domain),
            ("mina@exa_mple.com", AddressError::Domain),
            ("a@b@example.com", AddressError::Local),
            (".a@example.com", AddressError::Local),
            ("a..b@example.com", AddressError::Local),
            ("\"a b\"@example.com", AddressError::Unprintable),
            ("\"ab\"@example.com", AddressError::Local),
            ("가나다@example.kr", AddressError::LocalNotAscii),
            ("a b@example.com", AddressError::Unprintable),
            ("a@example.com\r\nBcc: x@example.com", AddressError::Unprintable),
            ("a\0@example.com", AddressError::Unprintable),
            ("a\u{a0}b@example.com", AddressError::Unprintable),
            ("mina \u{200b}@example.com", AddressError::Unprintable),
            ("mi\u{200b}na@example.com", AddressError::LocalNotAscii),
            ("\u{feff}\u{200b} \u{3000}", AddressError::Shape),
            ("\u{1b}[31mmina@example.com", AddressError::Local),
            ("<a@example.com>", AddressError::Local),
            (long_local.as_str(), AddressError::Long),
            (long.as_str(), AddressError::Long),
        ];
        for (raw, error) in table {
            assert_eq!(EmailAddress::parse(raw), Err(error), "{raw:?}");
        }
    }

    proptest! {
        #[test]
        fn what_passes_is_harmless(text in "\\PC{0,20}@\\PC{0,20}|[ -~]{0,20}@[a-z.가-힣-]{0,20}") {
            if let Ok(address) = EmailAddress::parse(&text) {
                let s = address.as_str();
                prop_assert!(s.bytes().all(|b| b.is_ascii_graphic()));
                prop_assert!(s.len() <= 254 && s.matches('@').count() == 1);
                prop_assert_eq!(EmailAddress::parse(s), Ok(address.clone()));
            }
        }
    }
}
