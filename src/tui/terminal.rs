//! The terminal while the console has it, and restored as it was.
//!
//! The owner of a [`Terminal`] holds the alternate screen, raw mode, a hidden cursor and bracketed paste; no mouse (it
//! would take text selection away) and no keyboard protocol (state that nested SSH and tmux lose). All of that is
//! undone exactly once, on whichever way out comes first: [`Terminal::leave`], drop, or a panic in any thread, whose
//! message is printed after, on the screen where people can read it. Signals are [`signals`]' business.

mod agreed;
mod ansi;
mod canvas;
mod capabilities;
mod input;
mod keys;
pub mod signals;

use std::fs::File;
use std::io::{self, Write as _};
use std::os::fd::AsFd as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, TryLockError};
use std::time::{Duration, Instant};

use crossterm::clipboard::CopyToClipboard;
use crossterm::cursor::{Hide, MoveTo, Show};
use crossterm::event::{DisableBracketedPaste, EnableBracketedPaste};
use crossterm::queue;
use crossterm::style::{Attribute, SetAttribute};
use crossterm::terminal::{
    Clear, ClearType, EndSynchronizedUpdate, EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode,
    enable_raw_mode,
};
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect, Size};
use tokio::sync::Notify;

use canvas::Canvas;
pub use capabilities::TerminalCapabilities;
pub use input::Input;
pub use keys::Typed;
pub use signals::{Signal, Signals, Watch};

use crate::text::plain;

/// How long a restore waits for a frame that is being written; longer than that, the terminal takes no output at all.
const OUTPUT_WAIT: Duration = Duration::from_millis(300);

/// How long to wait before writing again to a terminal that another program has made non-blocking.
const FULL_WAIT: Duration = Duration::from_millis(2);

/// The terminal, held. Dropping it restores it.
#[derive(Debug)]
pub struct Terminal {
    hold: Hold,
    canvas: Canvas,
}

/// What every way out shares. Cloned into the panic hook and the watch over signals.
#[derive(Clone, Debug)]
pub struct Hold(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    output: Mutex<Output>,
    has_panicked: AtomicBool,
    panicked: Notify,
}

#[derive(Debug)]
struct Output {
    file: File,
    /// Whether the terminal is ours at the moment; nothing is written to it otherwise.
    is_held: bool,
    /// The window's title meanwhile, plain; empty where the terminal has none.
    title: String,
}

impl Terminal {
    /// Takes the terminal that standard input and output are, and gives its window a title.
    pub fn enter(title: &str) -> io::Result<Self> {
        // The Linux console has none, and shows what it is sent.
        let has_title = std::env::var_os("TERM").is_none_or(|term| !term.to_string_lossy().starts_with("linux"));
        let title = if has_title { plain(title).into_string() } else { String::new() };
        // Not `Stdout`: that is line-buffered in pieces of 1 KiB, so a frame would be several writes.
        let file = File::from(io::stdout().as_fd().try_clone_to_owned()?);
        let hold = Hold(Arc::new(Shared {
            output: Mutex::new(Output { file, is_held: false, title }),
            has_panicked: AtomicBool::new(false),
            panicked: Notify::new(),
        }));
        hold.restore_on_panic();
        let mut terminal = Self { hold, canvas: Canvas::new(Size::default()) };
        terminal.resume()?;
        Ok(terminal)
    }

    /// What the panic hook and the watch over signals need.
    #[must_use]
    pub fn hold(&self) -> Hold {
        self.hold.clone()
    }

    /// How much of the terminal is drawn on.
    #[must_use]
    pub fn area(&self) -> Rect {
        self.canvas.area()
    }

    /// Draws a frame, in one write, or in none where nothing changed. `draw` gets an empty buffer and returns where
    /// the cursor is to be shown, if anywhere.
    pub fn draw(&mut self, draw: impl FnOnce(Rect, &mut Buffer) -> Option<Position>) -> io::Result<()> {
        let bytes = self.canvas.frame(draw);
        if bytes.is_empty() { Ok(()) } else { self.hold.output().write(bytes) }
    }

    /// Puts a text into the clipboard of the terminal, wherever that is (OSC 52). Those that do not know it ignore it.
    pub fn copy(&self, text: &str) -> io::Result<()> {
        let mut bytes = Vec::new();
        queue!(bytes, CopyToClipboard::to_clipboard_from(text))?;
        self.hold.output().write(&bytes)
    }

