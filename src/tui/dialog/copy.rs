//! What to copy into the clipboard of the operator's terminal? Keys and links never are.

use ratatui::layout::{Position, Rect};

use super::menu::Menu;
use super::parts::{columns_for, keys, put};
use super::{Action, Body, Dialog, KeyContext, Keys, Then, because};
use crate::domain::account::facts;
use crate::domain::filter::{Key, line};
use crate::domain::send::SendRow;
use crate::text::{Untrusted, plain};
use crate::tui::model::View;
use crate::tui::theme::Theme;
use crate::tui::view::detail::cursor;
use crate::tui::view::mail;
use crate::tui::widget::canvas::Canvas;
use crate::tui::widget::lines::Lines;
use crate::tui::{Effect, Model, clipboard};

/// Columns of what stands before a text.
const LABEL: usize = 14;

/// From how many characters of its alphabet on a word may be a key, or most of one.
const KEY_MIN: usize = 40;

/// The menu.
#[derive(Clone, Debug)]
pub struct CopyDialog {
    items: Vec<Item>,
    menu: Menu,
}

/// What can be copied. Plain: no terminal and no shell does more with it than show it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Item {
    label: &'static str,
    text: String,
}

pub(super) fn blocked(model: &Model) -> Option<(String, String)> {
    if items(model).is_empty() { because("There is nothing to copy.", "Choose a row first.") } else { None }
}

pub(super) fn open(model: &Model) -> Dialog {
    let items = items(model);
    Dialog::Copy(CopyDialog { menu: Menu::new(items.len()), items })
}

/// What there is to copy, of what is selected.
fn items(model: &Model) -> Vec<Item> {
    if model.view == View::Account && model.opened.is_none() {
        return of_account(model);
    }
    let subject = model.subject();
    let is_open = model.opened.is_some() || model.row_open;
    let id = subject.as_ref().map(|subject| subject.id);
    let detail = model.detail.data.as_deref().filter(|detail| Some(detail.verification.id) == id);
    let row = model.verifications.selected().filter(|row| Some(row.verification.id) == id);
    let chosen = || cursor::chosen_mail(model);
    let send: Option<&SendRow> =
        mail::listed(model).or_else(chosen).or_else(|| detail.and_then(|detail| detail.sends.first()));
    let user = detail.map(|d| d.user.id).or_else(|| row.map(|r| r.user.id)).or_else(|| send.and_then(|s| s.user_id));
    let send_id = send.map(|send| send.id).or_else(|| row.and_then(|row| row.last_send.as_ref()).map(|last| last.id));
    let told = |text: &Untrusted| text.plain().into_string();
    let event = send.and_then(|send| send.events.last()).map(|event| told(&event.detail));
    let texts = [
        ("address", clipboard::email(model)),
        ("verification", id.map(|id| id.to_string())),
        ("user", user.map(|user| user.to_string())),
        ("mail", send_id.map(|id| id.to_string())),
        ("SES id", send.and_then(|send| send.ses_id.as_ref()).map(told)),
        ("reply", send.and_then(|send| send.reply.as_ref()).map(told)),
        ("reported", event),
        ("command", id.map(|id| format!("verifydesk show {id}"))),
        ("this list", list_command(model).filter(|_| !is_open)),
    ];
    let item = |(label, text): (_, Option<String>)| Some(Item { label, text: text? });
    texts.into_iter().filter_map(item).filter(|item| !item.text.is_empty() && !may_hold_key(&item.text)).collect()
}

/// What there is of the account: the command line that shows the same, and what has to be in DNS.
fn of_account(model: &Model) -> Vec<Item> {
    let records = model.account.read.as_ref().map(|view| facts::in_dns(view)).unwrap_or_default();
    let command = Item { label: "command", text: "verifydesk account --json".into() };
    let records = records.into_iter().map(|record| Item { label: record.purpose, text: record.to_string() });
    std::iter::once(command).chain(records).filter(|item| !may_hold_key(&item.text)).collect()
}

