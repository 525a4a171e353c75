//! What the whole list says against what was asked about one address or done to it: the later counts.

use verifydesk::desk::SesAnswer;
use verifydesk::domain::account::act::Listing;
use verifydesk::domain::address::EmailAddress;
use verifydesk::domain::page::Position;
use verifydesk::store::account_acts::ListChange;

use super::acts::{jun, without_keys};
use super::listed::{listed, read};
use super::*;

const MINA: &str = "mina@example.com";

async fn ends(world: &World, change: ListChange, answer: SesAnswer) {
    let desk = without_keys(world);
    let mina = EmailAddress::parse(MINA).unwrap();
    desk.change_suppression_list(&jun(), &mina, change, "they called").await.unwrap();
    let act = world.store().claim_account_act(60.0).await.unwrap().unwrap();
    assert!(desk.end_account_act(&act, &answer).await.unwrap());
}

async fn removed(world: &World) {
    ends(world, ListChange::Remove(None), SesAnswer::Removed { was_listed: true }).await;
}

/// Whether their page says that they are on it; `None` where it does not know.
async fn is_listed(world: &World) -> Option<bool> {
    world.store().suppression(MINA).await.unwrap().map(|known| known.reason.is_some())
}

async fn is_due_again(world: &World) {
    world.execute("update suppression_reading set begun_at = begun_at - interval '1 hour'").await;
}

async fn pages(world: &World) -> Vec<String> {
    let read = world.store().suppressed_page("", Position::Newest, 10).await.unwrap();
    read.page.rows.iter().map(|row| row.address.raw().to_owned()).collect()
}

/// Someone takes an address off in AWS's own console.
#[tokio::test(flavor = "multi_thread")]
async fn who_was_asked_about_and_is_not_in_the_whole_list_is_off_it() {
    let world = World::new().await;
    let store = world.store();
    let id = world.sign_up(MINA).await;
    store.note_suppression(MINA, Some(("BOUNCE", None, None))).await.unwrap();
    read(store, &[("x@example.net", 10)]).await;
    assert_eq!(is_listed(&world).await, Some(false));
    assert_eq!(pages(&world).await, ["x@example.net"]);
    assert_eq!(store.suppressed("", None, 10).await.unwrap().len(), 1);
    let detail = store.show(id).await.unwrap().unwrap();
    assert_eq!(detail.suppression.unwrap().reason, None);
    // As of the reading, not as of the question.
    let at = store.suppression_list(0).await.unwrap().unwrap().read_at;
    assert_eq!(store.suppression(MINA).await.unwrap().map(|known| known.checked_at), at);
    // What is found out later counts again, and also while the next reading is under way.
    store.note_suppression(MINA, Some(("BOUNCE", None, None))).await.unwrap();
    assert_eq!(is_listed(&world).await, Some(true));
    is_due_again(&world).await;
    let page = store.due_list_page().await.unwrap().unwrap();
    assert!(!store.note_list_page(&page, &[], Some("two")).await.unwrap());
    assert_eq!(is_listed(&world).await, Some(true));
    assert_eq!(pages(&world).await, [MINA, "x@example.net"]);
}

/// Of a part of the list, or of one that is longer than what is kept, nothing follows for others.
#[tokio::test(flavor = "multi_thread")]
async fn a_part_of_the_list_says_nothing_of_others() {
    let world = World::new().await;
    let store = world.store();
    store.note_suppression(MINA, Some(("BOUNCE", None, None))).await.unwrap();
    let many: Vec<_> = (0..10_000).map(|n| (format!("u{n}@example.com"), n)).collect();
    let many: Vec<_> = many.iter().map(|(name, age)| (name.as_str(), *age)).collect();
    read(store, &many).await;
    assert_eq!(is_listed(&world).await, Some(true), "as many as are kept at most");
    is_due_again(&world).await;
    world.execute("update suppression_reading set part = 2, whole_at = now()").await;
    let page = store.due_list_page().await.unwrap().unwrap();
    assert!(page.newer_than().is_some());
    assert!(store.note_list_page(&page, &[], None).await.unwrap());
    assert_eq!(is_listed(&world).await, Some(true), "the newest part");
    is_due_again(&world).await;
    world.execute("update suppression_reading set part = 0").await;
    read(store, &[]).await;
    assert_eq!(is_listed(&world).await, Some(false));
}

/// A worker has asked for a page; before it notes it, another takes an address off.
#[tokio::test(flavor = "multi_thread")]
async fn a_page_puts_no_one_back_who_was_taken_off_after_it_was_asked_for() {
    let world = World::new().await;
    let store = world.store();
    world.sign_up(MINA).await;
    read(store, &[(MINA, 100), ("x@example.net", 10)]).await;
    is_due_again(&world).await;
    let page = store.due_list_page().await.unwrap().unwrap();
    removed(&world).await;
    let both = listed(store, &[(MINA, 100), ("x@example.net", 10)]).await;
    assert!(store.note_list_page(&page, &both, None).await.unwrap());
    assert_eq!(is_listed(&world).await, Some(false));
    assert_eq!(pages(&world).await, ["x@example.net"]);
    // What is asked for after that is newer: then they are on it again.
    is_due_again(&world).await;
    read(store, &[(MINA, 5), ("x@example.net", 10)]).await;
    assert_eq!(is_listed(&world).await, Some(true));
}

/// The same, the other way round: the page where they would stand had been read before.
#[tokio::test(flavor = "multi_thread")]
async fn a_reading_takes_no_one_off_who_was_put_on_while_it_went_on() {
    let world = World::new().await;
    let store = world.store();
    read(store, &[("x@example.net", 10)]).await;
    is_due_again(&world).await;
    let first = store.due_list_page().await.unwrap().unwrap();
    ends(&world, ListChange::Add(Listing::Bounce), SesAnswer::Added(Listing::Bounce)).await;
    let known = listed(store, &[("x@example.net", 10)]).await;
    assert!(!store.note_list_page(&first, &known, Some("two")).await.unwrap());
    let second = store.due_list_page().await.unwrap().unwrap();
    assert!(store.note_list_page(&second, &[], None).await.unwrap());
    assert_eq!(is_listed(&world).await, Some(true));
    assert_eq!(pages(&world).await, [MINA, "x@example.net"]);
}

/// Both at the same moment: whichever is noted first, they are off it.
#[tokio::test(flavor = "multi_thread")]
async fn a_page_and_a_removal_at_the_same_moment() {
    let world = World::new().await;
    let store = world.store();
    for _ in 0..10 {
        world.execute("delete from suppression_reading; delete from suppressions; delete from account_acts").await;
        read(store, &[(MINA, 100)]).await;
        is_due_again(&world).await;
        let page = store.due_list_page().await.unwrap().unwrap();
        let mina = listed(store, &[(MINA, 100)]).await;
        let noting = store.note_list_page(&page, &mina, None);
        let (noted, ()) = tokio::join!(noting, removed(&world));
        assert!(noted.unwrap());
        assert_eq!(is_listed(&world).await, Some(false));
    }
}
