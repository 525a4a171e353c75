//! Looking at links and opening them.

use chrono::Duration;
use verifydesk::desk::{LinkOutcome, Opener};
use verifydesk::domain::audit::{Actor, Origin};
use verifydesk::domain::key::{Key, Nonce};
use verifydesk::domain::locale::Locale;
use verifydesk::domain::send::Priority;

use super::age;
use crate::support::world::{World, operator};

#[tokio::test]
async fn two_keys_of_one_user_clicked_at_once_do_not_deadlock() {
    let world = World::new().await;
    for round in 0..20 {
        let old = world.sign_up(&format!("mina{round}@example.com")).await;
        let old_key = world.mail(old).await;
        age(&world, Duration::days(4)).await;
        let new = world.desk.resend(&operator(), old, Priority::Person, None).await.unwrap().verification_id;
        let new_key = world.mail(new).await;
        let (a, b) = tokio::join!(
            world.desk.open_link(&old_key, Opener::Browser),
            world.desk.open_link(&new_key, Opener::Browser)
        );
        assert!(matches!(b.unwrap(), LinkOutcome::Verified { now: true, .. }));
        assert!(matches!(a.unwrap(), LinkOutcome::Verified { .. } | LinkOutcome::Revoked { .. }));
    }
}

#[tokio::test]
async fn unknown_keys_lead_nowhere() {
    let world = World::new().await;
    let id = world.sign_up("mina@example.com").await;
    let key = Key::derive(b"another secret", id, &Nonce([0; 16]));
    assert_eq!(world.desk.open_link(&key, Opener::Browser).await.unwrap(), LinkOutcome::Unknown);
    assert_eq!(world.desk.look_at_link(&key).await.unwrap(), LinkOutcome::Unknown);
    assert!(world.desk.ask_for_new_mail(&Actor::new("link", Origin::Web), &key).await.unwrap().is_none());
}

#[tokio::test]
async fn looking_changes_nothing() {
    let world = World::new().await;
    let id = world.sign_up("mina@example.com").await;
    let key = world.mail(id).await;
    let before = world.store().show(id).await.unwrap();
    assert_eq!(world.desk.look_at_link(&key).await.unwrap(), LinkOutcome::Pending { locale: Locale::En });
    assert_eq!(world.store().show(id).await.unwrap(), before);
}
