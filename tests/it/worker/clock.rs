//! A database whose clock was set back: nothing waits for the moments that it had come to before.

use std::time::Duration;

use verifydesk::domain::id::VerificationId;
use verifydesk::domain::send::{Priority, SendState};
use verifydesk::outbox::worker::Mode;

use crate::mail_servers::PATIENCE;
use crate::support::world::{AtWork, World, worker};

/// What statements wrote an hour ahead of the clock of now.
const AN_HOUR_AHEAD: &str = "
    update sends set queued_at = queued_at + interval '1 hour', due_at = due_at + interval '1 hour',
        changed_at = changed_at + interval '1 hour';
    update users set created_at = created_at + interval '1 hour';
    update verifications set created_at = created_at + interval '1 hour', expires_at = expires_at + interval '1 hour';
    update pace set next_at = now() + interval '1 hour', lowered_at = now() + interval '1 hour',
        minute = date_trunc('minute', now() + interval '1 hour'), minute_drawn = 7;
    update brake set state = 'paused', cause = 'quota', set_by = 'worker', reason = 'used up',
        set_at = now() + interval '1 hour', until = now() + interval '1 hour 1 second',
        released_at = now() + interval '1 hour';
    insert into pace_minutes (minute, drawn) values (date_trunc('minute', now() + interval '50 years'), 5);
    insert into workers (id, host, pid, transport, target, secret_fingerprint, beat_at, pace_rate)
    values (gen_random_uuid(), 'dead', 1, 'smtp', 'relay', 'other', now() + interval '1 hour', 0.001)";

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_was_set_back_keeps_no_mail() {
    let mut site = World::new().await;
    site.settings.worker.unknown_after = Duration::from_secs(1);
    let ids = [site.sign_up("mina@example.com").await, site.sign_up("joon@example.com").await];
    // One whose answer was lost, to be tried again a minute later.
    let lost = "update sends set state = 'unknown', reason = 'lost', lost = 1, retry_at = now() + interval '1 second'
        where verification_id = $1";
    sqlx::query(lost).bind(ids[1].0).execute(site.pool()).await.unwrap();
    sqlx::raw_sql(AN_HOUR_AHEAD).execute(site.pool()).await.unwrap();
    site.execute("update sends set retry_at = retry_at + interval '1 hour' where retry_at is not null").await;

    let running = site.start(Mode::Forever);
    so(async || site.sends().await.iter().all(|send| send.state == SendState::Accepted)).await;
    let view = site.store().outbox().await.unwrap();
    assert!(view.pace.limit > 1.0, "a heartbeat from the future has no say: {:?}", view.pace);
    assert!(view.pace.lowered_at.is_none_or(|at| at <= view.as_of));
    assert_eq!(view.why_waiting(), None);
    let ahead = "select count(*) from pace_minutes where minute > now()";
    so(async || sqlx::query_scalar::<_, i64>(ahead).fetch_one(site.pool()).await.unwrap() == 0).await;
    running.end().await;
    // A cool-down from the future would last an hour more.
    site.execute("update sends set queued_at = now() + interval '1 hour'").await;
    let operator = super::operator();
    site.desk.resend(&operator, ids[0], Priority::Person, None).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_brought_back_keeps_nothing_else() {
    let site = World::new().await;
    site.sign_up("mina@example.com").await;
    site.execute("update sends set due_at = now() + interval '1 hour', changed_at = now() + interval '1 hour'").await;
    // As a new installation has it: no brake was ever set.
    site.execute("update brake set released_at = now() + interval '1 hour'").await;
    site.execute("update pace set lowered_at = now() + interval '1 hour'").await;
    site.execute("alter table pace add constraint refuses check (lowered_at > now()) not valid").await;
    let second = Duration::from_secs(1);
    assert_eq!(site.store().repair_clock(second, second).await.unwrap(), 2);
    let ahead = "select count(*) from sends, brake where due_at > now() or released_at > now()";
    assert_eq!(sqlx::query_scalar::<_, i64>(ahead).fetch_one(site.pool()).await.unwrap(), 0);
    site.store().repair_clock(second, second).await.unwrap_err();

    // Another worker has the same rows: neither waits for the other.
    site.execute("update sends set due_at = now() + interval '1 hour', changed_at = now() + interval '1 hour'").await;
    let mut other = site.pool().begin().await.unwrap();
    sqlx::query("select from sends for update").execute(&mut *other).await.unwrap();
    site.execute("alter table pace drop constraint refuses").await;
    assert_eq!(site.store().repair_clock(second, second).await.unwrap(), 1, "the pace alone");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_drain_lets_go_what_was_queued_before_it() {
    // The drain itself, and one that a pause for refusals has taken the place of.
    let drains = [
        "update brake set state = 'draining', cause = 'operator', set_by = 'kim', reason = 'upgrade', set_at = now()",
        "update brake set state = 'paused', cause = 'refusals', set_by = 'worker', reason = 'refused', set_at = now(),
            probe_at = now(), drain_set_by = 'kim', drain_reason = 'upgrade', drain_set_at = now()",
    ];
    for drain in drains {
        let site = World::new().await;
        let before = site.sign_up("mina@example.com").await;
        site.execute(drain).await;
        let after = site.sign_up("joon@example.com").await;
        // Tried before the clock was set back: what it waits for was counted since.
        site.execute("update sends set reason = 'tried', due_at = now() + interval '1 minute'").await;
        site.execute("update sends set queued_at = queued_at + interval '1 hour'").await;
        site.execute(
            "update brake set set_at = set_at + interval '1 hour', drain_set_at = drain_set_at + interval '1 hour'",
        )
        .await;
        let second = Duration::from_secs(1);
        assert!(site.store().repair_clock(second, second).await.unwrap() > 0);
        let goes = async |id: VerificationId| {
            let query = "select queued_at <= coalesce(drain_set_at, set_at) and queued_at <= now() and
                    greatest(set_at, drain_set_at) <= now() and due_at > now()
                from sends, brake
                where verification_id = $1";
            sqlx::query_scalar::<_, bool>(query).bind(id.0).fetch_one(site.pool()).await.unwrap()
        };
        assert_eq!((goes(before).await, goes(after).await), (true, false), "{drain}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn cool_downs_count_from_the_step_at_the_latest() {
    let site = World::new().await;
    let id = site.sign_up("mina@example.com").await;
    site.drain().await;
    site.execute("update sends set queued_at = queued_at + interval '1 hour'").await;
    // Each mail has drawn its moment.
    site.execute("update pace set minute = minute + interval '1 hour'").await;
    let second = Duration::from_secs(1);
    let is_cooling = async |cool_down: f64| {
        let query = "select cooling_until is not null from users cross join lateral resend_standing(users.id, $1, 10)";
        sqlx::query_scalar::<_, bool>(query).bind(cool_down).fetch_one(site.pool()).await.unwrap()
    };
    assert!(site.store().repair_clock(second, second).await.unwrap() > 0);
    assert!(!is_cooling(0.0).await);
    assert!(is_cooling(600.0).await);
    let refused = site.desk.resend(&super::operator(), id, Priority::Person, None).await.unwrap_err();
    assert!(refused.to_string().contains("ago") || refused.to_string().contains("again"), "{refused}");
    let day: i64 =
        sqlx::query_scalar("select used from (select minute_drawn + earlier_drawn as used from pace) as one")
            .fetch_one(site.pool())
            .await
            .unwrap();
    assert_eq!(day, 1, "what was sent stays counted");
    assert_eq!(site.store().repair_clock(second, second).await.unwrap(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_another_session_wrote_a_moment_later_is_not_from_the_future() {
    let site = World::new().await;
    for user in ["mina", "joon", "kim"] {
        site.sign_up(&format!("{user}@example.com")).await;
    }
    // As a statement sees it that began a moment before: put off, lost, and in progress.
    let moment = "
        update sends set due_at = now() + interval '20 minutes';
        update sends set state = 'unknown', reason = 'lost', lost = 1, retry_at = now() + interval '1 hour'
            where id = (select id from sends order by id limit 1);
        update sends set state = 'sending', lease_by = gen_random_uuid(), lease_until = now() + interval '1 hour'
            where id = (select id from sends order by id desc limit 1);
        update sends set queued_at = now() + interval '0.8 seconds', changed_at = now() + interval '0.8 seconds';
        update brake set released_at = now() + interval '0.8 seconds';
        update pace set lowered_at = now() + interval '0.8 seconds'";
    sqlx::raw_sql(moment).execute(site.pool()).await.unwrap();
    let second = Duration::from_secs(1);
    assert_eq!(site.store().repair_clock(second, second).await.unwrap(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_smallest_wish_is_the_pace_of_all() {
    let sandbox = World::new().await;
    let mut settings = sandbox.settings.clone();
    (settings.pace.rate, settings.pace.daily_quota) = (Some(1.0), Some(200));
    let start = |settings| AtWork::new(worker(settings), Mode::Forever);
    let pace = async || sandbox.store().pace().await.unwrap();
    let careful = start(&settings);
    so(async || pace().await.daily_quota == Some(200)).await;
    // The one with larger settings comes later.
    let hasty = start(&sandbox.settings);
    so(async || sandbox.store().outbox().await.unwrap().paces_differ()).await;
    let both = pace().await;
    assert_eq!((both.limit, both.daily_quota), (1.0, Some(200)));
    // The careful one falls silent: after its heartbeat has grown old, the other's wish holds.
    careful.end().await;
    sandbox
        .execute("update workers set stopped_at = null, beat_at = now() - interval '21 seconds' where pace_rate = 1")
        .await;
    so(async || pace().await.limit > 1.0).await;
    assert_eq!(pace().await.daily_quota, None);
    assert!(!sandbox.store().outbox().await.unwrap().paces_differ());
    hasty.end().await;
}

/// Waits for something of which no one is notified.
async fn so(is_so: impl AsyncFn() -> bool) {
    let mut looks = tokio::time::interval(Duration::from_millis(100));
    let waiting = async {
        while !is_so().await {
            looks.tick().await;
        }
    };
    tokio::time::timeout(PATIENCE * 2, waiting).await.expect("it is so in time");
}
