//! Users deleted: held, taken back, erased; raced with a click, a worker and an undo.

use verifydesk::desk::{Deletion, Error, LinkOutcome, Opener, Refusal, SignUp, Whom};
use verifydesk::domain::address::EmailAddress;
use verifydesk::domain::audit::{Action, Actor, Origin};
use verifydesk::domain::filter::Filter;
use verifydesk::domain::id::VerificationId;
use verifydesk::domain::job::JobScope;
use verifydesk::domain::locale::Locale;
use verifydesk::domain::page::Position;
use verifydesk::domain::send::{Priority, SendState};
use verifydesk::domain::undo::Which;
use verifydesk::domain::verification::{Status, VerificationDetail};
use verifydesk::outbox::worker::Mode;

use super::{age, outcomes};
use crate::support::world::{World, operator, reason};
use crate::support::{Program, pg_dump};

async fn delete(world: &World, id: VerificationId) -> Result<Deletion, Error> {
    world.desk.delete_user(&operator(), &Whom::Verification(id), "they asked for it").await
}

/// The moment until which everyone is held has come.
async fn let_go(world: &World) {
    world.execute("update users set delete_after = now() where delete_after is not null").await;
}

fn worker_actor() -> Actor {
    Actor::new("worker@desk", Origin::Worker)
}

fn of(id: VerificationId) -> Which {
    Which::Of { action: Action::Delete, verification: Some(id) }
}

/// What an undo has to bring back: all of the user but the audit log.
async fn state(world: &World, id: VerificationId) -> String {
    let VerificationDetail { verification, user, others, mut sends, .. } = world.detail(id).await;
    for send in &mut sends {
        send.changed_at = send.queued_at;
    }
    format!("{verification:?}\n{user:?}\n{others:?}\n{sends:?}")
}

#[tokio::test]
async fn a_user_is_held_and_then_erased() {
    let world = World::new().await;
    let id = world.sign_up("mina@example.com").await;
    let other = world.sign_up("jun@example.com").await;
    for reason in ["", " a "] {
        let refused = world.desk.delete_user(&operator(), &Whom::Verification(id), reason).await;
        assert!(matches!(refused, Err(Error::Refused(Refusal::ReasonMissing { .. }))), "{reason:?}");
    }
    let missing = delete(&world, VerificationId(999)).await;
    assert!(matches!(missing, Err(Error::NotFound(_))), "{missing:?}");
    let held = delete(&world, id).await.unwrap();
    let left = held.delete_after - world.store().now().await.unwrap();
    assert!(left.num_seconds() >= 8 && left.num_seconds() <= 10, "{left}");
    assert_eq!(world.detail(id).await.user.delete_after, Some(held.delete_after));
    let mail = &world.detail(id).await.sends[0];
    assert_eq!((mail.state, reason(mail)), (SendState::Cancelled, "the user is being deleted"));
    let mails = world.store().sends(&Filter::default(), Position::Newest, 10).await.unwrap();
    let leaving = mails.rows.iter().map(|mail| (mail.verification_id, mail.is_leaving)).collect::<Vec<_>>();
    assert_eq!(leaving, [(Some(other), false), (Some(id), true)], "a list of mails tells who is being deleted");
    assert_eq!(world.store().erase_due(&worker_actor()).await.unwrap().users, 0, "not yet");
    let again = delete(&world, id).await;
    assert!(matches!(again, Err(Error::Refused(Refusal::BeingDeleted))), "{again:?}");
    let expected = [("sign_up", "created"), ("delete", "done"), ("delete", "being_deleted")];
    assert_eq!(outcomes(&world, id).await, expected.map(|(a, b)| (a.to_owned(), b.to_owned())));

    let_go(&world).await;
    let erased = world.store().erase_due(&worker_actor()).await.unwrap();
    assert_eq!((erased.users, erased.next_in), (1, None));
    assert!(world.store().show(id).await.unwrap().is_none());
    assert_eq!(world.status(other).await, Status::Pending);
    let log = "select count(*) from audit_log where user_id = 1 and action = 'erase' and origin = 'worker'";
    assert_eq!(world.number(log).await, 1);
    assert_eq!(world.store().counts().await.unwrap().pending, 1);
    // What is left of the mail says of whom no more than that they were deleted.
    let sends = world.sends().await;
    let left = sends.iter().find(|send| send.user_id.is_none()).unwrap();
    assert_eq!((left.recipient.raw(), reason(left)), ("", "the user was deleted"));
    // The address is anyone's again.
    world.sign_up("mina@example.com").await;
}

