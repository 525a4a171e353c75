//! Names beyond ASCII: as the database and the program see them, and as people look for them.

use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use verifydesk::domain::filter::{Filter, Search, pairs};
use verifydesk::domain::page::Position;

use crate::support::world::World;

fn names() -> impl Strategy<Value = Vec<String>> {
    // Letters that every system makes small in one way, apart and together, of some scripts.
    let name = prop_oneof![
        "[가-힣]{2,4}",
        "[가-힣] ?[가-힣ㄱ-ㅎ]{1,3}",
        "[A-Za-zÀ-ÖÙ-ÝΑ-Ρа-яА-Я '.-]{0,12}",
        "[A-Z][a-z]{1,4}[\u{301}\u{308}]?[a-z]{0,3}",
        "[\u{1100}-\u{1112}][\u{1161}-\u{1175}][\u{11a8}-\u{11c2}]?[\u{1100}-\u{1112}][\u{1161}-\u{1175}]",
        "[日本語漢字かなカナ]{1,6}",
    ];
    proptest::collection::vec(name, 300..=300)
}

#[tokio::test]
async fn program_and_database_make_the_same_pairs() {
    let world = World::new().await;
    let mut runner = proptest::test_runner::TestRunner::default();
    let names = names().new_tree(&mut runner).unwrap().current();
    let made: Vec<String> = sqlx::query_scalar("select name_pairs(name) from unnest($1::text[]) as name")
        .bind(&names)
        .fetch_all(world.pool())
        .await
        .unwrap();
    for (name, made) in names.iter().zip(made) {
        assert_eq!(made, pairs::of_name(name).join(" "), "{name:?}");
    }
}

async fn sign_up(world: &World, email: &str, name: &str) {
    sqlx::query(
        "with u as (insert into users (email, name) values ($1, $2) returning id, email),
        v as (
            insert into verifications (user_id, key_nonce, expires_at)
            select id, decode(repeat('00', 16), 'hex'), now() + interval '1 day' from u
            returning id, user_id
        )
        insert into sends (id, verification_id, user_id, recipient, locale)
        select gen_random_uuid(), v.id, u.id, u.email, 'ko' from v join u on u.id = v.user_id",
    )
    .bind(email)
    .bind(name)
    .execute(world.pool())
    .await
    .unwrap();
}

#[tokio::test]
async fn the_longest_name_has_a_place_in_the_index() {
    let world = World::new().await;
    // Each of these letters becomes three when it is normalized.
    let name = "\u{fb2c}".repeat(64);
    sign_up(&world, "shin@example.com", &name).await;
    let filter = Filter { search: Search::parse(&name), ..Filter::default() };
    assert_eq!(world.store().list(&filter, Position::Newest, 10).await.unwrap().rows.len(), 1);
}

#[tokio::test]
async fn korean_names_are_found_as_koreans_look_for_them() {
    let world = World::new().await;
    // So many that what is found is named by the index.
    world
        .execute(
            "with u as (insert into users (email, name)
                select 'else' || n || '@example.com', '최' || chr(44032 + n % 500) || chr(50000 + n)
                from generate_series(1, 3000) n
                returning id)
            insert into verifications (user_id, key_nonce, expires_at)
            select id, decode(repeat('00', 16), 'hex'), now() + interval '2 days' from u",
        )
        .await;
    for (email, name) in [
        ("mina@example.com", "김미나"),
        ("minju@example.com", "김 민주"),
        ("joon@example.com", "서준 박"),
        ("ara@example.com", "나애라"),
        ("sujin@example.com", "남궁수진"),
        ("apart@example.com", "\u{110b}\u{1175}\u{1112}\u{1161}\u{1102}\u{1173}\u{11af}"),
        ("cafe@example.com", "Jose\u{301}"),
        ("shop@xn--3e0b707e.example", "Shop"),
    ] {
        sign_up(&world, email, name).await;
    }
    world.execute("vacuum (analyze) users").await;
    for (text, found) in [
        ("미나", &["mina"][..]),
        ("김미나", &["mina"]),
        ("미나 김", &["mina"]),
        ("미나김", &["mina"]),
        ("ㄱㅁㄴ", &["mina"]),
        ("ㅁㄴ", &["mina"]),
        ("나미", &[]),
        ("ㄴㅁ", &[]),
        ("김민주", &["minju"]),
        ("민주김", &["minju"]),
        ("김 민주", &["minju"]),
        ("ㄱㅁㅈ", &["minju"]),
        ("박서준", &["joon"]),
        ("박 서준", &["joon"]),
        ("ㅅㅈㅂ", &["joon"]),
        ("수진남궁", &["sujin"]),
        ("김", &["mina", "minju"]),
        ("나", &["ara"]),
        ("ㄱ", &["mina", "minju"]),
        ("ㄱㅁ", &["mina", "minju"]),
        ("이하늘", &["apart"]),
        ("하늘", &["apart"]),
        ("\u{1112}\u{1161}\u{1102}\u{1173}\u{11af}", &["apart"]),
        ("josé", &["cafe"]),
        ("JOSE\u{301}", &["cafe"]),
        ("한국", &["shop"]),
        ("shop@한국.example", &["shop"]),
        ("한국.example", &["shop"]),
    ] {
        let search = Search::parse(text);
        let filter = Filter { search: search.clone(), ..Filter::default() };
        let rows = world.store().list(&filter, Position::Newest, 50).await.unwrap().rows;
        let mut all: Vec<&str> = rows.iter().map(|row| row.user.email.raw().split('@').next().unwrap()).collect();
        all.sort_unstable();
        assert_eq!(all, found, "{text}");
        assert_eq!(world.store().sends(&filter, Position::Newest, 50).await.unwrap().rows.len(), found.len(), "{text}");
        let plan = world.store().explain_search(&search.unwrap()).await.unwrap();
        assert!(plan.contains("users_name_pairs") || text.contains('@'), "{text}: {plan}");
    }
}
