//! SNS's posts, by HTTP: what is taken, what is refused with which status, and that SNS tries again where it should.

mod flood;
#[cfg(feature = "aws")]
mod moto;
mod subscriptions;

use std::sync::Arc;

use chrono::{TimeDelta, Utc};
use reqwest::Method;
use serde_json::{Value, json};
use verifydesk::config::Settings;
use verifydesk::desk::Desk;
use verifydesk::domain::locale::Locale;
use verifydesk::ses::sns::FetchError;
use verifydesk::web::Context;

use super::{Answer, Served, Server, settings};
use crate::support::sns::{ARN, CERTIFICATE_URL, Given, Signer, message};
use crate::support::tcp_proxy::TcpProxy;
use crate::support::world::World;
use crate::support::{Program, until};

/// A site that takes the posts of one topic.
struct Hook {
    site: Served,
    given: Arc<Given>,
}

impl Hook {
    async fn start() -> Self {
        Self::with(|settings| settings.ses.topics = vec![ARN.into()]).await
    }

    async fn with(change: impl FnOnce(&mut Settings)) -> Self {
        let world = World::with(change).await;
        let (server, given) = serve(&world.settings).await;
        Self { site: Served { server, world }, given }
    }

    async fn post(&self, message: &Value) -> Answer {
        post(&self.site.server, &message.to_string()).await
    }

    async fn events(&self) -> i64 {
        sqlx::query_scalar("select count(*) from ses_events").fetch_one(&self.site.db.pool).await.unwrap()
    }

    /// The states of all mails.
    async fn states(&self) -> Vec<String> {
        sqlx::query_scalar("select state from sends order by id").fetch_all(&self.site.db.pool).await.unwrap()
    }
}

fn allowing(url: &str) -> Settings {
    let mut settings = settings(url);
    settings.ses.topics = vec![ARN.into()];
    settings
}

async fn serve(settings: &Settings) -> (Server, Arc<Given>) {
    let given = Arc::new(Given::of(Signer::shared()));
    let desk = Desk::open_to_strangers(settings).unwrap();
    let fetch: Arc<Given> = Arc::clone(&given);
    (Server::of(desk.clone(), Context::with_webhook(desk, settings, fetch)).await, given)
}

async fn post(server: &Server, body: &str) -> Answer {
    let request = server.request(Method::POST, "/ses/events").header("content-type", "text/plain; charset=UTF-8");
    Answer::of(request.body(body.to_owned())).await
}

/// A delivery of the mail with this id of SES's.
fn delivery(ses_id: &str) -> Value {
    json!({
        "eventType": "Delivery",
        "mail": { "timestamp": "2026-11-20T10:00:00.000Z", "messageId": ses_id, "destination": ["mina@example.com"] },
        "delivery": { "timestamp": "2026-11-20T10:00:02.000Z", "smtpResponse": "250 Ok" },
    })
}

/// A notification of an event, not signed yet.
fn unsigned(version: &str, id: &str, event: &Value) -> Value {
    let mut message = message("Notification", version, Utc::now());
    message["MessageId"] = json!(id);
    message["Message"] = json!(event.to_string());
    message
}

fn signed(version: &str, id: &str, event: &Value) -> Value {
    Signer::shared().signed(unsigned(version, id, event))
}

