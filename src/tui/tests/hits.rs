//! The tabs' numbers while there is a search.

use super::fixture::{Console, World, row};
use crate::domain::change::Change;
use crate::domain::filter::hits::Hits;
use crate::domain::id::VerificationId;
use crate::domain::send::SendState;
use crate::domain::verification::Status;
use crate::tui::effect::{Load, Loaded};
use crate::tui::{Effect, Msg};

fn tabs(console: &Console) -> String {
    console.screen().lines().nth(1).unwrap().trim().to_owned()
}

#[test]
fn the_tabs_numbers_follow_the_search() {
    let (mut console, world) = Console::loaded(120, 40);
    let all = tabs(&console);
    assert!(all.contains("Pending 1,204"), "{all}");
    console.run(&world, "/ e x a m p l e . n e t");
    assert_eq!(tabs(&console), "1 Pending 1   2 Verified 1   3 Expired 0   4 Revoked 0   5 All 2");
    assert!(console.screen().contains("2 found"), "while it is typed");
    console.run(&world, "Enter 2");
    assert!(console.screen().contains("“example.net” · 1 found · Esc clears it"), "{}", console.screen());
    console.run(&world, "Esc");
    assert_eq!(tabs(&console), all);
    console.run(&world, "m / p a r k");
    assert!(tabs(&console).starts_with("All 1  Queued 0  Sending 1  Accepted 0"), "{}", tabs(&console));
}

#[test]
fn what_is_found_elsewhere_is_said_with_a_key_that_works() {
    let (mut console, world) = Console::loaded(80, 24);
    console.run(&world, "/ s o r a Enter 3");
    let shown = console.screen();
    assert!(shown.contains("Found elsewhere: 1 verified. Press 5 to see them."), "{shown}");
    console.run(&world, "/");
    assert!(console.screen().contains("Found elsewhere: 1 verified. Tab shows them."), "{}", console.screen());
    console.run(&world, "Tab");
    assert_eq!((console.model.search().text(), console.selected()), ("sora", 49_982));
    // Nowhere.
    console.run(&world, "x Enter 3");
    let shown = console.screen();
    assert!(shown.contains("No expired verification matches \"sorax\"."), "{shown}");
    assert!(!shown.contains("elsewhere") && !shown.contains("5 to"), "{shown}");
    console.run(&world, "m / s o r a Enter ] /");
    assert!(console.screen().contains("Found elsewhere: 1 delivered. Tab shows them."), "{}", console.screen());
    console.run(&world, "Tab");
    assert_eq!(console.model.mail.list().unwrap().items.len(), 1);
}

#[test]
fn what_was_not_counted_is_not_said() {
    let (mut console, world) = Console::loaded(120, 40);
    console.press("/ k i m");
    let asked = console.take_asked();
    assert!(
        !asked.iter().any(|effect| matches!(effect, Effect::Load(Load::VerificationHits { .. }))),
        "the list first"
    );
    for effect in asked {
        console.send(world.answer(effect).unwrap());
    }
    let filter = console
        .take_asked()
        .into_iter()
        .find_map(|effect| match effect {
            Effect::Load(Load::VerificationHits { filter }) => Some(filter),
            _ => None,
        })
        .unwrap();
    assert_eq!(tabs(&console), "1 Pending   2 Verified   3 Expired   4 Revoked   5 All");
    let many = Hits::new([(Status::Pending, 999), (Status::Verified, 3)], false);
    let answers = [
        (Some(many), "1 Pending 999+   2 Verified 3+   3 Expired   4 Revoked   5 All 1,000+"),
        (None, "1 Pending   2 Verified   3 Expired   4 Revoked   5 All"),
    ];
    for (hits, shown) in answers {
        console.send(Msg::Loaded(Loaded::VerificationHits { filter: filter.clone(), answer: Ok(hits) }));
        assert_eq!(tabs(&console), shown);
    }
    assert!(console.take_asked().is_empty(), "it is not asked again");
    console.run(&world, "Enter R");
    assert!(tabs(&console).contains("5 All 1"), "{}", tabs(&console));
}

