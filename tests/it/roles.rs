//! Each program under the role that is made for it, and what that role may not.

#[cfg(feature = "aws")]
mod account_acts;
mod alerts;
mod hooks;
mod rights;
mod site;
mod undo;
mod upkeep;

use mail_parser::MessageParser;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};
use uuid::Uuid;
use verifydesk::config::{Secret, Settings};
use verifydesk::desk::Desk;
use verifydesk::store::roles::GROUPS;
use verifydesk::store::webhook::Asked;

use crate::support::world::captured_in;
use crate::support::{Program, TestDb, address_in};
use crate::test_send;

const SECRET: &str = "a secret of the tests, 32 bytes and more";

/// A database with its roles, and a login in each.
pub struct Logins {
    db: TestDb,
    name: String,
}

impl Logins {
    pub async fn new() -> Self {
        let db = TestDb::new().await;
        let made = Program::new(&db.url).run(&["migrate", "--roles"]);
        assert_eq!(made.code, 0, "{}", made.err);
        let name: String = sqlx::query_scalar("select current_database()::text").fetch_one(&db.pool).await.unwrap();
        for group in GROUPS {
            let statement = format!("create role {name}_{group}_login login in role {name}_{group}");
            sqlx::query(AssertSqlSafe(statement)).execute(&db.pool).await.unwrap();
        }
        Self { db, name }
    }

    pub fn url(&self, group: &str) -> String {
        self.db.url.replacen("://verifydesk@", &format!("://{}_{group}_login@", self.name), 1)
    }

    fn program(&self, group: &str) -> Program {
        Program::new(&self.url(group))
    }

    /// What the database says to this statement; `None` if it did it.
    async fn refusal(&self, group: &str, statement: &str) -> Option<String> {
        let mut connection = PgConnection::connect(&self.url(group)).await.unwrap();
        let done = sqlx::raw_sql(AssertSqlSafe(statement.to_owned())).execute(&mut connection).await;
        connection.close().await.unwrap();
        done.err().map(|error| error.as_database_error().map_or(error.to_string(), |error| error.message().to_owned()))
    }

    async fn count(&self, query: &str) -> i64 {
        sqlx::query_scalar(AssertSqlSafe(query.to_owned())).fetch_one(&self.db.pool).await.unwrap()
    }
}

