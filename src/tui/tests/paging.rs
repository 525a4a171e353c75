//! Lists of any length through a window, and searches of which the last wins.

use super::fixture::{Console, World};
use crate::domain::filter::Search;
use crate::domain::page::{Page, Position};
use crate::tui::effect::{Load, Loaded, Problem};
use crate::tui::view::list::WINDOW_MAX;
use crate::tui::{Effect, Msg};

fn ids(console: &Console) -> Vec<i64> {
    console.model.verifications.list().unwrap().items.iter().map(|item| item.row.verification.id.0).collect()
}

#[test]
fn pages_down_and_up_through_any_number_of_rows() {
    let world = World::default().with_many(2_000);
    let mut console = Console::new(80, 24);
    console.serve(&world);
    let mut seen = vec![console.selected()];
    for _ in 0..2_100 {
        console.run(&world, "j");
        if seen.last() != Some(&console.selected()) {
            seen.push(console.selected());
        }
        assert!(ids(&console).len() <= WINDOW_MAX);
    }
    assert_eq!(seen.len(), 2_011, "each row once");
    let mut sorted = seen.clone();
    sorted.sort_unstable();
    sorted.dedup();
    assert_eq!(sorted.len(), seen.len());
    let mut back = vec![console.selected()];
    for _ in 0..2_100 {
        console.run(&world, "k");
        if back.last() != Some(&console.selected()) {
            back.push(console.selected());
        }
    }
    back.reverse();
    assert_eq!(back, seen, "the same rows upwards");
}

#[test]
fn leaps_to_the_newest_row() {
    let world = World::default().with_many(2_000);
    let mut console = Console::new(80, 24);
    console.serve(&world);
    for _ in 0..60 {
        console.run(&world, "PgDn");
    }
    assert!(console.model.verifications.list().unwrap().newer);
    console.run(&world, "g");
    assert_eq!(console.selected(), 49_993);
    assert!(!console.model.verifications.list().unwrap().newer);
}

#[test]
fn leaps_to_the_oldest_row() {
    let world = World::default().with_many(2_000);
    let mut console = Console::new(80, 24);
    console.serve(&world);
    console.press("G");
    let pages = console.asked.iter().filter(|effect| matches!(effect, Effect::Load(Load::Page { .. }))).count();
    assert_eq!(pages, 1);
    console.serve(&world);
    assert_eq!(console.selected(), 38_001);
    let list = console.model.verifications.list().unwrap();
    assert!(list.newer && !list.older);
    // And up again, row by row.
    let mut seen = vec![console.selected()];
    for _ in 0..2_010 {
        console.run(&world, "k");
        seen.push(console.selected());
    }
    assert_eq!((seen.last(), console.selected()), (Some(&49_993), 49_993));
    seen.dedup();
    assert_eq!(seen.len(), 2_011);
}

#[test]
fn says_where_in_the_list_one_is() {
    let world = World::default().with_many(2_000);
    let mut console = Console::new(80, 24);
    console.serve(&world);
    // The world counts more than it has rows.
    assert!(console.screen().contains(" 1 of 3,204"), "{}", console.screen());
    for _ in 0..60 {
        console.run(&world, "PgDn");
    }
    assert!(console.model.verifications.list().unwrap().newer, "the first rows are no longer kept");
    // A page is the list's 18 rows but for one.
    assert!(console.screen().contains(" 1,021 of 3,204"), "{}", console.screen());
    console.run(&world, "G");
    assert!(console.screen().contains("3,204 of 3,204"), "{}", console.screen());
    console.run(&world, "k");
    assert!(console.screen().contains("3,203 of 3,204"), "{}", console.screen());
    console.run(&world, "g");
    assert!(console.screen().contains(" 1 of 3,204"), "{}", console.screen());
    // Both ends of what is found are there.
    console.run(&world, "/ k i m Enter j");
    assert!(console.screen().contains(" 1 of 1"), "{}", console.screen());
}

