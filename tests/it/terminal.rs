//! The terminal guard by itself, in a real pty: the program in it is this test binary, running [`child`].

use std::time::Duration;

use nix::sys::signal::Signal;
use ratatui::style::Style;
use tempfile::TempDir;
use verifydesk::tui::terminal::signals::Who;
use verifydesk::tui::terminal::{Signal as Got, Signals, Terminal, Watch};

use crate::support::pty::{Command, Running};

const ACT: &str = "VERIFYDESK_TEST_ACT";

fn start(act: &str) -> (Running, TempDir) {
    let home = tempfile::tempdir().unwrap();
    let program = std::env::current_exe().unwrap();
    let command = Command::new(program, home.path()).env(ACT, act);
    let running = command.arg("terminal::child").arg("--exact").arg("--ignored").arg("--nocapture").start();
    (running, home)
}

/// What runs inside the pty.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "runs inside a pty, as the child of the other tests"]
async fn child() {
    let Ok(act) = std::env::var(ACT) else { return };
    let mut signals = Signals::new().unwrap();
    let mut terminal = Terminal::enter("Haru\u{1b}]0;x\u{7} Books").unwrap();
    let hold = terminal.hold();
    let _watch = Watch::new(terminal.hold()).unwrap();
    draw(&mut terminal, "held");
    match act.as_str() {
        "leave" => {
            terminal.leave().unwrap();
            terminal.leave().unwrap();
            draw(&mut terminal, "drawn after leaving");
        }
        "drop" => {}
        "panic" => panic!("the {} panicked", "holder"),
        "panic in a task" => {
            tokio::spawn(async { panic!("the {} panicked", "task") });
            hold.panicked().await;
            draw(&mut terminal, "drawn after a panic");
        }
        "stop" => loop {
            terminal.leave().unwrap();
            assert_eq!(signals.stop(Who::Job).await.unwrap(), Got::Continue);
            terminal.resume().unwrap();
            draw(&mut terminal, "held again");
        },
        "hang" => {
            let Got::End(number) = signals.next().await else { return };
            draw(&mut terminal, "asked to end");
            assert_eq!(number, Signal::SIGTERM as i32);
            loop {
                std::thread::park();
            }
        }
        other => unreachable!("{other}"),
    }
}

fn draw(terminal: &mut Terminal, text: &str) {
    let draw = |_, buffer: &mut ratatui::buffer::Buffer| {
        buffer.set_string(0, 0, text, Style::new().reversed());
        None
    };
    terminal.draw(draw).unwrap();
}

#[test]
fn it_is_given_back_once_and_not_drawn_on_after() {
    for act in ["leave", "drop"] {
        let (mut running, _home) = start(act);
        assert_eq!(running.exit_code(), 0, "{act}");
        running.is_clean();
        running.quiet(Duration::from_millis(50));
        let written = running.heard().written();
        assert_eq!(written.matches("\u{1b}[?1049h").count(), 1, "{act}");
        assert_eq!(written.matches("\u{1b}[?1049l").count(), 1, "{act}");
        assert!(written.contains("held") && !written.contains("drawn after"), "{act}");
    }
}

/// Whatever the title says, it ends where it ends, and the one before comes back.
#[test]
fn the_window_has_a_title_of_its_own_meanwhile() {
    let (mut running, _home) = start("drop");
    assert_eq!(running.exit_code(), 0);
    running.quiet(Duration::from_millis(50));
    let written = running.heard().written();
    let kept = written.find("\u{1b}[22;2t").unwrap();
    let (title, _) = written[kept..].split_once("\u{1b}]2;").unwrap().1.split_once('\u{7}').unwrap();
    assert!(title.starts_with("Haru") && title.ends_with("Books") && !title.contains('\u{1b}'), "{title:?}");
    assert!(written.find("\u{1b}[23;2t").unwrap() > kept);
    assert_eq!(written.matches("\u{1b}]2;").count(), 2);
    assert!(!written.contains("\u{1b}]0;"), "{written:?}");
}

#[test]
fn a_panic_restores_it_before_its_message() {
    for (act, message) in [("panic", "the holder panicked"), ("panic in a task", "the task panicked")] {
        let (mut running, _home) = start(act);
        running.shows(message);
        running.exit_code();
        running.is_clean();
        let written = running.heard().written();
        assert!(written.find("\u{1b}[?1049l").unwrap() < written.find(message).unwrap(), "{act}");
        assert!(!written.contains("drawn after"), "{act}");
    }
}

#[test]
fn stopping_restores_it_and_continuing_takes_it_at_its_new_size() {
    let (running, _home) = start("stop");
    running.stopped();
    running.is_clean();
    for width in [40, 60] {
        running.resize(width, 10);
        running.signal(Signal::SIGCONT);
        running.stopped();
        running.is_clean();
        assert!(running.heard().written().contains("held again"));
    }
}

#[test]
fn a_console_that_hangs_is_ended_with_the_terminal_given_back() {
    let (mut running, _home) = start("hang");
    running.shows("held");
    running.signal(Signal::SIGTERM);
    running.shows("asked to end");
    assert_eq!(running.exit_code(), 128 + 15);
    running.is_clean();
}
