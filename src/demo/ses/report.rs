//! An event as SES publishes it: its JSON, read again as all events are ("Examples of event data that Amazon SES publishes
//! to Amazon SNS").

use chrono::{SecondsFormat, TimeDelta};
use serde_json::{Map, Value, json};

use super::captured::Captured;
use super::recipient::{Fate, Kind};
use crate::domain::Time;
use crate::ses::event::{Event, NotAnEvent};

/// How long SES goes on trying.
const TRIES: TimeDelta = TimeDelta::hours(14);

pub(super) fn event(mail: &Captured, fate: &Fate, at: Time) -> Result<Event, NotAnEvent> {
    Event::read(json(mail, fate, at).to_string().as_bytes(), None)
}

fn json(mail: &Captured, fate: &Fate, at: Time) -> Value {
    let (kind, field, about) = about(mail, fate, at);
    json!({
        "eventType": kind,
        "mail": {
            "timestamp": shown(mail.accepted_at),
            "source": mail.sender,
            "sendingAccountId": "000000000000",
            "messageId": mail.ses_id,
            "destination": [mail.recipient],
            "headersTruncated": false,
            "headers": mail.headers.iter().map(|(name, value)| json!({ "name": name, "value": value })).collect::<Value>(),
            "tags": mail.tags.iter().map(|(name, value)| (name.clone(), json!([value]))).collect::<Map<_, _>>(),
        },
        field: about,
    })
}

/// Its kind, and what it says under which name.
fn about(mail: &Captured, fate: &Fate, at: Time) -> (&'static str, &'static str, Value) {
    let to = &mail.recipient;
    let feedback = || format!("{}-{}", mail.ses_id, fate.after.num_milliseconds());
    let timestamp = shown(at);
    match fate.kind {
        Kind::Send => ("Send", "send", json!({})),
        Kind::Delivery => (
            "Delivery",
            "delivery",
            json!({
                "timestamp": timestamp,
                "processingTimeMillis": fate.after.num_milliseconds(),
                "recipients": [to],
                "smtpResponse": "250 2.0.0 Ok: queued",
                "reportingMTA": "demo.smtp-out.amazonses.com",
            }),
        ),
        Kind::Delay(of_type, said) => (
            "DeliveryDelay",
            "deliveryDelay",
            json!({
                "timestamp": timestamp,
                "delayType": of_type,
                "expirationTime": shown(mail.accepted_at + TRIES),
                "delayedRecipients": [{ "emailAddress": to, "status": "4.0.0", "diagnosticCode": said }],
            }),
        ),
        Kind::Bounce(of_type, sub, said) => (
            "Bounce",
            "bounce",
            json!({
                "timestamp": timestamp,
                "feedbackId": feedback(),
                "bounceType": of_type,
                "bounceSubType": sub,
                "bouncedRecipients": [{ "emailAddress": to, "action": "failed", "diagnosticCode": said }],
            }),
        ),
        Kind::Complaint(of_type) => (
            "Complaint",
            "complaint",
            json!({
                "timestamp": timestamp,
                "feedbackId": feedback(),
                "complaintSubType": null,
                "complaintFeedbackType": of_type,
                "complainedRecipients": [{ "emailAddress": to }],
            }),
        ),
        Kind::Reject(reason) => ("Reject", "reject", json!({ "reason": reason })),
    }
}

/// A time as SES writes it.
fn shown(time: Time) -> String {
    time.to_rfc3339_opts(SecondsFormat::Millis, true)
}

#[cfg(test)]
mod tests {
    use super::super::recipient;
    use super::*;
    use crate::domain::event::{Fate as Ends, judge};
    use crate::domain::id::SendId;

    fn mail(recipient: &str, send: SendId) -> Captured {
        Captured {
            accepted_at: "2026-11-20T10:00:00Z".parse().unwrap(),
            ses_id: format!("captured-{send}"),
            sender: "no-reply@demo.example.com".into(),
            recipient: recipient.into(),
            tags: vec![("send".into(), send.to_string()), ("attempt".into(), "2".into())],
            headers: vec![("Subject".into(), "hello".into())],
        }
    }

    #[test]
    fn each_name_ends_as_it_says() {
        let table = [
            ("mina", Ends::Delivered, false),
            ("bounce", Ends::Bounced, true),
            ("complaint", Ends::Complained, true),
            ("slow", Ends::Delivered, false),
            ("full", Ends::Bounced, false),
            ("suppressed", Ends::Bounced, false),
            ("ooto", Ends::Delivered, false),
            ("virus", Ends::Rejected, false),
        ];
        for (name, ends, is_against_us) in table {
            let (address, send) = (format!("{name}@example.com"), SendId::new());
            let mail = mail(&address, send);
            let mut seen = Vec::new();
            for fate in recipient::fates(&address) {
                let at = mail.accepted_at + fate.after;
                let event = event(&mail, &fate, at).unwrap();
                assert_eq!((event.send, event.attempt, &event.ses_id), (Some(send), Some(2), &mail.ses_id));
                assert_eq!(event.recipients, [&*address]);
                // A report of acceptance or a refusal has no time of its own.
                let has_time = !matches!(fate.kind, Kind::Send | Kind::Reject(_));
                assert_eq!(event.occurred_at, if has_time { at } else { mail.accepted_at });
                seen.push(judge(&event.kind, &event.sub_kind));
            }
            assert_eq!(seen.iter().filter_map(|verdict| verdict.fate).max(), Some(ends), "{name}");
            assert_eq!(seen.iter().any(|verdict| verdict.is_against_us), is_against_us, "{name}");
        }
    }

    #[test]
    fn a_delay_says_until_when_and_what_was_said() {
        let mail = mail("slow@example.com", SendId::new());
        let fate = &recipient::fates("slow@example.com")[1];
        let event = event(&mail, fate, mail.accepted_at + fate.after).unwrap();
        assert_eq!(event.until.unwrap(), mail.accepted_at + TRIES);
        assert!(event.detail.contains("greylisted"), "{}", event.detail);
    }
}
