//! The search prompt, and what is typed and pasted.

use crossterm::event::KeyEvent;

use crate::domain::filter::complete::{self, Completions};
use crate::domain::filter::{Filter, Key, Place, Search, line};
use crate::domain::id::JobId;
use crate::domain::idn;
use crate::tui::Model;
use crate::tui::model::field::{Field, LENGTH_MAX};
use crate::tui::model::{Completing, Level, Tabbed, View};
use crate::tui::view::list::{List, Row};
use crate::tui::view::{near, suppressed};

/// Opens the prompt, from wherever users are: what is open is closed, and the queue, which lists none, is left for the
/// verifications. The templates are not left: nothing there is about a user, and `/` is of no use in them.
pub fn open(model: &mut Model) {
    let view = if matches!(model.view, View::Mail | View::Audit | View::Suppressed) {
        model.view
    } else {
        View::Verifications
    };
    if view == View::Mail {
        // What is searched now is what is on the screen.
        model.detours.clear();
    }
    model.show(view);
    model.prompt = true;
}

/// Leaves the prompt for the list, unless a word is wrong.
pub fn keep(model: &mut Model) {
    match model.wrong_term().map(|wrong| wrong.what.clone()) {
        Some(what) => model.toast(Level::Refused, what, "Correct it, or press Esc to clear the line."),
        None => model.prompt = false,
    }
}

/// A key that is no command.
pub fn typed(model: &mut Model, event: &KeyEvent) {
    model.completing = None;
    match &mut model.dialog {
        Some(dialog) => dialog.typed(event),
        None if model.prompt => edit(model, |search| search.press(event)),
        None => {}
    }
}

/// A paste goes into the text being typed: pasted letters are no commands. Where none is typed, it is looked for.
pub fn paste(model: &mut Model, text: &str) {
    model.completing = None;
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

/// Searches for the address that is near to the one that no one has, completes the word before the cursor, or shows what
/// is found under other tabs.
pub fn take_suggested(model: &mut Model) {
    if model.view == View::Suppressed {
        return;
    }
    let Some(near) = near::miss(model).map(|near| idn::shown(near).into_string()) else {
        return if model.completing.is_some() || !offered(model).words.is_empty() {
            complete(model);
        } else {
            show_elsewhere(model);
        };
    };
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
        model.mail.show_tab(None);
        tab_chosen(model);
    } else if model.view == View::Audit && is_empty(&model.audit) {
        model.audit.show_tab(None);
    } else if model.view == View::Verifications && is_empty(&model.verifications) {
        model.verifications.show_tab(None);
        tab_chosen(model);
    }
}

/// What Tab offers for the word before the cursor.
#[must_use]
pub fn offered(model: &Model) -> Completions {
    let field = model.search();
    let (line, before) = (field.text(), field.before_cursor());
    let names = model.setup.saved.names(model.place(), model.clock());
    let offered = complete::complete(line, before.len(), model.place(), names);
    // Of a name a letter or two are typed before it is known to be no term's.
    let word = line.get(offered.span.clone()).unwrap_or_default();
    let is_value = line[..offered.span.start].ends_with([':', ',']);
    let is_likely =
        is_value || word.starts_with('@') || !model.filter_line().is_text() || word.is_empty() || word.len() > 2;
    if is_likely { offered } else { Completions::default() }
}

/// Puts the first word that fits in its place; pressed again, the next.
fn complete(model: &mut Model) {
    let next = if let Some(completing) = model.completing.take().filter(|completing| completing.words.len() > 1) {
        Completing { at: (completing.at + 1) % completing.words.len(), ..completing }
    } else {
        let Completions { span, words } = offered(model);
        Completing { words, at: 0, part: span }
    };
    let Some(word) = next.words.get(next.at).cloned() else { return };
    edit(model, |search| {
        search.replace(next.part.clone(), &word);
        true
    });
    model.completing = Some(Completing { part: next.part.start..next.part.start + word.len(), ..next });
}

/// A tab was chosen: a term that chooses another goes out of the line.
pub fn tab_chosen(model: &mut Model) {
    let place = model.place();
    let key = if place == Place::Mails { Key::Mail } else { Key::Status };
    // A term may be in what a name stands for: then that takes the name's place.
    let text = model.setup.saved.expand(model.search().text()).line;
    let Some(rest) = line::find(&text, place, key).map(|term| line::without(&text, &term)) else { return };
    let clock = model.clock();
    let field = of(model);
    field.clear();
    field.paste(&rest);
    if place == Place::Mails {
        model.mail.read(&model.setup.saved, place, clock);
    } else {
        model.verifications.read(&model.setup.saved, place, clock);
    }
}