#[expect(clippy::too_many_lines, reason = "a day's work, each step of which needs those before it")]
#[tokio::test(flavor = "multi_thread")]
async fn every_program_does_its_work_under_its_role() {
    let logins = Logins::new().await;
    let (_view, line) = logins
        .program("serve")
        .set("VERIFYDESK_SERVE__TOKEN", "a token of the tests, long enough")
        .set("VERIFYDESK_SERVE__GREETING_SECRET", "a secret of the tests, long enough")
        .set("VERIFYDESK_SITE__URL", "https://books.example/")
        .start(&["serve", "--listen", "127.0.0.1:0"], "listening");
    let public_url = format!("http://{}", address_in(&line));
    let client = reqwest::Client::new();
    let sign_up = async |email: &str| {
        let request = client.post(format!("{public_url}/api/signups")).bearer_auth("a token of the tests, long enough");
        let request = request.header("idempotency-key", Uuid::now_v7().to_string());
        let answer = request.json(&serde_json::json!({ "email": email })).send().await.unwrap();
        assert!(answer.status().is_success(), "{}", answer.text().await.unwrap());
    };
    let release = async || {
        sqlx::query("update sends set queued_at = now() - interval '1 hour'").execute(&logins.db.pool).await.unwrap();
    };
    sign_up("mina@example.com").await;
    sign_up("jun@example.com").await;
    release().await;
    // A second sign-up is a resend: the waiting mail is brought forward.
    sign_up("mina@example.com").await;
    let known = client
        .get(format!("{public_url}/api/users?email=mina@example.com"))
        .bearer_auth("a token of the tests, long enough")
        .send()
        .await
        .unwrap();
    assert_eq!(known.status(), 200);
    assert_eq!(client.get(format!("{public_url}/readyz")).send().await.unwrap().status(), 200);

    let mails = tempfile::tempdir().unwrap();
    let worker = logins
        .program("worker")
        .set("VERIFYDESK_PUBLIC_URL", &public_url)
        .set("VERIFYDESK_SECRET", SECRET)
        .set("VERIFYDESK_MAIL__FROM", "Example <no-reply@example.org>")
        .set("VERIFYDESK_MAIL__TRANSPORT", "capture")
        .set("VERIFYDESK_CAPTURE__DIR", mails.path().display().to_string());
    let drained = worker.run(&["worker", "--drain"]);
    assert_eq!(
        (drained.code, drained.out.starts_with("sent 2, failed 0")),
        (0, true),
        "{}{}",
        drained.out,
        drained.err
    );
    assert!(!drained.err.contains("permission denied"), "{}", drained.err);

    // Mina's link: a look, the opening, and once more. Jun's is over: a new mail is asked for.
    let [mina, jun] = ["mina@", "jun@"].map(|to| link_to(mails.path(), to));
    for expected in [200, 200] {
        assert_eq!(client.get(&mina).send().await.unwrap().status(), expected);
    }
    assert_eq!(logins.count("select count(*) from users where verified_at is not null").await, 1);
    sqlx::query(
        "update verifications set created_at = now() - interval '9 days', expires_at = now() - interval '5 days'
        where verified_at is null",
    )
    .execute(&logins.db.pool)
    .await
    .unwrap();
    assert_eq!(client.head(&jun).send().await.unwrap().status(), 410);
    assert_eq!(client.get(&jun).send().await.unwrap().status(), 410);
    release().await;
    let asked =
        client.post(format!("{public_url}/verify/new-mail")).form(&[("key", jun.split("key=").nth(1).unwrap())]);
    assert_eq!(asked.send().await.unwrap().status(), 202);
    assert_eq!(logins.count("select count(*) from verifications where revoked_at is not null").await, 1);

    let id = logins.count("select max(id) from verifications").await.to_string();
    let viewer = logins.program("viewer");
    release().await;
    for look in [
        &["list", "--json"][..],
        &["list", "--search", "jun", "--status", "pending", "--json"],
        &["show", &id, "--json"],
        &["sends", "--json"],
        &["audit", "--json"],
        &["queue", "--json"],
        &["jobs", "--json"],
        &["resend", &id, "--dry-run"],
        &["resend", "--status", "pending", "--dry-run"],
    ] {
        let run = viewer.run(look);
        assert_eq!(run.code, 0, "{look:?}: {}", run.err);
        // No job has been started yet.
        assert_eq!(run.out.is_empty(), look[0] == "jobs", "{look:?}");
    }
    let refused = logins.program("serve").run(&["audit"]);
    assert_eq!(refused.code, 4);
    let said = "error: this login may not read the audit log: permission denied";
    assert!(refused.err.starts_with(said) && refused.err.contains("docs/roles.md"), "{}", refused.err);
    let support = logins.program("support");
    let run = support.run(&["resend", &id]);
    assert_eq!(run.code, 0, "{}", run.err);
    let acts: [&[&str]; 10] = [
        &["resend", &id],
        &["verify", &id, "--reason", "the user called"],
        &["signup", "hana@example.com"],
        &["queue", "pause", "--reason", "a test"],
        &["queue", "resume"],
        &["resend", "--status", "pending", "--yes"],
        &["extend", &id, "--reason", "the user called"],
        &["unverify", &id, "--reason", "another user called"],
        &["revoke", &id, "--reason", "another user called"],
        &["change-address", &id, "jin@example.com", "--reason", "a typo"],
    ];
    for (program, refused) in
        [(&viewer, &[&acts[..4], &acts[6..]].concat()), (&support, &[&acts[1..4], &acts[5..]].concat())]
    {
        release().await;
        for act in refused {
            let run = program.run(act);
            assert_eq!(run.code, 4, "{act:?}: {}{}", run.out, run.err);
            assert!(run.err.contains("permission denied") && run.err.contains("docs/roles.md"), "{act:?}: {}", run.err);
        }
    }
    let operator = logins.program("operator");
    release().await;
    for act in [acts[0], acts[2], acts[3], acts[4], acts[5], acts[6], acts[1], acts[7]] {
        let run = operator.run(act);
        assert_eq!(run.code, 0, "{act:?}: {}{}", run.out, run.err);
    }
    let test_send = operator_sends_a_test(&logins, mails.path(), &public_url);
    assert_eq!(test_send.code, 0, "{}{}", test_send.out, test_send.err);
    let drained = worker.run(&["worker", "--drain"]);
    assert_eq!(drained.code, 0, "{}{}", drained.out, drained.err);
    assert!(!drained.err.contains("permission denied"), "{}", drained.err);

    for program in [&operator, &worker] {
        let pruned = program.run(&["prune"]);
        assert_eq!((pruned.code, &*pruned.out), (0, "removed: 0 mails, 0 weeks of events\n"), "{}", pruned.err);
    }

    // An open one: of who was signed up last.
    let last = logins.count("select max(id) from verifications").await.to_string();
    release().await;
    let run = operator.run(&["change-address", &last, "hani@example.com", "--reason", "a typo"]);
    assert_eq!(run.code, 0, "{}", run.err);
    let last = logins.count("select max(id) from verifications").await.to_string();
    let run = operator.run(&["revoke", &last, "--reason", "another user called"]);
    assert_eq!(run.code, 0, "{}", run.err);

    // Every entry names the login that it came from.
    let entries: Vec<(String, String)> = sqlx::query_as("select distinct origin, login from audit_log order by 1, 2")
        .fetch_all(&logins.db.pool)
        .await
        .unwrap();
    let login = |group: &str| format!("{}_{group}_login", logins.name);
    for (origin, group) in [("api", "serve"), ("web", "serve"), ("cli", "support"), ("cli", "operator")] {
        assert!(entries.contains(&(origin.to_owned(), login(group))), "{origin} by {group}: {entries:?}");
    }
}

