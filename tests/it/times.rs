//! Times that imports and people write, and that no calendar here knows: `infinity`, years before 1 and after 9999.

use sqlx::PgPool;
use verifydesk::domain::Time;

use crate::support::{Program, TestDb};

const BOUND: [&str; 2] =
    [include_str!("../../migrations/0009_bounded_times.sql"), include_str!("../../migrations/0010_repair_times.sql")];

/// The columns that rows from elsewhere come with.
const UNBOUNDED: &str = "
    insert into users (email, name, created_at, verified_at) values
        ('always@example.com', 'Always', '-infinity', null),
        ('never@example.com', 'Never', 'infinity', null),
        ('long-ago@example.com', 'Long ago', '0044-03-15 12:00:00+00 BC', '0043-03-15 12:00:00+00 BC');
    insert into verifications (user_id, created_at, expires_at, verified_at, opened_at, key_nonce)
    select
        id,
        case when created_at < now() then created_at else '2020-01-01' end,
        case when email = 'always@example.com' then '2001-01-01' else timestamptz 'infinity' end,
        verified_at,
        'infinity',
        uuid_send(gen_random_uuid())
    from users;
    insert into sends (id, verification_id, user_id, recipient, locale, queued_at, due_at, changed_at)
    select gen_random_uuid(), v.id, u.id, u.email, 'en', '-infinity', '-infinity', '-infinity'
    from users u join verifications v on v.user_id = u.id;
    insert into audit_log (at, actor, origin, action, outcome, user_id)
    select 'infinity', 'import', 'cli', 'sign_up', 'done', id from users;
    insert into jobs (id, created_by, origin, status, cut_off, starts_at, ended_at, state)
    values (gen_random_uuid(), 'import', 'cli', 'expired', 'infinity', '-infinity', 'infinity', 'done')";

/// A database with rows from before the constraints.
async fn database() -> TestDb {
    let db = TestDb::new().await;
    let constraints: Vec<String> = sqlx::query_scalar(
        "select format('alter table %s drop constraint %I', conrelid::regclass, conname)
        from pg_constraint
        -- The later ones were never without.
        where
            conname like '%\\_times\\_bounded'
            and conname not in ('ses_events_times_bounded', 'suppressions_times_bounded', 'account_acts_times_bounded',
                'suppression_list_times_bounded')",
    )
    .fetch_all(&db.pool)
    .await
    .unwrap();
    assert_eq!(constraints.len(), 10);
    for drop in constraints {
        execute(&db.pool, &drop).await.unwrap();
    }
    execute(&db.pool, UNBOUNDED).await.unwrap();
    // A table of that time.
    let events = "create table send_events (id uuid, occurred_at timestamptz, received_at timestamptz)";
    execute(&db.pool, events).await.unwrap();
    db
}

async fn execute(pool: &PgPool, statements: &str) -> Result<(), sqlx::Error> {
    sqlx::raw_sql(sqlx::AssertSqlSafe(statements)).execute(pool).await.map(drop)
}

