//! Signing up, once, again, and many at once.

use chrono::Duration;
use verifydesk::desk::{Error, Refusal, SignUp, SignUpStatus};
use verifydesk::domain::locale::Locale;
use verifydesk::domain::verification::Counts;

use super::{age, outcomes};
use crate::support::world::{World, operator, request};

#[tokio::test]
async fn a_sign_up_makes_user_verification_and_mail() {
    let world = World::new().await;
    let done = world.desk.sign_up(&operator(), &request("Mina@Example.COM")).await.unwrap();
    assert_eq!(done.status, SignUpStatus::Created);
    let detail = world.detail(done.verification_id.unwrap()).await;
    assert_eq!(detail.user.email.raw(), "Mina@example.com");
    assert_eq!(detail.sends.len(), 1);
    assert_eq!(detail.sends[0].recipient.raw(), "Mina@example.com");
    assert_eq!(detail.verification.key_fingerprint, None);
    assert_eq!(outcomes(&world, done.verification_id.unwrap()).await, [("sign_up".into(), "created".into())]);
    assert_eq!(world.store().counts().await.unwrap(), Counts { pending: 1, ..Counts::default() });
}

#[tokio::test]
async fn a_bad_sign_up_changes_nothing() {
    let world = World::new().await;
    let long = "x".repeat(65);
    for (email, name) in [("mina", ""), ("a@example.com\r\nBcc: b@example.com", ""), ("a@example.com", long.as_str())] {
        let bad = SignUp { email: email.into(), name: name.into(), locale: Locale::Ko };
        assert!(matches!(world.desk.sign_up(&operator(), &bad).await, Err(Error::Invalid(_))), "{email:?}");
    }
    assert_eq!(world.store().counts().await.unwrap().of(None), 0);
}

#[tokio::test]
async fn signing_up_again_is_a_resend_under_the_cool_down() {
    let world = World::new().await;
    let id = world.sign_up("mina@example.com").await;
    let again = world.desk.sign_up(&operator(), &request("MINA@example.com")).await;
    assert!(matches!(again, Err(Error::Refused(Refusal::CoolDown { .. }))), "{again:?}");
    world.mail(id).await;
    age(&world, Duration::seconds(61)).await;
    let again = world
        .desk
        .sign_up(&operator(), &SignUp { name: "Buy now".into(), ..request("MINA@example.com") })
        .await
        .unwrap();
    assert_eq!((again.status, again.verification_id), (SignUpStatus::Resent, Some(id)));
    assert_eq!(world.detail(id).await.user.name.raw(), "Mina");
    world.desk.force_verify(&operator(), id, "they called").await.unwrap();
    let again = world.desk.sign_up(&operator(), &request("mina@example.com")).await.unwrap();
    assert_eq!((again.status, again.verification_id, again.send_id), (SignUpStatus::AlreadyVerified, Some(id), None));
}

#[tokio::test]
async fn concurrent_sign_ups_of_one_address_make_one_user() {
    let world = World::new().await;
    let mut tasks = tokio::task::JoinSet::new();
    for n in 0..20 {
        let desk = world.desk.clone();
        let email = if n % 2 == 0 { "mina@example.com" } else { "Mina@Example.com" };
        tasks.spawn(async move { desk.sign_up(&operator(), &request(email)).await });
    }
    let results = tasks.join_all().await;
    assert_eq!(results.iter().filter(|r| r.as_ref().is_ok_and(|d| d.status == SignUpStatus::Created)).count(), 1);
    assert_eq!(results.iter().filter(|r| matches!(r, Err(Error::Refused(Refusal::CoolDown { .. })))).count(), 19);
    assert_eq!(world.store().counts().await.unwrap().of(None), 1);
}
