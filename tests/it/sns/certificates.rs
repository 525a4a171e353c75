//! Which certificates are fetched and kept, whatever is posted.

use std::sync::Arc;
use std::time::Duration;

use chrono::Utc;
use futures_util::future::{BoxFuture, join_all};
use serde_json::json;
use tokio::sync::Semaphore;
use verifydesk::ses::sns::{CheckedUrl, Fetch, FetchError, Refusal, Verifier};

use super::{verify, why};
use crate::support::sns::{ARN, CERTIFICATE_URL, Given, Signer, message};

fn forged_url(number: usize) -> String {
    format!("https://sns.us-east-1.amazonaws.com/SimpleNotificationService-{number:x}.pem")
}

#[tokio::test]
async fn one_is_fetched_once_and_a_failure_is_not_kept() {
    let (signer, now) = (Signer::shared(), Utc::now());
    let given = Arc::new(Given::default());
    let verifier = Verifier::new(Arc::<Given>::clone(&given));
    let posted = signer.signed(message("Notification", "2", now));
    let html = b"<html>Service Unavailable</html>".to_vec();
    let ec = std::fs::read(crate::mail_servers::Authority::shared().ca_file()).unwrap();
    let failures = [
        (Err(FetchError::TimedOut), FetchError::TimedOut),
        (Err(FetchError::Status(500)), FetchError::Status(500)),
        (Ok(html), FetchError::NoCertificate),
        (Ok(ec), FetchError::NoCertificate),
    ];
    let count = failures.len();
    for (answer, error) in failures {
        given.put(CERTIFICATE_URL, answer);
        let refusal = why(&verifier, &posted, now).await;
        assert_eq!(refusal, Some(Refusal::NoCertificate(error)));
        assert_eq!(refusal.unwrap().status(), 503);
    }
    given.put(CERTIFICATE_URL, Ok(signer.certificate()));
    for _ in 0..10 {
        assert_eq!(why(&verifier, &posted, now).await, None);
    }
    assert_eq!(given.asked(), count + 1);
}

#[tokio::test]
async fn those_who_ask_at_the_same_time_share_one_answer() {
    let (signer, now) = (Signer::shared(), Utc::now());
    let gate = Arc::new(Semaphore::new(0));
    let given = Arc::new(Given { gate: Some(Arc::clone(&gate)), ..Given::of(signer) });
    let verifier = Verifier::new(Arc::<Given>::clone(&given));
    let posted = signer.signed(message("Notification", "2", now));
    // The first one hangs up.
    let first = tokio::time::timeout(Duration::from_millis(1), verify(&verifier, &posted, now));
    assert!(first.await.is_err());
    let all = join_all((0..50).map(|_| why(&verifier, &posted, now)));
    let (all, ()) = tokio::join!(all, async { gate.add_permits(1) });
    assert!(all.iter().all(Option::is_none), "{all:?}");
    assert_eq!(given.asked(), 1);
}

#[tokio::test]
async fn a_flood_of_forgeries_fetches_little_and_delays_none() {
    let (signer, now) = (Signer::shared(), Utc::now());
    let given = Arc::new(Given::of(signer));
    let verifier = Verifier::new(Arc::<Given>::clone(&given));
    let posted = signer.signed(message("Notification", "2", now));
    assert_eq!(why(&verifier, &posted, now).await, None);
    let mut forged = posted.clone();
    for number in 0..1_000 {
        let url = forged_url(number);
        // Half of these lie there, as SNS's former certificates do.
        if number % 2 == 0 {
            given.put(&url, Ok(signer.certificate()));
        }
        forged["SigningCertURL"] = json!(url);
        forged["Message"] = json!("forged");
        let refusal = why(&verifier, &forged, now).await.unwrap();
        assert!(matches!(refusal, Refusal::Signature | Refusal::NoCertificate(_)), "{refusal:?}");
    }
    assert_eq!(given.asked(), 30);
    // The true one is still kept.
    assert_eq!(why(&verifier, &posted, now).await, None);
    assert_eq!(given.asked(), 30);
}

#[tokio::test]
async fn few_are_fetched_at_once() {
    let (signer, now) = (Signer::shared(), Utc::now());
    let gate = Arc::new(Semaphore::new(0));
    let given = Arc::new(Given { gate: Some(Arc::clone(&gate)), ..Given::default() });
    let verifier = Verifier::new(Arc::<Given>::clone(&given));
    let posted = signer.signed(message("Notification", "2", now));
    let forged = (0..20).map(|number| {
        let mut forged = posted.clone();
        forged["SigningCertURL"] = json!(forged_url(number));
        forged
    });
    let forged: Vec<_> = forged.collect();
    let all = join_all(forged.iter().map(|one| why(&verifier, one, now)));
    let (all, ()) = tokio::join!(all, async { gate.add_permits(100) });
    let busy = all.iter().filter(|why| **why == Some(Refusal::NoCertificate(FetchError::Busy))).count();
    assert_eq!((busy, given.asked()), (16, 4));
}

#[tokio::test]
async fn strangers_use_up_nothing_that_allowed_topics_need() {
    let (signer, now) = (Signer::shared(), Utc::now());
    let given = Arc::new(Given::of(signer));
    let verifier = Verifier::new(Arc::<Given>::clone(&given));
    let stranger = "arn:aws:sns:us-east-1:999999999999:theirs";
    for number in 0..100 {
        let mut asks = message("SubscriptionConfirmation", "2", now);
        asks["TopicArn"] = json!(stranger);
        asks["SubscribeURL"] = json!(asks["SubscribeURL"].as_str().unwrap().replace(ARN, stranger));
        asks["SigningCertURL"] = json!(forged_url(number));
        asks["Signature"] = json!("AAAA");
        let refusal = why(&verifier, &asks, now).await.unwrap();
        assert!(matches!(refusal, Refusal::NoCertificate(_)), "{refusal:?}");
    }
    assert_eq!(given.asked(), 6);
    let posted = signer.signed(message("Notification", "2", now));
    assert_eq!(why(&verifier, &posted, now).await, None);
}

/// Breaks the first time.
struct Breaks(Given);

impl Fetch for Breaks {
    fn fetch(&self, url: CheckedUrl) -> BoxFuture<'static, Result<Vec<u8>, FetchError>> {
        let fetched = self.0.fetch(url);
        if self.0.asked() == 1 { Box::pin(async { panic!("broken") }) } else { fetched }
    }
}

#[tokio::test]
async fn a_fetch_that_breaks_is_over() {
    let (signer, now) = (Signer::shared(), Utc::now());
    let verifier = Verifier::new(Arc::new(Breaks(Given::of(signer))));
    let posted = signer.signed(message("Notification", "2", now));
    assert_eq!(why(&verifier, &posted, now).await, Some(Refusal::NoCertificate(FetchError::Broke)));
    assert_eq!(why(&verifier, &posted, now).await, None);
}
