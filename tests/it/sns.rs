//! Verifying what SNS posts.

mod certificates;
mod https;

use std::sync::Arc;

use chrono::{TimeDelta, Utc};
use serde_json::{Value, json};
use verifydesk::domain::Time;
use verifydesk::ses::sns::{CheckedUrl, FetchError, Kind, Message, Refusal, Verifier};

use crate::support::sns::{ARN, Given, Signer, message, to_sign};

async fn verify(verifier: &Verifier, message: &Value, now: Time) -> Result<Message, Refusal> {
    verifier.verify(message.to_string().as_bytes(), false, |topic| topic.as_str() == ARN, now).await
}

/// Why it is refused; the message itself has no `Debug`.
async fn why(verifier: &Verifier, message: &Value, now: Time) -> Option<Refusal> {
    verify(verifier, message, now).await.err()
}

#[tokio::test]
async fn each_type_is_verified_in_both_versions() {
    let (signer, now) = (Signer::shared(), Utc::now());
    let verifier = Verifier::new(Arc::new(Given::of(signer)));
    for version in ["1", "2"] {
        for (kind, name) in [
            (Kind::Notification, "Notification"),
            (Kind::SubscriptionConfirmation, "SubscriptionConfirmation"),
            (Kind::UnsubscribeConfirmation, "UnsubscribeConfirmation"),
        ] {
            let unsigned = message(name, version, now);
            let found = verify(&verifier, &signer.signed(unsigned.clone()), now).await;
            let found = found.unwrap_or_else(|why| panic!("{name} {version}: {why}"));
            assert_eq!((found.kind, found.topic.as_str(), found.is_allowed), (kind, ARN, true));
            assert_eq!(
                (found.id.as_str(), found.text.as_str()),
                (unsigned["MessageId"].as_str().unwrap(), unsigned["Message"].as_str().unwrap())
            );
            assert_eq!(found.subscribe_url.as_ref().map(CheckedUrl::as_str), unsigned["SubscribeURL"].as_str());
        }
        let mut with_subject = message("Notification", version, now);
        with_subject["Subject"] = json!("Amazon SES Email Event Notification");
        assert_eq!(why(&verifier, &signer.signed(with_subject), now).await, None);
    }
}

#[tokio::test]
async fn what_another_program_signed_is_verified() {
    let posted: Value = serde_json::from_str(include_str!("../fixtures/sns/notification.json")).unwrap();
    let given = Given::default();
    let certificate = include_bytes!("../fixtures/sns/certificate.pem").to_vec();
    given.put(posted["SigningCertURL"].as_str().unwrap(), Ok(certificate));
    let verifier = Verifier::new(Arc::new(given));
    let now = posted["Timestamp"].as_str().unwrap().parse().unwrap();
    assert_eq!(why(&verifier, &posted, now).await, None);
    let mut altered = posted;
    altered["Message"] = json!(altered["Message"].as_str().unwrap().trim_end());
    assert_eq!(why(&verifier, &altered, now).await, Some(Refusal::Signature));
}

