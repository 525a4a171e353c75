//! Mailing one again, and when that is refused.

use chrono::Duration;
use verifydesk::desk::{Error, LinkOutcome, Opener, Refusal, ResentHow};
use verifydesk::domain::locale::Locale;
use verifydesk::domain::resend::Block;
use verifydesk::domain::send::Priority;
use verifydesk::domain::verification::{Counts, Status};

use super::age;
use crate::support::Program;
use crate::support::world::{World, operator};

#[tokio::test(flavor = "multi_thread")]
async fn a_pending_one_is_mailed_the_same_link_again() {
    let world = World::new().await;
    let id = world.sign_up("mina@example.com").await;
    let key = world.mail(id).await;
    age(&world, Duration::days(2)).await;
    assert_eq!(world.desk.plan_resend(id).await.unwrap().how, ResentHow::SameLink);
    let resent = world.desk.resend(&operator(), id, Priority::Person, None).await.unwrap();
    assert_eq!((resent.how, resent.verification_id), (ResentHow::SameLink, id));
    let left = world.detail(id).await.verification.expires_at - chrono::Utc::now();
    assert!(left > Duration::hours(71), "its life starts again");
    let outcome = world.desk.open_link(&key, Opener::Browser).await.unwrap();
    assert_eq!(outcome, LinkOutcome::Verified { locale: Locale::En, now: true });
}

#[tokio::test(flavor = "multi_thread")]
async fn an_expired_one_is_superseded() {
    let world = World::new().await;
    let old = world.sign_up("mina@example.com").await;
    let old_key = world.mail(old).await;
    age(&world, Duration::days(4)).await;
    assert_eq!(world.status(old).await, Status::Expired);
    assert_eq!(
        world.desk.open_link(&old_key, Opener::Browser).await.unwrap(),
        LinkOutcome::Expired { locale: Locale::En }
    );
    assert_eq!(world.desk.plan_resend(old).await.unwrap().how, ResentHow::NewKey);
    let resent = world.desk.resend(&operator(), old, Priority::Person, None).await.unwrap();
    assert_eq!(resent.how, ResentHow::NewKey);
    assert_ne!(resent.verification_id, old);
    assert_eq!(
        (world.status(old).await, world.status(resent.verification_id).await),
        (Status::Revoked, Status::Pending)
    );
    assert_eq!(
        world.desk.open_link(&old_key, Opener::Browser).await.unwrap(),
        LinkOutcome::Revoked { locale: Locale::En }
    );
    let new_key = world.mail(resent.verification_id).await;
    world.desk.open_link(&new_key, Opener::Browser).await.unwrap();
    // The older mail's link of a user who is verified in the meantime leads to the same page.
    assert_eq!(
        world.desk.open_link(&old_key, Opener::Browser).await.unwrap(),
        LinkOutcome::Verified { locale: Locale::En, now: false }
    );
    assert!(matches!(
        world.desk.resend(&operator(), old, Priority::Person, None).await,
        Err(Error::Refused(Refusal::AlreadyVerified))
    ));
    assert_eq!(world.store().counts().await.unwrap(), Counts { verified: 1, revoked: 1, ..Counts::default() });
}

