use serde_json::{Value, json};

use super::*;

const ARN: &str = "arn:aws:sns:us-east-1:123456789012:ses-events";

fn notification() -> Value {
    json!({
        "Type": "Notification", "MessageId": "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324", "TopicArn": ARN,
        "Subject": "Amazon SES Email Event Notification", "Message": "{\"eventType\":\"Send\"}\n",
        "Timestamp": "2026-11-20T10:00:00.655Z", "SignatureVersion": "1", "Signature": "AAAA",
        "SigningCertURL": "https://sns.us-east-1.amazonaws.com/SimpleNotificationService-9c.pem",
        "UnsubscribeURL": "https://sns.us-east-1.amazonaws.com/?Action=Unsubscribe", "OfTomorrow": {"a": [1]},
    })
}

fn confirmation() -> Value {
    let mut message = notification();
    message["Type"] = json!("SubscriptionConfirmation");
    message["Token"] = json!("2336412f");
    message["SubscribeURL"] =
        json!(format!("https://sns.us-east-1.amazonaws.com/?Action=ConfirmSubscription&TopicArn={ARN}&Token=2336412f"));
    message
}

fn read(message: &Value) -> Result<Envelope, Refusal> {
    Envelope::read(message.to_string().as_bytes())
}

#[test]
fn what_is_signed_ends_with_a_line_break() {
    let mut message = notification();
    let with_subject = "Message\n{\"eventType\":\"Send\"}\n\nMessageId\n22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324\nSubject\n\
                        Amazon SES Email Event Notification\nTimestamp\n2026-11-20T10:00:00.655Z\nTopicArn\n\
                        arn:aws:sns:us-east-1:123456789012:ses-events\nType\nNotification\n";
    assert_eq!(read(&message).unwrap().to_sign(), with_subject);
    message.as_object_mut().unwrap().remove("Subject");
    let without = with_subject.replace("Subject\nAmazon SES Email Event Notification\n", "");
    assert_eq!(read(&message).unwrap().to_sign(), without);
    for kind in ["SubscriptionConfirmation", "UnsubscribeConfirmation"] {
        let mut message = confirmation();
        message["Type"] = json!(kind);
        let expected = format!(
            "Message\n{{\"eventType\":\"Send\"}}\n\nMessageId\n22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324\nSubscribeURL\n\
             https://sns.us-east-1.amazonaws.com/?Action=ConfirmSubscription&TopicArn={ARN}&Token=2336412f\n\
             Timestamp\n2026-11-20T10:00:00.655Z\nToken\n2336412f\nTopicArn\n{ARN}\nType\n{kind}\n"
        );
        assert_eq!(read(&message).unwrap().to_sign(), expected);
    }
}

#[test]
fn what_is_no_message_of_sns_is_refused() {
    let with = |name: &str, value: Value| {
        let mut message = confirmation();
        message[name] = value;
        message.to_string()
    };
    let without = |name: &str| {
        let mut message = confirmation();
        message.as_object_mut().unwrap().remove(name);
        message.to_string()
    };
    let twice = confirmation().to_string().replacen('{', "{\"Message\": \"another\",", 1);
    let deep = |depth| {
        let tail = format!(",\"Deep\":{}{}}}", "[".repeat(depth), "]".repeat(depth));
        confirmation().to_string().trim_end_matches('}').to_owned() + &tail
    };
    assert!(Envelope::read(deep(DEPTH_MAX - 1).as_bytes()).is_ok());
    assert!(Envelope::read(with("Message", json!("\\\"[{".repeat(100))).as_bytes()).is_ok());
    let table = [
        (" ".repeat(BODY_MAX + 1), Refusal::TooLong),
        (String::new(), Refusal::NotSns),
        ("[]".into(), Refusal::NotSns),
        ("\"Notification\"".into(), Refusal::NotSns),
        ("[".repeat(BODY_MAX), Refusal::NotSns),
        (deep(DEPTH_MAX), Refusal::NotSns),
        (deep(100_000), Refusal::NotSns),
        (twice, Refusal::NotSns),
        (without("Message"), Refusal::NotSns),
        (without("Token"), Refusal::NotSns),
        (without("SubscribeURL"), Refusal::NotSns),
        (without("SigningCertURL"), Refusal::NotSns),
        (with("Message", json!({"eventType": "Send"})), Refusal::NotSns),
        (with("Subject", json!("a\nTimestamp\n")), Refusal::NotSns),
        (with("MessageId", json!("a\nSubject\n")), Refusal::NotSns),
        (with("MessageId", json!("")), Refusal::NotSns),
        (with("MessageId", json!("m".repeat(2_000))), Refusal::NotSns),
        (with("Timestamp", json!("yesterday")), Refusal::NotSns),
        (with("Timestamp", json!("+99999-01-01T00:00:00Z")), Refusal::NotSns),
        (with("Type", json!("Invitation")), Refusal::Type),
        (with("SignatureVersion", json!("3")), Refusal::Version),
        (with("SignatureVersion", json!("")), Refusal::Version),
        (with("TopicArn", json!("arn:aws:sns:attacker.com/:123456789012:e")), Refusal::Topic),
        (with("SigningCertURL", json!("https://attacker.com/a.pem")), Refusal::CertificateUrl),
        (with("SubscribeURL", json!("https://attacker.com/")), Refusal::SubscribeUrl),
        (with("Signature", json!("no base64!")), Refusal::Signature),
        (with("Signature", json!("A".repeat(4_000))), Refusal::Signature),
    ];
    for (body, why) in table {
        let found = Envelope::read(body.as_bytes()).err();
        assert_eq!(found, Some(why), "{}", body.chars().take(300).collect::<String>());
    }
    assert_eq!(Envelope::read(b"{\"Type\": \"\xff\"}").err(), Some(Refusal::NotSns));
}
