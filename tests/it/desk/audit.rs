//! Lists of the audit log.

use std::collections::HashSet;

use chrono::Duration;
use verifydesk::domain::audit::{Action, AuditFilter, AuditKind, AuditRow};
use verifydesk::domain::filter::{Clock, Place, Search, line};
use verifydesk::domain::page::Position;
use verifydesk::domain::undo::Which;

use super::age;
use crate::support::Program;
use crate::support::world::{World, operator};

/// A few hundred entries of all kinds, many at the same moment, some by no role that is known.
async fn many(world: &World) {
    world
        .execute(
            "insert into audit_log (at, actor, origin, action, outcome, user_id)
            select
                now() - (n / 7) * interval '1 hour',
                case n % 5 when 0 then 'mina from 10.0.0.' || n % 3 when 1 then 'jun' else 'link' end,
                case n % 5 when 0 then 'console' when 1 then 'cli' else 'web' end,
                case when n % 5 > 1 then 'open_link' when n % 2 = 0 then 'force_verify' else 'pause' end,
                'done', n % 20
            from generate_series(1, 307) as n;
            alter table audit_log disable trigger user;
            update audit_log set login = null where id % 3 = 0;
            alter table audit_log enable trigger user",
        )
        .await;
}

fn parsed(text: &str) -> AuditFilter {
    line::parse(text, Place::Audit, Clock::utc(chrono::Utc::now())).unwrap().into()
}

