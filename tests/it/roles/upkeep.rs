//! The script of the roles, run again and again: what it leaves alone, what it waits for, what it refuses.

use std::io::Write as _;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use sqlx::{AssertSqlSafe, PgPool};
use verifydesk::config::{Secret, Settings};
use verifydesk::demo::cluster::Binaries;
use verifydesk::desk::{Desk, SignUp};
use verifydesk::domain::audit::{Actor, Origin};
use verifydesk::store::roles::GROUPS;

use super::Logins;
use crate::mail_servers::PATIENCE;
use crate::support::{Program, TestDb, pg_dump};

async fn execute(pool: &PgPool, statements: &str) {
    sqlx::raw_sql(AssertSqlSafe(statements)).execute(pool).await.unwrap();
}

async fn strings(pool: &PgPool, query: &str) -> Vec<String> {
    sqlx::query_scalar(AssertSqlSafe(query)).fetch_all(pool).await.unwrap()
}

async fn holds(pool: &PgPool, query: &str) -> bool {
    sqlx::query_scalar(AssertSqlSafe(query)).fetch_one(pool).await.unwrap()
}

const ENTRY: &str =
    "insert into audit_log (actor, origin, action, outcome) values ('mina@desk', 'cli', 'pause', 'done')";

#[tokio::test(flavor = "multi_thread")]
async fn who_may_read_all_may_back_all_up() {
    let logins = Logins::new().await;
    execute(&logins.db.pool, ENTRY).await;
    let login = "create role @_backup login in role pg_read_all_data; grant connect on database @ to @_backup";
    execute(&logins.db.pool, &login.replace('@', &logins.name)).await;
    let url = logins.db.url.replacen("://verifydesk@", &format!("://{}_backup@", logins.name), 1);
    assert!(pg_dump(&url).contains("mina@desk"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_as_it_should_be_is_left_alone() {
    let logins = Logins::new().await;
    let noted = "create schema watch;
        create table watch.noted (tag text, identity text);
        create function watch.note() returns event_trigger language plpgsql as $$
        begin
            insert into watch.noted select command_tag, object_identity from pg_event_trigger_ddl_commands();
        end
        $$;
        create event trigger note_commands on ddl_command_end execute function watch.note();
        grant usage on schema watch to public;
        grant insert, select on watch.noted to public";
    execute(&logins.db.pool, noted).await;
    execute(&logins.db.pool, "truncate watch.noted").await;
    let tables: Vec<String> =
        strings(&logins.db.pool, "select tablename::text from pg_tables where schemaname = 'public'").await;
    // A long reader, and one who writes.
    let mut reader = logins.db.pool.begin().await.unwrap();
    sqlx::query("select count(*) from audit_log").execute(&mut *reader).await.unwrap();
    let lock = format!("lock table {} in row exclusive mode", tables.join(", "));
    sqlx::raw_sql(AssertSqlSafe(lock)).execute(&mut *reader).await.unwrap();

    let mut grants = Vec::new();
    for (login, arguments) in [
        ("owner", &["migrate"][..]),
        ("owner", &["migrate", "--roles"]),
        ("", &["migrate"]),
        ("", &["migrate", "--roles"]),
    ] {
        let program = if login.is_empty() { Program::new(&logins.db.url) } else { logins.program(login) };
        let run = program.run(arguments);
        assert_eq!(run.code, 0, "{login} {arguments:?}: {}", run.err);
        grants.push(logins.count("select count(*) from watch.noted where tag = 'GRANT'").await);
        execute(&logins.db.pool, "truncate watch.noted").await;
    }
    reader.rollback().await.unwrap();
    // Asked for by name or not, the script runs once.
    assert!(grants[0] > 0 && grants.iter().all(|&count| count == grants[0]), "{grants:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn tables_change_hands_one_at_a_time() {
    let db = TestDb::new().await;
    let mut reader = db.pool.begin().await.unwrap();
    sqlx::query("select from workers").execute(&mut *reader).await.unwrap();
    let program = Program::new(&db.url);
    let made = tokio::task::spawn_blocking(move || program.run(&["migrate", "--roles"]));
    let waits = async |wanted: bool| {
        let query = "select exists (
            select from pg_locks
            where relation = 'workers'::regclass and not granted
                and database = (select oid from pg_database where datname = current_database())
        )";
        let looking = async { while holds(&db.pool, query).await != wanted {} };
        tokio::time::timeout(PATIENCE, looking).await.unwrap();
    };
    waits(true).await;
    let held = "select coalesce(string_agg(relation::regclass::text, ' '), '') from pg_locks
        where relation > 16384 and mode = 'AccessExclusiveLock' and granted
            and database = (select oid from pg_database where datname = current_database())";
    assert_eq!(strings(&db.pool, held).await, [""], "while it waits for one table, all others are free");
    // It gives way while the other goes on, and comes back.
    waits(false).await;
    reader.rollback().await.unwrap();
    let made = made.await.unwrap();
    assert_eq!(made.code, 0, "{}", made.err);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_row_security_of_an_earlier_run_goes() {
    let logins = Logins::new().await;
    // As an earlier version left it.
    let earlier = "drop trigger if exists audit_log_may on audit_log;
        alter table audit_log enable row level security;
        create policy audit_log_read on audit_log for select to @_worker using (true);
        create policy audit_log_worker on audit_log for insert to @_worker with check (origin = 'worker');
        create policy audit_log_serve on audit_log for insert to @_serve with check (origin = 'web');
        create policy audit_log_support on audit_log for insert to @_support with check (true);
        create policy audit_log_operator on audit_log for insert to @_operator with check (true)";
    execute(&logins.db.pool, &earlier.replace('@', &logins.name)).await;
    let run = logins.program("owner").run(&["migrate"]);
    assert_eq!(run.code, 0, "{}", run.err);
    assert_eq!(strings(&logins.db.pool, "select policyname::text from pg_policies").await, Vec::<String>::new());
    assert!(!holds(&logins.db.pool, "select relrowsecurity from pg_class where oid = 'audit_log'::regclass").await);
    let refusal = logins.refusal("support", ENTRY).await.unwrap();
    assert!(refusal.contains("audit log"), "{refusal}");
}

#[tokio::test(flavor = "multi_thread")]
async fn each_program_writes_its_own_acts_into_the_log() {
    let logins = Logins::new().await;
    let table: &[(&str, &str, &[&str])] = &[
        ("cli", "pause", &["operator", "owner"]),
        ("console", "resend", &["worker", "operator", "support", "owner"]),
        ("cli", "force_verify", &["owner"]),
        ("console", "unverify", &["owner"]),
        ("cli", "revoke", &["owner"]),
        ("cli", "extend", &["owner"]),
        ("cli", "change_address", &["owner"]),
        ("cli", "test_send", &["operator", "owner"]),
        ("web", "resend", &["worker", "serve", "owner"]),
        ("web", "open_link", &["owner"]),
        ("api", "sign_up", &["serve", "owner"]),
        ("worker", "supersede", &["worker", "owner"]),
        // Not even in its own name.
        ("worker", "pause", &["owner"]),
    ];
    for (origin, action, may) in table {
        let entry = format!(
            "insert into audit_log (actor, origin, action, outcome) values ('a', '{origin}', '{action}', 'done')"
        );
        for group in ["owner", "worker", "operator", "support", "viewer", "serve"] {
            let refusal = logins.refusal(group, &entry).await;
            assert_eq!(refusal.is_none(), may.contains(&group), "{group}: {origin} {action}: {refusal:?}");
        }
    }
    // A copy of the database on another server may lack the groups: who owns the table goes on, others are refused.
    execute(&logins.db.pool, &"alter role @_support rename to @_before".replace('@', &logins.name)).await;
    assert_eq!(logins.refusal("owner", ENTRY).await, None);
    let refusal = logins.refusal("support", ENTRY).await.unwrap();
    assert!(refusal.contains("audit log"), "{refusal}");
}

#[tokio::test(flavor = "multi_thread")]
async fn functions_of_others_stay_theirs() {
    let db = TestDb::new().await;
    let stranger = format!("{}_stranger", strings(&db.pool, "select current_database()::text").await[0]);
    let theirs = "create role @ login;
        grant create on schema public to @;
        set role @;
        create function approve(what text) returns void language plpgsql security definer as
        'begin execute what; end';
        create function approve(order_id int) returns int language sql as 'select 1';
        grant execute on function approve(text) to pg_monitor;
        reset role";
    execute(&db.pool, &theirs.replace('@', &stranger)).await;
    let acl = "select format('%s %s %s', oid::regprocedure, proowner::regrole, proacl) from pg_proc
        where oid in ('approve(text)'::regprocedure, 'approve(int)'::regprocedure) order by 1";
    let before = strings(&db.pool, acl).await;
    let run = Program::new(&db.url).run(&["migrate", "--roles"]);
    assert_eq!(run.code, 0, "{}", run.err);
    assert_eq!(strings(&db.pool, acl).await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_bears_our_name_and_is_anothers_is_refused() {
    let db = TestDb::new().await;
    let stranger = format!("{}_stranger", strings(&db.pool, "select current_database()::text").await[0]);
    execute(&db.pool, &format!("create role {stranger} login; grant create on schema public to {stranger}")).await;
    for (taken, given_back, what) in [
        ("alter function approve(bytea) owner to @", "alter function approve(bytea) owner to verifydesk", "approve(bytea)"),
        ("alter table pace owner to @", "alter table pace owner to verifydesk", "pace"),
        (
            "set role @; create function check_audit_entry() returns trigger language plpgsql as 'begin return new; end';
            reset role",
            "drop function check_audit_entry()",
            "check_audit_entry()",
        ),
    ] {
        execute(&db.pool, &taken.replace('@', &stranger)).await;
        let run = Program::new(&db.url).run(&["migrate", "--roles"]);
        assert_eq!(run.code, 1, "{taken}: {}", run.err);
        assert!(run.err.contains(what) && run.err.contains(&stranger), "{taken}: {}", run.err);
        // Nothing has been given away on the way there.
        let member = format!(
            "select exists (
                select from pg_auth_members where member = '{stranger}'::regrole
            )"
        );
        assert!(!holds(&db.pool, &member).await, "{taken}");
        execute(&db.pool, given_back).await;
    }
    let run = Program::new(&db.url).run(&["migrate", "--roles"]);
    assert_eq!(run.code, 0, "{}", run.err);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_script_calls_no_function_of_anothers() {
    let db = TestDb::new().await;
    let stranger = format!("{}_stranger", strings(&db.pool, "select current_database()::text").await[0]);
    // They fit better than the server's own.
    let traps = "create role @ login;
        create schema watch;
        create table watch.caught (who text);
        grant usage on schema watch to public;
        grant insert on watch.caught to public;
        grant create on schema public to @;
        set role @;
        create function public.format(text, regclass) returns text language plpgsql as
        $$ begin insert into watch.caught values (current_user); return pg_catalog.format($1, $2::text); end $$;
        create function public.format(text, regprocedure) returns text language plpgsql as
        $$ begin insert into watch.caught values (current_user); return pg_catalog.format($1, $2::text); end $$;
        create function public.format(text, name) returns text language plpgsql as
        $$ begin insert into watch.caught values (current_user); return pg_catalog.format($1, $2::text); end $$;
        reset role";
    execute(&db.pool, &traps.replace('@', &stranger)).await;
    for arguments in [["migrate", "--roles"], ["migrate", "--roles"]] {
        let run = Program::new(&db.url).run(&arguments);
        assert_eq!(run.code, 0, "{}", run.err);
    }
    assert_eq!(strings(&db.pool, "select who from watch.caught").await, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn psql_runs_what_is_printed_and_does_nothing_behind_an_error() {
    let db = TestDb::new().await;
    let name = strings(&db.pool, "select current_database()::text").await.remove(0);
    let script = Program::new(&db.url).run(&["migrate", "--roles", "--print"]).out;
    let psql = || {
        let tool = Binaries::find(None).unwrap().tool("psql");
        let mut process = Command::new(tool)
            .args(["-q", "-X", &db.url])
            .stdin(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        process.stdin.take().unwrap().write_all(script.as_bytes()).unwrap();
        let done = process.wait_with_output().unwrap();
        String::from_utf8(done.stderr).unwrap()
    };
    execute(&db.pool, &format!("create role {name}_viewer login")).await;
    let said = psql();
    assert!(said.contains("is a login") && said.contains("no rights were given"), "{said}");
    let owned = format!(
        "select relname::text from pg_class
        where
            relnamespace = 'public'::regnamespace
            and (pg_get_userbyid(relowner) <> 'verifydesk' or has_any_column_privilege('{name}_viewer', oid, 'select'))
            and relkind = 'r'"
    );
    assert_eq!(strings(&db.pool, &owned).await, Vec::<String>::new());
    execute(&db.pool, &format!("drop role {name}_viewer")).await;
    for _ in 0..2 {
        assert_eq!(psql(), "");
    }
    let may = format!("select has_table_privilege('{name}_viewer', 'users', 'select')");
    assert!(holds(&db.pool, &may).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_owns_the_database_and_may_create_roles_needs_no_superuser() {
    let db = TestDb::empty("").await;
    let name = strings(&db.pool, "select current_database()::text").await.remove(0);
    execute(
        &db.pool,
        &format!("create role {name}_admin login createrole; alter database {name} owner to {name}_admin"),
    )
    .await;
    let program = Program::new(&db.url.replacen("://verifydesk@", &format!("://{name}_admin@"), 1));
    for _ in 0..2 {
        let run = program.run(&["migrate", "--roles"]);
        assert_eq!(run.code, 0, "{}", run.err);
    }
    assert_eq!(program.run(&["signup", "mina@example.com"]).code, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn acts_go_on_while_the_tables_change_hands() {
    let db = TestDb::empty("").await;
    let name = strings(&db.pool, "select current_database()::text").await.remove(0);
    execute(&db.pool, &format!("create role {name}_before login; alter database {name} owner to {name}_before")).await;
    let url = db.url.replacen("://verifydesk@", &format!("://{name}_before@"), 1);
    assert_eq!(Program::new(&url).run(&["migrate"]).code, 0);
    let (enough, made) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let mut people = tokio::task::JoinSet::new();
    for person in 0..4 {
        let (enough, made) = (Arc::clone(&enough), Arc::clone(&made));
        let settings = Settings { database_url: Some(Secret::new(url.clone())), ..Settings::default() };
        people.spawn(async move {
            let desk = Desk::open(&settings).unwrap();
            for turn in 0.. {
                let who = SignUp { email: format!("u{person}-{turn}@example.com"), ..SignUp::default() };
                desk.sign_up(&Actor::new("test", Origin::Cli), &who).await.unwrap();
                made.fetch_add(1, Ordering::Relaxed);
                if enough.load(Ordering::Relaxed) {
                    break;
                }
            }
            desk.store().close().await;
        });
    }
    while made.load(Ordering::Relaxed) < 8 {
        tokio::task::yield_now().await;
    }
    let program = Program::new(&db.url);
    for _ in 0..2 {
        let run = program.run(&["migrate", "--roles"]);
        assert_eq!(run.code, 0, "{}", run.err);
    }
    enough.store(true, Ordering::Relaxed);
    while let Some(done) = people.join_next().await {
        done.unwrap();
    }
    let count: i64 = sqlx::query_scalar("select count(*) from audit_log").fetch_one(&db.pool).await.unwrap();
    assert_eq!(usize::try_from(count).unwrap(), made.load(Ordering::Relaxed));
}

#[tokio::test(flavor = "multi_thread")]
async fn groups_of_another_name_are_followed_by_new_ones() {
    let logins = Logins::new().await;
    // As after the database was renamed.
    for group in GROUPS {
        let rename = format!("alter role {0}_{group} rename to {0}_old_{group}", logins.name);
        execute(&logins.db.pool, &rename).await;
    }
    let run = Program::new(&logins.db.url).run(&["migrate", "--roles"]);
    assert_eq!(run.code, 0, "{}", run.err);
    assert!(logins.refusal("support", ENTRY.replace("pause", "resend").as_str()).await.is_some());
    execute(&logins.db.pool, &"grant @_support to @_support_login".replace('@', &logins.name)).await;
    assert_eq!(logins.refusal("support", ENTRY.replace("pause", "resend").as_str()).await, None);
}
