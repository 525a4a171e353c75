//! The lease: until when a mail is a worker's own, and what it may do then; and the brake that sets itself.

use std::time::Duration;

use tokio_util::sync::CancellationToken;
use uuid::Uuid;
use verifydesk::domain::brake::BrakeCause;
use verifydesk::domain::send::SendState;
use verifydesk::outbox::worker::Mode;
use verifydesk::store::outbox::begin::{self, Attempt, Beginning};
use verifydesk::store::outbox::record::AroundLocks;
use verifydesk::store::outbox::result::{Outcome, SendResult};
use verifydesk::store::refusals::Noted;

use crate::mail_servers::PATIENCE;
use crate::mail_servers::counter::Counter;
use crate::support::world::{AtWork, World, operator, reason};

const HOUR: Duration = Duration::from_hours(1);

#[tokio::test(flavor = "multi_thread")]
async fn it_is_renewed_while_the_server_takes_its_time() {
    let server = Counter::start(Duration::from_millis(2_500), Duration::ZERO);
    let mut site = World::with_counter(&server).await;
    site.settings.smtp.timeout = Duration::from_millis(200);
    site.settings.smtp.data_timeout = Duration::from_secs(5);
    site.sign_up("mina@example.com").await;
    let running = site.start(Mode::Forever);
    let lease = async || {
        let query = "select extract(epoch from lease_until)::float8 from sends where state = 'sending'";
        sqlx::query_scalar::<_, f64>(query).fetch_optional(site.pool()).await.unwrap()
    };
    let in_hand = async || lease().await.is_some();
    site.until(in_hand).await;
    let first = lease().await.unwrap();
    // No change is reported: asked for until it is so, or the mail has gone.
    let moved = async {
        while let Some(now) = lease().await {
            if now > first {
                return true;
            }
            tokio::task::yield_now().await;
        }
        false
    };
    assert!(moved.await, "the lease moved on before the server had answered");
    site.until(async || site.one_send().await.state == SendState::Accepted).await;
    assert_eq!(running.end().await.sent, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_its_holder_records_but_to_know_is_better_than_to_double() {
    let site = World::new().await;
    site.sign_up("mina@example.com").await;
    let send = site.one_send().await;
    let (id, verification) = (send.id, send.verification_id.unwrap());
    let [holder, other] = [Uuid::now_v7(), Uuid::now_v7()];
    let begin = "update sends set state = 'sending', attempts = attempts + 1, begun = begun + 1, lease_by = $1,
        lease_until = now() - interval '1 second', retry_at = null";
    let accepted = |attempt| Outcome {
        id,
        verification,
        attempt: Attempt { counted: attempt, begun: i32::from(attempt) },
        result: SendResult::Accepted { ses_id: None },
        reply: Some("250 Ok".into()),
    };
    sqlx::query(begin).bind(holder).execute(site.pool()).await.unwrap();
    let record = async |worker| {
        let left = site.store().record(worker, &[accepted(1)], HOUR, AroundLocks::No).await.unwrap();
        assert_eq!(left.locked, []);
        left.elsewhere
    };
    assert_eq!(record(other).await, [id], "another worker's lease");
    assert_eq!(site.one_send().await.state, SendState::Sending);

    // The lease ends while the database is away, and the answer comes after all.
    site.store().settle_lost(HOUR).await.unwrap();
    let send = site.one_send().await;
    assert_eq!((send.state, send.lost, send.retry_at.is_some()), (SendState::Unknown, 1, true));
    assert!(reason(&send).contains("may or may not"));
    assert!(record(holder).await.is_empty());
    let send = site.one_send().await;
    assert_eq!((send.state, send.retry_at), (SendState::Accepted, None));

    // The same while its second try only waits: nothing but an acceptance says more than the second try would.
    site.execute("update sends set state = 'queued', reason = 'tried once more'").await;
    assert!(record(holder).await.is_empty());
    assert_eq!(site.one_send().await.state, SendState::Accepted);

    // Once another attempt has begun the late answer is not that attempt's.
    site.execute("update sends set state = 'unknown', reason = 'lost'").await;
    sqlx::query(begin).bind(other).execute(site.pool()).await.unwrap();
    assert_eq!(record(holder).await, [id]);
    site.store().settle_lost(HOUR).await.unwrap();
    assert_eq!(record(holder).await, [id]);
    assert_eq!(site.one_send().await.state, SendState::Unknown);
}

/// Where the server refuses all, attempts do not count: the next one has the same number.
#[tokio::test(flavor = "multi_thread")]
async fn a_result_is_that_of_its_own_attempt_though_the_next_has_the_same_number() {
    for way_back in ["a run of refusals", "its worker"] {
        let site = World::new().await;
        site.sign_up("mina@example.com").await;
        let send = site.one_send().await;
        let (id, verification) = (send.id, send.verification_id.unwrap());
        let (store, worker) = (site.store(), Uuid::now_v7());
        let begin = async || {
            let mut connection = site.pool().acquire().await.unwrap();
            let beginning = Beginning { id, verification, made_of: None };
            begin::begin(&mut connection, worker, &[beginning], HOUR).await.unwrap()[0].1
        };
        let first = begin().await;
        let stale = [Outcome {
            id,
            verification,
            attempt: first,
            result: SendResult::Failed { reason: "550 no".into() },
            reply: None,
        }];
        if way_back == "its worker" {
            store.put_back(worker, &[]).await.unwrap();
        } else {
            assert_eq!(store.record(worker, &stale, HOUR, AroundLocks::No).await.unwrap().elsewhere, []);
            let noted = Noted {
                id,
                is_of_us: false,
                is_final: false,
                is_ended: false,
                at: std::time::Instant::now(),
                pauses_heard: 0,
            };
            store.note_refusals(&[noted]).await.unwrap();
            assert_eq!(store.put_back_refused().await.unwrap(), 1);
        }
        // By the same worker, which does not hear that it has it: the database's answer is lost.
        let second = begin().await;
        assert_eq!((second.counted, second.begun), (first.counted, 2), "{way_back}");
        let record_again = async || {
            let again = store.record_again(worker, &stale, HOUR).await.unwrap();
            let late = store.record(worker, &stale, HOUR, AroundLocks::No).await.unwrap();
            assert_eq!((again.elsewhere, late.elsewhere), (vec![id], vec![id]), "{way_back}");
        };
        record_again().await;
        assert_eq!(site.one_send().await.state, SendState::Sending, "{way_back}");
        site.execute("update sends set lease_until = now() - interval '1 second'").await;
        store.settle_lost(HOUR).await.unwrap();
        record_again().await;
        assert_eq!(site.one_send().await.state, SendState::Unknown, "{way_back}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_earlier_run_of_the_same_worker_had_in_hand_is_not_put_back() {
    let server = Counter::start(Duration::from_millis(2_500), Duration::ZERO);
    let site = World::with_counter(&server).await;
    site.sign_up("mina@example.com").await;
    let worker = site.worker();
    let first = tokio::spawn(worker.clone().run(Mode::Forever, CancellationToken::new()));
    tokio::task::block_in_place(|| server.wait_for(1, PATIENCE));
    // As when it breaks: what it was sending is still under its name.
    first.abort();
    let _ = first.await;
    let next = AtWork::new(worker, Mode::Forever);
    site.until(async || site.one_send().await.state == SendState::Unknown).await;
    assert_eq!(site.one_send().await.lost, 1);
    next.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_locked_row_keeps_no_other_from_being_settled() {
    let site = World::new().await;
    for email in ["mina@example.com", "joon@example.com"] {
        site.sign_up(email).await;
    }
    site.execute(
        "update sends set state = 'sending', lease_by = gen_random_uuid(), lease_until = now() - interval '1 s'",
    )
    .await;
    let mut other = site.pool().begin().await.unwrap();
    sqlx::query("select from sends where recipient = 'mina@example.com' for update")
        .execute(&mut *other)
        .await
        .unwrap();
    assert_eq!(site.store().settle_lost(HOUR).await.unwrap(), 1);
    other.rollback().await.unwrap();
    assert_eq!(site.store().settle_lost(HOUR).await.unwrap(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn too_many_bounces_stop_the_outbox_until_an_operator_has_looked() {
    let site = World::new().await;
    // Full mailboxes count for nothing.
    site.execute(
        "insert into sends (id, recipient, locale, state, queued_at)
        select
            -- Made now, as their ids say.
            (lpad(to_hex((extract(epoch from now()) * 1000)::bigint), 12, '0') || lpad(to_hex(n), 20, '0'))::uuid,
            'mina' || n || '@example.com', 'en',
            case when n % 10 = 0 then 'bounced' else 'delivered' end, now() + interval '1 second'
        from generate_series(1, 100) as n",
    )
    .await;
    site.sign_up("joon@example.com").await;
    assert_eq!(site.drain().await.sent, 1);
    site.execute("delete from sends where recipient = 'joon@example.com'").await;
    site.execute("update sends set against_us = true where state = 'bounced'").await;
    site.sign_up("mina@example.com").await;
    let tally = site.drain().await;
    assert_eq!(tally.sent, 0);
    let stopped = tally.stopped_by.unwrap();
    assert!(stopped.contains("10 of the last 100 mails bounced for good (10.0 %"), "{stopped}");
    let brake = site.store().brake().await.unwrap().unwrap();
    assert_eq!(brake.cause, BrakeCause::Reputation);
    assert!(brake.set_by.raw().starts_with("worker@"));

    // What an operator has resumed stays so: only later results count.
    site.execute("update sends set queued_at = now() - interval '1 second' where verification_id is null").await;
    site.desk.resume(&operator()).await.unwrap();
    assert_eq!(site.drain().await.sent, 1);
    assert!(site.store().brake().await.unwrap().is_none());
    let resumed: i64 = sqlx::query_scalar("select count(*) from audit_log where action = 'resume'")
        .fetch_one(site.pool())
        .await
        .unwrap();
    assert_eq!(resumed, 1);
}