#[test]
fn a_search_that_takes_long_says_how_far_it_is() {
    let (mut console, world) = Console::loaded(80, 24);
    console.run(&world, "2");
    console.press("/ k i m");
    let asked = console.take_asked();
    let generation = asked.iter().rev().find_map(|effect| match effect {
        Effect::Load(Load::Page { generation, .. }) => Some(*generation),
        _ => None,
    });
    let generation = generation.unwrap();
    let back_to = "2026-05-03T10:20:30Z".parse().unwrap();
    let searched = |generation, found| Msg::Loaded(Loaded::Searched { generation, found, back_to });
    console.send(searched(generation - 1, 7));
    assert!(!console.screen().contains("searched back"), "an earlier one's");
    console.send(searched(generation, 0));
    let shown = console.screen();
    assert!(shown.contains("none found yet, searched back to 3 May 19:20…"), "{shown}");
    console.send(searched(generation, 12));
    assert!(console.screen().contains("12 found, searched back to 3 May 19:20…"), "{}", console.screen());
    // What stops it is what clears the search: another page is asked for, and the one before is cancelled.
    console.press("Esc");
    assert!(!console.screen().contains("searched back"), "{}", console.screen());
    let asked = console.take_asked();
    assert!(
        asked.iter().any(|effect| matches!(effect, Effect::Load(Load::Page { filter, .. }) if filter.search.is_none()))
    );
    for effect in asked {
        if let Some(msg) = world.answer(effect) {
            console.send(msg);
        }
    }
}

#[test]
fn a_search_for_mails_that_takes_long_says_how_far_it_is() {
    let (mut console, world) = Console::loaded(80, 24);
    console.run(&world, "m");
    for (line, to) in [("/ k i m", "back to"), ("/ s o r t : q u e u e d Space k i m", "up to")] {
        console.press(line);
        let generation = console.take_asked().iter().rev().find_map(|effect| match effect {
            Effect::Load(Load::Sends { generation, .. }) => Some(*generation),
            _ => None,
        });
        let searched = |found| {
            let back_to = "2026-05-03T10:20:30Z".parse().unwrap();
            Msg::Loaded(Loaded::Searched { generation: generation.unwrap(), found, back_to })
        };
        console.send(searched(0));
        let shown = console.screen();
        assert!(shown.contains(&format!("none found yet, searched {to} 3 May 19:20…")), "{shown}");
        console.send(searched(12));
        assert!(console.screen().contains(&format!("12 found, searched {to} 3 May 19:20…")), "{}", console.screen());
        console.press("Esc");
        assert!(!console.screen().contains("searched"), "{}", console.screen());
        let asked = console.take_asked();
        let is_cleared = |effect: &Effect| matches!(effect, Effect::Load(Load::Sends { filter, .. }) if (&filter.search, filter.sort) == (&None, None));
        assert!(asked.iter().any(is_cleared), "{asked:?}");
        for msg in asked.into_iter().filter_map(|effect| world.answer(effect)).collect::<Vec<_>>() {
            console.send(msg);
        }
    }
}

#[test]
fn mails_are_counted_under_each_tab_and_each_has_a_key() {
    let (mut console, mut world) = Console::loaded(200, 60);
    world.sends.retain(|send| send.state != SendState::Queued);
    console.run(&world, "m");
    let shown = tabs(&console);
    assert!(
        shown.contains("2 Queued 1   3 Sending 1   4 Accepted 1   5 Delivered"),
        "the outbox says the first two: {shown}"
    );
    assert!(shown.contains("7 Bounced 2") && shown.contains("0 Failed 1   - Cancelled 0   = Unknown 0"), "{shown}");
    for (key, state) in
        [("0", SendState::Failed), ("-", SendState::Cancelled), ("=", SendState::Unknown), ("7", SendState::Bounced)]
    {
        console.run(&world, key);
        assert_eq!(console.model.mail.list().unwrap().tab, Some(state), "{key}");
    }
    assert!(console.screen().contains("1 of 2"), "{}", console.screen());
    // They are counted again when something has changed.
    world.sends.retain(|send| send.state != SendState::Bounced);
    console.send(Msg::Changed(vec![Change::Queued]));
    console.serve(&world);
    assert!(tabs(&console).contains("7 Bounced 0"), "{}", tabs(&console));
}

#[test]
fn the_tabs_numbers_follow_terms_too() {
    let (mut console, world) = Console::loaded(120, 40);
    console.run(&world, "/ l o c a l e : k o Space k i m Enter");
    assert_eq!(tabs(&console), "1 Pending 1   2 Verified 0   3 Expired 0   4 Revoked 0   5 All 1");
    console.run(&world, "3");
    assert!(console.screen().contains("Found elsewhere: 1 pending. Press 5 to see them."), "{}", console.screen());
}

