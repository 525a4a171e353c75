//! Who may take what back.

use super::Logins;
use crate::support::Program;

#[tokio::test(flavor = "multi_thread")]
async fn who_may_do_an_act_may_take_it_back() {
    let logins = Logins::new().await;
    assert_eq!(Program::new(&logins.db.url).run(&["signup", "mina@example.com"]).code, 0);
    let id = logins.count("select max(id) from verifications").await.to_string();
    let release = async || {
        sqlx::query(
            "update sends set queued_at = now() - interval '1 hour', state = 'accepted' where state = 'queued'",
        )
        .execute(&logins.db.pool)
        .await
        .unwrap();
    };
    for group in ["support", "operator"] {
        release().await;
        let program = logins.program(group);
        for act in [&["resend", &id][..], &["undo"]] {
            let run = program.run(act);
            assert_eq!(run.code, 0, "{act:?} by {group}: {}{}", run.out, run.err);
        }
    }
    let operator = logins.program("operator");
    release().await;
    let acts: [&[&str]; 7] = [
        &["verify", &id, "--reason", "the user called"],
        &["revoke", &id, "--reason", "the user called"],
        &["extend", &id, "--reason", "the user called"],
        &["change-address", &id, "jin@example.com", "--reason", "a typo"],
        &["delete", &id, "--reason", "the user asked", "--yes"],
        &["queue", "pause", "--reason", "a test"],
        &["queue", "drain", "--reason", "a test"],
    ];
    for act in acts {
        release().await;
        let done = operator.run(act);
        assert_eq!(done.code, 0, "{act:?}: {}{}", done.out, done.err);
        let entry = logins.count("select max(id) from audit_log where action <> 'resend'").await.to_string();
        for group in ["viewer", "support"] {
            let run = logins.program(group).run(&["undo", &entry, "--reason", "a mistake"]);
            assert_eq!(run.code, 4, "{act:?} by {group}: {}{}", run.out, run.err);
            assert!(run.err.contains("permission denied"), "{act:?} by {group}: {}", run.err);
        }
        let run = operator.run(&["undo"]);
        assert_eq!(run.code, 0, "{act:?}: {}{}", run.out, run.err);
    }
    assert_eq!(
        logins.count("select count(*) from users where email = 'mina@example.com' and verified_at is null").await,
        1
    );
    assert_eq!(logins.count("select count(*) from verifications where revoked_at is null").await, 1);
    assert_eq!(logins.count("select count(*) from brake where state = 'off'").await, 1);
    // Another's act, as the database knows them, whatever name the program gives.
    let done = operator.run(&["extend", &id, "--reason", "the user called"]);
    assert_eq!(done.code, 0, "{}", done.err);
    let entry = logins.count("select max(id) from audit_log").await.to_string();
    let statement = format!("create role {0}_jun login in role {0}_operator", logins.name);
    sqlx::query(sqlx::AssertSqlSafe(statement)).execute(&logins.db.pool).await.unwrap();
    let jun = Program::new(&logins.db.url.replacen("://verifydesk@", &format!("://{}_jun@", logins.name), 1));
    let run = jun.run(&["undo"]);
    assert_eq!(run.code, 3, "{}{}", run.out, run.err);
    let run = jun.run(&["undo", &entry]);
    assert_eq!((run.code, run.err.contains("needs a reason")), (4, true), "{}{}", run.out, run.err);
    let run = jun.run(&["undo", &entry, "--reason", "a mistake"]);
    assert_eq!(run.code, 0, "{}{}", run.out, run.err);
}
