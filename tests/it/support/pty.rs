//! A program in a terminal of its own: what it writes is parsed as a terminal would, and everything it should not do
//! to a terminal is kept.

use std::io::{Read, Write};
use std::num::NonZeroU16;
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;
use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, SlavePty, native_pty_system};

/// How long to wait for what must happen.
const PATIENCE: Duration = Duration::from_mins(1);

/// Columns and rows to begin with.
const SIZE: (u16, u16) = (100, 30);

/// A program to be run in a terminal.
pub struct Command {
    builder: CommandBuilder,
}

impl Command {
    /// With an environment of its own: a UTF-8 locale, 256 colours, an empty home.
    pub fn new(program: impl AsRef<Path>, home: &Path) -> Self {
        let mut builder = CommandBuilder::new(program.as_ref());
        builder.env_clear();
        builder.cwd(home);
        let kept = ["PATH", "LD_LIBRARY_PATH", "LLVM_PROFILE_FILE", "CARGO_LLVM_COV_TARGET_DIR"];
        for name in kept {
            if let Some(value) = std::env::var_os(name) {
                builder.env(name, value);
            }
        }
        builder.env("HOME", home);
        builder.env("TERM", "xterm-256color");
        builder.env("LANG", "C.UTF-8");
        Self { builder }
    }

    pub fn arg(mut self, arg: &str) -> Self {
        self.builder.arg(arg);
        self
    }

    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.builder.env(name, value);
        self
    }

    pub fn without(mut self, name: &str) -> Self {
        self.builder.env_remove(name);
        self
    }

    pub fn start(self) -> Running {
        let (columns, rows) = SIZE;
        let pair = native_pty_system().openpty(pty_size(columns, rows)).expect("a pty");
        let modes_before = modes(&*pair.master);
        let heard = Arc::new((Mutex::new(Heard::new(columns, rows)), Condvar::new()));
        let mut reader = pair.master.try_clone_reader().expect("the pty's reader");
        let writer = pair.master.take_writer().expect("the pty's writer");
        let child = pair.slave.spawn_command(self.builder).expect("the program");
        let started = Instant::now();
        let hearing = Arc::clone(&heard);
        let reading = thread::spawn(move || {
            let mut bytes = vec![0; 64 * 1024];
            while let Ok(count @ 1..) = reader.read(&mut bytes) {
                let mut state = lock(&hearing.0);
                state.bytes.extend_from_slice(&bytes[..count]);
                state.parser.process(&bytes[..count]);
                hearing.1.notify_all();
                if state.is_last {
                    break;
                }
            }
        });
        let (master, slave, reading) = (Some(pair.master), Some(pair.slave), Some(reading));
        Running { child, master, slave, reading, writer, heard, modes_before, started }
    }
}

/// A program that runs in a terminal. Killed when dropped.
pub struct Running {
    child: Box<dyn Child + Send + Sync>,
    master: Option<Box<dyn MasterPty + Send>>,
    /// Held open, so that the terminal outlives the program and can be looked at.
    slave: Option<Box<dyn SlavePty + Send>>,
    reading: Option<thread::JoinHandle<()>>,
    writer: Box<dyn Write + Send>,
    heard: Arc<(Mutex<Heard>, Condvar)>,
    modes_before: String,
    started: Instant,
}

/// What came out of the program so far.
pub struct Heard {
    parser: vt100::Parser<Strange>,
    /// Every byte.
    pub bytes: Vec<u8>,
    /// Whether nothing is to be heard after the next piece.
    is_last: bool,
}

/// What a console does to no terminal.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Strange {
    noted: Vec<String>,
    /// The first title of the window: the console has one all along.
    title: Option<Vec<u8>>,
}

impl Heard {
    fn new(columns: u16, rows: u16) -> Self {
        Self {
            parser: vt100::Parser::new_with_callbacks(side(rows), side(columns), 0, Strange::default()),
            bytes: Vec::new(),
            is_last: false,
        }
    }

    pub fn screen(&self) -> &vt100::Screen {
        self.parser.screen()
    }

    /// The screen's lines, without trailing blanks.
    pub fn lines(&self) -> Vec<String> {
        let (_, columns) = self.screen().size();
        self.screen().rows(0, columns.get()).map(|row| row.trim_end().to_owned()).collect()
    }

    /// The screen's text.
    pub fn text(&self) -> String {
        self.lines().join("\n")
    }

    /// Everything that was written, as text.
    pub fn written(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }

