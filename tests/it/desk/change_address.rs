//! Changing a user's address.

use chrono::Duration;
use verifydesk::desk::{Error, LinkOutcome, Opener, Refusal, ResentHow};
use verifydesk::domain::id::VerificationId;
use verifydesk::domain::locale::Locale;
use verifydesk::domain::verification::Status;
use verifydesk::outbox::worker::Mode;

use super::{age, outcomes};
use crate::support::Program;
use crate::support::world::{World, operator, reason, request};

#[tokio::test(flavor = "multi_thread")]
async fn a_typo_is_corrected_and_a_new_link_mailed_to_the_new_address_alone() {
    let world = World::new().await;
    let old = world.sign_up("mina@exmaple.com").await;
    let old_key = world.mail(old).await;
    age(&world, Duration::hours(1)).await;
    let (email, resent) = world.desk.change_address(&operator(), old, " mina@example.com ", "a typo").await.unwrap();
    assert_eq!((email.as_str(), resent.how), ("mina@example.com", ResentHow::NewKey));
    let detail = world.detail(resent.verification_id).await;
    assert_eq!(detail.user.email.raw(), "mina@example.com");
    assert_eq!(
        (world.status(old).await, world.status(resent.verification_id).await),
        (Status::Revoked, Status::Pending)
    );
    let entries = outcomes(&world, old).await;
    let expected = [("sign_up", "created"), ("change_address", "done"), ("resend", "new_key")];
    assert_eq!(entries, expected.map(|(a, b)| (a.to_owned(), b.to_owned())));
    let entry = &detail.audit[1];
    assert_eq!(entry.reason.as_ref().unwrap().raw(), "a typo");
    let before: serde_json::Value = serde_json::from_str(entry.before.as_ref().unwrap().raw()).unwrap();
    let kept = serde_json::json!([{ "id": old.0, "verified_at": null }]);
    assert_eq!(before, serde_json::json!({ "email": "mina@exmaple.com", "verified_at": null, "verifications": kept }));
    world.drain().await;
    let sends = world.sends().await;
    assert_eq!((sends.len(), sends[0].recipient.raw()), (2, "mina@example.com"));
    // The holder of the old address must not verify the new one.
    assert_eq!(world.open(&old_key).await, LinkOutcome::Revoked { locale: Locale::En });
    assert_eq!(world.open(&world.keys()[0]).await, LinkOutcome::Verified { locale: Locale::En, now: true });
}