/// A console, and a world in which someone is exactly who is looked for, and others are nearly.
fn with_exact(width: u16, height: u16) -> (Console, World) {
    let mut world = World::default();
    for (id, email, name) in [
        (40_001, "mina@example.com", "Mina"),
        (49_995, "xmina@example.com", ""),
        (49_996, "mina@example.com.au", "Mina Kim"),
    ] {
        world.rows.push(row(id, email, name, Status::Pending, None));
    }
    let mut console = Console::new(width, height);
    console.serve(&world);
    (console, world)
}

fn line_of(console: &Console, text: &str) -> usize {
    let shown = console.screen();
    shown.lines().position(|line| line.contains(text)).unwrap_or_else(|| panic!("no {text} in\n{shown}"))
}

#[test]
fn who_is_exactly_looked_for_stands_first_and_it_is_said_why() {
    for (width, height) in [(80, 24), (120, 40), (200, 60)] {
        let (mut console, world) = with_exact(width, height);
        console.run(&world, "/ m i n a @ e x a m p l e . c o m");
        let shown = console.screen();
        assert!(shown.contains("3 found, │ 1 exact first"), "{shown}");
        console.run(&world, "Enter");
        let shown = console.screen();
        assert!(shown.contains("3 found, │ 1 exact first · Esc clears it"), "{shown}");
        assert!(line_of(&console, " mina@example.com ") < line_of(&console, "mina@example.com.au"), "{shown}");
        let marked: Vec<&str> = shown.lines().filter(|line| line.chars().nth(1) == Some('│')).collect();
        assert!(matches!(marked[..], [line] if line.contains(" mina@example.com ")), "{shown}");
        assert_eq!(console.selected(), 40_001);
        assert!(shown.contains("1 of 3"), "{shown}");
        console.run(&world, "G");
        assert!(console.screen().contains("3 of 3"), "{}", console.screen());
    }
    // Where all are, nothing has to be told apart.
    let (mut console, world) = with_exact(80, 24);
    console.run(&world, "/ x m i n a @ e x a m p l e . c o m Enter");
    assert!(console.screen().contains("1 found, │ exact · Esc"), "{}", console.screen());
    console.run(&world, "Esc");
    assert!(!console.screen().contains("exact"), "{}", console.screen());
    // In mails as well.
    let email = world.sends[3].recipient.raw().to_owned();
    console.run(&world, "m /");
    console.type_text(&email);
    console.serve(&world);
    assert!(console.screen().contains("│ exact"), "{}", console.screen());
}

#[test]
fn what_comes_stands_below_it_or_above() {
    let (mut console, mut world) = with_exact(120, 40);
    console.run(&world, "/ m i n a Enter");
    assert_eq!(console.selected(), 40_001);
    let listed = |console: &Console| -> Vec<i64> {
        console.model.verifications.list().unwrap().items.iter().map(|item| item.row.verification.id.0).collect()
    };
    assert_eq!(listed(&console), [40_001, 49_996, 49_995]);
    let mut comes = |console: &mut Console, id: i64, email: &str, name: &str| {
        world.rows.push(row(id, email, name, Status::Pending, None));
        console.send(Msg::Changed(vec![Change::Verification(VerificationId(id))]));
        console.serve(&world);
    };
    comes(&mut console, 50_001, "minari@example.com", "");
    assert_eq!(listed(&console), [40_001, 50_001, 49_996, 49_995]);
    assert!(console.screen().contains("1 of 4"), "{}", console.screen());
    comes(&mut console, 50_002, "other@example.com", "Mina");
    assert_eq!(listed(&console), [50_002, 40_001, 50_001, 49_996, 49_995]);
    assert_eq!(console.selected(), 40_001, "what a key acts on stays the same");
    assert!(
        console.screen().contains("│ 2 exact first") && console.screen().contains("2 of 5"),
        "{}",
        console.screen()
    );
    // What comes while something is in hand is announced, and counted where it stands.
    console.press("Space");
    comes(&mut console, 50_003, "minari2@example.com", "");
    assert_eq!(listed(&console).len(), 5);
    let shown = console.screen();
    assert!(shown.contains("1 new, press R") && shown.contains("4 of 6"), "{shown}");
}
