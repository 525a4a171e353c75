//! The loop: signals, messages, input and deadlines in, frames out.
//!
//! It sleeps until something happens, takes everything that has happened, and then draws once if anything changed. The
//! first frame is drawn before the database is asked for anything.

use std::io::{self, IsTerminal as _};
use std::path::Path;
use std::time::Duration;

use chrono::Utc;
use nix::sys::signal::Signal as Number;

use super::app::App;
use super::editor;
use super::effect::TerminalCommand;
use super::model::Setup;
use super::screen::deadline;
use super::terminal::signals::{self, Who};
use super::terminal::{Input, Signal, Signals, Terminal, TerminalCapabilities, Typed, Watch};
use super::{Msg, Theme, draw, goes_on};
use crate::config::Settings;
use crate::desk::Desk;

/// How much is taken before a frame is drawn, so that a flood of input or messages cannot keep the screen still.
const BATCH_MAX: usize = 1_000;

/// Shortest sleep until a deadline of the model: nothing on the screen changes by itself faster than that.
const SLEEP_MIN: Duration = Duration::from_millis(50);

/// Longest such sleep: timers stand still while a machine sleeps, the clock does not.
const SLEEP_MAX: Duration = Duration::from_mins(1);

/// Longest title of the terminal's window, in characters.
const TITLE_MAX: usize = 100;

/// How the console came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    Quit,
    /// A signal asked for it, or the terminal hung up, which is one too.
    Signal(i32),
    /// A part of the program panicked. Its message has been printed.
    Panicked,
}

impl Ended {
    #[must_use]
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Quit => 0,
            Self::Signal(number) => signals::exit_code(number),
            // As the runtime returns it for a panic of the main thread.
            Self::Panicked => 101,
        }
    }
}

/// How it ended, and what goes on without it, in lines for the one who has quit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Left {
    pub ended: Ended,
    pub goes_on: Vec<String>,
}

/// Why the console did not start.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Standard input or output is something else.
    #[error("the console needs a terminal on standard input and output")]
    NoTerminal,
    /// It is one that cannot move its cursor, or says nothing about itself.
    #[error("the console needs a terminal that can move its cursor, and TERM is {0}")]
    Dumb(&'static str),
    /// It is one, but cannot be used.
    #[error("the terminal cannot be used: {0}")]
    Terminal(#[from] io::Error),
}

impl Error {
    /// What to do next.
    #[must_use]
    pub fn hint(&self) -> String {
        let first = match self {
            Self::NoTerminal => "run it in one (`ssh -t` opens one)",
            Self::Dumb(_) => "set TERM to what this terminal is (`TERM=xterm-256color` fits most)",
            Self::Terminal(_) => "try another terminal",
        };
        format!("{first}, or use {TWINS} in scripts")
    }

    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::NoTerminal | Self::Dumb(_) => 2,
            Self::Terminal(_) => 1,
        }
    }
}

/// What does the same on the command line.
const TWINS: &str = "`verifydesk list`, `show`, `resend`, `verify`, `signup` and `sends`";

/// Refuses where there is no terminal to hold.
pub fn require_terminal() -> Result<(), Error> {
    if !io::stdin().is_terminal() || !io::stdout().is_terminal() {
        return Err(Error::NoTerminal);
    }
    match std::env::var_os("TERM").filter(|term| !term.is_empty()) {
        None => Err(Error::Dumb("not set")),
        Some(term) if term == "dumb" => Err(Error::Dumb("dumb")),
        Some(_) => Ok(()),
    }
}

/// Runs the console until it ends; the terminal is restored by then. Needs a runtime of several threads.
pub async fn run(desk: impl Into<Option<Desk>>, settings: Settings, setup: Setup) -> Result<Left, Error> {
    require_terminal()?;
    let capabilities = TerminalCapabilities::detect(settings.console.glyphs);
    let theme = Theme::new(capabilities.colour_depth, capabilities.is_unicode);
    // Before the terminal is taken: a signal in between would leave it behind.
    let signals = Signals::new()?;
    let terminal = Terminal::enter(&title(&setup))?;
    let watch = Some(Watch::new(terminal.hold())?);
    let app = App::new(desk, settings, setup, terminal.area());
    let mut console = Console { app, terminal, signals, watch, input: Some(Input::open()?), theme };
    // An error from here on is the terminal's, and means that it is gone.
    let ended = console.run().await.unwrap_or(Ended::Signal(Number::SIGHUP as i32));
    let Console { app, terminal, input, watch, .. } = console;
    drop((input, terminal, watch));
    let goes_on = if ended == Ended::Quit { goes_on::lines(&app.model) } else { Vec::new() };
    app.executor.finish().await;
    Ok(Left { ended, goes_on })
}

/// What tells this window from others: what the database is for, the site, the database.
fn title(setup: &Setup) -> String {
    let site = Some(setup.site.as_str()).filter(|site| *site != "verifydesk").unwrap_or_default();
    let names: Vec<&str> =
        [&setup.environment, site, &setup.database].into_iter().filter(|name| !name.is_empty()).collect();
    let title = if names.is_empty() { "verifydesk".to_owned() } else { format!("verifydesk: {}", names.join(", ")) };
    title.chars().take(TITLE_MAX).collect()
}

struct Console {
    app: App,
    terminal: Terminal,
    signals: Signals,
    /// None while an editor has the terminal: the keys that interrupt are the editor's then.
    watch: Option<Watch>,
    /// `None` while an editor has the terminal.
    input: Option<Input>,
    theme: Theme,
}

