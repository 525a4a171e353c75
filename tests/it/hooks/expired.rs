//! What has expired, where an endpoint wants to be told.

use serde_json::json;
use verifydesk::config::Webhook;
use verifydesk::domain::id::VerificationId;
use verifydesk::store::Store;

use super::delivered::{drain, set, world};
use super::receiver::Receiver;
use super::{in_short, messages};
use crate::support::world::{World, operator};

/// Their links expire, a moment ago.
async fn expire(world: &World, ids: &[VerificationId]) {
    let ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
    let earlier = format!(
        "update verifications
        set created_at = now() - interval '3 days', expires_at = clock_timestamp()
        where id in ({})",
        ids.join(", ")
    );
    world.execute(&earlier).await;
}

async fn keep(world: &World) {
    world.store().keep_webhooks().await.unwrap();
}

fn wanting(receiver: &Receiver) -> Webhook {
    Webhook { expired: true, ..receiver.webhook() }
}

/// As "user verification".
async fn told(world: &World) -> Vec<String> {
    let of = |message: &serde_json::Value| {
        let data = &message["data"];
        (message["type"] == "verification.expired").then(|| format!("{} {}", data["user_id"], data["verification_id"]))
    };
    messages(world).await.iter().filter_map(of).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_told_of_it_unless_that_is_wanted() {
    let receiver = Receiver::start();
    let world = world(&[("site", receiver.webhook())]).await;
    let id = world.sign_up("mina@example.com").await;
    keep(&world).await;
    expire(&world, &[id]).await;
    keep(&world).await;
    assert_eq!(in_short(&world).await, [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_that_expired_unopened_is_told_once_and_no_other() {
    let (receiver, other) = (Receiver::start(), Receiver::start());
    let world = world(&[("site", wanting(&receiver)), ("crm", other.webhook())]).await;
    let mut ids = Vec::new();
    for user in ["before", "mina", "verified", "revoked", "resent", "leaving", "later"] {
        ids.push(world.sign_up(&format!("{user}@example.com")).await);
    }
    let [before, mina, verified, revoked, resent, leaving, later] = ids[..] else { panic!("{ids:?}") };
    expire(&world, &[before]).await;
    // From the first round on.
    keep(&world).await;
    world.desk.force_verify(&operator(), verified, "the user called").await.unwrap();
    world.desk.revoke(&operator(), revoked, "a mistake of theirs").await.unwrap();
    // Superseded, as by a resend.
    world.execute(&format!("update verifications set revoked_at = now() where id = {resent}")).await;
    world.execute(&format!("update users set delete_after = now() + interval '1 hour' where id = {leaving}")).await;
    expire(&world, &[mina, verified, revoked, resent, leaving]).await;
    for _ in 0..2 {
        keep(&world).await;
    }
    assert_eq!(told(&world).await, [format!("{mina} {mina}")], "users have the numbers of their verifications");
    let message = messages(&world).await.pop().unwrap();
    assert_eq!(
        (&message["data"]["email"], &message["timestamp"]),
        (&json!("mina@example.com"), &message["data"]["expires_at"])
    );

    // Extended, it expires again; then it is verified, and that comes behind.
    world.desk.extend(&operator(), mina, "they are on holiday").await.unwrap();
    expire(&world, &[mina, later]).await;
    keep(&world).await;
    assert_eq!(told(&world).await, [format!("{mina} {mina}"), format!("{later} {later}")]);
    set(&world, mina.0, true).await;
    drain(&world).await;
    let of_mina: Vec<String> =
        receiver.in_short().into_iter().filter(|one| one.starts_with(&format!("{mina} "))).collect();
    assert_eq!(of_mina, [format!("{mina} verification.expired"), format!("{mina} user.verified")]);
    assert!(other.in_short().iter().all(|one| one.ends_with(".verified")), "{:?}", other.in_short());
}

/// By several workers at once, and with a user whose row someone holds.
#[tokio::test(flavor = "multi_thread")]
async fn many_that_expire_at_once_are_told_each_once_in_bounded_pieces() {
    const USERS: i64 = 2_500;
    let receiver = Receiver::start();
    let world = world(&[("site", wanting(&receiver))]).await;
    keep(&world).await;
    world
        .execute(&format!(
            "insert into users (email, locale, created_at)
            select 'user' || n || '@example.com', 'en', now() - interval '3 days' from generate_series(1, {USERS}) n;
            insert into verifications (user_id, created_at, expires_at, key_nonce)
            select id, created_at, clock_timestamp(), substring(sha256(int8send(id)) for 16) from users;
            analyze"
        ))
        .await;
    let mut holding = world.pool().begin().await.unwrap();
    sqlx::query("select from users where id = 1200 for no key update").execute(&mut *holding).await.unwrap();
    let stores = [world.another_desk(), world.another_desk(), world.another_desk()].map(|desk| desk.store().clone());
    let round = async || {
        let rounds = stores.iter().map(Store::keep_webhooks);
        for kept in futures_util::future::join_all(rounds).await {
            kept.unwrap();
        }
    };
    round().await;
    round().await;
    let before = told(&world).await;
    assert!(
        !before.is_empty() && before.len() < 2_500 && !before.contains(&"1200 1200".to_owned()),
        "{}",
        before.len()
    );
    holding.rollback().await.unwrap();
    // Each takes its turn.
    for _ in 0..3 {
        round().await;
    }
    let mut all = told(&world).await;
    assert_eq!(i64::try_from(all.len()).unwrap(), USERS);
    all.sort();
    all.dedup();
    assert_eq!(i64::try_from(all.len()).unwrap(), USERS, "each once");

    // What there is to look at is what came since.
    let mut tx = world.pool().begin().await.unwrap();
    // What the connection has read within the last second may still be among it.
    let so_far = "select coalesce(sum(seq_tup_read + idx_tup_fetch), 0)::bigint
        from pg_stat_xact_user_tables
        where relname in ('users', 'verifications', 'webhook_messages')";
    let before: i64 = sqlx::query_scalar(so_far).fetch_one(&mut *tx).await.unwrap();
    sqlx::query("select tell_of_expired(500)").execute(&mut *tx).await.unwrap();
    let after: i64 = sqlx::query_scalar(so_far).fetch_one(&mut *tx).await.unwrap();
    let read = after - before;
    assert!(read <= 10, "{read} rows were read");
}