    /// What was asked of the terminal that no console should ask.
    pub fn strange(&self) -> &[String] {
        &self.parser.callbacks().noted
    }
}

impl Running {
    /// Waits until what is on the screen, or was written, is as it should be; fails with the screen's text.
    pub fn wait(&self, what: &str, mut is_so: impl FnMut(&Heard) -> bool) {
        let (state, changed) = &*self.heard;
        let state = lock(state);
        let (state, timeout) = changed.wait_timeout_while(state, PATIENCE, |heard| !is_so(heard)).expect("the same");
        if timeout.timed_out() {
            let (text, strange) = (state.text(), state.strange().join("\n"));
            drop(state);
            panic!("waited in vain for {what}; the screen shows\n{text}\n{strange}");
        }
    }

    /// Waits until the screen shows this.
    pub fn shows(&self, text: &str) {
        self.wait(&format!("{text:?}"), |heard| heard.text().contains(text));
    }

    /// Waits until nothing has been written for this long.
    pub fn quiet(&self, quiet: Duration) {
        let (state, changed) = &*self.heard;
        let until = Instant::now() + PATIENCE;
        let mut state = lock(state);
        loop {
            let before = state.bytes.len();
            let (now, timeout) =
                changed.wait_timeout_while(state, quiet, |heard| heard.bytes.len() == before).expect("the same");
            state = now;
            if timeout.timed_out() {
                return;
            }
            assert!(Instant::now() < until, "the program never stops writing");
        }
    }

    /// What came out so far.
    pub fn heard(&self) -> MutexGuard<'_, Heard> {
        lock(&self.heard.0)
    }

    pub fn keys(&mut self, keys: &str) {
        self.writer.write_all(keys.as_bytes()).expect("the program's terminal takes input");
        self.writer.flush().expect("the same");
    }

    pub fn resize(&self, columns: u16, rows: u16) {
        // A parser has no empty screen; a terminal may.
        lock(&self.heard.0).parser.set_size(side(rows), side(columns));
        let master = self.master.as_ref().expect("not hung up");
        master.resize(pty_size(columns, rows)).expect("the terminal can be resized");
    }

    pub fn signal(&self, signal: Signal) {
        kill(self.pid(), signal).expect("the program runs");
    }

    pub fn since_start(&self) -> Duration {
        self.started.elapsed()
    }

    /// Closes the terminal, as a lost connection does. `key` must make the program write something: only then does the
    /// reader closed its end.
    pub fn hang_up(&mut self, key: &str) {
        lock(&self.heard.0).is_last = true;
        self.keys(key);
        self.reading.take().expect("hung up once").join().expect("the reader does not panic");
        self.writer = Box::new(std::io::sink());
        self.slave = None;
        self.master = None;
    }

    /// Waits until the program is stopped.
    pub fn stopped(&self) {
        until(
            || "the program to stop".into(),
            || {
                let options = WaitPidFlag::WUNTRACED | WaitPidFlag::WNOHANG;
                match waitpid(self.pid(), Some(options)).expect("the program is a child") {
                    WaitStatus::Stopped(_, Signal::SIGSTOP) => Some(()),
                    WaitStatus::StillAlive => None,
                    other => panic!("expected the program to be stopped, but it is {other:?}"),
                }
            },
        );
    }

    /// Waits until the program has ended, and gives its exit code.
    pub fn exit_code(&mut self) -> u32 {
        let heard = Arc::clone(&self.heard);
        let what = || format!("the program to end; the screen shows\n{}", lock(&heard.0).text());
        let status = until(what, || self.child.try_wait().expect("the program is a child"));
        assert_eq!(status.signal(), None, "the program was killed by a signal instead of ending itself");
        status.exit_code()
    }

    /// Asserts that the terminal is as it was before the program started: mode, screen, cursor, paste, mouse.
    pub fn is_clean(&self) {
        self.wait("the alternate screen to be left", |heard| !heard.screen().alternate_screen());
        self.wait("the cursor to be shown", |heard| !heard.screen().hide_cursor());
        self.wait("bracketed paste to be off", |heard| !heard.screen().bracketed_paste());
        let heard = self.heard();
        let screen = heard.screen();
        assert_eq!(screen.mouse_protocol_mode(), vt100::MouseProtocolMode::None);
        assert!(!screen.application_cursor() && !screen.application_keypad());
        assert!(screen.fgcolor() == vt100::Color::Default && screen.bgcolor() == vt100::Color::Default);
        assert!(!screen.bold() && !screen.inverse() && !screen.underline() && !screen.dim());
        let written = heard.written();
        let last = |text| written.rfind(text);
        assert!(last("\u{1b}[?2026h") <= last("\u{1b}[?2026l"), "a synchronized update was left open");
        assert_eq!(heard.strange(), [""; 0], "the terminal was asked for something strange");
        drop(heard);
        assert_eq!(modes(&**self.master.as_ref().expect("not hung up")), self.modes_before);
    }

    fn pid(&self) -> Pid {
        let id = self.child.process_id().expect("the program has a number");
        Pid::from_raw(i32::try_from(id).expect("process numbers are small"))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Also after a test has failed while it held it.
fn lock(heard: &Mutex<Heard>) -> MutexGuard<'_, Heard> {
    heard.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The terminal's driver's modes, to compare.
fn modes(master: &(dyn MasterPty + Send)) -> String {
    format!("{:?}", master.get_termios().expect("the terminal has modes"))
}

/// Asks until there is an answer.
fn until<T>(what: impl Fn() -> String, mut ask: impl FnMut() -> Option<T>) -> T {
    let since = Instant::now();
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(since.elapsed() < PATIENCE, "waited in vain for {}", what());
        thread::sleep(Duration::from_millis(5));
    }
}

