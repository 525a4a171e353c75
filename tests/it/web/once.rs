//! A sign-up that the site sends again under its idempotency key.

use reqwest::Method;
use serde_json::{Value, json};
use verifydesk::domain::audit::{Actor, Origin};

use super::{Answer, Served, TOKEN};
use crate::support::Program;
use crate::support::world::execute;

async fn post(site: &Served, key: &str, body: &Value) -> Answer {
    let request = site.server.request(Method::POST, "/api/signups").bearer_auth(TOKEN);
    Answer::of(request.header("Idempotency-Key", key).json(body)).await
}

async fn count(site: &Served, of: &'static str) -> i64 {
    sqlx::query_scalar(of).fetch_one(site.pool()).await.unwrap()
}

fn error(answer: &Answer) -> (u16, String) {
    (answer.status.as_u16(), answer.json()["error"]["code"].as_str().unwrap().to_owned())
}

const MAILS: &str = "select count(*) from sends";

#[tokio::test(flavor = "multi_thread")]
async fn what_is_sent_again_is_done_once() {
    let site = Served::start().await;
    let mina = json!({ "email": "mina@example.com", "name": "김민아" });
    let first = post(&site, "\"3f1c\"", &mina).await;
    assert_eq!((first.status.as_u16(), &first.json()["status"]), (202, &json!("created")));
    // No cool-down: it is the same request, whether the key is in quotes or not.
    for key in ["\"3f1c\"", "3f1c"] {
        let again = post(&site, key, &mina).await;
        assert_eq!((again.status.as_u16(), again.json()), (202, first.json()));
    }
    assert_eq!((count(&site, MAILS).await, count(&site, "select count(*) from audit_log").await), (1, 1));

    // Another request is another matter, in each of its parts.
    for other in [
        json!({ "email": "jun@example.com", "name": "김민아" }),
        json!({ "email": "mina@example.com", "name": "김민" }),
        json!({ "email": "mina@example.com", "name": "김민아", "locale": "en" }),
    ] {
        assert_eq!(error(&post(&site, "3f1c", &other).await), (422, "idempotency_key_reused".into()));
    }
    assert_eq!(count(&site, "select count(*) from users").await, 1);

    // What was refused changed nothing, so it is asked again under its key.
    let refused = post(&site, "second", &mina).await;
    assert_eq!(error(&refused), (429, "cool_down".into()));
    execute(site.pool(), "update sends set state = 'accepted', queued_at = now() - interval '1 hour'").await;
    for _ in 0..2 {
        let resent = post(&site, "second", &mina).await;
        assert_eq!((resent.status.as_u16(), &resent.json()["status"]), (202, &json!("resent")));
    }
    assert_eq!(count(&site, MAILS).await, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_at_the_same_time_are_one() {
    let site = Served::start().await;
    for round in 0..5 {
        let (key, mina) = (format!("round-{round}"), json!({ "email": format!("mina{round}@example.com") }));
        let (a, b, c) = tokio::join!(post(&site, &key, &mina), post(&site, &key, &mina), post(&site, &key, &mina));
        assert_eq!((a.status.as_u16(), &a.json()["status"]), (202, &json!("created")));
        assert_eq!([a.json(), a.json()], [b.json(), c.json()]);
        assert_eq!(count(&site, MAILS).await, round + 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_known_for_a_day_and_as_long_as_the_user_is() {
    let site = Served::start().await;
    let keys = "select count(*) from idempotency_keys";
    let mina = json!({ "email": "mina@example.com" });
    assert_eq!(post(&site, "k", &mina).await.json()["status"], "created");
    execute(site.pool(), "update idempotency_keys set made_at = now() - interval '23 hours'").await;
    assert_eq!(Program::new(&site.db.url).run(&["prune"]).code, 0);
    assert_eq!(post(&site, "k", &json!({ "email": "jun@example.com" })).await.status, 422);

    execute(site.pool(), "update idempotency_keys set made_at = now() - interval '25 hours'").await;
    // It is free again, also before it is pruned.
    assert_eq!(post(&site, "k", &json!({ "email": "jun@example.com" })).await.json()["status"], "created");
    execute(site.pool(), "update idempotency_keys set made_at = now() - interval '25 hours'").await;
    assert_eq!(Program::new(&site.db.url).run(&["prune"]).code, 0);
    assert_eq!(count(&site, keys).await, 0);

    let sora = post(&site, "s", &json!({ "email": "sora@example.com" })).await.json();
    let id = sora["user_id"].as_i64().unwrap();
    let actor = Actor::new("test", Origin::Cli);
    execute(site.pool(), &format!("select delete_user({id}, null, 'test', 'cli', 'asked to be deleted', 0)")).await;
    site.store().erase_due(&actor).await.unwrap();
    assert_eq!(count(&site, keys).await, 0);
    assert_eq!(post(&site, "s", &json!({ "email": "sora@example.com" })).await.json()["status"], "created");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_key_changes_nothing() {
    let site = Served::start().await;
    let mina = json!({ "email": "mina@example.com" });
    let long = "k".repeat(256);
    for key in ["", "\"\"", "two words", "a\"b", &long] {
        assert_eq!(error(&post(&site, key, &mina).await), (400, "bad_request".into()), "{key}");
    }
    let twice = site.server.request(Method::POST, "/api/signups").bearer_auth(TOKEN);
    let twice = twice.header("idempotency-key", "a").header("idempotency-key", "b").json(&mina);
    assert_eq!(error(&Answer::of(twice).await), (400, "bad_request".into()));
    assert_eq!(count(&site, "select count(*) from users").await, 0);
}
