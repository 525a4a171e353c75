//! What is exactly looked for stands before all others, on whatever page, and each row comes once.

use std::collections::BTreeSet;

use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use verifydesk::domain::filter::{Filter, Search};
use verifydesk::domain::page::{Cursor, Position};
use verifydesk::domain::send::{SendRow, SendState};
use verifydesk::domain::sort::{By, Sort};
use verifydesk::domain::verification::{Status, VerificationRow};

use super::sort::{ids, sorted};
use crate::support::Program;
use crate::support::world::{ID_OF, World};

/// Of so many users the same name tells no one from the rest.
const POPULAR: &str = "Popular";

/// Names as people have them, and as no one should.
fn names() -> Vec<String> {
    let hostile = proptest::collection::vec("[a-c%_\\\\'\"<,.가나 ]{1,6}", 15..=15);
    let mut runner = proptest::test_runner::TestRunner::default();
    let mut names = hostile.new_tree(&mut runner).unwrap().current();
    names.retain(|name| name.trim() == name);
    let usual = [
        "Mina",
        "MINA",
        "Mina Kim",
        "Mina Kim Park",
        "김미나",
        "미나",
        "김미나리",
        "O'Neil \"x\"",
        "100%",
        "a_b",
        "17",
    ];
    names.extend(usual.map(str::to_owned));
    names.extend(std::iter::repeat_n(POPULAR.to_owned(), 60));
    names
}

/// Users of these names, with two verifications each, each with a mail: at any time and of any status.
async fn people(world: &World, names: &[String]) {
    let mut connection = world.pool().acquire().await.unwrap();
    sqlx::raw_sql(ID_OF).execute(&mut *connection).await.unwrap();
    sqlx::query(
        "with u as (
            insert into users (email, name)
            select
                (array['mina', 'xmina', 'mina.', 'kim'])[1 + n % 4] || case when n < 4 then '' else n::text end
                    || '@example.com' || case n % 3 when 0 then '' else '.au' end,
                name
            from unnest($1::text[]) with ordinality as given (name, n)
            returning id, email
        ), v as (
            insert into verifications (user_id, key_nonce, created_at, expires_at, verified_at, revoked_at)
            select id, decode(repeat('00', 16), 'hex'), at, at + interval '3 days',
                case when kind = 1 and id % 3 = 0 then at + interval '1 hour' end,
                case when kind = 2 then at + interval '2 hours' end
            from u
            cross join generate_series(1, 2) kind
            cross join lateral (select now() - id * 7919 % 97 * interval '1 hour' - kind * interval '1 minute' as at) p
            returning id, user_id, created_at
        )
        insert into sends (id, verification_id, user_id, recipient, locale, state, queued_at, reason)
        select pg_temp.id_of(v.created_at), v.id, u.id, u.email, 'ko',
            case v.id % 2 when 0 then 'delivered' else 'failed' end, v.created_at, 'No.'
        from v join u on u.id = v.user_id",
    )
    .bind(names)
    .execute(&mut *connection)
    .await
    .unwrap();
}

/// What is looked for: names, addresses, numbers, and parts of them.
async fn texts(world: &World, names: &[String]) -> Vec<String> {
    let ses_id = "0100000000001297-000000";
    sqlx::query("update sends set ses_id = $1 where verification_id = 5")
        .bind(ses_id)
        .execute(world.pool())
        .await
        .unwrap();
    let once: BTreeSet<&String> = names.iter().collect();
    let mut texts: Vec<String> = once.into_iter().cloned().collect();
    for text in [
        "mina@example.com",
        "Kim <mina@example.com>",
        "@example.com",
        "kim",
        "mi",
        "#17",
        "user 9",
        "김 미나",
        "%",
        ses_id,
    ] {
        texts.push(text.to_owned());
    }
    texts
}

