//! Draws README's picture: the console as it really runs, on the demo's data, in a terminal of its own.
//!
//! `make picture` writes `assets/console.svg` and, where `rsvg-convert` is, `assets/console.png`. Other keys and sizes:
//! `cargo run --example picture -- FILE.svg [COLUMNSxROWS [KEYS]]`, after `cargo build`; `\e` in KEYS is Escape. With
//! `templates` as a fourth argument it is the templates' workbench alone, which needs no database; with `account`, the demo
//! has a made-up SES account; with `call`, it is a call to the desk, key by key, as an animated picture.

#![allow(clippy::disallowed_methods, reason = "a panic is to end it")]

mod account;
mod call;
mod svg;

use std::io::{Read as _, Write};
use std::num::NonZeroU16;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use portable_pty::{Child, CommandBuilder, PtySize, native_pty_system};
use tempfile::TempDir;
use verifydesk::config::Settings;
use verifydesk::demo::cluster::Options;
use verifydesk::demo::env::{self, DemoEnv};
use vt100::Screen;

/// When nothing was written for this long, the screen is complete.
const QUIET: Duration = Duration::from_millis(1_500);

/// How long to wait for that.
const PATIENCE: Duration = Duration::from_secs(15);

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let file = PathBuf::from(arguments.next().context("usage: picture FILE.svg [COLUMNSxROWS [KEYS]]")?);
    let size = arguments.next().unwrap_or_else(|| "120x34".into());
    let (columns, rows) = size.split_once('x').context("the size is COLUMNSxROWS")?;
    let (columns, rows): (NonZeroU16, NonZeroU16) = (columns.parse()?, rows.parse()?);
    let keys = arguments.next().unwrap_or_default().replace("\\e", "\u{1b}");
    let what = arguments.next().unwrap_or_default();

    if what == "templates" {
        return write(&file, &svg::draw(&photograph(None, columns, rows, &keys)?));
    }
    // Not the own demo of the user, which may be open and have other people in it.
    // One's own files stand around the server's.
    let top = std::env::temp_dir().join("verifydesk-picture");
    std::fs::create_dir_all(&top)?;
    let options = Options::throwaway(top.join("postgres"));
    env::reset(&options)?;
    let demo = DemoEnv::start(options.clone(), &Settings::default()).await?;
    let url = demo.settings.require_database_url()?.expose().to_owned();
    if what == "account" {
        account::note(&demo.settings).await?;
    }
    let caller = if what == "call" { Some(call::caller(&demo.settings).await?) } else { None };
    let drawn = tokio::task::spawn_blocking(move || match caller {
        None => Ok(svg::draw(&photograph(Some(&url), columns, rows, &keys)?)),
        Some(caller) => call::record(&url, columns, rows, &caller),
    });
    let drawn = drawn.await?;
    demo.shutdown().await?;
    env::reset(&options)?;
    std::fs::remove_dir_all(&top)?;
    write(&file, &drawn?)
}

fn write(file: &Path, svg: &str) -> anyhow::Result<()> {
    std::fs::write(file, svg).with_context(|| format!("cannot write {}", file.display()))?;
    println!("wrote {}", file.display());
    Ok(())
}

/// The console, running in a terminal.
struct Console {
    terminal: vt100::Parser,
    pieces: mpsc::Receiver<Vec<u8>>,
    keyboard: Box<dyn Write + Send>,
    process: Box<dyn Child + Send + Sync>,
    /// Its files.
    _home: TempDir,
}

/// Runs the console in a terminal of that size, presses the keys, and gives the screen when nothing moves any more.
fn photograph(url: Option<&str>, columns: NonZeroU16, rows: NonZeroU16, keys: &str) -> anyhow::Result<Screen> {
    let mut console = Console::start(url, columns, rows)?;
    let screen = console.press(keys)?;
    console.end()?;
    Ok(screen)
}

impl Console {
    fn start(url: Option<&str>, columns: NonZeroU16, rows: NonZeroU16) -> anyhow::Result<Self> {
        let size = PtySize { rows: rows.get(), cols: columns.get(), pixel_width: 0, pixel_height: 0 };
        let pair = native_pty_system().openpty(size)?;
        let mut command = CommandBuilder::new(program()?);
        let home = tempfile::tempdir()?;
        command.env_clear();
        command.cwd(home.path());
        let colour = std::env::var("COLORTERM").unwrap_or_else(|_| "truecolor".to_owned());
        let terminal = [("TERM", "xterm-256color"), ("LANG", "C.UTF-8"), ("TZ", "Asia/Seoul"), ("COLORTERM", &colour)];
        for (name, value) in terminal {
            command.env(name, value);
        }
        command.env("VERIFYDESK_SITE__NAME", "example.com");
        match url {
            Some(url) => command.env("DATABASE_URL", url),
            None => command.arg("templates"),
        }
        command.env("HOME", home.path());
        let mut reader = pair.master.try_clone_reader()?;
        let keyboard = pair.master.take_writer()?;
        let process = pair.slave.spawn_command(command)?;
        drop(pair.slave);
        let (sender, pieces) = mpsc::channel();
        thread::spawn(move || {
            let mut bytes = vec![0; 64 * 1024];
            while let Ok(count @ 1..) = reader.read(&mut bytes) {
                if sender.send(bytes[..count].to_vec()).is_err() {
                    break;
                }
            }
        });
        let terminal = vt100::Parser::new(rows, columns, 0);
        Ok(Self { terminal, pieces, keyboard, process, _home: home })
    }

    /// Presses the keys one after the other, and gives the screen that comes of it.
    fn press(&mut self, keys: &str) -> anyhow::Result<Screen> {
        settle(&mut self.terminal, &self.pieces)?;
        // Escape and a letter at once would be Alt and the letter.
        let keys = if keys.starts_with(PASTE) { vec![keys] } else { keys.split_inclusive('\u{1b}').collect() };
        for keys in keys {
            self.keyboard.write_all(keys.as_bytes())?;
            settle(&mut self.terminal, &self.pieces)?;
        }
        Ok(self.terminal.screen().clone())
    }

    fn end(mut self) -> anyhow::Result<()> {
        self.process.kill()?;
        self.process.wait()?;
        Ok(())
    }
}

/// What a terminal sends before a paste.
const PASTE: &str = "\u{1b}[200~";

fn settle(terminal: &mut vt100::Parser, pieces: &mpsc::Receiver<Vec<u8>>) -> anyhow::Result<()> {
    let since = Instant::now();
    loop {
        match pieces.recv_timeout(QUIET) {
            Ok(piece) => terminal.process(&piece),
            Err(RecvTimeoutError::Timeout) if terminal.screen().alternate_screen() => return Ok(()),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => bail!("the console ended: {}", terminal.screen().contents()),
        }
        // A screen that counts seconds never comes to rest.
        if since.elapsed() > PATIENCE && terminal.screen().alternate_screen() {
            return Ok(());
        }
    }
}

/// The program beside this one.
fn program() -> anyhow::Result<PathBuf> {
    let own = std::env::current_exe()?;
    let directory = own.parent().and_then(Path::parent).context("this program lies in no directory")?;
    let program = directory.join("verifydesk");
    if !program.exists() {
        bail!("there is no {}: run `cargo build` first", program.display());
    }
    Ok(program)
}