#[tokio::test]
async fn what_was_altered_is_refused() {
    let (signer, now) = (Signer::shared(), Utc::now());
    let verifier = Verifier::new(Arc::new(Given::of(signer)));
    for (kind, version) in [("Notification", "1"), ("Notification", "2"), ("SubscriptionConfirmation", "2")] {
        let mut whole = message(kind, version, now);
        if kind == "Notification" {
            whole["Subject"] = json!("Amazon SES Email Event Notification");
        }
        let good = signer.signed(whole.clone());
        assert_eq!(why(&verifier, &good, now).await, None);
        let with = |name: &str, value: Value| {
            let mut altered = good.clone();
            altered[name] = value;
            altered
        };
        let mut no_subject = good.clone();
        no_subject.as_object_mut().unwrap().remove("Subject");
        let text = to_sign(&whole);
        let signature = |text: &str, version: &str| json!(signer.sign(text, version));
        let other_kind = if kind == "Notification" { "SubscriptionConfirmation" } else { "UnsubscribeConfirmation" };
        let mut of_other_kind = message(other_kind, version, now);
        of_other_kind["Signature"] = good["Signature"].clone();
        let mut altered = vec![
            ("message", with("Message", json!("{}"))),
            ("id", with("MessageId", json!("another"))),
            ("time", with("Timestamp", json!((now - TimeDelta::minutes(1)).to_rfc3339()))),
            ("type", of_other_kind),
            ("version", with("SignatureVersion", json!(if version == "1" { "2" } else { "1" }))),
            ("no line break at the end", with("Signature", signature(text.trim_end(), version))),
            ("other digest", with("Signature", signature(&text, if version == "1" { "2" } else { "1" }))),
            ("other key", with("Signature", json!(Signer::new().sign(&text, version)))),
            ("empty", with("Signature", json!(""))),
            ("short", with("Signature", json!("AAAA"))),
        ];
        if kind == "Notification" {
            altered.push(("subject", with("Subject", json!("another"))));
            altered.push(("no subject", no_subject));
        } else {
            let url = good["SubscribeURL"].as_str().unwrap();
            altered.push(("token", with("Token", json!("2336412f38"))));
            altered.push(("subscribe", with("SubscribeURL", json!(format!("{url}8")))));
        }
        for (what, altered) in altered {
            assert_eq!(why(&verifier, &altered, now).await, Some(Refusal::Signature), "{kind} {version}: {what}");
        }
    }
}

#[tokio::test]
async fn a_message_cannot_be_cut_in_two_ways() {
    let (signer, now) = (Signer::shared(), Utc::now());
    let verifier = Verifier::new(Arc::new(Given::of(signer)));
    let mut published = message("Notification", "2", now);
    published["Message"] = json!("evil\nMessageId\nfirst\nSubject\nthe rest");
    let published = signer.signed(published);
    assert_eq!(why(&verifier, &published, now).await, None);
    // The same lines, and so the same signature.
    let mut cut = published.clone();
    cut["Message"] = json!("evil");
    cut["MessageId"] = json!("first");
    cut["Subject"] = json!(format!("the rest\nMessageId\n{}", published["MessageId"].as_str().unwrap()));
    assert_eq!(to_sign(&cut), to_sign(&published));
    assert_eq!(why(&verifier, &cut, now).await, Some(Refusal::NotSns));
}

#[tokio::test]
async fn no_single_byte_makes_another_message() {
    let (signer, now) = (Signer::shared(), Utc::now());
    let verifier = Verifier::new(Arc::new(Given::of(signer)));
    for kind in ["Notification", "SubscriptionConfirmation"] {
        let whole = signer.signed(message(kind, "2", now));
        let Ok(original) = verify(&verifier, &whole, now).await else { panic!("{kind}") };
        let body = whole.to_string().into_bytes();
        let mut still_verified = 0;
        for at in 0..body.len() {
            let byte = body[at];
            let instead = [byte ^ 1, byte ^ 0x20, byte ^ 0x80, b'"', b'\\', b' ', b'\n', b'0'].map(|other| vec![other]);
            for other in instead.into_iter().chain([vec![], vec![byte, byte]]) {
                let mut altered = body.clone();
                altered.splice(at..=at, other);
                if let Ok(found) = verifier.verify(&altered, false, |topic| topic.as_str() == ARN, now).await {
                    assert!(found == original, "{kind}: {}", String::from_utf8_lossy(&altered));
                    still_verified += 1;
                }
            }
        }
        // Spaces between fields, and what is not signed.
        assert!(still_verified > 0 && still_verified < 5 * body.len(), "{still_verified}");
    }
}