#[tokio::test]
async fn until_they_are_erased_it_is_taken_back_and_all_is_as_before() {
    let world = World::new().await;
    let id = world.sign_up("mina@example.com").await;
    let key = world.mail(id).await;
    age(&world, chrono::Duration::hours(1)).await;
    world.desk.resend(&operator(), id, Priority::Person, None).await.unwrap();
    let before = state(&world, id).await;
    delete(&world, id).await.unwrap();
    assert_ne!(state(&world, id).await, before);
    // Also when its time is over and no one has come to it.
    let_go(&world).await;
    let undone = world.desk.undo(&operator(), Which::Last, None).await.unwrap();
    assert_eq!((undone.action.raw(), undone.verification), ("delete", Some(id)));
    assert_eq!(state(&world, id).await, before);
    assert_eq!(world.store().erase_due(&worker_actor()).await.unwrap().users, 0);
    assert_eq!(world.drain().await.sent, 1, "the mail that waited goes out after all");
    assert_eq!(world.open(&key).await, LinkOutcome::Verified { locale: Locale::En, now: true });
    // And once more, to the end.
    delete(&world, id).await.unwrap();
    let entry = world.number("select max(id) from audit_log").await;
    let_go(&world).await;
    world.store().erase_due(&worker_actor()).await.unwrap();
    let gone = world.desk.undo(&operator(), Which::Entry(entry), None).await;
    assert!(matches!(gone, Err(Error::NotFound(_))), "{gone:?}");
}

