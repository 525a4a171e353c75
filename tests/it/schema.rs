//! The rules that the database itself keeps.

use sqlx::postgres::PgQueryResult;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, PgPool};
use uuid::Uuid;

use crate::mail_servers::PATIENCE;
use crate::support::{Program, TestDb};

#[tokio::test(flavor = "multi_thread")]
async fn one_account_an_address() {
    let db = TestDb::new().await;
    user(&db.pool, "mina@example.com").await;
    let again = run(&db.pool, "insert into users (email) values ('Mina@Example.com')").await;
    assert_eq!(broken(&again), "users_email_key");
}

#[tokio::test(flavor = "multi_thread")]
async fn users_are_checked() {
    let db = TestDb::new().await;
    let table = [
        ("'a b@example.com', '', 'ko'", "users_email_shape"),
        ("'김@example.com', '', 'ko'", "users_email_shape"),
        (r"E'a@example.com\n', '', 'ko'", "users_email_shape"),
        ("'a@b@example.com', '', 'ko'", "users_email_shape"),
        ("'@x', '', 'ko'", "users_email_length"),
        ("repeat('a', 243) || '@example.com', '', 'ko'", "users_email_length"),
        ("'a@example.com', repeat('가', 65), 'ko'", "users_name_length"),
        ("'a@example.com', '', 'fr'", "users_locale_known"),
    ];
    for (values, constraint) in table {
        let refused = run(&db.pool, &format!("insert into users (email, name, locale) values ({values})")).await;
        assert_eq!(broken(&refused), constraint, "{values}");
    }
    run(&db.pool, "insert into users (email, name) values ('a@example.com', repeat('가', 64))").await.unwrap();
    let early = run(&db.pool, "update users set verified_at = created_at - interval '1 second'").await;
    assert_eq!(broken(&early), "users_verified_after_created");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_open_verification_a_user() {
    let db = TestDb::new().await;
    let (mina, jun) = (user(&db.pool, "mina@example.com").await, user(&db.pool, "jun@example.com").await);
    let first = verification(&db.pool, mina).await.unwrap();
    verification(&db.pool, jun).await.unwrap();
    assert_eq!(broken(&verification(&db.pool, mina).await), "verifications_one_open");

    run(&db.pool, &format!("update verifications set revoked_at = now() where id = {first}")).await.unwrap();
    let second = verification(&db.pool, mina).await.unwrap();
    let reopened = run(&db.pool, &format!("update verifications set revoked_at = null where id = {first}")).await;
    assert_eq!(broken(&reopened), "verifications_one_open");
    run(&db.pool, &format!("update verifications set verified_at = now() where id = {second}")).await.unwrap();
    verification(&db.pool, mina).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn verifications_are_checked() {
    let db = TestDb::new().await;
    let mina = user(&db.pool, "mina@example.com").await;
    verification(&db.pool, mina).await.unwrap();
    let table = [
        ("key_nonce = '\\x00'", "verifications_nonce_length"),
        ("key_digest = '\\x00'", "verifications_digest_length"),
        ("expires_at = created_at", "verifications_expires_after_created"),
        ("verified_at = created_at - interval '1 s'", "verifications_verified_after_created"),
        ("revoked_at = created_at - interval '1 s'", "verifications_revoked_after_created"),
        ("verified_at = now(), revoked_at = now()", "verifications_verified_or_revoked"),
    ];
    for (change, constraint) in table {
        let refused = run(&db.pool, &format!("update verifications set {change}")).await;
        assert_eq!(broken(&refused), constraint, "{change}");
    }
    let jun = user(&db.pool, "jun@example.com").await;
    verification(&db.pool, jun).await.unwrap();
    let shared = run(&db.pool, "update verifications set key_digest = sha256('one key')").await;
    assert_eq!(broken(&shared), "verifications_key_digest");
}

#[tokio::test(flavor = "multi_thread")]
async fn sends_are_checked() {
    let db = TestDb::new().await;
    let mina = user(&db.pool, "mina@example.com").await;
    let verification = verification(&db.pool, mina).await.unwrap();
    send(&db.pool, mina, verification, "queued").await.unwrap();
    let table = [
        ("state = 'lost'", "sends_state_known"),
        ("locale = 'fr'", "sends_locale_known"),
        ("priority = 5", "sends_priority_known"),
        ("attempts = -1", "sends_attempts_positive"),
        ("lease_by = gen_random_uuid()", "sends_lease_whole"),
        ("state = 'sending'", "sends_sending_leased"),
        (
            "state = 'accepted', lease_by = gen_random_uuid(), lease_until = now() + interval '1 minute'",
            "sends_lease_while_open",
        ),
        ("state = 'failed'", "sends_ended_with_reason"),
        ("state = 'unknown'", "sends_ended_with_reason"),
        ("state = 'cancelled'", "sends_ended_with_reason"),
        ("recipient = repeat('a', 255)", "sends_recipient_length"),
        ("reply = repeat('a', 10001)", "sends_reply_length"),
    ];
    for (change, constraint) in table {
        let refused = run(&db.pool, &format!("update sends set {change}")).await;
        assert_eq!(broken(&refused), constraint, "{change}");
    }

    assert_eq!(broken(&send(&db.pool, mina, verification, "queued").await), "sends_one_open");
    run(&db.pool, "update sends set state = 'accepted', ses_id = '0101'").await.unwrap();
    send(&db.pool, mina, verification, "queued").await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_audit_log_only_grows() {
    let db = TestDb::new().await;
    let insert =
        "insert into audit_log (actor, origin, action, outcome) values ('mina@desk', 'cli', 'resend', 'queued')";
    run(&db.pool, insert).await.unwrap();
    for change in ["update audit_log set actor = 'nobody'", "delete from audit_log", "truncate audit_log"] {
        let error = run(&db.pool, change).await.unwrap_err();
        let error = error.as_database_error().unwrap();
        // insufficient_privilege
        assert_eq!(error.code().as_deref(), Some("42501"), "{change}");
        assert_eq!(error.message(), "the audit log is append-only", "{change}");
    }
    let actors: Vec<String> = sqlx::query_scalar("select actor from audit_log").fetch_all(&db.pool).await.unwrap();
    assert_eq!(actors, ["mina@desk"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn deleting_a_user_calls_her_mails_off_and_keeps_the_audit() {
    type Row = (Option<i64>, Option<i64>, String, String, Option<String>, Option<String>);

    let db = TestDb::new().await;
    let (mina, jun) = (user(&db.pool, "mina@example.com").await, user(&db.pool, "jun@example.com").await);
    for user in [mina, jun] {
        let verification = verification(&db.pool, user).await.unwrap();
        send(&db.pool, user, verification, "delivered").await.unwrap();
        send(&db.pool, user, verification, "queued").await.unwrap();
    }
    let quoted = "update sends set reply = '250 Ok for ' || recipient, reason = recipient where state = 'delivered'";
    run(&db.pool, quoted).await.unwrap();
    for send in ["id", "null"] {
        let event = format!(
            "insert into ses_events (id, send_id, kind, occurred_at, detail, ses_id, recipients, source)
            select gen_random_uuid(), {send}, 'Bounce', now(), recipient, 'm', array[recipient], 'import'
            from sends
            where state = 'delivered'"
        );
        run(&db.pool, &event).await.unwrap();
    }
    let marks = "insert into address_states (address, hard_at) select email, now() from users";
    run(&db.pool, marks).await.unwrap();
    let audit = "insert into audit_log (actor, origin, action, outcome, user_id) values ('jun@desk', 'cli', 'resend', 'queued', $1)";
    sqlx::query(audit).bind(mina).execute(&db.pool).await.unwrap();

    run(&db.pool, &format!("delete from users where id = {mina}")).await.unwrap();

    let sends: Vec<Row> = sqlx::query_as(
        "select user_id, verification_id, recipient, state, reply, reason from sends order by user_id nulls first, state",
    )
    .fetch_all(&db.pool)
    .await
    .unwrap();
    let text = |text: &str| Some(text.to_owned());
    assert_eq!(sends[0], (None, None, String::new(), "cancelled".to_owned(), None, text("the user was deleted")));
    assert_eq!(sends[1], (None, None, String::new(), "delivered".to_owned(), None, text("the user was deleted")));
    assert_eq!((sends[2].2.as_str(), sends[2].3.as_str()), ("jun@example.com", "delivered"));
    assert_eq!((sends[3].2.as_str(), sends[3].3.as_str()), ("jun@example.com", "queued"));
    assert_eq!(sends.len(), 4);

    for left in ["select detail from ses_events", "select address from address_states"] {
        let mut left: Vec<String> = sqlx::query_scalar(left).fetch_all(&db.pool).await.unwrap();
        left.dedup();
        assert_eq!(left, ["jun@example.com"]);
    }
    let audited: Vec<i64> = sqlx::query_scalar("select user_id from audit_log").fetch_all(&db.pool).await.unwrap();
    assert_eq!(audited, [mina]);
    assert_eq!(counters(&db.pool).await, (1, 0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn counters_follow_every_change() {
    let db = TestDb::new().await;
    run(&db.pool, "insert into users (email) select 'u' || n || '@example.com' from generate_series(1, 10) as n")
        .await
        .unwrap();
    run(
        &db.pool,
        "insert into verifications (user_id, expires_at, key_nonce)
         select id, now() + interval '3 days', substr(sha256('nonce'), 1, 16) from users",
    )
    .await
    .unwrap();
    let table = [
        ("update verifications set opened_at = now()", (10, 0, 0)),
        ("update verifications set verified_at = now() where id <= 6", (4, 6, 0)),
        ("update verifications set revoked_at = now() where id in (7, 8)", (2, 6, 2)),
        ("update verifications set revoked_at = null, verified_at = now() where id = 7", (2, 7, 1)),
        ("delete from verifications where id in (1, 8, 9)", (1, 6, 0)),
        ("delete from verifications where id = 1", (1, 6, 0)),
        ("delete from users", (0, 0, 0)),
    ];
    for (change, expected) in table {
        run(&db.pool, change).await.unwrap();
        assert_eq!(counters(&db.pool).await, expected, "{change}");
        assert_eq!(counted(&db.pool).await, expected, "{change}");
    }
    let deltas: i64 = sqlx::query_scalar(
        "select count(*) from verification_count_deltas where (open, verified, revoked) = (0, 0, 0)",
    )
    .fetch_one(&db.pool)
    .await
    .unwrap();
    assert_eq!(deltas, 0, "a change that moves no row between states adds no delta");
}

#[tokio::test(flavor = "multi_thread")]
async fn counters_follow_concurrent_writers() {
    const WRITERS: usize = 8;
    const EACH: usize = 25;
    let db = TestDb::new().await;
    let mut writers = tokio::task::JoinSet::new();
    for writer in 0..WRITERS {
        let url = db.url.clone();
        writers.spawn(async move {
            let mut connection = PgConnection::connect(&url).await.unwrap();
            for n in 0..EACH {
                let statement = format!(
                    "with person as (insert into users (email) values ('u{writer}-{n}@example.com') returning id)
                     insert into verifications (user_id, expires_at, key_nonce)
                     select id, now() + interval '3 days', substr(sha256('nonce'), 1, 16) from person"
                );
                sqlx::query(AssertSqlSafe(statement)).execute(&mut connection).await.unwrap();
                // Half of them race for the same rows.
                let statement = "update verifications set verified_at = greatest(now(), created_at)
                     where id = (select id from verifications where verified_at is null order by id limit 1)
                         and verified_at is null";
                if n % 2 == 0 {
                    sqlx::query(statement).execute(&mut connection).await.unwrap();
                }
            }
            connection.close().await.unwrap();
        });
    }
    while let Some(done) = writers.join_next().await {
        done.unwrap();
    }
    let (open, verified, revoked) = counters(&db.pool).await;
    assert_eq!((open, verified, revoked), counted(&db.pool).await);
    assert_eq!(usize::try_from(open + verified).unwrap(), WRITERS * EACH);
    assert!(verified > 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn korean_is_searched_by_trigrams() {
    let db = TestDb::new().await;
    let trigrams: Vec<String> = sqlx::query_scalar("select show_trgm('김민준')").fetch_one(&db.pool).await.unwrap();
    assert!(trigrams.len() >= 4, "the cluster's ctype takes Korean for punctuation: {trigrams:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_migration_that_waits_lets_others_pass() {
    let db = TestDb::new().await;
    let undo = "delete from _sqlx_migrations where version = 8;
        alter table sends drop constraint sends_test_of_length, drop constraint sends_test_stands_alone;
        alter table sends drop column test_of";
    sqlx::raw_sql(undo).execute(&db.pool).await.unwrap();
    let mut plan = db.pool.begin().await.unwrap();
    sqlx::query("select from sends").execute(&mut *plan).await.unwrap();
    let program = Program::new(&db.url);
    let migrated = tokio::task::spawn_blocking(move || program.run(&["migrate"]));
    let waits = async |wanted: bool| {
        let query = "select exists (select from pg_locks where relation = 'sends'::regclass and not granted)";
        let looking =
            async { while sqlx::query_scalar::<_, bool>(query).fetch_one(&db.pool).await.unwrap() != wanted {} };
        tokio::time::timeout(PATIENCE, looking).await.unwrap();
    };
    waits(true).await;
    // It gives way while the other goes on.
    waits(false).await;
    sqlx::query("select from sends").execute(&db.pool).await.unwrap();
    plan.rollback().await.unwrap();
    let migrated = migrated.await.unwrap();
    let said = migrated.out.as_str();
    assert_eq!((migrated.code, said.starts_with("applied 1 migration; the database is at")), (0, true), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_of_an_earlier_build_is_migrated() {
    let db = TestDb::new().await;
    let program = Program::new(&db.url);
    let set = async |version: i64, checksum: &str| {
        run(&db.pool, &format!("update _sqlx_migrations set checksum = '\\x{checksum}' where version = {version}"))
            .await
            .unwrap();
    };
    // What these migrations were before they were corrected.
    set(9, "19df3fb175f69a1b1419b5cbea63dea0b65e1267d2c161fe69fb693f86e852a949107ea91510b130df51a5962ef80c34").await;
    set(10, "0b0e5b8877afa3be0e8fb5f5a9aa9723b6567995d09c921e3bf5762657c96302c1fa0dc56347eab9a0be60a4bde46570").await;
    for _ in 0..2 {
        let migrated = program.run(&["migrate"]);
        assert_eq!((migrated.code, migrated.err.as_str()), (0, ""));
    }
    // What no build of ours has applied is for a person to look at.
    set(10, "00").await;
    let refused = program.run(&["migrate"]);
    assert_eq!(refused.code, 1);
    assert!(refused.err.contains("migration 10"), "{}", refused.err);
}

/// An index that is made while others use its table waits for all statements that had begun before: also for that of
/// another who wants to migrate, if it waited in one.
#[tokio::test(flavor = "multi_thread")]
async fn an_index_that_was_not_finished_is_made_again_by_one_of_several() {
    let db = TestDb::new().await;
    let break_off = "delete from _sqlx_migrations where version = 39;
        update pg_index set indisvalid = false where indexrelid = 'audit_log_kinds'::regclass";
    sqlx::raw_sql(break_off).execute(&db.pool).await.unwrap();
    let migrate = || {
        let program = Program::new(&db.url);
        tokio::task::spawn_blocking(move || program.run(&["migrate"]))
    };
    for migrated in [migrate(), migrate(), migrate()] {
        let migrated = migrated.await.unwrap();
        assert_eq!((migrated.code, migrated.err.as_str()), (0, ""));
    }
    let is_valid = "select indisvalid from pg_index where indexrelid = 'audit_log_kinds'::regclass";
    assert!(sqlx::query_scalar::<_, bool>(is_valid).fetch_one(&db.pool).await.unwrap());
}

async fn user(pool: &PgPool, email: &str) -> i64 {
    let insert = "insert into users (email) values ($1) returning id";
    sqlx::query_scalar(insert).bind(email).fetch_one(pool).await.unwrap()
}

async fn verification(pool: &PgPool, user: i64) -> Result<i64, sqlx::Error> {
    let insert = "insert into verifications (user_id, expires_at, key_nonce)
         values ($1, now() + interval '3 days', substr(sha256('nonce'), 1, 16)) returning id";
    sqlx::query_scalar(insert).bind(user).fetch_one(pool).await
}

async fn send(pool: &PgPool, user: i64, verification: i64, state: &str) -> Result<PgQueryResult, sqlx::Error> {
    let insert = "insert into sends (id, verification_id, user_id, recipient, locale, state)
         select $1, $2, $3, email, locale, $4 from users where id = $3";
    sqlx::query(insert).bind(Uuid::now_v7()).bind(verification).bind(user).bind(state).execute(pool).await
}

/// Open, verified and revoked as the counters have them.
async fn counters(pool: &PgPool) -> (i64, i64, i64) {
    let sum = "select sum(open)::bigint, sum(verified)::bigint, sum(revoked)::bigint
         from (
             select open, verified, revoked from verification_counts
             union all
             select open, verified, revoked from verification_count_deltas
         ) as parts";
    sqlx::query_as(sum).fetch_one(pool).await.unwrap()
}

/// The same as the rows have them.
async fn counted(pool: &PgPool) -> (i64, i64, i64) {
    let count = "select
             count(*) filter (where verified_at is null and revoked_at is null),
             count(*) filter (where verified_at is not null),
             count(*) filter (where revoked_at is not null)
         from verifications";
    sqlx::query_as(count).fetch_one(pool).await.unwrap()
}

async fn run(pool: &PgPool, statement: &str) -> Result<PgQueryResult, sqlx::Error> {
    sqlx::query(AssertSqlSafe(statement)).execute(pool).await
}

/// The constraint that refused, or nothing.
fn broken<T>(result: &Result<T, sqlx::Error>) -> &str {
    match result {
        Err(sqlx::Error::Database(error)) => error.constraint().unwrap_or_default(),
        _ => "",
    }
}
