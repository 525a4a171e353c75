mod examples;

use serde_json::json;

use super::*;

const KEY: &str = "q83vEjRWeJCrze8SNFZ4kKvN7xI0VniQq83vEjRWeJA";

fn delivery() -> Value {
    json!({
        "eventType": "Delivery",
        "mail": {
            "timestamp": "2026-11-20T10:00:00.000Z",
            "messageId": "0100018f-aaaa",
            "destination": ["Mina@Example.com"],
            "headers": [{"name": "X-Link", "value": format!("https://example.org/verify/?key={KEY}")}],
            "tags": {"send": ["0193a3f0-0000-7000-8000-000000000001"], "attempt": ["2"], "ses:from-domain": ["example.org"]}
        },
        "delivery": {
            "timestamp": "2026-11-20T10:00:02.000Z",
            "recipients": ["Mina@Example.com"],
            "smtpResponse": "250 2.0.0 OK"
        }
    })
}

fn read(event: &Value) -> Event {
    Event::read(event.to_string().as_bytes(), None).unwrap()
}

#[test]
fn each_envelope_is_opened() {
    let bare = delivery();
    let plain = read(&bare);
    assert_eq!((plain.kind.as_str(), plain.ses_id.as_str(), plain.attempt), ("Delivery", "0100018f-aaaa", Some(2)));
    assert_eq!(plain.send.unwrap().to_string(), "0193a3f0-0000-7000-8000-000000000001");
    assert_eq!(
        (plain.recipients.as_slice(), plain.detail.as_str()),
        (&["mina@example.com".to_owned()][..], "250 2.0.0 OK")
    );
    assert_eq!(plain.occurred_at.to_rfc3339(), "2026-11-20T10:00:02+00:00");
    let sns = json!({"Type": "Notification", "MessageId": "m-1", "TopicArn": "arn", "Message": bare.to_string()});
    let bridge = json!({"id": "e-1", "detail-type": "Email Delivered", "source": "aws.ses", "detail": bare});
    for (envelope, key) in [(sns, "sns m-1"), (bridge, "eventbridge e-1")] {
        let event = read(&envelope);
        assert_eq!(event.keys[0], key);
        assert_eq!(Event { keys: plain.keys.clone(), ..event }, plain);
    }
    let identity = json!({"notificationType": "Delivery", "mail": bare["mail"], "delivery": bare["delivery"]});
    // It names its kind otherwise, so that what is kept, and the key made of it, differ.
    let said = |event| Event { body: Value::Null, keys: Vec::new(), ..event };
    assert_eq!(said(read(&identity)), said(plain));
    assert_eq!(Event::read(bare.to_string().as_bytes(), Some("q-1")).unwrap().keys[0], "carrier q-1");
}

#[test]
fn what_is_no_event_is_refused_with_its_reason() {
    let deep = "[".repeat(100_000);
    let long = format!("\"{}\"", "x".repeat(TEXT_MAX));
    let mut no_id = delivery();
    no_id["mail"].as_object_mut().unwrap().remove("messageId");
    let mut no_time = delivery();
    no_time["mail"]["timestamp"] = json!("yesterday");
    no_time["delivery"]["timestamp"] = json!("+99999-01-01T00:00:00Z");
    let table = [
        (String::new(), NotAnEvent::NotJson),
        ("\u{fffd}{".into(), NotAnEvent::NotJson),
        (deep, NotAnEvent::NotJson),
        (long, NotAnEvent::TooLong),
        ("null".into(), NotAnEvent::Foreign),
        ("[1, 2]".into(), NotAnEvent::Foreign),
        (r#"{"Type": "Notification", "Message": 3}"#.into(), NotAnEvent::Foreign),
        (r#"{"Type": "Notification", "Message": "Successfully validated SNS topic"}"#.into(), NotAnEvent::NotJson),
        (r#"{"Type": "Notification", "Message": "{\"order\": 3}"}"#.into(), NotAnEvent::Foreign),
        (r#"{"eventType": "Bounce", "mail": "x"}"#.into(), NotAnEvent::Foreign),
        (no_id.to_string(), NotAnEvent::Incomplete),
        (no_time.to_string(), NotAnEvent::Incomplete),
    ];
    for (text, why) in table {
        assert_eq!(Event::read(text.as_bytes(), None), Err(why), "{}", &text[..text.len().min(80)]);
    }
}

#[test]
fn no_key_is_kept() {
    let link = format!("https://example.org/verify/?key={KEY}");
    let mut click = delivery();
    click["eventType"] = json!("Click");
    click["click"] =
        json!({"timestamp": "2026-11-20T10:01:00Z", "link": link, "linkTags": {"a": [link]}, "userAgent": link});
    let mut bounce = delivery();
    bounce["eventType"] = json!("Bounce");
    bounce["bounce"] = json!({
        "bounceType": "Permanent", "bounceSubType": "General", "timestamp": "2026-11-20T10:01:00Z", "feedbackId": "f-1",
        "bouncedRecipients": [{
            "emailAddress": "mina@example.com",
            "diagnosticCode": format!("550 spam: <{link}> example.org/verify/?key=3D{KEY} key {KEY} (\"{link}\")"),
        }],
    });
    let mut unknown = delivery();
    unknown["eventType"] = json!("Teleport");
    unknown["teleport"] = json!({"of": [{"deep": {"link": link, "to": link}}], link.clone(): link, "text": KEY});
    for event in [delivery(), click, bounce, unknown] {
        let kept = format!("{:?}", read(&event));
        assert!(!kept.contains(&KEY[..30]), "{kept}");
        assert!(kept.contains("0100018f-aaaa"), "{kept}");
    }
}

#[test]
fn what_is_not_known_is_kept() {
    let mut event = delivery();
    event["eventType"] = json!("Teleport");
    event["teleport"] = json!({"to": "Mars", "nul": "a\u{0}b"});
    event["delivery"]["newField"] = json!(true);
    let read_it = read(&event);
    assert_eq!((read_it.kind.as_str(), read_it.sub_kind.as_str()), ("Teleport", ""));
    assert_eq!(read_it.body["teleport"], json!({"to": "Mars", "nul": "ab"}));
    assert_eq!(read_it.occurred_at.to_rfc3339(), "2026-11-20T10:00:00+00:00");
    event["eventType"] = json!("Delivery");
    assert_eq!(read(&event).body["delivery"]["newField"], json!(true));
}

#[test]
fn hostile_sizes_are_bounded() {
    let mut event = delivery();
    event["eventType"] = json!("Teleport");
    event["wide"] = json!(vec!["x"; 20_000]);
    event["delivery"]["smtpResponse"] = json!("y".repeat(100_000));
    event["mail"]["destination"] = json!(vec!["z@example.com"; 5_000]);
    let event = read(&event);
    assert!(event.body.to_string().len() < 20_000, "{}", event.body.to_string().len());
    assert_eq!(event.recipients.len(), 50);
}
