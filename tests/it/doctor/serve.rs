//! The verification view: whether one is there, of which version, and whether the public URL leads to it.

use sqlx::{Connection as _, PgConnection};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use verifydesk::config::Secret;

use super::*;
use crate::roles::Logins;
use crate::support::{Program, Running, TestDb, address_in, until};

/// `serve` beside this database, and where it answers.
fn start(url: &str) -> (Running, String) {
    let (running, line) = Program::new(url).start(&["serve", "--listen", "127.0.0.1:0"], "listening");
    let at = format!("http://{}", address_in(&line));
    (running, at)
}

fn seen_at(db: &TestDb, public_url: &str) -> Settings {
    Settings { database_url: Some(Secret::new(&db.url)), public_url: Some(public_url.into()), ..Settings::default() }
}

async fn shown(db: &TestDb, count: i64) {
    until("it has shown itself", async || {
        let query = "select count(*) from serves where stopped_at is null";
        sqlx::query_scalar::<_, i64>(query).fetch_one(&db.pool).await.unwrap() == count
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_public_url_leads_to_this_serve_or_to_another() {
    let (db, other) = (TestDb::new().await, TestDb::new().await);
    expect("serve.alive", &look(&seen_at(&db, "http://127.0.0.1:1"), "serve.alive").await, State::Red, "no serve");
    let (_serve, url) = start(&db.url);
    let (_elsewhere, elsewhere) = start(&other.url);
    shown(&db, 1).await;
    shown(&other, 1).await;
    let settings = seen_at(&db, &url);
    expect("serve.alive", &look(&settings, "serve.alive").await, State::Green, "1 running");
    expect("serve.public_url", &look(&settings, "serve.public_url").await, State::Green, "leads to the serve on");
    let wrong = look(&seen_at(&db, &elsewhere), "serve.public_url").await;
    expect("serve.public_url", &wrong, State::Red, "this database knows nothing of");
    let away = look(&seen_at(&db, "http://127.0.0.1:1"), "serve.public_url").await;
    expect("serve.public_url", &away, State::Red, "does not answer");
    expect("serve.public_url", &look(&Settings::default(), "serve.public_url").await, State::Skipped, "knows none");
    let offline = Doctor::new(seen_at(&db, "http://127.0.0.1:1")).offline(true);
    expect("serve.public_url", &offline.examine_one("serve.public_url").await.unwrap(), State::Skipped, "--offline");
}

/// What stands there is no serve; what it says goes to a terminal.
#[tokio::test(flavor = "multi_thread")]
async fn another_server_at_the_public_url_is_told() {
    let db = TestDb::new().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut head = [0; 2048];
            let _ = stream.read(&mut head).await;
            let answer =
                b"HTTP/1.1 301 Moved\r\nlocation: https://shop.kr/\xe2\x80\xaeverify/\r\ncontent-length: 0\r\n\r\n";
            let _ = stream.write_all(answer).await;
        }
    });
    let finding = look(&seen_at(&db, &format!("http://{at}/accounts/")), "serve.public_url").await;
    expect("serve.public_url", &finding, State::Red, "/accounts/verify/ answers 301");
    assert!(!finding.found.as_str().contains('\u{202e}'), "{finding:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn mixed_versions_of_workers_and_serve_are_told() {
    let world = World::new().await;
    let versions = async || look(&world.settings, "serve.versions").await;
    expect("serve.versions", &versions().await, State::Skipped, "neither");
    make_well(&world).await;
    expect("serve.versions", &versions().await, State::Green, "all are");
    let table = [
        ("update workers set version = '0.0.9+61'", "0.0.9+61: worker on mail-1"),
        ("update workers set version = null", "an older version: worker on mail-1"),
        ("update serves set version = '0.2.0+99'", "0.2.0+99: serve on web-1"),
        (
            "insert into workers (id, host, pid, transport, target, secret_fingerprint, version)
            values (gen_random_uuid(), 'mail-2', 1, 'smtp', 'relay', 'x', '0.0.9+61')",
            "0.0.9+61: worker on mail-2",
        ),
    ];
    for (statement, words) in table {
        make_well(&world).await;
        world.execute(statement).await;
        expect("serve.versions", &versions().await, State::Yellow, words);
    }
    // One that has gone is not mixed with.
    make_well(&world).await;
    world.execute("update serves set version = '0.0.1+1', beat_at = now() - interval '2 minutes'").await;
    expect("serve.versions", &versions().await, State::Green, "all are");
}

/// A real worker and a real serve tell theirs, and say when they end.
#[tokio::test(flavor = "multi_thread")]
async fn programs_tell_their_version_and_their_end() {
    let world = World::new().await;
    let (mut serve, _) = start(&world.db.url);
    shown(&world.db, 1).await;
    world.drain().await;
    let told: Vec<String> = sqlx::query_scalar("select version from workers union all select version from serves")
        .fetch_all(world.pool())
        .await
        .unwrap();
    assert_eq!(told, [verifydesk::store::program_version(), verifydesk::store::program_version()]);
    nix::sys::signal::kill(
        nix::unistd::Pid::from_raw(serve.0.id().try_into().unwrap()),
        nix::sys::signal::Signal::SIGTERM,
    )
    .unwrap();
    assert!(serve.0.wait().unwrap().success());
    assert_eq!(world.number("select count(*) from serves where stopped_at is not null").await, 1);
}

/// The internet-facing login shows itself by the function alone, and fills nothing however often it does.
#[tokio::test(flavor = "multi_thread")]
async fn its_login_shows_itself_and_no_more() {
    let logins = Logins::new().await;
    let did = async |group: &str, statement: &'static str| {
        let mut connection = PgConnection::connect(&logins.url(group)).await.unwrap();
        sqlx::raw_sql(statement).execute(&mut connection).await.map(drop)
    };
    let show = "select show_serve(gen_random_uuid(), 'web', 1, '0.1.0+70', false) from generate_series(1, 300)";
    did("serve", show).await.unwrap();
    let mut viewer = PgConnection::connect(&logins.url("viewer")).await.unwrap();
    let count: i64 = sqlx::query_scalar("select count(*) from serves").fetch_one(&mut viewer).await.unwrap();
    assert_eq!(count, 100);
    for (group, statement) in [
        ("serve", "select from serves"),
        ("serve", "update serves set version = ''"),
        ("operator", "delete from serves"),
        ("viewer", show),
        ("worker", show),
    ] {
        let refused = did(group, statement).await.unwrap_err().to_string();
        assert!(refused.contains("permission denied"), "{group}: {statement}: {refused}");
    }
}
