//! The mail as its recipient got it, from wherever it is looked at, and back.

use super::fixture::{Console, World, send_id};
use super::picture::picture;
use crate::domain::id::VerificationId;
use crate::domain::locale::Locale;
use crate::mail::made_of;
use crate::mail::templates::Templates;
use crate::tui::action::KeyContext;
use crate::tui::effect::Problem;
use crate::tui::model::View;
use crate::tui::view::pane::Target;
use crate::tui::{ColourDepth, Msg, Theme};

/// A world in which it was recorded what mails were made of.
fn recorded() -> World {
    let mut world = World::default();
    let templates = Templates::gather(&world.settings);
    for send in &mut world.sends {
        send.made_of = Some(made_of::of(&templates, &world.settings, send.locale));
    }
    world
}

fn shown(console: &Console) -> Option<(VerificationId, Option<u128>)> {
    let person = console.model.workbench.person.as_ref().filter(|_| console.model.view == View::Templates)?;
    Some((person.id, person.sent.map(|sent| sent.send.0.as_u128() - send_id(0).0.as_u128())))
}

fn started(world: &World, width: u16, height: u16) -> Console {
    let mut console = Console::new(width, height);
    console.serve(world);
    console
}

#[test]
fn one_key_shows_it_and_escape_goes_back_to_where_one_was() {
    let ethan = (VerificationId(49_989), Some(49_989));
    let table = [
        ("j j j j", ethan, KeyContext::Verifications),
        ("j j j j Enter", ethan, KeyContext::Detail),
        ("j j j j Enter j", ethan, KeyContext::Detail),
        ("j j j j Enter j j", (VerificationId(40_989), Some(40_989)), KeyContext::Detail),
        ("m j j j j", ethan, KeyContext::Mail),
        ("m j j j j Enter", ethan, KeyContext::Send),
        ("m j j j j Enter Enter", ethan, KeyContext::Detail),
        // Emma was never mailed.
        ("G k Enter", (VerificationId(49_983), None), KeyContext::Detail),
    ];
    for (keys, expected, place) in table {
        let world = recorded();
        let mut console = started(&world, 80, 40);
        console.run(&world, keys);
        let before = (console.model.key_context(), console.model.opened, console.model.detail.chosen);
        assert_eq!(before.0, place, "{keys}");
        console.run(&world, "p");
        if expected.1.is_some() {
            assert_eq!(shown(&console), Some(expected), "{keys}");
        }
        console.run(&world, "Esc");
        let after = (console.model.key_context(), console.model.opened, console.model.detail.chosen);
        assert_eq!(after, before, "{keys}");
    }
}

#[test]
fn through_mail_it_leads_all_the_way_back() {
    let world = recorded();
    let mut console = started(&world, 120, 40);
    console.run(&world, "j j j j Enter j Enter p");
    assert!(shown(&console).is_some());
    console.run(&world, "Esc");
    assert_eq!((console.model.view, console.model.mail.list().unwrap().items.len()), (View::Mail, 2));
    console.run(&world, "Esc");
    assert_eq!(console.model.opened, Some(VerificationId(49_989)));
    assert_eq!(console.model.detail.chosen, Some(Target::Mail(send_id(49_989))));
    console.run(&world, "Esc Esc");
    assert_eq!(console.model.key_context(), KeyContext::Verifications);
    // Who goes elsewhere from it is not brought back.
    console.run(&world, "j Enter p o Esc");
    assert_eq!((console.model.view, console.model.opened), (View::Verifications, None));
}

#[test]
fn says_from_whom_to_whom_when_and_whether_it_is_what_was_sent() {
    let world = recorded();
    let mut console = started(&world, 120, 40);
    console.run(&world, "j j j j Enter p");
    let screen = console.screen();
    for part in [
        "From      \"Haru Books\" <no-reply@books.example>",
        "To        \"Ethan Wright\" <ethan.wright@example.net>",
        "Sent      2026-07-01 ",
        "As it was sent, but for the link",
        "theirs is never shown",
    ] {
        assert!(screen.contains(part), "{part} is missing in\n{screen}");
    }
    // In another language it is not what they got.
    console.run(&world, "L");
    assert!(console.screen().contains("They got it in another language (en)"), "{}", console.screen());
    let mut world = recorded();
    world.settings.site.name = "Another".into();
    let mut console = started(&world, 120, 40);
    console.run(&world, "j j j j Enter p");
    assert!(console.screen().contains("As the settings are now"), "{}", console.screen());
    let (mut console, world) = Console::loaded(40, 10);
    console.run(&world, "j j j j Enter p");
    assert!(console.screen().contains("! perhaps as it was sent; sample link"), "{}", console.screen());
}

#[test]
fn the_footer_says_the_key() {
    for (width, keys) in [(80, "Enter"), (120, "Enter"), (80, "m Enter"), (80, "m Enter Enter")] {
        let (mut console, world) = Console::loaded(width, 24);
        console.run(&world, keys);
        let screen = console.screen();
        assert!(screen.trim_end().lines().last().unwrap().contains("p mail"), "{keys}: {screen}");
    }
}

#[test]
fn an_operator_who_does_something_else_meanwhile_is_left_alone() {
    let (mut console, world) = Console::loaded(80, 24);
    // The mail's user is not loaded yet.
    console.run(&world, "m j");
    console.press("p j");
    console.serve(&world);
    assert_eq!(console.model.view, View::Mail);
    console.press("p");
    assert_eq!(console.model.view, View::Mail, "it is being loaded");
    console.serve(&world);
    assert_eq!(console.model.view, View::Templates);
    let problem = Problem { what: "gone".into(), away: true, ..Problem::default() };
    console.run(&world, "Esc");
    console.send(Msg::DatabaseAway { problem, retry_at: super::fixture::now() });
    console.run(&world, "p");
    assert!(console.screen().contains("The user of this mail is not loaded."), "{}", console.screen());
}

/// What an address, a name and a mail of before hold is shown plain.
#[test]
fn hostile_text_is_plain() {
    let mut world = recorded();
    let row = world.row_mut(49_989);
    row.user.name = "\u{202e}x\u{1b}[31m".into();
    row.user.email = "a\u{1b}]0;pwn\u{7}@example.net".into();
    for send in &mut world.sends {
        if send.verification_id == Some(VerificationId(49_989)) {
            send.recipient = "a\u{1b}]0;pwn\u{7}@example.net".into();
        }
    }
    for (width, height) in [(40, 10), (80, 24), (120, 40)] {
        let mut console = started(&world, width, height);
        console.run(&world, "j j j j Enter p");
        assert!(shown(&console).is_some());
        let screen = console.screen();
        assert!(!screen.contains(['\u{1b}', '\u{7}', '\u{202e}']), "{screen}");
    }
}

#[test]
fn at_each_size() {
    for (width, height) in [(80, 24), (120, 40), (40, 10), (200, 60)] {
        for (name, change) in [("same", None), ("changed", Some("Another"))] {
            let mut world = recorded();
            if let Some(site) = change {
                world.settings.site.name = site.into();
            }
            let mut console = started(&world, width, height);
            console.run(&world, "j j j j Enter p");
            assert_eq!(console.model.workbench.locale, Locale::En);
            for (ascii, theme) in
                [("", Theme::new(ColourDepth::Sixteen, true)), ("_ascii", Theme::new(ColourDepth::None, false))]
            {
                let name = format!("as_sent_{name}_{width}x{height}{ascii}");
                insta::assert_snapshot!(name, picture(&console.model, &theme));
            }
        }
    }
}
