//! Starting, stopping, waiting, and the database coming and going.

use std::path::Path;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use verifydesk::demo::cluster::{Cluster, Options};
use verifydesk::desk::Desk;
use verifydesk::domain::locale::Locale;

use super::{Served, Server, link, settings, until};
use crate::support::world::{make_key, request, sign_up};

#[tokio::test]
async fn a_request_in_flight_is_finished_at_the_end() {
    let site = Served::start().await;
    let (_, key) = site.mailed("mina@example.com", Locale::En).await;
    // Idle connections must not delay the end: one that was used, one that never said a word.
    assert_eq!(site.server.get("/healthz").await.status, 200);
    let mut silent = TcpStream::connect(site.server.address()).await.unwrap();

    let mut held = site.db.pool.begin().await.unwrap();
    sqlx::query("select from users for update").execute(&mut *held).await.unwrap();
    let request = site.server.client.get(format!("{}{}", site.server.url, link(&key)));
    let click = tokio::spawn(async move { request.send().await.unwrap().status() });
    until("the click waits for the row", async || {
        sqlx::query_scalar::<_, bool>(
            "select exists (
                select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock')",
        )
        .fetch_one(&site.db.pool)
        .await
        .unwrap()
    })
    .await;

    site.server.shutdown.cancel();
    until("no new connection is taken", async || TcpStream::connect(site.server.address()).await.is_err()).await;
    let mut rest = Vec::new();
    silent.read_to_end(&mut rest).await.unwrap();
    assert!(rest.is_empty() && !site.server.ended.is_finished() && !click.is_finished());

    held.rollback().await.unwrap();
    assert_eq!(click.await.unwrap(), 200);
    let ended = tokio::time::timeout(Duration::from_secs(5), site.server.ended).await;
    ended.expect("ends with its last request").unwrap().unwrap();
}

/// A server without a database.
async fn offline() -> Server {
    Server::start(&settings("postgres:///nowhere?host=/nonexistent")).await
}

/// What comes back on a connection that says this and no more, and after how long.
async fn stalled(server: &Server, said: &str) -> (String, Duration) {
    let started = Instant::now();
    let mut stream = TcpStream::connect(server.address()).await.unwrap();
    stream.write_all(said.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    (answer, started.elapsed())
}

#[tokio::test]
async fn a_client_that_stops_talking_is_hung_up_on() {
    let server = offline().await;
    let body = "POST /verify/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 99\r\n\
                Content-Type: application/x-www-form-urlencoded\r\n\r\nkey=";
    let (nothing, line, head, body) = tokio::join!(
        stalled(&server, ""),
        stalled(&server, "GET /verify/?key="),
        stalled(&server, "GET / HTTP/1.1\r\nHost: x\r\nX: "),
        stalled(&server, body),
    );
    for (answer, _) in [&nothing, &line, &head] {
        assert!(!answer.starts_with("HTTP/1.1 2"), "{answer}");
    }
    assert!(body.0.starts_with("HTTP/1.1 503 ") && body.0.contains("retry-after: 5"), "{}", body.0);
    assert!(body.0.contains("content-security-policy: "), "{}", body.0);
    for (answer, waited) in [nothing, line, head, body] {
        assert!((9..=14).contains(&waited.as_secs()), "{waited:?}: {answer}");
    }
}

#[tokio::test]
async fn a_head_that_is_too_large_is_refused() {
    let server = offline().await;
    let path = format!("/?{}", "x".repeat(20_000));
    let response = server.client.get(format!("{}{path}", server.url)).send().await.unwrap();
    assert!(matches!(response.status().as_u16(), 414 | 431), "{}", response.status());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_database_goes_away_and_comes_back() {
    let root = nix::unistd::Uid::effective().is_root();
    let parent = if root { Path::new("/tmp").to_owned() } else { std::env::temp_dir() };
    let place = tempfile::Builder::new().prefix("vdw-").tempdir_in(parent).unwrap();
    let open = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(place.path(), open).unwrap();
    let options = Options::throwaway(place.path().join("c"));
    let start = async || {
        let options = options.clone();
        tokio::task::spawn_blocking(|| Cluster::start(options).unwrap()).await.unwrap()
    };

    let cluster = start().await;
    let settings = settings(&cluster.url("postgres"));
    let desk = Desk::open(&settings).unwrap();
    desk.store().migrate().await.unwrap();
    let id = sign_up(&desk, &request("mina@example.com")).await;
    let key = make_key(desk.store().pool(), id).await;
    let server = Server::start(&settings).await;
    assert_eq!(server.get("/readyz").await.body, "ok\n");

    tokio::task::spawn_blocking(|| cluster.stop().unwrap()).await.unwrap();
    let request = server.client.get(format!("{}{}", server.url, link(&key))).header("accept-language", "en");
    let away = super::Answer::of(request).await;
    assert_eq!((away.status.as_u16(), away.heading()), (503, "Please try again in a moment"));
    assert_eq!(away.header("retry-after"), "5");
    assert!(away.body.contains("href=\"\""), "the page's own address, not written down: {}", away.body);
    let pressed = server.post("/verify/", &key).await;
    assert_eq!(pressed.status, 503);
    assert!(pressed.body.contains(&key.expose()), "the form can be sent again: {}", pressed.body);
    let asked = Instant::now();
    until("it is known that it cannot work", async || server.get("/readyz").await.status == 503).await;
    assert!(asked.elapsed() < Duration::from_secs(3), "{:?}", asked.elapsed());
    let request = server.request(reqwest::Method::GET, "/api/users?email=mina@example.com").bearer_auth(super::TOKEN);
    let api = super::Answer::of(request).await;
    assert_eq!((api.status.as_u16(), api.header("retry-after")), (503, "5"));
    assert_eq!(api.json()["error"]["code"], "database_away");

    let cluster = start().await;
    until("the server works again", async || server.get("/readyz").await.status == 200).await;
    assert_eq!(server.get(&link(&key)).await.status, 200);
    tokio::task::spawn_blocking(|| cluster.stop().unwrap()).await.unwrap();
}
