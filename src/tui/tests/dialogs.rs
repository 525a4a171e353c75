//! Resend, force-verify, sign up: nothing happens on a single key, and every answer is shown.

use chrono::Duration;

use super::fixture::{Console, World, now};
use super::picture::{drawn, text};
use crate::desk::ResentHow;
use crate::domain::id::VerificationId;
use crate::domain::locale::Locale;
use crate::tui::action::Place;
use crate::tui::effect::{Act, Acted, Load, Loaded, Problem};
use crate::tui::model::Level;
use crate::tui::{Colours, Effect, Look, Msg};

fn screen(console: &Console) -> String {
    text(&drawn(&console.model, &Look::new(Colours::Sixteen, true)))
}

#[test]
fn a_resend_says_what_will_happen_and_then_does_it() {
    let table = [
        (
            ResentHow::SameLink,
            "The same link is mailed again.",
            "The same link is on its way to minji.kim@example.com.",
        ),
        (ResentHow::NewKey, "A new link is mailed.", "A new link is on its way to minji.kim@example.com."),
        (
            ResentHow::BroughtForward,
            "A mail is waiting to be sent already; it goes first.",
            "The mail to minji.kim@example.com goes first now.",
        ),
    ];
    for (plan, before, after) in table {
        let mut console = Console::new(80, 24);
        let world = World { plan: Ok(plan), ..World::default() };
        console.serve(&world);
        console.press("r");
        assert_eq!(console.take_asked(), [Effect::Load(Load::ResendPlan { id: VerificationId(49_993) })]);
        console.press("y");
        assert!(console.take_asked().is_empty(), "confirmed before it was known what would happen");
        console.send(Msg::Loaded(Loaded::ResendPlan { id: VerificationId(49_993), answer: Ok(plan) }));
        let shown = screen(&console);
        assert!(shown.contains(before) && shown.contains("minji.kim@example.com"), "{shown}");
        console.press("y");
        assert_eq!(console.asked, [Effect::Act(Act::Resend { id: VerificationId(49_993) })]);
        console.press("y Enter");
        assert_eq!(console.asked.len(), 1, "sent twice");
        console.serve(&world);
        assert_eq!(console.model.place(), Place::Verifications);
        let toast = console.model.toasts.last().unwrap();
        assert_eq!((toast.level, toast.what.as_str()), (Level::Done, after));
    }
}

#[test]
fn a_resend_that_is_refused_says_when_it_is_possible() {
    let mut console = Console::new(80, 24);
    let problem = Problem {
        what: "a mail went out less than 60 s ago".into(),
        hint: "wait".into(),
        possible_at: Some(now() + Duration::seconds(40)),
        ..Problem::default()
    };
    let world = World { plan: Err(problem), ..World::default() };
    console.serve(&world);
    console.run(&world, "r");
    assert!(screen(&console).contains("Possible at 14:31:00, in 40 s."), "{}", screen(&console));
    console.run(&world, "y Enter");
    assert_eq!(console.model.place(), Place::Confirm);
    assert_eq!(console.model.next_deadline(), Some(now() + Duration::seconds(1)));
    console.send(Msg::Clock(now() + Duration::seconds(1)));
    assert!(screen(&console).contains("in 39 s."));
    console.send(Msg::Clock(now() + Duration::seconds(41)));
    assert!(screen(&console).contains("It is possible now."), "{}", screen(&console));
    console.take_asked();
    console.press("y");
    assert_eq!(console.take_asked(), [Effect::Load(Load::ResendPlan { id: VerificationId(49_993) })]);
}

