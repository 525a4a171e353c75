//! The command line's bulk resends, jobs and queue.

use serde_json::{Value, json};

use super::expired_people;
use crate::support::world::World;
use crate::support::{Program, pty};

fn ids(value: &Value) -> String {
    value["id"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bulk_resend_is_planned_started_and_listed() {
    let world = World::new().await;
    expired_people(&world, 30).await;
    world.execute("update pace set limit_rate = 2, rate = 2, daily_quota = 10").await;
    world.execute("update sends set queued_at = now() where user_id <= 2").await;
    let office = Program::new(&world.db.url);
    let planned = office.run(&["resend", "--status", "expired", "--dry-run"]);
    assert_eq!((planned.code, planned.err.as_str()), (0, ""));
    let expected = "would queue 28 mails, in about 14s at the present pace; 30 verifications found
skipped 2 (2 mailed a moment ago)
18 of the mails wait until the 24-hour quota has room for them
first: person30@example.com, person29@example.com, person28@example.com, person27@example.com, person26@example.com
";
    assert_eq!(planned.out, expected);
    let plan = &office.run(&["resend", "--status", "expired", "--dry-run", "--json"]).json()[0];
    assert_eq!((&plan["found"], &plan["mails"], &plan["skipped"]["cool_down"]), (&json!(30), &json!(28), &json!(2)));
    assert_eq!(
        (&plan["seconds"], &plan["over_quota"], &plan["skipped"]["verified"]),
        (&json!(14.0), &json!(18), &json!(0))
    );
    assert_eq!(world.number("select count(*) from sends where state = 'queued'").await, 0);
    let unsure = office.run(&["resend", "--status", "expired"]);
    assert!(unsure.code == 2 && unsure.err.contains("--dry-run"), "{}", unsure.err);

    let started = office.run(&["resend", "--status", "expired", "--search", "person2", "--yes"]);
    assert_eq!((started.code, started.err.as_str()), (0, ""), "not a terminal: it returns at once");
    assert!(started.out.ends_with(": queued 10 mails; skipped 1 (1 mailed a moment ago)\n"), "{}", started.out);
    let job = &office.run(&["resend", "--status", "expired", "--yes", "--json"]).json()[0];
    assert_eq!((&job["state"], &job["queued"], &job["looked_at"]), (&json!("done"), &json!(18), &json!(20)));
    assert_eq!((&job["scope"]["status"], &job["found"], &job["open"]), (&json!("expired"), &json!(20), &json!(18)));
    assert_eq!(world.number("select count(*) from sends where state = 'queued'").await, 28);

    let listed = office.run(&["jobs", "--json"]).json();
    assert_eq!((listed.len(), ids(&listed[0])), (2, ids(job)));
    let scope = json!({
        "status": "expired", "search": "person2", "since": null, "until": null, "filter": "status:expired person2",
    });
    assert_eq!(listed[1]["scope"], scope);
    assert_eq!(office.run(&["jobs", "--json", "--limit", "1"]).json().len(), 1);
    let table = office.run(&["jobs"]).out;
    assert!(table.starts_with("ID ") && table.contains("expired, with \"person2\""), "{table}");
}

#[tokio::test(flavor = "multi_thread")]
async fn jobs_are_stopped_from_the_shell() {
    let world = World::new().await;
    expired_people(&world, 1_200).await;
    let office = Program::new(&world.db.url);
    let started = office.run(&["resend", "--status", "expired", "--yes"]);
    assert_eq!(started.code, 0);
    assert!(started.out.contains(": queued 1000 mails; skipped 0\n"), "{}", started.out);
    assert!(started.err.starts_with("workers queue the rest; "), "{}", started.err);
    let job = &office.run(&["jobs", "--json"]).json()[0];
    assert_eq!((&job["state"], &job["found"], &job["looked_at"]), (&json!("running"), &json!(1_200), &json!(1_000)));
    let id = ids(job);
    let state = || office.run(&["jobs", "--json"]).json()[0]["state"].clone();
    for (act, code, after) in [
        ("pause", 0, "paused"),
        ("pause", 4, "paused"),
        ("resume", 0, "running"),
        ("resume", 4, "running"),
        ("cancel", 0, "cancelled"),
        ("cancel", 4, "cancelled"),
        ("resume", 4, "cancelled"),
    ] {
        let run = office.run(&["jobs", act, &id]);
        assert_eq!((run.code, state()), (code, json!(after)), "{act}: {}", run.err);
    }
    let unknown = office.run(&["jobs", "cancel", "00000000-0000-0000-0000-000000000000"]);
    assert!(unknown.code == 3 && unknown.err.contains("there is no job") && unknown.err.contains("verifydesk jobs"));
    assert_eq!(office.run(&["jobs", "cancel", "x"]).code, 2);
    assert_eq!(world.number("select count(*) from sends where state = 'queued'").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_queue_is_shown_and_stopped() {
    let world = World::new().await;
    world.sign_up("mina@example.com").await;
    world
        .execute(
            "update pace set daily_quota = 200;
        insert into workers (id, host, pid, transport, target, secret_fingerprint, last_error)
        values (gen_random_uuid(), 'mail1', 7, 'smtp', 'relay:587', 'abcd', E'450 \\x1b[31mlater')",
        )
        .await;
    let office = Program::new(&world.db.url);
    let view = &office.run(&["queue", "--json"]).json()[0];
    assert_eq!((&view["waiting"], &view["sending"], &view["unknown"]), (&json!(1), &json!(0), &json!(0)));
    assert_eq!(
        (&view["pace"]["rate"], &view["pace"]["left"], &view["brake"]),
        (&json!(14.0), &json!(200), &Value::Null)
    );
    assert_eq!((&view["workers"][0]["host"], &view["workers"][0]["alive"]), (&json!("mail1"), &json!(true)));
    let without = office.run(&["queue", "pause"]);
    assert_eq!(without.code, 2, "{}", without.err);
    let short = office.run(&["queue", "pause", "--reason", " "]);
    assert!(short.code == 4 && short.err.contains("needs a reason"), "{}", short.err);
    for (act, word) in [("pause", "paused"), ("drain", "draining")] {
        assert_eq!(office.run(&["queue", act, "--reason", "looking into bounces"]).code, 0);
        let brake = &office.run(&["queue", "--json"]).json()[0]["brake"];
        assert_eq!((&brake["state"], &brake["reason"]), (&json!(word), &json!("looking into bounces")));
    }
    let shown = office.run(&["queue"]);
    assert_eq!((shown.code, shown.err.as_str()), (0, ""));
    assert!(
        shown.out.contains("quota    200 of 200 left") && shown.out.contains("brake    draining by "),
        "{}",
        shown.out
    );
    assert!(shown.out.contains("mail1") && !shown.out.contains('\u{1b}'), "{}", shown.out);
    let started = office.run(&["resend", "--status", "all", "--yes"]);
    assert!(
        started.out.contains("queued 0 mails") && started.err.contains("sending is draining by"),
        "{}",
        started.err
    );
    assert_eq!(office.run(&["queue", "resume"]).code, 0);
    let again = office.run(&["queue", "resume"]);
    assert!(again.code == 4 && again.err.contains("not paused"), "{}", again.err);
}

#[tokio::test(flavor = "multi_thread")]
async fn on_a_terminal_a_job_is_followed_and_let_go() {
    let world = World::new().await;
    expired_people(&world, 20).await;
    let home = tempfile::tempdir().unwrap();
    let program = || {
        let command =
            pty::Command::new(env!("CARGO_BIN_EXE_verifydesk"), home.path()).env("DATABASE_URL", &world.db.url);
        ["resend", "--status", "expired", "--yes"].into_iter().fold(command, pty::Command::arg)
    };
    let mut left = program().start();
    left.wait("the bar", |heard| heard.text().contains("20 of 20 looked at, 0 mails gone, 20 to go"));
    left.wait("who is missing", |heard| heard.text().contains("no worker is running"));
    left.keys("\u{3}");
    left.wait("the way back", |heard| heard.written().contains("verifydesk jobs cancel"));
    assert_eq!(left.exit_code(), 0);
    assert_eq!(world.number("select count(*) from sends where state = 'queued'").await, 20);

    world.execute("update sends set queued_at = now() - interval '1 hour', state = 'accepted'").await;
    let again = pty::Command::new(env!("CARGO_BIN_EXE_verifydesk"), home.path()).env("DATABASE_URL", &world.db.url);
    let mut followed = ["resend", "--status", "pending", "--yes"].into_iter().fold(again, pty::Command::arg).start();
    followed.wait("the bar", |heard| heard.text().contains("0 mails gone, 20 to go"));
    world
        .execute("update sends set state = 'accepted' where state = 'queued' and recipient <> 'person1@example.com'")
        .await;
    followed.wait("it to move", |heard| heard.text().contains("19 mails gone, 1 to go"));
    world.execute("update sends set state = 'accepted' where state = 'queued'").await;
    assert_eq!(followed.exit_code(), 0);
    followed.wait("its end", |heard| heard.text().contains("100 %"));
    // One line, drawn again.
    assert_eq!(followed.heard().lines().iter().filter(|line| line.contains("looked at")).count(), 1);
}
