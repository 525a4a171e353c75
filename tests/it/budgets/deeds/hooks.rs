//! What the site is told of everyone who verifies: taken, not taken, tried again and read.

use std::time::Duration;

use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use verifydesk::hooks::HookSender;
use verifydesk::poller::Until;

use super::super::Large;
use crate::hooks::receiver::Receiver;

pub async fn all(large: &mut Large) {
    let told = large.verified(40);
    large.run(&["webhooks", "endpoints"]).await;
    for filter in [
        &[][..],
        &["--state", "waiting"],
        &["--state", "given-up"],
        &["--state", "delivered", "--limit", "200"],
        &["--endpoint", "ill"],
        &["--endpoint", "ill", "--state", "given-up", "--limit", "200"],
        &["--user", &told],
        &["--since", "2h"],
        &["--until", "480h"],
    ] {
        large.run(&[&["webhooks", "list"], filter].concat()).await;
    }
    delivery(large).await;
    retries(large).await;
    large.world.store().keep_webhooks().await.unwrap();
    large.did("webhooks are kept").await;
}

/// A receiver that takes messages, then one not, and in the end wants no more.
async fn delivery(large: &mut Large) {
    let mut receiver = tokio::task::spawn_blocking(Receiver::start).await.unwrap();
    let mut settings = large.world.settings.clone();
    settings.webhook.0.insert("site".into(), receiver.webhook());
    let sender = HookSender::from_settings(large.world.store(), &settings).unwrap().unwrap();
    for (answers, deed) in [
        (json!([200, 200, 500, 200]), "a receiver that takes messages"),
        (json!([503, 503, 200]), "a receiver that takes none for a while"),
    ] {
        large
            .prepare("update webhook_deliveries set due_at = now() where state = 'waiting' and endpoint = 'site'")
            .await;
        large.forget().await;
        tokio::task::block_in_place(|| receiver.then(&answers));
        sender.run(Until::Empty, &CancellationToken::new()).await;
        large.did(deed).await;
    }
    large.run(&["webhooks", "test", "site"]).await;
    tokio::task::block_in_place(|| receiver.then(&json!([410])));
    sender.run(Until::Empty, &CancellationToken::new()).await;
    large.did("a receiver that wants no more").await;
}

async fn retries(large: &mut Large) {
    let listed =
        large.run(&["webhooks", "list", "--endpoint", "ill", "--state", "given-up", "--limit", "1", "--json"]).await;
    let row: Value = serde_json::from_str(listed.lines().next().unwrap()).unwrap();
    let id = row["id"].as_str().unwrap();
    large.run(&["webhooks", "show", id]).await;
    large.run(&["webhooks", "retry", id, "--endpoint", "ill"]).await;
    large.run(&["webhooks", "retry", "--given-up", "--endpoint", "ill"]).await;
    // As a worker does that ends.
    let store = large.world.store().clone();
    let claimed = store.claim_webhooks("ill", 100, Duration::from_mins(1)).await.unwrap();
    assert_eq!(claimed.len(), 100);
    store.put_webhooks_back("ill", &claimed).await.unwrap();
    large.did("webhooks are put back").await;
}
