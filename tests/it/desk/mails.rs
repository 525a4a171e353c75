//! Lists of mails where very many are found, of which the list has few or old ones.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use verifydesk::domain::address::DomainName;
use verifydesk::domain::filter::{Filter, Place};
use verifydesk::domain::id::SendId;
use verifydesk::domain::page::Position;
use verifydesk::domain::send::{SendRow, SendState};
use verifydesk::domain::sort::{By, Sort};

use super::sort::buffers;
use crate::support::until;
use crate::support::world::{ID_OF, World, number};

/// More than are named one by one have old mails alone; of each fifth the name fits and not the address. The newest mails
/// are all of one user's, but for a few: tests, and one to an address of before.
async fn old_mails(world: &World) {
    world
        .execute(&format!(
            "{ID_OF}
            with u as (
                insert into users (email, name)
                select
                    case when n % 5 = 0 then 'u' else 'many' end || n || '@example.com',
                    case when n % 5 = 0 then 'Many' else '' end
                from generate_series(1, 7000) n
                returning id, email
            )
            insert into sends (id, user_id, recipient, locale, state, queued_at, reason)
            select
                pg_temp.id_of(at), id, email, case id % 2 when 0 then 'en' else 'ko' end,
                case when id % 1000 = 7 then 'failed' when id % 10 = 3 then 'bounced' else 'delivered' end, at, 'No.'
            from u
            cross join lateral (select now() - interval '90 days' + id * interval '1 minute' as at) as placed;
            with u as (insert into users (email) values ('other@example.com') returning id, email)
            insert into sends (id, user_id, recipient, locale, state, queued_at, reason)
            select
                pg_temp.id_of(at), id, email, 'en',
                case when n % 1000 = 7 then 'failed' when n % 10 = 3 then 'bounced' else 'delivered' end, at, 'No.'
            from u
            cross join generate_series(1, 18000) n
            cross join lateral (select now() - interval '30 days' + n * interval '1 minute' as at) as placed;
            insert into sends (id, recipient, locale, state, queued_at, test_of)
            values (pg_temp.id_of(now() - interval '40 days'), 'a.many.test@example.com', 'en', 'delivered',
                now() - interval '40 days', 'verification');
            with u as (insert into users (email) values ('new@example.com') returning id),
            a as (
                insert into audit_log (actor, origin, action, outcome, user_id, before)
                select 'mina', 'console', 'change_address', 'done', id, '{{\"email\": \"once.many@example.com\"}}' from u
            )
            insert into sends (id, user_id, recipient, locale, state, queued_at)
            select pg_temp.id_of(now() - interval '39 days'), id, 'once.many@example.com', 'ko', 'bounced',
                now() - interval '39 days'
            from u"
        ))
        .await;
    world.execute("analyze").await;
}

fn ids(rows: &[SendRow]) -> Vec<SendId> {
    rows.iter().map(|row| row.id).collect()
}

fn read(line: &str, is_up: bool) -> Filter {
    Filter { sort: Some(Sort { by: By::Queued, is_up }), ..super::filter::read(line, Place::Mails) }
}

#[tokio::test]
async fn a_search_for_many_with_old_mails_is_whole_and_says_how_far_it_is() {
    let world = World::new().await;
    old_mails(&world).await;
    let store = world.store();
    let everything = store.sends(&Filter::default(), Position::Newest, 50_000).await.unwrap().rows;
    let named: HashSet<i64> = sqlx::query_scalar("select id from users where name = 'Many'")
        .fetch_all(world.pool())
        .await
        .unwrap()
        .into_iter()
        .collect();
    for (line, is_told) in [
        ("many", true),
        ("mail:failed many", false),
        ("mail:bounced,failed many", false),
        ("mail:delivered many", true),
    ] {
        for is_up in [false, true] {
            let filter = read(line, is_up);
            let mut all: Vec<SendId> = everything
                .iter()
                .filter(|send| filter.mail.is_any() || filter.mail.contains(send.state))
                .filter(|send| {
                    send.recipient.raw().contains("many") || send.user_id.is_some_and(|id| named.contains(&id.0))
                })
                .map(|send| send.id)
                .collect();
            if is_up {
                all.reverse();
            }
            let limit = i64::try_from(all.len() / 3 + 2).unwrap();
            let (mut forward, mut position, mut told) = (Vec::new(), Position::Newest, Vec::new());
            loop {
                let tell = |rows: &[SendRow], at| told.push((ids(rows), at));
                let page = store.sends_telling(&filter, position, limit, tell).await.unwrap();
                assert_eq!(page.newer, !forward.is_empty());
                forward.extend(ids(&page.rows));
                assert_eq!(page.older, forward.len() < all.len());
                let Some(last) = page.rows.last().filter(|_| page.older) else { break };
                position = Position::After(last.id);
            }
            assert_eq!(forward, all, "{filter}");
            if is_told && !is_up {
                // Nothing was found at first, but how far it was looked was said.
                let (rows, at) = &told[0];
                assert!(rows.is_empty() && *at <= everything[3_990].queued_at, "{line}: {told:?}");
                assert!(*at > everything[18_000].queued_at, "{line}: {told:?}");
            }
            let mut page = store.sends(&filter, Position::Oldest, limit).await.unwrap();
            let mut backward = ids(&page.rows);
            while page.newer {
                page = store.sends(&filter, Position::Before(page.rows[0].id), limit).await.unwrap();
                backward.splice(0..0, ids(&page.rows));
            }
            assert_eq!(backward, all, "{filter}");
            let mut whole = store.whole_sends(&filter, Position::Newest).await.unwrap().in_parts_of(700);
            let mut rows = Vec::new();
            while let Some(some) = whole.next().await.unwrap() {
                rows.extend(ids(&some));
            }
            assert_eq!(rows, all, "{filter}");
        }
    }
}

