//! Which built-in templates are to be written as files, to be changed?

use std::path::PathBuf;

use ratatui::layout::{Position, Rect};

use super::menu::Menu;
use super::parts::{columns_for, keys, put};
use super::{Action, Body, Dialog, KeyContext, Keys, Then, because};
use crate::mail::templates::eject::built_in;
use crate::text::plain;
use crate::tui::effect::{Answer, Bench};
use crate::tui::model::Level;
use crate::tui::theme::{Theme, Tone};
use crate::tui::widget::canvas::Canvas;
use crate::tui::widget::lines::Lines;
use crate::tui::{Effect, Model};

/// Columns of what stands before what a line says.
const LABEL: usize = 10;

/// The menu.
#[derive(Clone, Debug)]
pub struct EjectDialog {
    dir: PathBuf,
    /// The built-in file on the screen, where it is one.
    shown: Option<String>,
    menu: Menu,
}

pub(super) fn blocked(model: &Model) -> Option<(String, String)> {
    if model.setup.templates_dir.is_some() {
        return None;
    }
    because(
        "There is no directory for templates.",
        "Set `templates.dir`, or fill one with `verifydesk templates eject DIR`.",
    )
}

pub(super) fn open(model: &Model) -> Option<Dialog> {
    let dir = model.setup.templates_dir.clone()?;
    let shown = model.workbench.built_in_file().filter(|name| built_in().any(|(path, _)| path == name));
    let menu = Menu::new(1 + usize::from(shown.is_some()));
    Some(Dialog::Eject(EjectDialog { dir, shown, menu }))
}

/// They were written, or not.
pub fn ejected(model: &mut Model, answer: Answer<Vec<PathBuf>>) {
    // Also where the directory is not watched.
    model.workbench.stale = true;
    match answer {
        Ok(paths) => {
            let what = match &paths[..] {
                [path] => format!("{} was written.", plain(&path.display().to_string())),
                paths => format!("{} files were written.", paths.len()),
            };
            model.toast(Level::Done, what, "e opens the one that is shown.");
        }
        Err(problem) => model.toast(Level::Failed, format!("{}.", problem.what), problem.hint),
    }
}

impl EjectDialog {
    fn lines(&self) -> Vec<(&'static str, String)> {
        let shown = self.shown.iter().map(|name| ("this file", name.clone()));
        shown.chain([("all", format!("the {} built-in files, with their fixtures", built_in().count()))]).collect()
    }
}

impl Body for EjectDialog {
    fn key_context(&self) -> KeyContext {
        KeyContext::Menu
    }

    fn step(&mut self, action: Action) {
        self.menu.step(action);
    }

    fn choose(&mut self, number: usize) -> bool {
        self.menu.choose(number)
    }

    fn confirm(&mut self, _: &mut Model, fx: &mut Vec<Effect>) -> Then {
        let names = self.shown.iter().filter(|_| self.menu.chosen == 0).cloned().collect();
        fx.push(Effect::Bench(Bench::Eject { dir: self.dir.clone(), names }));
        Then::Close
    }

    fn keys(&self, _: &Model, _: &Theme) -> Keys {
        vec![("Enter", "write"), ("1", "that line"), ("Esc", "close")]
    }

    fn draw(&self, canvas: &mut Canvas<'_>, model: &Model, area: Rect) -> Option<Position> {
        let theme = canvas.theme;
        let columns = columns_for(area);
        let mut lines = Lines::new(theme, columns);
        let dir = plain(&self.dir.display().to_string());
        lines.text(&format!("Into {dir}, to be changed. What is there stays as it is."), Tone::Quiet);
        lines.gap();
        for (n, (label, text)) in self.lines().into_iter().enumerate() {
            self.menu.line(&mut lines, (theme, columns), n, (label, LABEL), &text);
        }
        keys(&mut lines, &self.keys(model, theme));
        put(canvas, area, "Make files of built-in templates", &lines.finish());
        None
    }
}