/// What ends a sleep.
enum Wake {
    Signal(Signal),
    Panic,
    Msg(Box<Msg>),
    Input(Option<Typed>),
    Deadline,
}

impl Console {
    async fn run(&mut self) -> io::Result<Ended> {
        self.draw()?;
        self.app.executor.connect();
        let mut command = self.app.take(Msg::Start);
        loop {
            let ended = match command.take() {
                None => None,
                Some(TerminalCommand::Quit) => Some(Ended::Quit),
                Some(TerminalCommand::Suspend) => self.suspend(Who::Job).await?,
                Some(TerminalCommand::Edit { file, line }) => self.edit(&file, line).await?,
                Some(TerminalCommand::Copy(text)) => {
                    self.terminal.copy(&text)?;
                    None
                }
                Some(TerminalCommand::Repaint) => {
                    self.terminal.repaint();
                    self.draw()?;
                    None
                }
            };
            if let Some(ended) = ended {
                return Ok(ended);
            }
            if self.app.model.take_dirty() {
                self.draw()?;
            }
            match self.wake().await {
                Wake::Signal(Signal::End(number)) => return Ok(Ended::Signal(number)),
                Wake::Signal(Signal::Stop) => {
                    if let Some(ended) = self.suspend(Who::Process).await? {
                        return Ok(ended);
                    }
                }
                // Stopped by SIGSTOP, which no one can prepare for, and continued.
                Wake::Signal(Signal::Continue) => self.resume()?,
                Wake::Signal(Signal::Resize) => {
                    self.terminal.measure()?;
                    self.resized();
                }
                Wake::Panic => return Ok(Ended::Panicked),
                Wake::Input(None) => return Ok(Ended::Signal(Number::SIGHUP as i32)),
                Wake::Input(Some(typed)) => {
                    self.app.tick();
                    command = self.take_input(typed).or_else(|| self.take_pending());
                }
                Wake::Msg(msg) => {
                    self.app.tick();
                    command = self.app.take(*msg).or_else(|| self.take_pending());
                }
                Wake::Deadline => self.app.tick(),
            }
        }
    }

    async fn wake(&mut self) -> Wake {
        let deadline = deadline::next(&self.app.model).map(|at| {
            let left = (at - Utc::now()).to_std().unwrap_or_default();
            left.clamp(SLEEP_MIN, SLEEP_MAX)
        });
        let hold = self.terminal.hold();
        tokio::select! {
            biased;
            signal = self.signals.next() => Wake::Signal(signal),
            () = hold.panicked() => Wake::Panic,
            Some(msg) = self.app.inbox.recv() => Wake::Msg(Box::new(msg)),
            typed = next(&mut self.input) => Wake::Input(typed),
            () = tokio::time::sleep(deadline.unwrap_or_default()), if deadline.is_some() => Wake::Deadline,
        }
    }

    /// Takes what else has happened, up to a command for the terminal.
    fn take_pending(&mut self) -> Option<TerminalCommand> {
        for _ in 0..BATCH_MAX {
            let command = if let Ok(msg) = self.app.inbox.try_recv() {
                self.app.take(msg)
            } else {
                let typed = self.input.as_mut()?.pending()?;
                self.take_input(typed)
            };
            if command.is_some() {
                return command;
            }
        }
        None
    }

    fn take_input(&mut self, typed: Typed) -> Option<TerminalCommand> {
        self.app.take(match typed {
            Typed::Key(key) => Msg::Key(key),
            Typed::Doubtful(key) => Msg::Doubtful(key),
            Typed::Paste(text) => Msg::Paste(text),
        })
    }

    fn resized(&mut self) {
        let area = self.terminal.area();
        self.app.tick();
        self.app.take(Msg::Resize { width: area.width, height: area.height });
    }

    /// Stops for the shell, and goes on when it says so.
    async fn suspend(&mut self, who: Who) -> io::Result<Option<Ended>> {
        self.input = None;
        self.terminal.leave()?;
        match self.signals.stop(who).await? {
            Signal::End(number) => Ok(Some(Ended::Signal(number))),
            _ => self.resume().map(|()| None),
        }
    }

    /// Runs the operator's editor in the terminal until it is closed.
    async fn edit(&mut self, file: &Path, line: usize) -> io::Result<Option<Ended>> {
        self.input = None;
        self.watch = None;
        self.terminal.leave()?;
        let (done, ended) = editor::run(&mut self.signals, file, line).await;
        if let Some(number) = ended {
            return Ok(Some(Ended::Signal(number)));
        }
        // An editor that was interrupted may have ended before the console saw the signal.
        self.signals.settle().await?;
        self.watch = Some(Watch::new(self.terminal.hold())?);
        self.resume()?;
        self.app.take(Msg::Edited(done));
        Ok(None)
    }

    fn resume(&mut self) -> io::Result<()> {
        self.terminal.resume()?;
        if self.input.is_none() {
            self.input = Some(Input::open()?);
        }
        self.resized();
        self.app.take(Msg::Resumed);
        self.draw()
    }

    fn draw(&mut self) -> io::Result<()> {
        let (model, theme) = (&self.app.model, &self.theme);
        self.terminal.draw(|area, buffer| draw(model, area, buffer, theme))
    }
}

async fn next(input: &mut Option<Input>) -> Option<Typed> {
    match input {
        Some(input) => input.next().await,
        None => std::future::pending().await,
    }
}
