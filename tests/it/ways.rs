//! The way to the database, from connection strings as people have them.

use std::net::TcpListener as StdListener;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use tokio::net::TcpListener;
use url::Url;
use verifydesk::config::{Secret, Settings};
use verifydesk::store::{Error, Purpose, Store};

use crate::support::TestDb;
use crate::support::node::Node;
use crate::support::place::account;
use crate::support::silent::Silent;
use crate::support::tcp_proxy::TcpProxy;

fn open(url: &str) -> Store {
    let settings = Settings { database_url: Some(Secret::new(url)), ..Settings::default() };
    Store::open_for(&settings, Purpose::Person).unwrap_or_else(|error| panic!("{url}: {error:?}"))
}

async fn error_of(url: &str) -> Error {
    open(url).check().await.unwrap_err()
}

/// The hosts and ports before what the proxy leads to.
fn before(proxy: &TcpProxy, hosts: &str, query: &str) -> String {
    let url = Url::parse(&proxy.url).unwrap();
    let (user, own) = (url.username(), format!("127.0.0.1:{}", url.port().unwrap()));
    format!("postgres://{user}@{hosts},{own}{}?{query}", url.path())
}

#[tokio::test]
async fn a_silent_host_hides_no_other() {
    let db = TestDb::new().await;
    let proxy = TcpProxy::new(&db.url).await;
    let silent = Silent::new().await;
    let mute = TcpListener::bind("127.0.0.1:0").await.unwrap();
    for host in [silent.at, mute.local_addr().unwrap()] {
        let store = open(&before(&proxy, &host.to_string(), "target_session_attrs=any"));
        let asked = Instant::now();
        store.check().await.unwrap();
        store.counts().await.unwrap();
        assert!(asked.elapsed() < Duration::from_secs(4), "{:?}", asked.elapsed());
        // It is known by now.
        let asked = Instant::now();
        store.reach().await.unwrap();
        assert!(asked.elapsed() < Duration::from_secs(1), "{:?}", asked.elapsed());
    }
}

#[tokio::test]
async fn what_is_wrong_is_reported_with_host_and_port() {
    let mute = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = mute.local_addr().unwrap().port();
    let closed = StdListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let table = [
        (format!("postgres://u@127.0.0.1:{closed}/x"), format!("127.0.0.1:{closed}: ")),
        (format!("postgres://u@[::1]:{closed}/x"), format!("[::1]:{closed}: ")),
        (format!("postgres://u@/x?host=127.0.0.1&port={closed}"), format!("127.0.0.1:{closed}: ")),
        (format!("postgres://u@127.0.0.1:{port}/x"), format!("127.0.0.1:{port}: it took the connection")),
        (format!("postgres://u@nowhere.invalid:{closed}/x"), format!("nowhere.invalid:{closed}: ")),
        (format!("postgres://u@127.0.0.1:{closed},[::1]:{closed}/x"), format!("; [::1]:{closed}: ")),
    ];
    for (url, expected) in table {
        let asked = Instant::now();
        let error = error_of(&url).await;
        assert!(error.is_away() && error.to_string().contains(&expected), "{url}: {error}");
        assert!(asked.elapsed() < Duration::from_secs(5), "{url}: {:?}", asked.elapsed());
    }
    drop(mute);
}

#[tokio::test]
async fn strings_of_other_forms_are_refused_by_name() {
    let table = [
        ("host=/tmp dbname=x", "key=value"),
        ("postgres://u@db/x?service=main", "service"),
        ("postgres://u@db/x?sslrootcert=/nonexistent/root.crt", "`sslrootcert`"),
        ("postgres://u@db/x?sslcert=/nonexistent/client.crt&sslkey=/x", "`sslcert`"),
    ];
    for (url, expected) in table {
        let settings = Settings { database_url: Some(Secret::new(url)), ..Settings::default() };
        let error = Store::open(&settings).unwrap_err();
        assert!(error.what.contains(expected), "{url}: {error:?}");
    }
}

#[tokio::test]
async fn a_single_host_is_reached_through_the_relay() {
    let db = TestDb::new().await;
    let proxy = TcpProxy::new(&db.url).await;
    let store = open(&proxy.url);
    store.check().await.unwrap();
    let mut changes = store.listen().await.unwrap();
    changes.check().await.unwrap();
    // A row of megabytes each way.
    let sent = "가".repeat(2_000_000);
    let back: String = sqlx::query_scalar("select $1").bind(&sent).fetch_one(store.pool()).await.unwrap();
    assert!(sent == back);
    drop(changes);
    store.close().await;
}

