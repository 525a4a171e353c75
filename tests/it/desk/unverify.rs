//! Taking back that someone is verified.

use chrono::Duration;
use verifydesk::desk::{Error, LinkOutcome, Opener, Refusal, ResentHow};
use verifydesk::domain::id::VerificationId;
use verifydesk::domain::locale::Locale;
use verifydesk::domain::send::Priority;
use verifydesk::domain::verification::Status;
use verifydesk::outbox::worker::Mode;

use super::{age, outcomes};
use crate::support::Program;
use crate::support::world::{World, operator};

/// How many are open, how many verified, and how many users count as verified.
async fn state(world: &World) -> (i64, i64, i64) {
    (
        world.number("select count(*) from verifications where verified_at is null and revoked_at is null").await,
        world.number("select count(*) from verifications where verified_at is not null").await,
        world.number("select count(*) from users where verified_at is not null").await,
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_click_is_taken_back_for_good_and_a_new_link_verifies() {
    let world = World::new().await;
    let id = world.sign_up("mina@example.com").await;
    let key = world.mail(id).await;
    world.open(&key).await;
    let since = world.detail(id).await.user.verified_at.unwrap();
    let user = world.desk.unverify(&operator(), id, "  the neighbour opened it ").await.unwrap();
    let detail = world.detail(id).await;
    assert_eq!((detail.user.id, detail.user.verified_at, detail.verification.verified_at), (user, None, None));
    assert_eq!(world.status(id).await, Status::Revoked);
    assert!(detail.verification.opened_at.is_some(), "that the link was opened stays known");
    let counts = world.store().counts().await.unwrap();
    assert_eq!((counts.verified, counts.revoked), (0, 1));
    // Why, and what was before.
    let entry = &detail.audit[0];
    assert_eq!((entry.action.raw(), entry.outcome.raw()), ("unverify", "unverified"));
    assert_eq!(entry.reason.as_ref().unwrap().raw(), "the neighbour opened it");
    let before: serde_json::Value = serde_json::from_str(entry.before.as_ref().unwrap().raw()).unwrap();
    let told = chrono::DateTime::parse_from_rfc3339(before["verified_at"].as_str().unwrap()).unwrap();
    assert_eq!(told, since);
    // The link that did it never verifies again.
    assert_eq!(world.open(&key).await, LinkOutcome::Revoked { locale: Locale::En });
    assert_eq!(state(&world).await, (0, 0, 0));
    age(&world, Duration::hours(1)).await;
    let resent = world.desk.resend(&operator(), id, Priority::Person, None).await.unwrap();
    assert_eq!(resent.how, ResentHow::NewKey);
    assert_eq!(state(&world).await, (1, 0, 0));
    let new_key = world.mail(resent.verification_id).await;
    assert_eq!(world.open(&new_key).await, LinkOutcome::Verified { locale: Locale::En, now: true });
    assert_eq!(state(&world).await, (0, 1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_un_verify_is_refused_where_the_state_has_moved_on() {
    let world = World::new().await;
    let old = world.sign_up("mina@example.com").await;
    for reason in ["", " a ", "\0\0\0"] {
        let refused = world.desk.unverify(&operator(), old, reason).await;
        assert!(matches!(refused, Err(Error::Refused(Refusal::ReasonMissing { .. }))), "{reason:?}");
    }
    let refused = world.desk.unverify(&operator(), old, "a mistake").await;
    assert!(matches!(refused, Err(Error::Refused(Refusal::NotVerified))), "{refused:?}");
    world.desk.force_verify(&operator(), old, "they called").await.unwrap();
    world.desk.unverify(&operator(), old, "a mistake").await.unwrap();
    let new = world.desk.force_verify(&operator(), old, "it was right after all").await.unwrap().verification_id;
    assert_ne!(new, old);
    // Who still looks at the first one must not take back the second.
    let refused = world.desk.unverify(&operator(), old, "a mistake").await;
    let is_of_the_other = |by: &Option<VerificationId>| *by == Some(new);
    assert!(
        matches!(&refused, Err(Error::Refused(Refusal::VerifiedByAnother { by })) if is_of_the_other(by)),
        "{refused:?}"
    );
    assert_eq!(state(&world).await, (0, 1, 1));
    let said: Vec<_> = outcomes(&world, old).await.into_iter().filter(|(action, _)| action == "unverify").collect();
    let expected = ["not_verified", "unverified", "verified_by_another"];
    assert_eq!(said, expected.map(|outcome| ("unverify".to_owned(), outcome.to_owned())));
    let kept = "select count(*) from audit_log where action = 'unverify' and before is not null";
    assert_eq!(world.number(kept).await, 1, "what changed nothing has nothing before it");
    let missing = world.desk.unverify(&operator(), VerificationId(999), "a mistake").await;
    assert!(matches!(missing, Err(Error::NotFound(_))));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_un_verify_racing_a_click_and_a_force_verify_leaves_one_truth() {
    let world = World::new().await;
    for round in 0..30 {
        let id = world.sign_up(&format!("mina{round}@example.com")).await;
        let key = world.mail(id).await;
        if round % 2 == 0 {
            world.desk.force_verify(&operator(), id, "they called").await.unwrap();
        }
        let actor = operator();
        let (clicked, taken_back, forced) = tokio::join!(
            world.desk.open_link(&key, Opener::Browser),
            world.desk.unverify(&actor, id, "a mistake"),
            async {
                if round % 3 == 0 {
                    world.desk.force_verify(&actor, id, "they called").await.map(Some)
                } else {
                    Ok(None)
                }
            }
        );
        let clicked = clicked.unwrap();
        let is_verified = world.detail(id).await.user.verified_at.is_some();
        let of_user = "select count(*) from verifications v join users u on u.id = v.user_id where u.email = $1";
        let count = async |what: &str| -> i64 {
            sqlx::query_scalar(sqlx::AssertSqlSafe(format!("{of_user} and {what}")))
                .bind(format!("mina{round}@example.com"))
                .fetch_one(world.pool())
                .await
                .unwrap()
        };
        assert_eq!(count("v.verified_at is not null").await, i64::from(is_verified), "round {round}");
        assert!(count("v.verified_at is null and v.revoked_at is null").await <= 1, "round {round}");
        let verified_twice = matches!(&forced, Ok(Some(done)) if done.verification_id != id);
        match taken_back {
            // What came after it was an act of its own, by another verification.
            Ok(_) => {
                assert_eq!((world.status(id).await, is_verified), (Status::Revoked, verified_twice), "round {round}");
            }
            Err(Error::Refused(Refusal::NotVerified)) => assert_eq!(world.status(id).await, Status::Verified),
            Err(other) => panic!("round {round}: {other}"),
        }
        assert!(
            matches!(clicked, LinkOutcome::Verified { .. } | LinkOutcome::Revoked { .. }),
            "round {round}: {clicked:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_key_that_a_worker_mails_in_the_meantime_verifies_who_was_un_verified() {
    let world = World::new().await;
    let mut ids = Vec::new();
    for n in 0..40 {
        ids.push(world.sign_up(&format!("mina{n}@example.com")).await);
    }
    let worker = world.start(Mode::Drain);
    for &id in &ids {
        // A click cannot come before its mail; an operator's word can.
        world.desk.force_verify(&operator(), id, "they called").await.unwrap();
        world.desk.unverify(&operator(), id, "a mistake").await.unwrap();
    }
    worker.ended().await;
    assert_eq!(state(&world).await, (0, 0, 0));
    for key in world.keys() {
        assert_eq!(world.open(&key).await, LinkOutcome::Revoked { locale: Locale::En });
    }
    assert_eq!(state(&world).await, (0, 0, 0));
    assert_eq!(world.number("select count(*) from sends where state in ('queued', 'sending')").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_line_takes_back_and_says_why_not() {
    let world = World::new().await;
    let program = Program::new(&world.db.url);
    let id = world.sign_up("mina@example.com").await.to_string();
    let run = program.run(&["unverify", &id, "--reason", "a mistake"]);
    assert_eq!((run.code, run.err.contains("this user is not verified")), (4, true), "{}", run.err);
    assert_eq!(program.run(&["verify", &id, "--reason", "they called"]).code, 0);
    let run = program.run(&["unverify", &id, "--reason", "a mistake", "--json"]);
    assert_eq!(run.code, 0, "{}", run.err);
    let done: serde_json::Value = serde_json::from_str(&run.out).unwrap();
    assert_eq!(done["outcome"], "unverified");
    let shown: serde_json::Value = serde_json::from_str(&program.run(&["show", &id, "--json"]).out).unwrap();
    assert!(shown["audit"][0]["before"]["verified_at"].is_string(), "{shown}");
    assert!(shown["audit"][2]["before"].is_null(), "{shown}");
    let lines = program.run(&["show", &id]).out;
    assert!(lines.contains("unverified: a mistake; before: verified 20"), "{lines}");
    assert_eq!(program.run(&["unverify", "999", "--reason", "a mistake"]).code, 3);
}
