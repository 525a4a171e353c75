//! The order of the list on the screen: a term of its line, changed by a key.

use crate::domain::filter::{Key, line};
use crate::domain::sort::{By, Sort};
use crate::tui::Model;
use crate::tui::model::{Level, View};
use crate::tui::screen::layout;
use crate::tui::view::{mail, search, verifications};

/// The orders that the list on the screen can be in, its own first, and the one that it is in.
fn orders(model: &Model) -> (Vec<Sort>, Sort) {
    if model.view == View::Mail {
        let all = [false, true].map(|is_up| Sort { by: By::Queued, is_up });
        (all.to_vec(), all[usize::from(mail::update::filter(model).is_oldest_first())])
    } else {
        let filter = verifications::update::filter(model);
        (Sort::all_of(filter.status), filter.order())
    }
}

/// Goes to the next one.
pub(in crate::tui) fn next(model: &mut Model) {
    let (all, now) = orders(model);
    let at = all.iter().position(|sort| *sort == now).map_or(0, |at| (at + 1) % all.len());
    let Some(next) = all.get(at).copied() else { return };
    let before = model.search().text().to_owned();
    let rest =
        line::find(&before, model.place(), Key::Sort).map_or(before.clone(), |term| line::without(&before, &term));
    let term = if at == 0 { String::new() } else { format!("{}:{next}", Key::Sort.as_str()) };
    let separator = if rest.trim().is_empty() || term.is_empty() { "" } else { " " };
    if search::replace(model, &format!("{}{separator}{term}", rest.trim())) && orders(model).1 == next {
        if layout::whole(model).status.height == 0 {
            model.toast(Level::Done, format!("Sorted: {}.", next.in_words()), "");
        }
    } else {
        search::replace(model, &before);
        let hint =
            "What was pasted is looked for as it stands, and a saved filter may have an order; Esc clears the line.";
        model.toast(Level::Refused, "This line cannot have an order beside it.", hint);
    }
}

/// The order that a list is in where that is not its own: by what, and whether the least comes first.
pub(in crate::tui) fn shown(sort: Option<Sort>, own: Sort) -> Option<Sort> {
    sort.filter(|sort| *sort != own)
}

#[cfg(test)]
mod tests {
    use crate::domain::page::Position;
    use crate::tui::Effect;
    use crate::tui::effect::Load;
    use crate::tui::tests::fixture::{Console, World};

    /// The line, and the first row of the list.
    fn shown(console: &Console) -> (String, String) {
        let first = console.model.verifications.list().and_then(|list| list.items.first());
        let email = first.map(|item| item.row.user.email.plain().into_string()).unwrap_or_default();
        (console.model.search().text().to_owned(), email)
    }

    #[test]
    fn a_key_goes_through_the_orders_of_a_list() {
        let (mut console, world) = Console::loaded(80, 24);
        let first = "minji.kim@example.com";
        for (line, title, email) in [
            ("sort:expires", "Expires ↑", "emma.jones@example.org"),
            ("sort:email", "E-mail ↑", "a.very.long.local.part.that.never.ends@subdomain.example-company.co.kr"),
            ("sort:-email", "E-mail ↓", "seojun.park@example.kr"),
            ("", "Expires", first),
        ] {
            console.run(&world, "s");
            assert_eq!(shown(&console), (line.to_owned(), email.to_owned()), "{line}");
            let screen = console.screen();
            assert!(screen.contains(title) && (line.is_empty() || screen.contains(&format!("“{line}”"))), "{screen}");
            assert!(screen.contains("Pending 1,204"), "the tabs are counted as before: {screen}");
        }
        // The tab has its own orders, and the line keeps the rest of it.
        console.run(&world, "2 s");
        assert_eq!(shown(&console).0, "sort:verified");
        console.run(&world, "5 s");
        assert_eq!(shown(&console).0, "sort:created");
        console.run(&world, "Esc / k i m Enter s s s");
        assert_eq!(shown(&console).0, "kim sort:-email");
        console.run(&world, "s");
        assert_eq!(shown(&console).0, "kim");
    }

    #[test]
    fn a_list_of_mails_is_turned_round() {
        let (mut console, world) = Console::loaded(80, 24);
        console.run(&world, "m");
        console.press("s");
        let asked = console.take_asked().into_iter().find_map(|effect| match effect {
            Effect::Load(Load::Sends { filter, position, .. }) => Some((filter, position)),
            _ => None,
        });
        let (filter, position) = asked.unwrap();
        assert_eq!((filter.to_string().as_str(), position), ("sort:queued", Position::Newest));
        console.serve(&world);
        console.run(&world, "s");
        assert_eq!(console.model.search().text(), "");
    }

    #[test]
    fn what_was_pasted_stays_as_it_is() {
        let (mut console, world) = Console::loaded(80, 24);
        console.run(&world, "/");
        let line = "Nov 27 10:00:01 mx postfix/smtp[42]: 4F: to=<minji.kim@example.com>";
        console.type_text(line);
        console.run(&world, "Enter s");
        assert_eq!(console.model.search().text(), line);
        assert!(console.screen().contains("This line cannot have an order beside it."), "{}", console.screen());
    }

    #[test]
    fn where_no_line_is_shown_a_message_says_the_order() {
        let mut console = Console::new(40, 10);
        let world = World::default();
        console.serve(&world);
        console.run(&world, "s");
        assert!(console.screen().contains("Sorted: expiring soonest first."), "{}", console.screen());
    }
}
