//! The suppression list as the console pages through it.

use verifydesk::domain::Time;
use verifydesk::domain::account::suppressed::{SuppressedPage, SuppressedPlace};
use verifydesk::domain::account::suppression_list::ListedAddress;
use verifydesk::domain::page::Position;
use verifydesk::store::account_acts::ListChange;

use super::acts::{jun, without_keys};
use super::*;

/// As they stand on it, put there so many seconds ago.
pub(super) async fn listed(store: &Store, addresses: &[(&str, i64)]) -> Vec<ListedAddress> {
    let now = store.now().await.unwrap();
    let one = |(address, age): &(&str, i64)| ListedAddress {
        address: (*address).into(),
        reason: "BOUNCE".into(),
        since: Time::from_timestamp(now.timestamp() - age, 0).unwrap(),
    };
    addresses.iter().map(one).collect()
}

/// The list is read, once.
pub(super) async fn read(store: &Store, addresses: &[(&str, i64)]) {
    let page = store.due_list_page().await.unwrap().unwrap();
    assert!(store.note_list_page(&page, &listed(store, addresses).await, None).await.unwrap());
}

fn addresses(read: &SuppressedPage) -> Vec<String> {
    read.page.rows.iter().map(|row| row.address.raw().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_address_is_on_one_page_whichever_way_one_goes() {
    let world = World::new().await;
    let store = world.store();
    let page = async |position: Position<SuppressedPlace>| store.suppressed_page("", position, 3).await.unwrap();
    let unread = page(Position::Newest).await;
    assert!(unread.list.is_none() && unread.page.rows.is_empty());
    // Some were put on it in the same second.
    let all = [("a", 10), ("D", 20), ("b", 20), ("c", 20), ("e", 20), ("f", 30), ("g", 40)];
    let named: Vec<_> = all.iter().map(|(name, age)| (format!("{name}@example.com"), *age)).collect();
    let named: Vec<_> = named.iter().map(|(name, age)| (name.as_str(), *age)).collect();
    read(store, &named).await;
    // And one is known by having been asked about, since when is not.
    store.note_suppression("z@example.com", Some(("COMPLAINT", None, None))).await.unwrap();
    let expected = ["z", "a", "b", "c", "d", "e", "f", "g"].map(|name| format!("{name}@example.com"));
    let (mut down, mut position) = (Vec::new(), Position::Newest);
    loop {
        let read = page(position).await;
        assert_eq!(read.page.newer, !down.is_empty());
        assert_eq!(read.list.as_ref().unwrap().count, 7);
        down.extend(addresses(&read));
        position = Position::After(read.page.rows.last().unwrap().place());
        if !read.page.older {
            break;
        }
    }
    assert_eq!(down, expected);
    let (mut up, mut position) = (Vec::new(), Position::Oldest);
    loop {
        let read = page(position).await;
        assert_eq!(read.page.older, !up.is_empty());
        up.splice(0..0, addresses(&read));
        position = Position::Before(read.page.rows[0].place());
        if !read.page.newer {
            break;
        }
    }
    assert_eq!(up, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_says_whose_it_is_and_what_was_asked_for() {
    let world = World::new().await;
    let (store, desk) = (world.store(), without_keys(&world));
    let id = world.sign_up("Mina@Example.com").await;
    read(store, &[("mina@example.com", 100), ("sean@example.net", 200)]).await;
    let parse = |text: &str| verifydesk::domain::address::EmailAddress::parse(text).unwrap();
    let change = async |address: &str, change| {
        desk.change_suppression_list(&jun(), &parse(address), change, "they called").await.unwrap()
    };
    change("mina@example.com", ListChange::Remove(None)).await;
    let listing = verifydesk::domain::account::act::Listing::Bounce;
    let added = change("trap@example.org", ListChange::Add(listing)).await;
    let of = async |part: &str| store.suppressed_page(part, Position::Newest, 10).await.unwrap();
    let all = of("").await;
    // What is to be put on the list is seen, though it is not on it yet.
    assert_eq!(addresses(&all), ["trap@example.org", "mina@example.com", "sean@example.net"]);
    let words: Vec<_> = all.page.rows.iter().map(|row| row.act_in_words().unwrap_or_default()).collect();
    assert_eq!(words[..2], ["add", "remove"].map(|act| format!("{act}: waits for a worker that has AWS's keys")));
    let user = all.page.rows[1].user.as_ref().unwrap();
    assert_eq!((user.verification.unwrap(), user.is_verified, user.is_leaving), (id, false, false));
    assert!(all.page.rows[0].user.is_none() && all.page.rows[0].suppression.reason.is_none());
    assert_eq!(addresses(&of("EXAMPLE.net").await), ["sean@example.net"]);
    // No wildcards.
    assert!(addresses(&of("%").await).is_empty() && addresses(&of("_").await).is_empty());
    // Why it could not be put on is seen for a day.
    let fail = "update account_acts
        set state = 'failed', outcome = 'failed', error = '400 Bad', ended_at = now() - interval '$', due_at = now()
        where kind = 'add'";
    world.execute(&fail.replace('$', "1 hour")).await;
    let failed = of("trap").await;
    assert_eq!(failed.page.rows[0].act.as_ref().unwrap().id, added);
    assert_eq!(failed.page.rows[0].act_in_words().as_deref(), Some("add: failed: 400 Bad"));
    world.execute(&fail.replace('$', "25 hours")).await;
    assert!(addresses(&of("trap").await).is_empty());
}
