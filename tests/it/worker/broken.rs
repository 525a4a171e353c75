//! Rows on which a worker breaks: each fails alone, with its reason, and everybody else gets the mail.

use sqlx::Executor as _;
use verifydesk::domain::send::SendState::{Accepted, Failed, Queued};
use verifydesk::outbox::worker::Mode;

use crate::support::world::{World, reason};

async fn site(people: usize) -> World {
    let site = World::new().await;
    for n in 0..people {
        site.sign_up(&format!("mina{n}@example.com")).await;
    }
    site
}

/// Has the database refuse a change of one verification's row.
pub async fn refuse(site: &World, code: &str) {
    let schema = format!(
        "create function refuse() returns trigger language plpgsql as $$
        begin
            if new.user_id = (select id from users where email like 'mina1@%') then
                raise exception 'a wrong row' using errcode = '{code}';
            end if;
            return new;
        end
        $$;
        create trigger refuse before update on verifications for each row execute function refuse()"
    );
    site.pool().execute(sqlx::raw_sql(sqlx::AssertSqlSafe(schema))).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_breaks_its_batch_fails_alone() {
    let site = site(5).await;
    refuse(&site, "22000").await;
    let tally = site.drain().await;
    assert_eq!((tally.sent, tally.failed, tally.stopped_by), (4, 1, None));
    for send in site.sends().await {
        let is_bad = send.recipient.raw() == "mina1@example.com";
        assert_eq!(send.state, if is_bad { Failed } else { Accepted }, "{send:?}");
        assert_eq!(send.attempts, i16::from(!is_bad));
        assert_eq!(reason(&send).contains("a wrong row"), is_bad, "{send:?}");
    }
    assert_eq!(site.captured().len(), 4);
    let drawn: i64 =
        sqlx::query_scalar("select minute_drawn + earlier_drawn from pace").fetch_one(site.pool()).await.unwrap();
    assert!((4..=5).contains(&drawn), "moments of the batch came back: {drawn}");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_may_not_be_at_fault_waits_and_the_others_go() {
    let site = site(5).await;
    refuse(&site, "XX000").await;
    let tally = site.drain().await;
    assert_eq!((tally.sent, tally.failed, tally.deferred), (4, 0, 1));
    let sends = site.sends().await;
    let waiting = sends.iter().find(|send| send.state == Queued).unwrap();
    assert_eq!(waiting.recipient.raw(), "mina1@example.com");
    assert!(reason(waiting).contains("a wrong row") && reason(waiting).contains("tried again"), "{waiting:?}");
}

/// As imports and people write them: no date that this program could hold.
#[tokio::test(flavor = "multi_thread")]
async fn dates_without_end_keep_no_one_waiting() {
    let site = site(4).await;
    let wrong = "do $$
        declare rule text;
        begin
            for rule in select conname from pg_constraint where conrelid = 'users'::regclass and contype = 'c' loop
                execute format('alter table users drop constraint %I', rule);
            end loop;
        end
        $$;
        update users set created_at = '-infinity' where email = 'mina1@example.com';
        update users set created_at = 'infinity' where email = 'mina2@example.com'";
    site.pool().execute(sqlx::raw_sql(wrong)).await.unwrap();
    let running = site.start(Mode::Drain);
    let tally = running.ended().await;
    assert_eq!((tally.sent, tally.stopped_by), (4, None));
    assert_eq!(site.captured().len(), 4);
}