async fn all(world: &World, filter: &AuditFilter, rows: i64) -> Vec<AuditRow> {
    let mut found: Vec<AuditRow> = Vec::new();
    let mut position = Position::Newest;
    loop {
        let page = world.store().audit(filter, position, rows).await.unwrap();
        assert_eq!(page.newer, !found.is_empty());
        found.extend(page.rows);
        match found.last() {
            Some(last) if page.older => position = Position::After(last.place()),
            _ => return found,
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_go_through_every_entry_once_in_both_directions() {
    let world = World::new().await;
    many(&world).await;
    let since = Some(chrono::Utc::now() - Duration::hours(20));
    let table = [
        (parsed(""), "true"),
        (parsed("by:MINA"), "actor like 'mina%'"),
        (parsed("by:10.0.0.2"), "actor = 'mina from 10.0.0.2'"),
        (parsed("by:verifydesk"), "login is not null"),
        (parsed("action:pause,force-verify by:jun"), "actor = 'jun'"),
        (parsed("action:pause"), "action = 'pause'"),
        (parsed("user 7"), "user_id = 7"),
        (parsed("user 10 by:mina"), "user_id = 10 and actor like 'mina%'"),
        (parsed("").of(Some(AuditKind::Operators)), "origin in ('console', 'cli')"),
        (parsed("action:pause").of(Some(AuditKind::Users)), "false"),
        (AuditFilter { since, ..parsed("by:jun") }, "actor = 'jun' and at >= now() - interval '20 hours'"),
        (AuditFilter { until: since, ..parsed("") }, "at < now() - interval '20 hours'"),
    ];
    for (filter, condition) in table {
        let forward = all(&world, &filter, 10).await;
        let ids: Vec<i64> = forward.iter().map(|row| row.entry.id).collect();
        let query = format!("select id from audit_log where {condition} order by at desc, id desc");
        let expected: Vec<i64> = sqlx::query_scalar(sqlx::AssertSqlSafe(query)).fetch_all(world.pool()).await.unwrap();
        assert_eq!(ids, expected, "{condition}");
        let Some(last) = forward.last() else { continue };
        let mut backward = vec![last.clone()];
        loop {
            let first = backward[0].place();
            let page = world.store().audit(&filter, Position::Before(first), 7).await.unwrap();
            backward.splice(0..0, page.rows);
            if !page.newer {
                break;
            }
        }
        assert_eq!(forward, backward, "{condition}");
        let oldest = world.store().audit(&filter, Position::Oldest, 10).await.unwrap();
        assert_eq!(oldest.rows, forward[forward.len().saturating_sub(10)..], "{condition}");
        assert_eq!((oldest.newer, oldest.older), (forward.len() > 10, false), "{condition}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_is_found_by_what_they_were_and_after_they_are_gone() {
    let world = World::new().await;
    let id = world.sign_up("mina.kmi@example.com").await;
    let other = world.sign_up("jun@example.com").await;
    age(&world, Duration::hours(1)).await;
    world.desk.change_address(&operator(), id, "mina.kin@example.com", "a typo").await.unwrap();
    age(&world, Duration::hours(1)).await;
    world.desk.change_address(&operator(), id, "mina.kim@example.com", "another one").await.unwrap();
    let found = async |text: &str| {
        let filter = AuditFilter { whom: Search::parse(text), ..AuditFilter::default() };
        all(&world, &filter, 2).await
    };
    // Signed up; twice changed and mailed anew.
    for text in
        ["mina.kim@example.com", "MINA.KMI@example.com", "<mina.kin@example.com>", "kim", "user 1", &id.to_string()]
    {
        assert_eq!(found(text).await.len(), 5, "{text}");
    }
    assert!(found("kmi@").await.is_empty(), "an earlier address is found from its beginning");
    let changed: Vec<AuditRow> = found("mina.kim").await;
    let changed: Vec<(Option<String>, Option<String>)> = changed
        .iter()
        .filter(|row| row.entry.action.raw() == Action::ChangeAddress.as_str())
        .map(|row| (row.entry.before_in_words(|at| at.to_string()), row.after_in_words(|at| at.to_string())))
        .collect();
    let words = |text: &str| Some(text.to_owned());
    assert_eq!(
        changed,
        [
            (words("address mina.kin@example.com; not verified"), words("address mina.kim@example.com")),
            (words("address mina.kmi@example.com; not verified"), words("address mina.kin@example.com")),
        ]
    );
    let shown: HashSet<_> = found("mina.kim").await.iter().map(|row| row.shown_by).collect();
    assert!(shown.contains(&Some(id)) && shown.len() == 3, "each shows the verification that it is about: {shown:?}");

    world.execute("delete from users where email = 'mina.kim@example.com'").await;
    assert!(found("mina.kim").await.is_empty());
    // By number; no address of theirs is left.
    assert!(found("mina.kmi@example.com").await.is_empty());
    for text in ["user 1", &id.to_string()] {
        let rows = found(text).await;
        assert_eq!(rows.len(), 5, "{text}");
        assert!(rows.iter().all(|row| row.shown_by.is_none() && row.whom().unwrap() == "user 1 (deleted)"), "{rows:?}");
    }
    assert_eq!(found(&other.to_string()).await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_undo_says_what_it_takes_back() {
    let world = World::new().await;
    let id = world.sign_up("mina.kmi@example.com").await;
    age(&world, Duration::hours(1)).await;
    world.desk.change_address(&operator(), id, "mina.kim@example.com", "a typo").await.unwrap();
    let changed = all(&world, &parsed("action:change-address"), 5).await.remove(0);
    assert_eq!(changed.new_email.as_ref().unwrap().raw(), "mina.kim@example.com");
    world.desk.undo(&operator(), Which::Entry(changed.entry.id), None).await.unwrap();
    let rows = all(&world, &parsed("").of(Some(AuditKind::Users)), 5).await;
    let said: Vec<_> = rows.iter().map(|row| (row.entry.what(), row.undoes, row.new_email.is_some())).collect();
    let expected = [
        ("taken back: address changed".to_owned(), Some(changed.entry.id), false),
        // The address that it had made is nowhere any more, and that of now is not it.
        ("address changed".to_owned(), None, false),
    ];
    assert_eq!(said, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn few_entries_are_read_wherever_they_are() {
    const BUFFERS_MAX: usize = 700;
    let world = World::new().await;
    world
        .execute(
            "insert into audit_log (at, actor, origin, action, outcome, user_id)
            select now() - interval '9 days' + n * interval '1 second', 'mina from 10.0.0.' || n, 'cli', 'pause', 'done', 1
            from generate_series(1, 5) as n;
            insert into audit_log (actor, origin, action, outcome, user_id)
            select 'link', 'web', 'open_link', 'verified', n from generate_series(1, 60000) as n",
        )
        .await;
    world.execute("vacuum analyze audit_log").await;
    for text in ["", "by:mina", "action:pause", "action:open_link", "by:nobody", "user 1"] {
        let filter = parsed(text);
        let plan = world.store().explain_audit(&filter, Position::Newest, 50).await.unwrap();
        assert!(!plan.contains("Seq Scan on audit_log"), "{text}: {plan}");
        // The top line counts all beneath it.
        let buffers: usize = plan
            .lines()
            .find_map(|line| {
                line.split_once("Buffers: shared ")?.1.split(['=', ' ']).find_map(|word| word.parse().ok())
            })
            .unwrap();
        assert!(buffers < BUFFERS_MAX, "{text}: {plan}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_line_prints_all_and_never_cuts_in_silence() {
    let world = World::new().await;
    many(&world).await;
    let program = Program::new(&world.db.url);
    let run = program.run(&["audit", "--by", "mina", "--limit", "3", "--json"]);
    let rows = run.json();
    assert_eq!((run.code, rows.len()), (0, 3), "{}", run.err);
    let cursor = rows[2]["cursor"].as_str().unwrap();
    assert_eq!(run.err, format!("more: --after {cursor}\n"));
    let next = program.run(&["audit", "--by", "mina", "--limit", "1", "--json", "--after", cursor]).json();
    assert!(next[0]["at"].as_str() <= rows[2]["at"].as_str() && next[0]["id"] != rows[2]["id"], "{next:?}");
    assert_eq!((&rows[0]["system_user"], &rows[0]["database_role"].is_string()), (&"mina".into(), &true));
    assert_eq!(rows[0]["ssh_address"].as_str().map(|text| text.starts_with("10.0.0.")), Some(true), "{rows:?}");

    let all = program.run(&["audit", "--all", "--json", "--action", "pause", "--action", "force-verify"]);
    let count = world.number("select count(*) from audit_log where action <> 'open_link'").await;
    assert_eq!((i64::try_from(all.json().len()).unwrap(), &*all.err), (count, ""));
    let table = program.run(&["audit", "--origin", "cli", "--limit", "2"]);
    assert!(
        table.out.starts_with("ENTRY  AT ") && table.out.contains("  jun  ") && table.err.starts_with("more: --after ")
    );
    let none = program.run(&["audit", "--user", "hana@example.com"]);
    assert_eq!((none.code, &*none.out, &*none.err), (0, "", "no entry of the audit log matches\n"));
    let refused = program.run(&["audit", "--action", "stop"]);
    assert!(refused.code == 2 && refused.err.contains("\"stop\" is no action: sign-up, resend, "), "{}", refused.err);
    let line = program.run(&["audit", "--search", "kim action:stop"]);
    assert!(
        line.code == 2 && line.err.contains("\"stop\" is no action: ") && line.err.contains("           ^^^^"),
        "{}",
        line.err
    );
    let same = |arguments: &[&str]| program.run(&[&["audit", "--json"], arguments].concat()).out;
    assert_eq!(
        same(&["--search", "by:jun action:pause origin:cli"]),
        same(&["--by", "jun", "--action", "pause", "--origin", "cli"])
    );
    assert_eq!(program.run(&["audit", "--after", "nonsense"]).code, 2);
}
