//! Acts taken back: each kind, what forbids it, and races with a click and with a worker.

use std::time::Duration;

use verifydesk::desk::{Desk, Error, LinkOutcome, Opener, Refusal, ResentHow};
use verifydesk::domain::audit::{Action, Actor, Origin};
use verifydesk::domain::brake::BrakeState;
use verifydesk::domain::filter::Filter;
use verifydesk::domain::id::VerificationId;
use verifydesk::domain::job::{JobScope, JobState};
use verifydesk::domain::locale::Locale;
use verifydesk::domain::send::{Priority, SendState};
use verifydesk::domain::undo::{NotUndone, UNDO_FOR, Which};
use verifydesk::domain::verification::{Status, VerificationDetail};
use verifydesk::outbox::worker::Mode;

use super::{age, outcomes};
use crate::support::Program;
use crate::support::world::{World, operator};

/// As the console has it.
fn console(world: &World) -> Desk {
    world.another_desk().holding(UNDO_FOR)
}

fn of(action: Action, id: VerificationId) -> Which {
    Which::Of { action, verification: Some(id) }
}

fn why(result: Result<impl std::fmt::Debug, Error>) -> NotUndone {
    match result {
        Err(Error::Refused(Refusal::NotUndone { why, .. })) => why,
        other => panic!("{other:?}"),
    }
}