#[tokio::test]
async fn terms_that_few_mails_fit_are_walked_for() {
    let world = World::new().await;
    old_mails(&world).await;
    let store = world.store();
    let everything = store.sends(&Filter::default(), Position::Newest, 50_000).await.unwrap().rows;
    let of = |fits: &dyn Fn(&SendRow) -> bool| {
        ids(&everything.iter().filter(|send| fits(send)).cloned().collect::<Vec<_>>())
    };
    let (from, to) = (everything[20_000].queued_at, everything[19_000].queued_at);
    let locale = Some("ko".parse().unwrap());
    let table = [
        (Filter { locale, ..Filter::default() }, of(&|send| send.locale.as_str() == "ko")),
        (
            Filter { locale, mail: SendState::Failed.into(), ..Filter::default() },
            of(&|send| send.locale.as_str() == "ko" && send.state == SendState::Failed),
        ),
        (
            Filter { since: Some(from), until: Some(to), ..Filter::default() },
            of(&|send| send.queued_at >= from && send.queued_at < to),
        ),
        (
            Filter { domain: DomainName::parse("example.com").ok(), until: Some(to), ..Filter::default() },
            of(&|send| send.queued_at < to),
        ),
        (Filter { domain: DomainName::parse("example.net").ok(), ..Filter::default() }, Vec::new()),
    ];
    for (filter, all) in table {
        for is_up in [false, true] {
            let filter = Filter { sort: Some(Sort { by: By::Queued, is_up }), ..filter.clone() };
            let mut all = all.clone();
            if is_up {
                all.reverse();
            }
            let page = store.sends(&filter, Position::Newest, 50).await.unwrap();
            assert_eq!(ids(&page.rows), all[..all.len().min(50)], "{filter}");
            let mut whole = store.whole_sends(&filter, Position::Newest).await.unwrap();
            let mut rows = Vec::new();
            while let Some(some) = whole.next().await.unwrap() {
                rows.extend(ids(&some));
            }
            assert_eq!(rows, all, "{filter}");
        }
    }
}

/// Whichever way they are found: few are named, and many met on a walk.
#[tokio::test]
async fn tests_and_mails_to_an_address_of_before_are_found_by_any_part_of_it() {
    let world = World::new().await;
    old_mails(&world).await;
    let store = world.store();
    for (line, found) in [
        ("once.many@example.com", "once.many@example.com"),
        ("ce.many", "once.many@example.com"),
        ("ce.many example", "once.many@example.com"),
        ("many.test", "a.many.test@example.com"),
        ("ny.te", "a.many.test@example.com"),
    ] {
        let rows = store.sends(&read(line, false), Position::Newest, 10).await.unwrap().rows;
        let rows: Vec<&str> = rows.iter().map(|send| send.recipient.raw()).collect();
        assert_eq!(rows, [found], "{line}");
        let hits = store.send_hits(&Filter { sort: None, ..read(line, false) }).await.unwrap().unwrap();
        assert_eq!((hits.of(None), hits.is_all), (1, true), "{line}");
    }
}

/// However far from the beginning the first mail is that fits.
#[tokio::test]
async fn a_slice_of_mails_reads_few_rows() {
    let world = World::new().await;
    old_mails(&world).await;
    let store = world.store();
    world.execute("vacuum analyze").await;
    for line in ["many", "mail:failed many", "mail:bounced,failed many"] {
        for is_up in [false, true] {
            let filter = read(line, is_up);
            let plan = store.explain_sends(&filter, Position::Newest, 100).await.unwrap();
            let buffers = buffers(&plan);
            // Two thousand mails and the name of whom each is for.
            assert!(buffers < 12_000 && !plan.contains("Seq Scan"), "{line}: {buffers}\n{plan}");
        }
    }
}

/// Each mail takes a millisecond to be looked at: all of them would take a long time.
#[tokio::test]
async fn a_walk_that_no_one_waits_for_any_more_ends_in_the_database() {
    let world = World::new().await;
    old_mails(&world).await;
    world.execute("alter table users rename to slow_users").await;
    world
        .execute(
            "create function slow(text) returns text language plpgsql volatile as
                'begin perform pg_sleep(0.001); return $1; end';
            create view users as select id, email, slow(name) as name, verified_at from slow_users",
        )
        .await;
    let filter = read("many", false);
    let mut whole = world.store().whole_sends(&filter, Position::Newest).await.unwrap();
    assert!(tokio::time::timeout(Duration::from_millis(300), whole.next()).await.is_err());
    drop(whole);
    let begun = Instant::now();
    let working = "select count(*) from pg_stat_activity
        where datname = current_database() and state = 'active' and query like '%looked_at%' and pid <> pg_backend_pid()";
    assert_eq!(number(world.pool(), working).await, 1);
    until("the slice to end", async || number(world.pool(), working).await == 0).await;
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
}
