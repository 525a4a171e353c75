//! How many a search finds.

use verifydesk::domain::filter::hits::Hits;
use verifydesk::domain::filter::{Clock, Filter, Place, Search, line};
use verifydesk::domain::page::Position;
use verifydesk::domain::send::SendState;
use verifydesk::domain::verification::Status::{self, Expired, Pending, Revoked, Verified};

use crate::support::world::World;

fn search(text: &str) -> Filter {
    Filter { search: Some(Search::parse(text).unwrap()), ..Filter::default() }
}

fn of_each(hits: &Hits<Status>) -> [i64; 5] {
    [Some(Pending), Some(Verified), Some(Expired), Some(Revoked), None].map(|status| hits.of(status))
}

#[tokio::test]
async fn hits_are_counted_under_each_tab() {
    let world = World::new().await;
    let mut ids = Vec::new();
    for n in 0..5 {
        ids.push(world.sign_up(&format!("sora{n}@example.com")).await);
    }
    world.sign_up("joon@example.com").await;
    world.expire(ids[0]).await;
    world.revoke(ids[1]).await;
    world.run("update verifications set verified_at = now() where id = $1", ids[2]).await;
    world.run("update sends set state = 'failed', reason = 'refused' where verification_id = $1", ids[3]).await;
    let store = world.store();
    for (text, expected) in [
        ("sora", [2, 1, 1, 1, 5]),
        ("example", [3, 1, 1, 1, 6]),
        ("joon@example.com", [1, 0, 0, 0, 1]),
        ("nobody", [0; 5]),
        ("%", [0; 5]),
    ] {
        let hits = store.verification_hits(&search(text)).await.unwrap().unwrap();
        assert_eq!((of_each(&hits), hits.is_all), (expected, true), "{text}");
    }
    let by_number = store.verification_hits(&search(&format!("#{}", ids[1]))).await.unwrap().unwrap();
    assert_eq!(of_each(&by_number), [0, 0, 0, 1, 1]);
    let hits = store.send_hits(&search("sora")).await.unwrap().unwrap();
    let states = [Some(SendState::Queued), Some(SendState::Failed), Some(SendState::Bounced), None];
    assert_eq!((states.map(|state| hits.of(state)), hits.is_all), ([4, 1, 0, 5], true));
    assert_eq!(store.send_hits(&search("%")).await.unwrap().unwrap().of(None), 0);
}

#[tokio::test]
async fn of_very_many_hits_it_is_said_that_there_are_more() {
    let world = World::new().await;
    world
        .execute(
            "with u as (
            insert into users (email, name) select 'many' || n || '@example.com', '' from generate_series(1, 1200) n
            returning id, email
        ),
        v as (
            insert into verifications (user_id, key_nonce, expires_at)
            select id, decode(repeat('00', 16), 'hex'), now() + interval '1 day' from u
            returning id, user_id
        )
        insert into sends (id, verification_id, user_id, recipient, locale)
        select gen_random_uuid(), v.id, u.id, u.email, 'en' from v join u on u.id = v.user_id",
        )
        .await;
    let store = world.store();
    let hits = store.verification_hits(&search("many")).await.unwrap().unwrap();
    assert_eq!((of_each(&hits), hits.is_all), ([1_001, 0, 0, 0, 1_001], false));
    let hits = store.send_hits(&search("many")).await.unwrap().unwrap();
    assert_eq!((hits.of(Some(SendState::Queued)), hits.is_all), (1_001, false));
}

#[tokio::test]
async fn no_one_waits_for_a_count_that_takes_long() {
    let world = World::new().await;
    world.sign_up("mina@example.com").await;
    let mut held = world.pool().begin().await.unwrap();
    sqlx::query("lock table users").execute(&mut *held).await.unwrap();
    assert_eq!(world.store().verification_hits(&search("mina")).await.unwrap(), None);
    assert_eq!(world.store().send_hits(&search("mina")).await.unwrap(), None);
    held.rollback().await.unwrap();
    assert_eq!(world.store().verification_hits(&search("mina")).await.unwrap().unwrap().of(None), 1);
}

fn line(text: &str, place: Place) -> Filter {
    line::parse(text, place, Clock::utc(chrono::Utc::now())).unwrap()
}

#[tokio::test]
async fn hits_of_terms_are_what_the_lists_show() {
    let world = World::new().await;
    let mut ids = Vec::new();
    for n in 0..6 {
        ids.push(world.sign_up(&format!("sora{n}@{}.example", if n < 4 { "maru" } else { "haneul" })).await);
    }
    world.expire(ids[0]).await;
    world.revoke(ids[1]).await;
    world.run("update verifications set verified_at = now() where id = $1", ids[2]).await;
    world.run("update sends set state = 'failed', reason = 'refused' where verification_id = $1", ids[3]).await;
    world.run("update sends set state = 'failed', reason = 'quota' where verification_id = $1", ids[4]).await;
    let store = world.store();
    for text in [
        "domain:maru.example",
        "sora mail:failed",
        "locale:en since:2h",
        "expires:<9d",
        "domain:no.example",
        "% locale:ko",
    ] {
        let filter = line(text, Place::Verifications);
        let hits = store.verification_hits(&filter).await.unwrap().unwrap();
        let mut expected = Vec::new();
        for status in [Some(Pending), Some(Verified), Some(Expired), Some(Revoked), None] {
            let filter = Filter { status, ..filter.clone() };
            expected.push(i64::try_from(store.list(&filter, Position::Newest, 100).await.unwrap().rows.len()).unwrap());
        }
        assert_eq!(of_each(&hits).to_vec(), expected, "{text}");
        assert!(hits.is_exact(None), "{text}");
    }
    for text in [
        "",
        "domain:maru.example",
        "reason:quota",
        "sora since:2h",
        "sora4 locale:en",
        "mail:failed,queued",
        "sort:queued",
    ] {
        let filter = line(text, Place::Mails);
        let hits = store.send_hits(&filter).await.unwrap().unwrap();
        let mut all = 0;
        for state in SendState::ALL.into_iter().filter(|state| filter.mail_states().contains(*state)) {
            let filter = Filter { mail: Some(state).into(), ..filter.clone() };
            let expected =
                i64::try_from(store.sends(&filter, Position::Newest, 100).await.unwrap().rows.len()).unwrap();
            assert_eq!(hits.of(Some(state)), expected, "{text} {state}");
            all += expected;
        }
        assert_eq!((hits.of(None), hits.is_exact(None)), (all, true), "{text}");
    }
}

#[tokio::test]
async fn mails_of_a_state_are_counted_up_to_a_limit() {
    let world = World::new().await;
    let id = world.sign_up("mina@example.com").await;
    world
        .execute(&format!(
            "insert into sends (id, verification_id, user_id, recipient, locale, state, reason)
            select gen_random_uuid(), {id}, (select user_id from verifications where id = {id}), 'mina@example.com', 'en',
                'failed', 'refused'
            from generate_series(1, 3000)"
        ))
        .await;
    let hits = world.store().send_hits(&Filter::default()).await.unwrap().unwrap();
    assert_eq!((hits.of(Some(SendState::Failed)), hits.is_exact(Some(SendState::Failed))), (1_001, false));
    assert_eq!((hits.of(Some(SendState::Queued)), hits.is_exact(Some(SendState::Queued))), (1, true));
    assert!(!hits.is_exact(None));
}
