//! Lists in every order that they can be in.

use verifydesk::domain::filter::{Filter, Search};
use verifydesk::domain::id::VerificationId;
use verifydesk::domain::page::{Cursor, Position};
use verifydesk::domain::sort::{By, Sort};
use verifydesk::domain::verification::{Status, VerificationRow};

use crate::support::Program;
use crate::support::world::World;

/// How many users there are.
const USERS: usize = 300;

const STATUSES: [Option<Status>; 5] =
    [None, Some(Status::Pending), Some(Status::Verified), Some(Status::Expired), Some(Status::Revoked)];

/// Some at the same moments, of some users several, with addresses whose order depends on their bytes.
async fn many(world: &World) {
    world
        .execute(&format!(
            "with u as (
                insert into users (email, name)
                select
                    (array['A', 'a.', 'a_', 'aa', 'Z', '{{', '+', 'many'])[1 + n % 8] || n / 8 || '@example.com',
                    case when n % 5 < 3 then 'Mina' else '' end
                from generate_series(1, {USERS}) n
                returning id
            )
            insert into verifications (user_id, key_nonce, created_at, expires_at, verified_at, revoked_at)
            select id, decode(repeat('00', 16), 'hex'), at,
                at + case id % 3 when 0 then interval '1 day' else interval '3 days' end,
                case when kind = 1 and id % 4 = 1 then at + id % 5 * interval '1 minute' end,
                case when kind > 1 or id % 4 = 2 then at + id % 7 * interval '1 minute' end
            from u
            cross join generate_series(1, 2) kind
            cross join lateral (
                select now() - interval '2 days' + id / 20 * interval '1 minute' - kind * interval '1 hour' as at
            ) as placed"
        ))
        .await;
}

pub fn ids(rows: &[VerificationRow]) -> Vec<VerificationId> {
    rows.iter().map(|row| row.verification.id).collect()
}

/// What the database is to say, by another way.
pub fn sorted(mut rows: Vec<VerificationRow>, sort: Sort) -> Vec<VerificationRow> {
    rows.sort_by_key(|row| {
        let VerificationRow { verification, user, .. } = row;
        let (time, email) = match sort.by {
            By::Email => (None, user.email.raw().to_lowercase()),
            By::Created | By::Queued => (Some(verification.created_at), String::new()),
            By::Expires => (Some(verification.expires_at), String::new()),
            By::Verified => (verification.verified_at, String::new()),
            By::Revoked => (verification.revoked_at, String::new()),
        };
        (time, email, verification.id)
    });
    if !sort.is_up {
        rows.reverse();
    }
    rows
}

#[tokio::test]
async fn pages_of_each_order_are_the_whole_list_in_both_directions() {
    let world = World::new().await;
    many(&world).await;
    let store = world.store();
    for status in STATUSES {
        for text in ["", "mina", "many12", "nobody"] {
            let filter = Filter { status, search: Search::parse(text), ..Filter::default() };
            let all = store.list(&filter, Position::Newest, 10_000).await.unwrap().rows;
            assert!(text == "many12" || text == "nobody" || all.len() > 20, "{text} {status:?}");
            for sort in Sort::all_of(status) {
                let filter = Filter { sort: Some(sort), ..filter.clone() };
                let expected = ids(&sorted(all.clone(), sort));
                let (mut forward, mut position) = (Vec::new(), Position::Newest);
                loop {
                    let page = store.list(&filter, position, 23).await.unwrap();
                    assert_eq!(page.newer, !forward.is_empty());
                    forward.extend(ids(&page.rows));
                    let Some(last) = page.rows.last().filter(|_| page.older) else { break };
                    let place = Cursor::sorted(last, status, sort, page.as_of);
                    // As a script hands it on.
                    position = Position::After(place.to_string().parse().unwrap());
                }
                assert_eq!(forward, expected, "{status:?} {text:?} {sort}");
                let mut page = store.list(&filter, Position::Oldest, 17).await.unwrap();
                let mut backward = ids(&page.rows);
                while page.newer {
                    let first = Cursor::sorted(&page.rows[0], status, sort, page.as_of);
                    page = store.list(&filter, Position::Before(first), 17).await.unwrap();
                    backward.splice(0..0, ids(&page.rows));
                }
                assert_eq!(backward, expected, "{status:?} {text:?} {sort}");
                let whole = store.whole_list(&filter, Position::Newest).await.unwrap();
                let (mut whole, mut rows) = (whole.in_parts_of(19), Vec::new());
                while let Some(some) = whole.next().await.unwrap() {
                    rows.extend(ids(&some));
                }
                assert_eq!(rows, expected, "{status:?} {text:?} {sort}");
            }
        }
    }
}