#[test]
fn a_late_answer_to_another_question_changes_nothing() {
    let (mut console, world) = Console::loaded(80, 24);
    console.press("r Esc j r");
    console.take_asked();
    console.send(Msg::Loaded(Loaded::ResendPlan { id: VerificationId(49_993), answer: Ok(ResentHow::NewKey) }));
    console.press("y");
    assert!(console.take_asked().is_empty());
    console.send(Msg::Loaded(Loaded::ResendPlan { id: VerificationId(49_992), answer: Ok(ResentHow::SameLink) }));
    console.press("y");
    assert_eq!(console.asked, [Effect::Act(Act::Resend { id: VerificationId(49_992) })]);
    // Cancelled while under way: what came of it is told all the same.
    console.press("Esc");
    console.serve(&world);
    assert!(console.model.toasts.last().unwrap().what.contains("verification 49992"));
}

#[test]
fn a_forced_verification_needs_a_reason() {
    let (mut console, world) = Console::loaded(80, 24);
    console.press("v Enter");
    assert!(console.take_asked().is_empty());
    assert!(screen(&console).contains("A reason of at least 3 characters is needed."));
    console.type_text("  ok ");
    console.press("Enter");
    assert!(console.take_asked().is_empty());
    console.type_text("by phone");
    assert!(!screen(&console).contains("at least 3"));
    let shown = screen(&console);
    for part in ["minji.kim@example.com", "김민지", "mina@bastion", "verified from now on"] {
        assert!(shown.contains(part), "{part} is missing in\n{shown}");
    }
    console.press("Enter");
    let done = Effect::Act(Act::ForceVerify { id: VerificationId(49_993), reason: "ok by phone".into() });
    assert_eq!(console.asked, [done]);
    console.press("Enter x");
    assert_eq!(console.asked.len(), 1);
    console.serve(&world);
    assert_eq!(console.model.toasts.last().unwrap().what, "minji.kim@example.com is verified.");
}

#[test]
fn a_forced_verification_that_fails_keeps_the_reason() {
    let (mut console, _) = Console::loaded(80, 24);
    console.press("v");
    console.type_text("by phone");
    console.press("Enter");
    let problem =
        Problem { what: "the database is away".into(), hint: "try again".into(), away: true, possible_at: None };
    console.send(Msg::Acted(Acted::ForceVerified { id: VerificationId(49_993), answer: Err(problem) }));
    let shown = screen(&console);
    assert!(shown.contains("the database is away") && shown.contains("by phone"), "{shown}");
    console.take_asked();
    console.press("Enter");
    assert_eq!(console.asked.len(), 1);
}

#[test]
fn the_form_shows_what_is_wrong_and_keeps_what_was_typed() {
    let (mut console, world) = Console::loaded(80, 24);
    console.run(&world, "n Enter");
    assert!(screen(&console).contains("An e-mail address is needed."));
    console.type_text("mina");
    console.run(&world, "Enter");
    let shown = screen(&console);
    assert!(shown.contains("not an address") && shown.contains("> mina"), "{shown}");
    console.type_text("@example.com");
    console.run(&world, "Enter");
    assert_eq!(console.model.place(), Place::Verifications);
    assert_eq!(console.model.toasts.last().unwrap().what, "mina@example.com is signed up.");
    assert_eq!(console.selected(), 49_990, "the new row is selected");
}

#[test]
fn the_form_toggles_its_language() {
    let (mut console, _) = Console::loaded(80, 24);
    console.press("n a @ b . c o ctrl-o Enter");
    assert!(matches!(&console.asked[..], [Effect::Act(Act::SignUp(asked))] if asked.locale == Locale::En));
}

#[test]
fn nothing_is_changed_while_the_database_is_away() {
    let (mut console, _) = Console::loaded(80, 24);
    let problem = Problem { what: "the database is gone".into(), away: true, ..Problem::default() };
    console.send(Msg::DatabaseAway { problem, retry_at: now() + Duration::seconds(5) });
    for key in ["r", "v", "n"] {
        console.press(key);
        assert!(console.model.dialog.is_none(), "{key}");
    }
    assert!(console.take_asked().is_empty());
    assert!(console.model.toasts.last().unwrap().what.contains("away"));
    console.press("R");
    assert!(console.take_asked().contains(&Effect::Load(Load::Reconnect)));
}
