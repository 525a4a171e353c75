//! What follows from a bounce.

use super::mail::last;
use super::{Level, Verdict};
use crate::domain::idn;
use crate::domain::send::SendRow;

pub(super) const ASK_FOR_ADDRESS: &str = "Ask for the right address: it may be mistyped.";
pub(super) const TAKE_IT_OFF: &str =
    "Is the address right? Then take it off that list (`L` in the console); until then each mail bounces.";

/// Why mail to this address is refused, by kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cause {
    NoMailbox,
    ForGood,
    AccountList,
    OwnList,
    TenantList,
    NotBelieved,
    Unsubscribed,
    MailboxFull,
    TooLarge,
    Content,
    TimeOver,
    ForNow,
    NotSaid,
}

impl Cause {
    /// Of SES's sub-type and of what the server said.
    fn of(sub_kind: &str, said: &str) -> Self {
        match sub_kind {
            "Permanent/NoEmail" => Self::NoMailbox,
            "Permanent/OnAccountSuppressionList" => Self::AccountList,
            "Permanent/Suppressed" => Self::OwnList,
            "Permanent/OnTenantSuppressionList" => Self::TenantList,
            "Permanent/EmailValidationSuppressed" => Self::NotBelieved,
            "Permanent/UnsubscribedRecipient" => Self::Unsubscribed,
            "Transient/MailboxFull" => Self::MailboxFull,
            "Transient/MessageTooLarge" => Self::TooLarge,
            "Transient/ContentRejected" | "Transient/AttachmentRejected" => Self::Content,
            "Transient/CustomTimeoutExceeded" => Self::TimeOver,
            _ if sub_kind.starts_with("Permanent") && says_no_mailbox(said) => Self::NoMailbox,
            _ if sub_kind.starts_with("Permanent") => Self::ForGood,
            _ if sub_kind.starts_with("Transient") => Self::ForNow,
            _ => Self::NotSaid,
        }
    }
}

/// Whether a server's reply means that no one has this mailbox: by its enhanced status (RFC 3463, 5.1.1, 5.1.2 and 5.1.10 of
/// RFC 7505), or by what servers without one say.
pub(super) fn says_no_mailbox(said: &str) -> bool {
    let has_status = said
        .split(|c: char| !(c.is_ascii_digit() || c == '.'))
        .any(|word| matches!(word.trim_matches('.'), "5.1.1" | "5.1.2" | "5.1.10"));
    let said = said.to_ascii_lowercase();
    has_status || NO_MAILBOX_PHRASES.iter().any(|phrase| said.contains(phrase))
}

/// What servers say of an address that no one has, in lower case.
pub const NO_MAILBOX_PHRASES: [&str; 6] =
    ["user unknown", "unknown user", "no such user", "no such mailbox", "does not exist", "mailbox not found"];

/// The domain of an address, as far as it is one.
fn domain(send: &SendRow) -> String {
    let recipient = idn::shown(&send.recipient);
    let domain = recipient.as_str().rsplit_once('@').map_or("", |(_, domain)| domain);
    if domain.is_empty() { "the receiving server".into() } else { domain.to_owned() }
}

fn cause(send: &SendRow) -> Cause {
    let event = last(send, "Bounce").or_else(|| last(send, "Complaint"));
    event.map_or(Cause::NotSaid, |event| cause_of(event.kind.raw(), event.sub_kind.raw(), event.detail.raw()))
}

/// Whether it was not sent, since the address was on the account's list.
pub(super) fn was_on_account_list(send: &SendRow) -> bool {
    cause(send) == Cause::AccountList
}

/// The cause by the event that decided: a complaint of a suppression list is a mail that was never sent.
pub(super) fn cause_of(kind: &str, sub_kind: &str, said: &str) -> Cause {
    match (kind, sub_kind) {
        ("Bounce", _) => Cause::of(sub_kind, said),
        ("Complaint", ON_ACCOUNT_LIST) => Cause::AccountList,
        _ => Cause::NotSaid,
    }
}