/// Reads all lines again: what is yesterday, changes.
pub fn read_again(model: &mut Model) {
    let clock = model.clock();
    model.verifications.read(&model.setup.saved, Place::Verifications, clock);
    model.mail.read(&model.setup.saved, Place::Mails, clock);
    model.audit.read(&model.setup.saved, Place::Audit, clock);
}

/// Lists the mails of a job alone.
pub fn mails_of(model: &mut Model, job: JobId) {
    model.show(View::Mail);
    clear(model);
    for list in &mut model.mail.lists {
        *list = List::new(list.tab);
    }
    edit(model, |search| search.paste(&Filter { job: Some(job), ..Filter::default() }.to_string()));
    model.queue.listed = Some(job);
}

/// Whether the mails of the job are listed that were opened in the queue.
#[must_use]
pub fn is_of_job(model: &Model) -> bool {
    model.view == View::Mail && model.queue.listed.is_some() && model.mail.filter.only_job() == model.queue.listed
}

/// Puts another line in the place of the one that is typed, in the tab that is shown; says whether it is understood.
pub fn replace(model: &mut Model, line: &str) -> bool {
    let (place, clock) = (model.place(), model.clock());
    let field = of(model);
    field.clear();
    let is_taken = line.is_empty() || field.paste(line) && field.text() == line;
    if place == Place::Mails {
        model.mail.read(&model.setup.saved, place, clock);
    } else {
        model.verifications.read(&model.setup.saved, place, clock);
    }
    is_taken && model.wrong_term().is_none()
}

/// Clears the search.
pub fn clear(model: &mut Model) {
    model.detours.clear();
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
        View::Suppressed => &mut model.suppressed.search,
        _ => &mut model.verifications.search,
    }
}

