//! Several workers at once, and a database that goes away in the middle.

use std::collections::BTreeMap;
use std::time::Instant;

use serde_json::json;

use super::delivered::{AtWork, let_be_due, set, states, until, verify, world};
use super::receiver::{Receiver, short};
use crate::mail_servers::PATIENCE;
use crate::support::tcp_proxy::TcpProxy;
use crate::support::world::World;

const WAITING: &str = "select count(*) from webhook_deliveries where state = 'waiting'";

#[tokio::test(flavor = "multi_thread")]
async fn two_workers_deliver_each_message_in_the_order_of_its_user() {
    const USERS: i64 = 12;
    const CHANGES: usize = 8;
    let mut receiver = Receiver::start();
    // Some are taken at once and some are not, so that the two overtake each other.
    receiver.then(&json!(["slow", 200, 200, "slow", 200, 400, 200, 200, "slow", 200, 400, 200]));
    let world = world(&[("site", receiver.webhook())]).await;
    let workers = [AtWork::new(&world), AtWork::new(&world), AtWork::new(&world)];
    for user in 0..USERS {
        verify(&world, &format!("user{user}")).await;
    }
    for change in 1..CHANGES {
        for user in 1..=USERS {
            set(&world, user, change.is_multiple_of(2)).await;
        }
    }
    world
        .until(async || {
            let_be_due_if_tried(&world).await;
            world.number(WAITING).await == 0
        })
        .await;
    for worker in workers {
        worker.end().await;
    }
    assert_eq!(states(&world).await.len(), CHANGES * usize::try_from(USERS).unwrap());
    let mut of: BTreeMap<String, Vec<(String, String, i64)>> = BTreeMap::new();
    for got in receiver.got() {
        let told = short(&got);
        let (user, kind) = told.split_once(' ').unwrap();
        let taken = got["then"].as_i64().unwrap_or(200);
        of.entry(user.to_owned()).or_default().push((kind.to_owned(), got["id"].as_str().unwrap().to_owned(), taken));
    }
    assert_eq!(i64::try_from(of.len()).unwrap(), USERS);
    for (user, came) in of {
        let taken: Vec<&str> =
            came.iter().filter(|(_, _, status)| *status == 200).map(|(kind, ..)| kind.as_str()).collect();
        let expected: Vec<&str> =
            (0..CHANGES).map(|n| if n.is_multiple_of(2) { "user.verified" } else { "user.unverified" }).collect();
        assert_eq!(taken, expected, "user {user}: each once, in order");
        // What was refused came again before anything else of its user.
        for pair in came.windows(2).filter(|pair| pair[0].2 != 200) {
            assert_eq!(pair[0].1, pair[1].1, "user {user}");
        }
    }
}

/// What was refused need not wait for its time.
async fn let_be_due_if_tried(world: &World) {
    world
        .execute("update webhook_deliveries set due_at = now() where state = 'waiting' and status is not null and due_at > now() + interval '1 second' and due_at < now() + interval '20 seconds'")
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_taken_while_the_database_went_away_comes_again_and_before_what_is_behind_it() {
    let receiver = Receiver::start();
    let world = world(&[("site", receiver.webhook())]).await;
    let mut proxy = TcpProxy::new(&world.db.url).await;
    world.execute("update webhook_endpoints set seen_at = now() - interval '1 hour'").await;
    let working = AtWork::with(&world.settings_behind(&proxy));
    soon(&world, "select count(*) from webhook_endpoints where seen_at > now() - interval '1 minute'").await;
    // The first that is taken is noted at the endpoint as well, whose row is held here: what came of it waits.
    let mut holding = world.pool().begin().await.unwrap();
    sqlx::query("select from webhook_endpoints for update").execute(&mut *holding).await.unwrap();
    verify(&world, "mina").await;
    set(&world, 1, false).await;
    receiver.wait(1);
    let waits = "from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()";
    soon(&world, &format!("select count(*) {waits}")).await;
    proxy.shut().await;
    world.execute(&format!("select pg_terminate_backend(pid) {waits}")).await;
    holding.rollback().await.unwrap();
    assert_eq!(states(&world).await, ["waiting", "waiting"]);
    proxy.open().await;
    // Its lease ends.
    let_be_due(&world).await;
    until(&world, WAITING, 0).await;
    working.end().await;
    assert_eq!(states(&world).await, ["delivered", "delivered"]);
    let got = receiver.got();
    assert_eq!(receiver.in_short(), ["1 user.verified", "1 user.verified", "1 user.unverified"]);
    assert_eq!((&got[0]["id"], &got[0]["body"]), (&got[1]["id"], &got[1]["body"]));
    assert!(got.iter().all(|one| one["verified"] == 0), "{got:#?}");
}

/// Waits until there is one.
async fn soon(world: &World, query: &str) {
    let deadline = Instant::now() + PATIENCE;
    while world.number(query).await == 0 {
        assert!(Instant::now() < deadline, "{query}");
    }
}
