//! A mail that the server did not take, as it counts where the server takes none at all ([`crate::store::refusals`]).

use std::time::Instant;

use super::preparer::Ready;
use super::reply::{Class, Verdict};
use crate::domain::address::EmailAddress;
use crate::mail::transport::Failure;
use crate::text::plain;

/// Longest that is kept of what the server said, in characters.
const SAYS_MAX: usize = 600;

/// A mail refused, put off, or lost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    /// Whether what was said speaks of us.
    pub(super) is_of_us: bool,
    /// Whether the mail is not to be queued again even so: it is too old.
    pub(super) is_final: bool,
    /// The domain it was for.
    pub(super) domain: String,
    /// What the server said, or what happened instead, without the recipient: it is shown for longer than they may
    /// want to be known. Plain.
    pub(super) says: String,
    /// When it was refused.
    pub(super) at: Instant,
}

impl Refusal {
    /// Of an answer judged so; `None` if it is no refusal: other causes keep all mails back by themselves, and
    /// in the sandbox there are recipients who cannot be mailed whatever the server is.
    pub(super) fn of(failure: &Failure, verdict: &Verdict, recipient: &EmailAddress, is_final: bool) -> Option<Self> {
        let counts = match verdict.class {
            Class::Transient { .. } | Class::Relay | Class::Recipient | Class::Message | Class::Unknown => true,
            Class::Unreachable { .. }
            | Class::Crowd
            | Class::Rate
            | Class::DailyQuota
            | Class::Worker
            | Class::Account
            | Class::Sandbox => false,
        };
        let is_of_us = verdict.class == Class::Relay;
        let says = match failure.answer() {
            // What to do about it is not about one mail.
            _ if is_of_us => plain(&verdict.reason()),
            Some(answer) => answer.plain(),
            None => plain(&failure.to_string()),
        };
        counts.then(|| Self {
            is_of_us,
            is_final,
            domain: recipient.domain().to_owned(),
            says: without(says.as_str(), recipient.as_str()),
            at: Instant::now(),
        })
    }

    /// Of a mail that could not be made: with a broken template that is every mail.
    pub(super) fn unmade(reason: &str, ready: &Ready, is_final: bool) -> Self {
        let address = ready.user.email.raw();
        let domain = address.rsplit_once('@').map_or("", |(_, domain)| domain).to_lowercase();
        let says = without(plain(reason).as_str(), address);
        Self { is_of_us: false, is_final, domain, says, at: Instant::now() }
    }
}

/// The text without an address, in whatever case it is quoted.
fn without(text: &str, address: &str) -> String {
    let mut rest = text;
    let mut out = String::new();
    // ASCII letters only change in place, so that positions hold.
    while let Some(at) = rest.to_ascii_lowercase().find(&address.to_ascii_lowercase()).filter(|_| !address.is_empty()) {
        out.push_str(&rest[..at]);
        out.push_str("(recipient)");
        rest = &rest[at + address.len()..];
    }
    out.push_str(rest);
    out.chars().take(SAYS_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_left_out_in_any_case() {
        let table = [
            ("550 <Robin@Example.com>: no <robin@example.com>", "550 <(recipient)>: no <(recipient)>"),
            ("550 김 robin@example.com 김", "550 김 (recipient) 김"),
            ("550 no", "550 no"),
        ];
        for (text, without_it) in table {
            assert_eq!(without(text, "robin@Example.com"), without_it);
        }
        assert_eq!(without("550 no", ""), "550 no");
    }
}