/// The command line that shows the same list.
pub(super) fn list_command(model: &Model) -> Option<String> {
    let (command, tab) = match model.view {
        View::Verifications => {
            let status = model.verifications.list()?.tab;
            ("list", status.map(|status| format!(" --status={status}")))
        }
        View::Mail => ("sends", model.mail.list()?.tab.map(|state| format!(" --state={state}"))),
        View::Account | View::Audit | View::Suppressed | View::Queue | View::Templates => return None,
    };
    // Where the line itself says which tab, it is said once.
    let key = if model.view == View::Mail { Key::Mail } else { Key::Status };
    // A word that is wrong, or not typed to its end, does not apply on the screen either.
    let line = model.search().text();
    let line = model.wrong_term().map_or_else(|| line.to_owned(), |wrong| wrong.without_word(line));
    // Elsewhere the settings may have no such names.
    let line = model.setup.saved.expand(&line).line;
    let tab = tab.filter(|_| line::find(&line, model.place(), key).is_none());
    // And where another is wrong, the screen shows what applied before.
    line::parse(&line, model.place(), model.clock()).ok()?;
    let search = plain(line.trim());
    let search =
        if search.as_str().is_empty() { String::new() } else { format!(" --search={}", quoted(search.as_str())) };
    Some(format!("verifydesk {command}{}{search}", tab.unwrap_or_default()))
}

/// A text as one word of a shell, whatever is in it.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// Whether a link or a key may be in a text: of someone who looked for what a user sent them, or in what a server says.
pub(super) fn may_hold_key(text: &str) -> bool {
    // In ids, which are as long, letters are of one case.
    let is_key = |word: &str| {
        word.len() >= KEY_MIN
            && word.bytes().any(|b| b.is_ascii_uppercase())
            && word.bytes().any(|b| b.is_ascii_lowercase())
    };
    let lower = text.to_ascii_lowercase();
    ["key=", "key%3d", "key%253d"].iter().any(|name| lower.contains(name))
        || text.split(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '_'))).any(is_key)
}

impl Body for CopyDialog {
    fn key_context(&self) -> KeyContext {
        KeyContext::Menu
    }

    fn step(&mut self, action: Action) {
        self.menu.step(action);
    }

    fn choose(&mut self, number: usize) -> bool {
        self.menu.choose(number)
    }

    fn confirm(&mut self, model: &mut Model, fx: &mut Vec<Effect>) -> Then {
        if let Some(item) = self.items.get(self.menu.chosen) {
            clipboard::copy(model, item.text.clone(), &format!("Copied: {}", item.text), fx);
        }
        Then::Close
    }

    fn keys(&self, _: &Model, _: &Theme) -> Keys {
        vec![("Enter", "copy"), ("1", "that line"), ("Esc", "close")]
    }

    fn draw(&self, canvas: &mut Canvas<'_>, model: &Model, area: Rect) -> Option<Position> {
        let theme = canvas.theme;
        let columns = columns_for(area);
        let mut lines = Lines::new(theme, columns);
        let mut chosen_until = 0;
        for (n, item) in self.items.iter().enumerate() {
            self.menu.line(&mut lines, (theme, columns), n, (item.label, LABEL), &item.text);
            if n == self.menu.chosen {
                chosen_until = lines.count();
            }
        }
        if area.height >= 18 {
            keys(&mut lines, &self.keys(model, theme));
        }
        let mut lines = lines.finish();
        // On a small screen, where the title has one line and there is no frame, the chosen one has to be seen.
        let rows = usize::from(area.height.saturating_sub(1));
        if lines.len() > rows {
            lines.drain(..chosen_until.saturating_sub(rows));
        }
        put(canvas, area, "Copy", &lines);
        None
    }
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;
    use crate::domain::filter::Place;
    use crate::tui::effect::TerminalCommand;
    use crate::tui::tests::fixture::{Console, World};
    use crate::tui::view::{mail, verifications};

