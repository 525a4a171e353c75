//! A row that another transaction holds: only those who need it wait, and not for long.

use std::time::{Duration, Instant};

use reqwest::Method;
use tokio::task::JoinSet;
use verifydesk::domain::locale::Locale;

use super::{Answer, Served, TOKEN, link, until};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_locked_row_keeps_no_one_else_out() {
    let site = Served::start().await;
    let (id, key) = site.mailed("mina@example.com", Locale::En).await;
    let others = [
        site.mailed("jun@example.com", Locale::En).await.1,
        site.mailed("sora@example.com", Locale::En).await.1,
        site.mailed("hana@example.com", Locale::En).await.1,
    ];
    let mut held = site.db.pool.begin().await.unwrap();
    let lock = "select from users where id = (select user_id from verifications where id = $1) for update";
    sqlx::query(lock).bind(id.0).execute(&mut *held).await.unwrap();

    let mut clicks = JoinSet::new();
    for _ in 0..20 {
        let request = site.server.request(Method::GET, &link(&key)).header("accept-language", "en");
        clicks.spawn(async move {
            let started = Instant::now();
            (Answer::of(request).await, started.elapsed())
        });
    }
    for number in 0..60 {
        // One address, however it is written.
        let email = format!("{}mina@EXAMPLE.com{}", " ".repeat(number % 5), "\u{200b}".repeat(number / 5));
        let body = serde_json::json!({ "email": email });
        let request = site.server.request(Method::POST, "/api/signups").bearer_auth(TOKEN).json(&body);
        clicks.spawn(async move {
            let started = Instant::now();
            (Answer::of(request).await, started.elapsed())
        });
    }
    until("clicks wait for the row", async || {
        let waiting = "select exists (
            select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock')";
        sqlx::query_scalar::<_, bool>(waiting).fetch_one(&site.db.pool).await.unwrap()
    })
    .await;
    for key in &others {
        assert_eq!(site.server.get("/readyz").await.status, 200);
        let request = site.server.request(Method::GET, "/api/users?email=jun@example.com").bearer_auth(TOKEN);
        assert_eq!(Answer::of(request).await.status, 200);
        let other = site.server.get(&link(key)).await;
        assert_eq!(other.status, 200, "{}", other.body);
    }
    assert!(!clicks.is_empty());
    for (answer, took) in clicks.join_all().await {
        assert_eq!((answer.status.as_u16(), answer.header("retry-after")), (503, "5"), "{}", answer.body);
        assert!(took < Duration::from_millis(9_500), "{took:?}");
    }
    held.rollback().await.unwrap();
    assert_eq!(site.server.get(&link(&key)).await.status, 200);
}
