//! A mail server has spoken, and the database does not take down what it said. Whatever its reason is, the result is
//! kept and recorded later, unless the reason lies in the row itself; and no mail is begun in the meantime.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use sqlx::Executor as _;
use uuid::Uuid;
use verifydesk::domain::send::SendRow;
use verifydesk::domain::send::SendState::{self, Accepted, Queued, Sending};
use verifydesk::outbox::worker::Mode;
use verifydesk::store::outbox::begin::Attempt;
use verifydesk::store::outbox::record::AroundLocks;
use verifydesk::store::outbox::result::{Outcome, SendResult};

use crate::mail_servers::PATIENCE;
use crate::support::world::World;

/// What PostgreSQL refuses for, as `SQLSTATE` and in words: each kind of Appendix A that a write can meet, but for
/// those of the row.
const PASSING: &[(&str, &str)] = &[
    ("08006", "the connection failed"),
    ("0A000", "cached plan must not change result type"),
    ("25006", "cannot execute UPDATE in a read-only transaction"),
    ("25P02", "current transaction is aborted"),
    ("26000", "prepared statement does not exist"),
    ("28000", "the role is not permitted to log in"),
    ("3D000", "database does not exist"),
    ("40001", "could not serialize access"),
    ("40P01", "deadlock detected"),
    ("42501", "permission denied for table sends"),
    ("42703", "column does not exist"),
    ("42P01", "relation does not exist"),
    ("42883", "function does not exist"),
    ("53100", "could not extend file: No space left on device"),
    ("53200", "out of memory"),
    ("53300", "too many clients already"),
    ("53400", "configuration limit exceeded"),
    ("54001", "stack depth limit exceeded"),
    ("55P03", "canceling statement due to lock timeout"),
    ("57014", "canceling statement due to statement timeout"),
    ("57P01", "terminating connection due to administrator command"),
    ("57P03", "the database system is starting up"),
    ("58030", "could not read block: Input/output error"),
    ("58P01", "could not open file"),
    ("P0001", "raised by somebody's trigger"),
    ("XX000", "cache lookup failed"),
    ("XX001", "invalid page in block"),
];

/// The same where the row is what is wrong.
const OF_THE_ROW: &[&str] = &["22001", "22003", "22021", "22P02", "23502", "23505", "23514", "23P01"];

/// Sites at work at once: most of the time goes into waiting.
const SITES: usize = 6;

/// A site whose database refuses to take down that these recipients' mails were accepted, as long as `refused` says so;
/// how often it did, `refusals` counts.
pub async fn site(code: &str, words: &str, recipients: &str) -> World {
    let site = World::new().await;
    let schema = format!(
        "create table refused ();
        create sequence refusals;
        create function refuse() returns trigger language plpgsql as $$
        begin
            if to_regclass('refused') is not null then
                perform nextval('refusals');
                raise exception '{words}' using errcode = '{code}';
            end if;
            return new;
        end
        $$;
        create trigger refuse before update on sends for each row
            when (new.state = 'accepted' and new.recipient ~ '{recipients}') execute function refuse()"
    );
    site.pool().execute(sqlx::raw_sql(sqlx::AssertSqlSafe(schema.replace("somebody's", "somebody''s")))).await.unwrap();
    for n in 0..3 {
        site.sign_up(&format!("mina{n}@example.com")).await;
    }
    site
}

/// Waits until the database has refused so often.
pub async fn refused(site: &World, times: i64) -> Result<(), String> {
    let deadline = Instant::now() + PATIENCE;
    let mut looks = tokio::time::interval(Duration::from_millis(10));
    loop {
        looks.tick().await;
        let query = "select case when is_called then last_value else 0 end from refusals";
        let seen: i64 = sqlx::query_scalar(query).fetch_one(site.pool()).await.unwrap();
        if seen >= times {
            return Ok(());
        }
        if Instant::now() > deadline {
            return Err(format!("refused {seen} times, not {times}"));
        }
    }
}

async fn states(site: &World) -> Vec<SendState> {
    let mut sends = site.sends().await;
    sends.sort_by_key(|send| send.recipient.raw().to_owned());
    sends.iter().map(|send| send.state).collect()
}