#[tokio::test]
async fn an_order_that_a_list_has_not_is_its_own() {
    let world = World::new().await;
    many(&world).await;
    let own = Filter { status: Some(Status::Verified), ..Filter::default() };
    let filter = Filter { sort: Some(Sort { by: By::Expires, is_up: true }), ..own.clone() };
    assert_eq!(filter.order(), Sort::default_of(Some(Status::Verified)));
    let own = world.store().list(&own, Position::Newest, 50).await.unwrap();
    let asked = world.store().list(&filter, Position::Newest, 50).await.unwrap();
    assert_eq!(ids(&own.rows), ids(&asked.rows));
}

#[tokio::test]
async fn mails_are_listed_the_oldest_first_too() {
    let world = World::new().await;
    for n in 0..7 {
        world.sign_up(&format!("u{n}@example.com")).await;
    }
    let up = Filter { sort: Some(Sort { by: By::Queued, is_up: true }), ..Filter::default() };
    let store = world.store();
    let mut expected = Vec::new();
    let everything = Filter::default();
    let mut whole = store.whole_sends(&everything, Position::Newest).await.unwrap();
    while let Some(rows) = whole.next().await.unwrap() {
        expected.extend(rows.into_iter().map(|send| send.id));
    }
    expected.reverse();
    let (mut rows, mut position) = (Vec::new(), Position::Newest);
    loop {
        let page = store.sends(&up, position, 3).await.unwrap();
        assert_eq!(page.newer, !rows.is_empty());
        rows.extend(page.rows.iter().map(|send| send.id));
        let Some(last) = page.rows.last().filter(|_| page.older) else { break };
        position = Position::After(last.id);
    }
    assert_eq!(rows, expected);
    let page = store.sends(&up, Position::Before(expected[5]), 2).await.unwrap();
    assert_eq!(page.rows.iter().map(|send| send.id).collect::<Vec<_>>(), expected[3..5]);
    let mut whole = store.whole_sends(&up, Position::Newest).await.unwrap();
    assert_eq!(whole.next().await.unwrap().unwrap().iter().map(|send| send.id).collect::<Vec<_>>(), expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_line_sorts_and_goes_on_behind_a_row() {
    let world = World::new().await;
    many(&world).await;
    let office = Program::new(&world.db.url);
    for (arguments, field, is_up) in [
        (&["--sort", "email"][..], "email", true),
        (&["--sort=-email", "--status", "pending"], "email", false),
        (&["--search", "sort:expires status:pending mina"], "expires_at", true),
        (&["--sort", "created", "--search", "mina"], "created_at", true),
    ] {
        let mut rows = Vec::new();
        let mut after: Vec<String> = Vec::new();
        loop {
            let page = office.run(
                &[
                    &["list", "--json", "--limit", "40"],
                    arguments,
                    &after.iter().map(String::as_str).collect::<Vec<_>>(),
                ]
                .concat(),
            );
            assert_eq!(page.code, 0, "{}", page.err);
            let page = page.json();
            let Some(last) = page.last() else { break };
            after = vec!["--after".into(), last["cursor"].as_str().unwrap().into()];
            rows.extend(page);
        }
        let values: Vec<String> = rows.iter().map(|row| row[field].as_str().unwrap().to_lowercase()).collect();
        assert!(values.len() > 20 && values.is_sorted_by(|a, b| if is_up { a <= b } else { a >= b }), "{values:?}");
        let whole = office.run(&[&["list", "--json", "--all"], arguments].concat()).json();
        let ids = |rows: &[serde_json::Value]| rows.iter().map(|row| row["id"].clone()).collect::<Vec<_>>();
        assert_eq!(ids(&whole), ids(&rows));
        // A cursor of one order is none of another.
        let other = office.run(&["list", &after[0], &after[1], "--sort", "-created"]);
        assert_eq!(other.code, 2, "{}", other.err);
    }
    for (arguments, said) in [
        (
            &["list", "--status", "verified", "--sort", "expires"][..],
            "a list of status verified cannot be sorted by expires",
        ),
        (&["list", "--sort", "name"], "use created, expires, verified, revoked or email"),
        (
            &["list", "--sort", "email", "--search", "sort:email"],
            "--sort is given, and a term in --search says the same",
        ),
        (&["sends", "--sort", "email"], "use queued or -queued"),
        (&["sends", "--search", "sort:email"], "mails are not sorted by email, only by queued"),
    ] {
        let run = office.run(arguments);
        assert!(run.code == 2 && run.err.contains(said), "{arguments:?}: {}", run.err);
    }
}

/// Wherever in the list a page is, and however few of the rows are of the status.
#[tokio::test]
async fn few_rows_are_read_for_a_page_of_each_order() {
    let count: i64 = std::env::var("VERIFYDESK_TEST_LIST").map_or(60_000, |count| count.parse().unwrap());
    let world = World::new().await;
    world.execute("drop index users_email_trigrams, users_name_trigrams").await;
    world
        .execute(&format!(
            "with u as (
                insert into users (email) select md5(n::text) || '@example.com' from generate_series(1, {count}) n
                returning id
            )
            insert into verifications (user_id, key_nonce, created_at, expires_at, verified_at, revoked_at)
            select id, decode(repeat('00', 16), 'hex'), at, at + interval '3 days',
                case when id % 10 < 7 then at + interval '1 hour' end, case when id % 10 = 7 then at + interval '1 hour' end
            from u
            cross join lateral (select now() - (id * 7919 % 400000) * interval '8 seconds' as at) as placed"
        ))
        .await;
    world.execute("vacuum analyze").await;
    let store = world.store();
    for status in STATUSES {
        for sort in Sort::all_of(status) {
            let filter = Filter { status, sort: Some(sort), ..Filter::default() };
            let first = store.list(&filter, Position::Newest, 100).await.unwrap();
            let place = Cursor::sorted(first.rows.last().unwrap(), status, sort, first.as_of);
            for position in
                [Position::Newest, Position::After(place.clone()), Position::Before(place), Position::Oldest]
            {
                let plan = store.explain_list(&filter, position.clone(), 100).await.unwrap();
                let (buffers, time) = (buffers(&plan), plan.lines().last().unwrap_or_default().trim().to_owned());
                println!("{status:?} {sort} {position:?}: {buffers} buffers, {time}");
                assert!(buffers < budget(status, sort), "{status:?} {sort}: {buffers}\n{plan}");
            }
        }
    }
}

/// A page of 100 has to find the user and the last mail of each row. In an order that is not the status's own it meets
/// rows of others between.
fn budget(status: Option<Status>, sort: Sort) -> usize {
    match (status, sort.by) {
        (_, By::Expires | By::Verified | By::Revoked) | (None, By::Created) => 1_000,
        _ => 10_000,
    }
}

/// The top line counts all beneath it.
pub fn buffers(plan: &str) -> usize {
    let line = plan.lines().find_map(|line| line.split_once("Buffers: shared "));
    line.and_then(|(_, counts)| counts.split(['=', ' ']).find_map(|word| word.parse().ok())).unwrap()
}
