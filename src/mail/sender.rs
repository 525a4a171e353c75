//! Who a mail comes from: `Name <address>` or an address, as set in the settings, checked at start.

use crate::config::SettingError;
use crate::domain::address::{AddressError, EmailAddress};
use crate::text::{plain, trimmed};

/// Longest display name, in characters; more is folded over many lines and cut by every mail program.
const NAME_MAX: usize = 128;

/// A mailbox of the site's own, with the name that recipients see.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sender {
    name: Option<String>,
    address: EmailAddress,
}

/// Why a sender cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SenderError {
    /// Text behind the address, or a `<` without its `>`.
    #[error("it must be an address, or a name and an address in angle brackets")]
    Shape,
    /// A control character in the name, which could forge a header.
    #[error("its name holds a line break or another control character")]
    Control,
    /// The name is too long.
    #[error("its name is longer than {NAME_MAX} characters")]
    Long,
    /// The address is none.
    #[error("its address is wrong: {0}")]
    Address(#[from] AddressError),
}

impl Sender {
    /// Reads `no-reply@example.org`, `Example <no-reply@example.org>` or `"Kim, Lee & Co" <…>`; the name needs no
    /// quotes, whatever it holds.
    pub fn parse(text: &str) -> Result<Self, SenderError> {
        let text = trimmed(text);
        let (name, address) = match text.strip_suffix('>') {
            Some(inner) => inner.rsplit_once('<').ok_or(SenderError::Shape)?,
            None if text.contains('<') => return Err(SenderError::Shape),
            None => ("", text),
        };
        let name = unquoted(name.trim_matches([' ', '\t']));
        if name.chars().any(char::is_control) {
            return Err(SenderError::Control);
        }
        if name.chars().count() > NAME_MAX {
            return Err(SenderError::Long);
        }
        let address = EmailAddress::parse(address)?;
        Ok(Self { name: (!name.is_empty()).then_some(name), address })
    }

    /// Reads a setting; the error names it.
    pub fn from_setting(name: &str, text: &str) -> Result<Self, SettingError> {
        Self::parse(text).map_err(|error| {
            SettingError::new(
                format!("`{name}` is not a sender: {}: {error}", plain(text)),
                "write it as no-reply@example.org or 'Example <no-reply@example.org>'",
            )
        })
    }

    #[must_use]
    pub fn address(&self) -> &EmailAddress {
        &self.address
    }

    /// The name that recipients see.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }
}

/// The name without quotes around it and backslashes in it (RFC 5322, 3.2.4).
fn unquoted(name: &str) -> String {
    let Some(inner) = name.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) else {
        return name.to_owned();
    };
    let mut out = String::with_capacity(inner.len());
    let mut escaped = false;
    for c in inner.chars() {
        if c == '\\' && !escaped {
            escaped = true;
            continue;
        }
        escaped = false;
        out.push(c);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_people_write() {
        let table = [
            ("no-reply@example.org", None, "no-reply@example.org"),
            (" <no-reply@example.org> ", None, "no-reply@example.org"),
            ("Example <no-reply@Example.org>", Some("Example"), "no-reply@example.org"),
            ("Kim, Lee & Co. <a@example.org>", Some("Kim, Lee & Co."), "a@example.org"),
            ("\"Kim, \\\"Min\\\" \\\\ Co\" <a@example.org>", Some("Kim, \"Min\" \\ Co"), "a@example.org"),
            ("한국 서점 <a@예제.한국>", Some("한국 서점"), "a@xn--2j5b21b.xn--3e0b707e"),
            ("A <B> <a@example.org>", Some("A <B>"), "a@example.org"),
        ];
        for (text, name, address) in table {
            let sender = Sender::parse(text).unwrap();
            assert_eq!((sender.name(), sender.address().as_str()), (name, address), "{text}");
        }
    }

    #[test]
    fn refuses() {
        let long = format!("{} <a@example.org>", "x".repeat(129));
        let table = [
            ("", SenderError::Address(AddressError::Shape)),
            ("Example", SenderError::Address(AddressError::Shape)),
            ("Example <no-reply@example.org", SenderError::Shape),
            ("no-reply@example.org>", SenderError::Shape),
            ("A\r\nBcc: x@example.org <a@example.org>", SenderError::Control),
            ("A\u{0} <a@example.org>", SenderError::Control),
            ("A <a@exam\r\nple.org>", SenderError::Address(AddressError::Unprintable)),
            ("A <가@example.org>", SenderError::Address(AddressError::LocalNotAscii)),
            (long.as_str(), SenderError::Long),
        ];
        for (text, error) in table {
            assert_eq!(Sender::parse(text), Err(error), "{text:?}");
        }
        let error = Sender::from_setting("mail.from", "x\u{1b}[31m").unwrap_err();
        assert!(error.what.contains("`mail.from`") && !error.what.contains('\u{1b}'), "{}", error.what);
    }
}
