//! The tabs' numbers while there is a search.

use super::fixture::Console;
use crate::domain::change::Change;
use crate::domain::filter::hits::Hits;
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
