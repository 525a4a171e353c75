//! The search prompt, and what is typed and pasted.

use crossterm::event::KeyEvent;

use crate::domain::filter::Search;
use crate::tui::Model;
use crate::tui::model::field::{Field, LENGTH_MAX};
use crate::tui::model::{Tabbed, View};
use crate::tui::view::list::Row;
use crate::tui::view::verifications::update::near_miss;

/// Opens the prompt, from wherever users are: what is open is closed, and the queue, which lists none, is left for the
/// verifications. The templates are not left: nothing there is about a user, and `/` is of no use in them.
pub fn open(model: &mut Model) {
    let view = if matches!(model.view, View::Mail | View::Audit) { model.view } else { View::Verifications };
    model.show(view);
    model.prompt = true;
}

/// A key that is no command.
pub fn typed(model: &mut Model, event: &KeyEvent) {
    match &mut model.dialog {
        Some(dialog) => dialog.typed(event),
        None if model.prompt => edit(model, |search| search.press(event)),
        None => {}
    }
}

/// A paste goes into the text being typed: pasted letters are no commands. Where none is typed, it is looked for.
pub fn paste(model: &mut Model, text: &str) {
    match &mut model.dialog {
        Some(dialog) => dialog.pasted(text),
        None if model.prompt => edit(model, |search| search.paste(&telling(text))),
        None if model.view == View::Templates => {}
        None => {
            let text = telling(text);
            let mut pasted = Field::default();
            if pasted.paste(&text) {
                open(model);
                model.pasted = Some(pasted.text().to_owned());
                edit(model, |search| {
                    *search = pasted;
                    true
                });
            }
        }
    }
}

/// What was pasted has found verifications of one user alone: the newest is opened, unless something was pressed since.
pub fn found(model: &mut Model) {
    let Some(list) = model.verifications.list().filter(|list| list.loaded && list.awaiting.is_none()) else { return };
    let Some(pasted) = model.pasted.take() else { return };
    let is_shown = model.prompt && model.view == View::Verifications && model.verifications.search.text() == pasted;
    let Some(first) = list.items.first().filter(|_| is_shown && !list.older) else { return };
    if list.items.iter().all(|item| item.row.user.id == first.row.user.id) {
        model.opened = Some(first.row.verification.id);
        model.prompt = false;
    }
}

/// The first line that has an address in it, or else the first one; of one too long for a field, the address.
fn telling(text: &str) -> String {
    let lines = || text.lines().map(str::trim).filter(|line| !line.is_empty());
    let mailbox = |line: &str| Search::parse(line).and_then(|search| search.mailbox().cloned());
    let found = lines().take(LINES_MAX).find_map(|line| Some((line, mailbox(line)?)));
    match found {
        Some((line, mailbox)) if line.chars().count() > LENGTH_MAX => mailbox.email,
        Some((line, _)) => line.to_owned(),
        None => lines().next().unwrap_or_default().to_owned(),
    }
}

/// In how many lines of a paste an address is looked for.
const LINES_MAX: usize = 100;

fn edit(model: &mut Model, change: impl FnOnce(&mut Field) -> bool) {
    let search = of(model);
    let was_empty = search.is_empty();
    if change(search) {
        changed(model, was_empty);
    }
}

/// Searches for the address that is near to the one that no one has, or shows what is found under other tabs.
pub fn take_suggested(model: &mut Model) {
    let Some(near) = near_miss(model).map(|near| near.plain().into_string()) else { return show_elsewhere(model) };
    edit(model, |search| {
        search.clear();
        search.paste(&near)
    });
}

fn show_elsewhere(model: &mut Model) {
    fn is_empty<R: Row>(lists: &Tabbed<R>) -> bool {
        lists.list().is_some_and(|list| list.loaded && list.items.is_empty()) && !lists.search.is_empty()
    }
    if model.view == View::Mail && is_empty(&model.mail) {
        model.mail.show_all();
    } else if model.view == View::Verifications && is_empty(&model.verifications) {
        model.verifications.show_all();
    }
}

/// Clears the search.
pub fn clear(model: &mut Model) {
    let search = of(model);
    if !search.is_empty() {
        search.clear();
        changed(model, false);
    }
}

