//! The outbox and its worker.

mod answers;
mod broken;
mod clock;
mod ending;
mod faults;
mod lease;
mod restored;
mod secrets;
mod trouble;

use std::os::unix::fs::PermissionsExt as _;

use verifydesk::config::Secret;
use verifydesk::desk::LinkOutcome;
use verifydesk::domain::locale::Locale;
use verifydesk::domain::send::{Priority, SendState};
use verifydesk::domain::verification::Status;
use verifydesk::outbox::worker::{Mode, Tally};
use verifydesk::store::outbox::claim;
use verifydesk::store::outbox::standing::Claimant;

use crate::support::world::{World, operator, reason};

#[tokio::test(flavor = "multi_thread")]
async fn captures_a_mail_that_only_its_owner_can_read() {
    let site = World::new().await;
    let id = site.sign_up("mina@example.com").await;
    assert_eq!(site.drain().await, Tally { sent: 1, ..Tally::default() });
    let files = site.captured();
    assert_eq!(files.len(), 1);
    assert_eq!(files[0].metadata().unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(files[0].parent().unwrap().metadata().unwrap().permissions().mode() & 0o777, 0o700);
    let send = site.one_send().await;
    assert_eq!((send.state, send.attempts), (SendState::Accepted, 1));
    assert!(send.ses_id.is_some() && send.reply.unwrap().raw().starts_with("250 "));
    let detail = site.store().show(id).await.unwrap().unwrap();
    assert_eq!(detail.verification.key_fingerprint.unwrap(), site.keys()[0].digest().fingerprint());
    assert_eq!(site.open(&site.keys()[0]).await, LinkOutcome::Verified { locale: Locale::En, now: true });
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_lives_from_its_mailing_on() {
    let site = World::new().await;
    let id = site.sign_up("mina@example.com").await;
    // The worker was away for longer than a key lives.
    site.execute(
        "update verifications set created_at = now() - interval '9 days', expires_at = now() - interval '6 days'",
    )
    .await;
    assert_eq!(site.status(id).await, Status::Expired);
    site.drain().await;
    assert_eq!(site.status(id).await, Status::Pending);
    let left = site.store().show(id).await.unwrap().unwrap().verification.expires_at - chrono::Utc::now();
    assert!(left > chrono::Duration::hours(71));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_link_is_mailed_again() {
    let site = World::new().await;
    let id = site.sign_up("mina@example.com").await;
    site.drain().await;
    site.execute("update sends set queued_at = now() - interval '2 minutes'").await;
    site.desk.resend(&operator(), id, Priority::Person, None).await.unwrap();
    site.drain().await;
    let keys = site.keys();
    assert_eq!(keys.len(), 2);
    assert!(keys[0] == keys[1], "both mails carry the same link");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_longer_wanted_is_cancelled_with_the_reason() {
    let site = World::new().await;
    for n in 0..3 {
        site.sign_up(&format!("mina{n}@example.com")).await;
    }
    // By other hands than the desk's: its acts cancel what waits themselves.
    site.execute("update users set verified_at = now() where email = 'mina0@example.com'").await;
    site.execute("update verifications set revoked_at = now() where user_id = (select id from users where email = 'mina1@example.com')").await;
    site.execute("delete from users where email = 'mina2@example.com'").await;
    assert_eq!(site.drain().await, Tally { cancelled: 2, ..Tally::default() });
    let mut said: Vec<(SendState, String)> =
        site.sends().await.iter().map(|s| (s.state, reason(s).to_owned())).collect();
    said.sort();
    let expected = ["the user is verified already", "the user was deleted", "the verification was revoked"];
    assert_eq!(said, expected.map(|reason| (SendState::Cancelled, reason.to_owned())));
    assert!(site.captured().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_secret_breaks_no_link_silently() {
    let mut site = World::new().await;
    let old = site.sign_up("mina@example.com").await;
    site.drain().await;
    site.execute("update sends set queued_at = now() - interval '2 minutes'").await;
    site.desk.resend(&operator(), old, Priority::Person, None).await.unwrap();
    site.settings.secret = Some(Secret::new("another secret of the tests, also 32 bytes"));
    assert_eq!(site.drain().await.sent, 1);
    let keys = site.keys();
    assert_eq!(site.status(old).await, Status::Revoked);
    assert_eq!(site.open(&keys[0]).await, LinkOutcome::Revoked { locale: Locale::En });
    assert_eq!(site.open(&keys[1]).await, LinkOutcome::Verified { locale: Locale::En, now: true });
    assert_eq!(site.open(&keys[0]).await, LinkOutcome::Verified { locale: Locale::En, now: false });
    let audit = site.store().show(old).await.unwrap().unwrap().audit;
    assert!(audit.iter().any(|e| e.action.raw() == "supersede" && e.reason.as_ref().unwrap().raw().contains("secret")));
}

#[tokio::test(flavor = "multi_thread")]
async fn people_go_before_bulk_and_the_longest_due_first() {
    let site = World::new().await;
    for n in 0..6 {
        site.sign_up(&format!("mina{n}@example.com")).await;
    }
    site.execute("update sends set priority = 10 where recipient < 'mina3'").await;
    site.execute("update sends set due_at = now() - interval '1 hour' where recipient ~ '[1-4]@'").await;
    site.execute("update sends set due_at = due_at - interval '1 hour' where recipient ~ '[24]@'").await;
    let mut first = site.store().begin().await.unwrap();
    let claimed = claim::claim(&mut first, Claimant::default(), 10).await.unwrap().ids;
    let sends = site.sends().await;
    let order: Vec<&str> = claimed
        .iter()
        .map(|one| sends.iter().find(|send| send.id == *one).unwrap().recipient.raw().split('@').next().unwrap())
        .collect();
    assert_eq!(order, ["mina4", "mina3", "mina5", "mina2", "mina1", "mina0"]);
    let again = claim::claim(&mut site.store().begin().await.unwrap(), Claimant::default(), 10).await.unwrap().ids;
    assert!(again.is_empty(), "what one worker holds no other claims");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_workers_send_each_mail_once() {
    let site = World::new().await;
    for n in 0..60 {
        site.sign_up(&format!("mina{n}@example.com")).await;
    }
    let (a, b) = tokio::join!(site.drain(), site.drain());
    assert_eq!(a.sent + b.sent, 60);
    assert_eq!(site.captured().len(), 60);
    assert!(site.sends().await.iter().all(|send| send.state == SendState::Accepted && send.attempts == 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_worker_s_mail_is_unknown_not_doubled() {
    let site = World::new().await;
    site.sign_up("mina@example.com").await;
    site.execute(
        "update sends set state = 'sending', lease_by = gen_random_uuid(), lease_until = now() - interval '1 second'",
    )
    .await;
    site.drain().await;
    let send = site.one_send().await;
    assert_eq!(send.state, SendState::Unknown);
    assert!(reason(&send).contains("may or may not"));
    assert!(site.captured().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_worker_s_claim_is_taken_over() {
    let site = World::new().await;
    site.sign_up("mina@example.com").await;
    let mut dead = site.store().begin().await.unwrap();
    assert_eq!(claim::claim(&mut dead, Claimant::default(), 1).await.unwrap().ids.len(), 1);
    drop(dead);
    assert_eq!(site.drain().await.sent, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_worker_hears_of_a_sign_up_and_ends_when_asked() {
    let site = World::new().await;
    let running = site.start(Mode::Forever);
    site.until(async || site.store().outbox().await.unwrap().is_worked()).await;
    site.sign_up("mina@example.com").await;
    site.until(async || site.one_send().await.state == SendState::Accepted).await;
    assert_eq!(running.end().await.sent, 1);
    let outbox = site.store().outbox().await.unwrap();
    assert!(!outbox.is_worked());
    assert_eq!((outbox.workers.len(), outbox.workers[0].sent), (1, 1));
}
