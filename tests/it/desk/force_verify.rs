//! Verifying someone without their click.

use chrono::Duration;
use verifydesk::desk::{Error, LinkOutcome, Opener, Refusal};
use verifydesk::domain::filter::Filter;
use verifydesk::domain::id::VerificationId;
use verifydesk::domain::page::Position;
use verifydesk::domain::verification::Status;
use verifydesk::store::verifications;

use super::{age, outcomes};
use crate::support::world::{World, operator};

#[tokio::test]
async fn a_force_verify_needs_a_reason_and_is_audited() {
    let world = World::new().await;
    let id = world.sign_up("mina@example.com").await;
    for reason in ["", "  ", "\0\0\0"] {
        let refused = world.desk.force_verify(&operator(), id, reason).await;
        assert!(matches!(refused, Err(Error::Refused(Refusal::ReasonMissing { .. }))), "{reason:?}");
    }
    assert!(matches!(
        world.desk.force_verify(&operator(), id, &"they called ".repeat(42)).await,
        Err(Error::Invalid(_))
    ));
    let mails = world.store().sends(&Filter::default(), Position::Newest, 10).await.unwrap();
    assert!(mails.rows.iter().all(|mail| !mail.is_verified));
    world.desk.force_verify(&operator(), id, "they called").await.unwrap();
    assert!(matches!(
        world.desk.force_verify(&operator(), id, "again").await,
        Err(Error::Refused(Refusal::AlreadyVerified))
    ));
    let detail = world.detail(id).await;
    assert_eq!(detail.verification.status(chrono::Utc::now()), Status::Verified);
    assert_eq!(detail.user.verified_at, detail.verification.verified_at);
    assert_eq!(detail.audit[1].reason.as_ref().unwrap().raw(), "they called");
    assert_eq!(detail.sends[0].state.as_str(), "cancelled");
    let mails = world.store().sends(&Filter::default(), Position::Newest, 10).await.unwrap();
    assert!(mails.rows.iter().all(|mail| mail.is_verified), "a list of mails tells whose need none");
    let expected = [("sign_up", "created"), ("force_verify", "verified"), ("force_verify", "already_verified")];
    assert_eq!(outcomes(&world, id).await, expected.map(|(a, b)| (a.to_owned(), b.to_owned())));
    assert!(matches!(
        world.desk.force_verify(&operator(), VerificationId(999), "why not").await,
        Err(Error::NotFound(_))
    ));
}

#[tokio::test]
async fn a_force_verify_of_an_expired_one_works() {
    let world = World::new().await;
    let id = world.sign_up("mina@example.com").await;
    world.mail(id).await;
    age(&world, Duration::days(4)).await;
    assert_eq!(world.desk.force_verify(&operator(), id, "they called").await.unwrap().verification_id, id);
    assert_eq!(world.status(id).await, Status::Verified);
}

#[tokio::test]
async fn a_forced_verify_racing_a_click_is_decided_once_and_reported_twice() {
    let world = World::new().await;
    for round in 0..30 {
        let id = world.sign_up(&format!("mina{round}@example.com")).await;
        let key = world.mail(id).await;
        let operator = operator();
        let (click, force) = tokio::join!(
            world.desk.open_link(&key, Opener::Browser),
            world.desk.force_verify(&operator, id, "they called")
        );
        assert!(matches!(click.unwrap(), LinkOutcome::Verified { .. }));
        let mut said: Vec<(String, String)> = outcomes(&world, id).await.into_iter().skip(1).collect();
        said.sort();
        let expected = match force {
            Ok(_) => [("force_verify", "verified"), ("open_link", "already_verified")],
            Err(Error::Refused(Refusal::AlreadyVerified)) => {
                [("force_verify", "already_verified"), ("open_link", "verified")]
            }
            Err(other) => panic!("{other}"),
        };
        assert_eq!(said, expected.map(|(a, b)| (a.to_owned(), b.to_owned())));
        let detail = world.detail(id).await;
        assert_eq!(detail.user.verified_at, detail.verification.verified_at);
    }
}

#[tokio::test]
async fn an_act_that_began_before_a_row_was_made_may_still_change_it() {
    let world = World::new().await;
    let (mut approving, mut revoking) = (world.store().begin().await.unwrap(), world.store().begin().await.unwrap());
    for tx in [&mut approving, &mut revoking] {
        // From here on this transaction's now() stands still.
        sqlx::query("select now()").execute(&mut **tx).await.unwrap();
    }
    let (first, second) = (world.sign_up("mina@example.com").await, world.sign_up("jun@example.com").await);
    sqlx::query("select force_verify($1, 'mina@desk', 'cli', 'a test', 60)")
        .bind(first.0)
        .execute(&mut *approving)
        .await
        .unwrap();
    approving.commit().await.unwrap();
    let jun = verifications::user_of(&mut revoking, second).await.unwrap().unwrap();
    verifications::supersede(&mut revoking, &operator(), jun, second, "a test").await.unwrap();
    revoking.commit().await.unwrap();
    assert_eq!((world.status(first).await, world.status(second).await), (Status::Verified, Status::Revoked));
}
