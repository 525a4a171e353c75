//! The templates' workbench in a real terminal, without a database: files change under it, and editors take its place.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use tempfile::TempDir;

use crate::support::pty::{Command, Running};
use crate::support::world::captured_in;

const PROGRAM: &str = env!("CARGO_BIN_EXE_verifydesk");

/// A directory of templates, and a home.
struct Bench {
    home: TempDir,
    dir: PathBuf,
}

impl Bench {
    fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        let dir = home.path().join("templates");
        copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("templates"), &dir);
        Self { home, dir }
    }

    fn command(&self) -> Command {
        let command = Command::new(PROGRAM, self.home.path()).arg("templates");
        command.env("VERIFYDESK_TEMPLATES__DIR", self.dir.to_str().unwrap()).env("VERIFYDESK_SITE__NAME", "Haru Books")
    }

    /// The workbench, with the English mail on it.
    fn open(&self) -> Running {
        let mut running = self.command().start();
        running.shows("Haru Books");
        running.keys("L");
        running.shows("Confirm your email address for Haru Books");
        running
    }

    fn file(&self, name: &str) -> PathBuf {
        self.dir.join("en/verification").join(name)
    }

    /// Replaces a file as editors do: by another one.
    fn save(&self, name: &str, text: &str) {
        let new = self.file(&format!(".{name}.new"));
        fs::write(&new, text).unwrap();
        fs::rename(new, self.file(name)).unwrap();
    }

    /// A program that edits, from shell lines; `$1` and `$2` are its arguments.
    fn editor(&self, lines: &str) -> String {
        let file = self.home.path().join("editor.sh");
        fs::write(&file, format!("#!/bin/sh\n{lines}\n")).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
        file.to_str().unwrap().to_owned()
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).unwrap();
        }
    }
}

#[test]
fn what_is_saved_is_seen_at_once() {
    let bench = Bench::new();
    let mut running = bench.open();
    running.quiet(Duration::from_millis(300));
    let mut fastest = Duration::MAX;
    for round in 0..5 {
        let saved = Instant::now();
        bench.save("subject.txt", &format!("Subject {round} of {{{{ site_name }}}}\n"));
        running.shows(&format!("Subject {round} of Haru Books"));
        fastest = fastest.min(saved.elapsed());
    }
    // 20 ms of it are the wait for the editor to be done; the rest is slow in a debug build on a busy machine.
    assert!(fastest < Duration::from_millis(500), "{fastest:?}");
    // Written in place, and after the directory itself was replaced.
    fs::write(bench.file("subject.txt"), "In place\n").unwrap();
    running.shows("In place");
    let (old, new) = (bench.dir.join("en"), bench.dir.join("en.new"));
    copy(&old, &new);
    fs::rename(&old, bench.dir.join("en.old")).unwrap();
    fs::rename(&new, &old).unwrap();
    bench.save("subject.txt", "From another directory\n");
    running.shows("From another directory");
    running.keys("q");
    assert_eq!(running.exit_code(), 0);
    running.is_clean();
}

#[test]
fn a_mistake_is_reported_at_its_line_while_the_last_good_mail_stays() {
    let bench = Bench::new();
    let mut running = bench.open();
    let good = fs::read_to_string(bench.file("body.html")).unwrap();
    bench.save("body.html", &good.replace("Is this your email address?", "Is it {{ nmae }}?"));
    running.shows("nmae");
    running.shows("Is this your email address?");
    running.keys("4");
    let line = good.lines().position(|line| line.contains("Is this your email address?")).unwrap() + 1;
    running.wait("the line", |heard| heard.lines().iter().any(|l| l.trim_start().starts_with(&format!("> {line} "))));
    bench.save("body.html", &good.replace("Is this your email address?", "Is it yours?"));
    running.keys("1");
    running.wait("the fixed mail", |heard| heard.text().contains("Is it yours?") && !heard.text().contains("nmae"));
    running.keys("q");
    assert_eq!(running.exit_code(), 0);
}

#[test]
fn the_editor_takes_the_terminal_and_returns_it() {
    let bench = Bench::new();
    let editor = bench.editor(
        "echo \"editing $1 $2 $(stty -a | grep -o '[-]*icanon')\"; read line; sed -i \"s/Confirm/$line/\" \"$2\"",
    );
    let mut running = bench.command().env("VISUAL", &editor).env("EDITOR", "false").start();
    running.shows("Haru Books");
    running.keys("L");
    running.shows("Confirm your email address for Haru Books");
    // The subject's file, at its first line.
    running.keys("2");
    running.shows("Gmail");
    running.keys("e");
    running.shows("editing +1 ");
    running.shows("icanon");
    assert!(!running.heard().text().contains("-icanon"), "the terminal is as a shell has it");
    running.is_clean();
    // An interrupt is the editor's business.
    running.signal(Signal::SIGINT);
    running.keys("Bestätige\r");
    running.shows("Bestätige your email address for Haru Books");
    running.keys("q");
    assert_eq!(running.exit_code(), 0);
    running.is_clean();
}

