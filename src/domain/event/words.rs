//! What an event means, in the words of people; SES's own term stands beside it.

use crate::text::plain;

/// What happened, without a full stop. Plain. `until` is when SES gives up, as a clock shows it.
#[must_use]
pub fn in_words(kind: &str, sub_kind: &str, until: Option<&str>) -> String {
    match kind {
        "Send" => "SES began to deliver it".into(),
        "Delivery" => "the receiving server took it".into(),
        "DeliveryDelay" => {
            let goes_on = until.map_or_else(|| "SES tries again".into(), |until| format!("SES tries until {until}"));
            format!("put off: {}; {goes_on}", delay(sub_kind))
        }
        "Bounce" => bounce(sub_kind).into(),
        "Complaint" => match sub_kind {
            "OnAccountSuppressionList" => HELD_BY_ACCOUNT.into(),
            "not-spam" => "marked as not spam by the reader".into(),
            "" | "abuse" => "called spam by the reader".into(),
            "auth-failure" => "the receiver complains: SPF, DKIM or DMARC fail".into(),
            other => format!("the receiver complains: {}", plain(other)),
        },
        "Reject" => "SES found a virus in it and dropped it".into(),
        "Rendering Failure" => "SES could not fill in its own template".into(),
        "Open" => "a mail program loaded SES's tracking picture".into(),
        "Click" => "a link was opened by way of SES's tracking".into(),
        "Subscription" => "the reader's subscription was changed".into(),
        _ => "SES reports something that this version does not know".into(),
    }
}

const HELD_BY_ACCOUNT: &str = "not sent: the address is on the account's suppression list";

#[must_use]
pub fn delay(sub_kind: &str) -> &'static str {
    match sub_kind {
        "MailboxFull" => "the mailbox is full",
        "SpamDetected" => "the receiving server takes too much mail of SES's for spam",
        "RecipientServerError" => "the receiving server has trouble",
        "IPFailure" | "BYOIPHostNameLookupUnavailable" => "the receiving server does not accept SES's IP address",
        "TransientCommunicationFailure" => "the receiving server could not be reached",
        "InternalFailure" => "SES has trouble of its own",
        "SendingDeferral" => "SES holds it back for a while",
        _ => "no reason was given",
    }
}

fn bounce(sub_kind: &str) -> &'static str {
    match sub_kind {
        "Permanent/NoEmail" => "refused for good: there is no such mailbox",
        "Permanent/Suppressed" => "not sent: the address is on SES's own suppression list",
        "Permanent/OnAccountSuppressionList" => HELD_BY_ACCOUNT,
        "Permanent/OnTenantSuppressionList" => "not sent: the address is on the tenant's suppression list",
        "Permanent/EmailValidationSuppressed" => "not sent: SES does not believe that the address exists",
        "Permanent/UnsubscribedRecipient" => "not sent: the reader has unsubscribed",
        "Transient/MailboxFull" => "given up: the mailbox stayed full",
        "Transient/MessageTooLarge" => "refused: too large for the receiving server",
        "Transient/CustomTimeoutExceeded" => "given up: the time that the configuration set allows was over",
        "Transient/ContentRejected" => "refused: the receiving server does not like what is in it",
        "Transient/AttachmentRejected" => "refused: the receiving server does not like an attachment",
        _ if sub_kind.starts_with("Permanent") => "refused for good",
        _ if sub_kind.starts_with("Transient") => "given up: the receiving server could not be brought to take it",
        _ => "not delivered; the receiving server does not say why",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_has_its_words() {
        let table = [
            ("Delivery", "", None, "the receiving server took it"),
            ("DeliveryDelay", "MailboxFull", Some("14:10"), "put off: the mailbox is full; SES tries until 14:10"),
            ("DeliveryDelay", "Whatever", None, "put off: no reason was given; SES tries again"),
            ("Bounce", "Permanent/General", None, "refused for good"),
            ("Bounce", "Permanent/OfTomorrow", None, "refused for good"),
            ("Bounce", "Transient/MailboxFull", None, "given up: the mailbox stayed full"),
            ("Bounce", "", None, "not delivered; the receiving server does not say why"),
            ("Complaint", "", None, "called spam by the reader"),
            ("Teleport", "x", None, "SES reports something that this version does not know"),
        ];
        for (kind, sub_kind, until, words) in table {
            assert_eq!(in_words(kind, sub_kind, until), words, "{kind} {sub_kind}");
        }
    }
}
