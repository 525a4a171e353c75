//! The pane is about the user: all of their verifications and mails, and each can be opened.

use std::collections::BTreeSet;

use super::fixture::{Console, World, send_id};
use crate::domain::id::VerificationId;
use crate::domain::verification::Counted;
use crate::tui::action::KeyContext;
use crate::tui::effect::{Load, Loaded};
use crate::tui::model::View;
use crate::tui::view::pane::Target;
use crate::tui::{Effect, Msg};

/// Ethan Wright's verification, and the one before it.
const NEWER: VerificationId = VerificationId(49_989);
const OLDER: VerificationId = VerificationId(40_989);

/// Ethan's detail is open, the keys pressed.
fn ethan(width: u16, height: u16, keys: &str) -> (Console, World) {
    let (mut console, world) = Console::loaded(width, height);
    console.run(&world, "j j j j Enter");
    assert_eq!(console.model.opened, Some(NEWER));
    console.run(&world, keys);
    (console, world)
}

fn shown_mail(console: &Console) -> Option<u128> {
    let first = send_id(0).0.as_u128();
    console.model.mail.selected().map(|send| send.id.0.as_u128() - first)
}

#[test]
fn the_cursor_goes_over_mails_and_verifications_and_enter_opens_them() {
    for (width, height) in [(80, 24), (120, 40), (40, 10), (200, 60)] {
        let (mut console, world) = ethan(width, height, "");
        let mut chosen = Vec::new();
        for _ in 0..60 {
            console.run(&world, "j");
            chosen.extend(console.model.detail.chosen);
        }
        chosen.dedup();
        let mails = [49_989, 40_989].map(|n| Target::Mail(send_id(n)));
        assert_eq!(chosen, [mails[0], mails[1], Target::Verification(OLDER)], "{width}x{height}");
        let mut back = vec![chosen[2]];
        for _ in 0..60 {
            console.run(&world, "k");
            back.extend(console.model.detail.chosen);
        }
        back.dedup();
        chosen.reverse();
        assert_eq!(back, chosen, "{width}x{height}");
        console.run(&world, "g k");
        assert_eq!(console.model.detail.scroll, 0);
    }
}

/// However it is pressed on, no line of the pane is out of reach.
#[test]
fn the_arrow_keys_show_the_whole_pane() {
    for (width, height) in [(80, 24), (120, 40), (40, 10), (40, 7), (200, 60)] {
        let (mut console, world) = ethan(width, height, "");
        let mut seen = BTreeSet::new();
        let mut see = |console: &Console| seen.extend(console.screen().lines().map(|l| l.trim().to_owned()));
        see(&console);
        for _ in 0..80 {
            console.run(&world, "Down");
            see(&console);
        }
        let is_seen = |text: &str| seen.iter().any(|line| line.contains(text));
        for text in ["Mails (2)", "Verifications (2)", "Audit trail", "phone"] {
            assert!(is_seen(text), "{text} is not seen at {width}x{height}");
        }
        for _ in 0..80 {
            console.run(&world, "Up");
        }
        assert!(console.screen().contains("ethan.wright@"), "{}", console.screen());
    }
}

#[test]
fn from_the_user_to_a_mail_and_back() {
    for (width, place) in [(80, KeyContext::Send), (120, KeyContext::Mail)] {
        let (mut console, world) = ethan(width, 24, "");
        console.run(&world, "m / k i m Enter Tab Tab Tab Tab Tab");
        assert_eq!(console.model.view, View::Verifications);
        console.run(&world, "Enter j");
        let scroll = console.model.detail.scroll;
        console.run(&world, "Enter");
        assert_eq!((console.model.view, console.model.key_context()), (View::Mail, place), "{width}");
        assert_eq!(shown_mail(&console), Some(49_989));
        assert_eq!(console.model.mail.list().unwrap().items.len(), 2, "all of theirs are listed");
        // One key leads to the user, the other one back to where one was.
        console.run(&world, "Enter");
        assert_eq!((console.model.view, console.model.opened), (View::Mail, Some(NEWER)));
        console.run(&world, "Esc");
        assert_eq!(console.model.key_context(), place);
        console.run(&world, "Esc");
        assert_eq!((console.model.view, console.model.opened), (View::Verifications, Some(NEWER)));
        assert_eq!(console.model.detail.chosen, Some(Target::Mail(send_id(49_989))));
        assert_eq!(console.model.detail.scroll, scroll);
        // What was looked for in Mail is still looked for.
        console.run(&world, "m");
        assert_eq!(console.model.search().text(), "kim");
    }
}

