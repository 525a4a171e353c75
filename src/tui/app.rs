//! The console without a terminal: the model and what runs its effects.

use chrono::Utc;
use ratatui::layout::Rect;
use tokio::sync::mpsc;

use super::effect::TerminalCommand;
use super::executor::Executor;
use super::model::Setup;
use super::{Model, Msg, update};
use crate::config::Settings;
use crate::desk::Desk;

/// The one owner of the [`Model`].
#[derive(Debug)]
pub(super) struct App {
    pub(super) model: Model,
    pub(super) executor: Executor,
    pub(super) inbox: mpsc::UnboundedReceiver<Msg>,
}

impl App {
    pub(super) fn new(desk: impl Into<Option<Desk>>, settings: Settings, setup: Setup, area: Rect) -> Self {
        let (executor, inbox) = Executor::new(desk, settings, &setup.operator);
        Self { model: Model::new(setup, Utc::now(), area.width, area.height), executor, inbox }
    }

    /// Sets the time in the model. Before every batch of other messages.
    pub(super) fn tick(&mut self) {
        // The time asks for data, never for the terminal, which operators ask for.
        self.take(Msg::Clock(Utc::now()));
    }

    /// Takes a message and begins what it asks for; the last command for the terminal among it is handed back.
    pub(super) fn take(&mut self, msg: Msg) -> Option<TerminalCommand> {
        let effects = update(&mut self.model, msg);
        effects.into_iter().filter_map(|effect| self.executor.run(effect)).last()
    }
}
