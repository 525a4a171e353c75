//! How a worker ends: within its bound, whatever the database and the mail server do.

use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;
use verifydesk::config::{Secret, Settings};
use verifydesk::domain::send::SendState::{Accepted, Queued, Unknown};
use verifydesk::outbox::worker::{Mode, Worker};

use super::faults::database;
use crate::mail_servers::{Counter, PATIENCE};
use crate::support::silent::Silent;
use crate::support::tcp_proxy::TcpProxy;
use crate::support::world::{AtWork, World, reason, server, worker};

/// Instead of what systemd grants.
const LONGEST: Duration = Duration::from_secs(6);

/// What a busy machine may add to a bound.
const LATE: Duration = Duration::from_secs(2);

fn start(worker: Worker) -> AtWork {
    AtWork::new(worker.ending_within(LONGEST), Mode::Forever)
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_database_it_ends_in_time_and_reports_what_is_not_recorded() {
    let server = Counter::start(Duration::from_secs(1), Duration::ZERO);
    let site = World::with_counter(&server).await;
    let mut proxy = TcpProxy::new(&site.db.url).await;
    site.sign_up("mina@example.com").await;
    let running = start(site.worker_behind(&proxy));
    tokio::task::block_in_place(|| server.wait_for(1, PATIENCE));
    proxy.shut().await;
    let asked = Instant::now();
    let tally = running.end().await;
    assert!(asked.elapsed() < LONGEST + LATE, "{:?}", asked.elapsed());
    assert_eq!((tally.sent, tally.unrecorded), (1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn it_hears_at_once_that_it_is_to_end() {
    let site = World::new().await;
    let mut proxy = TcpProxy::new(&site.db.url).await;
    let running = start(site.worker_behind(&proxy));
    site.until(async || site.store().outbox().await.unwrap().workers.len() == 1).await;
    // What it begins now it cannot know, and does not put back.
    proxy.forget();
    proxy.shut().await;
    site.sign_up("mina@example.com").await;
    let asked = Instant::now();
    let tally = running.end().await;
    assert!(asked.elapsed() < LONGEST + LATE, "{:?}", asked.elapsed());
    assert_eq!(tally.unrecorded, 0);

    // Before it has begun: the way to the database is silent.
    let silent = Silent::new().await;
    let url = Some(Secret::new(format!("postgres://verifydesk@{}/site?sslmode=disable", silent.at)));
    let running = start(worker(&Settings { database_url: url, ..site.settings.clone() }));
    let asked = Instant::now();
    running.end().await;
    assert!(asked.elapsed() < LONGEST + LATE, "{:?}", asked.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn right_before_the_end_it_is_tried_once_more() {
    let site = database::site("53100", "no space left on device", ".").await;
    let running = start(site.worker());
    // So often that the pauses between two tries are longer than the ending.
    database::refused(&site, 4).await.unwrap();
    let asked = Instant::now();
    running.shutdown.cancel();
    site.execute("drop table refused").await;
    let tally = running.ended().await;
    assert!(asked.elapsed() < LONGEST + LATE, "{:?}", asked.elapsed());
    assert_eq!((tally.sent, tally.unrecorded), (3, 0));
    assert!(site.sends().await.iter().all(|send| send.state == Accepted && send.lost == 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_keeps_silent_does_not_keep_it() {
    for (fault, state) in [("end=each-hang", Unknown), ("rcpt=each-hang", Queued), ("greeting=each-hang", Queued)] {
        let server = server().fault(fault).start();
        let site = World::with_server(&server).await;
        site.sign_up("mina@example.com").await;
        let running = start(site.worker());
        let stage = fault.split('=').next().unwrap();
        tokio::task::block_in_place(|| server.wait_for_fault(stage));
        let asked = Instant::now();
        let tally = running.end().await;
        assert!(asked.elapsed() < LONGEST + LATE, "{fault}: {:?}", asked.elapsed());
        let send = site.one_send().await;
        assert_eq!((send.state, tally.unrecorded), (state, 0), "{fault}");
        assert_eq!(tally.unknown, i64::from(state == Unknown), "{fault}");
        if state == Unknown {
            assert!(reason(&send).contains("before the server had answered"), "{send:?}");
        } else {
            assert_eq!(send.attempts, 0, "{fault}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_console_s_worker_ends_in_time_as_well() {
    let server = server().fault("end=each-hang").start();
    let site = World::with_server(&server).await;
    site.sign_up("mina@example.com").await;
    let shutdown = CancellationToken::new();
    let running = tokio::spawn(site.worker().ending_within(LONGEST).run_on(shutdown.clone()));
    tokio::task::block_in_place(|| server.wait_for_fault("end"));
    shutdown.cancel();
    tokio::time::timeout(LONGEST + LATE + PATIENCE, running).await.unwrap().unwrap();
    assert_eq!(site.one_send().await.state, Unknown);
}
