//! AWS's examples of every event, in every envelope, with what follows from each. The files are in `tests/fixtures/ses`.

use serde_json::json;

use super::*;
use crate::domain::event::words::in_words;
use crate::domain::event::{Fate, Mark, Verdict, judge};

macro_rules! example {
    ($name:literal) => {
        ($name, include_str!(concat!("../../../../tests/fixtures/ses/events/", $name, ".json")))
    };
}

const EXAMPLES: [(&str, &str); 15] = [
    example!("bounce"),
    example!("click"),
    example!("complaint"),
    example!("delivery"),
    example!("delivery-delay"),
    example!("identity-bounce"),
    example!("identity-bounce-without-dsn"),
    example!("identity-complaint"),
    example!("identity-complaint-without-report"),
    example!("identity-delivery"),
    example!("open"),
    example!("reject"),
    example!("rendering-failure"),
    example!("send"),
    example!("subscription"),
];

fn example(name: &str) -> Value {
    let (_, text) = EXAMPLES.into_iter().find(|(found, _)| *found == name).expect(name);
    serde_json::from_str(text).expect(name)
}

/// What follows from an event: its fate, whether it counts against us, what it says of the address.
type Follows = (Option<Fate>, bool, Option<Mark>);

const ACCEPTED: Follows = (Some(Fate::Accepted), false, None);
const DELAYED: Follows = (Some(Fate::Delayed), false, None);
const DELIVERED: Follows = (Some(Fate::Delivered), false, Some(Mark::Takes));
const LIKED: Follows = (Some(Fate::Delivered), false, None);
const REJECTED: Follows = (Some(Fate::Rejected), false, None);
const HARD: Follows = (Some(Fate::Bounced), true, Some(Mark::Hard));
const SOFT: Follows = (Some(Fate::Bounced), false, Some(Mark::Soft));
const RETURNED: Follows = (Some(Fate::Returned), false, Some(Mark::Soft));
const HELD: Follows = (Some(Fate::Bounced), false, Some(Mark::Suppressed));
const COMPLAINED: Follows = (Some(Fate::Complained), true, Some(Mark::Complained));
const NOTHING: Follows = (None, false, None);

/// The example, what SES says of it, what follows, and its words.
const TABLE: [(&str, &str, &str, Follows, &str); 15] = [
    ("send", "Send", "", ACCEPTED, "SES began to deliver it"),
    ("delivery", "Delivery", "", DELIVERED, "the receiving server took it"),
    ("identity-delivery", "Delivery", "", DELIVERED, "the receiving server took it"),
    (
        "delivery-delay",
        "DeliveryDelay",
        "TransientCommunicationFailure",
        DELAYED,
        "put off: the receiving server could not be reached; SES tries until 14:10",
    ),
    ("bounce", "Bounce", "Permanent/General", HARD, "refused for good"),
    ("identity-bounce", "Bounce", "Permanent/General", HARD, "refused for good"),
    ("identity-bounce-without-dsn", "Bounce", "Permanent/General", HARD, "refused for good"),
    ("complaint", "Complaint", "abuse", COMPLAINED, "called spam by the reader"),
    ("identity-complaint", "Complaint", "abuse", COMPLAINED, "called spam by the reader"),
    ("identity-complaint-without-report", "Complaint", "", COMPLAINED, "called spam by the reader"),
    ("reject", "Reject", "", REJECTED, "SES found a virus in it and dropped it"),
    ("rendering-failure", "Rendering Failure", "", REJECTED, "SES could not fill in its own template"),
    ("open", "Open", "", NOTHING, "a mail program loaded SES's tracking picture"),
    ("click", "Click", "", NOTHING, "a link was opened by way of SES's tracking"),
    ("subscription", "Subscription", "", NOTHING, "the reader's subscription was changed"),
];

const BOUNCES: [(&str, &str, Follows, &str); 15] = [
    ("Undetermined", "Undetermined", RETURNED, "not delivered; the receiving server does not say why"),
    ("Permanent", "General", HARD, "refused for good"),
    ("Permanent", "NoEmail", HARD, "refused for good: there is no such mailbox"),
    ("Permanent", "Suppressed", HELD, "not sent: the address is on SES's own suppression list"),
    ("Permanent", "OnAccountSuppressionList", HELD, "not sent: the address is on the account's suppression list"),
    ("Permanent", "OnTenantSuppressionList", HELD, "not sent: the address is on the tenant's suppression list"),
    ("Permanent", "EmailValidationSuppressed", HELD, "not sent: SES does not believe that the address exists"),
    ("Permanent", "UnsubscribedRecipient", HELD, "not sent: the reader has unsubscribed"),
    ("Transient", "General", RETURNED, "given up: the receiving server could not be brought to take it"),
    ("Transient", "MailboxFull", SOFT, "given up: the mailbox stayed full"),
    ("Transient", "MessageTooLarge", SOFT, "refused: too large for the receiving server"),
    ("Transient", "CustomTimeoutExceeded", SOFT, "given up: the time that the configuration set allows was over"),
    ("Transient", "ContentRejected", SOFT, "refused: the receiving server does not like what is in it"),
    ("Transient", "AttachmentRejected", SOFT, "refused: the receiving server does not like an attachment"),
    ("Transient", "OfTomorrow", SOFT, "given up: the receiving server could not be brought to take it"),
];

