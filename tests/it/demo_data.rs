//! The demo's data in a real database.

use std::time::{Duration, Instant};

use chrono::{DateTime, TimeZone as _, Utc};
use sqlx::PgPool;
use verifydesk::demo::fake_data::{self, PEOPLE};
use verifydesk::domain::id::VerificationId;
use verifydesk::domain::key::{Key, Nonce};

use crate::support::TestDb;

const SECRET: &[u8] = b"a secret of the demo, thirty-two bytes or more";

fn now() -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2026, 3, 14, 6, 30, 0).unwrap()
}

#[tokio::test]
async fn people_of_all_kinds_in_all_states() {
    let db = TestDb::new().await;
    let since = Instant::now();
    let summary = fake_data::fill(&db.pool, now(), 1, SECRET).await.unwrap();
    let took = since.elapsed();
    assert!(took < Duration::from_secs(20), "{took:?}");
    assert_eq!(summary.users, PEOPLE);

    let counts: (i64, i64, i64, i64, i64) = sqlx::query_as(
        "select
            count(*) filter (where verified_at is null and revoked_at is null and expires_at > $1),
            count(*) filter (where verified_at is not null),
            count(*) filter (where verified_at is null and revoked_at is null and expires_at <= $1),
            count(*) filter (where revoked_at is not null),
            count(*)
        from verifications",
    )
    .bind(now())
    .fetch_one(&db.pool)
    .await
    .unwrap();
    let (pending, verified, expired, revoked, all) = counts;
    assert!((200..600).contains(&pending), "{counts:?}");
    assert!((4_500..5_100).contains(&verified), "{counts:?}");
    assert!((300..900).contains(&expired), "{counts:?}");
    assert!((80..300).contains(&revoked), "{counts:?}");
    assert_eq!(usize::try_from(all).unwrap(), summary.verifications);

    // The pace has counted the mails of the last day.
    let (drawn, mails): (i64, i64) = sqlx::query_as(
        "select
            (select sum(drawn)::bigint from pace_minutes),
            (select count(*) from sends where attempts > 0 and queued_at > $1 - interval '1 day')",
    )
    .bind(now())
    .fetch_one(&db.pool)
    .await
    .unwrap();
    assert!(drawn == mails && mails > 300, "{drawn} of {mails}");

    let counters: (i64, i64, i64) = sqlx::query_as(
        "select sum(open)::bigint, sum(verified)::bigint, sum(revoked)::bigint
        from (
            select open, verified, revoked from verification_counts
            union all
            select open, verified, revoked from verification_count_deltas
        ) as parts",
    )
    .fetch_one(&db.pool)
    .await
    .unwrap();
    assert_eq!(counters, (pending + expired, verified, revoked));

    let table = [
        ("select count(*) from users", summary.users),
        ("select count(*) from sends", summary.sends),
        ("select count(*) from ses_events", summary.events),
        ("select count(*) from audit_log", summary.audited),
        (
            "select count(*) from users u where verified_at is distinct from (
            select max(verified_at) from verifications where user_id = u.id)",
            0,
        ),
        (
            "select count(*) from sends where state in ('accepted', 'delivered', 'delayed', 'bounced') and
            (ses_id not like '0101%' or reply <> '250 Ok ' || ses_id)",
            0,
        ),
        ("select count(*) from sends s join users u on u.id = s.user_id where s.recipient <> u.email", 0),
        ("select count(*) from sends where state = 'queued'", 4),
    ];
    for (query, expected) in table {
        let found: i64 = sqlx::query_scalar(query).fetch_one(&db.pool).await.unwrap();
        assert_eq!(usize::try_from(found).unwrap(), expected, "{query}");
    }
    let kinds: Vec<String> =
        sqlx::query_scalar("select distinct kind from ses_events order by 1").fetch_all(&db.pool).await.unwrap();
    assert_eq!(kinds, ["Bounce", "Complaint", "Delivery", "DeliveryDelay", "Reject", "Send"]);
}

#[tokio::test]
async fn their_links_work_and_new_people_come_after_them() {
    let db = TestDb::new().await;
    fake_data::fill(&db.pool, now(), 1, SECRET).await.unwrap();
    let row: (i64, Vec<u8>, Vec<u8>) = sqlx::query_as(
        "select id, key_nonce, key_digest from verifications where key_digest is not null order by id desc limit 1",
    )
    .fetch_one(&db.pool)
    .await
    .unwrap();
    let key = Key::derive(SECRET, VerificationId(row.0), &Nonce(row.1.try_into().unwrap()));
    assert_eq!(key.digest().0.as_slice(), row.2);

    let next: i64 = sqlx::query_scalar("insert into users (email) values ('next@example.com') returning id")
        .fetch_one(&db.pool)
        .await
        .unwrap();
    assert_eq!(usize::try_from(next).unwrap(), PEOPLE + 1);
}

#[tokio::test]
async fn the_same_seed_makes_the_same_people() {
    let (one, same, other) = tokio::join!(TestDb::new(), TestDb::new(), TestDb::new());
    fake_data::fill(&one.pool, now(), 1, SECRET).await.unwrap();
    fake_data::fill(&same.pool, now(), 1, SECRET).await.unwrap();
    fake_data::fill(&other.pool, now(), 2, SECRET).await.unwrap();
    for table in ["users", "verifications", "sends", "ses_events", "audit_log"] {
        let first = fingerprint(&one.pool, table).await;
        assert_eq!(first, fingerprint(&same.pool, table).await, "{table}");
        assert_ne!(first, fingerprint(&other.pool, table).await, "{table}");
    }
}

/// Of every value in a table.
async fn fingerprint(pool: &PgPool, table: &str) -> String {
    let query = format!("select md5(string_agg(t::text, chr(10) order by t.id)) from {table} as t");
    sqlx::query_scalar(sqlx::AssertSqlSafe(query)).fetch_one(pool).await.unwrap()
}