/// Whatever signal reaches both of them at an editor's end was meant for the editor.
#[test]
fn an_editors_last_interrupt_does_not_end_the_console() {
    let bench = Bench::new();
    let count = bench.home.path().join("count");
    fs::write(&count, "0").unwrap();
    let count = count.display();
    // The signals come as late as can be, and the console sees them and the end at once.
    let editor = bench.editor(&format!(
        "n=$(($(cat '{count}') + 1)); echo $n > '{count}'; echo \"Edited {{{{ site_name }}}} $n.\" > \"$2\"
         test $((n % 3)) = 0 && kill -QUIT $PPID; kill -INT $PPID"
    ));
    let mut running = bench.command().env("VISUAL", &editor).start();
    running.shows("Haru Books");
    running.keys("L");
    running.shows("Confirm your email address for Haru Books");
    running.keys("2");
    running.shows("Gmail");
    for round in 1..=30 {
        running.keys("e");
        running.shows(&format!("Edited Haru Books {round}."));
    }
    running.keys("q");
    assert_eq!(running.exit_code(), 0);
    running.is_clean();
}

#[test]
fn an_editor_is_named_by_the_shells_rules_and_ends_with_the_console() {
    let bench = Bench::new();
    let pid = bench.home.path().join("pid");
    let lines = format!("echo $$ > '{}'; echo \"told <$1> <$2> <$3>\"; exec sleep 1000", pid.display());
    let editor = format!("{} 'one word' \"\"", bench.editor(&lines));
    let mut running = bench.command().env("VISUAL", &editor).start();
    running.shows("sample-key");
    running.keys("e");
    running.shows("told <one word> <> <+1>");
    running.signal(Signal::SIGTERM);
    assert_eq!(running.exit_code(), 143);
    let pid: i32 = fs::read_to_string(pid).unwrap().trim().parse().unwrap();
    assert!(nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), None).is_err(), "the editor lives on");
}

#[test]
fn an_editor_that_fails_or_is_not_there_is_reported() {
    let bench = Bench::new();
    for (editor, message) in [("/nowhere/editor -x", "no editor could be started"), ("false", "the editor false ended")]
    {
        let mut running = bench.command().env("EDITOR", editor).start();
        running.shows("sample-key");
        running.keys("e");
        running.shows(message);
        running.keys("q");
        assert_eq!(running.exit_code(), 0);
        running.is_clean();
    }
}

#[test]
fn a_test_goes_out_without_a_database() {
    let bench = Bench::new();
    let captured = bench.home.path().join("captured");
    let command = bench.command().env("VERIFYDESK_MAIL__TRANSPORT", "capture");
    let command = command.env("VERIFYDESK_CAPTURE__DIR", captured.to_str().unwrap());
    let command = command.env("VERIFYDESK_MAIL__FROM", "no-reply@books.example");
    let mut running = command.env("VERIFYDESK_TEST_SEND__ALLOW", "dev@books.example").start();
    running.shows("sample-key");
    running.keys("T");
    running.shows("dev@books.example");
    running.keys("\r");
    running.shows("accepted for dev@books.example");
    running.shows("there is no database");
    let mails = captured_in(&captured);
    let [mail] = &mails[..] else { panic!("{mails:?}") };
    assert!(fs::read_to_string(mail).unwrap().contains("To: dev@books.example"));
    running.keys("\r");
    running.keys("q");
    assert_eq!(running.exit_code(), 0);
    running.is_clean();
}

#[test]
fn the_page_is_there_while_it_is_wanted() {
    use std::net::TcpStream;
    let bench = Bench::new();
    let mut running = bench.open();
    running.keys("p");
    running.shows("http://127.0.0.1:");
    running.shows("ssh -N -L");
    let text = running.heard().text();
    let (_, rest) = text.split_once("http://").unwrap();
    let (address, _) = rest.split_once('/').unwrap();
    let address = address.to_owned();
    assert!(TcpStream::connect(&address).is_ok());
    running.keys("c");
    running.wait("the clipboard", |heard| heard.written().contains("\u{1b}]52;c;"));
    running.keys("x");
    running.shows("The page is gone");
    let until = Instant::now() + Duration::from_secs(20);
    while TcpStream::connect(&address).is_ok() {
        assert!(Instant::now() < until, "the port stays open");
        std::thread::sleep(Duration::from_millis(5));
    }
    running.keys("q");
    assert_eq!(running.exit_code(), 0);
}

#[test]
fn built_in_templates_have_no_file_to_edit() {
    let home = tempfile::tempdir().unwrap();
    let mut running = Command::new(PROGRAM, home.path()).arg("templates").start();
    running.shows("sample-key");
    running.keys("e");
    running.shows("templates eject");
    running.quiet(Duration::from_millis(300));
    let before = running.heard().bytes.len();
    // Nothing asks for anything while nothing happens; the message goes after some seconds, once.
    running.quiet(Duration::from_secs(1));
    assert_eq!(running.heard().bytes.len(), before);
    running.keys("q");
    assert_eq!(running.exit_code(), 0);
    running.is_clean();
}

#[test]
fn it_is_no_command_for_scripts() {
    let output = std::process::Command::new(PROGRAM).arg("templates").output().unwrap();
    assert_eq!(output.status.code(), Some(2));
}
