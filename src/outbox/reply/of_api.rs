//! What a refusal of SES's API means.
//!
//! | refusal | class | this mail | the others |
//! |---|---|---|---|
//! | throttled: maximum sending rate exceeded, or no more said | `Rate` | again after 1.5 s | all workers pause, then go slower |
//! | throttled: daily message quota exceeded | `DailyQuota` | again with the others | all workers pause for 15 min |
//! | `AccountSuspendedException`, `SendingPausedException` | `Account` | again when it is fixed | all workers pause |
//! | `MessageRejected`: not verified | `Account` or `Sandbox` | as over SMTP | as over SMTP |
//! | `MailFromDomainNotVerifiedException`, `NotFoundException`, access denied | `Account` | again when it is fixed | all workers pause |
//! | keys unknown, wrong, of another clock | `Worker` | again when it is fixed | this worker stops |
//! | keys expired | `Unreachable` | again after a second | the worker pauses: 1 s, 2 s … 1 min |
//! | 5xx, `RequestTimeout` | `Transient` | again after 5 s, 10 s, 30 s, then every 20 min | go on |
//! | any other 4xx | `Message`; `Recipient` where it speaks of the address | *failed* | go on |
//!
//! The names are those of the API reference, version 2 (`SendEmail`, "Common Error Types"); what throttles comes under three
//! names, and is told apart by its message.

use super::{Class, LATER, Verdict, judge_unverified};
use crate::domain::address::EmailAddress;
use crate::ses::ApiRefusal;
use crate::text::plain;

/// One kind of refusal.
struct Known {
    /// Its names; none for any.
    codes: &'static [&'static str],
    /// What its message has in it, in lower case.
    words: &'static str,
    class: Class,
    happened: &'static str,
    next: &'static str,
}

const THROTTLED: &[&str] = &["TooManyRequestsException", "ThrottlingException", "Throttling", "LimitExceededException"];

/// What the API is known to say, the more special first.
const KNOWN: [Known; 11] = [
    Known {
        codes: THROTTLED,
        words: "daily message quota",
        class: Class::DailyQuota,
        happened: "the SES account's mails for 24 hours are used up",
        next: "sending goes on as places come back; ask AWS for a larger quota if this is usual",
    },
    Known {
        codes: THROTTLED,
        words: "",
        class: Class::Rate,
        happened: "more mails a second than the SES account may send",
        next: "it is tried again, slower",
    },
    Known {
        codes: &["AccountSuspendedException", "SendingPausedException"],
        words: "",
        class: Class::Account,
        happened: "AWS has paused sending for this account",
        next: "read the mail that AWS sent to the account's address, and the reputation page of the SES console",
    },
    Known {
        codes: &[],
        words: "sending paused for this account",
        class: Class::Account,
        happened: "AWS has paused sending for this account",
        next: "read the mail that AWS sent to the account's address, and the reputation page of the SES console",
    },
    Known {
        codes: &["MailFromDomainNotVerifiedException"],
        words: "",
        class: Class::Account,
        happened: "the MAIL FROM domain of the sender's identity is not verified",
        next: "look at the identity in the SES console; its MX record is missing or wrong",
    },
    Known {
        codes: &["NotFoundException", "ConfigurationSetDoesNotExist", "ConfigurationSetDoesNotExistException"],
        words: "",
        class: Class::Account,
        happened: "SES does not know the configuration set",
        next: "check `mail.configuration_set` and the region",
    },
    Known {
        codes: &["AccessDeniedException", "AccessDenied"],
        words: "",
        class: Class::Account,
        happened: "these AWS credentials may not send this mail",
        next: "allow them ses:SendEmail for the sender's identity and the configuration set",
    },
    Known {
        codes: &["InvalidClientTokenId", "UnrecognizedClientException", "MissingAuthenticationToken", "NotAuthorized"],
        words: "",
        class: Class::Worker,
        happened: "AWS does not know these credentials",
        next: "check AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, or the role of this machine",
    },
    Known {
        codes: &["ExpiredToken", "ExpiredTokenException", "RequestExpired"],
        words: "",
        class: Class::Unreachable { after: None },
        happened: "the AWS credentials have expired",
        next: "it is tried again with those that the machine has then; set others if it stays so",
    },
    Known {
        codes: &[
            "SignatureDoesNotMatch",
            "InvalidSignatureException",
            "IncompleteSignature",
            "IncompleteSignatureException",
            "RequestTimeTooSkewed",
        ],
        words: "",
        class: Class::Worker,
        happened: "AWS does not accept the signature",
        next: "check AWS_SECRET_ACCESS_KEY, and this machine's clock",
    },
    Known {
        codes: &["OptInRequired", "SubscriptionRequiredException"],
        words: "",
        class: Class::Worker,
        happened: "the AWS account of these credentials is not subscribed to SES",
        next: "open the SES console once in this account and region",
    },
];

/// Of a refusal that is the API's own.
pub(super) fn judge(refusal: &ApiRefusal, sender: &EmailAddress, recipient: &EmailAddress) -> Verdict {
    let text = refusal.message.raw().to_lowercase();
    if text.contains("email address is not verified") {
        return judge_unverified(&text, sender, recipient);
    }
    let fits = |known: &&Known| {
        (known.codes.is_empty() || known.codes.contains(&refusal.code.as_str())) && text.contains(known.words)
    };
    if let Some(known) = KNOWN.iter().find(fits) {
        return Verdict::new(known.class, known.happened, known.next);
    }
    if refusal.status >= 500 || refusal.code.starts_with("RequestTimeout") {
        return Verdict::new(LATER, format!("SES's API has trouble of its own: {refusal}"), "it is tried again");
    }
    if names_the_address(&text, recipient) {
        return Verdict::new(
            Class::Recipient,
            format!("SES refused the recipient {}: {refusal}", plain(recipient.as_str())),
            "ask the user for another address",
        );
    }
    Verdict::new(
        Class::Message,
        format!("SES refused the mail: {refusal}"),
        "read the reply; resend when the cause is gone",
    )
}

/// Such as "Missing final '@domain'", "Domain contains control or whitespace", "Local address contains …".
fn names_the_address(text: &str, recipient: &EmailAddress) -> bool {
    let speaks = ["missing final '@domain'", "local address", "domain contains", "domain starts", "domain ends"];
    text.contains(&recipient.as_str().to_lowercase()) || speaks.iter().any(|words| text.contains(words))
}
