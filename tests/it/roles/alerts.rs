//! Alerts under the roles: `serve` tells that no worker is there, and can neither read nor silence anything else.

use std::fs;

use serde_json::Value;

use super::Logins;
use crate::alerts::{KEEP, command};
use crate::support::until;

#[tokio::test(flavor = "multi_thread")]
async fn serve_tells_what_concerns_workers_and_can_silence_nothing() {
    let logins = Logins::new().await;
    let dir = tempfile::tempdir().unwrap();
    let execute = async |statement: &'static str| {
        sqlx::raw_sql(statement).execute(&logins.db.pool).await.unwrap();
    };
    // As another serve has left it, which was stopped before it could tell.
    execute("insert into alerts (kind, summary) values ('outbox_paused', 'maintenance'), ('no_worker', 'none')").await;
    let (_serve, _) = logins
        .program("serve")
        .set("VERIFYDESK_ALERT__COMMAND", command(dir.path(), KEEP).join(","))
        .start(&["serve", "--listen", "127.0.0.1:0"], "listening");
    let messages = || fs::read_to_string(dir.path().join("messages")).unwrap_or_default();
    let told = || -> Vec<[String; 2]> {
        let of = |line: &str| serde_json::from_str::<Value>(line).unwrap();
        let pair = |one: Value| ["phase", "kind"].map(|field| one[field].as_str().unwrap().to_owned());
        messages().lines().map(of).map(pair).collect()
    };
    until("it is told", async || messages().lines().count() == 1 && messages().ends_with('\n')).await;
    execute(
        "insert into workers (id, host, pid, transport, target, secret_fingerprint)
        values (gen_random_uuid(), 'mail-1', 1, 'smtp', 'a relay', 'a secret')",
    )
    .await;
    until("its end is told", async || messages().lines().count() == 2 && messages().ends_with('\n')).await;
    assert_eq!(told(), [["began", "no_worker"], ["ended", "no_worker"]]);
    assert_eq!(logins.count("select count(*) from alerts where ended_at is null and kind = 'outbox_paused'").await, 1);

    assert_eq!(logins.refusal("serve", "select judge_workers(0)").await, None);
    // It does nothing to what is of another kind.
    let silence = "select note_worker_notice(id, 'began', 'command', null) from generate_series(1, 9) as id";
    execute(
        "insert into alert_notices (alert_id, phase, way, tries, next_at)
        select id, 'began', 'command', 1, now() from alerts where kind = 'outbox_paused'",
    )
    .await;
    assert_eq!(logins.refusal("serve", silence).await, None);
    assert_eq!(logins.count("select count(*) from alert_notices n join alerts a on a.id = n.alert_id where a.kind = 'outbox_paused' and n.told_at is not null").await, 0);
    for (group, statement) in [
        ("serve", "select * from alerts"),
        ("serve", "select * from alert_notices"),
        ("serve", "update alerts set ended_at = now()"),
        ("serve", "select * from workers"),
        ("serve", "select claim_notice(null, array['command'], 60)"),
        ("serve", "select note_notice(null, 1, 'began', 'command', null)"),
        ("operator", "select judge_workers(0)"),
        ("support", "select claim_worker_notice(array['command'], 60)"),
        ("viewer", "select note_worker_notice(1, 'began', 'command', null)"),
    ] {
        let refusal = logins.refusal(group, statement).await;
        assert!(refusal.as_deref().is_some_and(|why| why.contains("permission denied")), "{group}: {statement}");
    }
}
