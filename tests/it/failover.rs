//! Two servers, of which one takes over from the other, with both named in the connection string.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use tempfile::TempDir;
use verifydesk::config::{Secret, Settings, TransportKind};
use verifydesk::desk::{Desk, LinkOutcome, Opener, SignUp};
use verifydesk::domain::audit::{Actor, Origin};
use verifydesk::outbox::worker::{Mode, Worker};
use verifydesk::store::{Purpose, Store};

use crate::support::node::Node;
use crate::support::world::{AtWork, SECRET, captured_in, key_in};

/// How long going over to the other may take.
const PATIENCE: Duration = Duration::from_secs(30);

fn directory(node: &Node) -> String {
    node.url("postgres").split("host=").nth(1).unwrap().to_owned()
}

async fn eventually<T, E: std::fmt::Display>(what: &str, mut act: impl AsyncFnMut() -> Result<T, E>) -> T {
    let since = Instant::now();
    loop {
        match act().await {
            Ok(done) => return done,
            Err(error) if since.elapsed() > PATIENCE => panic!("{what}: {error}"),
            Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
        }
    }
}

/// Of a site on these servers, in this order.
fn settings(nodes: &[&Node], mails: &TempDir) -> Settings {
    let hosts: Vec<String> = nodes.iter().map(|node| directory(node)).collect();
    let mut settings = Settings {
        database_url: Some(Secret::new(format!("postgres://verifydesk@/postgres?host={}", hosts.join(",")))),
        public_url: Some("https://example.org".into()),
        secret: Some(Secret::new(SECRET)),
        ..Settings::default()
    };
    settings.mail.from = Some("Example <no-reply@example.org>".into());
    settings.mail.transport = TransportKind::Capture;
    settings.capture.dir = Some(mails.path().join("mail"));
    settings.pace.rate = Some(1_000.0);
    settings
}

fn captured(mails: &TempDir) -> Vec<PathBuf> {
    captured_in(&mails.path().join("mail"))
}

async fn expect(pool: &sqlx::PgPool, query: &'static str, wanted: i64) -> Result<(), String> {
    let count: i64 = sqlx::query_scalar(query).fetch_one(pool).await.map_err(|error| error.to_string())?;
    if count == wanted { Ok(()) } else { Err(format!("{count} where {wanted} should be: {query}")) }
}

/// A primary with these settings and its standby, which run.
async fn pair(settings: &'static [&str]) -> (Node, Node) {
    let start = || {
        let primary = Node::primary(settings);
        primary.start();
        let second = Node::standby(&primary, "second", None);
        second.start();
        (primary, second)
    };
    tokio::task::spawn_blocking(start).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_standby_takes_over_without_a_hand() {
    let (primary, second) = pair(&["synchronous_standby_names = 'second'"]).await;
    let mails = tempfile::tempdir().unwrap();
    // The standby first, so that it has to be passed over.
    let settings = settings(&[&second, &primary], &mails);
    let desk = Desk::open_to_strangers(&settings).unwrap();
    desk.store().migrate().await.unwrap();
    let console = Store::open(&settings).unwrap();
    let mut changes = console.listen().await.unwrap();
    let worker = Worker::from_settings(Store::open_for(&settings, Purpose::Work).unwrap(), &settings).unwrap();
    let at_work = AtWork::new(worker, Mode::Forever);
    let actor = Actor::new("test", Origin::Cli);
    let who = |n: usize| SignUp { email: format!("user{n}@example.com"), ..SignUp::default() };
    for n in 0..20 {
        desk.sign_up(&actor, &who(n)).await.unwrap();
    }

    let (primary, second) = tokio::task::spawn_blocking(move || {
        primary.crash();
        second.promote();
        (primary, second)
    })
    .await
    .unwrap();
    // It waits for no standby of its own.
    let alone = sqlx::PgPool::connect(&second.url("postgres")).await.unwrap();
    sqlx::query("alter system set synchronous_standby_names = ''").execute(&alone).await.unwrap();
    sqlx::query("select pg_reload_conf()").execute(&alone).await.unwrap();

    let since = Instant::now();
    for n in 20..40 {
        eventually("a sign-up", async || desk.sign_up(&actor, &who(n)).await).await;
    }
    eventually("the console's store", async || console.check().await).await;
    while changes.next().await.is_ok() {}
    let mut changes = eventually("a subscription", async || console.listen().await).await;
    changes.check().await.unwrap();
    let accepted = "select count(*) from sends where state = 'accepted'";
    eventually("the mails", async || expect(&alone, accepted, 40).await).await;
    assert!(since.elapsed() < PATIENCE, "{:?}", since.elapsed());
    let tally = at_work.end().await;
    assert_eq!((captured(&mails).len(), tally.sent), (40, 40), "none is lost and none goes twice");
    drop((primary, second));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_standby_had_not_heard_of_is_recorded_again() {
    let (primary, second) = pair(&[]).await;
    let mails = tempfile::tempdir().unwrap();
    let settings = settings(&[&primary, &second], &mails);
    let desk = Desk::open(&settings).unwrap();
    desk.store().migrate().await.unwrap();
    let actor = Actor::new("test", Origin::Cli);
    for n in 0..10 {
        desk.sign_up(&actor, &SignUp { email: format!("user{n}@example.com"), ..SignUp::default() }).await.unwrap();
    }
    desk.pause(&actor, "upgrade").await.unwrap();
    let start = || {
        let worker = Worker::from_settings(Store::open_for(&settings, Purpose::Work).unwrap(), &settings).unwrap();
        AtWork::new(worker, Mode::Forever)
    };
    // It is the first one ever, at a server that the standby hears of.
    start().end().await;
    let standby = sqlx::PgPool::connect(&second.url("postgres")).await.unwrap();
    let waiting = "select count(*)
        from sends, brake, pace
        where sends.state = 'queued' and brake.state = 'paused' and server_run is not null";
    eventually("the standby", async || expect(&standby, waiting, 10).await).await;
    // From here on it hears of nothing.
    sqlx::query("alter system set primary_conninfo = ''").execute(&standby).await.unwrap();
    sqlx::query("select pg_reload_conf()").execute(&standby).await.unwrap();
    let receivers = "select count(*) from pg_stat_wal_receiver";
    eventually("no replication", async || expect(&standby, receivers, 0).await).await;

    // Neither knows what the other has sent.
    let at_work = [start(), start()];
    desk.resume(&actor).await.unwrap();
    let accepted = "select count(*) from sends where state = 'accepted' and attempts = 1";
    let alone = sqlx::PgPool::connect(&primary.url("postgres")).await.unwrap();
    eventually("the mails", async || expect(&alone, accepted, 10).await).await;

    let (primary, second) = tokio::task::spawn_blocking(move || {
        primary.crash();
        second.promote();
        (primary, second)
    })
    .await
    .unwrap();
    // Started at this moment: it was nowhere before, and all look as if they waited.
    let late = start();
    eventually("the operator", async || desk.resume(&actor).await).await;
    eventually("the results", async || expect(&standby, accepted, 10).await).await;
    let mut sent = late.end().await.sent;
    for worker in at_work {
        sent += worker.end().await.sent;
    }
    let captured = captured(&mails);
    assert_eq!((captured.len(), sent), (10, 10), "none goes twice");
    for file in captured {
        let opened = desk.open_link(&key_in(&file), Opener::Browser).await.unwrap();
        assert!(matches!(opened, LinkOutcome::Verified { now: true, .. }), "{opened:?}");
    }
    drop((primary, second));
}