    fn loaded(keys: &str) -> (Console, World) {
        let (mut console, world) = Console::loaded(80, 24);
        console.run(&world, keys);
        (console, world)
    }

    fn labels(console: &Console) -> Vec<(&'static str, String)> {
        items(&console.model).into_iter().map(|item| (item.label, item.text)).collect()
    }

    fn copied(console: &mut Console) -> Option<String> {
        console.take_asked().into_iter().find_map(|effect| match effect {
            Effect::Terminal(TerminalCommand::Copy(text)) => Some(text),
            _ => None,
        })
    }

    #[test]
    fn what_is_selected_is_offered_and_copied() {
        let (mut console, world) = loaded("y");
        let shown = console.screen();
        for part in
            ["Copy", "1 address", "minji.kim@example.com", "verifydesk show 49993", "verifydesk list --status=pending"]
        {
            assert!(shown.contains(part), "{part} is missing in\n{shown}");
        }
        console.take_asked();
        console.press("y");
        assert_eq!(copied(&mut console).as_deref(), Some("minji.kim@example.com"));
        assert!(console.model.dialog.is_none());
        assert!(console.screen().contains("Copied: minji.kim@example.com"), "{}", console.screen());
        for (keys, expected) in [("y 2", "49993"), ("y j Enter", "49993"), ("y j k Enter", "minji.kim@example.com")] {
            console.run(&world, "Esc");
            let (before, last) = keys.rsplit_once(' ').unwrap();
            console.run(&world, before);
            console.press(last);
            assert_eq!(copied(&mut console).as_deref(), Some(expected), "{keys}");
        }
        console.run(&world, "y");
        console.press("9");
        assert_eq!(copied(&mut console), None);
        assert!(console.model.dialog.is_some(), "a number that is none closes it");
        console.run(&world, "Esc");
        assert!(console.model.dialog.is_none());
    }

    #[test]
    fn each_place_offers_its_own() {
        let table = [
            ("", &["address", "verification", "user", "mail", "command", "this list"][..]),
            ("Enter", &["address", "verification", "user", "mail", "SES id", "reply", "reported", "command"]),
            ("m", &["address", "verification", "user", "mail", "SES id", "reply", "command", "this list"]),
            ("m Enter", &["address", "verification", "user", "mail", "SES id", "reply", "command"]),
        ];
        for (keys, expected) in table {
            let (console, _) = loaded(keys);
            let offered: Vec<_> = labels(&console).into_iter().map(|(label, _)| label).collect();
            let known = expected.iter().filter(|label| offered.contains(label)).count();
            assert!(offered.iter().all(|label| expected.contains(label)) && known >= 5, "{keys}: {offered:?}");
        }
    }

    #[test]
    fn the_command_shows_the_same_list() {
        let (mut console, world) = loaded("/");
        console.type_text("-o'brien $(id)");
        console.run(&world, "Enter");
        let line = labels(&console).pop().unwrap_or_else(|| ("", list_command(&console.model).unwrap()));
        assert_eq!(list_command(&console.model).unwrap(), r"verifydesk list --search='-o'\''brien $(id)'", "{line:?}");
        let (mut console, world) = loaded("/");
        console.type_text("status:expired kim");
        console.run(&world, "Enter");
        assert_eq!(list_command(&console.model).unwrap(), "verifydesk list --search='status:expired kim'");
        let (console, _) = loaded("m 2");
        let tab = console.model.mail.list().unwrap().tab;
        let state = tab.map(|state| format!(" --state={state}")).unwrap_or_default();
        assert_eq!(list_command(&console.model).unwrap(), format!("verifydesk sends{state}"));
    }

