//! What the console believes a login may do is what the database lets it do.

use verifydesk::config::{Secret, Settings};
use verifydesk::domain::right::Right;
use verifydesk::store::Store;

use super::Logins;
use crate::support::Program;

async fn rights(url: &str) -> verifydesk::domain::right::Rights {
    let settings = Settings { database_url: Some(Secret::new(url)), ..Settings::default() };
    Store::open(&settings).unwrap().rights().await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_role_knows_its_limits() {
    let logins = Logins::new().await;
    for (group, may) in
        [("operator", &Right::ALL[..]), ("support", &[Right::Resend]), ("viewer", &[]), ("owner", &Right::ALL)]
    {
        let known = rights(&logins.url(group)).await;
        assert_eq!((known.may.as_slice(), known.is_read_only), (may, false), "{group}");
        assert_eq!(known.role.raw(), format!("{}_{group}_login", logins.name));
    }
    let alter = format!("alter role {}_operator_login set default_transaction_read_only = on", logins.name);
    sqlx::query(sqlx::AssertSqlSafe(alter)).execute(&logins.db.pool).await.unwrap();
    assert!(rights(&logins.url("operator")).await.only_reads());
}

#[tokio::test(flavor = "multi_thread")]
async fn read_only_changes_nothing_whatever_the_role_may() {
    let logins = Logins::new().await;
    let program = Program::new(&logins.db.url);
    assert_eq!(program.run(&["signup", "mina@example.com"]).code, 0);
    let id = logins.count("select max(id) from verifications").await.to_string();
    let entries = logins.count("select count(*) from audit_log").await;
    let acts: [&[&str]; 17] = [
        &["signup", "jun@example.com"],
        &["resend", &id],
        &["resend", "--status", "pending", "--yes"],
        &["verify", &id, "--reason", "the user called"],
        &["unverify", &id, "--reason", "another user called"],
        &["change-address", &id, "jin@example.com", "--reason", "a typo"],
        &["revoke", &id, "--reason", "another user called"],
        &["extend", &id, "--reason", "the user called"],
        &["undo"],
        &["queue", "pause", "--reason", "a test"],
        &["queue", "drain", "--reason", "a test"],
        &["queue", "resume"],
        &["prune"],
        &["migrate"],
        &["worker", "--drain"],
        &["serve", "--listen", "127.0.0.1:0"],
        &["events", "approve", "arn:aws:sns:eu-west-1:123456789012:a"],
    ];
    for act in acts {
        let by_flag = program.run(&[&["--read-only"], act].concat());
        let by_setting = Program::new(&logins.db.url).set("VERIFYDESK_READ_ONLY", "true").run(act);
        for run in [by_flag, by_setting] {
            assert_eq!((run.code, run.err.contains("read-only")), (4, true), "{act:?}: {}{}", run.out, run.err);
        }
    }
    for look in [
        &["list"][..],
        &["show", &id],
        &["queue"],
        &["account"],
        &["resend", &id, "--dry-run"],
        &["prune", "--dry-run"],
    ] {
        let run = program.run(&[&["--read-only"], look].concat());
        assert!(run.code == 0 || look[0] == "resend", "{look:?}: {}", run.err);
    }
    assert_eq!(logins.count("select count(*) from audit_log").await, entries);
    assert_eq!(logins.count("select count(*) from sends").await, 1);
}