/// The status, and the code of the error or what was done.
fn outcome(answer: &Answer) -> (u16, String) {
    let body = answer.json();
    let code = body["error"]["code"].as_str().or(body["status"].as_str()).unwrap();
    assert_eq!(answer.header("retry-after").is_empty(), answer.status != 503, "{}", answer.body);
    (answer.status.as_u16(), code.to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_sns_signs_is_stored_once_in_either_version_with_and_without_subject() {
    let hook = Hook::start().await;
    hook.site.mailed("mina@example.com", Locale::En).await;
    sqlx::query("update sends set ses_id = 'm-1'").execute(&hook.site.db.pool).await.unwrap();
    for (number, version) in ["1", "2"].into_iter().enumerate() {
        for subject in [None, Some("Amazon SES Email Event Notification")] {
            let id = format!("{version}-{}", subject.is_some());
            let mut message = unsigned(version, &id, &delivery(&format!("m-{}", number + 1)));
            if let Some(subject) = subject {
                message["Subject"] = json!(subject);
            }
            let message = Signer::shared().signed(message);
            for _ in 0..2 {
                assert_eq!(outcome(&hook.post(&message).await), (200, "stored".into()), "{id}");
            }
        }
    }
    // One of each mail, whatever carried it; the certificate was fetched once.
    assert_eq!((hook.events().await, hook.given.asked()), (2, 1));
    assert_eq!(hook.states().await, ["delivered"]);
    let source: String =
        sqlx::query_scalar("select distinct source from ses_events").fetch_one(&hook.site.db.pool).await.unwrap();
    assert_eq!(source, "sns");
}

/// What the doctor tells of it.
#[tokio::test(flavor = "multi_thread")]
async fn how_a_topic_s_posts_are_signed_is_noted() {
    let hook = Hook::start().await;
    for version in ["1", "2", "1"] {
        let posted = hook.post(&signed(version, &format!("of-{version}"), &delivery("m-1"))).await;
        assert_eq!(posted.status.as_u16(), 200);
        until("it is noted", async || {
            let noted = sqlx::query_scalar::<_, Option<i16>>("select signature_version from sns_subscriptions");
            noted.fetch_all(&hook.site.db.pool).await.unwrap() == [Some(version.parse().unwrap())]
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_forged_or_foreign_is_refused_and_stores_nothing() {
    let hook = Hook::start().await;
    let good = signed("2", "good", &delivery("m-1"));
    let changed = |change: &dyn Fn(&mut Value)| {
        let mut message = good.clone();
        change(&mut message);
        message.to_string()
    };
    let again = |change: &dyn Fn(&mut Value)| {
        let mut message = unsigned("2", "again", &delivery("m-1"));
        change(&mut message);
        Signer::shared().signed(message).to_string()
    };
    let other_key = Signer::new().signed(unsigned("2", "forged", &delivery("m-1"))).to_string();
    let old = Utc::now() - TimeDelta::minutes(61);
    let ahead = Utc::now() + TimeDelta::minutes(6);
    let nested = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let table: Vec<(&str, String, u16, &str)> = vec![
        ("forged", other_key, 403, "signature"),
        ("altered", changed(&|m| m["Message"] = json!(delivery("m-2").to_string())), 403, "signature"),
        ("unsigned", changed(&|m| m["Signature"] = json!("")), 403, "signature"),
        ("replayed", again(&|m| m["Timestamp"] = json!(old.to_rfc3339())), 403, "old"),
        ("of a clock ahead of ours", again(&|m| m["Timestamp"] = json!(ahead.to_rfc3339())), 503, "ahead"),
        ("of another topic", again(&|m| m["TopicArn"] = json!(format!("{ARN}-2"))), 403, "foreign-topic"),
        ("of no topic", again(&|m| m["TopicArn"] = json!("x")), 400, "topic"),
        (
            "with a certificate of elsewhere",
            again(&|m| m["SigningCertURL"] = json!("https://sns.attacker.example/SimpleNotificationService-0.pem")),
            403,
            "certificate-url",
        ),
        (
            "with a certificate of another region",
            again(&|m| m["SigningCertURL"] = json!(CERTIFICATE_URL.replace("us-east-1", "eu-west-1"))),
            403,
            "certificate-url",
        ),
        ("of another version", changed(&|m| m["SignatureVersion"] = json!("3")), 400, "version"),
        ("of another type", changed(&|m| m["Type"] = json!("Else")), 400, "type"),
        ("too long", again(&|m| m["Message"] = json!("x".repeat(300_000))), 413, "too-long"),
        ("much too long", "x".repeat(900_000), 413, "too-long"),
        ("deeply nested", nested, 400, "not-sns"),
        ("an event, but as it is", delivery("m-1").to_string(), 400, "not-sns"),
        ("nothing", String::new(), 400, "not-sns"),
        ("no JSON", "\u{1b}[31mred".into(), 400, "not-sns"),
    ];
    for (what, body, status, code) in table {
        let before = hook.events().await;
        let answer = post(&hook.site.server, &body).await;
        assert_eq!(outcome(&answer), (status, code.to_owned()), "{what}");
        assert!(!answer.body.contains(['\u{1b}', '\u{7}']) && !answer.body.contains("attacker"), "{}", answer.body);
        assert_eq!(hook.events().await == before, status != 200, "{what}");
    }
    // Raw delivery, however well it is made.
    let raw = hook.site.server.request(Method::POST, "/ses/events").header("x-amz-sns-rawdelivery", "true");
    let answer = Answer::of(raw.body(good.to_string())).await;
    assert_eq!(outcome(&answer), (400, "raw".into()));
    assert!(answer.body.contains("raw message delivery is on"), "{}", answer.body);
    assert_eq!(hook.site.server.get("/ses/events").await.status, 405);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_topic_there_is_no_such_address() {
    let site = Served::start().await;
    let body = signed("2", "good", &delivery("m-1")).to_string();
    let answer = Answer::of(site.server.request(Method::POST, "/ses/events").body(body)).await;
    assert_eq!(answer.status, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_sns_signs_and_is_no_event_is_taken_all_the_same() {
    let hook = Hook::start().await;
    let deep = format!("{}{}", "[".repeat(30_000), "]".repeat(30_000));
    let texts = [
        "Successfully validated SNS topic for Amazon SES event publishing.".to_owned(),
        json!({ "notificationType": "AmazonSnsSubscriptionSucceeded", "message": "ok" }).to_string(),
        json!({ "order": 7 }).to_string(),
        deep,
    ];
    for text in texts {
        let mut message = message("Notification", "2", Utc::now());
        message["Message"] = json!(text);
        let answer = hook.post(&Signer::shared().signed(message)).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
    }
    assert_eq!(hook.events().await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_no_mail_of_ours_caused_is_an_orphan_and_its_texts_are_harmless() {
    let hook = Hook::start().await;
    let evil = "\u{1b}]0;owned\u{7}\u{1b}[2J\u{202e}evil";
    let mut event = delivery("m-elsewhere");
    event["mail"]["tags"] = json!({ "send": ["01936b2e-0000-7000-8000-000000000000"] });
    event["delivery"]["smtpResponse"] = json!(evil);
    event["mail"]["destination"] = json!([format!("{evil}@example.com")]);
    assert_eq!(outcome(&hook.post(&signed("2", "a", &event)).await).0, 200);
    let mut strange = delivery("m-strange");
    strange["eventType"] = json!(evil);
    assert_eq!(outcome(&hook.post(&signed("1", "b", &strange)).await).0, 200);
    let shell = Program::new(&hook.site.db.url);
    let listed = shell.run(&["events", "list", "--orphans"]);
    assert_eq!((listed.code, listed.out.lines().count()), (0, 3), "{}{}", listed.out, listed.err);
    assert!(listed.out.contains("owned") && listed.out.contains("evil"), "{}", listed.out);
    assert!(!listed.out.contains(['\u{1b}', '\u{7}', '\u{202e}']), "{:?}", listed.out);
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_certificate_cannot_be_had_sns_is_asked_to_try_again() {
    let hook = Hook::start().await;
    let post = signed("2", "a", &delivery("m-1"));
    for failure in [FetchError::TimedOut, FetchError::Status(500), FetchError::TooLong] {
        hook.given.put(CERTIFICATE_URL, Err(failure));
        assert_eq!(outcome(&hook.post(&post).await), (503, "no-certificate".into()));
    }
    hook.given.put(CERTIFICATE_URL, Ok(Signer::shared().certificate()));
    assert_eq!(outcome(&hook.post(&post).await), (200, "stored".into()));
    assert_eq!(hook.events().await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_the_database_is_away_sns_is_asked_to_try_again() {
    let world = World::with(|settings| settings.ses.topics = vec![ARN.into()]).await;
    let mut proxy = TcpProxy::new(&world.db.url).await;
    let (server, given) = serve(&world.settings_behind(&proxy)).await;
    let hook = Hook { site: Served { server, world }, given };
    assert_eq!(outcome(&hook.post(&signed("2", "a", &delivery("m-1"))).await), (200, "stored".into()));
    proxy.shut().await;
    let late = signed("2", "b", &delivery("m-2"));
    assert_eq!(outcome(&hook.post(&late).await).0, 503);
    // What is forged is so without the database.
    let mut forged = late.clone();
    forged["Message"] = json!("x");
    assert_eq!(outcome(&hook.post(&forged).await), (403, "signature".into()));
    proxy.open().await;
    super::until("it is stored", async || hook.post(&late).await.status == 200).await;
    assert_eq!(hook.events().await, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_was_never_seen_is_our_fault() {
    let (server, _) = serve(&allowing("postgres:///nowhere?host=/nonexistent")).await;
    let answer = post(&server, &signed("2", "a", &delivery("m-1")).to_string()).await;
    assert_eq!(outcome(&answer), (503, "database_away".into()));
}

/// Each goes in a transaction with others, and gets its own answer.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_at_once_are_each_stored() {
    let hook = Hook::start().await;
    let posts: Vec<String> =
        (0..40).map(|number| signed("2", &number.to_string(), &delivery(&format!("m-{number}"))).to_string()).collect();
    let answers = futures_util::future::join_all(posts.iter().map(|body| post(&hook.site.server, body))).await;
    assert!(answers.iter().all(|answer| outcome(answer) == (200, "stored".into())));
    assert_eq!(hook.events().await, 40);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subscription_of_an_allowed_topic_is_confirmed_at_once() {
    let hook = Hook::start().await;
    let asks = Signer::shared().signed(message("SubscriptionConfirmation", "2", Utc::now()));
    // SNS does not answer: it is to ask again.
    assert_eq!(outcome(&hook.post(&asks).await), (503, "not-confirmed".into()));
    let url = asks["SubscribeURL"].as_str().unwrap();
    hook.given.put(url, Ok(Vec::new()));
    let answer = hook.post(&asks).await;
    assert_eq!(answer.status, 200);
    assert!(!answer.body.contains("Token"), "{}", answer.body);
    super::until("it is confirmed", async || {
        let query = "select confirmed_at is not null and subscribe_url is null from sns_subscriptions";
        sqlx::query_scalar(query).fetch_one(hook.site.pool()).await.unwrap()
    })
    .await;
}