    /// The line, read by a real shell and then by the command line's own parser, shows what the screen shows.
    #[test]
    fn the_command_line_reads_the_same_filter() {
        let table = [
            ("/", "kang status:expired since:2026-11-01"),
            ("/", "status:pending domain:example.com locale:ko created:<2026-11-20 expires:>2026-11-21"),
            ("/", "mail:bounced,failed reason:suppressed until:2026-11-20T18:00"),
            ("/", "o'brien status:verified"),
            ("/", "김미나 status:all"),
            ("/", "kim status:"),
            ("2 /", "kim"),
            ("m /", "mail:failed,unknown since:2026-11-01"),
            ("m 3 /", "domain:example.com"),
            ("m /", "mail:bounced kim"),
            ("m /", "@lost kim"),
            ("/", "@naver kim"),
        ];
        for (keys, text) in table {
            let (mut console, world) = loaded(keys);
            console.type_text(text);
            console.run(&world, "Enter");
            let line = list_command(&console.model).unwrap();
            let run = Command::new("sh").arg("-c").arg(format!("printf '%s\\n' {line}")).output().unwrap();
            let words = String::from_utf8(run.stdout).unwrap();
            let read = crate::cli::filter_of(words.lines()).unwrap_or_else(|error| panic!("{line}: {error}"));
            // As the screen has it, but by the clock of the command line.
            let model = &mut console.model;
            let clock = crate::cli::filter_clock();
            model.verifications.read(&model.setup.saved, Place::Verifications, clock);
            model.mail.read(&model.setup.saved, Place::Mails, clock);
            let shown = match model.view {
                View::Mail => mail::update::filter(model),
                _ => verifications::update::filter(model),
            };
            assert_eq!(read, shown, "{line}");
        }
        let (mut console, world) = loaded("/");
        console.type_text("kim stat:x status:pendng");
        console.run(&world, "Enter");
        assert_eq!(list_command(&console.model), None);
    }

    /// By a real shell.
    #[test]
    fn a_shell_reads_what_was_searched_and_nothing_else() {
        for text in ["mina", "o'brien", "''", "$(touch /tmp/x)", "a\\", "`id` \"x\" *", "김미나", "-x; rm -rf /", "!!"]
        {
            let script = format!("printf '%s|' {}", quoted(text));
            let run = Command::new("sh").arg("-c").arg(script).output().unwrap();
            assert_eq!(String::from_utf8(run.stdout).unwrap(), format!("{text}|"));
        }
    }

    #[test]
    fn keys_and_links_are_never_copied() {
        let key = "Zm9vYmFyYmF6cXV4Zm9vYmFyYmF6cXV4Zm9vYmFyYmF";
        for text in [
            format!("https://example.com/verify/?key={key}"),
            key.into(),
            format!("verify/?KEY=3D{key}"),
            "key%3Dabc".into(),
        ] {
            assert!(may_hold_key(&text), "{text}");
            let (mut console, world) = loaded("/");
            console.type_text(&text);
            console.run(&world, "Enter");
            assert!(items(&console.model).iter().all(|item| !item.text.contains(&text)), "{text}");
        }
        for text in [
            "0101018f7a2b3c4d-1a2b3c4d-0000-1111-2222-333344445555-000000",
            "captured-01a21c08-edd1-7351-a90d-86019f60f794",
            "minji.kim@example.com",
            "550 5.1.1 The email account that you tried to reach does not exist",
        ] {
            assert!(!may_hold_key(text), "{text}");
        }
    }

    #[test]
    fn nothing_that_is_copied_controls_a_terminal() {
        let mut world = World::default();
        world.row_mut(49_993).user.email = "a\u{1b}[31m@example.com\r\nrm -rf /".into();
        let mut console = Console::new(80, 24);
        console.serve(&world);
        console.run(&world, "Enter");
        for item in items(&console.model) {
            assert!(!item.text.chars().any(char::is_control), "{item:?}");
        }
    }

    #[test]
    fn where_nothing_is_selected_there_is_nothing_to_copy() {
        let mut console = Console::new(80, 24);
        let world = World { rows: Vec::new(), ..World::default() };
        console.serve(&world);
        console.press("y");
        let shown = console.screen();
        // The list itself still has its command.
        assert!(shown.contains("verifydesk list --status=pending") && !shown.contains("address  "), "{shown}");
    }
}