fn of(model: &mut Model) -> &mut Field {
    match model.view {
        View::Mail => &mut model.mail.search,
        View::Audit => &mut model.audit.search,
        _ => &mut model.verifications.search,
    }
}

fn changed(model: &mut Model, was_empty: bool) {
    if model.view == View::Mail {
        let all = model.mail.lists.iter().position(|list| list.tab.is_none());
        model.mail.search_changed(was_empty, all.unwrap_or_default());
        model.send_scroll = 0;
    } else if model.view == View::Audit {
        let all = model.audit.lists.iter().position(|list| list.tab.is_none());
        model.audit.search_changed(was_empty, all.unwrap_or_default());
        model.entry_scroll = 0;
    } else {
        let all = model.verifications.lists.iter().position(|list| list.tab.is_none());
        model.verifications.search_changed(was_empty, all.unwrap_or_default());
    }
}

#[cfg(test)]
mod tests {
    use crate::tui::Msg;
    use crate::tui::model::View;
    use crate::tui::tests::fixture::{Console, World};

    fn pasted(console: &mut Console, world: &World, text: &str) {
        console.send(Msg::Paste(text.into()));
        console.serve(world);
    }

    #[test]
    fn it_is_opened_from_everywhere_but_the_templates() {
        for (keys, view) in [
            ("", View::Verifications),
            ("Enter", View::Verifications),
            ("2 G Enter PgDn", View::Verifications),
            ("m", View::Mail),
            ("m Enter", View::Mail),
            ("o", View::Verifications),
            ("o Enter", View::Verifications),
        ] {
            for (width, height) in [(80, 24), (160, 45)] {
                let (mut console, world) = Console::loaded(width, height);
                console.run(&world, keys);
                console.run(&world, "/ k i m Enter");
                assert_eq!((console.model.view, console.model.search().text()), (view, "kim"), "{keys}");
                assert!(console.model.opened.is_none() && !console.model.row_open && !console.model.queue.open);
            }
        }
        let (mut console, world) = Console::loaded(80, 24);
        console.run(&world, "t /");
        pasted(&mut console, &world, "kim");
        assert_eq!((console.model.view, console.model.prompt), (View::Templates, false));
    }

    #[test]
    fn a_slip_of_the_keyboard_is_understood() {
        let (mut console, world) = Console::loaded(80, 24);
        pasted(&mut console, &world, "minji.kmi@example.com");
        let shown = console.screen();
        assert!(shown.contains("Did you mean minji.kim@example.com? Tab searches that."), "{shown}");
        console.run(&world, "Tab");
        assert_eq!((console.model.search().text(), console.selected()), ("minji.kim@example.com", 49_993));
        console.run(&world, "Tab x");
        assert_eq!(console.model.search().text(), "minji.kim@example.comx");
    }

    #[test]
    fn a_paste_is_looked_for() {
        let email = "minji.kim@example.com";
        for keys in ["", "Enter", "o", "3", "/", "/ x y z Enter"] {
            let (mut console, world) = Console::loaded(80, 24);
            console.run(&world, keys);
            pasted(&mut console, &world, &format!("From: Kim Mina\n\"Kim Mina\" <{}>,\r\nHello", email.to_uppercase()));
            let shown = console.screen();
            assert!(shown.contains(email), "{keys}: {shown}");
            // Where the prompt was not open, that was all.
            let is_opened = console.model.opened.is_some() && !console.model.prompt;
            assert_eq!(is_opened, !keys.starts_with('/') || keys.ends_with("Enter"), "{keys}: {shown}");
        }
    }

    #[test]
    fn a_paste_opens_one_person_only_and_nothing_behind_another_key() {
        let (mut console, world) = Console::loaded(80, 24);
        pasted(&mut console, &world, "example.com");
        assert!(console.model.opened.is_none() && console.model.prompt, "{}", console.screen());
        console.run(&world, "Esc");
        for key in ["Enter", "x"] {
            console.send(Msg::Paste("minji.kim@example.com".into()));
            console.press(key);
            console.serve(&world);
            assert!(console.model.opened.is_none(), "{key}: {}", console.screen());
            console.run(&world, "/ Esc");
        }
    }
}
