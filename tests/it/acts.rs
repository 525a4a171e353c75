//! The acts that the database does itself: which logins they obey, and what they leave behind.

use sqlx::{AssertSqlSafe, PgPool};
use verifydesk::desk;

use crate::support::world::World;
use crate::support::{Program, TestDb};

#[tokio::test(flavor = "multi_thread")]
async fn what_runs_with_its_owners_rights_runs_nothing_of_its_caller() {
    let world = World::new().await;
    let functions: Vec<(String, Option<Vec<String>>, bool)> = sqlx::query_as(
        "select proname::text, proconfig, has_function_privilege('pg_monitor', oid, 'execute')
        from pg_proc
        where pronamespace = current_schema()::regnamespace and prosecdef",
    )
    .fetch_all(world.pool())
    .await
    .unwrap();
    let names: Vec<&str> = functions.iter().map(|(name, ..)| name.as_str()).collect();
    let expected = [
        "approve",
        "open_links",
        "force_verify",
        "unverify",
        "revoke_verification",
        "extend_verification",
        "change_address",
        "undo_act",
        "undo_resend",
        "look_at_link",
        "queue_mail",
        "count_verifications",
        "forget_user",
    ];
    for name in expected {
        assert!(names.contains(&name), "{name} is not among {names:?}");
    }
    for (name, settings, is_public) in &functions {
        let path = settings.iter().flatten().find(|setting| setting.starts_with("search_path="));
        assert_eq!(path.unwrap(), "search_path=pg_catalog, public, pg_temp", "{name}");
        assert!(!is_public, "anyone may call {name}");
    }
    let id = one_more(&world).await;
    let mut connection = world.db.pool.acquire().await.unwrap();
    sqlx::raw_sql(
        "create temporary table users (id bigint, email text, locale text, verified_at timestamptz);
        create temporary table verifications (id bigint, user_id bigint);
        set search_path = pg_temp, public",
    )
    .execute(&mut *connection)
    .await
    .unwrap();
    let outcome: Option<String> =
        sqlx::query_scalar("select outcome from force_verify($1, 'mina', 'cli', 'a test', 60)")
            .bind(id)
            .fetch_one(&mut *connection)
            .await
            .unwrap();
    assert_eq!(outcome.as_deref(), Some("verified"));
    connection.close().await.unwrap();
    assert_eq!(verified(world.pool()).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_database_and_the_program_want_the_same_reasons() {
    let world = World::new().await;
    let program = Program::new(&world.db.url);
    let lengths = [desk::REASON_MIN - 1, desk::REASON_MIN, desk::REASON_MAX, desk::REASON_MAX + 1];
    for (length, is_enough) in lengths.into_iter().zip([false, true, true, false]) {
        let reason: String = "가나".chars().cycle().take(length).collect();
        for reason in [reason.clone(), format!("  {reason} ")] {
            let by_hand = sqlx::query("select force_verify($1, 'mina', 'cli', $2, 60)")
                .bind(one_more(&world).await)
                .bind(&reason)
                .execute(world.pool())
                .await;
            assert_eq!(by_hand.is_ok(), is_enough, "{length} characters: {by_hand:?}");
            let code = program.run(&["verify", &one_more(&world).await.to_string(), "--reason", &reason]).code;
            assert_eq!(code == 0, is_enough, "{length} characters");
        }
    }
    for act in [
        "unverify($1, 'a', 'cli', $2)",
        "revoke_verification($1, 'a', 'cli', $2)",
        "extend_verification($1, 'a', 'cli', $2, 60)",
        "change_address($1, 'a', 'cli', $2, 'new' || $1 || '@example.org')",
    ] {
        for (length, is_enough) in lengths.into_iter().zip([false, true, true, false]) {
            let by_hand = sqlx::query(AssertSqlSafe(format!("select {act}")))
                .bind(one_more(&world).await)
                .bind(format!("  {} ", "가".repeat(length)))
                .execute(world.pool())
                .await;
            assert_eq!(by_hand.is_ok(), is_enough, "{act}, {length} characters: {by_hand:?}");
        }
    }
    // What says nothing is for the program alone to see.
    for reason in ["abc", "xxx", "....", "asdf"] {
        let run = program.run(&["verify", &one_more(&world).await.to_string(), "--reason", reason]);
        assert_eq!((run.code, run.err.contains("that say something")), (4, true), "{reason}: {}", run.err);
    }
    let without = sqlx::query("select force_verify($1, 'mina', 'cli', null, 60)").bind(one_more(&world).await);
    assert!(without.execute(world.pool()).await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_says_from_which_login_an_entry_came_whatever_the_program_says() {
    let world = World::new().await;
    sqlx::query(
        "insert into audit_log (actor, origin, action, outcome, login, client)
        values ('jun', 'cli', 'pause', 'done', 'somebody_else', '192.0.2.1')",
    )
    .execute(world.pool())
    .await
    .unwrap();
    // As another login than the connection's: what counts is who was let in.
    let mut connection = world.db.pool.acquire().await.unwrap();
    sqlx::raw_sql("set role pg_monitor; reset role").execute(&mut *connection).await.unwrap();
    let id = one_more(&world).await;
    let run = Program::new(&world.db.url).run(&["verify", &id.to_string(), "--reason", "a test"]);
    assert_eq!(run.code, 0, "{}", run.err);
    let entries: Vec<(String, bool, bool)> = sqlx::query_as(
        "select action, login = session_user, client is not distinct from inet_client_addr() from audit_log order by id",
    )
    .fetch_all(&mut *connection)
    .await
    .unwrap();
    let expected = ["pause", "sign_up", "force_verify"].map(|action| (action.to_owned(), true, true));
    assert_eq!(entries, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_writes_into_the_log_cannot_say_from_where_by_a_search_path() {
    let db = TestDb::new().await;
    let mut connection = db.pool.acquire().await.unwrap();
    sqlx::raw_sql(
        "create schema trap;
        create function trap.inet_client_addr() returns inet language sql as $$ select inet '192.0.2.1' $$;
        set search_path = trap, pg_catalog, public;
        insert into audit_log (actor, origin, action, outcome) values ('jun', 'cli', 'pause', 'done')",
    )
    .execute(&mut *connection)
    .await
    .unwrap();
    connection.close().await.unwrap();
    let is_so: bool = sqlx::query_scalar("select client is null and login = 'verifydesk' from audit_log")
        .fetch_one(&db.pool)
        .await
        .unwrap();
    assert!(is_so);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_from_before_the_clock_was_set_back_is_verified_all_the_same() {
    let world = World::new().await;
    let program = Program::new(&world.db.url);
    for _ in 0..2 {
        one_more(&world).await;
    }
    sqlx::raw_sql(
        "update users set created_at = now() + interval '1 hour';
        update verifications set key_digest = sha256(int8send(id))",
    )
    .execute(world.pool())
    .await
    .unwrap();
    let ids: Vec<i64> =
        sqlx::query_scalar("select id from verifications order by id").fetch_all(world.pool()).await.unwrap();
    let outcome: String = sqlx::query_scalar("select outcome from approve(sha256(int8send($1)))")
        .bind(ids[0])
        .fetch_one(world.pool())
        .await
        .unwrap();
    assert_eq!(outcome, "verified");
    let run = program.run(&["verify", &ids[1].to_string(), "--reason", "the user called"]);
    assert_eq!(run.code, 0, "{}", run.err);
    assert_eq!(verified(world.pool()).await, 2);
    let same: i64 = sqlx::query_scalar("select count(*) from users where verified_at = created_at")
        .fetch_one(world.pool())
        .await
        .unwrap();
    assert_eq!(same, 2);
}

/// One more user; returns the number of their verification.
async fn one_more(world: &World) -> i64 {
    let known = world.number("select count(*) from users").await;
    world.sign_up(&format!("mina{known}@example.com")).await.0
}

async fn verified(pool: &PgPool) -> i64 {
    sqlx::query_scalar(
        "select count(*) from users u join verifications v on v.user_id = u.id where u.verified_at = v.verified_at",
    )
    .fetch_one(pool)
    .await
    .unwrap()
}