/// What an undo has to bring back: all of the user but the audit log.
async fn state(world: &World, id: VerificationId) -> String {
    let VerificationDetail { verification, user, others, mut sends, .. } = world.detail(id).await;
    // When it was last touched is no part of it.
    for send in &mut sends {
        send.changed_at = send.queued_at;
    }
    format!("{verification:?}\n{user:?}\n{others:?}\n{sends:?}")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_resend_waits_and_is_taken_back_as_if_it_had_never_been() {
    let world = World::new().await;
    let desk = console(&world);
    let id = world.sign_up("mina@example.com").await;
    let key = world.mail(id).await;
    age(&world, chrono::Duration::hours(1)).await;
    let before = state(&world, id).await;
    let resent = desk.resend(&operator(), id, Priority::Person, None).await.unwrap();
    assert_eq!(resent.how, ResentHow::SameLink);
    let held = "select count(*) from sends where state = 'queued' and due_at - queued_at = interval '10 seconds'";
    assert_eq!(world.number(held).await, 1);
    assert_eq!(world.start(Mode::Drain).ended().await.sent, 0, "it went out at once");
    let undone = desk.undo(&operator(), of(Action::Resend, id), None).await.unwrap();
    assert_eq!((undone.action.raw(), undone.verification), ("resend", Some(id)));
    let sends = world.detail(id).await.sends;
    assert_eq!(sends.iter().filter(|send| send.state == SendState::Cancelled).count(), 1);
    world.execute("delete from sends where state = 'cancelled'").await;
    assert_eq!(state(&world, id).await, before);
    // The next one need not wait for the cool-down of a mail that never was.
    desk.resend(&operator(), id, Priority::Person, None).await.unwrap();
    let expected = ["sign_up", "resend", "undo", "resend"];
    assert_eq!(outcomes(&world, id).await.into_iter().map(|(action, _)| action).collect::<Vec<_>>(), expected);
    assert_eq!(world.open(&key).await, LinkOutcome::Verified { locale: Locale::En, now: true });
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_new_link_took_the_place_of_comes_back() {
    let world = World::new().await;
    let desk = console(&world);
    let old = world.sign_up("mina@example.com").await;
    world.mail(old).await;
    age(&world, chrono::Duration::days(4)).await;
    assert_eq!(world.status(old).await, Status::Expired);
    let resent = desk.resend(&operator(), old, Priority::Person, None).await.unwrap();
    assert_eq!((resent.how, world.status(old).await), (ResentHow::NewKey, Status::Revoked));
    desk.undo(&operator(), Which::Last, None).await.unwrap();
    assert_eq!(
        (world.status(old).await, world.status(resent.verification_id).await),
        (Status::Expired, Status::Revoked)
    );
    assert_eq!(world.number("select count(*) from sends where state in ('queued', 'sending')").await, 0);
    let again = desk.resend(&operator(), old, Priority::Person, None).await.unwrap();
    assert_eq!(again.how, ResentHow::NewKey);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_that_was_brought_forward_goes_back_to_its_place() {
    let world = World::new().await;
    let desk = console(&world);
    let id = world.sign_up("mina@example.com").await;
    world.execute("update sends set queued_at = now() - interval '1 hour', due_at = now() + interval '5 minutes', priority = 10").await;
    let before = state(&world, id).await;
    let resent = desk.resend(&operator(), id, Priority::Person, None).await.unwrap();
    assert_eq!(resent.how, ResentHow::BroughtForward);
    assert_ne!(state(&world, id).await, before);
    desk.undo(&operator(), Which::Last, None).await.unwrap();
    assert_eq!(state(&world, id).await, before);
    assert_eq!(world.number("select count(*) from sends where priority = 10").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_that_a_worker_has_begun_is_not_taken_back() {
    let world = World::new().await;
    let id = world.sign_up("mina@example.com").await;
    world.mail(id).await;
    age(&world, chrono::Duration::hours(1)).await;
    // By the command line, which holds nothing.
    world.desk.resend(&operator(), id, Priority::Person, None).await.unwrap();
    world.drain().await;
    let before = state(&world, id).await;
    assert_eq!(why(world.desk.undo(&operator(), Which::Last, None).await), NotUndone::Begun);
    assert_eq!(state(&world, id).await, before);
}

/// The acts on one user that the database undoes, each with the state it starts from.
#[tokio::test(flavor = "multi_thread")]
async fn each_act_is_taken_back_once_and_all_is_as_before() {
    for (name, is_verified) in [
        ("force_verify", false),
        ("revoke", false),
        ("extend", false),
        ("change_address", false),
        ("change_address", true),
        ("unverify", true),
    ] {
        let world = World::new().await;
        let desk = console(&world);
        let id = world.sign_up("mina@example.com").await;
        if is_verified {
            let key = world.mail(id).await;
            world.open(&key).await;
            age(&world, chrono::Duration::hours(1)).await;
        }
        let before = state(&world, id).await;
        let actor = operator();
        match name {
            "force_verify" => drop(desk.force_verify(&actor, id, "they called").await.unwrap()),
            "revoke" => drop(desk.revoke(&actor, id, "they called").await.unwrap()),
            "extend" => drop(desk.extend(&actor, id, "they called").await.unwrap()),
            "unverify" => drop(desk.unverify(&actor, id, "they called").await.unwrap()),
            _ => {
                age(&world, chrono::Duration::hours(1)).await;
                desk.change_address(&actor, id, "nina@example.com", "a typo").await.map(drop).unwrap();
            }
        }
        assert_ne!(state(&world, id).await, before, "{name}");
        let undone = desk.undo(&actor, Which::Last, None).await.unwrap_or_else(|why| panic!("{name}: {why}"));
        assert_eq!((undone.action.raw(), undone.verification), (name, Some(id)));
        if name == "change_address" {
            // What was made for the new address is revoked, and its mail cancelled.
            assert_eq!(world.detail(id).await.user.email.raw(), "mina@example.com");
            world.execute("delete from sends where state = 'cancelled'; delete from verifications where revoked_at is not null").await;
            let kept = world.detail(id).await;
            assert_eq!(kept.user.verified_at.is_some(), is_verified);
            assert_eq!(kept.verification.verified_at.is_some(), is_verified);
            assert_eq!(kept.sends.len(), 1);
        } else {
            assert_eq!(state(&world, id).await, before, "{name}");
        }
        assert_eq!(why(desk.undo(&actor, Which::Entry(undone.entry), None).await), NotUndone::Already, "{name}");
        let entry = &world.detail(id).await.audit[0];
        assert_eq!((entry.action.raw(), entry.outcome.raw()), ("undo", name));
        let named = format!("select count(*) from audit_log where action = 'undo' and undoes = {}", undone.entry);
        assert_eq!(world.number(&named).await, 1);
        let counts = world.store().counts().await.unwrap();
        assert_eq!((counts.verified, counts.pending), (i64::from(is_verified), i64::from(!is_verified)), "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn mails_that_an_act_cancelled_go_out_after_all() {
    let world = World::new().await;
    for (n, act) in ["force_verify", "revoke", "change_address"].into_iter().enumerate() {
        let id = world.sign_up(&format!("mina{n}@example.com")).await;
        age(&world, chrono::Duration::hours(1)).await;
        match act {
            "force_verify" => drop(world.desk.force_verify(&operator(), id, "they called").await.unwrap()),
            "revoke" => drop(world.desk.revoke(&operator(), id, "they called").await.unwrap()),
            _ => drop(world.desk.change_address(&operator(), id, "nina@example.com", "a typo").await.unwrap()),
        }
        world.desk.undo(&operator(), Which::Last, None).await.unwrap();
    }
    assert_eq!(world.drain().await.sent, 3);
    for key in world.keys() {
        assert_eq!(world.open(&key).await, LinkOutcome::Verified { locale: Locale::En, now: true });
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_force_verify_without_an_open_link_leaves_none_behind() {
    let world = World::new().await;
    let id = world.sign_up("mina@example.com").await;
    world.desk.revoke(&operator(), id, "a mistake").await.unwrap();
    let made = world.desk.force_verify(&operator(), id, "they called").await.unwrap().verification_id;
    world.desk.undo(&operator(), of(Action::ForceVerify, id), None).await.unwrap();
    assert_eq!((world.status(made).await, world.detail(id).await.user.verified_at), (Status::Revoked, None));
    // And one step further back.
    world.desk.undo(&operator(), Which::Last, None).await.unwrap();
    assert_eq!(world.status(id).await, Status::Pending);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_undo_is_refused_where_the_state_has_moved_on() {
    let world = World::new().await;
    let actor = operator();
    // A click.
    let id = world.sign_up("mina@example.com").await;
    let key = world.mail(id).await;
    world.desk.force_verify(&actor, id, "they called").await.unwrap();
    world.open(&key).await;
    let before = state(&world, id).await;
    let NotUndone::MovedOn { by: Some(by) } = why(world.desk.undo(&actor, Which::Last, None).await) else { panic!() };
    assert_eq!(by.as_str(), "\"link opened\" by link");
    assert_eq!(state(&world, id).await, before);
    // Another act, until that is taken back.
    let id = world.sign_up("jun@example.com").await;
    world.mail(id).await;
    world.desk.extend(&actor, id, "they called").await.unwrap();
    world.desk.revoke(&actor, id, "they called").await.unwrap();
    let moved_on = why(world.desk.undo(&actor, of(Action::Extend, id), None).await);
    assert!(
        matches!(&moved_on, NotUndone::MovedOn { by: Some(by) } if by.as_str() == "\"link revoked\" by mina@desk"),
        "{moved_on:?}"
    );
    for action in [Action::Revoke, Action::Extend] {
        world.desk.undo(&actor, of(action, id), None).await.unwrap();
    }
    // A mail that a worker sent meanwhile has moved the link's time.
    let id = world.sign_up("hana@example.com").await;
    world.desk.extend(&actor, id, "they called").await.unwrap();
    world.drain().await;
    assert_eq!(why(world.desk.undo(&actor, Which::Last, None).await), NotUndone::MovedOn { by: None });
    // A sign-up of the address that was given up.
    let id = world.sign_up("typo@example.com").await;
    age(&world, chrono::Duration::hours(1)).await;
    world.desk.change_address(&actor, id, "right@example.com", "a typo").await.unwrap();
    world.sign_up("TYPO@example.com").await;
    let taken = world.desk.undo(&actor, of(Action::ChangeAddress, id), None).await;
    assert!(matches!(taken, Err(Error::Refused(Refusal::AddressTaken))), "{taken:?}");
    assert_eq!(world.detail(id).await.user.email.raw(), "right@example.com");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_never_taken_back_says_so() {
    let world = World::new().await;
    let id = world.sign_up("mina@example.com").await;
    let last = |world: &World| {
        let desk = world.desk.clone();
        async move { why(desk.undo(&operator(), Which::Last, None).await) }
    };
    assert_eq!(last(&world).await, NotUndone::Never);
    world.desk.pause(&operator(), "a test").await.unwrap();
    world.desk.resume(&operator()).await.unwrap();
    assert_eq!(last(&world).await, NotUndone::Never, "a resume: mails are on their way");
    world.desk.force_verify(&operator(), id, "they called").await.unwrap();
    let refused = world.desk.force_verify(&operator(), id, "they called").await;
    assert!(refused.is_err());
    let attempt = world.number("select max(id) from audit_log").await;
    assert_eq!(why(world.desk.undo(&operator(), Which::Entry(attempt), None).await), NotUndone::Nothing);
    let missing = world.desk.undo(&operator(), Which::Entry(999_999), None).await;
    assert!(matches!(missing, Err(Error::NotFound(_))), "{missing:?}");
    let nobody = Actor::new("nobody@desk", Origin::Cli);
    let missing = world.desk.undo(&nobody, Which::Last, None).await;
    assert!(matches!(missing, Err(Error::NotFound(_))), "{missing:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_someone_elses_needs_a_reason() {
    let world = World::new().await;
    let id = world.sign_up("mina@example.com").await;
    world.desk.force_verify(&operator(), id, "they called").await.unwrap();
    let entry = Which::Entry(world.number("select max(id) from audit_log").await);
    let jun = Actor::new("jun@desk", Origin::Console);
    for reason in [None, Some(" ")] {
        let refused = world.desk.undo(&jun, entry, reason).await;
        assert!(matches!(refused, Err(Error::Refused(Refusal::ReasonMissing { .. }))), "{refused:?}");
    }
    world.desk.undo(&jun, entry, Some("Mina's mistake")).await.unwrap();
    let undo = &world.detail(id).await.audit[0];
    assert_eq!((undo.actor.raw(), undo.reason.as_ref().unwrap().raw()), ("jun@desk", "Mina's mistake"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pause_is_taken_back_to_what_was_before_it() {
    let world = World::new().await;
    let brake = async || {
        sqlx::query_scalar::<_, String>("select (to_jsonb(brake) - 'pauses_ended')::text from brake")
            .fetch_one(world.pool())
            .await
            .unwrap()
    };
    let off = brake().await;
    world.desk.drain(&operator(), "SES maintenance").await.unwrap();
    let draining = brake().await;
    world.desk.pause(&operator(), "SES maintenance").await.unwrap();
    for expected in [draining, off] {
        world.desk.undo(&operator(), Which::Last, None).await.unwrap();
        assert_eq!(brake().await, expected);
    }
    // Another stopped it since: theirs stays.
    world.desk.pause(&operator(), "a test").await.unwrap();
    let jun = Actor::new("jun@desk", Origin::Console);
    world.desk.pause(&jun, "an outage").await.unwrap();
    let refused = world.desk.undo(&operator(), Which::Last, None).await;
    assert_eq!(why(refused), NotUndone::MovedOn { by: None });
    assert_eq!(world.store().brake().await.unwrap().map(|brake| brake.state), Some(BrakeState::Paused));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bulk_resend_is_taken_back_in_its_grace() {
    let world = World::new().await;
    world.sign_up("mina@example.com").await;
    age(&world, chrono::Duration::hours(1)).await;
    let scope = JobScope::Filter(Filter::default());
    let id = world.desk.start_job(&operator(), &scope, None, Duration::from_mins(1)).await.unwrap();
    let which = Which::Of { action: Action::StartJob, verification: None };
    world.desk.undo(&operator(), which, None).await.unwrap();
    let job = world.desk.job(id).await.unwrap();
    assert_eq!((job.state, job.reason.unwrap().raw()), (JobState::Cancelled, "taken back by mina@desk"));
    let id = world.desk.start_job(&operator(), &scope, None, Duration::ZERO).await.unwrap();
    assert_eq!(why(world.desk.undo(&operator(), which, None).await), NotUndone::Begun);
    assert_eq!(world.desk.job(id).await.unwrap().state, JobState::Running);
}

/// Mails that were queued behind the drain wait for it, and go out once it is taken back; where it has ended in the
/// meantime, it is not.
#[tokio::test(flavor = "multi_thread")]
async fn a_drain_that_is_taken_back_holds_nothing() {
    let world = World::new().await;
    world.sign_up("before@example.com").await;
    world.desk.drain(&operator(), "SES maintenance").await.unwrap();
    world.sign_up("behind@example.com").await;
    assert_eq!(world.drain().await.sent, 1, "what was queued before it");
    let undone = world.desk.undo(&operator(), Which::Of { action: Action::Drain, verification: None }, None).await;
    assert_eq!(undone.unwrap().action.raw(), "drain");
    assert_eq!(world.store().brake().await.unwrap(), None);
    assert_eq!(world.drain().await.sent, 1);
    world.desk.drain(&operator(), "SES maintenance").await.unwrap();
    world.desk.resume(&operator()).await.unwrap();
    let which = Which::Of { action: Action::Drain, verification: None };
    assert_eq!(why(world.desk.undo(&operator(), which, None).await), NotUndone::MovedOn { by: None });
}

/// Either none of its mails is made, or it goes on: never some of them and a job that is called taken back.
#[tokio::test(flavor = "multi_thread")]
async fn a_bulk_resend_racing_its_first_mail_is_taken_back_whole_or_not_at_all() {
    let world = World::new().await;
    for n in 0..5 {
        world.sign_up(&format!("mina{n}@example.com")).await;
    }
    let scope = JobScope::Filter(Filter::default());
    let which = Which::Of { action: Action::StartJob, verification: None };
    let (mut undone, mut begun) = (0, 0);
    for round in 0..40 {
        world.execute("update sends set state = 'accepted', queued_at = now() - interval '2 days'").await;
        let id = world.desk.start_job(&operator(), &scope, None, Duration::from_mins(1)).await.unwrap();
        // Its grace ends at about the moment at which both come to it.
        world
            .execute(&format!(
                "update jobs set starts_at = clock_timestamp() + interval '{} ms' where id = '{id}'",
                round % 8
            ))
            .await;
        let (desk, other) = (world.desk.clone(), world.another_desk());
        let advancing = tokio::spawn(async move {
            let mut queued = 0;
            for _ in 0..20 {
                queued += other.advance_job(id).await.unwrap().queued;
            }
            queued
        });
        let result = desk.undo(&operator(), which, None).await;
        let queued = advancing.await.unwrap();
        let state = world.desk.job(id).await.unwrap().state;
        if result.is_ok() {
            undone += 1;
            assert_eq!((state, queued), (JobState::Cancelled, 0), "round {round}");
        } else {
            begun += 1;
            assert_eq!(why(result), NotUndone::Begun, "round {round}");
            assert!(matches!(state, JobState::Running | JobState::Done), "round {round}: {state}");
            let left = world.desk.advance_job(id).await.unwrap().queued;
            assert_eq!(queued + left, 5, "round {round}");
        }
    }
    assert_eq!(undone + begun, 40);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_undo_racing_a_click_leaves_one_truth() {
    let world = World::new().await;
    for round in 0..30 {
        let id = world.sign_up(&format!("mina{round}@example.com")).await;
        let key = world.mail(id).await;
        let act = if round % 2 == 0 { Action::ForceVerify } else { Action::Revoke };
        if act == Action::ForceVerify {
            world.desk.force_verify(&operator(), id, "they called").await.unwrap();
        } else {
            world.desk.revoke(&operator(), id, "they called").await.unwrap();
        }
        let actor = operator();
        let (clicked, undone) =
            tokio::join!(world.desk.open_link(&key, Opener::Browser), world.desk.undo(&actor, of(act, id), None));
        let is_verified = world.detail(id).await.user.verified_at.is_some();
        match (act, clicked.unwrap(), undone) {
            // The click came first, and stands; or the undo did, and the click verifies for itself.
            (Action::ForceVerify, LinkOutcome::Verified { now: false, .. }, Err(_))
            | (_, LinkOutcome::Verified { now: true, .. }, Ok(_)) => assert!(is_verified, "{round}"),
            (Action::Revoke, LinkOutcome::Revoked { .. }, Ok(_)) => {
                assert_eq!(world.status(id).await, Status::Pending, "{round}");
            }
            other => panic!("round {round}: {other:?}"),
        }
        let verified = "select count(*) from users u where (u.verified_at is not null) <> exists (
            select from verifications v where v.user_id = u.id and v.verified_at is not null)";
        assert_eq!(world.number(verified).await, 0, "round {round}");
    }
}

/// Either the mail goes out, or it was taken back and does not: never both, never neither.
#[tokio::test(flavor = "multi_thread")]
async fn an_undo_racing_a_worker_decides_each_mail_once() {
    let world = World::new().await;
    let mut ids = Vec::new();
    for n in 0..40 {
        ids.push(world.sign_up(&format!("mina{n}@example.com")).await);
    }
    world.drain().await;
    age(&world, chrono::Duration::hours(1)).await;
    let before = world.captured().len();
    for &id in &ids {
        world.desk.resend(&operator(), id, Priority::Person, None).await.unwrap();
    }
    let worker = world.start(Mode::Drain);
    let mut taken_back = 0;
    for &id in ids.iter().rev() {
        match world.desk.undo(&operator(), of(Action::Resend, id), None).await {
            Ok(_) => taken_back += 1,
            refused => assert_eq!(why(refused), NotUndone::Begun),
        }
    }
    worker.ended().await;
    assert_eq!(world.captured().len() - before, ids.len() - taken_back);
    let cancelled = world.number("select count(*) from sends where state = 'cancelled'").await;
    assert_eq!(usize::try_from(cancelled).unwrap(), taken_back);
    let open = world.number("select count(*) from sends where state in ('queued', 'sending')").await;
    assert_eq!(open, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_line_takes_back() {
    let world = World::new().await;
    let program = Program::new(&world.db.url);
    let id = world.sign_up("mina@example.com").await;
    let number = id.to_string();
    let run = program.run(&["undo"]);
    assert_eq!(run.code, 3, "{}{}", run.out, run.err);
    program.run(&["verify", &number, "--reason", "they called"]);
    let run = program.run(&["undo", "--json"]);
    assert_eq!(run.code, 0, "{}", run.err);
    let done: serde_json::Value = serde_json::from_str(&run.out).unwrap();
    assert_eq!(
        (&done["action"], &done["outcome"], &done["verification_id"]),
        (&"force_verify".into(), &"undone".into(), &id.0.into())
    );
    assert_eq!(world.status(id).await, Status::Pending);
    let entry = done["entry"].to_string();
    let run = program.run(&["undo", &entry]);
    assert_eq!((run.code, run.err.contains("it was taken back before")), (4, true), "{}", run.err);
    let shown = program.run(&["show", &number]);
    assert!(shown.out.contains(&format!("(entry {entry})")), "{}", shown.out);
}