async fn kept_while_refused(code: &str, words: &str) -> Result<(), String> {
    let site = site(code, words, ".").await;
    let running = site.start(Mode::Forever);
    // The second time shows that the worker has heard of the first.
    refused(&site, 2).await?;
    // A whole round of it: nothing is begun that the worker could not record.
    site.sign_up("mina9@example.com").await;
    refused(&site, 3).await?;
    let now = states(&site).await;
    if now != [Sending, Sending, Sending, Queued] {
        return Err(format!("while refused they are {now:?}"));
    }
    let reported = site.last_error().await.unwrap_or_default();
    if !reported.contains("results wait for the database") || !reported.contains(words) {
        return Err(format!("the worker reports {reported:?}"));
    }
    site.execute("drop table refused").await;
    let deadline = Instant::now() + PATIENCE;
    while states(&site).await != [Accepted; 4] {
        if Instant::now() > deadline {
            return Err(format!("afterwards they are {:?}", states(&site).await));
        }
        tokio::task::yield_now().await;
    }
    let tally = running.end().await;
    let sends = site.sends().await;
    if tally.sent != 4 || site.captured().len() != 4 || sends.iter().any(|send| send.attempts != 1 || send.lost != 0) {
        return Err(format!("{tally:?}, {} mails, {sends:?}", site.captured().len()));
    }
    match site.last_error().await {
        None => Ok(()),
        Some(reported) => Err(format!("the worker still reports {reported:?}")),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_result_is_kept_whatever_the_database_says() {
    let cases: Arc<Mutex<VecDeque<_>>> = Arc::new(Mutex::new(PASSING.iter().collect()));
    let tasks = [(); SITES].map(|()| {
        let cases = Arc::clone(&cases);
        tokio::spawn(async move {
            let mut differences = Vec::new();
            loop {
                let Some((code, words)) = cases.lock().unwrap().pop_front() else { return differences };
                if let Err(what) = kept_while_refused(code, words).await {
                    differences.push(format!("{code} {words}: {what}"));
                }
            }
        })
    });
    let mut differences = Vec::new();
    for task in tasks {
        differences.extend(task.await.unwrap());
    }
    assert!(differences.is_empty(), "\n{}", differences.join("\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_cannot_be_recorded_takes_no_other_along() {
    for code in OF_THE_ROW {
        let site = site(code, "this row is wrong", "mina1").await;
        let running = site.start(Mode::Forever);
        site.until(async || states(&site).await == [Accepted, Sending, Accepted]).await;
        // The worker goes on, and says what it could not record.
        site.sign_up("mina9@example.com").await;
        site.until(async || states(&site).await == [Accepted, Sending, Accepted, Accepted]).await;
        let tally = running.end().await;
        assert_eq!((tally.sent, tally.unrecorded), (4, 1), "{code}");
        assert_eq!(site.captured().len(), 4, "{code}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_another_has_locked_keeps_no_other_waiting() {
    let site = World::new().await;
    for n in 0..3 {
        site.sign_up(&format!("mina{n}@example.com")).await;
    }
    let worker = Uuid::now_v7();
    let begin = "update sends set state = 'sending', attempts = 1, begun = 1, lease_by = $1, lease_until = now() + interval '1 hour'";
    sqlx::query(begin).bind(worker).execute(site.pool()).await.unwrap();
    let sends = site.sends().await;
    let outcome = |send: &SendRow| Outcome {
        id: send.id,
        verification: send.verification_id.unwrap(),
        attempt: Attempt { counted: 1, begun: 1 },
        result: SendResult::Accepted { ses_id: None },
        reply: None,
    };
    let outcomes: Vec<Outcome> = sends.iter().map(outcome).collect();
    let mut other = site.pool().begin().await.unwrap();
    sqlx::query("select from sends where id = $1 for update").bind(sends[1].id.0).execute(&mut *other).await.unwrap();
    let record = async || {
        let hour = Duration::from_hours(1);
        tokio::time::timeout(PATIENCE, site.store().record(worker, &outcomes, hour, AroundLocks::Yes)).await
    };
    let left = record().await.unwrap().unwrap();
    assert_eq!((left.locked, left.elsewhere), (vec![sends[1].id], vec![]));
    other.rollback().await.unwrap();
    // The others' results are no news any more.
    let left = record().await.unwrap().unwrap();
    assert_eq!((left.locked.len(), left.elsewhere.len()), (0, 2));
    assert!(site.sends().await.iter().all(|send| send.state == Accepted));
}
