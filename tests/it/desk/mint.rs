//! Links made by hand.

use url::Url;
use verifydesk::config::Secret;
use verifydesk::desk::{Desk, Error, LinkOutcome, Minted, Opener, Refusal};
use verifydesk::domain::id::VerificationId;
use verifydesk::domain::key::Key;
use verifydesk::domain::locale::Locale;
use verifydesk::domain::send::SendState;
use verifydesk::domain::verification::Status;
use verifydesk::outbox::worker::Mode;

use super::outcomes;
use crate::support::Program;
use crate::support::world::{World, operator};

async fn mint(world: &World, desk: &Desk, id: VerificationId) -> Result<Minted, Error> {
    let secret = world.settings.secret.clone().unwrap();
    let url = Url::parse("https://example.org").unwrap();
    desk.mint_link(&operator(), id, "  read out on the phone ", &secret, &url).await
}

fn key_of(minted: &Minted) -> Key {
    let link = minted.link.expose();
    Key::parse(link.strip_prefix("https://example.org/verify/?key=").unwrap()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_made_by_hand_takes_the_place_of_the_open_one() {
    let world = World::new().await;
    let old = world.sign_up("mina@example.com").await;
    let mailed = world.mail(old).await;
    let minted = mint(&world, &world.desk, old).await.unwrap();
    assert_ne!(minted.verification_id, old);
    assert_eq!(
        (world.status(old).await, world.status(minted.verification_id).await),
        (Status::Revoked, Status::Pending)
    );
    let expected = [("sign_up", "created"), ("supersede", "done"), ("mint_link", "done")];
    let known = outcomes(&world, old).await;
    assert_eq!(known.iter().map(|(action, outcome)| (&**action, &**outcome)).collect::<Vec<_>>(), expected);
    let entry = &world.detail(minted.verification_id).await.audit[0];
    assert_eq!(entry.reason.as_ref().unwrap().raw(), "read out on the phone");
    assert_eq!(entry.verification_id, Some(minted.verification_id));
    assert_eq!(world.open(&mailed).await, LinkOutcome::Revoked { locale: Locale::En });
    assert_eq!(world.open(&key_of(&minted)).await, LinkOutcome::Verified { locale: Locale::En, now: true });
    // It is nowhere.
    let traces = world.traces().await;
    assert!(!traces.contains(&key_of(&minted).expose()), "the key is in the database");
    assert!(!format!("{minted:?}").contains(&key_of(&minted).expose()));
    // Who is verified needs none, and the attempt is in the log.
    let refused = mint(&world, &world.desk, old).await;
    assert!(matches!(refused, Err(Error::Refused(Refusal::AlreadyVerified))), "{refused:?}");
    assert_eq!(outcomes(&world, old).await.pop().unwrap().1, "already_verified");
    assert!(matches!(mint(&world, &world.desk, VerificationId(999)).await, Err(Error::NotFound(_))));
}

#[tokio::test(flavor = "multi_thread")]
async fn its_way_back_is_to_revoke_it_and_a_worker_can_mail_it_again() {
    let world = World::new().await;
    let old = world.sign_up("mina@example.com").await;
    let minted = mint(&world, &world.desk, old).await.unwrap();
    assert_eq!(world.drain().await.sent, 0, "the mail with the old link went out");
    assert_eq!(world.one_send().await.state, SendState::Cancelled);
    super::age(&world, chrono::Duration::hours(1)).await;
    let priority = verifydesk::domain::send::Priority::Person;
    world.desk.resend(&operator(), minted.verification_id, priority, None).await.unwrap();
    assert_eq!(world.drain().await.sent, 1);
    assert_eq!(world.keys(), [key_of(&minted)], "another link was mailed");
    world.desk.revoke(&operator(), minted.verification_id, "read out to the wrong person").await.unwrap();
    assert_eq!(world.open(&key_of(&minted)).await, LinkOutcome::Revoked { locale: Locale::En });
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_with_another_secret_makes_none() {
    let world = World::new().await;
    let id = world.sign_up("mina@example.com").await;
    assert_eq!(world.drain().await.sent, 1);
    let secret = Secret::new("another-secret-another-secret-another");
    let url = Url::parse("https://example.org").unwrap();
    let refused = world.desk.mint_link(&operator(), id, "read out on the phone", &secret, &url).await;
    assert!(matches!(refused, Err(Error::Refused(Refusal::SecretDiffers))), "{refused:?}");
    assert_eq!(world.status(id).await, Status::Pending);
}

#[tokio::test(flavor = "multi_thread")]
async fn racing_a_click_one_of_the_two_links_counts() {
    let world = World::new().await;
    for round in 0..20 {
        let id = world.sign_up(&format!("mina{round}@example.com")).await;
        let key = world.mail(id).await;
        let (clicked, minted) =
            tokio::join!(world.desk.open_link(&key, Opener::Browser), mint(&world, &world.desk, id));
        match (clicked.unwrap(), minted) {
            (LinkOutcome::Verified { now: true, .. }, Err(Error::Refused(Refusal::AlreadyVerified))) => {}
            (LinkOutcome::Revoked { .. }, Ok(minted)) => {
                let opened = world.open(&key_of(&minted)).await;
                assert_eq!(opened, LinkOutcome::Verified { locale: Locale::En, now: true }, "{round}");
            }
            other => panic!("round {round}: {other:?}"),
        }
    }
    assert_eq!(world.number("select count(*) from verifications where verified_at is not null").await, 20);
}

#[tokio::test(flavor = "multi_thread")]
async fn racing_a_worker_the_link_made_by_hand_is_the_one_that_works() {
    let world = World::new().await;
    let mut ids = Vec::new();
    for n in 0..30 {
        ids.push(world.sign_up(&format!("mina{n}@example.com")).await);
    }
    let worker = world.start(Mode::Drain);
    let mut made = Vec::new();
    for &id in ids.iter().rev() {
        made.push(key_of(&mint(&world, &world.desk, id).await.unwrap()));
    }
    worker.ended().await;
    let open = world.number("select count(*) from sends where state in ('queued', 'sending')").await;
    assert_eq!(open, 0);
    for key in world.keys() {
        assert_eq!(world.open(&key).await, LinkOutcome::Revoked { locale: Locale::En });
    }
    for key in made {
        assert_eq!(world.open(&key).await, LinkOutcome::Verified { locale: Locale::En, now: true });
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_line_shows_it_once() {
    let world = World::new().await;
    let secret = world.settings.secret.as_ref().unwrap().expose().to_owned();
    let bare = Program::new(&world.db.url);
    let program = Program::new(&world.db.url)
        .set("VERIFYDESK_SECRET", secret)
        .set("VERIFYDESK_PUBLIC_URL", "https://example.org");
    let id = world.sign_up("mina@example.com").await.to_string();
    let run = bare.run(&["link", &id, "--reason", "read out on the phone"]);
    assert!(run.code != 0 && run.err.contains("no server secret is set"), "{}{}", run.out, run.err);
    let run = program.run(&["link", &id, "--reason", "read out on the phone"]);
    assert_eq!(run.code, 0, "{}", run.err);
    let key = run.out.trim().strip_prefix("https://example.org/verify/?key=").unwrap().to_owned();
    assert!(!run.err.contains(&key) && run.err.contains("not shown again"), "{}", run.err);
    assert!(!program.run(&["show", &id, "--json"]).out.contains(&key));
    let run = program.run(&["link", &id, "--reason", "read out again", "--json"]);
    assert_eq!(run.json()[0]["link"].as_str().unwrap().find("https://example.org/verify/?key="), Some(0));
    let key = Key::parse(&key).unwrap();
    assert_eq!(world.open(&key).await, LinkOutcome::Revoked { locale: Locale::En });
    assert_eq!(program.run(&["link", "999", "--reason", "read out on the phone"]).code, 3);
    assert_eq!(program.run(&["link", &id, "--reason", " "]).code, 4);
}
