//! Migrations of a database that is in use: no one who writes waits for one longer than a second, whatever the size.
//!
//! `VERIFYDESK_TEST_PEOPLE=10000000 cargo test --locked --test it migrations:: -- --nocapture` says how long they took
//! at full size.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use sqlx::migrate::{Migration, Migrator};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};
use tokio::task::JoinSet;

use crate::support::fill::without_indexes;
use crate::support::world::execute;
use crate::support::{Program, TestDb};

static MIGRATOR: Migrator = sqlx::migrate!("./migrations");

/// From this version on, each migration is applied here. A database at it has rows in it.
const BEFORE: i64 = 45;

/// People, unless another number is asked for.
const USUAL: u32 = 20_000;

/// A statement may look at so many rows, and change them, while it keeps others from a table.
const ROWS_MAX: i64 = 2_000;

/// People at [`BEFORE`], each with a verification and a mail.
const FILL: &str = "
    insert into users (id, email, name, created_at, verified_at) overriding system value
    select n, 'user' || n || '@example.com', 'Mina ' || n, at, case when n % 10 < 7 then at end
    from generate_series(1, :people) as n, lateral (select now() - (:people - n) * interval '1 second') as t (at);
    insert into verifications (id, user_id, created_at, expires_at, verified_at, key_nonce) overriding system value
    select id, id, created_at, created_at + interval '3 days', verified_at, substring(sha256(int8send(id)) for 16) from users;
    insert into sends (id, verification_id, user_id, recipient, locale, state, reason, queued_at, due_at, changed_at)
    select
        ('00000000-0000-7000-8000-' || lpad(to_hex(id), 12, '0'))::uuid, id, id, email, 'ko', 'failed', 'No such mailbox.',
        created_at, created_at, created_at
    from users;
    insert into audit_log (at, actor, origin, action, outcome, user_id, verification_id)
    select created_at, 'site', 'api', 'sign_up', 'done', id, id from users;
    select
        setval(pg_get_serial_sequence('users', 'id'), :people),
        setval(pg_get_serial_sequence('verifications', 'id'), :people)";

/// What a site, a worker and a link write for the person of an address, one after the other.
const WRITES: [&str; 4] = [
    "with person as (insert into users (email) values ($1) returning id)
    insert into verifications (user_id, expires_at, key_nonce)
    select id, now() + interval '3 days', substring(sha256(int8send(id)) for 16) from person",
    "insert into sends (id, verification_id, user_id, recipient, locale)
    select gen_random_uuid(), v.id, u.id, u.email, 'ko' from users u join verifications v on v.user_id = u.id
    where lower(u.email) = lower($1)",
    "update sends set state = 'cancelled', reason = 'test', changed_at = now()
    where user_id = (select id from users where lower(email) = lower($1))",
    "with theirs as (
        update verifications set verified_at = now()
        where user_id = (select id from users where lower(email) = lower($1))
        returning user_id
    )
    update users set verified_at = now() where id in (select user_id from theirs)",
];

/// A database at [`BEFORE`] with people in it.
async fn used() -> TestDb {
    let people = std::env::var("VERIFYDESK_TEST_PEOPLE").map_or(USUAL, |people| people.parse().unwrap());
    let db = TestDb::empty("").await;
    let mut connection = PgConnection::connect(&db.url).await.unwrap();
    MIGRATOR.run_to(BEFORE, &mut connection).await.unwrap();
    connection.close().await.unwrap();
    let fill = FILL.replace(":people", &people.to_string());
    execute(&db.pool, &without_indexes(&["users", "verifications", "sends", "audit_log"], &fill)).await;
    execute(&db.pool, "analyze").await;
    db
}

fn newer() -> impl Iterator<Item = &'static Migration> {
    MIGRATOR.iter().filter(|migration| migration.version > BEFORE)
}

#[tokio::test(flavor = "multi_thread")]
async fn none_keeps_others_from_a_table_while_it_looks_at_many_rows() {
    let db = used().await;
    let mut connection = PgConnection::connect(&db.url).await.unwrap();
    for migration in newer() {
        let what = format!("migration {} ({})", migration.version, migration.description);
        if migration.no_tx {
            let sql = migration.sql.as_str();
            assert!(sql.contains(" index concurrently "), "{what} is in no transaction, and is no index");
            execute(&db.pool, sql).await;
            continue;
        }
        let mut tx = connection.begin().await.unwrap();
        // What the one before it has looked at within the last second may still be among it.
        let so_far = "select coalesce(
                sum(seq_tup_read + coalesce(idx_tup_fetch, 0) + n_tup_ins + n_tup_upd + n_tup_del),
                0
            )::bigint
            from pg_stat_xact_user_tables";
        let before: i64 = sqlx::query_scalar(so_far).fetch_one(&mut *tx).await.unwrap();
        sqlx::raw_sql(AssertSqlSafe(migration.sql.as_str())).execute(&mut *tx).await.unwrap();
        let kept: Vec<String> = sqlx::query_scalar(
            "select distinct c.relname::text
            from pg_locks l
            join pg_class c on c.oid = l.relation
            join pg_stat_user_tables t on t.relid = c.oid
            where
                l.pid = pg_backend_pid()
                and l.mode in ('ShareLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock')
                and t.n_live_tup > 0",
        )
        .fetch_all(&mut *tx)
        .await
        .unwrap();
        let after: i64 = sqlx::query_scalar(so_far).fetch_one(&mut *tx).await.unwrap();
        let rows = after - before;
        assert!(
            kept.is_empty() || rows <= ROWS_MAX,
            "{what} looks at {rows} rows and keeps others from {kept:?} until it ends"
        );
        tx.commit().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn those_who_write_meanwhile_wait_no_second() {
    let db = used().await;
    let (is_over, count) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let mut writers = JoinSet::new();
    for writer in 0..2 {
        let (url, is_over, count) = (db.url_with("lock_timeout=1000"), Arc::clone(&is_over), Arc::clone(&count));
        writers.spawn(async move {
            let mut connection = PgConnection::connect(&url).await.unwrap();
            let (mut longest, mut person) = (Duration::ZERO, 0);
            while !is_over.load(Ordering::Relaxed) {
                person += 1;
                for statement in WRITES {
                    let began = Instant::now();
                    // Refused where it waits longer for a lock.
                    let address = format!("new{person}.of{writer}@example.com");
                    sqlx::query(statement).bind(address).execute(&mut connection).await.unwrap();
                    longest = longest.max(began.elapsed());
                    count.fetch_add(1, Ordering::Relaxed);
                }
            }
            longest
        });
    }
    let server = db.url.clone();
    let began = Instant::now();
    let migrated = tokio::task::spawn_blocking(move || Program::new(&server).run(&["migrate"])).await.unwrap();
    let took = began.elapsed();
    is_over.store(true, Ordering::Relaxed);
    assert_eq!(migrated.code, 0, "{}", migrated.err);
    assert!(migrated.out.contains(&format!("applied {} migrations", newer().count())), "{}", migrated.out);
    let longest = writers.join_all().await.into_iter().max().unwrap();
    let count = count.load(Ordering::Relaxed);
    assert!(count > 0);
    println!(
        "{} migrations in {took:?}, beside {count} writes, of which the longest took {longest:?}",
        newer().count()
    );
}
