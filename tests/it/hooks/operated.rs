//! What operators see of webhooks on the command line, and what they do about them.

use serde_json::{Value, json};
use verifydesk::config::Webhook;
use verifydesk::domain::hook::TRIED_FOR;

use super::delivered::{drain, set, states, verify, world};
use super::receiver::Receiver;
use crate::support::world::World;
use crate::support::{Program, Run};

fn run(world: &World, arguments: &[&str]) -> Run {
    Program::new(&world.db.url).run(&[&["webhooks"], arguments].concat())
}

/// What a command prints as JSON Lines.
fn rows(world: &World, arguments: &[&str]) -> Vec<Value> {
    let run = run(world, arguments);
    assert_eq!(run.code, 0, "{}", run.err);
    run.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// What waits has been tried for as long as anything is.
async fn let_give_up(world: &World) {
    let hours = TRIED_FOR.as_secs() / 3600;
    let earlier = format!(
        "update webhook_deliveries set tried_since = now() - interval '{hours} hours', due_at = now() where state = 'waiting'"
    );
    world.execute(&earlier).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_was_given_up_is_shown_with_each_answer_and_tried_again() {
    let mut receiver = Receiver::start();
    receiver.then(&json!([[422, {}, "no\nsuch \u{1b}[31muser\u{202e}"], [400, {}, "still not"], 200]));
    let world = world(&[("site", receiver.webhook())]).await;
    verify(&world, "mina").await;
    drain(&world).await;
    let row = rows(&world, &["list", "--json"]).remove(0);
    let id = row["id"].as_str().unwrap().to_owned();
    assert_eq!(id, receiver.got()[0]["id"], "what the receiver knows it by");
    let known = ["type", "user_id", "endpoint", "state", "attempts", "status"].map(|key| row[key].clone());
    assert_eq!(json!(known), json!(["user.verified", 1, "site", "waiting", 1, 422]));
    assert!(row["due_at"].is_string());
    let early = run(&world, &["retry", &id]);
    assert_eq!((early.code, early.out.as_str()), (4, ""));
    assert!(early.err.contains(&format!("{id} at site: this webhook is waiting there")), "{}", early.err);

    let_give_up(&world).await;
    drain(&world).await;
    assert_eq!(states(&world).await, ["given_up"]);
    let shown = run(&world, &["show", &id]);
    let lines: Vec<&str> = shown.out.lines().collect();
    assert!(lines[4].contains(r#"body      {"type":"user.verified""#), "{}", shown.out);
    assert!(lines[6].starts_with("site: given up at ") && lines[6].ends_with(", 2 attempts"), "{}", shown.out);
    assert!(lines[7].ends_with("  it answered 422 Unprocessable Entity: no ⏎ such ␛[31muser\u{fffd}"), "{}", shown.out);
    assert!(lines[8].ends_with("  it answered 400 Bad Request: still not"), "{}", shown.out);
    let shown = rows(&world, &["show", &id, "--json"]).remove(0);
    let body: Value = serde_json::from_str(shown["body"].as_str().unwrap()).unwrap();
    assert_eq!(body["data"]["email"], "mina@example.com");
    let failed = &shown["deliveries"][0]["failed"];
    assert_eq!((&failed[0]["status"], &failed[1]["status"], failed.get(2)), (&json!(422), &json!(400), None));
    assert_eq!(rows(&world, &["list", "--state", "given-up", "--json"]).len(), 1);

    let read_only = Program::new(&world.db.url).run(&["--read-only", "webhooks", "retry", &id]);
    assert_eq!(read_only.code, 4, "{}", read_only.err);
    let again = rows(&world, &["retry", &id, "--json"]);
    assert_eq!(json!(again), json!([{ "id": id, "endpoint": "site", "outcome": "done", "retried": 1 }]));
    drain(&world).await;
    assert_eq!(states(&world).await, ["delivered"]);
    let shown = run(&world, &["show", &id]).out;
    assert!(shown.contains("site: delivered at ") && shown.contains(", 1 attempt, answered 200\n"), "{shown}");
    assert!(shown.contains("it answered 422"), "what went before stays: {shown}");
    let late = run(&world, &["retry", &id, "--json"]);
    assert_eq!(late.code, 4);
    assert_eq!(serde_json::from_str::<Value>(&late.out).unwrap()["outcome"], "delivered");
    let entries = "select count(*) from audit_log where action = 'retry_webhooks' and user_id = 1 and origin = 'cli'";
    assert_eq!(world.number(entries).await, 1);
    // With who is erased goes what was answered about them.
    world.execute("delete from users where id = 1").await;
    assert_eq!(world.number("select count(*) from webhook_attempts").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn all_that_was_given_up_is_tried_again_but_for_what_is_not_so_any_more() {
    let mut receiver = Receiver::start();
    receiver.then(&json!([400]));
    let world = world(&[("site", receiver.webhook())]).await;
    for user in ["mina", "jun"] {
        verify(&world, user).await;
    }
    let_give_up(&world).await;
    drain(&world).await;
    receiver.then(&json!([200]));
    set(&world, 1, false).await;
    drain(&world).await;
    assert_eq!(states(&world).await, ["given_up", "given_up", "delivered"]);
    let all = rows(&world, &["list", "--json"]);
    let overtaken = all.iter().find(|row| row["user_id"] == 1 && row["type"] == "user.verified").unwrap();
    let refused = run(&world, &["retry", overtaken["id"].as_str().unwrap(), "--json"]);
    assert_eq!(
        (refused.code, serde_json::from_str::<Value>(&refused.out).unwrap()["outcome"].as_str()),
        (4, Some("overtaken"))
    );
    let done = run(&world, &["retry", "--given-up"]);
    assert_eq!((done.code, done.out.as_str()), (0, "1 message is tried again at site\n"), "{}", done.err);
    drain(&world).await;
    assert_eq!(receiver.in_short()[2..], ["1 user.unverified", "2 user.verified"]);
    let none = run(&world, &["retry", "--given-up"]);
    assert_eq!(none.code, 4, "{}", none.err);
    assert!(none.err.contains("site: no webhook was given up that can be tried again"), "{}", none.err);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_test_is_signed_and_begins_again_what_its_receiver_has_ended() {
    let mut receiver = Receiver::start();
    receiver.then(&json!([410, 200]));
    let world = world(&[("site", receiver.webhook())]).await;
    verify(&world, "mina").await;
    set(&world, 1, false).await;
    drain(&world).await;
    let endpoint = rows(&world, &["endpoints", "--json"]).remove(0);
    assert_eq!(json!([endpoint["name"], endpoint["waiting"], endpoint["given_up"]]), json!(["site", 0, 2]));
    assert!(endpoint["disabled_at"].is_string() && endpoint["trouble"].as_str().unwrap().contains("410"));
    let all = rows(&world, &["list", "--state", "given-up", "--json"]);
    let (untried, tried) = (all[0]["id"].as_str().unwrap(), all[1]["id"].as_str().unwrap());
    assert!(run(&world, &["show", untried]).out.contains("\n  never tried: it answered 410 Gone"));
    assert!(run(&world, &["show", tried]).out.contains("Z  it answered 410 Gone\n"));
    for arguments in [&["retry", tried][..], &["retry", "--given-up"]] {
        let refused = run(&world, arguments);
        assert_eq!(refused.code, 4, "{}", refused.err);
        assert!(refused.err.contains("the endpoint site is switched off"), "{}", refused.err);
    }

    let test = rows(&world, &["test", "site", "--json"]).remove(0);
    drain(&world).await;
    let got = receiver.got().pop().unwrap();
    assert_eq!((&got["id"], &got["verified"]), (&test["id"], &json!(0)));
    let body: Value = serde_json::from_str(got["body"].as_str().unwrap()).unwrap();
    assert_eq!((&body["type"], &body["data"]), (&json!("webhook.test"), &json!({})));
    assert_eq!(
        world.number("select count(*) from audit_log where action = 'test_webhook' and reason = 'site'").await,
        1
    );
    let endpoints = run(&world, &["endpoints"]);
    assert!(endpoints.out.contains("http://127.0.0.1:") && !endpoints.out.contains("410"), "{}", endpoints.out);
    assert!(!endpoints.out.contains("hooks?from"), "the rest of the address is no one's to know");
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_go_on_behind_a_cursor_and_miss_none() {
    let receiver = Receiver::start();
    let other = Webhook { allow_private: true, ..receiver.webhook() };
    let world = world(&[("site", receiver.webhook()), ("crm", other)]).await;
    for user in 0..5 {
        verify(&world, &format!("user{user}")).await;
    }
    world.execute("update webhook_deliveries set state = 'delivered' where message_id in (1, 4)").await;
    world.execute("update webhook_deliveries set state = 'given_up' where message_id = 2 and endpoint = 'crm'").await;
    // Of an endpoint that was forgotten.
    world
        .execute("insert into webhook_deliveries (message_id, endpoint, state) values (3, 'a-former', 'given_up')")
        .await;
    world.execute("update webhook_messages set at = now() - interval '1 day' where id < 3").await;
    let short = |rows: &[Value]| -> Vec<String> {
        let one = |row: &Value| format!("{} {}", row["user_id"], row["endpoint"].as_str().unwrap());
        rows.iter().map(one).collect()
    };
    let all = rows(&world, &["list", "--all", "--json"]);
    let expected =
        ["5 crm", "5 site", "4 crm", "4 site", "3 a-former", "3 crm", "3 site", "2 crm", "2 site", "1 crm", "1 site"];
    assert_eq!(short(&all), expected);
    for limit in ["1", "2", "3"] {
        let (mut found, mut after) = (Vec::new(), None::<String>);
        loop {
            let mut arguments = vec!["list", "--json", "--limit", limit];
            arguments.extend(after.iter().flat_map(|after| ["--after", after]));
            let page = rows(&world, &arguments);
            let Some(last) = page.last() else { break };
            after = last["cursor"].as_str().map(ToOwned::to_owned);
            found.extend(page);
        }
        assert_eq!(short(&found), expected, "{limit} at once");
    }
    for limit in ["1", "5"] {
        let first = rows(&world, &["list", "--json", "--user", "3", "--limit", limit]);
        let cursor = first.last().unwrap()["cursor"].as_str().unwrap();
        let rest = rows(&world, &["list", "--json", "--user", "3", "--after", cursor]);
        assert_eq!(short(&[first, rest].concat()), ["3 a-former", "3 crm", "3 site"], "{limit} first");
    }
    let table: [(&[&str], &[&str]); 9] = [
        (&["--user", "2", "--state", "given-up"], &["2 crm"]),
        (&["--user", "4", "--endpoint", "site", "--since", "12h"], &["4 site"]),
        (&["--user", "99"], &[]),
        (&["--state", "given-up"], &["3 a-former", "2 crm"]),
        (&["--state", "delivered", "--endpoint", "site"], &["4 site", "1 site"]),
        (&["--endpoint", "a-former"], &["3 a-former"]),
        (&["--until", "12h"], &["2 crm", "2 site", "1 crm", "1 site"]),
        (&["--since", "12h", "--endpoint", "site"], &["5 site", "4 site", "3 site"]),
        (&["--since", "12h", "--until", "18h"], &[]),
    ];
    for (arguments, expected) in table {
        assert_eq!(short(&rows(&world, &[&["list", "--json"], arguments].concat())), expected, "{arguments:?}");
    }
    let more = run(&world, &["list", "--limit", "2"]);
    assert_eq!(more.out.lines().count(), 3, "{}", more.out);
    assert!(more.err.contains("more: --after "), "{}", more.err);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_there_and_what_makes_no_sense() {
    let world = World::new().await;
    let unknown = "msg_00000000000000000000000000000007";
    let table: [(&[&str], u8, &str); 11] = [
        (&["list"], 0, "no webhook matches"),
        (&["endpoints"], 0, "no worker has an endpoint in its settings"),
        (&["show", unknown], 3, "there is no webhook msg_"),
        (&["retry", unknown], 3, "there is no webhook msg_"),
        (&["retry", "--given-up"], 4, "no webhook was given up"),
        (&["test", "site"], 3, "no worker has an endpoint site"),
        (&["retry"], 2, "required"),
        (&["retry", unknown, "--given-up"], 2, "cannot be used with"),
        (&["list", "--state", "lost"], 2, "use waiting, delivered or given-up"),
        (&["list", "--endpoint", "A b"], 2, "no endpoint can have this name"),
        (&["list", "--user", "mina"], 2, "the number of a user"),
    ];
    for (arguments, code, says) in table {
        let run = run(&world, arguments);
        assert_eq!((i32::from(code), run.out.as_str()), (run.code, ""), "{arguments:?}: {}", run.err);
        assert!(run.err.contains(says), "{arguments:?}: {}", run.err);
    }
}
