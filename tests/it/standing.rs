//! Servers that say little or the wrong thing of themselves, or change while they are used.

use std::time::{Duration, Instant};

use sqlx::Connection as _;
use tokio::time::timeout;
use url::Url;
use verifydesk::config::{Secret, Settings};
use verifydesk::store::{Purpose, Store};

use crate::support::TestDb;
use crate::support::fake::{Fake, Script};
use crate::support::node::Node;
use crate::support::tcp_proxy::TcpProxy;

/// How long it may take until another server is used.
const PATIENCE: Duration = Duration::from_mins(1);

fn open(url: &str) -> Store {
    let settings = Settings { database_url: Some(Secret::new(url)), ..Settings::default() };
    Store::open_for(&settings, Purpose::Person).unwrap()
}

#[tokio::test]
async fn a_standby_is_asked_whether_it_is_one() {
    let db = TestDb::new().await;
    let proxy = TcpProxy::new(&db.url).await;
    let url = Url::parse(&proxy.url).unwrap();
    // As poolers do: nothing, or what was so at their first connection.
    let table: [&'static [(&str, &str)]; 2] =
        [&[], &[("in_hot_standby", "off"), ("default_transaction_read_only", "off")]];
    for reported in table {
        let standby = Fake::new(Script { reported, row: &["on", "off"], hangs: false }).await;
        let (user, own) = (url.username(), url.port().unwrap());
        let store = open(&format!("postgres://{user}@{},127.0.0.1:{own}{}?sslmode=disable", standby.at, url.path()));
        store.check().await.unwrap_or_else(|error| panic!("{reported:?}: {error}"));
        store.reach().await.unwrap_or_else(|error| panic!("{reported:?}: {error}"));
        // One of which it cannot be known is none.
        let mute = Fake::new(Script { reported, row: &[], hangs: false }).await;
        let store = open(&format!("postgres://{user}@{},{}/x?sslmode=disable", mute.at, mute.at));
        let error = store.check().await.unwrap_err();
        assert!(error.to_string().contains(&mute.at.to_string()), "{error}");
    }
}

#[tokio::test]
async fn a_beginning_that_hangs_ends() {
    let db = TestDb::new().await;
    let proxy = TcpProxy::new(&db.url).await;
    let url = Url::parse(&proxy.url).unwrap();
    let mut hangs = Fake::new(Script { hangs: true, ..Script::default() }).await;
    let alone = open(&format!("postgres://u@{}/x?sslmode=disable", hangs.at));
    let asked = Instant::now();
    let error = alone.reach().await.unwrap_err();
    assert!(error.is_away() && error.to_string().contains(&hangs.at.to_string()), "{error}");
    assert!(asked.elapsed() < Duration::from_secs(5), "{:?}", asked.elapsed());
    timeout(PATIENCE, hangs.open.wait_for(|open| *open == 0)).await.expect("it is left").unwrap();

    // Before another it costs one connection's time.
    let (user, own) = (url.username(), url.port().unwrap());
    let before = open(&format!("postgres://{user}@{},127.0.0.1:{own}{}?sslmode=disable", hangs.at, url.path()));
    before.check().await.unwrap();
    timeout(PATIENCE, hangs.open.wait_for(|open| *open == 0)).await.expect("it is left").unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_only_reads_from_now_on_is_left() {
    let nodes = tokio::task::spawn_blocking(|| {
        [Node::primary(&[]), Node::primary(&[])].map(|node| {
            node.start();
            node
        })
    });
    let [first, second] = nodes.await.unwrap();
    let directory = |node: &Node| node.url("postgres").split("host=").nth(1).unwrap().to_owned();
    let hosts = format!("{},{}", directory(&first), directory(&second));
    let store = open(&format!("postgres://verifydesk@/postgres?host={hosts}&target_session_attrs=read-write"));
    let place = "select current_setting('unix_socket_directories')";
    let used = async || sqlx::query_scalar::<_, String>(place).fetch_one(store.pool()).await;
    assert_eq!(used().await.unwrap(), directory(&first));

    // A transaction that has begun before may end.
    let mut held = store.pool().acquire().await.unwrap();
    let mut begun = held.begin().await.unwrap();
    sqlx::query("create table noted ()").execute(&mut *begun).await.unwrap();
    let alone = sqlx::PgPool::connect(&first.url("postgres")).await.unwrap();
    sqlx::query("alter system set default_transaction_read_only = on").execute(&alone).await.unwrap();
    sqlx::query("select pg_reload_conf()").execute(&alone).await.unwrap();
    let is_on = "select current_setting('default_transaction_read_only') = 'on'";
    let since = Instant::now();
    while !sqlx::query_scalar::<_, bool>(is_on).fetch_one(&mut *begun).await.unwrap() {
        assert!(since.elapsed() < PATIENCE, "the setting reaches it");
    }
    begun.commit().await.unwrap();

    let since = Instant::now();
    while held.ping().await.is_ok() {
        assert!(since.elapsed() < PATIENCE, "it is not left");
    }
    drop(held);
    // Nor does another that was idle in the meantime cost anyone an error.
    assert_eq!(used().await.unwrap(), directory(&second));
    drop((first, second));
}
