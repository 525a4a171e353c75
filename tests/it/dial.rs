//! Reaching servers of which some addresses are silent.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use tokio::net::TcpListener;
use verifydesk::dial::Dialer;

use crate::support::silent::Silent;

/// More than any answer on this machine takes.
const PATIENT: Duration = Duration::from_secs(20);

async fn open() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = listener.local_addr().unwrap();
    (listener, at)
}

/// An address at which nothing listens.
async fn shut() -> SocketAddr {
    open().await.1
}

fn named(addresses: &[SocketAddr]) -> Dialer {
    Dialer::with_names(HashMap::from([("relay.test".to_owned(), addresses.to_vec())]))
}

#[tokio::test]
async fn a_silent_address_hides_no_other() {
    let (first, second) = (Silent::new().await, Silent::new().await);
    let ((_listener, at), refusing) = (open().await, shut().await);
    let start = Instant::now();
    let addresses = [first.at, refusing, second.at, at];
    let socket = named(&addresses).connect("relay.test", 1, PATIENT).await.unwrap();
    assert_eq!(socket.peer_addr().unwrap(), at);
    assert!(start.elapsed() < PATIENT / 4, "{:?}", start.elapsed());
}

#[tokio::test]
async fn all_are_tried_where_time_is_short() {
    let silent = [Silent::new().await, Silent::new().await, Silent::new().await];
    let (_listener, at) = open().await;
    let addresses = [silent[0].at, silent[1].at, silent[2].at, at];
    let limit = Duration::from_millis(500);
    let socket = named(&addresses).connect("relay.test", 1, limit).await.unwrap();
    assert_eq!(socket.peer_addr().unwrap(), at);
}

#[tokio::test]
async fn the_first_that_answers_is_preferred() {
    let ((_one, first), (_two, second)) = (open().await, open().await);
    let dialer = named(&[first, second]);
    let reached = async || dialer.connect("relay.test", 1, PATIENT).await.unwrap().peer_addr().unwrap();
    assert_eq!(reached().await, first);
    dialer.clone().shun(first);
    assert_eq!(reached().await, second);
    dialer.shun(second);
    assert_eq!(reached().await, first, "where all are shunned, they are in order again");
}

#[tokio::test]
async fn failures_tell_what_became_of_each() {
    let (silent, refusing) = (Silent::new().await, shut().await);
    let limit = Duration::from_millis(600);
    let fail = async |addresses: &[SocketAddr]| named(addresses).connect("relay.test", 1, limit).await.unwrap_err();

    let error = fail(&[silent.at]).await;
    assert_eq!((error.kind(), error.to_string()), (io::ErrorKind::TimedOut, format!("{}: no answer", silent.at)));
    let error = fail(&[silent.at, refusing]).await;
    assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused);
    let text = error.to_string();
    assert!(text.starts_with(&format!("{}: no answer; {refusing}: Connection refused", silent.at)), "{text}");
    let error = fail(&[refusing]).await;
    assert!(error.raw_os_error().is_some() && error.kind() == io::ErrorKind::ConnectionRefused, "{error}");
    assert_eq!(fail(&[]).await.to_string(), "the name has no address");
}

#[tokio::test]
async fn names_that_are_not_given_are_the_system_s() {
    let (_listener, at) = open().await;
    let dialer = named(&[]);
    for host in ["127.0.0.1", "localhost"] {
        assert_eq!(dialer.connect(host, at.port(), PATIENT).await.unwrap().peer_addr().unwrap().port(), at.port());
    }
    let error = dialer.connect("no such name", 1, PATIENT).await.unwrap_err();
    assert!(error.to_string().contains("lookup"), "{error}");
}