fn side(length: u16) -> NonZeroU16 {
    NonZeroU16::new(length).unwrap_or(NonZeroU16::MIN)
}

fn pty_size(columns: u16, rows: u16) -> PtySize {
    PtySize { rows, cols: columns, pixel_width: 0, pixel_height: 0 }
}

impl Strange {
    fn note(&mut self, what: &str, detail: &[u8]) {
        self.noted.push(format!("{what} {}", String::from_utf8_lossy(detail)));
    }

    /// It has one title, and none when it ends.
    fn titled(&mut self, title: &[u8]) {
        let own = self.title.get_or_insert_with(|| title.to_vec());
        if own != title && !title.is_empty() {
            self.note("title", title);
        }
    }
}

impl vt100::Callbacks for Strange {
    fn audible_bell(&mut self, _: &mut vt100::Screen) {
        self.note("bell", b"");
    }

    fn visual_bell(&mut self, _: &mut vt100::Screen) {
        self.note("visual bell", b"");
    }

    fn resize(&mut self, _: &mut vt100::Screen, request: (u16, u16)) {
        self.note("resize", format!("{request:?}").as_bytes());
    }

    fn set_window_icon_name(&mut self, _: &mut vt100::Screen, name: &[u8]) {
        self.note("icon name", name);
    }

    fn set_window_title(&mut self, _: &mut vt100::Screen, title: &[u8]) {
        self.titled(title);
    }

    fn copy_to_clipboard(&mut self, _: &mut vt100::Screen, _: &[u8], data: &[u8]) {
        self.note("clipboard", data);
    }

    fn paste_from_clipboard(&mut self, _: &mut vt100::Screen, kind: &[u8]) {
        self.note("clipboard asked", kind);
    }

    fn unhandled_control(&mut self, _: &mut vt100::Screen, byte: u8) {
        self.note("control", format!("{byte:#x}").as_bytes());
    }

    fn unhandled_escape(&mut self, _: &mut vt100::Screen, _: Option<u8>, _: Option<u8>, byte: u8) {
        self.note("escape", &[byte]);
    }

    fn unhandled_csi(
        &mut self,
        _: &mut vt100::Screen,
        first: Option<u8>,
        _: Option<u8>,
        parameters: &[&[u16]],
        last: char,
    ) {
        // What is asked for that this parser does not know: synchronized updates, and keeping the window's title.
        let is_update = first == Some(b'?') && parameters == [&[2026]] && matches!(last, 'h' | 'l');
        let is_title = first.is_none() && last == 't' && (parameters == [&[22], &[2]] || parameters == [&[23], &[2]]);
        if !is_update && !is_title {
            self.note("CSI", format!("{first:?} {parameters:?} {last}").as_bytes());
        }
    }

    fn unhandled_osc(&mut self, _: &mut vt100::Screen, parameters: &[&[u8]]) {
        // This parser ends a title at the first semicolon.
        match parameters {
            [b"2", title @ ..] => self.titled(&title.join(&b';')),
            _ => self.note("OSC", &parameters.concat()),
        }
    }
}
