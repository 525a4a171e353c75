//! The command: its words, its JSON, its exit code.

use super::*;
use crate::support::Program;

#[tokio::test(flavor = "multi_thread")]
async fn it_prints_groups_and_json_and_fails_where_something_is_red() {
    let world = World::new().await;
    world.sign_up("mina@example.com").await;
    make_well(&world).await;
    let program = Program::new(&world.db.url);
    let well = program.run(&["doctor"]);
    assert_eq!((well.code, well.err.as_str()), (0, ""), "{}", well.out);
    for words in ["Database\n  green", "Workers\n", "SES account, as workers were answered\n", "0 red, 0 yellow, "] {
        assert!(well.out.contains(words), "{words}: {}", well.out);
    }
    world.execute("update workers set host = E'ma\\x1b]0;pwn\\x07il', beat_at = now() - interval '1 minute'").await;
    let ill = program.run(&["doctor"]);
    assert_eq!(ill.code, 1, "{}", ill.out);
    assert!(ill.out.contains("  red      alive "), "{}", ill.out);
    assert!(ill.out.contains("-> start `verifydesk worker`") && ill.out.contains("2 red, "), "{}", ill.out);
    let json = program.run(&["doctor", "--json"]);
    assert_eq!(json.code, 1);
    let rows = json.json();
    assert_eq!(rows.len(), CHECKS.len());
    let row = rows.iter().find(|row| row["check"] == "workers.alive").unwrap();
    assert_eq!((&row["group"], &row["state"]), (&"workers".into(), &"red".into()));
    assert!(row["found"].as_str().unwrap().contains("the last one was on ma"), "{row}");
    let mut keys: Vec<&String> = row.as_object().unwrap().keys().collect();
    keys.sort();
    assert_eq!(keys, ["check", "found", "group", "next", "state"]);
    for out in [ill.out, json.out] {
        assert!(out.contains("pwn") && !out.contains(['\u{1b}', '\u{7}']), "{out:?}");
    }
}