/// The list, exact ones first, as it has to be; how many of them there are.
fn expected(
    everyone: &[VerificationRow],
    all: &[VerificationRow],
    search: &Search,
    sort: Sort,
) -> (Vec<VerificationRow>, usize) {
    let is_exact =
        |row: &&VerificationRow| search.is_exactly(row.user.email.raw(), row.user.name.raw(), row.verification.id);
    let (exact, rest): (Vec<_>, Vec<_>) = all.iter().partition(is_exact);
    let rows = |rows: Vec<&VerificationRow>| sorted(rows.into_iter().cloned().collect(), sort);
    // Whatever the status: a name is as common under each.
    if everyone.iter().filter(is_exact).count() > 50 {
        return (sorted(all.to_vec(), sort), 0);
    }
    let count = exact.len();
    ([rows(exact), rows(rest)].concat(), count)
}

#[tokio::test]
async fn a_list_begins_with_it_on_whatever_page() {
    let world = World::new().await;
    let names = names();
    people(&world, &names).await;
    let store = world.store();
    let everyone = store.list(&Filter::default(), Position::Newest, 10_000).await.unwrap().rows;
    let mut has_both = 0;
    for text in texts(&world, &names).await {
        let search = Search::parse(&text).unwrap();
        for status in [None, Some(Status::Expired)] {
            for sort in [Sort::default_of(status), Sort { by: By::Email, is_up: true }] {
                let filter = Filter { status, search: Some(search.clone()), sort: Some(sort), ..Filter::default() };
                let all = store.list(&filter, Position::Newest, 10_000).await.unwrap();
                if search.number().is_none() && search.send().is_none() && !text.contains('-') {
                    let fits = |row: &&VerificationRow| search.fits(row.user.email.raw(), row.user.name.raw());
                    let of = |row: &&VerificationRow| status.is_none_or(|s| s == row.verification.status(all.as_of));
                    let found: BTreeSet<_> =
                        everyone.iter().filter(fits).filter(of).map(|r| r.verification.id).collect();
                    assert_eq!(ids(&all.rows).into_iter().collect::<BTreeSet<_>>(), found, "{text:?} {status:?}");
                }
                let (rows, exact) = expected(&everyone, &all.rows, &search, sort);
                let rows = ids(&rows);
                if search.exact().is_none_or(|exact| exact.ses_ids.iter().all(|id| !id.contains('-'))) {
                    assert_eq!((ids(&all.rows), all.exact), (rows.clone(), exact), "{text:?} {status:?} {sort}");
                    has_both += usize::from(exact > 0 && exact < rows.len());
                }
                let rows = ids(&all.rows);
                let place = |row: &VerificationRow, as_of| Cursor::sorted(row, status, sort, as_of);
                let (mut down, mut position) = (Vec::new(), Position::Newest);
                loop {
                    let page = store.list(&filter, position, 3).await.unwrap();
                    assert_eq!(page.newer, !down.is_empty());
                    down.extend(ids(&page.rows));
                    let Some(last) = page.rows.last().filter(|_| page.older) else { break };
                    position = Position::After(place(last, page.as_of));
                }
                assert_eq!(down, rows, "{text:?} {status:?} {sort}");
                let (mut up, mut position) = (Vec::new(), Position::Oldest);
                loop {
                    let page = store.list(&filter, position, 2).await.unwrap();
                    up.splice(0..0, ids(&page.rows));
                    let Some(first) = page.rows.first().filter(|_| page.newer) else { break };
                    position = Position::Before(place(first, page.as_of));
                }
                assert_eq!(up, rows, "{text:?} {status:?} {sort}");
                let mut whole = store.whole_list(&filter, Position::Newest).await.unwrap().in_parts_of(4);
                let mut parts = Vec::new();
                while let Some(some) = whole.next().await.unwrap() {
                    parts.extend(ids(&some));
                }
                assert_eq!(parts, rows, "{text:?} {status:?} {sort}");
            }
        }
    }
    assert!(has_both > 5, "{has_both}");
}