#[test]
fn columns_stay_where_they_are_while_one_scrolls() {
    let mut world = World::default().with_many(2_000);
    for row in world.rows.iter_mut().skip(300) {
        row.user.email = format!("someone.rather.long.{}@northwind.example", row.verification.id).into();
        row.user.name = "Maximiliana Featherstonehaugh".into();
    }
    let head = |console: &Console| {
        let screen = console.screen();
        screen.lines().find(|line| line.contains("E-mail")).unwrap().split('│').next().unwrap().to_owned()
    };
    for (width, height) in [(60, 20), (80, 24), (120, 40), (200, 60)] {
        let mut console = Console::new(width, height);
        console.serve(&world);
        let before = head(&console);
        for _ in 0..30 {
            console.run(&world, "PgDn");
            assert_eq!(head(&console), before);
        }
        // What is free is the address's.
        let whole = format!("  someone.rather.long.{}@northwind.example  ", console.selected());
        assert_eq!(console.screen().contains(&whole), width == 200, "{}", console.screen());
    }
}

#[test]
fn reloads_at_the_same_place() {
    let world = World::default().with_many(2_000);
    let mut console = Console::new(80, 24);
    console.serve(&world);
    for _ in 0..30 {
        console.run(&world, "PgDn");
    }
    let selected = console.selected();
    console.run(&world, "R");
    assert_eq!(console.selected(), selected);
}

#[test]
fn the_last_search_wins() {
    let (mut console, world) = Console::loaded(80, 24);
    console.press("/ k i");
    let asked = console.take_asked();
    let pages: Vec<_> = asked
        .iter()
        .filter_map(|effect| match effect {
            Effect::Load(Load::Page { filter, generation, .. }) => Some((filter.search.clone(), *generation)),
            _ => None,
        })
        .collect();
    assert_eq!(
        pages.iter().map(|(search, _)| search.clone()).collect::<Vec<_>>(),
        [Search::parse("k"), Search::parse("ki")]
    );
    let page = |rows: &World| Page {
        rows: rows.rows[..1].to_vec(),
        as_of: super::fixture::now(),
        newer: false,
        older: false,
        exact: 0,
    };
    console.send(Msg::Loaded(Loaded::Page { generation: pages[1].1, answer: Ok(page(&world)) }));
    assert_eq!(ids(&console), [49_993]);
    let late =
        Page { rows: world.rows[3..6].to_vec(), as_of: super::fixture::now(), newer: false, older: false, exact: 0 };
    console.send(Msg::Loaded(Loaded::Page { generation: pages[0].1, answer: Ok(late) }));
    assert_eq!(ids(&console), [49_993], "the answer to an older search is dropped");
}

#[test]
fn a_search_is_kept_by_enter_and_cleared_by_escape() {
    let (mut console, world) = Console::loaded(80, 24);
    console.run(&world, "/ k i m Enter");
    assert_eq!(ids(&console), [49_993]);
    console.run(&world, "5");
    assert_eq!(ids(&console), [49_993], "it applies to the other tabs too");
    console.run(&world, "Esc");
    assert_eq!(ids(&console).len(), 16);
    console.run(&world, "1");
    assert_eq!(ids(&console).len(), 11);
    console.run(&world, "m / p a r k");
    assert_eq!(console.model.mail.list().unwrap().items.len(), 1);
    console.run(&world, "Esc Esc");
    assert_eq!(ids(&console).len(), 11, "the mails have a search of their own");
}

#[test]
fn the_cursor_moves_while_a_search_is_typed() {
    let (mut console, world) = Console::loaded(80, 24);
    console.run(&world, "/ e x a m p l e Down Down");
    assert_eq!(console.selected(), 49_991);
}

#[test]
fn a_page_that_fails_is_not_asked_for_again_by_itself() {
    let (mut console, world) = Console::loaded(80, 24);
    console.press("2");
    let generation = console
        .take_asked()
        .iter()
        .find_map(|effect| match effect {
            Effect::Load(Load::Page { generation, position: Position::Newest, .. }) => Some(*generation),
            _ => None,
        })
        .unwrap();
    let problem = Problem { what: "permission denied".into(), hint: "ask for the role".into(), ..Problem::default() };
    console.send(Msg::Loaded(Loaded::Page { generation, answer: Err(problem) }));
    assert!(console.take_asked().is_empty());
    console.press("j");
    assert!(console.take_asked().is_empty());
    console.run(&world, "R");
    assert_eq!(ids(&console).len(), 2);
}

#[test]
fn a_tab_that_was_left_before_its_page_came_asks_again() {
    let (mut console, world) = Console::loaded(80, 24);
    console.press("2 3");
    let asked = console.take_asked();
    assert_eq!(asked.iter().filter(|effect| matches!(effect, Effect::Load(Load::Page { .. }))).count(), 2);
    // The first of the two was cancelled by the second and is never answered.
    console.run(&world, "2");
    assert_eq!(ids(&console).len(), 2);
}
