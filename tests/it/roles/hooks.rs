//! Webhooks under the roles: operators act, workers deliver, and no one else writes them.

use super::{Logins, SECRET};
use crate::hooks::receiver::{self, Receiver};

#[tokio::test(flavor = "multi_thread")]
async fn who_acts_writes_none_and_workers_deliver() {
    let (logins, receiver) = (Logins::new().await, Receiver::start());
    let mails = tempfile::tempdir().unwrap();
    let worker = logins
        .program("worker")
        .set("VERIFYDESK_PUBLIC_URL", "https://example.org")
        .set("VERIFYDESK_SECRET", SECRET)
        .set("VERIFYDESK_MAIL__FROM", "Example <no-reply@example.org>")
        .set("VERIFYDESK_MAIL__TRANSPORT", "capture")
        .set("VERIFYDESK_CAPTURE__DIR", mails.path().display().to_string())
        .set("VERIFYDESK_WEBHOOK__SITE__URL", receiver.url())
        .set("VERIFYDESK_WEBHOOK__SITE__SECRET", receiver::SECRET)
        .set("VERIFYDESK_WEBHOOK__SITE__ALLOW_PRIVATE", "true");
    let drain = || {
        let run = worker.run(&["worker", "--drain"]);
        assert_eq!((run.code, run.err.contains("permission denied")), (0, false), "{}", run.err);
        assert!(!run.err.contains("wait for the database"), "{}", run.err);
    };
    drain();
    let operator = logins.program("operator");
    assert_eq!(operator.run(&["signup", "mina@example.com"]).code, 0);
    let verified = operator.run(&["verify", "1", "--reason", "the user called"]);
    assert_eq!(verified.code, 0, "{}", verified.err);
    let test = operator.run(&["webhooks", "test", "site"]);
    assert_eq!(test.code, 0, "{}", test.err);
    drain();
    let mut got = receiver.in_short();
    got.sort();
    assert_eq!(got, ["1 user.verified", "null webhook.test"]);
    assert!(receiver.got().iter().all(|one| one["verified"] == 0));

    sqlx::query("update webhook_deliveries set state = 'given_up'").execute(&logins.db.pool).await.unwrap();
    for group in ["support", "viewer"] {
        let program = logins.program(group);
        let list = program.run(&["webhooks", "list", "--state", "given-up", "--json"]);
        assert_eq!((list.code, list.out.lines().count()), (0, 2), "{}", list.err);
        for act in [&["test", "site"][..], &["retry", "--given-up"]] {
            let refused = program.run(&[&["webhooks"], act].concat());
            assert_eq!((refused.code, refused.out.as_str()), (4, ""), "{group}: {}", refused.err);
            assert!(refused.err.contains("permission denied"), "{}", refused.err);
        }
    }
    let again = operator.run(&["webhooks", "retry", "--given-up"]);
    assert_eq!(again.out, "2 messages are tried again at site\n", "{}", again.err);

    for (group, statement) in [
        ("serve", "select body from webhook_messages"),
        ("serve", "insert into webhook_messages (kind, body) values ('user.verified', '{}')"),
        ("operator", "insert into webhook_messages (kind, body) values ('user.verified', '{}')"),
        ("worker", "insert into webhook_messages (kind, body) values ('user.verified', '{}')"),
        ("worker", "update webhook_messages set body = '{}'"),
        ("worker", "select write_webhook('user.verified', 1, now(), '{}')"),
        ("support", "select retry_webhooks('site', null, 'me', 'cli')"),
        ("support", "select queue_webhook_test('site', 'me', 'cli')"),
        ("operator", "update webhook_deliveries set state = 'waiting'"),
        ("operator", "insert into webhook_attempts (message_id, endpoint, error) values (1, 'site', 'x')"),
        ("worker", "delete from webhook_attempts"),
        ("worker", "update webhook_expiry set until_id = 0"),
        ("operator", "select tell_of_expired(1)"),
    ] {
        let refusal = logins.refusal(group, statement).await;
        assert!(refusal.as_deref().is_some_and(|why| why.contains("permission denied")), "{group}: {statement}");
    }
}
