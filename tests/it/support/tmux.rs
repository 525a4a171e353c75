//! A program in a real terminal that this project did not write: tmux, whose widths are those of its system's tables.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// How long to wait for what must happen.
const PATIENCE: Duration = Duration::from_mins(1);

/// No output for so long: the program has drawn what it had to draw.
const QUIET: Duration = Duration::from_millis(300);

/// Between two looks.
const LOOK: Duration = Duration::from_millis(20);

/// A tmux of its own, with one program in it. Ended when dropped.
pub struct Tmux {
    /// Holds the socket, the settings and what the program wrote.
    place: TempDir,
}

impl Tmux {
    /// Starts a program in a terminal of that size.
    pub fn start(program: &str, home: &Path, variables: &[(&str, &str)], (columns, rows): (u16, u16)) -> Self {
        let tmux = Self { place: tempfile::tempdir().unwrap() };
        let settings = "set -g status off\nset -g remain-on-exit on\nset -s escape-time 0\n";
        fs::write(tmux.place.path().join("settings"), settings).unwrap();
        let (columns, rows) = (columns.to_string(), rows.to_string());
        // First something silent, so that nothing that the program writes is missed.
        tmux.run(&["new-session", "-d", "-x", &columns, "-y", &rows, "cat"]);
        tmux.run(&["pipe-pane", "-o", &format!("exec cat > {}", tmux.written_to().display())]);
        let home = format!("HOME={}", home.display());
        let mut arguments = vec!["respawn-pane", "-k", "env", "-u", "NO_COLOR", &home];
        let variables: Vec<String> = variables.iter().map(|(name, value)| format!("{name}={value}")).collect();
        arguments.extend(variables.iter().map(String::as_str));
        arguments.push(program);
        tmux.run(&arguments);
        tmux
    }

    /// Presses keys, named as tmux names them.
    pub fn keys(&self, keys: &[&str]) {
        self.run(&[&["send-keys"], keys].concat());
    }

    /// What is on the screen, a line a row.
    pub fn shown(&self) -> String {
        String::from_utf8(self.run(&["capture-pane", "-p"]).stdout).unwrap()
    }

    /// What the program has written, all of it.
    pub fn written(&self) -> Vec<u8> {
        fs::read(self.written_to()).unwrap_or_default()
    }

    /// Waits until the screen is as it should be.
    pub fn wait(&self, what: &str, is_so: impl Fn(&str) -> bool) {
        self.until(what, || is_so(&self.shown()));
    }

    /// Waits until the program has written nothing for a while.
    pub fn quiet(&self) {
        let mut last = (Instant::now(), self.written().len());
        self.until("the program to be quiet", || {
            let length = self.written().len();
            if length != last.1 {
                last = (Instant::now(), length);
            }
            last.0.elapsed() >= QUIET
        });
    }

    fn until(&self, what: &str, mut is_so: impl FnMut() -> bool) {
        let since = Instant::now();
        while !is_so() {
            assert!(since.elapsed() < PATIENCE, "waited in vain for {what}; tmux shows\n{}", self.shown());
            thread::sleep(LOOK);
        }
    }

    fn written_to(&self) -> PathBuf {
        self.place.path().join("written")
    }

    fn run(&self, arguments: &[&str]) -> Output {
        let output = self.command().args(arguments).output().expect("tmux: see scripts/install-test-tools.sh");
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "tmux {arguments:?}: {error}");
        output
    }

    fn command(&self) -> Command {
        let mut command = Command::new("tmux");
        // Its widths come from the locale; -u alone does not make it look them up.
        command.env_remove("TMUX").env("LC_ALL", "C.UTF-8").arg("-u");
        command.arg("-S").arg(self.place.path().join("socket"));
        command.arg("-f").arg(self.place.path().join("settings"));
        command
    }
}

impl Drop for Tmux {
    fn drop(&mut self) {
        let _ = self.command().arg("kill-server").output();
    }
}
