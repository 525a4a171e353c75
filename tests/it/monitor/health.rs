//! Whether a service lives, and whether it can work.

use axum::http::StatusCode;
use tokio_util::sync::CancellationToken;
use verifydesk::config::Secret;
use verifydesk::desk::Desk;
use verifydesk::monitor::Health;
use verifydesk::outbox::worker::Mode;

use super::{get, program, start, until};
use crate::support::TestDb;
use crate::support::tcp_proxy::TcpProxy;
use crate::support::world::{AtWork, World, worker};

const OK: (u16, &str) = (200, "ok\n");

fn of((status, why): (StatusCode, &'static str)) -> (u16, &'static str) {
    (status.as_u16(), why)
}

#[tokio::test(flavor = "multi_thread")]
async fn services_are_asked_on_a_listener_of_their_own() {
    let db = TestDb::new().await;
    let program = program(&db.url);
    let (_worker, worker) = start(&program, &["worker"]);
    let (_serve, serve) = start(&program, &["serve", "--listen", "127.0.0.1:0"]);
    for url in [&worker, &serve] {
        until("it is ready", async || get(&format!("{url}/readyz")).await == (200, "ok\n".into())).await;
        assert_eq!(get(&format!("{url}/healthz")).await, (200, "ok\n".into()));
        assert_eq!(get(&format!("{url}/verify/?key=x")).await.0, 404);
    }
    // Where another listens, it says so instead of going on unwatched.
    let taken = program.set("VERIFYDESK_METRICS__LISTEN", worker.trim_start_matches("http://"));
    for arguments in [&["worker"][..], &["serve", "--listen", "127.0.0.1:0"]] {
        let refused = taken.run(arguments);
        assert_eq!(refused.code, 1, "{}", refused.err);
        assert!(refused.err.contains("cannot listen on") && refused.err.contains("metrics.listen"), "{}", refused.err);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_cannot_work_lives() {
    let site = World::new().await;
    let mut proxy = TcpProxy::new(&site.db.url).await;
    let worker = site.worker_behind(&proxy);
    let desk = Desk::open(&site.settings_behind(&proxy)).unwrap();
    let ending = CancellationToken::new();
    let health = Health::new(desk.store().clone(), Some(worker.pulse()), ending.clone());
    assert_eq!(of(health.ready().await), (503, "it has not begun yet\n"));
    let running = AtWork::new(worker, Mode::Forever);
    until("it works", async || of(health.ready().await) == OK).await;

    proxy.shut().await;
    until("the database is away", async || {
        of(health.ready().await) == (503, "the database did not answer within a second\n")
    })
    .await;
    assert_eq!(of(health.alive()), OK);
    proxy.open().await;
    until("the database is back", async || of(health.ready().await) == OK).await;

    let newest = "(select max(version) from _sqlx_migrations)";
    site.execute(&format!("update _sqlx_migrations set success = false where version = {newest}")).await;
    until("the schema is too old", async || health.ready().await.1.contains("run `verifydesk migrate`")).await;
    assert_eq!(of(health.alive()), OK);
    // A newer one is none of its business: it goes on beside it.
    site.execute(&format!(
        "update _sqlx_migrations set success = true, version = 1 + {newest} where version = {newest}"
    ))
    .await;
    until("the schema is new enough", async || of(health.ready().await) == OK).await;
    site.execute("update schema_floor set version = 9999").await;
    until("the schema is too new", async || health.ready().await.1.contains("newer verifydesk")).await;

    ending.cancel();
    assert_eq!(of(health.ready().await), (503, "it is ending\n"));
    running.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_waits_for_another_is_not_ready() {
    let site = World::new().await;
    let first = site.start(Mode::Forever);
    site.until(async || site.store().outbox().await.unwrap().workers.len() == 1).await;
    let mut settings = site.settings.clone();
    settings.secret = Some(Secret::new("another secret of the tests, 32 bytes and more"));
    let second = worker(&settings);
    let health = Health::new(site.store().clone(), Some(second.pulse()), CancellationToken::new());
    let second = AtWork::new(second, Mode::Forever);
    until("it waits", async || of(health.ready().await) == (503, "it may not work yet; `verifydesk queue` says why\n"))
        .await;
    assert_eq!(of(health.alive()), OK);
    first.end().await;
    until("it works", async || of(health.ready().await) == OK).await;
    second.end().await;
}