#[tokio::test(flavor = "multi_thread")]
async fn a_waiting_mail_is_brought_forward_not_doubled() {
    let world = World::new().await;
    let id = world.sign_up("mina@example.com").await;
    world.execute("update sends set priority = 10, due_at = now() + interval '20 minutes'").await;
    age(&world, Duration::minutes(2)).await;
    let resent = world.desk.resend(&operator(), id, Priority::Person, None).await.unwrap();
    assert_eq!(resent.how, ResentHow::BroughtForward);
    let (count, priority, due): (i64, i16, bool) =
        sqlx::query_as("select count(*), min(priority), bool_and(due_at <= now()) from sends")
            .fetch_one(world.pool())
            .await
            .unwrap();
    assert_eq!((count, priority, due), (1, 0, true));
    let again = world.desk.resend(&operator(), id, Priority::Person, None).await;
    assert!(matches!(again, Err(Error::Refused(Refusal::CoolDown { .. }))), "{again:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_mail_does_not_hold_the_next_one_back() {
    let world = World::new().await;
    let id = world.sign_up("mina@example.com").await;
    world.execute("update sends set state = 'cancelled', reason = 'cancelled'").await;
    assert_eq!(world.desk.resend(&operator(), id, Priority::Person, None).await.unwrap().how, ResentHow::SameLink);
}

#[tokio::test(flavor = "multi_thread")]
async fn presses_before_a_server_that_refuses_are_held_back_as_all_others() {
    let world = World::new().await;
    let id = world.sign_up("mina@example.com").await;
    let fail = "update sends set state = 'failed', reason = '550 5.1.1 no such user' where state = 'queued'";
    for _ in 0..12 {
        world.execute(fail).await;
        let again = world.desk.resend(&operator(), id, Priority::Person, None).await;
        assert!(matches!(again, Err(Error::Refused(Refusal::CoolDown { .. }))), "{again:?}");
    }
    // One a minute is no cool-down's matter, but the day's.
    let mut queued = 1;
    for _ in 0..12 {
        age(&world, Duration::seconds(61)).await;
        match world.desk.resend(&operator(), id, Priority::Person, None).await {
            Ok(_) => queued += 1,
            Err(Error::Refused(Refusal::DailyCap { .. })) => {}
            other => panic!("{other:?}"),
        }
        world.execute(fail).await;
    }
    assert_eq!(queued, 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_takes_no_mail_is_mailed_for_a_reason_or_for_its_owner() {
    for (mark, block) in
        [("hard_at", Block::Bounced), ("complained_at", Block::Bounced), ("suppressed_at", Block::Suppressed)]
    {
        let world = World::with(|settings| settings.verification.cool_down = std::time::Duration::ZERO).await;
        let id = world.sign_up("Mina@example.com").await;
        let key = world.mail(id).await;
        world
            .execute(&format!(
                "update sends set state = 'bounced', attempts = 1;
                insert into address_states (address, {mark}) values ('mina@example.com', now())"
            ))
            .await;
        let plan = world.desk.plan_resend(id).await.unwrap();
        assert_eq!((plan.how, plan.block), (ResentHow::SameLink, Some(block)), "{mark}");
        let refused = world.desk.resend(&operator(), id, Priority::Person, None).await;
        assert!(matches!(refused, Err(Error::Refused(Refusal::Blocked { block: why })) if why == block), "{refused:?}");
        let short = world.desk.resend(&operator(), id, Priority::Person, Some("  a ")).await;
        assert!(matches!(short, Err(Error::Refused(Refusal::ReasonMissing { .. }))), "{short:?}");
        assert_eq!(world.sends().await.len(), 1);

        let program = Program::new(&world.db.url).set("VERIFYDESK_VERIFICATION__COOL_DOWN", "0s");
        let (id_text, json) = (id.to_string(), "{\"id\":1,\"outcome\":\"blocked\"}");
        let refused = program.run(&["resend", &id_text]);
        assert!(refused.code != 0 && refused.err.contains("--reason"), "{}", refused.err);
        let dry = program.run(&["resend", &id_text, "--dry-run", "--json"]);
        assert_eq!((dry.code, dry.out.trim()), (refused.code, json), "{}", dry.err);
        assert_eq!(program.run(&["resend", &id_text, "--dry-run", "--reason", "they say it works"]).code, 0);
        assert_eq!(world.sends().await.len(), 1);
        assert_eq!(program.run(&["resend", &id_text, "--reason", "they say it works"]).code, 0);
        let detail = world.detail(id).await;
        assert_eq!(detail.sends.len(), 2);
        let reasons: Vec<_> = detail.audit.iter().filter_map(|entry| entry.reason.as_ref()).collect();
        assert_eq!(reasons.iter().map(|reason| reason.raw()).collect::<Vec<_>>(), ["they say it works"]);

        // Who holds the link got a mail.
        world.execute("update sends set state = 'bounced', attempts = 1").await;
        world.desk.ask_for_new_mail(&operator(), &key).await.unwrap().unwrap();
        // What waits is brought forward: it bounces or not.
        assert_eq!(world.desk.plan_resend(id).await.unwrap().block, None);
    }
}
