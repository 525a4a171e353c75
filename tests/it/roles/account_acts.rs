//! Acts at AWS under the roles: operators ask, support may have an address looked up, workers do it, and no one else may.

use serde_json::json;

use super::{Logins, SECRET};
use crate::support::ses_api::{Answer, SesApi};

#[tokio::test(flavor = "multi_thread")]
async fn operators_ask_and_workers_do_it() {
    let (logins, api) = (Logins::new().await, SesApi::start().await);
    api.answers(Answer::Knows(vec![
        ("DELETE /v2/email/suppression/addresses/mina%40example.com", json!({})),
        (
            "POST /v2/email/identities HTTP",
            json!({ "IdentityType": "EMAIL_ADDRESS", "VerifiedForSendingStatus": false }),
        ),
    ]));
    let operator = logins.program("operator");
    assert_eq!(operator.run(&["signup", "mina@example.com"]).code, 0);
    sqlx::raw_sql(
        "update sends set state = 'bounced', queued_at = now() - interval '1 hour';
        insert into suppressions (address, reason) values ('mina@example.com', 'BOUNCE');
        insert into address_states (address, suppressed_at) values ('mina@example.com', now());
        -- Nothing else is due.
        insert into ses_account (one, asked_at) values (true, now())",
    )
    .execute(&logins.db.pool)
    .await
    .unwrap();
    let remove = "select queue_account_act('remove', 'Mina@example.com', null, 1, 'they called', 'jun', 'cli')";
    let look_up = "select queue_look_up('mina@example.com', 'jun', 'cli')";
    let add = "select queue_identity('Mina@example.com', 'to test with', 'jun', 'cli')";
    for (group, statement) in [
        ("support", add),
        ("viewer", add),
        ("worker", add),
        ("serve", add),
        ("operator", "insert into identities (name) values ('example.org')"),
        ("serve", "select name from identities"),
        ("support", remove),
        ("viewer", remove),
        ("worker", remove),
        ("serve", remove),
        ("viewer", look_up),
        ("serve", look_up),
        ("serve", "select address from account_acts"),
        ("operator", "insert into account_acts (kind, address, actor, origin) values ('remove', 'x@y.z', 'x', 'cli')"),
        ("operator", "update account_acts set address = 'x@y.z'"),
        ("operator", "select end_account_act(1, 0, 'done', null, null, null, null, null)"),
        ("worker", "update account_acts set address = 'x@y.z'"),
        ("worker", "update account_acts set kind = 'add', listing = 'BOUNCE'"),
        ("worker", "delete from account_acts"),
        (
            "worker",
            "insert into audit_log (actor, origin, action, outcome) values ('x', 'cli', 'add_suppression', 'done')",
        ),
    ] {
        let refusal = logins.refusal(group, statement).await;
        let is_refused = |why: &str| why.contains("permission denied") || why.contains("may not write");
        assert!(refusal.as_deref().is_some_and(is_refused), "{group}: {statement}: {refusal:?}");
    }
    for (group, statement) in [("support", look_up), ("operator", look_up), ("operator", remove), ("operator", add)] {
        assert_eq!(logins.refusal(group, statement).await, None, "{group}: {statement}");
    }

    // The worker's own login: the look-up, the removal, and the mail in the operator's name.
    let worker = logins
        .program("worker")
        .set("VERIFYDESK_PUBLIC_URL", "https://example.org")
        .set("VERIFYDESK_SECRET", SECRET)
        .set("VERIFYDESK_MAIL__FROM", "Example <no-reply@example.org>")
        .set("VERIFYDESK_MAIL__TRANSPORT", "ses")
        .set("VERIFYDESK_SES__ENDPOINT", api.endpoint())
        .set("AWS_SES_REGION_NAME", "eu-central-1")
        .set("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
        .set("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY");
    let run = worker.run(&["worker", "--drain"]);
    assert!(!run.err.contains("permission denied"), "{}", run.err);
    assert!(!run.err.contains("wait for the database"), "{}", run.err);
    let states: Vec<String> = sqlx::query_scalar(
        "select concat_ws(' ', kind, state, outcome, send_id is not null, not_mailed) from account_acts order by id",
    )
    .fetch_all(&logins.db.pool)
    .await
    .unwrap();
    assert_eq!(states, ["look_up done not_listed f", "remove done done t", "add_identity done done f"], "{}", run.err);
    assert_eq!(logins.count("select count(*) from sends").await, 2);
    let by_jun = "select count(*) from audit_log where actor = 'jun' and action in ('remove_suppression', 'resend')";
    assert_eq!(logins.count(by_jun).await, 3);
    assert_eq!(logins.count("select count(*) from address_states where suppressed_at is not null").await, 0);
}
