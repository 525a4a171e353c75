//! As what is the list to be written into a file?

use ratatui::layout::{Position, Rect};

use super::copy::{list_command, may_hold_key};
use super::menu::Menu;
use super::parts::{columns_for, keys, put};
use super::{Action, Body, Dialog, KeyContext, Then, because};
use crate::export::{Format, Listed};
use crate::tui::model::View;
use crate::tui::theme::Tone;
use crate::tui::view::{audit, mail, verifications};
use crate::tui::widget::canvas::Canvas;
use crate::tui::widget::lines::Lines;
use crate::tui::{Effect, Model, clipboard, export};

/// Columns of what stands before what a line says.
const LABEL: usize = 13;

/// The menu.
#[derive(Clone, Debug)]
pub struct ExportDialog {
    listed: Listed,
    /// The command line that prints the same, where there is one.
    command: Option<String>,
    menu: Menu,
}

pub(super) fn blocked(model: &Model) -> Option<(String, String)> {
    let is_empty = match model.view {
        View::Verifications => model.verifications.selected().is_none(),
        View::Mail => model.mail.selected().is_none(),
        View::Audit => model.audit.selected().is_none(),
        View::Account | View::Suppressed | View::Queue | View::Templates => true,
    };
    if is_empty {
        return because("There is nothing to export.", "Choose another tab or change the search.");
    }
    if model.exporting.is_some() {
        return because("Another list is being exported.", "Wait for it, or stop it with Esc.");
    }
    if model.is_away() {
        return because("The database is away.", "Wait for it, or press R to try now.");
    }
    None
}

pub(super) fn open(model: &Model) -> Dialog {
    let listed = match model.view {
        View::Mail => Listed::Mails(mail::update::filter(model)),
        View::Audit => Listed::Audit(audit::update::filter(model)),
        _ => Listed::Verifications(verifications::update::filter(model)),
    };
    let command = list_command(model).map(|command| format!("{command} --all --csv"));
    let command = command.filter(|command| !may_hold_key(command));
    let menu = Menu::new(if command.is_some() { 3 } else { 2 });
    Dialog::Export(ExportDialog { listed, command, menu })
}

impl ExportDialog {
    fn lines(&self) -> Vec<(&'static str, &str)> {
        let files = [("CSV", "a table, for a spreadsheet"), ("JSON Lines", "an object a row, for programs")];
        files.into_iter().chain(self.command.as_deref().map(|command| ("copy", command))).collect()
    }
}