#[tokio::test]
async fn what_can_be_refused_without_its_certificate_fetches_none() {
    let (signer, now) = (Signer::shared(), Utc::now());
    let given = Arc::new(Given::of(signer));
    let verifier = Verifier::new(Arc::<Given>::clone(&given));
    let with = |kind: &str, name: &str, value: Value| {
        let mut altered = message(kind, "2", now);
        altered[name] = value;
        signer.signed(altered)
    };
    let at = |time: Time| json!(time.to_rfc3339());
    let foreign = "arn:aws:sns:us-east-1:999999999999:theirs";
    let (note, ended) = ("Notification", "UnsubscribeConfirmation");
    let subscribe = json!(format!(
        "https://sns.us-east-1.amazonaws.com/?Action=ConfirmSubscription&TopicArn={foreign}&Token=2336412f37"
    ));
    let mut foreign_end = with(ended, "SubscribeURL", subscribe);
    foreign_end["TopicArn"] = json!(foreign);
    let table = [
        (with(note, "TopicArn", json!(foreign)), Refusal::ForeignTopic, 403),
        (foreign_end, Refusal::ForeignTopic, 403),
        (with(note, "Timestamp", at(now - TimeDelta::minutes(61))), Refusal::Old, 403),
        (with(note, "Timestamp", at(now + TimeDelta::minutes(6))), Refusal::Ahead, 503),
        (
            with(
                note,
                "SigningCertURL",
                json!("https://sns.us-east-1.amazonaws.com.attacker.com/SimpleNotificationService-9c.pem"),
            ),
            Refusal::CertificateUrl,
            403,
        ),
        (
            with(note, "SigningCertURL", json!("https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-9c.pem")),
            Refusal::CertificateUrl,
            403,
        ),
        (
            with("SubscriptionConfirmation", "SubscribeURL", json!("https://attacker.com/?Action=ConfirmSubscription")),
            Refusal::SubscribeUrl,
            403,
        ),
        (with(note, "SignatureVersion", json!("3")), Refusal::Version, 400),
        (with(note, "Type", json!("Invitation")), Refusal::Type, 400),
        (json!({"eventType": "Bounce"}), Refusal::NotSns, 400),
    ];
    for (posted, refusal, status) in table {
        assert_eq!(why(&verifier, &posted, now).await, Some(refusal.clone()), "{posted}");
        assert_eq!(refusal.status(), status);
    }
    let raw = verifier.verify(b"{\"eventType\": \"Bounce\"}", true, |_| true, now).await;
    assert_eq!(raw.err(), Some(Refusal::Raw));
    let long = verifier.verify(&vec![b' '; 300_000], false, |_| true, now).await;
    assert_eq!(long.err().map(|why| why.status()), Some(413));
    assert_eq!(given.asked(), 0);
    for edge in [now - TimeDelta::minutes(59), now + TimeDelta::minutes(4)] {
        assert_eq!(why(&verifier, &with(note, "Timestamp", at(edge)), now).await, None, "{edge}");
    }
}

#[tokio::test]
async fn an_expired_certificate_is_no_forgery() {
    let (signer, now) = (Signer::shared(), Utc::now());
    let verifier = Verifier::new(Arc::new(Given::of(signer)));
    for (days, refusal) in [(-1, Some(Refusal::Expired)), (1, None), (3, Some(Refusal::Expired))] {
        let then = now + TimeDelta::days(days);
        let posted = signer.signed(message("Notification", "2", then));
        assert_eq!(why(&verifier, &posted, then).await, refusal, "{days}");
    }
    assert_eq!(Refusal::Expired.status(), 503);
    assert_eq!(Refusal::NoCertificate(FetchError::Busy).status(), 503);
}

#[tokio::test]
async fn a_topic_that_is_not_allowed_may_only_ask() {
    let (signer, now) = (Signer::shared(), Utc::now());
    let verifier = Verifier::new(Arc::new(Given::of(signer)));
    let asks = signer.signed(message("SubscriptionConfirmation", "1", now)).to_string();
    let Ok(found) = verifier.verify(asks.as_bytes(), false, |_| false, now).await else { panic!("refused") };
    assert!(!found.is_allowed && found.subscribe_url.is_some());
    let forged = asks.replace("2336412f37", "2336412f38");
    assert_eq!(verifier.verify(forged.as_bytes(), false, |_| false, now).await.err(), Some(Refusal::Signature));
}
