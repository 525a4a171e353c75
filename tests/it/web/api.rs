//! The site's own API.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use reqwest::{Method, RequestBuilder};
use serde_json::json;
use verifydesk::config::Secret;
use verifydesk::desk::{self, Refusal, SignUp};
use verifydesk::domain::audit::{Actor, Origin};
use verifydesk::domain::locale::Locale;

use super::{Answer, Served, Server, TOKEN, link, settings};
use crate::support::{Program, TestDb};

fn ask(server: &Server, method: Method, path: &str) -> RequestBuilder {
    server.request(method, path).bearer_auth(TOKEN)
}

async fn post_sign_up(server: &Server, body: &serde_json::Value) -> Answer {
    Answer::of(ask(server, Method::POST, "/api/signups").json(body)).await
}

fn code(answer: &Answer) -> (u16, String) {
    let error = &answer.json()["error"];
    assert!(
        ["message", "hint"].iter().all(|part| error[part].as_str().is_some_and(|text| !text.is_empty())),
        "{error}"
    );
    assert_eq!(answer.header("content-type"), "application/json");
    (answer.status.as_u16(), error["code"].as_str().unwrap().to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn only_who_has_the_token_is_answered() {
    let site = Served::start().await;
    for path in ["/api/signups", "/api/users?email=a@example.com", "/api/nowhere"] {
        for method in [Method::GET, Method::POST, Method::DELETE] {
            let plain = || site.server.request(method.clone(), path);
            let requests = [
                plain(),
                plain().bearer_auth("wrong"),
                plain().bearer_auth(""),
                plain().bearer_auth(&TOKEN[..TOKEN.len() - 1]),
                plain().basic_auth("site", Some(TOKEN)),
                plain().bearer_auth(TOKEN).header("authorization", "Bearer other"),
            ];
            for request in requests {
                let answer = Answer::of(request).await;
                assert_eq!(code(&answer), (401, "unauthorized".into()), "{method} {path}");
                assert!(answer.header("www-authenticate").starts_with("Bearer"));
            }
        }
    }
    for token in [None, Some(Secret::new("")), Some(Secret::new("  "))] {
        let site = Served::with(|settings| settings.serve.token = token).await;
        for request in [site.server.request(Method::GET, "/api/users"), ask(&site.server, Method::GET, "/api/users")] {
            assert_eq!(code(&Answer::of(request.header("x-test", "1")).await), (404, "api_off".into()));
        }
        assert_eq!(Answer::of(site.server.request(Method::GET, "/api/users").bearer_auth("")).await.status, 404);
    }
}

/// Guesses wait, and the site does not wait for them.
#[tokio::test(flavor = "multi_thread")]
async fn a_right_token_is_answered_while_wrong_ones_wait() {
    let site = Served::start().await;
    let guess = |number: usize| {
        let request = site.server.request(Method::GET, "/api/users?email=a@example.com");
        Answer::of(request.bearer_auth(format!("guess {number}")))
    };
    for number in 0..10 {
        assert_eq!(guess(number).await.status, 401);
    }
    // Guesses go on until the site has its answers, and until there were too many guesses at a time.
    let is_answered = AtomicBool::new(false);
    let guesses = async {
        let started = Instant::now();
        let mut answers = Vec::new();
        loop {
            answers.extend(futures_util::future::join_all((0..80).map(guess)).await);
            let is_over = is_answered.load(Ordering::Relaxed) && answers.iter().any(|answer| answer.status == 429);
            if is_over || started.elapsed() > Duration::from_secs(30) {
                break answers;
            }
        }
    };
    let right = async {
        let mut fastest = Duration::MAX;
        for _ in 0..20 {
            let asked = Instant::now();
            let answer = Answer::of(ask(&site.server, Method::GET, "/api/users?email=a@example.com")).await;
            fastest = fastest.min(asked.elapsed());
            assert_eq!(code(&answer), (404, "not_found".into()));
        }
        is_answered.store(true, Ordering::Relaxed);
        fastest
    };
    let (answers, fastest) = tokio::join!(guesses, right);
    // Each would take longer if it waited like a guess.
    assert!(fastest < Duration::from_millis(300), "{fastest:?}");
    let late = answers.iter().filter(|answer| answer.status == 401).count();
    let refused: Vec<_> = answers.iter().filter(|answer| answer.status != 401).collect();
    assert!(late >= 50 && !refused.is_empty(), "{late}");
    for answer in refused {
        assert_eq!(code(answer), (429, "too_many_wrong_tokens".into()));
        assert_eq!(answer.header("retry-after"), "1");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_up_says_what_it_came_to() {
    let site = Served::start().await;
    let request = json!({ "email": "Mina@Example.com", "name": "김민아", "locale": "en" });
    let created = post_sign_up(&site.server, &request).await;
    assert_eq!(created.status, 202);
    let ids = created.json();
    assert_eq!(ids["status"], "created");
    assert!(ids["user_id"].is_i64() && ids["verification_id"].is_i64());

    let cooling = post_sign_up(&site.server, &request).await;
    assert_eq!(code(&cooling), (429, "cool_down".into()));
    let seconds: u64 = cooling.header("retry-after").parse().unwrap();
    assert!((1..=61).contains(&seconds), "{seconds}");

    sqlx::query("update sends set state = 'accepted', queued_at = now() - interval '1 hour'")
        .execute(&site.db.pool)
        .await
        .unwrap();
    let resent = post_sign_up(&site.server, &json!({ "email": "mina@example.com" })).await;
    let expected = json!({ "user_id": ids["user_id"], "verification_id": ids["verification_id"], "status": "resent" });
    assert_eq!((resent.status.as_u16(), resent.json()), (202, expected));

    let (id, key) = site.mailed("jun@example.com", Locale::Ko).await;
    site.server.get(&link(&key)).await;
    let verified =
        post_sign_up(&site.server, &json!({ "email": "jun@example.com", "name": null, "locale": null })).await;
    assert_eq!((verified.status.as_u16(), &verified.json()["status"]), (202, &json!("already_verified")));
    assert_eq!(verified.json()["verification_id"], json!(id));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_may_only_be_read_counts_as_away() {
    let db = TestDb::new().await;
    let server = Server::start(&settings(&db.url_with("default_transaction_read_only=on"))).await;
    let answer = post_sign_up(&server, &json!({ "email": "mina@example.com" })).await;
    assert_eq!(code(&answer), (503, "database_away".into()));
    assert!(!answer.header("retry-after").is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_makes_no_sense_changes_nothing() {
    let site = Served::start().await;
    let before = site.traces().await;
    let long_name = json!({ "email": "a@example.com", "name": "가".repeat(65) }).to_string();
    let large = json!({ "email": "a@example.com", "name": "x".repeat(17_000) }).to_string();
    let table: [(&str, &str, u16, &str); 16] = [
        ("application/json", "", 400, "bad_request"),
        ("application/json", "{", 400, "bad_request"),
        ("application/json", "[]", 400, "bad_request"),
        ("application/json", "{}", 400, "bad_request"),
        ("application/json", r#"{"email": 1}"#, 400, "bad_request"),
        ("application/json", r#"{"email": "a@example.com", "admin": true}"#, 400, "bad_request"),
        ("application/json", r#"{"email": "a@example.com", "email": "b@example.com"}"#, 400, "bad_request"),
        ("application/json", r#"{"email": "a@example.com"} {}"#, 400, "bad_request"),
        ("application/json", "{\"email\": \"\u{1b}[31m\"}", 400, "bad_request"),
        ("text/plain", r#"{"email": "a@example.com"}"#, 415, "unsupported_media_type"),
        ("application/x-www-form-urlencoded", "email=a@example.com", 415, "unsupported_media_type"),
        ("application/json", &large, 413, "too_large"),
        ("application/json", r#"{"email": "a@example.com\r\nBcc: b@example.com"}"#, 422, "invalid"),
        ("application/json", r#"{"email": "mina"}"#, 422, "invalid"),
        ("application/json", &long_name, 422, "invalid"),
        ("application/json", r#"{"email": "a@example.com", "locale": "fr"}"#, 422, "invalid"),
    ];
    for (content_type, body, status, name) in table {
        let request = ask(&site.server, Method::POST, "/api/signups").header("content-type", content_type);
        let answer = Answer::of(request.body(body.to_owned())).await;
        assert_eq!(code(&answer), (status, name.into()), "{body}");
        assert!(!answer.body.contains('\u{1b}'));
    }
    let addresses = [
        (Method::GET, "/api/users", 400, "bad_request"),
        (Method::GET, "/api/users?email=a@example.com&email=b@example.com", 400, "bad_request"),
        (Method::GET, "/api/users?email=a@example.com&x=1", 400, "bad_request"),
        (Method::GET, "/api/users?email=mina", 422, "invalid"),
        (Method::GET, "/api/users?email=a%00@example.com", 422, "invalid"),
        (Method::GET, "/api/users?email=a@example.com", 404, "not_found"),
        (Method::GET, "/api", 404, "not_found"),
        (Method::GET, "/api/users/1", 404, "not_found"),
        (Method::GET, "/api/signups", 405, "method_not_allowed"),
        (Method::DELETE, "/api/users?email=a@example.com", 405, "method_not_allowed"),
    ];
    for (method, path, status, name) in addresses {
        let answer = Answer::of(ask(&site.server, method.clone(), path)).await;
        assert_eq!(code(&answer), (status, name.into()), "{method} {path}");
        assert_eq!(answer.headers.contains_key("allow"), status == 405, "{method} {path}");
    }
    assert_eq!(site.traces().await, before);
}

/// An address as people paste it, and as a query has it.
const PASTED: [(&str, &str); 9] = [
    ("mina+test@example.com", "mina+test@example.com"),
    ("mina+test@example.com", "mina%2Btest%40example.com"),
    (" mina+test@example.com ", "%20mina+test@example.com%20"),
    ("\tmina+test@example.com\r\n", "%09mina+test@example.com%0D%0A"),
    ("\u{a0}mina+test@example.com\u{3000}", "%C2%A0mina+test@example.com%E3%80%80"),
    ("\u{feff}mina+test@example.com\u{200b}", "%EF%BB%BFmina+test@example.com%E2%80%8B"),
    ("\u{200e}mina+test@example.com\u{202c}", "%E2%80%8Emina+test@example.com%E2%80%AC"),
    ("\u{ad}mina+test@Example.COM\u{2060}", "%C2%ADmina+test@Example.COM%E2%81%A0"),
    ("\u{2028}mina+test@example.com\u{fe0f}", "%E2%80%A8mina+test@example.com%EF%B8%8F"),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_address_may_be_pasted_everywhere() {
    for (pasted, query) in PASTED {
        let site = Served::start().await;
        let created = post_sign_up(&site.server, &json!({ "email": pasted })).await;
        assert_eq!((created.status.as_u16(), &created.json()["status"]), (202, &json!("created")), "{pasted:?}");
        let id = created.json()["user_id"].clone();
        let state = Answer::of(ask(&site.server, Method::GET, &format!("/api/users?email={query}"))).await;
        assert_eq!((state.status.as_u16(), &state.json()["user_id"]), (200, &id), "{query}");
        assert_eq!(state.json()["email"], "mina+test@example.com");

        let shell = Program::new(&site.db.url);
        let again = shell.run(&["signup", pasted]);
        assert!(again.code == 4 && again.err.contains("cool-down"), "{pasted:?}: {}", again.err);
        let found = shell.run(&["list", "--search", pasted, "--json"]);
        assert_eq!(found.json().len(), 1, "{pasted:?}: {}", found.err);
        assert_eq!(found.json()[0]["user_id"], id);
        let sends = shell.run(&["sends", "--search", pasted, "--json"]);
        assert_eq!(sends.json().len(), 1, "{pasted:?}: {}", sends.err);
        // The console's act.
        let who = SignUp { email: pasted.into(), ..SignUp::default() };
        let refused = site.server.desk.sign_up(&Actor::new("mina", Origin::Console), &who).await.unwrap_err();
        assert!(matches!(refused, desk::Error::Refused(Refusal::CoolDown { .. })), "{pasted:?}: {refused}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_state_of_a_user_is_reported_as_it_is() {
    let site = Served::start().await;
    let (id, key) = site.mailed("mina+test@example.com", Locale::En).await;
    let state =
        async || Answer::of(ask(&site.server, Method::GET, "/api/users?email=MINA%2Btest@Example.com")).await.json();
    let pending = state().await;
    assert_eq!(pending["email"], "mina+test@example.com");
    assert_eq!((&pending["name"], &pending["locale"]), (&json!("Mina"), &json!("en")));
    assert_eq!((&pending["verified_at"], &pending["verification"]["verified_at"]), (&json!(null), &json!(null)));
    assert_eq!((&pending["verification"]["id"], &pending["verification"]["status"]), (&json!(id), &json!("pending")));
    let time = pending["verification"]["expires_at"].as_str().unwrap();
    assert!(time.ends_with('Z') && time.len() == 20, "{time}");

    site.expire(id).await;
    assert_eq!(state().await["verification"]["status"], "expired");
    site.run("update verifications set expires_at = now() + interval '1 day' where id = $1", id).await;
    site.server.get(&link(&key)).await;
    let verified = state().await;
    assert_eq!(verified["verification"]["status"], "verified");
    assert!(verified["verified_at"].is_string());
    assert_eq!(verified["verified_at"], verified["verification"]["verified_at"]);

    sqlx::query("delete from verifications").execute(&site.db.pool).await.unwrap();
    assert_eq!(state().await["verification"], json!(null));
}
