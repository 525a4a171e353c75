//! Subscriptions that wait for an operator, their end, and the counts of what was refused.

use chrono::Utc;
use serde_json::{Value, json};

use super::super::until;
use super::{Hook, delivery, outcome, unsigned};
use crate::support::sns::{ARN, CERTIFICATE_URL, Signer, message};
use crate::support::{Program, pg_dump};

const OTHER: &str = "arn:aws:sns:us-east-1:123456789012:another";

/// As `SNS` has it for another topic.
fn of_topic(mut message: Value, topic: &str) -> Value {
    if let Some(url) = message["SubscribeURL"].as_str() {
        message["SubscribeURL"] = json!(url.replace(ARN, topic));
    }
    message["TopicArn"] = json!(topic);
    Signer::shared().signed(message)
}

fn asks(topic: &str) -> Value {
    of_topic(message("SubscriptionConfirmation", "2", Utc::now()), topic)
}

fn notification(id: &str) -> Value {
    of_topic(unsigned("2", id, &delivery(id)), OTHER)
}

/// One where operators approve.
async fn approving() -> Hook {
    Hook::with(|settings| settings.ses.webhook = true).await
}

impl Hook {
    fn shell(&self) -> Program {
        Program::new(&self.site.db.url)
    }

    fn state(&self, topic: &str) -> String {
        let shown = self.shell().run(&["events", "subscriptions", "--json"]);
        let shown = &shown.json()[0]["subscriptions"];
        let one = shown.as_array().unwrap().iter().find(|one| one["topic"] == topic);
        one.map_or("none", |one| one["state"].as_str().unwrap()).to_owned()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_topic_waits_for_an_operator_and_is_taken_from_then_on() {
    let hook = approving().await;
    let asking = asks(OTHER);
    let url = asking["SubscribeURL"].as_str().unwrap().to_owned();
    assert_eq!(outcome(&hook.post(&notification("n-0")).await), (403, "foreign-topic".into()));
    for _ in 0..2 {
        assert_eq!(outcome(&hook.post(&asking).await), (200, "waits for approval".into()));
    }
    assert_eq!(hook.given.asked(), 1, "only the certificate");
    let shell = hook.shell();
    for look in
        [&["events", "subscriptions"][..], &["events", "subscriptions", "--json"], &["queue"], &["queue", "--json"]]
    {
        let run = shell.run(look);
        let said = format!("{}{}", run.out, run.err);
        assert!(run.code == 0 && said.contains("wait"), "{look:?}: {said}");
        assert!(!said.contains("Token") && !said.contains("2336412f37"), "{look:?}: {said}");
    }

    // SNS does not answer at first.
    let run = shell.run(&["events", "approve", OTHER]);
    assert_eq!(run.code, 0, "{}", run.err);
    until("it was tried", async || hook.state(OTHER) == "confirming" && hook.given.asked() > 1).await;
    hook.given.put(&url, Ok(Vec::new()));
    sqlx::query("update sns_subscriptions set tried_at = null").execute(hook.site.pool()).await.unwrap();
    until("it is confirmed", async || hook.state(OTHER) == "confirmed").await;
    until("its events are taken", async || hook.post(&notification("n-1")).await.status == 200).await;
    let left: i64 = sqlx::query_scalar("select count(*) from sns_subscriptions where subscribe_url is not null")
        .fetch_one(hook.site.pool())
        .await
        .unwrap();
    assert_eq!((hook.events().await, left), (1, 0));

    assert_eq!(shell.run(&["events", "refuse", OTHER]).code, 0);
    until("its events are refused", async || hook.post(&notification("n-2")).await.status == 403).await;
    assert_eq!(outcome(&hook.post(&asks(OTHER)).await), (403, "refused-topic".into()));
    assert_eq!(hook.state(OTHER), "refused");
    let acts: Vec<(String, Option<String>)> =
        sqlx::query_as("select action, reason from audit_log where action like '%_topic' order by id")
            .fetch_all(hook.site.pool())
            .await
            .unwrap();
    assert_eq!(acts, ["approve_topic", "refuse_topic"].map(|act| (act.to_owned(), Some(OTHER.to_owned()))));
    let unknown = shell.run(&["events", "approve", "arn:aws:sns:us-east-1:123456789012:\u{1b}[31mnone"]);
    assert!(unknown.code == 3 && unknown.err.contains("events subscriptions"), "{}", unknown.err);
    assert!(!unknown.err.contains('\u{1b}'));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_more_wait_than_operators_can_read() {
    let hook = approving().await;
    let topic = |number: usize| format!("{OTHER}-{number}");
    for number in 0..20 {
        assert_eq!(hook.post(&asks(&topic(number))).await.status, 200);
    }
    assert_eq!(outcome(&hook.post(&asks(&topic(20))).await), (403, "too-many-subscriptions".into()));
    // Those that are there may ask again, and those that SNS has given up make room.
    assert_eq!(hook.post(&asks(&topic(3))).await.status, 200);
    sqlx::query("update sns_subscriptions set asked_at = now() - interval '49 hours' where topic <> $1")
        .bind(topic(3))
        .execute(hook.site.pool())
        .await
        .unwrap();
    assert_eq!(hook.post(&asks(&topic(20))).await.status, 200);
    let left: i64 =
        sqlx::query_scalar("select count(*) from sns_subscriptions").fetch_one(hook.site.pool()).await.unwrap();
    assert_eq!(left, 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_end_of_a_subscription_is_an_alarm_and_nothing_is_followed() {
    let hook = Hook::start().await;
    let ends = of_topic(message("UnsubscribeConfirmation", "2", Utc::now()), ARN);
    assert_eq!(outcome(&hook.post(&ends).await), (200, "noted".into()));
    assert_eq!(hook.given.asked(), 1, "only the certificate");
    assert_eq!(hook.state(ARN), "ended");
    let queue = hook.shell().run(&["queue"]);
    assert!(queue.out.contains(&format!("webhook  {ARN} has ended its subscription")), "{}", queue.out);
    // Of a topic that is none of ours it is no news.
    let foreign = of_topic(message("UnsubscribeConfirmation", "2", Utc::now()), OTHER);
    assert_eq!(hook.post(&foreign).await.status, 403);
    assert_eq!(hook.state(OTHER), "none");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn refusals_are_counted_by_reason_and_nothing_else_is_kept() {
    let hook = Hook::start().await;
    let mut forged = of_topic(unsigned("2", "forged", &delivery("m-1")), ARN);
    forged["Message"] = json!("WHAT A FORGER SAYS");
    let mut elsewhere = forged.clone();
    elsewhere["SigningCertURL"] = json!(CERTIFICATE_URL.replace("sns", "forger"));
    for (body, count) in [(&forged, 3), (&elsewhere, 2), (&notification("x"), 1)] {
        for _ in 0..count {
            assert_eq!(hook.post(body).await.status, 403);
        }
    }
    let counts = async || -> Vec<(String, i64)> {
        sqlx::query_as("select reason, count from sns_refusals order by reason")
            .fetch_all(hook.site.pool())
            .await
            .unwrap()
    };
    let mut long = forged.clone();
    long["Message"] = json!("x".repeat(300_000));
    assert_eq!(hook.post(&long).await.status, 413);
    let expected = [("certificate-url", 2), ("foreign-topic", 1), ("signature", 3), ("too-long", 1)]
        .map(|(why, count)| (why.to_owned(), count));
    until("they are written", async || counts().await == expected).await;
    let run = hook.shell().run(&["events", "subscriptions"]);
    assert!(run.out.contains("signature") && run.out.contains("POSTS REFUSED AS"), "{}", run.out);
    let run = hook.shell().run(&["queue"]);
    assert!(run.out.contains("webhook  7 posts refused since yesterday, most as signature"), "{}", run.out);
    // What is left is written at the end.
    assert_eq!(hook.post(&forged).await.status, 403);
    hook.site.server.shutdown.cancel();
    until("it has ended", async || hook.site.server.ended.is_finished()).await;
    assert_eq!(counts().await[2], ("signature".to_owned(), 4));
    let dump = pg_dump(&hook.site.db.url);
    assert!(!dump.contains("FORGER") && !dump.contains("forger"));
}
