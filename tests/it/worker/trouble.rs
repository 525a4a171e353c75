//! A mail server or a database that wants a pause, goes away, or comes back.

use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;
use uuid::Uuid;
use verifydesk::domain::send::{SendRow, SendState};
use verifydesk::outbox::worker::{Mode, Tally};

use crate::mail_servers::PATIENCE;
use crate::support::tcp_proxy::TcpProxy;
use crate::support::world::{World, server};

#[tokio::test(flavor = "multi_thread")]
async fn what_was_claimed_as_the_database_went_away_waits_for_no_lease() {
    let site = World::new().await;
    site.sign_up("robin@example.com").await;
    let mut proxy = TcpProxy::new(&site.db.url).await;
    let running = site.start_behind(&proxy);
    // A worker that has sent a mail has set the pace, for which it needs the row that is to be locked.
    site.until(async || site.one_send().await.state == SendState::Accepted).await;
    // The worker claims the mail, and hangs while it reserves a slot for it.
    let mut act = site.pool().begin().await.unwrap();
    sqlx::query("select from pace for update").execute(&mut *act).await.unwrap();
    site.sign_up("mina@example.com").await;
    let hangs = "select exists (
        select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'
    )";
    site.until(async || sqlx::query_scalar::<_, bool>(hangs).fetch_one(site.pool()).await.unwrap()).await;
    proxy.shut().await;
    act.rollback().await.unwrap();
    proxy.open().await;
    site.until(async || site.sends().await.iter().all(|send| send.state == SendState::Accepted)).await;
    assert_eq!(running.end().await.sent, 2);
    let attempts: Vec<_> = site.sends().await.iter().map(|send| send.attempts).collect();
    assert_eq!((attempts, site.captured().len()), (vec![1, 1], 2));
}

