//! A site that shares the database: what its login sees and hears, and that it is nothing else.

use sqlx::postgres::PgListener;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};

use super::Logins;
use crate::mail_servers::PATIENCE;
use crate::support::Program;
use crate::support::world::execute;

/// What was heard until now.
async fn heard(logins: &Logins, listener: &mut PgListener) -> Vec<String> {
    execute(&logins.db.pool, "notify verified_users, 'so far'").await;
    let mut all = Vec::new();
    loop {
        let told = tokio::time::timeout(PATIENCE, listener.recv()).await.unwrap().unwrap();
        match told.payload() {
            "so far" => return all,
            payload => all.push(payload.to_owned()),
        }
    }
}

/// Of users, as `select verified_users` has them.
async fn seen(logins: &Logins) -> Vec<(i64, String, String, bool)> {
    let mut connection = PgConnection::connect(&logins.url("site")).await.unwrap();
    sqlx::query_as("select user_id, email, address, verified_at <= now() from verified_users order by user_id")
        .fetch_all(&mut connection)
        .await
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_site_that_shares_the_database_is_told_once_and_sees_who_is_verified() {
    let logins = Logins::new().await;
    let mut listener = PgListener::connect(&logins.url("site")).await.unwrap();
    listener.listen("verified_users").await.unwrap();
    let operator = logins.program("operator");
    let act = |arguments: &[&str]| {
        let run = operator.run(arguments);
        assert_eq!(run.code, 0, "{arguments:?}: {}", run.err);
    };
    act(&["signup", "Mina@example.com"]);
    act(&["signup", "jun@example.com"]);
    execute(&logins.db.pool, "update verifications set key_digest = sha256(int8send(id))").await;
    let click = "select approve(sha256(int8send(1)))";
    assert_eq!((heard(&logins, &mut listener).await, seen(&logins).await), (vec![], vec![]));
    for _ in 0..2 {
        assert_eq!(logins.refusal("serve", click).await, None);
    }
    let told = vec![r#"{"user_id":1}"#.to_owned()];
    let mina = (1, "Mina@example.com".to_owned(), "mina@example.com".to_owned(), true);
    assert_eq!((heard(&logins, &mut listener).await, seen(&logins).await), (told.clone(), vec![mina.clone()]));
    act(&["unverify", "1", "--reason", "the neighbour opened it"]);
    assert_eq!((heard(&logins, &mut listener).await, seen(&logins).await), (told.clone(), vec![]));
    act(&["undo"]);
    assert_eq!((heard(&logins, &mut listener).await, seen(&logins).await), (told.clone(), vec![mina]));
    // Who is not verified is in no view, so that there is nothing to tell when they go.
    execute(&logins.db.pool, "delete from users").await;
    assert_eq!((heard(&logins, &mut listener).await, seen(&logins).await), (told, vec![]));

    // With no one to tell, commits do not wait for each other.
    act(&["signup", "kim@example.com"]);
    let leave = "revoke @_site from @_site_login".replace('@', &logins.name);
    execute(&logins.db.pool, &leave).await;
    execute(&logins.db.pool, "update users set verified_at = now()").await;
    assert_eq!(heard(&logins, &mut listener).await, [""; 0]);
}

/// As where the groups were made before there was this one, by someone else than who looks after them.
#[tokio::test(flavor = "multi_thread")]
async fn where_the_group_cannot_be_made_the_others_keep_their_rights() {
    let logins = Logins::new().await;
    let before =
        "drop owned by @_site; drop role @_site; revoke select on users from @_viewer".replace('@', &logins.name);
    execute(&logins.db.pool, &before).await;
    let viewer = async || logins.refusal("viewer", "select email from users").await;
    assert!(viewer().await.is_some());
    let migrated = logins.program("owner").run(&["migrate"]);
    assert_eq!(migrated.code, 0, "{}", migrated.err);
    assert!(migrated.err.contains("the group for sites is not there"), "{}", migrated.err);
    assert_eq!(viewer().await, None);
    // Who may make it does.
    let migrated = Program::new(&logins.db.url).run(&["migrate"]);
    assert_eq!((migrated.code, migrated.err.contains("the group for sites")), (0, false), "{}", migrated.err);
    assert_eq!(logins.count("select count(*) from pg_roles where rolname = current_database() || '_site'").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_site_reads_that_and_nothing_else() {
    let logins = Logins::new().await;
    assert_eq!(logins.program("operator").run(&["signup", "jun@example.com"]).code, 0);
    let of_site = async |query: &str| -> Vec<String> {
        let query = query.replace('@', &format!("'{}_site_login'", logins.name));
        sqlx::query_scalar(AssertSqlSafe(query)).fetch_all(&logins.db.pool).await.unwrap()
    };
    let relations = "select c.relname::text
        from pg_class c
        where
            c.relnamespace = current_schema()::regnamespace
            and case c.relkind
                when 'S' then has_sequence_privilege(@, c.oid, 'usage, select, update')
                when 'i' then false
                when 'I' then false
                else
                    has_table_privilege(@, c.oid, 'select, insert, update, delete, truncate, references, trigger')
                    or has_any_column_privilege(@, c.oid, 'select, insert, update, references')
            end";
    assert_eq!(of_site(relations).await, ["verified_users"]);
    let functions = "select p.oid::regprocedure::text
        from pg_proc p
        where
            p.pronamespace = current_schema()::regnamespace
            and has_function_privilege(@, p.oid, 'execute')
            and not exists (select from pg_depend d where d.objid = p.oid and d.deptype = 'e')";
    assert_eq!(of_site(functions).await, ["name_pairs(text)"]);
    for statement in [
        "select email from users",
        "insert into verified_users (email) values ('kim@example.com')",
        "update verified_users set verified_at = null",
        "delete from verified_users",
        "create temporary table t ()",
        "create function f() returns integer language sql as 'select 1'",
    ] {
        let refusal = logins.refusal("site", statement).await;
        assert!(refusal.as_deref().is_some_and(|why| why.contains("permission denied")), "{statement}: {refusal:?}");
    }
    // A condition that fails where it meets an address is asked about no one who is not verified.
    assert_eq!(logins.refusal("site", "select from verified_users where email::integer = 1").await, None);
    // By what a site knows, it is found.
    let mut connection = PgConnection::connect(&logins.url("site")).await.unwrap();
    sqlx::query("set enable_seqscan = off").execute(&mut connection).await.unwrap();
    for condition in ["user_id = 7", "user_id = any ('{7,8}')", "address = 'jun@example.com'"] {
        let explain = format!("explain select email from verified_users where {condition}");
        let plan: Vec<String> = sqlx::query_scalar(AssertSqlSafe(explain)).fetch_all(&mut connection).await.unwrap();
        let plan = plan.join("\n");
        assert!(plan.contains("Index Cond: ") && !plan.contains("Seq Scan"), "{condition}: {plan}");
    }
}