#[test]
fn in_mail_the_users_other_mail_is_one_row_away() {
    let (mut console, world) = ethan(120, 40, "j j Enter");
    assert_eq!(shown_mail(&console), Some(40_989));
    let shown = console.screen();
    assert!(shown.contains("user 19989") && shown.contains("2 of 2"), "{shown}");
    console.run(&world, "Enter");
    assert_eq!(console.model.opened, Some(OLDER));
    console.run(&world, "j Enter");
    // They are listed already: nothing else is looked for.
    assert_eq!((console.model.key_context(), shown_mail(&console)), (KeyContext::Mail, Some(49_989)));
    console.run(&world, "Esc");
    assert_eq!((console.model.view, console.model.opened), (View::Verifications, Some(NEWER)));
}

#[test]
fn who_goes_on_from_there_is_not_brought_back() {
    let (mut console, world) = ethan(120, 40, "j Enter / Backspace Enter");
    assert_eq!(console.model.search().text(), "user 1998");
    console.run(&world, "Esc Esc");
    assert_eq!((console.model.view, console.model.opened), (View::Verifications, None));
    let (mut console, world) = ethan(120, 40, "j Enter o m");
    assert!(console.model.search().is_empty(), "Mail is as it was before");
    console.run(&world, "Esc");
    assert_eq!((console.model.view, console.model.opened), (View::Verifications, None));
}

#[test]
fn from_one_verification_to_another_and_back() {
    let (mut console, world) = ethan(120, 40, "j j j Enter");
    assert_eq!((console.model.opened, console.model.detail.chosen), (Some(OLDER), None));
    let shown = console.screen();
    for part in ["user 19989", "Mails (2)", "Verifications (2)", "Enter goes there."] {
        assert!(shown.contains(part), "{part} is missing in\n{shown}");
    }
    // From a replaced link to the newer one, as long as nothing else is chosen.
    console.run(&world, "Enter");
    assert_eq!(console.model.opened, Some(NEWER));
    console.run(&world, "Enter");
    let said = &console.model.toasts.last().unwrap().what;
    assert_eq!(said, "No mail and no other verification is chosen.");
}

#[test]
fn what_is_out_of_sight_is_not_opened() {
    let (mut console, world) = ethan(80, 14, "j j j j");
    assert!(console.model.detail.chosen.is_some());
    console.run(&world, "PgDn PgDn Enter");
    assert_eq!(console.model.view, View::Verifications);
    console.run(&world, "Esc g j j j j Enter");
    assert_eq!(console.model.view, View::Mail, "it is in sight again");
}

#[test]
fn the_chosen_mail_is_what_is_copied() {
    let (mut console, world) = ethan(120, 40, "j j y");
    let shown = console.screen();
    assert!(shown.contains(&send_id(40_989).to_string()), "{shown}");
    console.run(&world, "Esc");
}

#[test]
fn many_are_counted_and_the_newest_shown() {
    let (mut console, world) = ethan(120, 40, "");
    let mut detail = world.detail(NEWER).unwrap();
    detail.in_all.mails = Counted::of(10_000);
    detail.in_all.verifications = Counted::of(40);
    let answer = Ok(Some(detail.clone()));
    console.send(Msg::Loaded(Loaded::Detail { id: NEWER, answer }));
    let shown = console.screen();
    for part in ["Mails (the newest 2 of 1,000+)", "Verifications (the newest 2 of 40)"] {
        assert!(shown.contains(part), "{part} is missing in\n{shown}");
    }
    // Among so many it is looked for by its id.
    console.take_asked();
    console.press("j j Enter");
    assert_eq!(console.model.search().text(), send_id(40_989).to_string());
    let asked = console.take_asked();
    assert!(asked.iter().any(|effect| matches!(effect, Effect::Load(Load::Sends { .. }))), "{asked:?}");
}

#[test]
fn a_mail_to_an_earlier_address_says_so() {
    let (mut console, world) = ethan(120, 40, "");
    let mut detail = world.detail(NEWER).unwrap();
    detail.other_sends[0].recipient = "ehtan@\u{202e}example.net".into();
    console.send(Msg::Loaded(Loaded::Detail { id: NEWER, answer: Ok(Some(detail)) }));
    let shown = console.screen();
    assert!(shown.contains("to        ehtan@") && !shown.contains('\u{202e}'), "{shown}");
}
