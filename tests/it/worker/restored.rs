//! A database that was restored from a dump: what is queued in it has gone out since, and goes out again only if asked.

use std::process::{Command, Stdio};

use sqlx::PgPool;
use verifydesk::config::{Secret, Settings};
use verifydesk::desk::Desk;
use verifydesk::domain::brake::{BrakeCause, BrakeState};
use verifydesk::outbox::worker::{Mode, Tally};

use crate::mail_servers::SmtpServer;
use crate::support::world::{AtWork, World, execute, number, operator, worker};
use crate::support::{TestDb, pg_dump, until};

/// A database that is what the dump holds, as an administrator makes it.
async fn restore(dump: &str) -> TestDb {
    let restored = TestDb::empty("").await;
    let tool = verifydesk::demo::cluster::Binaries::find(None).unwrap().tool("psql");
    let mut psql = Command::new(tool)
        .args(["--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", &restored.url])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    std::io::Write::write_all(&mut psql.stdin.take().unwrap(), dump.as_bytes()).unwrap();
    assert!(psql.wait().unwrap().success());
    restored
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_goes_out_twice_unasked() {
    let server = SmtpServer::plain().start();
    let site = World::with_plain(&server).await;
    site.sign_up("first@example.com").await;
    assert_eq!(site.drain().await.sent, 1);
    site.sign_up("mina@example.com").await;
    let dump = pg_dump(&site.db.url);
    assert_eq!(site.drain().await.sent, 1);

    let restored = restore(&dump).await;
    let settings = Settings { database_url: Some(Secret::new(&restored.url)), ..site.settings.clone() };
    let desk = Desk::open(&settings).unwrap();
    // However many come to it, and however often.
    for _ in 0..2 {
        let both = [Mode::Drain, Mode::Drain].map(|mode| AtWork::new(worker(&settings), mode));
        for one in both {
            let Tally { sent, stopped_by, .. } = one.ended().await;
            let why = stopped_by.unwrap();
            assert!(sent == 0 && why.contains("this database was restored or copied"), "{sent}, {why}");
        }
    }
    assert_eq!(server.mails().len(), 2);
    let brake = desk.store().brake().await.unwrap().unwrap();
    assert_eq!((brake.state, brake.cause, brake.until), (BrakeState::Paused, BrakeCause::Restored, None));

    // Asked for, it goes out, and later ones do as well.
    desk.resume(&operator()).await.unwrap();
    assert_eq!(AtWork::new(worker(&settings), Mode::Drain).ended().await.sent, 1);
    assert_eq!(server.mails().len(), 3);
    // The database that the dump was made of goes on as it was.
    site.sign_up("ada@example.com").await;
    assert_eq!(site.drain().await.sent, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_that_takes_the_place_of_the_database_stops_a_worker_that_runs() {
    let server = SmtpServer::plain().start();
    let site = World::with_plain(&server).await;
    site.sign_up("first@example.com").await;
    let running = site.start(Mode::Forever);
    site.until(async || server.mails().len() == 1).await;

    let name: String = sqlx::query_scalar("select current_database()").fetch_one(site.pool()).await.unwrap();
    let other = |of: &str| site.db.url.replace(&format!("/{name}?"), &format!("/{of}?"));
    let admin = PgPool::connect(&other("postgres")).await.unwrap();
    let copy = format!("{name}_copy");
    execute(&admin, &format!("alter database {name} with allow_connections false")).await;
    execute(&admin, &format!("select pg_terminate_backend(pid) from pg_stat_activity where datname = '{name}'")).await;
    execute(&admin, &format!("create database {copy} template {name}")).await;
    let in_copy = PgPool::connect(&other(&copy)).await.unwrap();
    // What had gone out when the copy was made, say.
    execute(
        &in_copy,
        "insert into users (email) values ('mina@example.com');
        insert into verifications (user_id, expires_at, key_nonce)
        select id, now() + interval '3 days', substring(sha256('n') for 16) from users where email like 'mina@%';
        insert into sends (id, verification_id, user_id, recipient, locale)
        select gen_random_uuid(), v.id, u.id, u.email, 'en' from users u join verifications v on v.user_id = u.id
        where u.email like 'mina@%'",
    )
    .await;
    in_copy.close().await;
    execute(&admin, &format!("drop database {name}")).await;
    execute(&admin, &format!("alter database {copy} rename to {name}")).await;

    let at_home = PgPool::connect(&site.db.url).await.unwrap();
    let is_paused = async || number(&at_home, "select count(*) from brake where cause = 'restored'").await == 1;
    until("the worker has come to the copy", is_paused).await;
    running.end().await;
    assert_eq!(server.mails().len(), 1);
}