/// A term of the line that names what tabs are made of chooses the tab.
fn changed(model: &mut Model, was_empty: bool) {
    let (place, clock) = (model.place(), model.clock());
    if place == Place::Mails {
        let all = model.mail.lists.iter().position(|list| list.tab.is_none());
        model.mail.search_changed(was_empty, all.unwrap_or_default());
        model.mail.read(&model.setup.saved, place, clock);
        if !model.mail.filter.mail.is_any() {
            model.mail.show_tab(model.mail.filter.mail.only());
        }
        model.send_scroll = 0;
    } else if model.view == View::Audit {
        let all = model.audit.lists.iter().position(|list| list.tab.is_none());
        model.audit.search_changed(was_empty, all.unwrap_or_default());
        model.audit.read(&model.setup.saved, place, clock);
        model.entry_scroll = 0;
    } else if model.view == View::Suppressed {
        suppressed::update::search_changed(model);
    } else {
        let all = model.verifications.lists.iter().position(|list| list.tab.is_none());
        model.verifications.search_changed(was_empty, all.unwrap_or_default());
        model.verifications.read(&model.setup.saved, place, clock);
        let status = model.verifications.filter.status;
        let line = model.setup.saved.expand(model.search().text()).line;
        if status.is_some() || line::find(&line, place, Key::Status).is_some() {
            model.verifications.show_tab(status);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::domain::verification::Status;
    use crate::tui::effect::Load;
    use crate::tui::model::View;
    use crate::tui::tests::fixture::{Console, World, now};
    use crate::tui::widget::tabs::capital;
    use crate::tui::{Effect, Msg};

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
    fn a_slip_of_the_keyboard_is_understood_in_mail() {
        let (mut console, world) = Console::loaded(80, 24);
        console.run(&world, "m /");
        console.type_text("minji.kmi@example.com");
        console.serve(&world);
        let shown = console.screen();
        assert!(shown.contains("Did you mean minji.kim@example.com? Tab searches that."), "{shown}");
        console.run(&world, "Tab");
        assert_eq!(console.model.search().text(), "minji.kim@example.com");
        assert_eq!(console.model.mail.list().unwrap().items.len(), 1);
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

    /// The words of the filter that the list on the screen was last asked for.
    fn asked(console: &mut Console, world: &World, keys: &str) -> String {
        let mut last = String::new();
        for key in keys.split(' ') {
            console.press(key);
            for effect in &console.asked {
                if let Effect::Load(Load::Page { filter, .. } | Load::Sends { filter, .. }) = effect {
                    last = filter.to_string();
                }
            }
            console.serve(world);
        }
        last
    }

    /// The keys that type a line.
    fn keys(text: &str) -> String {
        text.chars().map(|c| if c == ' ' { "Space".to_owned() } else { c.to_string() }).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn the_line_is_read_as_it_is_typed() {
        for (view, line, filter, tab) in [
            ("", "status:expired kim", "status:expired kim", "Expired"),
            ("", "mail:failed,unknown", "mail:failed,unknown", "All"),
            ("2", "domain:naver.com", "domain:naver.com", "All"),
            ("3", "status:all kim", "kim", "All"),
            ("", "kim status:pendng", "kim", "All"),
            ("m", "mail:failed", "mail:failed", "Failed"),
            ("m", "mail:failed,unknown", "mail:failed,unknown", "All"),
            ("m", "reason:suppressed", "reason:suppressed", "All"),
        ] {
            let (mut console, world) = Console::loaded(120, 40);
            console.run(&world, view);
            let asked = asked(&mut console, &world, &format!("/ {}", keys(line)));
            assert_eq!(asked, filter, "{line}");
            let shown = match console.model.view {
                View::Mail => console.model.mail.list().unwrap().tab.map_or("All".into(), |tab| capital(tab.as_str())),
                _ => console.model.verifications.list().unwrap().tab.map_or("All".into(), |t| capital(t.as_str())),
            };
            assert_eq!(shown, tab, "{line}");
        }
    }

    #[test]
    fn yesterday_is_the_operators() {
        let (mut console, world) = Console::loaded(120, 40);
        let asked = asked(&mut console, &world, &format!("/ {}", keys("since:yesterday")));
        let zone = chrono::FixedOffset::east_opt(9 * 3_600).unwrap();
        let day = now().with_timezone(&zone).date_naive().pred_opt().unwrap();
        let midnight = day.and_hms_opt(0, 0, 0).unwrap().and_local_timezone(zone).unwrap().to_utc();
        assert_eq!(asked, format!("since:{}", midnight.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true)));
    }

    #[test]
    fn a_tab_that_is_chosen_takes_the_place_of_the_term() {
        let (mut console, world) = Console::loaded(120, 40);
        let asked_for = asked(&mut console, &world, &format!("/ {} Enter 2", keys("status:expired kim")));
        assert_eq!((asked_for.as_str(), console.model.search().text()), ("status:verified kim", "kim"));
        console.run(&world, "Esc m");
        let asked_for = asked(&mut console, &world, &format!("/ {} Enter 2", keys("kim mail:failed,unknown")));
        assert_eq!((asked_for.as_str(), console.model.search().text()), ("mail:queued kim", "kim"));
    }

    #[test]
    fn the_wrong_word_is_shown_and_keeps_the_prompt_open() {
        let (mut console, world) = Console::loaded(80, 24);
        console.run(&world, &format!("/ {}", keys("statsu:pending kim")));
        let shown = console.screen();
        assert!(shown.contains("there is no statsu:; did you mean status:?"), "{shown}");
        console.run(&world, "Enter");
        assert!(console.model.prompt && console.model.toasts.len() == 1);
        console.run(&world, "Esc");
        assert!(!console.model.prompt && console.model.search().is_empty() && console.model.wrong_term().is_none());
    }

    #[test]
    fn a_name_of_the_settings_stands_for_its_line() {
        let (mut console, world) = Console::loaded(80, 24);
        let asked_for = asked(&mut console, &world, &format!("/ {}", keys("kim @naver")));
        assert_eq!(asked_for, "status:expired domain:naver.com kim");
        assert_eq!(console.model.verifications.list().unwrap().tab, Some(Status::Expired));
        // Another tab takes its term's place; the other terms stay.
        let asked_for = asked(&mut console, &world, "Enter 2");
        assert_eq!(asked_for, "status:verified domain:naver.com kim");
        assert_eq!(console.model.search().text(), "kim domain:naver.com");
        // It is offered where it can be used, and what is wrong with it is said elsewhere.
        console.run(&world, "Esc m / @");
        assert!(console.screen().contains("Tab: @lost"), "{}", console.screen());
        console.run(&world, "Tab");
        assert_eq!(
            (console.model.search().text(), console.model.mail.filter.mail.to_string().as_str()),
            ("@lost", "failed,unknown")
        );
        console.run(&world, &format!("Space {}", keys("@naver")));
        assert!(console.screen().contains("@naver: status: is no term for mails"), "{}", console.screen());
    }

    #[test]
    fn tab_completes_terms_and_values() {
        let (mut console, world) = Console::loaded(80, 24);
        console.run(&world, "/ s t a");
        assert!(console.screen().contains("Tab: status:"), "{}", console.screen());
        for (keys, text) in [
            ("Tab", "status:"),
            ("Tab", "status:pending"),
            ("Tab", "status:verified"),
            ("Space d o", "status:verified do"),
            ("Tab n a v e r . c o m", "status:verified domain:naver.com"),
            ("Tab", "status:verified domain:naver.com"),
        ] {
            console.run(&world, keys);
            assert_eq!(console.model.search().text(), text, "{keys}");
        }
        assert_eq!(console.model.verifications.list().unwrap().tab, Some(Status::Verified));
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