/// A server with a certificate for `localhost`, signed by an authority of its own.
fn with_tls(place: &Path) -> (Node, u16) {
    let run = |arguments: &[&str]| {
        let done = Command::new("openssl").args(arguments).current_dir(place).output().unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    };
    let (new, days) = (["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"], ["-days", "2"]);
    run(&[&new[..], &["-subj", "/CN=authority", "-keyout", "ca.key", "-out", "ca.crt"]].concat());
    run(&[&new[..], &["-subj", "/CN=other", "-keyout", "other.key", "-out", "other.crt"]].concat());
    let request = [
        "req",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-subj",
        "/CN=localhost",
        "-keyout",
        "server.key",
        "-out",
        "server.csr",
    ];
    run(&request);
    std::fs::write(place.join("names"), "subjectAltName=DNS:localhost\n").unwrap();
    let sign = [
        "x509",
        "-req",
        "-in",
        "server.csr",
        "-CA",
        "ca.crt",
        "-CAkey",
        "ca.key",
        "-CAcreateserial",
        "-out",
        "server.crt",
    ];
    run(&[&sign[..], &days, &["-extfile", "names"]].concat());
    if let Some(account) = account() {
        let (uid, gid) = (account.uid.as_raw(), account.gid.as_raw());
        for file in ["server.key", "server.crt"] {
            std::os::unix::fs::chown(place.join(file), Some(uid), Some(gid)).unwrap();
        }
    }
    let private = std::os::unix::fs::PermissionsExt::from_mode(0o600);
    std::fs::set_permissions(place.join("server.key"), private).unwrap();
    let port = StdListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let (key, certificate) = (place.join("server.key"), place.join("server.crt"));
    let node = Node::primary(&[
        "listen_addresses = '127.0.0.1'",
        &format!("port = {port}"),
        "ssl = on",
        &format!("ssl_key_file = '{}'", key.display()),
        &format!("ssl_cert_file = '{}'", certificate.display()),
    ]);
    node.start();
    (node, port)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn certificates_are_verified_against_the_name() {
    let place = crate::support::place::Place::new();
    let path = place.path().to_owned();
    let (_node, port) = tokio::task::spawn_blocking(move || with_tls(&path)).await.unwrap();
    let file = |name: &str| place.path().join(name).display().to_string();
    let at = |host: &str, query: &str| format!("postgres://verifydesk@{host}:{port}/postgres?{query}");
    let (ca, other) = (format!("sslrootcert={}", file("ca.crt")), format!("sslrootcert={}", file("other.crt")));

    for (host, query) in [
        ("localhost", format!("sslmode=verify-full&{ca}")),
        // By an address beside the name, the name is still what counts.
        ("localhost", format!("sslmode=verify-full&hostaddr=127.0.0.1&{ca}")),
        ("127.0.0.1", format!("sslmode=verify-ca&{ca}")),
        ("127.0.0.1", "sslmode=require".into()),
        ("127.0.0.1", "sslmode=prefer".into()),
    ] {
        let store = open(&at(host, &query));
        store.reach().await.unwrap_or_else(|error| panic!("{host} {query}: {error}"));
        let is_protected: bool = sqlx::query_scalar("select ssl from pg_stat_ssl where pid = pg_backend_pid()")
            .fetch_one(store.pool())
            .await
            .unwrap();
        assert!(is_protected, "{host} {query}");
    }
    for (host, query) in [
        ("127.0.0.1", format!("sslmode=verify-full&{ca}")),
        ("localhost", format!("sslmode=verify-full&{other}")),
        ("localhost", format!("sslmode=require&{other}")),
        ("localhost", "sslmode=verify-full".into()),
    ] {
        let error = error_of(&at(host, &query)).await;
        let words = error.to_string();
        assert!(matches!(error, Error::Untrusted(_)), "{host} {query}: {words}");
        assert!(words.contains(&format!("{host}:{port}: ")) && !error.is_away(), "{words}");
    }
    let clear = open(&at("127.0.0.1", "sslmode=disable"));
    clear.reach().await.unwrap();
}

#[tokio::test]
async fn a_server_without_tls_is_distinguished_from_one_that_is_away() {
    let db = TestDb::new().await;
    let proxy = TcpProxy::new(&db.url).await;
    let error = error_of(&format!("{}?sslmode=require", proxy.url)).await;
    assert!(matches!(error, Error::NoTls(_)) && error.to_string().contains("127.0.0.1:"), "{error}");
}