#[tokio::test]
async fn so_do_mails() {
    let world = World::new().await;
    let names = names();
    people(&world, &names).await;
    let store = world.store();
    let ids = |rows: &[SendRow]| rows.iter().map(|send| send.id).collect::<Vec<_>>();
    let mut has_both = 0;
    for text in texts(&world, &names).await {
        for (mail, is_up) in [(None, false), (Some(SendState::Failed), true)] {
            let sort = Some(Sort { by: By::Queued, is_up });
            let filter = Filter { search: Search::parse(&text), mail: mail.into(), sort, ..Filter::default() };
            let all = store.sends(&filter, Position::Newest, 10_000).await.unwrap();
            let rows = ids(&all.rows);
            let (exact, rest) = rows.split_at(all.exact);
            for part in [exact, rest] {
                assert!(part.is_sorted_by(|a, b| if is_up { a < b } else { a > b }), "{text:?}: {part:?}");
            }
            has_both += usize::from(!exact.is_empty() && !rest.is_empty());
            let once: BTreeSet<_> = rows.iter().collect();
            assert_eq!(once.len(), rows.len(), "{text:?}");
            let (mut down, mut position) = (Vec::new(), Position::Newest);
            loop {
                let page = store.sends(&filter, position, 3).await.unwrap();
                down.extend(ids(&page.rows));
                let Some(last) = page.rows.last().filter(|_| page.older) else { break };
                position = Position::After(last.id);
            }
            assert_eq!(down, rows, "{text:?}");
            let (mut up, mut position) = (Vec::new(), Position::Oldest);
            loop {
                let page = store.sends(&filter, position, 2).await.unwrap();
                up.splice(0..0, ids(&page.rows));
                let Some(first) = page.rows.first().filter(|_| page.newer) else { break };
                position = Position::Before(first.id);
            }
            assert_eq!(up, rows, "{text:?}");
            let mut whole = store.whole_sends(&filter, Position::Newest).await.unwrap().in_parts_of(4);
            let mut parts = Vec::new();
            while let Some(some) = whole.next().await.unwrap() {
                parts.extend(ids(&some));
            }
            assert_eq!(parts, rows, "{text:?}");
        }
    }
    assert!(has_both > 5, "{has_both}");
    let filter = Filter { search: Search::parse("mina@example.com"), ..Filter::default() };
    let page = store.sends(&filter, Position::Newest, 10).await.unwrap();
    assert!(page.exact == 0 || page.rows[..page.exact].iter().all(|send| send.recipient.raw() == "mina@example.com"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_line_says_so_and_goes_on_behind_it() {
    let world = World::new().await;
    for email in ["mina@example.com", "xmina@example.com", "mina@example.com.au", "ymina@example.com"] {
        world.sign_up(email).await;
    }
    let office = Program::new(&world.db.url);
    for command in ["list", "sends"] {
        let run = office.run(&[command, "--search", "mina@example.com"]);
        let first = run.out.lines().nth(1).unwrap();
        assert!(first.contains(" mina@example.com "), "{}", run.out);
        assert!(run.err.contains("the first row is exactly what was looked for; the others contain it"), "{}", run.err);
        assert!(!office.run(&[command, "--search", "mina"]).err.contains("exactly"));
    }
    let (mut emails, mut after) = (Vec::new(), Vec::new());
    loop {
        let page =
            office.run(&[&["list", "--json", "--limit", "1", "--search", "mina@example.com"], &after[..]].concat());
        let Some(row) = page.json().pop() else { break };
        emails.push(row["email"].as_str().unwrap().to_owned());
        after = vec!["--after", Box::leak(row["cursor"].as_str().unwrap().to_owned().into_boxed_str())];
    }
    assert_eq!(emails, ["mina@example.com", "ymina@example.com", "mina@example.com.au", "xmina@example.com"]);
}
