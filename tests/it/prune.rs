//! What is old goes, what is still needed stays, and no one waits for it.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use chrono::{TimeDelta, Utc};
use uuid::{NoContext, Timestamp, Uuid};
use verifydesk::outbox::worker::Mode;
use verifydesk::ses::event::Event;
use verifydesk::store::events::Source;

use crate::support::Program;
use crate::support::world::World;

/// An id that was made so many days ago.
fn id(days: i64) -> Uuid {
    let at = Utc::now() - TimeDelta::days(days) + TimeDelta::milliseconds(fastrand::i64(0..1_000_000));
    Uuid::new_v7(Timestamp::from_unix(NoContext, at.timestamp().unsigned_abs(), at.timestamp_subsec_nanos()))
}

/// A mail: its state, days since it was made and since it ended, whether it stays.
type Mail = (&'static str, [i64; 2], bool);

/// A world with mails of long ago. Its brake was released just now: it counts none of them.
struct Past {
    world: World,
    program: Program,
}

impl Past {
    async fn new() -> Self {
        let world = World::new().await;
        let program = Program::new(&world.db.url);
        Self { world, program }
    }

    async fn execute(&self, statements: &str) {
        self.world.execute(statements).await;
    }

    async fn count(&self, query: &str) -> i64 {
        self.world.number(query).await
    }

    /// A user without mails.
    async fn user(&self, name: &str) {
        sqlx::query("insert into users (email, name, locale) values ($1 || '@example.com', '', 'en')")
            .bind(name)
            .execute(self.world.pool())
            .await
            .unwrap();
    }

    /// A mail to them that was made and ended so many days ago.
    async fn mail(&self, name: &str, state: &str, [made, ended]: [i64; 2]) -> Uuid {
        let id = id(made);
        sqlx::query(
            "insert into sends (
                id, user_id, recipient, locale, state, queued_at, due_at, changed_at, reason, lease_by, lease_until)
            select
                $1, u.id, u.email, 'en', $3, at, at, now() - make_interval(days => $5),
                case when $3 in ('failed', 'cancelled', 'unknown') then 'a test' end,
                case when $3 = 'sending' then gen_random_uuid() end,
                case when $3 = 'sending' then now() + interval '1 hour' end
            from users u
            cross join (select now() - make_interval(days => $4) as at) as made
            where u.email = $2 || '@example.com'",
        )
        .bind(id)
        .bind(name)
        .bind(state)
        .bind(i32::try_from(made).unwrap())
        .bind(i32::try_from(ended).unwrap())
        .execute(self.world.pool())
        .await
        .unwrap();
        id
    }

    async fn left(&self) -> BTreeSet<Uuid> {
        sqlx::query_scalar("select id from sends").fetch_all(self.world.pool()).await.unwrap().into_iter().collect()
    }

    /// How each user stands towards another mail.
    async fn standings(&self) -> Vec<String> {
        sqlx::query_scalar(
            "select format('%s %s %s %s', u.email, s.is_waiting, s.cooling_until is not null, b.block)
            from users u
            cross join resend_standing(u.id, 60, 5) s
            left join address_block(s.answered, s.answer) b on true
            order by u.email",
        )
        .fetch_all(self.world.pool())
        .await
        .unwrap()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_over_goes_and_what_is_needed_stays() {
    let past = Past::new().await;
    let (mut go, mut stay) = (BTreeSet::new(), BTreeSet::new());
    // To each user their mails, in the order of their making.
    let table: [(&str, &[Mail]); 17] = [
        ("delivered", &[("delivered", [500, 500], false)]),
        ("young", &[("delivered", [300, 300], true)]),
        ("late", &[("delivered", [500, 10], true)]),
        ("failed", &[("failed", [500, 500], false), ("cancelled", [500, 500], false)]),
        ("lost", &[("unknown", [500, 500], false)]),
        ("retried", &[("unknown", [500, 500], true)]),
        ("queued", &[("queued", [500, 500], true)]),
        ("sending", &[("sending", [500, 500], true)]),
        ("rejected", &[("rejected", [500, 500], true)]),
        ("better", &[("rejected", [600, 600], false), ("delivered", [500, 500], false)]),
        ("worse", &[("delivered", [600, 600], false), ("rejected", [500, 500], true)]),
        ("hard", &[("delivered", [600, 600], false), ("bounced", [500, 500], true)]),
        ("complained", &[("complained", [500, 500], true), ("failed", [450, 450], false)]),
        ("healed", &[("bounced", [600, 600], false), ("delivered", [500, 500], false)]),
        // The older one ended later: alone it would speak for the user.
        ("overtaken", &[("rejected", [600, 10], true), ("delivered", [500, 500], true)]),
        ("working", &[("delivered", [500, 500], true)]),
        ("worked", &[("delivered", [500, 500], false)]),
    ];
    for (name, mails) in table {
        past.user(name).await;
        for (state, days, stays) in mails {
            let id = past.mail(name, state, *days).await;
            if *stays { &mut stay } else { &mut go }.insert(id);
        }
    }
    past.execute(
        "update sends set retry_at = now() + interval '1 minute' where recipient like 'retried@%';
            insert into address_states (address, hard_at, takes_at) values
                ('hard@example.com', now() - interval '500 days', now() - interval '600 days'),
                ('healed@example.com', now() - interval '600 days', now() - interval '500 days');
            insert into address_states (address, complained_at) values
                ('complained@example.com', now() - interval '500 days');",
    )
    .await;
    // A bulk resend that goes on, one that is over, and a test.
    for (name, state, ended_at) in [("working", "running", "null"), ("worked", "done", "now()")] {
        past.execute(&format!(
            "with job as (
                    insert into jobs (id, created_by, origin, status, starts_at, state, ended_at)
                    values (gen_random_uuid(), 'test', 'cli', 'pending', now(), '{state}', {ended_at})
                    returning id
                )
                update sends set job_id = job.id from job where recipient = '{name}@example.com'"
        ))
        .await;
    }
    let test = id(500);
    past.execute(&format!(
        "insert into sends (id, recipient, locale, state, test_of, queued_at, due_at, changed_at)
            select '{test}', 'dev@example.com', 'en', 'delivered', 'verification', at, at, at
            from (select now() - interval '500 days' as at) as made"
    ))
    .await;
    go.insert(test);
    // What hangs on them.
    for send in &go {
        past.execute(&format!(
            "insert into send_messages (send_id, ses_id, fate, against_us) values ('{send}', 'm-{send}', 1, false);
                insert into refused_sends (send_id, tries, of_us) values ('{send}', 0, false);
                insert into ses_events (id, occurred_at, kind, send_id, ses_id, source)
                values (gen_random_uuid(), now(), 'Send', '{send}', 'm-{send}', 'import')"
        ))
        .await;
    }
    let audit = past.count("select count(*) from audit_log").await;
    let standings = past.standings().await;

    let gone = go.len();
    let trial = past.program.run(&["prune", "--dry-run", "--json"]);
    assert_eq!(trial.code, 0, "{}", trial.err);
    assert_eq!(trial.json()[0]["sends"], gone, "{}", trial.out);
    assert_eq!(past.left().await, go.union(&stay).copied().collect());
    let run = past.program.run(&["prune"]);
    assert_eq!((run.code, run.out), (0, format!("removed: {gone} mails, 0 weeks of events\n")), "{}", run.err);
    assert_eq!(past.left().await, stay);
    assert_eq!(past.standings().await, standings);
    for table in ["send_messages", "refused_sends", "ses_events"] {
        assert_eq!(past.count(&format!("select count(*) from {table}")).await, 0, "{table}");
    }
    assert_eq!(past.count("select count(*) from audit_log").await, audit);
    assert!(past.program.run(&["prune"]).out.starts_with("removed: 0 mails"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_mails_that_the_brake_counts_stay() {
    let past = Past::new().await;
    past.execute("update brake set released_at = now() - interval '1000 days'").await;
    let mut mails = Vec::new();
    for n in 0..25 {
        let name = format!("someone{n}");
        past.user(&name).await;
        mails.push(past.mail(&name, "delivered", [600 - n, 600 - n]).await);
    }
    let run = Program::new(&past.world.db.url).set("VERIFYDESK_BRAKE__SENDS", "10").run(&["prune"]);
    assert_eq!((run.code, run.out.starts_with("removed: 15 mails")), (0, true), "{}{}", run.out, run.err);
    assert_eq!(past.left().await, mails.split_off(15).into_iter().collect());
}

/// More of them than go in one transaction.
#[tokio::test(flavor = "multi_thread")]
async fn whom_jobs_of_long_ago_left_out_is_forgotten() {
    let past = Past::new().await;
    past.execute(
        "with made as (
            insert into jobs (id, created_by, origin, status, starts_at, state, created_at, ended_at)
            select gen_random_uuid(), of.name, 'cli', 'expired', at, of.state, at, now() - of.ended
            from (values
                ('over', 'done', interval '500 days'),
                ('over not long ago', 'cancelled', interval '10 days'),
                ('goes on', 'running', null)
            ) as of (name, state, ended)
            cross join (select now() - interval '600 days' as at) as begun
            returning id
        )
        insert into job_skips (job_id, verification_id, user_id, reason)
        select id, n, n, 'verified' from made cross join generate_series(1, 12000) as n",
    )
    .await;
    let left = async |name: &str| {
        let of =
            format!("select count(*) from job_skips where job_id = (select id from jobs where created_by = '{name}')");
        past.count(&of).await
    };
    for (command, over) in [(["prune", "--dry-run"].as_slice(), 12_000), (&["prune"], 0)] {
        let run = past.program.run(command);
        assert_eq!(run.code, 0, "{}", run.err);
        let now = (left("over").await, left("over not long ago").await, left("goes on").await);
        assert_eq!(now, (over, 12_000, 12_000), "{command:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn weeks_of_events_go_whole_and_a_reader_only_delays_it() {
    let past = Past::new().await;
    past.execute(
        "select make_event_partitions(now() - interval '300 days');
            insert into ses_events (id, occurred_at, received_at, kind, ses_id, source)
            select gen_random_uuid(), at, at, 'Delivery', 'm', 'import'
            from (select now() - make_interval(days => n) as at from generate_series(0, 300, 10) as n) as days",
    )
    .await;
    let weeks = "select count(*) from pg_inherits where inhparent = 'ses_events'::regclass";
    let (all, keep) = (past.count(weeks).await, past.program.run(&["prune", "--dry-run", "--json"]).json());
    let old = keep[0]["event_weeks"].as_array().unwrap().len();
    assert!((16..=18).contains(&old), "{keep:?}");
    assert_eq!(past.count(weeks).await, all);

    let mut reader = past.world.pool().begin().await.unwrap();
    sqlx::query("select count(*) from ses_events").execute(&mut *reader).await.unwrap();
    let run = past.program.run(&["prune", "--json"]);
    assert_eq!(run.code, 0, "{}", run.err);
    let done = &run.json()[0];
    assert_eq!(done["event_weeks"].as_array().unwrap().len(), 0, "{done}");
    assert_eq!(done["event_weeks_in_use"].as_array().unwrap().len(), old, "{done}");
    assert_eq!(past.count(weeks).await, all);
    reader.rollback().await.unwrap();

    let run = past.program.run(&["prune"]);
    assert!(run.out.starts_with(&format!("removed: 0 mails, {old} weeks of events (ses_events_")), "{}", run.out);
    assert_eq!(past.count(weeks).await, all - i64::try_from(old).unwrap());
    let oldest = past.count("select extract(days from now() - min(received_at))::bigint from ses_events").await;
    assert!((170..=187).contains(&oldest), "{oldest}");
    // As old as they may be for their repetitions to be known, whatever anyone asks for.
    let asked = "select count(*) from old_event_weeks(now() + interval '1 year')";
    let young = "select count(*) from pg_inherits where inhparent = 'ses_events'::regclass
        and to_date(right(inhrelid::regclass::text, 8), 'YYYYMMDD') > now() - interval '22 days'";
    assert_eq!(past.count(asked).await + past.count(young).await, past.count(weeks).await);
}

/// Many old mails, and a site that goes on.
#[tokio::test(flavor = "multi_thread")]
async fn killed_halfway_it_leaves_what_is_whole_and_no_writer_waits() {
    let past = Past::new().await;
    past
        .execute(
            "with made as (
                select n, now() - interval '500 days' + make_interval(secs => n) as at from generate_series(1, 30000) as n
            ),
            mails as (
                insert into sends (id, recipient, locale, state, ses_id, queued_at, due_at, changed_at)
                select
                    (lpad(to_hex((extract(epoch from at) * 1000)::bigint), 12, '0')
                        || '7000a000' || lpad(to_hex(n), 12, '0'))::uuid,
                    '', 'en', 'delivered', 'm-' || n, at, at, at
                from made
                returning id, ses_id
            ),
            messages as (
                insert into send_messages (send_id, ses_id, fate, against_us) select id, ses_id, 4, false from mails
            )
            insert into ses_events (id, occurred_at, kind, send_id, ses_id, source)
            select gen_random_uuid(), now(), 'Delivery', id, ses_id, 'import' from mails;
            analyze sends, send_messages, ses_events;",
        )
        .await;
    let all = 30_000;
    let mut pruning = past.program.command(&["prune"]).stdout(std::process::Stdio::null()).spawn().unwrap();
    let mut longest = Duration::ZERO;
    let mut written = 0;
    while past.count("select count(*) from sends where ses_id like 'm-%'").await > all - 5_000 {
        let since = Instant::now();
        past.world.sign_up(&format!("mina{written}@example.com")).await;
        let event = format!(
            r#"{{"eventType": "Delivery", "mail": {{"timestamp": "2026-11-20T10:00:00Z", "messageId": "x-{written}"}},
            "delivery": {{"timestamp": "2026-11-20T10:00:01Z"}}}}"#
        );
        let event = Event::read(event.as_bytes(), None).unwrap();
        past.world.desk.take_events(&[event], Source::Import).await.unwrap();
        longest = longest.max(since.elapsed());
        written += 1;
        assert_eq!(pruning.try_wait().unwrap(), None, "it ended before it was killed");
    }
    pruning.kill().unwrap();
    pruning.wait().unwrap();
    let left = past.count("select count(*) from sends where ses_id like 'm-%'").await;
    assert!((1..=all - 5_000).contains(&left), "{left} are left");
    let torn = "select count(*) from ses_events e left join sends s on s.id = e.send_id
        where e.send_id is not null and s.id is null";
    assert_eq!(past.count(torn).await, 0);
    assert!(longest < Duration::from_secs(1), "a sign-up and an event took {longest:?}");

    let run = past.program.run(&["prune"]);
    assert_eq!(run.code, 0, "{}", run.err);
    assert_eq!(past.count("select count(*) from sends where ses_id like 'm-%'").await, 0);
    assert_eq!(past.count("select count(*) from send_messages").await, 0);
    assert_eq!(past.count("select count(*) from ses_events").await, written);
    assert_eq!(past.count("select count(*) from sends").await, written);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_removes_it_too() {
    let world = World::new().await;
    let old = id(500);
    sqlx::query(
        "insert into sends (id, recipient, locale, state, queued_at, due_at, changed_at)
        select $1, '', 'en', 'delivered', at, at, at from (select now() - interval '500 days' as at) as made",
    )
    .bind(old)
    .execute(world.pool())
    .await
    .unwrap();
    let worker = world.start(Mode::Forever);
    world.until(async || world.sends().await.is_empty()).await;
    worker.end().await;
}