#[tokio::test(flavor = "multi_thread")]
async fn a_verified_user_is_unverified_until_the_new_address_is_theirs() {
    let world = World::new().await;
    let id = world.sign_up("mina@example.com").await;
    let key = world.mail(id).await;
    world.open(&key).await;
    age(&world, Duration::hours(1)).await;
    let (_, resent) = world.desk.change_address(&operator(), id, "mina@example.org", "a new job").await.unwrap();
    let detail = world.detail(resent.verification_id).await;
    assert_eq!(detail.user.verified_at, None);
    assert!(detail.audit[1].before.as_ref().unwrap().raw().contains("\"verified_at\": \"20"), "{:?}", detail.audit[1]);
    assert_eq!(world.open(&key).await, LinkOutcome::Revoked { locale: Locale::En });
    assert_eq!(world.detail(id).await.user.verified_at, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_that_waits_for_the_old_address_is_not_sent_there() {
    let world = World::new().await;
    let old = world.sign_up("mina@exmaple.com").await;
    // Nothing has gone out yet: there is nothing to cool down from.
    world.desk.change_address(&operator(), old, "mina@example.com", "a typo").await.unwrap();
    world.drain().await;
    let sends = world.sends().await;
    let of_old = sends.iter().find(|send| send.verification_id == Some(old)).unwrap();
    assert_eq!((of_old.state.as_str(), reason(of_old)), ("cancelled", "the user's address was changed"));
    assert_eq!(world.captured().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_may_not_be_changes_nothing() {
    let world = World::new().await;
    let id = world.sign_up("mina@example.com").await;
    world.sign_up("jun@example.com").await;
    world.mail(id).await;
    let change = async |address: &str, reason: &str| {
        world.desk.change_address(&operator(), id, address, reason).await.map(|_| ()).unwrap_err()
    };
    assert!(matches!(change("mina@example.org", " a").await, Error::Refused(Refusal::ReasonMissing { .. })));
    assert!(matches!(change("mina", "a typo").await, Error::Invalid(_)));
    assert!(matches!(change("JUN@example.com", "a typo").await, Error::Refused(Refusal::AddressTaken)));
    assert!(matches!(change("Mina@example.com", "a typo").await, Error::Refused(Refusal::SameAddress)));
    // As a resend: the last mail is not a minute old.
    assert!(matches!(change("mina@example.org", "a typo").await, Error::Refused(Refusal::CoolDown { .. })));
    let detail = world.detail(id).await;
    assert_eq!((detail.user.email.raw(), world.status(id).await), ("mina@example.com", Status::Pending));
    assert_eq!(world.number("select count(*) from sends").await, 2);
    let said = outcomes(&world, id).await;
    let expected = [("sign_up", "created"), ("change_address", "address_taken"), ("change_address", "same_address")];
    assert_eq!(said, expected.map(|(a, b)| (a.to_owned(), b.to_owned())));
    let missing = world.desk.change_address(&operator(), VerificationId(999), "eve@example.com", "a typo").await;
    assert!(matches!(missing, Err(Error::NotFound(_))));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_racing_a_click_and_a_sign_up_of_the_address_leaves_one_truth() {
    let world = World::new().await;
    for round in 0..30 {
        let id = world.sign_up(&format!("mina{round}@exmaple.com")).await;
        let key = world.mail(id).await;
        age(&world, Duration::hours(1)).await;
        let (actor, new) = (operator(), format!("mina{round}@example.com"));
        let wanted = request(&new);
        let (clicked, changed, signed_up) = tokio::join!(
            world.desk.open_link(&key, Opener::Browser),
            world.desk.change_address(&actor, id, &new, "a typo"),
            async { if round % 2 == 0 { world.desk.sign_up(&actor, &wanted).await.map(Some) } else { Ok(None) } }
        );
        let clicked = clicked.unwrap();
        assert!(
            matches!(clicked, LinkOutcome::Verified { .. } | LinkOutcome::Revoked { .. }),
            "round {round}: {clicked:?}"
        );
        let user = world.detail(id).await.user;
        match changed {
            Ok((_, resent)) => {
                // The click before it was of the old address.
                assert_eq!((user.email.raw(), user.verified_at), (new.as_str(), None), "round {round}");
                assert_eq!(world.status(resent.verification_id).await, Status::Pending, "round {round}");
                // Who then signed the address up had that user.
                let known = matches!(&signed_up, Ok(Some(done)) if done.user_id == user.id)
                    || matches!(&signed_up, Ok(None) | Err(Error::Refused(Refusal::CoolDown { .. })));
                assert!(known, "round {round}: {signed_up:?}");
            }
            Err(Error::Refused(Refusal::AddressTaken)) => {
                assert_eq!(
                    (user.email.raw(), user.verified_at.is_some()),
                    (&*format!("mina{round}@exmaple.com"), true)
                );
            }
            Err(other) => panic!("round {round}: {other}"),
        }
        let of_address = sqlx::query_scalar::<_, i64>("select count(*) from users where email = $1")
            .bind(&new)
            .fetch_one(world.pool())
            .await
            .unwrap();
        assert_eq!(of_address, 1, "round {round}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_key_that_a_worker_mails_to_the_old_address_verifies_the_new_one() {
    let world = World::with(|settings| settings.verification.cool_down = std::time::Duration::ZERO).await;
    let mut ids = Vec::new();
    for n in 0..40 {
        ids.push(world.sign_up(&format!("mina{n}@exmaple.com")).await);
    }
    let worker = world.start(Mode::Drain);
    for (n, &id) in ids.iter().enumerate() {
        world.desk.change_address(&operator(), id, &format!("mina{n}@example.com"), "a typo").await.unwrap();
    }
    worker.ended().await;
    world.drain().await;
    let mut verified = 0;
    for file in world.captured() {
        let mail = std::fs::read_to_string(&file).unwrap();
        let outcome = world.open(&crate::support::world::key_in(&file)).await;
        if mail.contains("@exmaple.com") {
            assert!(!matches!(outcome, LinkOutcome::Verified { now: true, .. }), "{outcome:?}");
        } else {
            assert_eq!(outcome, LinkOutcome::Verified { locale: Locale::En, now: true });
            verified += 1;
        }
    }
    assert_eq!(verified, 40);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_line_changes_an_address() {
    let world = World::new().await;
    let program = Program::new(&world.db.url);
    let id = world.sign_up("mina@exmaple.com").await.to_string();
    let run = program.run(&["change-address", &id, "mina@example.com", "--reason", "a typo", "--json"]);
    assert_eq!(run.code, 0, "{}", run.err);
    let done: serde_json::Value = serde_json::from_str(&run.out).unwrap();
    assert_eq!((&done["outcome"], &done["email"]), (&"changed".into(), &"mina@example.com".into()));
    let shown: serde_json::Value = serde_json::from_str(&program.run(&["show", &id, "--json"]).out).unwrap();
    assert_eq!(shown["audit"][1]["before"]["email"], "mina@exmaple.com", "{shown}");
    let run = program.run(&["change-address", &id, "mina@example.com", "--reason", "a typo"]);
    assert_eq!((run.code, run.err.contains("this user has this address already")), (4, true), "{}", run.err);
    assert_eq!(program.run(&["change-address", "999", "eve@example.com", "--reason", "a typo"]).code, 3);
}

/// What the old one did says nothing of it.
#[tokio::test(flavor = "multi_thread")]
async fn the_new_address_is_not_blocked_by_what_the_old_one_did() {
    let world = World::with(|settings| settings.verification.cool_down = std::time::Duration::ZERO).await;
    let old = world.sign_up("mina@exmaple.com").await;
    world.mail(old).await;
    world
        .execute(
            "update sends set state = 'bounced', attempts = 1;
            insert into address_states (address, hard_at) values ('mina@exmaple.com', now())",
        )
        .await;
    assert!(world.desk.plan_resend(old).await.unwrap().block.is_some());
    let (_, resent) = world.desk.change_address(&operator(), old, "mina@example.com", "a typo").await.unwrap();
    world.execute("update sends set state = 'failed', reason = 'the relay was away' where state = 'queued'").await;
    assert_eq!(world.desk.plan_resend(resent.verification_id).await.unwrap().block, None);
}
