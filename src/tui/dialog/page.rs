//! Where the page for browsers is, and how it is reached from one's own machine.

use ratatui::layout::{Position, Rect};
use ratatui::text::Line;

use super::{Action, Body, Dialog, KeyContext};
use crate::preview::page::PageAddress;
use crate::tui::effect::{Answer, Bench};
use crate::tui::model::Level;
use crate::tui::theme::{Theme, Tone};
use crate::tui::view::templates::model::Page;
use crate::tui::widget::canvas::Canvas;
use crate::tui::widget::lines::Lines;
use crate::tui::widget::modal;
use crate::tui::{Effect, Model, clipboard};

/// Columns of the dialog: an address must not be broken where it can be helped.
const COLUMNS: u16 = 74;

#[derive(Clone, Debug, Default)]
pub struct PageDialog {
    /// First line shown.
    pub scroll: usize,
}

/// Starts the page where there is none.
pub(super) fn open(model: &mut Model, fx: &mut Vec<Effect>) -> Dialog {
    if model.workbench.page.is_none() {
        model.workbench.page = Some(Page::Starting);
        fx.push(Effect::Bench(Bench::StartPage));
    }
    Dialog::Page(PageDialog::default())
}

/// What its keys do besides closing it.
pub fn act(model: &mut Model, action: Action, fx: &mut Vec<Effect>) {
    if action == Action::StopPage {
        (model.workbench.page, model.dialog) = (None, None);
        fx.push(Effect::Bench(Bench::StopPage));
        model.toast(Level::Done, "The page is gone.", "");
        return;
    }
    let Some(Page::Up(address)) = &model.workbench.page else { return };
    let (text, what) = match action {
        Action::CopyPageAddress => (address.url.clone(), "The address was copied."),
        _ => (address.ssh.clone(), "The line was copied."),
    };
    clipboard::copy(model, text, what, fx);
}

/// The page is there, or not. One that was ended in the meantime is gone by itself.
pub fn started(model: &mut Model, answer: Answer<PageAddress>) {
    match answer {
        Ok(address) if model.workbench.page.is_some() => model.workbench.page = Some(Page::Up(address)),
        Ok(_) => {}
        Err(problem) => {
            model.workbench.page = None;
            model.dialog.take_if(|dialog| matches!(dialog, Dialog::Page(_)));
            model.complain(problem);
        }
    }
}

impl Body for PageDialog {
    fn key_context(&self) -> KeyContext {
        KeyContext::Page
    }

    fn scroll(&mut self, model: &Model) -> Option<(&mut usize, usize)> {
        let over = super::parts::screen(model);
        let most = modal::most(lines(&Theme::plain(), model, over).len(), over);
        Some((&mut self.scroll, most))
    }

    fn draw(&self, canvas: &mut Canvas<'_>, model: &Model, area: Rect) -> Option<Position> {
        let lines = lines(canvas.theme, model, area);
        modal::scrolled(canvas, area, "Page", modal::columns(COLUMNS, area), &lines, self.scroll);
        None
    }
}

fn lines(theme: &Theme, model: &Model, area: Rect) -> Vec<Line<'static>> {
    let mut lines = Lines::new(theme, modal::columns(COLUMNS, area));
    match &model.workbench.page {
        Some(Page::Up(address)) => {
            lines.text("The mail in a browser on this machine, with the same toggles:", Tone::Text);
            lines.gap();
            lines.text(&address.url, Tone::Here);
            lines.gap();
            lines.text("From your own machine, first run this there, then open the same address:", Tone::Text);
            lines.gap();
            lines.text(&address.ssh, Tone::Strong);
            lines.gap();
            lines.text("Only someone who knows the address can see it. It ends with this console.", Tone::Quiet);
            let keys = [("c", "copy address"), ("s", "copy ssh line"), ("x", "end it"), ("Esc", "close")];
            super::parts::keys(&mut lines, &keys);
        }
        Some(Page::Starting) => lines.text("starting…", Tone::Quiet),
        None => lines.text("There is none.", Tone::Quiet),
    }
    lines.finish()
}