    /// Makes the next frame redraw everything.
    pub fn repaint(&mut self) {
        self.canvas.forget();
    }

    /// Takes the size that the terminal has now; the next frame is redrawn.
    pub fn measure(&mut self) -> io::Result<()> {
        let (width, height) = crossterm::terminal::size()?;
        self.canvas.resize(Size::new(width, height));
        Ok(())
    }

    /// Restores the terminal. It can be taken again by [`Terminal::resume`]; nothing is drawn until then.
    pub fn leave(&self) -> io::Result<()> {
        self.hold.output().leave()
    }

    /// Takes the terminal again, at whatever size it has now; others may have changed it in the meantime.
    pub fn resume(&mut self) -> io::Result<()> {
        {
            let mut output = self.hold.output();
            // Also when it is ours already: who stopped this process may have changed the terminal's mode.
            output.leave()?;
            output.enter()?;
        }
        self.measure()
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        self.hold.restore();
    }
}

impl Hold {
    /// Restores the terminal if it is held, as far as it can be: the mode always, the rest if the terminal takes
    /// output. Never fails and never waits long, since it runs while everything else has failed.
    pub fn restore(&self) {
        let since = Instant::now();
        loop {
            match self.0.output.try_lock() {
                Ok(mut output) => {
                    // There is nowhere to report it: the terminal is gone.
                    let _ = output.leave();
                    return;
                }
                Err(TryLockError::Poisoned(poisoned)) => {
                    let _ = poisoned.into_inner().leave();
                    return;
                }
                Err(TryLockError::WouldBlock) if since.elapsed() < OUTPUT_WAIT => std::thread::sleep(FULL_WAIT),
                Err(TryLockError::WouldBlock) => {
                    let _ = disable_raw_mode();
                    return;
                }
            }
        }
    }

    /// Waits until some thread has panicked. The panic's message has been printed by then.
    pub async fn panicked(&self) {
        let panicked = self.0.panicked.notified();
        if !self.0.has_panicked.load(Ordering::SeqCst) {
            panicked.await;
        }
    }

    /// A panic anywhere restores the terminal before its message is printed: on the alternate screen it would be
    /// wiped out, in raw mode it would run down in steps.
    fn restore_on_panic(&self) {
        let hold = self.clone();
        let print = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            // The screen stays: what has contained the panic reports it.
            if crate::contain::is_contained() {
                return;
            }
            hold.restore();
            print(info);
            hold.0.has_panicked.store(true, Ordering::SeqCst);
            hold.0.panicked.notify_waiters();
        }));
    }

    fn output(&self) -> MutexGuard<'_, Output> {
        self.0.output.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl Output {
    fn enter(&mut self) -> io::Result<()> {
        enable_raw_mode()?;
        self.is_held = true;
        let mut bytes = Vec::new();
        queue!(bytes, EnterAlternateScreen, Clear(ClearType::All), Hide, EnableBracketedPaste)?;
        if !self.title.is_empty() {
            // The one before is kept by the terminal.
            write!(bytes, "\u{1b}[22;2t\u{1b}]2;{}\u{7}", self.title)?;
        }
        self.write(&bytes)
    }

    fn leave(&mut self) -> io::Result<()> {
        if !self.is_held {
            return Ok(());
        }
        // The mode first: it never waits, while a terminal that takes no output would keep it raw indefinitely.
        let mode = disable_raw_mode();
        let mut bytes = Vec::new();
        queue!(
            bytes,
            // A frame may have been cut off in the middle.
            EndSynchronizedUpdate,
            SetAttribute(Attribute::Reset),
            DisableBracketedPaste,
            Show,
            // For terminals without an alternate screen, such as the Linux console.
            Clear(ClearType::All),
            MoveTo(0, 0),
            LeaveAlternateScreen,
        )?;
        if !self.title.is_empty() {
            // None, for terminals that keep no titles.
            bytes.extend(b"\x1b]2;\x07\x1b[23;2t");
        }
        let written = self.write(&bytes);
        self.is_held = false;
        mode.and(written)
    }

    /// Writes at once; nothing once the terminal was restored.
    fn write(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        while self.is_held && !bytes.is_empty() {
            match self.file.write(bytes) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(written) => bytes = &bytes[written..],
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => std::thread::sleep(FULL_WAIT),
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}