/// The field that says it, and what it says.
const COMPLAINTS: [(&str, &str, Follows, &str); 7] = [
    ("complaintFeedbackType", "abuse", COMPLAINED, "called spam by the reader"),
    ("complaintFeedbackType", "auth-failure", COMPLAINED, "the receiver complains: SPF, DKIM or DMARC fail"),
    ("complaintFeedbackType", "fraud", COMPLAINED, "the receiver complains: fraud"),
    ("complaintFeedbackType", "not-spam", LIKED, "marked as not spam by the reader"),
    ("complaintFeedbackType", "other", COMPLAINED, "the receiver complains: other"),
    ("complaintFeedbackType", "virus", COMPLAINED, "the receiver complains: virus"),
    (
        "complaintSubType",
        "OnAccountSuppressionList",
        HELD,
        "not sent: the address is on the account's suppression list",
    ),
];

const DELAYS: [(&str, &str); 11] = [
    ("InternalFailure", "SES has trouble of its own"),
    ("General", "no reason was given"),
    ("MailboxFull", "the mailbox is full"),
    ("SpamDetected", "the receiving server takes too much mail of SES's for spam"),
    ("RecipientServerError", "the receiving server has trouble"),
    ("IPFailure", "the receiving server does not accept SES's IP address"),
    ("TransientCommunicationFailure", "the receiving server could not be reached"),
    ("BYOIPHostNameLookupUnavailable", "the receiving server does not accept SES's IP address"),
    ("Undetermined", "no reason was given"),
    ("SendingDeferral", "SES holds it back for a while"),
    ("OfTomorrow", "no reason was given"),
];

/// The event in each envelope, with the key that the envelope adds.
fn enveloped(event: &Value) -> Vec<(&'static str, Value, Option<&'static str>)> {
    let sns = json!({
        "Type": "Notification", "MessageId": "22b80b92", "TopicArn": "arn:aws:sns:eu-west-1:123456789012:ses-events",
        "Subject": "Amazon SES Email Event Notification", "Message": event.to_string(),
        "Timestamp": "2026-11-20T10:00:03.655Z", "SignatureVersion": "1", "Signature": "AAAA",
        "SigningCertURL": "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-9c.pem",
        "UnsubscribeURL": "https://sns.eu-west-1.amazonaws.com/?Action=Unsubscribe",
    });
    let bridge = json!({
        "version": "0", "id": "7bf73129", "detail-type": "Email Something", "source": "aws.ses",
        "account": "123456789012", "time": "2026-11-20T10:00:03Z", "region": "eu-west-1",
        "resources": ["arn:aws:ses:eu-west-1:123456789012:configuration-set/verifydesk"], "detail": event,
    });
    vec![
        ("bare", event.clone(), None),
        ("sns", sns, Some("sns 22b80b92")),
        ("eventbridge", bridge, Some("eventbridge 7bf73129")),
    ]
}

/// The same as an identity reports it.
fn of_identity(event: &Value) -> Value {
    let mut event = event.clone();
    let fields = event.as_object_mut().unwrap();
    if let Some(kind) = fields.remove("eventType") {
        fields.insert("notificationType".into(), kind);
    }
    event["mail"].as_object_mut().unwrap().remove("tags");
    event
}

