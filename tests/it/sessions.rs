//! What our sessions ask of the server, so that none of them stands in the others' way.

use std::time::Duration;

use sqlx::PgPool;
use tokio::time::timeout;
use verifydesk::config::{Secret, Settings};
use verifydesk::store::{Purpose, Store};

use crate::support::TestDb;
use crate::support::tcp_proxy::TcpProxy;

fn open(url: &str, purpose: Purpose) -> Store {
    Store::open_for(&Settings { database_url: Some(Secret::new(url)), ..Settings::default() }, purpose).unwrap()
}

async fn setting(pool: &PgPool, name: &str) -> String {
    sqlx::query_scalar("select current_setting($1)").bind(name).fetch_one(pool).await.unwrap()
}

#[tokio::test]
async fn no_session_waits_for_ever() {
    let db = TestDb::new().await;
    for purpose in [Purpose::Serve, Purpose::Work, Purpose::Person] {
        let store = open(&db.url, purpose);
        for name in ["statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout"] {
            assert_ne!(setting(store.pool(), name).await, "0", "{purpose:?} {name}");
        }
        // Compiled again for each execution, taking events in was five times slower once their table was analyzed.
        assert_eq!(setting(store.pool(), "jit").await, "off", "{purpose:?}");
        store.close().await;
    }
}

#[tokio::test]
async fn the_server_notices_clients_that_are_gone() {
    let db = TestDb::new().await;
    // Over TCP at our end and a socket at the server's, where the server shows nothing of keep-alives: the source is.
    let proxy = TcpProxy::new(&db.url).await;
    let store = open(&proxy.url, Purpose::Work);
    let source = "select source from pg_settings where name = $1";
    for name in ["tcp_keepalives_idle", "tcp_keepalives_interval", "tcp_keepalives_count", "tcp_user_timeout"] {
        let source: String = sqlx::query_scalar(source).bind(name).fetch_one(store.pool()).await.unwrap();
        assert_eq!(source, "session", "{name}");
    }
}

#[tokio::test]
async fn a_client_that_falls_silent_in_a_transaction_loses_its_locks() {
    let db = TestDb::new().await;
    sqlx::query("insert into users (email) values ('mina@example.com')").execute(&db.pool).await.unwrap();
    let store = open(&db.url, Purpose::Serve);
    let mut silent = store.begin().await.unwrap();
    sqlx::query("select from users for update").execute(&mut *silent).await.unwrap();
    let mut waits = db.pool.begin().await.unwrap();
    let lock = sqlx::query("select from users for update").execute(&mut *waits);
    timeout(Duration::from_secs(9), lock).await.expect("the lock is free again").unwrap();
}

#[tokio::test]
async fn acts_are_read_committed_whatever_the_default_is() {
    let db = TestDb::new().await;
    sqlx::raw_sql(
        "do $$ begin execute format(
            'alter database %I set default_transaction_isolation = ''serializable''', current_database()
        ); end $$",
    )
    .execute(&db.pool)
    .await
    .unwrap();
    let fresh = sqlx::PgPool::connect(&db.url).await.unwrap();
    assert_eq!(setting(&fresh, "transaction_isolation").await, "serializable");
    fresh.close().await;
    for purpose in [Purpose::Serve, Purpose::Work, Purpose::Person] {
        let store = open(&db.url, purpose);
        assert_eq!(setting(store.pool(), "transaction_isolation").await, "read committed");
        let mut act = store.begin().await.unwrap();
        let isolation: String =
            sqlx::query_scalar("select current_setting('transaction_isolation')").fetch_one(&mut *act).await.unwrap();
        assert_eq!(isolation, "read committed");
        act.rollback().await.unwrap();
        store.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_that_were_forgotten_cost_a_second_once() {
    let db = TestDb::new().await;
    let proxy = TcpProxy::new(&db.url).await;
    let store = open(&proxy.url, Purpose::Serve);
    // As many as there can be, all of them idle.
    let held = futures_util::future::join_all((0..16).map(|_| store.pool().acquire())).await;
    for connection in held {
        drop(connection.unwrap());
    }
    store.ready().await.unwrap();
    let changes = store.listen().await.unwrap();
    proxy.forget();
    for round in 0..3 {
        let asked = tokio::time::Instant::now();
        let (counts, ping, act) = tokio::join!(store.counts(), store.ready(), store.begin());
        counts.unwrap();
        ping.unwrap();
        act.unwrap().rollback().await.unwrap();
        let took = asked.elapsed();
        assert!(took < Duration::from_millis(2_500), "{took:?} in round {round}");
        assert!(round == 0 || took < Duration::from_millis(900), "{took:?} in round {round}");
    }
    let mut changes = changes;
    let asked = tokio::time::Instant::now();
    changes.check().await.unwrap_err();
    assert!(asked.elapsed() < Duration::from_millis(2_500), "{:?}", asked.elapsed());
}
