//! How many a search finds.

use verifydesk::domain::filter::Search;
use verifydesk::domain::filter::hits::Hits;
use verifydesk::domain::send::SendState;
use verifydesk::domain::verification::Status::{self, Expired, Pending, Revoked, Verified};

use crate::support::world::World;

fn search(text: &str) -> Search {
    Search::parse(text).unwrap()
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
