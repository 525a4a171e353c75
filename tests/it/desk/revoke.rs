//! Revoking open verifications, and extending them.

use chrono::Duration;
use verifydesk::desk::{Error, LinkOutcome, Opener, Refusal, ResentHow};
use verifydesk::domain::id::VerificationId;
use verifydesk::domain::locale::Locale;
use verifydesk::domain::send::Priority;
use verifydesk::domain::verification::Status;
use verifydesk::outbox::worker::Mode;

use super::{age, outcomes};
use crate::support::Program;
use crate::support::world::{World, operator, reason};

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_link_works_no_more_and_its_mail_is_cancelled() {
    let world = World::new().await;
    let id = world.sign_up("mina@example.com").await;
    for reason in ["", " a "] {
        let refused = world.desk.revoke(&operator(), id, reason).await;
        assert!(matches!(refused, Err(Error::Refused(Refusal::ReasonMissing { .. }))), "{reason:?}");
    }
    world.desk.revoke(&operator(), id, "sent to the wrong person").await.unwrap();
    assert_eq!(world.status(id).await, Status::Revoked);
    let send = world.one_send().await;
    assert_eq!((send.state.as_str(), reason(&send)), ("cancelled", "an operator revoked the link"));
    let refused = world.desk.revoke(&operator(), id, "once more").await;
    assert!(matches!(refused, Err(Error::Refused(Refusal::AlreadyRevoked))), "{refused:?}");
    let detail = world.detail(id).await;
    assert_eq!(detail.audit[1].reason.as_ref().unwrap().raw(), "sent to the wrong person");
    assert!(detail.audit[1].before.as_ref().unwrap().raw().contains("expires_at") && detail.audit[0].before.is_none());
    let expected = [("sign_up", "created"), ("revoke", "done"), ("revoke", "revoked")];
    assert_eq!(outcomes(&world, id).await, expected.map(|(a, b)| (a.to_owned(), b.to_owned())));
    // The way back: a new link.
    let resent = world.desk.resend(&operator(), id, Priority::Person, None).await.unwrap();
    assert_eq!(resent.how, ResentHow::NewKey);
    let key = world.mail(resent.verification_id).await;
    assert_eq!(world.open(&key).await, LinkOutcome::Verified { locale: Locale::En, now: true });
    let refused = world.desk.revoke(&operator(), resent.verification_id, "too late").await;
    assert!(matches!(refused, Err(Error::Refused(Refusal::AlreadyVerified))), "{refused:?}");
    let missing = world.desk.revoke(&operator(), VerificationId(999), "a mistake").await;
    assert!(matches!(missing, Err(Error::NotFound(_))));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_expired_link_works_again_once_it_is_extended() {
    let world = World::new().await;
    let id = world.sign_up("mina@example.com").await;
    let key = world.mail(id).await;
    age(&world, Duration::days(4)).await;
    assert_eq!(world.open(&key).await, LinkOutcome::Expired { locale: Locale::En });
    let before = world.detail(id).await.verification.expires_at;
    let until = world.desk.extend(&operator(), id, "they have the mail open").await.unwrap();
    let detail = world.detail(id).await;
    assert_eq!((detail.verification.expires_at, world.status(id).await), (until, Status::Pending));
    let left = until - chrono::Utc::now();
    assert!(left > Duration::hours(71) && left <= Duration::hours(72), "{left}");
    let kept: serde_json::Value = serde_json::from_str(detail.audit[0].before.as_ref().unwrap().raw()).unwrap();
    assert_eq!(chrono::DateTime::parse_from_rfc3339(kept["expires_at"].as_str().unwrap()).unwrap(), before);
    assert_eq!(world.number("select count(*) from sends").await, 1, "nothing is mailed");
    assert_eq!(world.open(&key).await, LinkOutcome::Verified { locale: Locale::En, now: true });
    let refused = world.desk.extend(&operator(), id, "once more").await;
    assert!(matches!(refused, Err(Error::Refused(Refusal::AlreadyVerified))), "{refused:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_extension_never_shortens_and_revives_nothing_that_was_revoked() {
    let world = World::new().await;
    let id = world.sign_up("mina@example.com").await;
    world.run("update verifications set expires_at = now() + interval '9 days' where id = $1", id).await;
    let before = world.detail(id).await.verification.expires_at;
    assert_eq!(world.desk.extend(&operator(), id, "they are on holiday").await.unwrap(), before);
    world.desk.revoke(&operator(), id, "a mistake").await.unwrap();
    let refused = world.desk.extend(&operator(), id, "they called").await;
    assert!(matches!(refused, Err(Error::Refused(Refusal::AlreadyRevoked))), "{refused:?}");
    assert_eq!(world.status(id).await, Status::Revoked);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revocation_racing_a_click_is_decided_once() {
    let world = World::new().await;
    for round in 0..30 {
        let id = world.sign_up(&format!("mina{round}@example.com")).await;
        let key = world.mail(id).await;
        if round % 2 == 0 {
            world.expire(id).await;
        }
        let actor = operator();
        let (clicked, revoked, extended) = tokio::join!(
            world.desk.open_link(&key, Opener::Browser),
            world.desk.revoke(&actor, id, "a mistake"),
            world.desk.extend(&actor, id, "they called")
        );
        match (clicked.unwrap(), revoked) {
            (LinkOutcome::Verified { .. }, Err(Error::Refused(Refusal::AlreadyVerified))) => {
                assert_eq!(world.status(id).await, Status::Verified);
            }
            (LinkOutcome::Revoked { .. } | LinkOutcome::Expired { .. }, Ok(_)) => {
                assert_eq!(world.status(id).await, Status::Revoked);
                assert_eq!(world.detail(id).await.user.verified_at, None);
            }
            other => panic!("round {round}: {other:?}"),
        }
        assert!(
            matches!(extended, Ok(_) | Err(Error::Refused(Refusal::AlreadyVerified | Refusal::AlreadyRevoked))),
            "round {round}: {extended:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_link_that_a_worker_mails_in_the_meantime_works_once_it_is_revoked() {
    let world = World::new().await;
    let mut ids = Vec::new();
    for n in 0..40 {
        ids.push(world.sign_up(&format!("mina{n}@example.com")).await);
    }
    let worker = world.start(Mode::Drain);
    for &id in &ids {
        world.desk.revoke(&operator(), id, "a mistake").await.unwrap();
    }
    worker.ended().await;
    for key in world.keys() {
        assert_eq!(world.open(&key).await, LinkOutcome::Revoked { locale: Locale::En });
    }
    assert_eq!(world.number("select count(*) from verifications where revoked_at is null").await, 0);
    assert_eq!(world.number("select count(*) from sends where state in ('queued', 'sending')").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_line_revokes_and_extends() {
    let world = World::new().await;
    let program = Program::new(&world.db.url);
    let id = world.sign_up("mina@example.com").await;
    let number = id.to_string();
    let run = program.run(&["extend", &number, "--reason", "they called", "--json"]);
    assert_eq!(run.code, 0, "{}", run.err);
    let done: serde_json::Value = serde_json::from_str(&run.out).unwrap();
    let told = chrono::DateTime::parse_from_rfc3339(done["expires_at"].as_str().unwrap()).unwrap();
    let kept = world.detail(id).await.verification.expires_at;
    assert_eq!((told.timestamp(), &done["outcome"]), (kept.timestamp(), &"extended".into()));
    let run = program.run(&["revoke", &number, "--reason", "a mistake", "--json"]);
    assert_eq!(run.code, 0, "{}", run.err);
    let done: serde_json::Value = serde_json::from_str(&run.out).unwrap();
    assert_eq!(done["outcome"], "revoked");
    for act in ["extend", "revoke"] {
        let run = program.run(&[act, &number, "--reason", "a mistake"]);
        assert_eq!((run.code, run.err.contains("revoked already")), (4, true), "{act}: {}", run.err);
        assert_eq!(program.run(&[act, "999", "--reason", "a mistake"]).code, 3);
    }
}
