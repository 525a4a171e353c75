//! Two servers, of which one takes over from the other, with both named in the connection string.

use std::time::{Duration, Instant};

use verifydesk::config::{Secret, Settings, TransportKind};
use verifydesk::desk::{Desk, SignUp};
use verifydesk::domain::audit::{Actor, Origin};
use verifydesk::outbox::worker::{Mode, Worker};
use verifydesk::store::{Purpose, Store};

use crate::support::node::Node;
use crate::worker::site::{AtWork, SECRET};

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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_standby_takes_over_without_a_hand() {
    let (primary, second) = tokio::task::spawn_blocking(|| {
        let primary = Node::primary(&["synchronous_standby_names = 'second'"]);
        primary.start();
        let second = Node::standby(&primary, "second", None);
        second.start();
        (primary, second)
    })
    .await
    .unwrap();
    // The standby first, so that it has to be passed over.
    let hosts = format!("{},{}", directory(&second), directory(&primary));
    let mails = tempfile::tempdir().unwrap();
    let mut settings = Settings {
        database_url: Some(Secret::new(format!("postgres://verifydesk@/postgres?host={hosts}"))),
        public_url: Some("https://example.org".into()),
        secret: Some(Secret::new(SECRET)),
        ..Settings::default()
    };
    settings.mail.from = Some("Example <no-reply@example.org>".into());
    settings.mail.transport = TransportKind::Capture;
    settings.capture.dir = Some(mails.path().join("mail"));
    settings.pace.rate = Some(1_000.0);

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
    eventually("the mails", async || {
        let count: i64 = sqlx::query_scalar(accepted).fetch_one(&alone).await.unwrap();
        if count == 40 { Ok(()) } else { Err(format!("{count} are accepted")) }
    })
    .await;
    assert!(since.elapsed() < PATIENCE, "{:?}", since.elapsed());
    let tally = at_work.end().await;
    let files = std::fs::read_dir(mails.path().join("mail")).unwrap();
    let mails = files.filter(|file| file.as_ref().unwrap().path().extension().is_some_and(|end| end == "eml")).count();
    assert_eq!((mails, tally.sent), (40, 40), "none is lost and none goes twice");
    drop((primary, second));
}