/// As SES calls it among complaints.
pub(super) const ON_ACCOUNT_LIST: &str = "OnAccountSuppressionList";

/// The cause in a few words, and what the server said where that says more.
pub(super) fn in_short(send: &SendRow) -> String {
    // Without its events, which go after some time.
    if let (None, Some(reason)) = (send.events.last(), &send.reason) {
        return reason.plain().into_string();
    }
    let what = match cause(send) {
        Cause::NoMailbox => "no such mailbox",
        Cause::ForGood => "refused for good",
        Cause::AccountList => "on the account's suppression list",
        Cause::OwnList => "on SES's own suppression list",
        Cause::TenantList => "on the tenant's suppression list",
        Cause::NotBelieved => "SES does not believe that it exists",
        Cause::Unsubscribed => "unsubscribed in SES",
        Cause::MailboxFull => return "mailbox full".to_owned(),
        Cause::TooLarge => "too large",
        Cause::Content => "content refused",
        Cause::TimeOver => "time over",
        Cause::ForNow => "refused for now",
        Cause::NotSaid => "refused, not said why",
    };
    let said = last(send, "Bounce").map(|event| event.detail.plain().into_string()).unwrap_or_default();
    let said = said.trim_start_matches("smtp; ");
    if said.is_empty() { what.to_owned() } else { format!("{what}: {said}") }
}

pub(super) fn verdict(send: &SendRow, at: &str) -> Verdict {
    let domain = domain(send);
    let (level, what, advice) = match cause(send) {
        Cause::NoMailbox => {
            (Level::Bad, format!("Cannot be delivered: {domain} says that there is no such mailbox"), ASK_FOR_ADDRESS)
        }
        Cause::ForGood => (
            Level::Bad,
            format!("Cannot be delivered: {domain} refuses it for good"),
            "Ask for another address; the server's words are below.",
        ),
        Cause::AccountList => {
            (Level::Bad, "Not sent: the address is on the account's suppression list in SES".into(), TAKE_IT_OFF)
        }
        Cause::OwnList => (
            Level::Bad,
            "Not sent: the address is on SES's own suppression list".into(),
            "Ask for another address; SES takes it off after some weeks.",
        ),
        Cause::TenantList => {
            (Level::Bad, "Not sent: the address is on the tenant's suppression list in SES".into(), TAKE_IT_OFF)
        }
        Cause::NotBelieved => {
            (Level::Bad, "Not sent: SES does not believe that the address exists".into(), ASK_FOR_ADDRESS)
        }
        Cause::Unsubscribed => (
            Level::Bad,
            "Not sent: they have unsubscribed in SES".into(),
            "Only they can undo it; ask for another address.",
        ),
        Cause::MailboxFull => (
            Level::Warn,
            "Not delivered: their mailbox stayed full".into(),
            "Ask them to make room, then Resend; or for another address.",
        ),
        Cause::TooLarge => (
            Level::Bad,
            format!("Not delivered: our mail is too large for {domain}. Our fault, not theirs"),
            "Show a developer the template.",
        ),
        Cause::Content => (
            Level::Bad,
            format!("Not delivered: {domain} does not like what is in our mail. Our fault, not theirs"),
            "Show a developer the template and the server's words below.",
        ),
        Cause::TimeOver => (
            Level::Warn,
            "Not delivered: SES's configuration set allows too little time".into(),
            "Resend may work; show the person who runs SES.",
        ),
        Cause::ForNow => (Level::Warn, format!("Not delivered: {domain} did not take it for now"), "Resend may work."),
        Cause::NotSaid => (
            Level::Warn,
            format!("Not delivered, and {domain} does not say why"),
            "Resend once; if that bounces too, ask for another address.",
        ),
    };
    Verdict::new(level, format!("{what}, {at}."), advice)
}
