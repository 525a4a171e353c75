//! That taking events in reads a few rows by their keys, though its plans were made while there were none.

use serde_json::{Value, json};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::support::world::World;

fn delivery(number: i64) -> Value {
    json!([{
        "id": Uuid::now_v7(), "occurred_at": "2026-11-20T10:00:00Z", "kind": "Delivery", "sub_kind": "",
        "send_id": Uuid::from_u128(number.unsigned_abs().into()), "ses_id": format!("m-{number}"), "attempt": 1,
        "recipients": [format!("user{number}@example.com")], "detail": "", "until": null, "fate": 4,
        "against_us": false, "mark": "takes", "source": "sns", "body": null, "keys": [format!("key {number}")],
    }])
}

async fn take(connection: &mut PgConnection, numbers: std::ops::Range<i64>) {
    for number in numbers {
        let taken: (i64, i64) = sqlx::query_as("select stored, orphans from take_events($1)")
            .bind(delivery(number))
            .fetch_one(&mut *connection)
            .await
            .unwrap();
        assert_eq!(taken, (1, 0));
    }
}

#[tokio::test]
async fn whole_tables_are_never_read() {
    let world = World::new().await;
    world.execute("insert into users (email) values ('mina@example.com')").await;
    let mut tx = world.pool().begin().await.unwrap();
    let sends = |from: i64, to: i64| {
        format!(
            "insert into sends (id, user_id, recipient, locale, state, attempts, ses_id)
            select lpad(to_hex(n), 32, '0')::uuid, u.id, 'user' || n || '@example.com', 'en', 'accepted', 1, 'm-' || n
            from generate_series({from}, {to}) as n, users u"
        )
    };
    let execute = async |tx: &mut PgConnection, sql: String| {
        sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(tx).await.unwrap();
    };
    // More often than PostgreSQL plans each call by itself.
    execute(&mut tx, sends(0, 9)).await;
    take(&mut tx, 0..10).await;
    execute(&mut tx, sends(10, 5_009)).await;
    execute(
        &mut tx,
        "insert into send_messages (send_id, ses_id, fate, against_us) select id, ses_id, 1, false from sends
        on conflict do nothing;
        insert into ses_event_keys (key) select 'other ' || n from generate_series(1, 5000) as n;
        insert into address_states (address) select 'other' || n || '@example.com' from generate_series(1, 5000) as n"
            .into(),
    )
    .await;
    let read = "select coalesce(sum(seq_tup_read), 0)::bigint from pg_stat_xact_user_tables
        where relname in ('sends', 'send_messages', 'ses_event_keys', 'address_states')";
    let before: i64 = sqlx::query_scalar(read).fetch_one(&mut *tx).await.unwrap();
    take(&mut tx, 10..20).await;
    let after: i64 = sqlx::query_scalar(read).fetch_one(&mut *tx).await.unwrap();
    assert_eq!(after - before, 0, "rows read one after the other");
}