fn check(event: &Value, kind: &str, sub_kind: &str, follows: Follows, words: &str) {
    let mut all = enveloped(event);
    if matches!(kind, "Bounce" | "Complaint" | "Delivery") {
        all.extend(enveloped(&of_identity(event)));
    }
    for (envelope, text, key) in all {
        let what = format!("{kind} {sub_kind} {envelope}");
        let found = Event::read(text.to_string().as_bytes(), None).expect(&what);
        assert_eq!((found.kind.as_str(), found.sub_kind.as_str()), (kind, sub_kind), "{what}");
        let (fate, is_against_us, mark) = follows;
        assert_eq!(judge(&found.kind, &found.sub_kind), Verdict { fate, is_against_us, mark }, "{what}");
        let until = found.until.map(|until| until.format("%H:%M").to_string());
        assert_eq!(in_words(&found.kind, &found.sub_kind, until.as_deref()), words, "{what}");
        if envelope == "sns" {
            let message = text["Message"].as_str().unwrap();
            assert_eq!(Event::of_notification(message, "22b80b92").as_ref(), Ok(&found), "{what}");
        }
        let inside = match envelope {
            "sns" => serde_json::from_str(text["Message"].as_str().unwrap()).unwrap(),
            "eventbridge" => text["detail"].clone(),
            _ => text,
        };
        let has_tags = inside["mail"].get("tags").is_some();
        assert_eq!((found.send.is_some(), found.attempt), (has_tags, has_tags.then_some(1)), "{what}");
        assert_eq!(found.ses_id, event["mail"]["messageId"], "{what}");
        let has_feedback = matches!(kind, "Bounce" | "Complaint");
        assert_eq!(found.keys.iter().any(|found| Some(found.as_str()) == key), key.is_some(), "{what}");
        assert_eq!(
            found.keys.len(),
            usize::from(key.is_some()) + usize::from(has_feedback) + 1,
            "{what}: {:?}",
            found.keys
        );
        let kept = found.body.to_string();
        assert!(
            !kept.contains("q83vEjRWeJ") && !kept.contains("commonHeaders") && !kept.contains("linkTags"),
            "{kept}"
        );
    }
}

#[test]
fn each_example_means_what_it_says() {
    for (name, kind, sub_kind, follows, words) in TABLE {
        check(&example(name), kind, sub_kind, follows, words);
    }
    let named: Vec<_> = TABLE.iter().map(|row| row.0).collect();
    assert!(EXAMPLES.iter().all(|(name, _)| named.contains(name)));
}

#[test]
fn each_sub_type_means_what_it_says() {
    for (of_type, sub, follows, words) in BOUNCES {
        let mut event = example("bounce");
        event["bounce"]["bounceType"] = json!(of_type);
        event["bounce"]["bounceSubType"] = json!(sub);
        check(&event, "Bounce", &format!("{of_type}/{sub}"), follows, words);
    }
    for (field, says, follows, words) in COMPLAINTS {
        let mut event = example("complaint");
        event["complaint"].as_object_mut().unwrap().remove("complaintFeedbackType");
        event["complaint"][field] = json!(says);
        check(&event, "Complaint", says, follows, words);
    }
    for (delay, words) in DELAYS {
        let mut event = example("delivery-delay");
        event["deliveryDelay"]["delayType"] = json!(delay);
        check(&event, "DeliveryDelay", delay, DELAYED, &format!("put off: {words}; SES tries until 14:10"));
    }
}

#[test]
fn each_example_says_who_and_when_and_why() {
    let (mina, noor) = ("mina@example.com", "noor@example.com");
    let table: [(&str, &[&str], &str, &str); 15] = [
        ("send", &[mina], "10:00:00", ""),
        ("delivery", &[mina], "10:00:02", "250 2.6.0 Message received"),
        ("identity-delivery", &[mina], "10:00:02", "250 ok:  Message 64111812 accepted"),
        ("delivery-delay", &[mina], "10:10:00", "smtp; 421 4.4.1 Unable to connect to remote host"),
        ("bounce", &[mina], "10:00:02", "smtp; 550 5.1.1 user unknown"),
        ("identity-bounce", &[mina], "10:00:02", "smtp; 550 5.1.1 <mina@example.com>... User"),
        ("identity-bounce-without-dsn", &[mina, noor], "10:00:02", ""),
        ("complaint", &[mina], "10:00:02", "ExampleMail Feedback Loop (2.0)"),
        ("identity-complaint", &[noor], "10:00:02", "ExampleMail Feedback Loop (2.0)"),
        ("identity-complaint-without-report", &[noor], "10:00:02", ""),
        ("reject", &[mina], "10:00:00", "Bad content"),
        ("rendering-failure", &[mina], "10:00:00", "Attribute 'name' is not present in the rendering data."),
        ("open", &[mina], "10:00:09", ""),
        ("click", &[mina], "10:00:19", ""),
        ("subscription", &[mina], "10:00:17", ""),
    ];
    for (name, recipients, at, detail) in table {
        let found = read(&example(name));
        assert_eq!(found.recipients, recipients, "{name}");
        assert_eq!(found.occurred_at.format("%H:%M:%S").to_string(), at, "{name}");
        assert_eq!(found.detail, detail, "{name}");
    }
}