#[tokio::test]
async fn nothing_else_is_done_about_one_who_is_being_deleted() {
    let world = World::new().await;
    let id = world.sign_up("mina@example.com").await;
    let key = world.mail(id).await;
    age(&world, chrono::Duration::hours(1)).await;
    world.desk.extend(&operator(), id, "they are away").await.unwrap();
    delete(&world, id).await.unwrap();
    let (desk, actor) = (&world.desk, operator());
    let entries = world.number("select count(*) from audit_log").await;
    let before = state(&world, id).await;
    let request = SignUp { email: "MINA@example.com".into(), ..SignUp::default() };
    let refusals = [
        ("resend", desk.resend(&actor, id, Priority::Person, None).await.map(drop)),
        ("plan", desk.plan_resend(id).await.map(drop)),
        ("force-verify", desk.force_verify(&actor, id, "they called").await.map(drop)),
        ("unverify", desk.unverify(&actor, id, "they called").await.map(drop)),
        ("revoke", desk.revoke(&actor, id, "they called").await.map(drop)),
        ("extend", desk.extend(&actor, id, "they called").await.map(drop)),
        ("change of address", desk.change_address(&actor, id, "nina@example.com", "a typo").await.map(drop)),
        ("sign-up", desk.sign_up(&Actor::new("site", Origin::Api), &request).await.map(drop)),
        ("plan of a deletion", desk.plan_deletion(&Whom::Verification(id)).await.map(drop)),
    ];
    for (act, refused) in refusals {
        assert!(matches!(refused, Err(Error::Refused(Refusal::BeingDeleted))), "{act}: {refused:?}");
    }
    // Their links are as if they had never been; an act before the deletion is not taken back over it.
    assert_eq!(world.open(&key).await, LinkOutcome::Unknown);
    assert_eq!(desk.look_at_link(&key).await.unwrap(), LinkOutcome::Unknown);
    assert!(desk.ask_for_new_mail(&Actor::new("link", Origin::Web), &key).await.unwrap().is_none());
    let undone = desk.undo(&actor, Which::Of { action: Action::Extend, verification: Some(id) }, None).await;
    let Err(Error::Refused(Refusal::NotUndone { why, .. })) = undone else { panic!("{undone:?}") };
    assert_eq!(why.in_words(), "\"user deleted\" by mina@desk came after it");
    // No bulk resend finds them, and one that runs goes past them.
    let scope = JobScope::Filter(Filter::default());
    let plan = desk.plan_job(&scope).await.unwrap();
    assert_eq!((plan.found, plan.mails), (0, 0));
    let job = desk.start_job(&actor, &scope, None, std::time::Duration::ZERO).await.unwrap();
    assert_eq!(desk.advance_job(job).await.unwrap().queued, 0);
    assert_eq!(state(&world, id).await, before);
    let since = world.number("select count(*) from audit_log").await - entries;
    assert_eq!(since, 1, "only that the bulk resend was started");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_whose_answer_was_lost_is_not_tried_again_and_waits_after_an_undo() {
    let world = World::new().await;
    let id = world.sign_up("mina@example.com").await;
    delete(&world, id).await.unwrap();
    // As a worker puts it back that had it in hand.
    world.execute("update sends set state = 'queued', reason = null").await;
    assert_eq!(world.drain().await.cancelled, 1);
    assert!(world.captured().is_empty());
    world.desk.undo(&operator(), of(id), None).await.unwrap();
    assert_eq!(world.drain().await.sent, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_erases_and_a_drain_does_so_before_it_ends() {
    let world = World::new().await;
    let id = world.sign_up("mina@example.com").await;
    delete(&world, id).await.unwrap();
    world.drain().await;
    assert_eq!(world.number("select count(*) from users").await, 1, "not before its time");
    let_go(&world).await;
    world.drain().await;
    assert_eq!(world.number("select count(*) from users").await, 0);
    let by = "select count(*) from audit_log where action = 'erase' and origin = 'worker' and actor like 'worker@%'";
    assert_eq!(world.number(by).await, 1);
}

#[tokio::test]
async fn one_who_cannot_be_erased_keeps_no_other() {
    let world = World::new().await;
    for name in ["mina", "jun"] {
        let id = world.sign_up(&format!("{name}@example.com")).await;
        delete(&world, id).await.unwrap();
    }
    let_go(&world).await;
    // A table of the site's own that points at the first.
    world
        .execute("create table theirs (user_id bigint references users); insert into theirs select min(id) from users")
        .await;
    assert!(world.store().erase_due(&worker_actor()).await.is_err());
    assert_eq!(world.number("select count(*) from users").await, 1);
    world.execute("drop table theirs").await;
    assert_eq!(world.store().erase_due(&worker_actor()).await.unwrap().users, 1, "it goes on where it was ended");
}

#[tokio::test]
async fn a_deletion_racing_a_click_leaves_one_truth() {
    let world = World::new().await;
    for round in 0..30 {
        let id = world.sign_up(&format!("mina{round}@example.com")).await;
        let key = world.mail(id).await;
        let (clicked, deleted) = tokio::join!(world.desk.open_link(&key, Opener::Browser), delete(&world, id));
        deleted.unwrap();
        let is_verified = world.detail(id).await.user.verified_at.is_some();
        match clicked.unwrap() {
            LinkOutcome::Verified { now: true, .. } => assert!(is_verified, "{round}"),
            LinkOutcome::Unknown => assert!(!is_verified, "{round}"),
            other => panic!("round {round}: {other:?}"),
        }
        let actor = Actor::new("mina@desk", Origin::Cli);
        // Another click, racing the undo: either it comes too soon, or it verifies.
        let (clicked, undone) =
            tokio::join!(world.desk.open_link(&key, Opener::Browser), world.desk.undo(&actor, of(id), None));
        undone.unwrap();
        let was_found = clicked.unwrap() != LinkOutcome::Unknown;
        assert_eq!(world.detail(id).await.user.verified_at.is_some(), is_verified || was_found, "{round}");
    }
}

/// Each mail goes out, or its user was deleted first and it does not: never both.
#[tokio::test(flavor = "multi_thread")]
async fn a_deletion_racing_a_worker_decides_each_mail_once() {
    let world = World::new().await;
    let mut ids = Vec::new();
    for n in 0..40 {
        ids.push(world.sign_up(&format!("mina{n}@example.com")).await);
    }
    let worker = world.start(Mode::Drain);
    for &id in ids.iter().rev() {
        delete(&world, id).await.unwrap();
    }
    worker.ended().await;
    let sent = world.captured().len();
    let counted = |state: &str| format!("select count(*) from sends where state = '{state}'");
    assert_eq!(usize::try_from(world.number(&counted("accepted")).await).unwrap(), sent);
    assert_eq!(usize::try_from(world.number(&counted("cancelled")).await).unwrap(), ids.len() - sent);
}

/// Either the undo comes first and they stay with all that is theirs, or they are gone.
#[tokio::test(flavor = "multi_thread")]
async fn an_undo_racing_the_eraser_leaves_no_half_user() {
    let world = World::new().await;
    let (mut stayed, mut gone) = (0, 0);
    for round in 0..30 {
        let id = world.sign_up(&format!("mina{round}@example.com")).await;
        delete(&world, id).await.unwrap();
        let_go(&world).await;
        let (erasing, undoing) = (world.another_desk(), world.desk.clone());
        let erase = tokio::spawn(async move { erasing.store().erase_due(&worker_actor()).await.unwrap().users });
        let undone = undoing.undo(&operator(), of(id), None).await;
        let erased = erase.await.unwrap();
        let is_there = world.store().show(id).await.unwrap().is_some();
        match undone {
            Ok(_) => {
                assert!(is_there && erased == 0, "round {round}");
                assert_eq!(world.status(id).await, Status::Pending, "round {round}");
                stayed += 1;
            }
            Err(Error::NotFound(_)) => {
                assert!(!is_there && erased == 1, "round {round}");
                gone += 1;
            }
            Err(other) => panic!("round {round}: {other:?}"),
        }
    }
    assert_eq!(stayed + gone, 30);
}

/// Their addresses of now and before, and their name, wherever they were written.
#[tokio::test(flavor = "multi_thread")]
async fn a_dump_names_no_one_who_was_erased() {
    let world = World::new().await;
    let request =
        SignUp { email: "Mina.Kmi@example.com".into(), name: "Mina-Ok Kimball 김미나".into(), locale: Locale::En };
    let id = world.desk.sign_up(&operator(), &request).await.unwrap().verification_id.unwrap();
    world.mail(id).await;
    age(&world, chrono::Duration::hours(1)).await;
    let (email, resent) =
        world.desk.change_address(&operator(), id, "mina.kim@example.com", "Mina-Ok said: Kim, not Kmi").await.unwrap();
    let id = resent.verification_id;
    let key = world.mail(id).await;
    world.open(&key).await;
    world.desk.unverify(&operator(), id, "김미나님 called: MINA.KIM is not Kimball's any more").await.unwrap();
    world.execute("insert into address_states (address, hard_at) values ('mina.kmi@example.com', now()), ('mina.kim@example.com', now())").await;
    // Someone else has signed up with the address that was given up, and keeps what is known of it.
    let typo = world.sign_up("mina.kmi@example.com").await;
    let theirs = ["mina.kmi@", "mina.kim", "mina-ok", "kimball", "김미나"];
    let named = |dump: &str, name: &str| dump.to_lowercase().contains(name);
    let before = pg_dump(&world.db.url);
    for name in theirs {
        assert!(named(&before, name), "{name} is there before");
    }
    let whom = Whom::Address(EmailAddress::parse("MINA.KIM@example.com").unwrap());
    let why = "Mina-Ok Kimball <mina.kim@example.com> asked for it by letter";
    let deletion = world.desk.delete_user(&operator(), &whom, why).await.unwrap();
    assert_eq!((deletion.user.email.raw(), deletion.verification), (email.as_str(), Some(id)));
    let_go(&world).await;
    assert_eq!(world.store().erase_due(&worker_actor()).await.unwrap().users, 1);
    let after = pg_dump(&world.db.url);
    for name in &theirs[1..] {
        assert!(!named(&after, name), "{name} is left");
    }
    let known = "select count(*) from address_states";
    assert_eq!(world.number(known).await, 1, "the other's address");
    let reasons: Vec<(String, String)> = sqlx::query_as(
        "select action, reason from audit_log where user_id = 1 and reason is not null and origin <> 'worker' order by id",
    )
    .fetch_all(world.pool())
    .await
    .unwrap();
    let expected = [
        ("change_address", "(erased) said: Kim, not Kmi"),
        ("unverify", "(erased)님 called: (erased) is not (erased)'s any more"),
        ("delete", "(erased) (erased) <(erased)> asked for it by letter"),
    ];
    assert_eq!(reasons, expected.map(|(a, b)| (a.to_owned(), b.to_owned())));
    assert_eq!(world.detail(typo).await.audit.len(), 1);
    world.execute("delete from users").await;
    let last = pg_dump(&world.db.url);
    assert!(!named(&last, "mina.kmi@"), "{last}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_line_deletes_and_prunes() {
    let world = World::new().await;
    let program = Program::new(&world.db.url);
    let id = world.sign_up("mina@example.com").await.to_string();
    let run = program.run(&["delete", "Mina@Example.com", "--dry-run"]);
    assert_eq!(run.code, 0, "{}", run.err);
    assert!(
        run.out.starts_with("would delete user 1: mina@example.com, ") && run.out.contains("1 mails"),
        "{}",
        run.out
    );
    for (args, code) in [
        (&["delete", &id][..], 2),
        (&["delete", &id, "--reason", "they asked for it"], 2),
        (&["delete", "nonsense", "--dry-run"], 2),
        (&["delete", "jun@example.com", "--dry-run"], 3),
        (&["delete", "999", "--reason", "they asked for it", "--yes"], 3),
        (&["--read-only", "delete", &id, "--reason", "they asked for it", "--yes"], 4),
    ] {
        let run = program.run(args);
        assert_eq!(run.code, code, "{args:?}: {}{}", run.out, run.err);
    }
    let delete = ["delete", "mina@example.com", "--reason", "they asked for it", "--yes", "--json"];
    let run = program.run(&delete);
    assert_eq!(run.code, 0, "{}", run.err);
    let done: serde_json::Value = serde_json::from_str(&run.out).unwrap();
    assert_eq!((&done["outcome"], &done["user_id"]), (&"being_deleted".into(), &1.into()));
    assert_eq!(program.run(&delete).code, 4);
    let shown = program.run(&["show", &id]);
    assert!(shown.out.contains("verdict      To be erased 20"), "{}", shown.out);
    assert!(program.run(&["list"]).out.contains("deleting"));
    assert_eq!(program.run(&["prune"]).out, "removed: 0 mails, 0 weeks of events\n");
    let run = program.run(&["undo"]);
    assert_eq!((run.code, run.out.starts_with("taken back: user deleted")), (0, true), "{}{}", run.out, run.err);
    assert_eq!(program.run(&delete).code, 0);
    let_go(&world).await;
    assert!(program.run(&["prune", "--dry-run"]).out.contains("would be erased: 1 users"));
    let run = program.run(&["prune"]);
    assert!(run.code == 0 && run.out.contains("erased: 1 users who are to be deleted"), "{}{}", run.out, run.err);
    assert_eq!(program.run(&["show", &id]).code, 3);
    let entries = program.run(&["audit", "--action", "delete", "--action", "erase"]);
    assert!(entries.out.contains("user 1 (deleted)"), "{}{}", entries.out, entries.err);
}
