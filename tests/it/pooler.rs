//! `PgBouncer`, as Debian packs it, between us and the server.

use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use verifydesk::config::{Secret, Settings};
use verifydesk::desk::{Desk, SignUp};
use verifydesk::domain::audit::{Actor, Origin};
use verifydesk::store::{Error, Purpose, Store};

use crate::support::TestDb;
use crate::support::place::{Place, account};

pub struct Bouncer {
    process: Child,
    place: Place,
}

impl Bouncer {
    /// One before the database, in this mode.
    pub async fn start(db: &TestDb, mode: &str) -> Self {
        let place = Place::new();
        let host = db.url.split("host=").nth(1).unwrap().replace("%20", " ");
        let directory = place.path().display();
        let settings = format!(
            "[databases]\n* = host={host} port=5432 user=verifydesk\n[pgbouncer]\nlisten_port = 6432\n\
             unix_socket_dir = {directory}\nauth_type = any\npool_mode = {mode}\nmax_client_conn = 100\n\
             default_pool_size = 20\npidfile = {directory}/pgbouncer.pid\n"
        );
        let file = place.path().join("pgbouncer.ini");
        std::fs::write(&file, settings).unwrap();
        let mut command = Command::new(program());
        command.arg(&file).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        if let Some(account) = account() {
            command.uid(account.uid.as_raw()).gid(account.gid.as_raw());
        }
        let bouncer = Self { process: command.spawn().unwrap(), place };
        let socket = bouncer.place.path().join(".s.PGSQL.6432");
        let since = Instant::now();
        while tokio::net::UnixStream::connect(&socket).await.is_err() {
            assert!(since.elapsed() < Duration::from_secs(20), "PgBouncer did not start");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        bouncer
    }

    pub fn settings(&self, db: &TestDb) -> Settings {
        let name = db.url.split('?').next().unwrap().rsplit('/').next().unwrap();
        let url = format!("postgres://verifydesk@/{name}?host={}&port=6432", self.place.path().display());
        Settings { database_url: Some(Secret::new(url)), ..Settings::default() }
    }
}

impl Drop for Bouncer {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn program() -> PathBuf {
    let places = ["/usr/sbin", "/usr/bin", "/usr/local/bin"].map(|place| PathBuf::from(place).join("pgbouncer"));
    places.into_iter().find(|file| file.exists()).expect("PgBouncer; scripts/install-test-tools.sh installs it")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sessions_through_pgbouncer_work() {
    let db = TestDb::new().await;
    let bouncer = Bouncer::start(&db, "session").await;
    let settings = bouncer.settings(&db);
    let store = Store::open_for(&settings, Purpose::Work).unwrap();
    store.migrate().await.unwrap();
    store.check().await.unwrap();
    let timeout: String = sqlx::query_scalar("show lock_timeout").fetch_one(store.pool()).await.unwrap();
    assert_eq!(timeout, "5s");
    let mut changes = store.listen().await.unwrap();
    let desk = Desk::open(&settings).unwrap();
    let who = SignUp { email: "mina@example.com".into(), ..SignUp::default() };
    desk.sign_up(&Actor::new("test", Origin::Cli), &who).await.unwrap();
    tokio::time::timeout(Duration::from_secs(10), changes.next()).await.expect("it is heard").unwrap();
    drop(changes);
    store.close().await;
    desk.store().close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn transactions_through_an_old_pgbouncer_are_refused_by_name() {
    let db = TestDb::new().await;
    let bouncer = Bouncer::start(&db, "transaction").await;
    let error = Store::open(&bouncer.settings(&db)).unwrap().check().await.unwrap_err();
    assert!(matches!(error, Error::Pooler(_)), "{error}");
    for word in ["PgBouncer", "1.21", "session"] {
        assert!(format!("{error}; {}", error.hint()).contains(word), "{word}: {error}; {}", error.hint());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn migrate_through_a_pooler_of_transactions_leaves_no_lock_behind() {
    let db = TestDb::new().await;
    let bouncer = Bouncer::start(&db, "transaction").await;
    for _ in 0..2 {
        let error = Store::open(&bouncer.settings(&db)).unwrap().migrate().await.unwrap_err();
        // By one or the other name: a newer PgBouncer keeps prepared statements.
        assert!(matches!(error, Error::Pooler(_) | Error::SharedSessions), "{error}");
        let error = Store::open(&bouncer.settings(&db)).unwrap().make_roles().await.unwrap_err();
        assert!(matches!(error, Error::Pooler(_) | Error::SharedSessions), "{error}");
    }
    let locks = "select count(*) from pg_locks l join pg_database d on d.oid = l.database
        where l.locktype = 'advisory' and d.datname = current_database()";
    let locks: i64 = sqlx::query_scalar(locks).fetch_one(&db.pool).await.unwrap();
    assert_eq!(locks, 0);
}
