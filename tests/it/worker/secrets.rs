//! Which workers may work: those whose secrets fit together. And the links of a secret that was changed.

use std::collections::BTreeSet;

use uuid::Uuid;
use verifydesk::config::Secret;
use verifydesk::domain::send::{Priority, SendState};
use verifydesk::domain::verification::Status;
use verifydesk::outbox::worker::Mode;
use verifydesk::store::workers::Heartbeat;

use crate::mail_servers::PATIENCE;
use crate::support::world::{SECRET, World, operator};

const OTHER: &str = "another secret of the tests, also 32 bytes";

fn beat(secret: &str, previous: Option<&str>) -> Heartbeat {
    Heartbeat {
        id: Uuid::now_v7(),
        host: "mail-1".into(),
        pid: 1,
        transport: "smtp".into(),
        target: "relay".into(),
        secret_fingerprint: secret.into(),
        secret_previous_fingerprint: previous.map(Into::into),
        sent: 0,
        failed: 0,
        rate: 0.0,
        lanes: 1,
        last_error: None,
        stopped: false,
    }
}

/// For which worker this one has to wait.
async fn admit(site: &World, beat: &Heartbeat) -> Option<Uuid> {
    site.store().admit(beat).await.unwrap().map(|blocker| blocker.id)
}

#[tokio::test(flavor = "multi_thread")]
async fn of_those_that_begin_at_once_only_such_work_as_fit_together() {
    let site = World::new().await;
    for round in 0..10 {
        let beats: Vec<_> = (0..12).map(|n| beat(&format!("{round}-{}", n % 3), None)).collect();
        let tasks: Vec<_> = beats
            .iter()
            .map(|beat| {
                let (store, beat) = (site.store().clone(), beat.clone());
                tokio::spawn(async move { (beat.secret_fingerprint.clone(), store.admit(&beat).await.unwrap()) })
            })
            .collect();
        let mut at_work = Vec::new();
        for task in tasks {
            let (secret, blocker) = task.await.unwrap();
            at_work.extend(blocker.is_none().then_some(secret));
        }
        let secrets: BTreeSet<&String> = at_work.iter().collect();
        assert_eq!((secrets.len(), at_work.len()), (1, 4), "{at_work:?}");
        site.execute("update workers set stopped_at = now()").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_predecessor_is_waited_for_only_with_another_secret() {
    let site = World::new().await;
    let dead = beat("a", None);
    assert_eq!(admit(&site, &dead).await, None);
    site.execute("update workers set beat_at = now() - interval '5 seconds'").await;
    let same = beat("a", None);
    let other = beat("b", None);
    let knows_both = beat("b", Some("a"));
    assert_eq!(admit(&site, &same).await, None, "started again after a crash");
    assert_eq!(admit(&site, &other).await, Some(dead.id));
    assert_eq!(admit(&site, &knows_both).await, Some(dead.id), "the others would revoke what it mails");

    site.execute("update workers set beat_at = now() - interval '21 seconds' where waits_for is null").await;
    assert_eq!(admit(&site, &other).await, None, "both are gone");
    assert_eq!(admit(&site, &same).await, Some(other.id), "it was silent, and its place is taken");
    // What the clock of the database was set back by.
    site.execute("update workers set beat_at = now() + interval '1 hour' where waits_for is null").await;
    assert_eq!(admit(&site, &same).await, None, "a heartbeat of the future is none");
    assert_eq!(admit(&site, &other).await, Some(same.id));

    let mut stopped = same.clone();
    stopped.stopped = true;
    site.store().beat(&stopped).await.unwrap();
    assert_eq!(admit(&site, &other).await, None, "the other has stopped");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_worker_has_done_is_no_sign_that_it_may_work() {
    let site = World::new().await;
    let slow = beat("a", None);
    assert_eq!(admit(&site, &slow).await, None);
    site.execute("update workers set beat_at = now() - interval '1 minute'").await;
    let other = beat("b", None);
    assert_eq!(admit(&site, &other).await, None);
    // It stood still between the two statements of a heartbeat.
    site.store().beat(&slow).await.unwrap();
    assert_eq!(admit(&site, &other).await, None);
    assert_eq!(admit(&site, &slow).await, Some(other.id));
}

#[tokio::test(flavor = "multi_thread")]
async fn it_waits_until_the_other_has_stopped() {
    let mut site = World::new().await;
    let first = site.start(Mode::Forever);
    site.until(async || site.store().outbox().await.unwrap().is_worked()).await;
    site.settings.secret = Some(Secret::new(OTHER));
    let second = site.start(Mode::Forever);
    let waiting = async || {
        let workers = site.store().outbox().await.unwrap().workers;
        workers.iter().filter(|worker| worker.waits_for.is_some() && worker.last_error.is_some()).count()
    };
    site.until(async || waiting().await == 1).await;
    site.sign_up("mina@example.com").await;
    site.until(async || site.captured().len() == 1).await;
    assert_eq!(first.end().await.sent, 1);
    site.until(async || waiting().await == 0).await;
    site.sign_up("jun@example.com").await;
    site.until(async || site.captured().len() == 2).await;
    assert_eq!(second.end().await.sent, 1);
    let workers = site.store().outbox().await.unwrap().workers;
    assert!(workers.iter().all(|worker| worker.last_error.is_none()), "{workers:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_drain_does_not_wait_for_one_that_lives() {
    let mut site = World::new().await;
    let first = site.start(Mode::Forever);
    site.until(async || site.store().outbox().await.unwrap().is_worked()).await;
    site.settings.secret = Some(Secret::new(OTHER));
    let tally = site.start(Mode::Drain).ended().await;
    let reason = tally.stopped_by.unwrap();
    assert!(reason.contains("its secret does not fit that of the worker on"), "{reason}");
    first.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn with_the_previous_secret_the_same_link_is_mailed_again() {
    let mut site = World::new().await;
    let old = site.sign_up("mina@example.com").await;
    site.drain().await;
    (site.settings.secret, site.settings.secret_previous) = (Some(Secret::new(OTHER)), Some(Secret::new(SECRET)));
    site.execute("update sends set queued_at = now() - interval '2 minutes'").await;
    site.desk.resend(&operator(), old, Priority::Person, None).await.unwrap();
    let new = site.sign_up("jun@example.com").await;
    assert_eq!(site.drain().await.sent, 2);
    assert_eq!((site.status(old).await, site.status(new).await), (Status::Pending, Status::Pending));
    let keys = site.keys();
    assert_eq!(keys.iter().filter(|key| **key == keys[0]).count(), 2);

    // Keys are made with the new one: it alone is enough for the newer link, and not for the older one.
    site.settings.secret_previous = None;
    site.execute("update sends set queued_at = now() - interval '2 minutes'").await;
    for id in [old, new] {
        site.desk.resend(&operator(), id, Priority::Person, None).await.unwrap();
    }
    assert_eq!(site.drain().await.sent, 2);
    assert_eq!((site.status(old).await, site.status(new).await), (Status::Revoked, Status::Pending));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_machine_that_was_paused_takes_nothing_before_it_is_let_in_again() {
    let site = World::new().await;
    let running = site.start(Mode::Forever);
    site.until(async || site.store().outbox().await.unwrap().is_worked()).await;
    // Its own clock stood still; by the database's another may have taken its place. No heartbeat comes through yet.
    let mut gate = site.pool().begin().await.unwrap();
    sqlx::query("select pg_advisory_xact_lock(hashtextextended('verifydesk: which workers may work', 0))")
        .execute(&mut *gate)
        .await
        .unwrap();
    site.execute("update workers set beat_at = now() - interval '21 seconds'").await;
    site.sign_up("mina@example.com").await;
    let asks = "select exists (
        select
        from pg_stat_activity
        where datname = current_database() and wait_event_type = 'Lock' and query like '%admit_worker%'
    )";
    let deadline = std::time::Instant::now() + PATIENCE;
    while !sqlx::query_scalar::<_, bool>(asks).fetch_one(site.pool()).await.unwrap() {
        assert!(std::time::Instant::now() < deadline, "it asks whether it may work");
    }
    assert_eq!(site.one_send().await.state, SendState::Queued);
    gate.rollback().await.unwrap();
    site.until(async || site.one_send().await.state == SendState::Accepted).await;
    running.end().await;
}