impl Body for ExportDialog {
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
        match (self.menu.chosen, &self.command) {
            (0, _) => export::begin(model, self.listed.clone(), Format::Csv, fx),
            (2, Some(command)) => clipboard::copy(model, command.clone(), &format!("Copied: {command}"), fx),
            _ => export::begin(model, self.listed.clone(), Format::JsonLines, fx),
        }
        Then::Close
    }

    fn draw(&self, canvas: &mut Canvas<'_>, _: &Model, area: Rect) -> Option<Position> {
        let theme = canvas.theme;
        let columns = columns_for(area);
        let mut lines = Lines::new(theme, columns);
        lines.text("All that this list shows, into a new file that only you can read. It says where.", Tone::Quiet);
        lines.gap();
        for (n, (label, text)) in self.lines().into_iter().enumerate() {
            self.menu.line(&mut lines, (theme, columns), n, (label, LABEL), text);
        }
        keys(&mut lines, &[("Enter", "take it"), ("1", "that line"), ("Esc", "close")]);
        put(canvas, area, "Export", &lines.finish());
        None
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use crate::domain::filter::Filter;
    use crate::domain::verification::Status;
    use crate::export::file::Written;
    use crate::export::{Format, Listed};
    use crate::tui::effect::{Load, Loaded, Problem, TerminalCommand};
    use crate::tui::model::Level;
    use crate::tui::tests::fixture::Console;
    use crate::tui::{Effect, Msg};

    /// What was asked for.
    fn exported(console: &mut Console) -> Option<(Listed, Format, u64)> {
        console.take_asked().into_iter().find_map(|effect| match effect {
            Effect::Load(Load::Export { listed, format, generation }) => Some((listed, format, generation)),
            _ => None,
        })
    }

    #[test]
    fn the_command_is_read_to_its_end_before_it_is_copied() {
        let (mut console, world) = Console::loaded(80, 24);
        console.run(&world, "/");
        console.type_text("created:>2020-01-01 locale:ko domain:example.com");
        console.run(&world, "Enter E");
        assert!(!console.screen().contains("--all --csv"), "{}", console.screen());
        console.run(&world, "j j");
        assert!(console.screen().contains("--all --csv"), "{}", console.screen());
    }

    #[test]
    fn what_the_list_shows_is_exported() {
        let expired = Listed::Verifications(Filter { status: Some(Status::Expired), ..Filter::default() });
        for (before, last, listed, format) in [
            ("3 E", "Enter", Some(expired.clone()), Format::Csv),
            ("3 E", "2", Some(expired.clone()), Format::JsonLines),
            ("3 E j", "y", Some(expired), Format::JsonLines),
            ("m E", "1", None, Format::Csv),
            ("u E", "1", None, Format::Csv),
        ] {
            let (mut console, world) = Console::loaded(80, 24);
            console.run(&world, before);
            console.press(last);
            let (asked, asked_format, _) = exported(&mut console).unwrap_or_else(|| panic!("{before}"));
            assert_eq!(asked_format, format, "{before}");
            match (before.chars().next(), &asked) {
                (Some('m'), Listed::Mails(_)) | (Some('u'), Listed::Audit(_)) => {}
                _ => assert_eq!(Some(asked), listed),
            }
            assert!(console.model.dialog.is_none());
        }
        let (mut console, world) = Console::loaded(80, 24);
        console.run(&world, "3 / k i m Enter E");
        console.press("3");
        let asked = console.take_asked();
        let copied = "verifydesk list --search='kim' --all --csv";
        assert!(asked.contains(&Effect::Terminal(TerminalCommand::Copy(copied.into()))), "{asked:?}");
        let (mut console, world) = Console::loaded(80, 24);
        console.run(&world, "E");
        console.press("4");
        assert!(console.model.dialog.is_some(), "a number that is none closes it");
    }

    #[test]
    fn it_says_how_far_it_is_where_it_went_and_that_it_failed() {
        let (mut console, world) = Console::loaded(80, 24);
        console.run(&world, "E");
        console.press("1");
        let (_, _, generation) = exported(&mut console).unwrap();
        assert!(console.screen().contains("exporting, 0 rows, Esc stops it"), "{}", console.screen());
        console.send(Msg::Loaded(Loaded::Exporting { generation: generation - 1, rows: 7 }));
        console.send(Msg::Loaded(Loaded::Exporting { generation, rows: 12_000 }));
        assert!(console.screen().contains("exporting, 12,000 rows, Esc stops it"), "{}", console.screen());
        // There is one at a time.
        console.run(&world, "E");
        assert!(console.model.dialog.is_none() && console.screen().contains("Another list is being exported."));
        console.run(&world, "Esc");
        let path = PathBuf::from("/home/mina/exports/verifications\u{1b}[2J.csv");
        let answer = Ok(Written { path, rows: 12_345 });
        console.send(Msg::Loaded(Loaded::Exported { generation, answer }));
        let shown = console.screen();
        assert!(shown.contains("12,345 rows written.") && shown.contains("/exports/verifications␛[2J.csv"), "{shown}");
        assert!(!shown.contains("exporting"), "{shown}");

        console.run(&world, "Esc E");
        console.press("1");
        let (_, _, generation) = exported(&mut console).unwrap();
        let problem = Problem { what: "the disk is full".into(), hint: "make room there".into(), ..Problem::default() };
        console.send(Msg::Loaded(Loaded::Exported { generation, answer: Err(problem) }));
        let toast = console.model.toasts.last().unwrap();
        assert_eq!((toast.level, &*toast.what), (Level::Failed, "Nothing was exported: the disk is full."));
    }

    #[test]
    fn it_can_be_stopped_and_is_not_lost_without_a_word() {
        let (mut console, world) = Console::loaded(80, 24);
        console.run(&world, "/ k i m Enter E");
        console.press("1");
        let (_, _, generation) = exported(&mut console).unwrap();
        console.press("q");
        assert!(console.screen().contains("is not finished."), "{}", console.screen());
        assert!(!console.take_asked().contains(&Effect::Terminal(TerminalCommand::Quit)));
        console.run(&world, "Esc");
        console.press("Esc");
        assert!(console.take_asked().contains(&Effect::Load(Load::ForgetExport)));
        assert_eq!(console.model.search().text(), "kim", "the search is cleared by the next");
        let answer = Ok(Written { path: "x".into(), rows: 1 });
        console.send(Msg::Loaded(Loaded::Exported { generation, answer }));
        assert!(!console.screen().contains("written."), "{}", console.screen());
        console.press("q");
        assert!(console.take_asked().contains(&Effect::Terminal(TerminalCommand::Quit)));
    }

    #[test]
    fn nothing_is_not_exported() {
        let (mut console, world) = Console::loaded(80, 24);
        console.run(&world, "/ z z z z Enter E");
        assert!(console.model.dialog.is_none() && console.screen().contains("There is nothing to export."));
    }
}