fn operator_sends_a_test(logins: &Logins, mails: &std::path::Path, public_url: &str) -> crate::support::Run {
    logins
        .program("operator")
        .set("VERIFYDESK_PUBLIC_URL", public_url)
        .set("VERIFYDESK_SECRET", SECRET)
        .set("VERIFYDESK_MAIL__FROM", "Example <no-reply@example.org>")
        .set("VERIFYDESK_MAIL__TRANSPORT", "capture")
        .set("VERIFYDESK_CAPTURE__DIR", mails.display().to_string())
        .run(&["test-send", "verification", "--simulator", "success"])
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operators_first_test_mail_needs_no_worker() {
    let logins = Logins::new().await;
    let server = test_send::server();
    let operator = test_send::mailing(logins.program("operator"), &server).set("VERIFYDESK_PACE__RATE", "7");
    let sent = operator.run(&["test-send", "verification", "--to", "dev@example.com"]);
    assert_eq!((sent.code, server.mails().len()), (0, 1), "{}{}", sent.out, sent.err);
    assert_eq!(logins.count("select count(*) from pace where limit_rate = 7 and minute_drawn = 1").await, 1);
    assert_eq!(logins.count("select count(*) from sends where state = 'accepted'").await, 1);
}

/// The link of the newest mail to an address that begins so.
fn link_to(mails: &std::path::Path, to: &str) -> String {
    let mut found: Vec<String> = captured_in(mails)
        .iter()
        .filter_map(|file| {
            let mail = std::fs::read(file).unwrap();
            let message = MessageParser::default().parse(&mail)?;
            let address = message.to()?.first()?.address()?.to_owned();
            let text = message.body_text(0)?.into_owned();
            let link = text.split_whitespace().find(|word| word.contains("/verify/?key="))?.to_owned();
            address.starts_with(to).then_some(link)
        })
        .collect();
    found.pop().unwrap_or_else(|| panic!("no mail to {to}"))
}

#[tokio::test(flavor = "multi_thread")]
#[expect(clippy::too_many_lines, reason = "one table")]
async fn no_role_may_more_than_it_needs() {
    let logins = Logins::new().await;
    for email in ["mina@example.com", "jun@example.com"] {
        assert_eq!(Program::new(&logins.db.url).run(&["signup", email]).code, 0);
    }
    sqlx::query("update verifications set key_digest = sha256(int8send(id))").execute(&logins.db.pool).await.unwrap();
    let before = dump(&logins).await;

    let everyone: &[&str] = &["worker", "operator", "support", "viewer", "serve"];
    let table: &[(&str, &[&str])] = &[
        ("update verifications set verified_at = now()", everyone),
        ("update users set verified_at = now()", everyone),
        ("update users set email = 'evil@example.net'", everyone),
        ("update verifications set user_id = 1", everyone),
        (
            "insert into verifications (user_id, key_nonce, expires_at, verified_at)
            values (1, '0123456789abcdef', now() + interval '1 day', now())",
            everyone,
        ),
        ("insert into users (email, verified_at) values ('evil@example.net', now())", everyone),
        ("delete from users", everyone),
        ("delete from verifications", everyone),
        ("delete from sends", everyone),
        ("delete from audit_log", everyone),
        ("truncate audit_log", everyone),
        ("update audit_log set actor = 'another'", everyone),
        ("alter table audit_log alter column actor type text using 'another'", everyone),
        ("alter table audit_log disable trigger audit_log_append_only", everyone),
        ("alter table audit_log disable row level security", everyone),
        ("drop trigger audit_log_session on audit_log", everyone),
        ("alter table audit_log disable trigger audit_log_may", everyone),
        ("alter function check_audit_entry() reset search_path", everyone),
        ("set session_replication_role = replica", everyone),
        (
            "insert into audit_log (actor, origin, action, outcome, login) values ('a', 'cli', 'pause', 'done', 'b')",
            everyone,
        ),
        (
            "insert into audit_log (actor, origin, action, outcome, at) values ('a', 'cli', 'pause', 'done', now())",
            everyone,
        ),
        (
            "insert into audit_log (actor, origin, action, outcome) values ('mina', 'cli', 'force_verify', 'verified')",
            everyone,
        ),
        (
            "insert into audit_log (actor, origin, action, outcome) values ('mina', 'cli', 'pause', 'done')",
            &["worker", "support", "viewer", "serve"],
        ),
        (
            "insert into audit_log (actor, origin, action, outcome) values ('link', 'web', 'open_link', 'verified')",
            everyone,
        ),
        ("create table evil (id bigint)", everyone),
        ("create temporary table users (id bigint)", everyone),
        ("create function evil() returns int language sql as 'select 1'", everyone),
        ("select key_nonce from verifications", &["operator", "support", "viewer", "serve"]),
        // With the digests it could open every link.
        ("select key_digest from verifications", &["serve"]),
        ("select * from audit_log", &["serve"]),
        ("select recipient from sends", &["serve"]),
        ("select approve(sha256(int8send(1)))", &["worker", "operator", "support", "viewer"]),
        ("select open_links(array[sha256(int8send(1))], false)", &["worker", "operator", "support", "viewer"]),
        ("select look_at_link(sha256(int8send(1)))", &["worker", "operator", "support", "viewer"]),
        ("select force_verify(1, 'a', 'cli', 'a test', 60)", &["worker", "support", "viewer", "serve"]),
        ("select unverify(1, 'a', 'cli', 'a test')", &["worker", "support", "viewer", "serve"]),
        ("select revoke_verification(1, 'a', 'cli', 'a test')", &["worker", "support", "viewer", "serve"]),
        (
            "select change_address(1, 'a', 'cli', 'a test', 'evil@example.net')",
            &["worker", "support", "viewer", "serve"],
        ),
        ("select extend_verification(1, 'a', 'cli', 'a test', 60)", &["worker", "support", "viewer", "serve"]),
        (
            "insert into audit_log (actor, origin, action, outcome, before) values ('a', 'cli', 'sign_up', 'done', '{}')",
            everyone,
        ),
        (
            "insert into audit_log (actor, origin, action, outcome, before) values ('a', 'cli', 'pause', 'done', '{}')",
            &["worker", "support", "viewer", "serve"],
        ),
        (
            "insert into audit_log (actor, origin, action, outcome, after) values ('a', 'cli', 'resend', 'done', '{}')",
            everyone,
        ),
        (
            "insert into audit_log (actor, origin, action, outcome, undoes) values ('a', 'cli', 'resend', 'done', 1)",
            everyone,
        ),
        ("insert into audit_log (actor, origin, action, outcome) values ('a', 'cli', 'undo', 'resend')", everyone),
        ("select undo_act(1, 'a', 'cli', 'a test')", &["worker", "support", "viewer", "serve"]),
        (
            "select mint_link(1, 'a', 'cli', 'a test', substring(sha256('a') for 16), 60)",
            &["worker", "support", "viewer", "serve"],
        ),
        ("select commit_minted_link(1, sha256('a'))", &["worker", "support", "viewer", "serve"]),
        ("insert into audit_log (actor, origin, action, outcome) values ('a', 'cli', 'mint_link', 'done')", everyone),
        ("select undo_resend(1, 'a', 'cli', 'a test')", &["worker", "viewer", "serve"]),
        ("select delete_user(1, 1, 'a', 'cli', 'a test', 10)", &["worker", "support", "viewer", "serve"]),
        ("select undo_delete(1, 'a', 'cli', 'a test')", &["worker", "support", "viewer", "serve"]),
        ("select erase_user(1, 'a', 'worker')", &["support", "viewer", "serve"]),
        ("update users set delete_after = now()", everyone),
        ("insert into audit_log (actor, origin, action, outcome) values ('a', 'cli', 'delete', 'done')", everyone),
        ("insert into audit_log (actor, origin, action, outcome) values ('a', 'worker', 'erase', 'done')", everyone),
        ("select entry_to_undo(1, 'a', 'a test')", everyone),
        ("select restore_mails(1, null, now())", everyone),
        ("select note_verified(1, 1, now(), 'a test')", everyone),
        ("select note_all_verified(array[1], 'a test')", everyone),
        ("select lock_user(1)", &["viewer"]),
        ("select queue_mail(gen_random_uuid(), 1, 0::smallint)", &["viewer"]),
        // Another user's link, mailed anywhere.
        (
            "insert into sends (id, verification_id, user_id, recipient, locale)
            values (gen_random_uuid(), 1, 1, 'evil@example.net', 'ko')",
            &["operator", "support", "viewer", "serve"],
        ),
        ("update sends set recipient = 'evil@example.net'", &["operator", "support", "viewer", "serve"]),
        ("update verifications set key_digest = sha256('evil')", &["operator", "support", "viewer", "serve"]),
        ("update brake set state = 'off'", &["support", "viewer", "serve"]),
        ("update pace set rate = 0.1", &["support", "viewer", "serve"]),
        ("update jobs set state = 'running'", &["support", "viewer", "serve"]),
        ("update sends set state = 'queued'", &["support", "viewer", "serve"]),
        ("update verifications set expires_at = now() + interval '1 day'", &["viewer"]),
        ("delete from workers", &["operator", "support", "viewer", "serve"]),
        ("delete from refused_sends", &["support", "viewer", "serve"]),
        ("select prune_sends(now(), null, gen_random_uuid(), 1, false)", &["support", "viewer", "serve"]),
        ("select drop_event_week('ses_events_20260105', now())", &["support", "viewer", "serve"]),
        ("drop table ses_events", everyone),
        (
            "insert into refused_sends (send_id, tries, of_us) values (gen_random_uuid(), 0, true)",
            &["operator", "support", "viewer", "serve"],
        ),
    ];
    for (statement, groups) in table {
        for group in *groups {
            let refusal = logins.refusal(group, statement).await;
            let refusal = refusal.unwrap_or_else(|| panic!("{group} may: {statement}"));
            let is_of_rights = ["permission denied", "must be owner", "into the audit log"];
            assert!(is_of_rights.iter().any(|words| refusal.contains(words)), "{group}: {statement}: {refusal}");
        }
    }
    assert_eq!(dump(&logins).await, before, "nothing has changed");
    // Refused it, `serve` would open each link alone, and only be slower.
    let together = "select open_links(array[sha256(int8send(1))], false)";
    assert_eq!(logins.refusal("serve", together).await, None);
    // Not even the owner's hand slips.
    let refusal = logins.refusal("owner", "update audit_log set actor = 'another'").await;
    assert_eq!(refusal.as_deref(), Some("the audit log is append-only"));
}

#[tokio::test(flavor = "multi_thread")]
async fn serve_notes_what_sns_asks_and_operators_decide() {
    const TOPIC: &str = "arn:aws:sns:us-east-1:123456789012:ses-events";
    let logins = Logins::new().await;
    let settings = Settings { database_url: Some(Secret::new(logins.url("serve"))), ..Settings::default() };
    let desk = Desk::open_to_strangers(&settings).unwrap();
    let serve = desk.store();
    assert_eq!(serve.subscription_asked(TOPIC, "https://a", false).await.unwrap(), Asked::Waits);
    assert_eq!(serve.subscriptions_to_confirm().await.unwrap(), []);
    serve.add_refused(&[("signature", 2)]).await.unwrap();
    serve.add_refused(&[("old", 1), ("signature", 2)]).await.unwrap();
    for group in ["viewer", "support"] {
        let program = logins.program(group);
        let shown = program.run(&["events", "subscriptions"]);
        assert!(shown.code == 0 && shown.out.contains("waiting") && shown.out.contains("signature"), "{}", shown.err);
        let run = program.run(&["events", "approve", TOPIC]);
        assert!(run.code == 4 && run.err.contains("permission denied"), "{}{}", run.out, run.err);
    }
    let run = logins.program("operator").run(&["events", "approve", TOPIC]);
    assert_eq!(run.code, 0, "{}", run.err);
    assert_eq!(serve.approved_topics().await.unwrap().1, [TOPIC]);
    assert_eq!(serve.subscriptions_to_confirm().await.unwrap(), [(TOPIC.into(), "https://a".into())]);
    serve.subscription_tried(TOPIC, "https://a", Some("SNS did not answer in time")).await.unwrap();
    serve.subscription_tried(TOPIC, "https://a", None).await.unwrap();
    serve.subscription_ended(TOPIC, false).await.unwrap();
    assert_eq!(logins.count("select count(*) from audit_log where action = 'approve_topic'").await, 1);

    let table: [(&str, &[&str]); 4] = [
        // Anyone who has it can confirm the subscription.
        ("select subscribe_url from sns_subscriptions", &["worker", "operator", "support", "viewer"]),
        ("update sns_subscriptions set approved_at = now()", &["worker", "support", "viewer", "serve"]),
        ("insert into sns_subscriptions (topic, approved_at) values ('arn', now())", &["operator", "serve"]),
        ("delete from sns_refusals", &["worker", "operator", "support", "viewer"]),
    ];
    for (statement, groups) in table {
        for group in groups {
            let refusal = logins.refusal(group, statement).await.unwrap_or_default();
            assert!(refusal.contains("permission denied"), "{group}: {statement}: {refusal}");
        }
    }
}

async fn dump(logins: &Logins) -> Vec<String> {
    sqlx::query_scalar(
        "select users::text from users
        union all select verifications::text from verifications
        union all select sends::text from sends
        union all select audit_log::text from audit_log
        order by 1",
    )
    .fetch_all(&logins.db.pool)
    .await
    .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_table_and_function_has_rights_that_were_chosen() {
    let logins = Logins::new().await;
    let others: Vec<String> = sqlx::query_scalar(
        "select c.relname::text from pg_class c
        where
            c.relnamespace = 'public'::regnamespace
            and c.relkind in ('r', 'v', 'p', 'm')
            and pg_get_userbyid(c.relowner) <> current_database() || '_owner'
        union all
        select p.proname::text from pg_proc p
        where
            p.pronamespace = 'public'::regnamespace
            and not exists (select from pg_depend d where d.objid = p.oid and d.deptype = 'e')
            and (pg_get_userbyid(p.proowner) <> current_database() || '_owner'
                -- To write a user is to make an entry of its index by this one.
                or p.proname <> 'name_pairs' and has_function_privilege('pg_monitor', p.oid, 'execute'))",
    )
    .fetch_all(&logins.db.pool)
    .await
    .unwrap();
    assert!(others.is_empty(), "src/store/roles does not know of {others:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_member_of_the_owner_migrates_and_grants_the_rights_again() {
    let logins = Logins::new().await;
    // As after a migration that has changed something, and rights that an earlier version gave.
    for statement in [
        "grant delete on audit_log to @_viewer",
        "revoke all on users from @_worker",
        "drop table pace_minutes",
        "create table pace_minutes (minute timestamptz primary key, drawn bigint)",
        "delete from _sqlx_migrations where version = 15",
        "drop function lock_user(bigint)",
        "drop function open_verification(bigint)",
        "alter table pace_minutes owner to @_owner_login",
    ] {
        let statement = statement.replace('@', &logins.name);
        sqlx::query(AssertSqlSafe(statement)).execute(&logins.db.pool).await.unwrap();
    }
    let owner = logins.program("owner");
    let migrated = owner.run(&["migrate"]);
    assert_eq!(migrated.code, 0, "{}{}", migrated.out, migrated.err);
    assert!(logins.refusal("viewer", "delete from audit_log").await.unwrap().contains("permission denied"));
    for (group, statement) in [
        ("worker", "select email from users"),
        ("worker", "insert into pace_minutes (minute, drawn) values (now(), 1)"),
        ("support", "select lock_user(1)"),
    ] {
        assert_eq!(logins.refusal(group, statement).await, None, "{group}: {statement}");
    }
    let again = owner.run(&["migrate", "--roles"]);
    assert_eq!(again.code, 0, "{}", again.err);
    let printed = owner.run(&["migrate", "--roles", "--print"]);
    assert!(printed.out.contains(&format!("\"{}_serve\"", logins.name)), "{}", printed.out);
    sqlx::raw_sql(AssertSqlSafe(printed.out)).execute(&logins.db.pool).await.unwrap();

    // A login that may not make roles is shown which may.
    let viewer = logins.program("viewer").run(&["migrate", "--roles"]);
    assert_ne!(viewer.code, 0);
    assert!(viewer.err.contains("--roles --print") || viewer.err.contains("does not allow"), "{}", viewer.err);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_of_the_same_name_gets_no_rights() {
    let db = TestDb::new().await;
    let name: String = sqlx::query_scalar("select current_database()::text").fetch_one(&db.pool).await.unwrap();
    sqlx::query(AssertSqlSafe(format!("create role {name}_viewer login"))).execute(&db.pool).await.unwrap();
    let refused = Program::new(&db.url).run(&["migrate", "--roles"]);
    assert_eq!(refused.code, 1, "{}", refused.err);
    assert!(
        refused.err.contains(&format!("{name}_viewer is a login")) || refused.err.contains("is a login"),
        "{}",
        refused.err
    );
    let may: bool = sqlx::query_scalar(AssertSqlSafe(format!(
        "select has_any_column_privilege('{name}_viewer', 'users', 'select')"
    )))
    .fetch_one(&db.pool)
    .await
    .unwrap();
    assert!(!may);
}
