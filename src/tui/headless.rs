//! The console without a terminal: the same model, effects and drawing, shown as text. `verifydesk demo` tells its story
//! with it where there is no terminal, and tests look at whole runs through it.

use std::time::Duration;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::buffer::{Buffer, CellWidth as _};
use ratatui::layout::{Rect, Size};
use tokio::time::timeout;

use super::app::App;
use super::model::Setup;
use super::{ColourDepth, Msg, Theme, draw};
use crate::config::Settings;
use crate::desk::Desk;

/// A console that no one sees.
#[derive(Debug)]
pub struct Headless {
    app: App,
    area: Rect,
    theme: Theme,
}

impl Headless {
    /// A console of that size, without colours; it begins to load at once, but hears of no changes until
    /// [`Headless::listen`].
    #[must_use]
    pub fn new(desk: impl Into<Option<Desk>>, settings: Settings, setup: Setup, size: Size, is_unicode: bool) -> Self {
        let area = Rect::new(0, 0, size.width, size.height);
        let mut app = App::new(desk, settings, setup, area);
        app.tick();
        app.take(Msg::Start);
        Self { app, area, theme: Theme::new(ColourDepth::None, is_unicode) }
    }

    /// Hears of changes from now on.
    pub fn listen(&self) {
        self.app.executor.connect();
    }

    pub fn press(&mut self, code: KeyCode) {
        self.app.tick();
        self.app.take(Msg::Key(KeyEvent::new(code, KeyModifiers::NONE)));
    }

    pub fn type_text(&mut self, text: &str) {
        text.chars().for_each(|c| self.press(KeyCode::Char(c)));
    }

    /// Waits until everything asked for has come.
    pub async fn settle(&mut self) {
        loop {
            while let Ok(msg) = self.app.inbox.try_recv() {
                self.app.tick();
                self.app.take(msg);
            }
            if self.app.executor.is_idle() && self.app.inbox.is_empty() {
                return;
            }
            let Some(msg) = self.app.inbox.recv().await else { return };
            self.app.tick();
            self.app.take(msg);
        }
    }

    /// Waits until the screen is as it should be, for at most that long; says whether it is.
    pub async fn wait(&mut self, patience: Duration, mut is_so: impl FnMut(&str) -> bool) -> bool {
        let waiting = async {
            while !is_so(&self.text()) {
                let Some(msg) = self.app.inbox.recv().await else { return };
                self.app.tick();
                self.app.take(msg);
            }
        };
        timeout(patience, waiting).await.is_ok()
    }

    /// The screen, cell by cell.
    #[must_use]
    pub fn screen(&self) -> Buffer {
        let mut buffer = Buffer::empty(self.area);
        draw(&self.app.model, self.area, &mut buffer, &self.theme);
        buffer
    }

    /// The screen as lines of text, without trailing blanks.
    #[must_use]
    pub fn text(&self) -> String {
        let screen = self.screen();
        let mut text = String::new();
        for y in 0..self.area.height {
            let mut line = String::new();
            let mut x = 0;
            while x < self.area.width {
                let cell = &screen[(x, y)];
                line.push_str(cell.symbol());
                // The second half of a wide character is a cell too, but no text.
                x = x.saturating_add(cell.cell_width().max(1));
            }
            text.push_str(line.trim_end());
            text.push('\n');
        }
        text
    }
}