/// By polling alone it would take half a minute.
#[tokio::test(flavor = "multi_thread")]
async fn a_subscription_that_a_firewall_has_forgotten_is_noticed() {
    let site = World::new().await;
    site.sign_up("mina@example.com").await;
    let proxy = TcpProxy::new(&site.db.url).await;
    let running = site.start_behind(&proxy);
    site.until(async || site.one_send().await.state == SendState::Accepted).await;
    proxy.forget();
    let since = Instant::now();
    site.sign_up("robin@example.com").await;
    site.until(async || site.sends().await.iter().all(|send| send.state == SendState::Accepted)).await;
    assert!(since.elapsed() < Duration::from_secs(15), "{:?}", since.elapsed());
    assert_eq!(running.end().await.sent, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_what_never_reached_the_server_is_put_back() {
    let site = World::new().await;
    for n in 0..3 {
        site.sign_up(&format!("mina{n}@example.com")).await;
    }
    let [worker, other] = [Uuid::now_v7(), Uuid::now_v7()];
    let query = "update sends set state = 'sending', attempts = 1, lease_until = now() + interval '1 minute',
        lease_by = case when recipient ~ '2' then $1 else $2 end";
    sqlx::query(query).bind(other).bind(worker).execute(site.pool()).await.unwrap();
    let sends = site.sends().await;
    let to = |n: &str| sends.iter().find(|send| send.recipient.raw().contains(n)).unwrap().id;
    assert_eq!(site.store().put_back(worker, &[to("0")]).await.unwrap(), 1);
    let state = |send: &SendRow| (send.id, send.state, send.attempts);
    let mut now: Vec<_> = site.sends().await.iter().map(state).collect();
    now.sort();
    let mut expected =
        [(to("0"), SendState::Sending, 1), (to("1"), SendState::Queued, 0), (to("2"), SendState::Sending, 1)];
    expected.sort();
    assert_eq!(now, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_drain_waits_for_the_pace_and_for_a_first_retry() {
    for fault in [
        "end=reply:454 Throttling failure: Maximum sending rate exceeded",
        "rcpt=reply:451 Temporary service failure",
        "greeting=drop",
    ] {
        let server = server().fault(fault).start();
        let site = World::with_server(&server).await;
        site.sign_up("mina@example.com").await;
        assert_eq!(site.drain().await, Tally { sent: 1, ..Tally::default() }, "{fault}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_drain_does_not_wait_for_what_is_put_off_longer() {
    let site = World::new().await;
    for n in 0..2 {
        site.sign_up(&format!("mina{n}@example.com")).await;
    }
    site.execute("update sends set due_at = now() + interval '30 seconds' where recipient = 'mina0@example.com'").await;
    assert_eq!(site.drain().await, Tally { sent: 1, deferred: 1, ..Tally::default() });
}

#[tokio::test(flavor = "multi_thread")]
async fn a_drain_says_that_the_server_cannot_be_reached() {
    let server = server().fault("greeting=each-drop").start();
    for mails in [1, 20] {
        let site = World::with_server(&server).await;
        for n in 0..mails {
            site.sign_up(&format!("mina{n}@example.com")).await;
        }
        let tally = site.drain().await;
        assert!(tally.stopped_by.as_ref().is_some_and(|reason| reason.contains("the greeting")), "{tally:?}");
        assert!(site.sends().await.iter().all(|send| send.state == SendState::Queued && send.attempts == 0));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn lanes_that_fail_together_count_as_one_failure() {
    let server = (0..8).fold(server(), |server, _| server.fault("greeting=drop")).start();
    let site = World::with_server(&server).await;
    for n in 0..8 {
        site.sign_up(&format!("mina{n}@example.com")).await;
    }
    assert_eq!(site.drain().await, Tally { sent: 8, ..Tally::default() });
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_counts_too_many_mails_is_given_a_moment() {
    let server = server().fault("end=reply:454 Throttling failure: Maximum sending rate exceeded").start();
    let mut site = World::with_server(&server).await;
    site.settings.worker.lanes = 1;
    for n in 0..3 {
        site.sign_up(&format!("mina{n}@example.com")).await;
    }
    let pause = async {
        tokio::task::block_in_place(|| server.wait_for_fault("end"));
        let refused = Instant::now();
        tokio::task::block_in_place(|| server.wait_for(|line| line["event"] == "stored"));
        refused.elapsed()
    };
    let running = site.start(Mode::Forever);
    let pause = pause.await;
    assert!(pause > Duration::from_secs(1), "{pause:?}");
    assert_eq!(running.end().await.stopped_by, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn trouble_is_reported_while_it_lasts() {
    let server = server().fault("rcpt=reply:451 Temporary service failure").start();
    let site = World::with_server(&server).await;
    site.sign_up("mina@example.com").await;
    let running = site.start(Mode::Drain);
    site.until(async || site.last_error().await.is_some_and(|error| error.contains("SES has trouble"))).await;
    assert_eq!(running.ended().await.sent, 1);
    assert_eq!(site.last_error().await, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_bad_recipient_is_no_trouble_of_the_worker() {
    let server = server().fault("rcpt=reply:550 5.1.1 no such user").start();
    let site = World::with_server(&server).await;
    site.sign_up("mina@example.com").await;
    assert_eq!(site.drain().await.failed, 1);
    assert_eq!(site.last_error().await, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_survives_that_its_first_heartbeat_fails() {
    let site = World::new().await;
    site.sign_up("mina@example.com").await;
    // A sequence keeps what is undone.
    for statement in [
        "create sequence beats_failed",
        "create function fail() returns trigger language plpgsql as $$
        begin
            perform nextval('beats_failed');
            raise 'no heartbeat';
        end
        $$",
        "create trigger fail before insert or update on workers for each row execute function fail()",
    ] {
        site.execute(statement).await;
    }
    let running = site.start(Mode::Forever);
    let mut looks = tokio::time::interval(std::time::Duration::from_millis(20));
    while !sqlx::query_scalar::<_, bool>("select is_called from beats_failed").fetch_one(site.pool()).await.unwrap() {
        looks.tick().await;
    }
    // Whether its secret fits those of others it could not ask.
    assert_eq!(site.one_send().await.state, SendState::Queued);
    site.execute("drop trigger fail on workers").await;
    site.until(async || site.one_send().await.state == SendState::Accepted).await;
    assert_eq!(running.end().await.sent, 1);
    let workers = site.store().outbox().await.unwrap().workers;
    assert_eq!((workers.len(), workers[0].sent), (1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_starts_over_shows_why_it_stopped() {
    let server = server().fault("auth=reply:535 Authentication Credentials Invalid").start();
    let site = World::with_server(&server).await;
    site.sign_up("mina@example.com").await;
    let shutdown = CancellationToken::new();
    let running = tokio::spawn(site.worker().run_on(shutdown.clone()));
    let stopped = async || {
        let workers = site.store().outbox().await.unwrap().workers;
        workers.first().is_some_and(|worker| worker.stopped_at.is_some())
    };
    site.until(stopped).await;
    assert!(site.last_error().await.is_some_and(|error| error.contains("user or password is wrong")));
    site.until(async || site.one_send().await.state == SendState::Accepted).await;
    site.until(async || site.last_error().await.is_none()).await;
    shutdown.cancel();
    tokio::time::timeout(PATIENCE, running).await.unwrap().unwrap();
    let workers = site.store().outbox().await.unwrap().workers;
    assert_eq!((workers.len(), workers[0].sent), (1, 1));
}