#[tokio::test(flavor = "multi_thread")]
async fn no_row_gets_a_time_without_an_end() {
    let db = TestDb::new().await;
    execute(&db.pool, "insert into users (email) values ('mina@example.com')").await.unwrap();
    for (what, constraint) in [
        ("update users set created_at = '-infinity'", "users_times_bounded"),
        ("update users set created_at = '12000-01-01'", "users_times_bounded"),
        ("update pace set next_at = 'infinity'", "pace_times_bounded"),
        ("insert into pace_minutes (minute, drawn) values ('infinity', 1)", "pace_minutes_times_bounded"),
        (
            "insert into verifications (user_id, expires_at, key_nonce)
            select id, 'infinity', uuid_send(gen_random_uuid()) from users",
            "verifications_times_bounded",
        ),
    ] {
        let error = execute(&db.pool, what).await.unwrap_err();
        assert!(error.to_string().contains(constraint), "{what}: {error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn old_rows_are_moved_within_the_bounds() {
    let db = database().await;
    for migration in BOUND {
        execute(&db.pool, migration).await.unwrap();
    }
    let times: Vec<Time> = sqlx::query_scalar(
        "select unnest(array[u.created_at, v.created_at, v.expires_at, v.opened_at, s.queued_at, s.due_at])
        from users u join verifications v on v.user_id = u.id join sends s on s.user_id = u.id",
    )
    .fetch_all(&db.pool)
    .await
    .unwrap();
    assert_eq!(times.len(), 18);
    let years: Vec<i32> = times.iter().map(chrono::Datelike::year).collect();
    assert!(years.iter().all(|year| [1, 2001, 2020, 9999].contains(year)), "{years:?}");
    let left: Vec<String> = sqlx::query_scalar(
        "select conname::text from pg_constraint where conname like '%bounded' and not convalidated",
    )
    .fetch_all(&db.pool)
    .await
    .unwrap();
    // Nothing may change the audit log.
    assert_eq!(left, ["audit_log_times_bounded"]);
    // Once more, as after a try that was broken off.
    execute(&db.pool, BOUND[1]).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_repair_walks_rows_and_not_numbers() {
    let db = database().await;
    // Numbers of another system's making, up to the last that there is.
    let far = "insert into users (id, email, created_at) overriding system value values
            (1000000000000000000, 'far@example.com', 'infinity'), (9223372036854775807, 'last@example.com', '-infinity');
        insert into verifications (id, user_id, created_at, expires_at, key_nonce) overriding system value
        select id, id, '2020-01-01', 'infinity', uuid_send(gen_random_uuid()) from users where id > 1000000;
        set statement_timeout = '30s'";
    let mut connection = db.pool.acquire().await.unwrap();
    for statements in [far, BOUND[0], BOUND[1]] {
        sqlx::raw_sql(statements).execute(&mut *connection).await.unwrap();
    }
    connection.close().await.unwrap();
    let left: i64 = sqlx::query_scalar(
        "select count(*) from users u left join verifications v on v.user_id = u.id
        where not isfinite(u.created_at) or not isfinite(v.expires_at)",
    )
    .fetch_one(&db.pool)
    .await
    .unwrap();
    assert_eq!(left, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_ends_because_of_an_old_row() {
    let db = database().await;
    let program = Program::new(&db.url)
        .set("VERIFYDESK_PUBLIC_URL", "https://example.org")
        .set("VERIFYDESK_SECRET", "a secret of the tests, 32 bytes and more")
        .set("VERIFYDESK_MAIL__FROM", "no-reply@example.org")
        .set("VERIFYDESK_MAIL__TRANSPORT", "capture");
    let program = {
        let dir = program.home().join("mail").display().to_string();
        program.set("VERIFYDESK_CAPTURE__DIR", dir)
    };
    for status in ["all", "pending", "expired", "verified"] {
        let listed = program.run(&["list", "--status", status, "--limit", "1", "--json"]);
        assert_eq!((listed.code, listed.err.as_str()), (0, ""), "{status}");
        let row = &listed.json()[0];
        assert!(row["created_at"].as_str().unwrap().len() == "0001-01-01T00:00:00Z".len(), "{row}");
    }
    // Page by page all are met, however many have no end.
    let (mut met, mut cursor) = (Vec::new(), None::<String>);
    loop {
        let mut arguments = vec!["list", "--limit", "1", "--json"];
        if let Some(cursor) = &cursor {
            arguments.extend(["--after", cursor]);
        }
        let Some(row) = program.run(&arguments).json().into_iter().next() else { break };
        cursor = Some(row["cursor"].as_str().unwrap().to_owned());
        met.push(row["email"].as_str().unwrap().to_owned());
        assert!(met.len() <= 3, "{met:?}");
    }
    met.sort();
    assert_eq!(met, ["always@example.com", "long-ago@example.com", "never@example.com"]);
    for arguments in [
        &["show", "1", "--json"][..],
        &["show", "2"],
        &["sends", "--json"],
        &["queue"],
        &["jobs"],
        &["queue", "--json"],
        &["account"],
    ] {
        let run = program.run(arguments);
        assert_eq!(run.code, 0, "{arguments:?}: {}", run.err);
    }
    let drained = program.run(&["worker", "--drain"]);
    assert!(drained.out.starts_with("sent 2, "), "{}{}", drained.out, drained.err);
}

/// On both sides of the change of the clocks, so that one of them is not today's.
#[tokio::test(flavor = "multi_thread")]
async fn days_are_those_of_the_zone_in_their_own_season() {
    let db = TestDb::new().await;
    execute(
        &db.pool,
        "insert into users (email, created_at)
        select extract(epoch from at)::bigint || '@example.com', at
        from unnest('{2025-01-15 04:59:59Z, 2025-01-15 05:00Z, 2025-07-15 03:59:59Z, 2025-07-15 04:00Z}'::timestamptz[]) at;
        insert into verifications (user_id, created_at, expires_at, key_nonce)
        select id, created_at, created_at + interval '3 days', uuid_send(gen_random_uuid()) from users",
    )
    .await
    .unwrap();
    let program = Program::new(&db.url).set("TZ", "America/New_York");
    for (term, midnight) in [
        ("created:2025-01-15", "2025-01-15T05:00:00Z"),
        ("created:2025-07-15", "2025-07-15T04:00:00Z"),
        ("since:2025-07-15T00:00 created:<2025-07-16", "2025-07-15T04:00:00Z"),
    ] {
        let listed = program.run(&["list", "--search", term, "--json"]).json();
        let [row] = &listed[..] else { panic!("{term}: {listed:?}") };
        assert_eq!(row["created_at"], midnight, "{term}");
    }
}
