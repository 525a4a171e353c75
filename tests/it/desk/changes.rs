//! What others are notified of.

use verifydesk::domain::change::Change;
use verifydesk::domain::id::VerificationId;

use crate::support::world::{World, operator};

#[tokio::test]
async fn others_hear_of_an_act() {
    let world = World::new().await;
    let mut changes = world.store().listen().await.unwrap();
    let id = world.sign_up("mina@example.com").await;
    let heard = tokio::time::timeout(std::time::Duration::from_secs(10), changes.next()).await.unwrap().unwrap();
    assert_eq!(heard, Change::Verification(id));
}

/// Its row shows that its user is verified now.
#[tokio::test]
async fn a_force_verify_by_a_revoked_verification_is_notified_for_that_one_too() {
    let world = World::new().await;
    let mut changes = world.store().listen().await.unwrap();
    let mut next =
        async || tokio::time::timeout(std::time::Duration::from_secs(10), changes.next()).await.unwrap().unwrap();
    let revoked = world.sign_up("mina@example.com").await;
    // The sign-up is notified for the same id: what comes after it is of the force-verify.
    while next().await != Change::Verification(revoked) {}
    sqlx::query("update verifications set revoked_at = now() where id = $1")
        .bind(revoked.0)
        .execute(world.pool())
        .await
        .unwrap();
    let done = world.desk.force_verify(&operator(), revoked, "the user called").await.unwrap();
    assert_ne!(done.verification_id, revoked);
    let mut heard = Vec::new();
    let both = [done.verification_id, revoked].map(Change::Verification);
    while !both.iter().all(|change| heard.contains(change)) {
        heard.push(next().await);
    }
}

#[tokio::test]
async fn a_flood_of_changes_is_reported_as_one() {
    let world = World::new().await;
    // Of another process: a pool that is closed waits for what is subscribed on it.
    let other = world.another_desk();
    let mut changes = other.store().listen().await.unwrap();
    for n in 1..=1_000 {
        world.store().notify(Change::Verification(VerificationId(n))).await;
        world.store().notify(Change::Queued).await;
    }
    world.store().flush().await;
    world.store().notify(Change::Workers).await;
    world.store().close().await;
    let mut heard = Vec::new();
    while heard.last() != Some(&Change::Workers) {
        heard.push(tokio::time::timeout(std::time::Duration::from_secs(10), changes.next()).await.unwrap().unwrap());
    }
    assert!(heard.contains(&Change::Many) && heard.contains(&Change::Queued), "{heard:?}");
    assert!(heard.len() < 100, "{heard:?}");
}
