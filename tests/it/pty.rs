//! The console in a real terminal: what it does to it, and that it leaves it as it was.

use std::net::TcpListener;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;

use crate::support::Program;
use crate::support::pty::{Command, Heard, Running};
use crate::support::tcp_proxy::TcpProxy;
use crate::support::world::World;

const PROGRAM: &str = env!("CARGO_BIN_EXE_verifydesk");

/// A world with a user in it.
async fn with_user() -> World {
    let world = World::new().await;
    world.sign_up("mina@example.com").await;
    world
}

fn console(world: &World) -> Command {
    Command::new(PROGRAM, world.dir.path()).env("DATABASE_URL", &world.db.url)
}

/// The console, with a user on the screen.
fn open(world: &World) -> Running {
    let running = console(world).start();
    running.shows("mina@example.com");
    running
}

/// Runs a command beside the console.
fn cli(world: &World, arguments: &[&str]) {
    let run = Program::new(&world.db.url).run(arguments);
    assert_eq!(run.code, 0, "{arguments:?}: {}", run.err);
}

/// The colour of any cell on the screen.
fn has_colour(screen: &vt100::Screen) -> bool {
    cells(screen).any(|cell| cell.fgcolor() != vt100::Color::Default || cell.bgcolor() != vt100::Color::Default)
}

fn cells(screen: &vt100::Screen) -> impl Iterator<Item = &vt100::Cell> {
    let (rows, columns) = screen.size();
    (0..rows.get()).flat_map(move |y| (0..columns.get()).filter_map(move |x| screen.cell(y, x)))
}

#[test]
fn without_a_terminal_it_names_what_scripts_use() {
    let output = std::process::Command::new(PROGRAM).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(output.stdout.is_empty());
    let message = String::from_utf8(output.stderr).unwrap();
    assert!(message.starts_with("error: "), "{message}");
    for command in ["list", "show", "resend", "verify", "signup", "sends"] {
        assert!(message.contains(&format!("`{command}`")) || message.contains(&format!("verifydesk {command}")));
    }
}

#[test]
fn a_terminal_that_cannot_move_its_cursor_is_refused_before_anything_is_written_to_it() {
    let home = tempfile::tempdir().unwrap();
    let unset = Command::new(PROGRAM, home.path()).without("TERM");
    let setups = [
        (unset, "not set"),
        (Command::new(PROGRAM, home.path()).env("TERM", ""), "not set"),
        (Command::new(PROGRAM, home.path()).env("TERM", "dumb"), "dumb"),
        (Command::new(PROGRAM, home.path()).env("TERM", "dumb").arg("templates"), "dumb"),
    ];
    for (command, what) in setups {
        let mut running = command.start();
        assert_eq!(running.exit_code(), 2, "{what}");
        running.shows(&format!("TERM is {what}"));
        running.shows("sends");
        let heard = running.heard();
        assert!(!heard.written().contains('\u{1b}'), "{}", heard.written());
        for command in ["list", "show", "resend", "verify", "signup", "sends"] {
            let words = heard.text().replace('\n', " ");
            assert!(words.contains(&format!("`{command}`")) || words.contains(&format!("verifydesk {command}")));
        }
    }
}

#[test]
fn the_first_frame_does_not_wait_for_a_database_that_refuses() {
    let home = tempfile::tempdir().unwrap();
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let url = format!("postgres://none@127.0.0.1:{port}/none");
    let mut running = Command::new(PROGRAM, home.path()).env("DATABASE_URL", &url).start();
    running.wait("a frame", |heard| heard.screen().alternate_screen() && !heard.text().trim().is_empty());
    assert!(running.since_start() < Duration::from_secs(4), "{:?}", running.since_start());
    running.shows("does not answer");
    running.keys("q");
    assert_eq!(running.exit_code(), 0);
    running.is_clean();
}

#[test]
fn the_first_frame_does_not_wait_for_a_database_that_is_silent() {
    let home = tempfile::tempdir().unwrap();
    // Takes connections, and says nothing.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("postgres://none@{}/none", silent.local_addr().unwrap());
    let mut running = Command::new(PROGRAM, home.path()).env("DATABASE_URL", &url).start();
    running.wait("a frame", |heard| heard.screen().alternate_screen() && !heard.text().trim().is_empty());
    assert!(running.since_start() < Duration::from_secs(4), "{:?}", running.since_start());
    running.shows("does not answer");
    running.keys("q");
    assert_eq!(running.exit_code(), 0);
    running.is_clean();
}

#[tokio::test(flavor = "multi_thread")]
async fn every_signal_leaves_the_terminal_as_it_was() {
    let world = with_user().await;
    for signal in [Signal::SIGTERM, Signal::SIGHUP, Signal::SIGINT, Signal::SIGQUIT] {
        let mut running = open(&world);
        running.signal(signal);
        assert_eq!(running.exit_code(), 128 + signal as u32, "{signal}");
        running.is_clean();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn quitting_leaves_the_terminal_as_it_was() {
    let world = with_user().await;
    for keys in ["q", "\u{3}"] {
        let mut running = open(&world);
        running.keys(keys);
        assert_eq!(running.exit_code(), 0, "{keys:?}");
        running.is_clean();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_quits_reads_that_their_bulk_resend_goes_on() {
    let world = with_accepted_mail().await;
    world.execute("update sends set queued_at = now() - interval '1 hour'").await;
    let mut running = open(&world);
    running.keys("B");
    running.shows("mail goes out");
    running.keys("y");
    running.shows("The bulk resend of 1 mail starts in");
    running.keys("q");
    assert_eq!(running.exit_code(), 0);
    running.is_clean();
    running.shows("goes on once a worker runs");
    running.shows("cancel it with");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_connection_ends_it() {
    let world = with_user().await;
    let mut running = open(&world);
    running.hang_up("?");
    assert_eq!(running.exit_code(), 128 + Signal::SIGHUP as u32);
}

#[tokio::test(flavor = "multi_thread")]
async fn ctrl_z_stops_it_and_going_on_draws_everything_again() {
    let world = with_user().await;
    let mut running = open(&world);
    for round in 0..3 {
        if round < 2 {
            running.keys("\u{1a}");
        } else {
            running.signal(Signal::SIGTSTP);
        }
        running.stopped();
        running.is_clean();
        let before = running.heard().bytes.len();
        running.resize(80 + 10 * round, 24);
        running.signal(Signal::SIGCONT);
        running.wait("the whole screen", |heard| {
            let redrawn = String::from_utf8_lossy(&heard.bytes[before..]).into_owned();
            heard.screen().alternate_screen()
                && redrawn.contains("\u{1b}[2J")
                && heard.text().contains("mina@example.com")
        });
    }
    running.keys("q");
    assert_eq!(running.exit_code(), 0);
    running.is_clean();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_without_warning_is_survived() {
    let world = with_user().await;
    let mut running = open(&world);
    running.signal(Signal::SIGSTOP);
    running.stopped();
    let before = running.heard().bytes.len();
    running.signal(Signal::SIGCONT);
    running.wait("the whole screen", |heard| {
        String::from_utf8_lossy(&heard.bytes[before..]).contains("\u{1b}[2J")
            && heard.screen().alternate_screen()
            && heard.text().contains("mina@example.com")
    });
    running.keys("q");
    assert_eq!(running.exit_code(), 0);
    running.is_clean();
}

/// Through a shell and something between it and the console, as `make demo` is: the whole job must stop.
#[tokio::test(flavor = "multi_thread")]
async fn ctrl_z_brings_back_the_shell_and_fg_the_console() {
    let world = with_user().await;
    let shell = Command::new("/bin/sh", world.dir.path()).env("DATABASE_URL", &world.db.url).env("PS1", "shell> ");
    let mut running = shell.arg("-i").arg("-m").start();
    running.shows("shell>");
    running.keys(&format!("sh -c '{PROGRAM}; echo ended with $?'\r"));
    running.shows("mina@example.com");
    running.keys("\u{1a}");
    running.wait("the shell's prompt", |heard| {
        !heard.screen().alternate_screen() && heard.text().trim_end().ends_with("shell>")
    });
    running.keys("echo this is the $((40 + 2))nd line\r");
    running.shows("this is the 42nd line");
    running.keys("fg\r");
    running.wait("the console", |heard| heard.screen().alternate_screen() && heard.text().contains("mina@example.com"));
    running.keys("q");
    running.shows("ended with 0");
    running.keys("exit\r");
    assert_eq!(running.exit_code(), 0);
    running.is_clean();
}

#[tokio::test(flavor = "multi_thread")]
async fn any_size_will_do() {
    let world = with_user().await;
    let mut running = open(&world);
    let sizes = [(40, 10), (20, 5), (5, 3), (2, 2), (1, 1), (1, 40), (200, 1), (0, 0), (300, 100), (80, 24)];
    for (columns, rows) in sizes {
        let before = running.heard().bytes.len();
        running.resize(columns, rows);
        running.wait(&format!("a frame at {columns}×{rows}"), |heard| heard.bytes.len() > before);
    }
    running.shows("mina@example.com");
    assert!(running.heard().lines().iter().all(|line| line.chars().count() <= 80));
    running.keys("q");
    assert_eq!(running.exit_code(), 0);
    running.is_clean();
}

#[tokio::test(flavor = "multi_thread")]
async fn without_colour_bold_and_reverse_remain() {
    let world = with_user().await;
    let coloured = open(&world);
    assert!(has_colour(coloured.heard().screen()));
    let plain = console(&world).env("NO_COLOR", "1").env("COLORTERM", "truecolor").start();
    plain.shows("mina@example.com");
    coloured.quiet(Duration::from_millis(300));
    plain.quiet(Duration::from_millis(300));
    let heard = plain.heard();
    assert!(!has_colour(heard.screen()));
    assert!(cells(heard.screen()).any(vt100::Cell::bold));
    assert_eq!(coloured.heard().lines()[0], heard.lines()[0]);
    // Not even the default colour is asked for.
    let written = heard.written();
    let styles = written.split("\u{1b}[").skip(1).filter_map(|rest| {
        let end = rest.find(|c: char| c.is_ascii_alphabetic())?;
        rest[end..].starts_with('m').then_some(&rest[..end])
    });
    for style in styles {
        let is_modifier = |number: &str| number.parse().is_ok_and(|number: u8| number < 10);
        assert!(style.split(';').all(is_modifier), "{style:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_unicode_everything_of_its_own_is_ascii() {
    let world = with_user().await;
    let setups: [(&str, &str); 3] = [("LC_ALL", "C"), ("TERM", "linux"), ("VERIFYDESK_CONSOLE__GLYPHS", "ascii")];
    for (name, value) in setups {
        let mut running = console(&world).env(name, value).start();
        running.shows("mina@example.com");
        running.keys("?");
        running.quiet(Duration::from_millis(300));
        assert!(running.heard().bytes.is_ascii(), "{name}={value}: {}", running.heard().text());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_strangers_wrote_does_nothing_to_the_terminal() {
    let world = with_user().await;
    let hostile = "\u{1b}]0;pwned\u{7}\u{1b}[2J\u{1b}[?1049l\u{1b}[?25h\u{9b}31m\u{202e}txt.exe\u{200b}";
    cli(&world, &["signup", "eve@example.com", "--name", "Eve"]);
    sqlx::query("update users set name = left($1, 64) where email like 'eve@%'")
        .bind(hostile)
        .execute(world.pool())
        .await
        .unwrap();
    sqlx::query("update sends set reply = $1 where recipient like 'eve@%'")
        .bind(hostile.repeat(200))
        .execute(world.pool())
        .await
        .unwrap();
    let mut running = open(&world);
    running.shows("eve@example.com");
    running.shows("pwned");
    // The detail, the mails, the search.
    for keys in ["\r", "\u{1b}", "m", "\r", "\u{1b}", "/"] {
        running.keys(keys);
        running.quiet(Duration::from_millis(200));
    }
    running.keys(&format!("\u{1b}[200~{hostile}\r\n\u{1b}[201~"));
    running.quiet(Duration::from_millis(200));
    {
        let heard = running.heard();
        assert_eq!(heard.strange(), [""; 0]);
        assert!(heard.screen().alternate_screen() && heard.screen().bracketed_paste());
        assert!(!heard.written().contains(['\u{202e}', '\u{200b}', '\u{9b}']));
        assert_eq!(heard.written().matches("\u{1b}[2J").count(), 2, "only the start clears the screen");
    }
    running.signal(Signal::SIGTERM);
    running.exit_code();
    running.is_clean();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_paste_is_text_and_no_key_after_it_is_lost() {
    let world = with_user().await;
    let mut running = open(&world);
    // Pasted where keys are commands, among them the one that quits: nothing happens.
    running.keys(&format!("\u{1b}[200~{}\u{1b}[201~", "q김\r\n".repeat(20_000)));
    running.keys("/");
    running.keys("\u{1b}[200~없는 사람\u{1b}[201~");
    running.shows("없는 사람");
    running.keys("\u{1b}\u{1b}[A");
    running.keys("\u{3}");
    assert_eq!(running.exit_code(), 0);
    running.is_clean();
}

/// What a terminal answers to the program before, or over a slow line after it has ended, is not typed.
#[tokio::test(flavor = "multi_thread")]
async fn answers_of_the_terminal_are_no_keys() {
    let world = with_user().await;
    // Ages that stay what they are while the test runs.
    let age = "update sends set queued_at = queued_at - interval '90 minutes', due_at = due_at - interval '90 minutes';
        update verifications set created_at = created_at - interval '90 minutes',
            expires_at = expires_at - interval '90 minutes'";
    world.execute(age).await;
    let mut running = open(&world);
    running.shows("1 mail waits, the oldest for 1 h");
    running.quiet(Duration::from_millis(500));
    let before = running.heard().text();
    let answers = [
        "\u{1b}]11;rgb:ffff/ffff/ffff\u{7}",
        "\u{1b}]10;rgb:0000/0000/0000\u{1b}\\",
        "\u{1b}P>|tmux 3.3a resend\u{1b}\\",
        "\u{1b}P1+r524742\u{1b}\\",
        "\u{1b}_Gi=31;r\u{1b}\\",
        "\u{9d}11;rgb:ffff/ffff/ffff\u{9c}",
        "\u{1b}[?62;22c",
        "\u{1b}[24;80R",
        "\u{1b}[?31u",
        "\u{1b}[I\u{1b}[O\u{1b}[<0;3;4M",
    ];
    running.keys(&answers.concat());
    for answer in answers {
        let (start, rest) = answer.split_at(answer.len() / 2);
        running.keys(start);
        // Longer than an Escape is waited for.
        running.quiet(Duration::from_millis(150));
        running.keys(rest);
        running.quiet(Duration::from_millis(150));
    }
    assert_eq!(running.heard().text(), before);
    running.keys("q");
    assert_eq!(running.exit_code(), 0);
    running.is_clean();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_arrow_in_pieces_is_an_arrow() {
    let world = with_user().await;
    cli(&world, &["signup", "eve@example.com"]);
    let mut running = open(&world);
    running.shows("eve@example.com");
    let selected =
        |heard: &Heard, email: &str| heard.lines().iter().any(|line| line.starts_with('>') && line.contains(email));
    running.wait("the newest to be selected", |heard| selected(heard, "eve@"));
    for (pieces, email) in [(["\u{1b}[", "B"], "mina@"), (["\u{1b}O", "A"], "eve@"), (["\u{1b}", "[B"], "mina@")] {
        running.keys(pieces[0]);
        running.quiet(Duration::from_millis(200));
        running.keys(pieces[1]);
        running.wait("the cursor to move", |heard| selected(heard, email));
    }
    running.quiet(Duration::from_millis(200));
    assert!(!running.heard().text().contains("mailed again"), "{}", running.heard().text());
    running.keys("q");
    assert_eq!(running.exit_code(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_paste_without_an_end_does_not_take_the_keyboard() {
    let world = with_user().await;
    for keys in ["", "/"] {
        let mut running = open(&world);
        running.keys(keys);
        running.keys("\u{1b}[200~no one\r");
        // Longer than a paste may stand still.
        running.quiet(Duration::from_millis(2_500));
        if keys == "/" {
            running.shows("no one");
        }
        // More of it is still no key, though it has them all.
        running.keys("rrBqy\r");
        running.quiet(Duration::from_millis(300));
        running.keys("\u{3}");
        assert_eq!(running.exit_code(), 0, "{keys:?}");
        running.is_clean();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_written_while_nothing_happens() {
    let world = with_user().await;
    let running = open(&world);
    running.quiet(Duration::from_millis(500));
    // Distances in time change once a minute: that may fall into one such span, not into two.
    let mut written = [0; 2].map(|_| {
        let before = running.heard().bytes.len();
        running.quiet(Duration::from_secs(4));
        running.heard().written()[before..].to_owned()
    });
    written.sort_by_key(String::len);
    assert!(written[0].is_empty(), "{written:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_others_do_is_seen_within_a_second() {
    let world = with_user().await;
    let mut running = open(&world);
    running.quiet(Duration::from_millis(500));
    cli(&world, &["verify", "1", "--reason", "called from the known number"]);
    let done = Instant::now();
    running.wait("the row to be verified", |heard| {
        heard.lines().iter().any(|line| line.contains("mina@example.com") && line.contains("verified"))
    });
    assert!(done.elapsed() < Duration::from_secs(1), "{:?}", done.elapsed());
    running.keys("q");
    assert_eq!(running.exit_code(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_goes_away_is_reported_and_what_was_shown_stays() {
    let world = with_user().await;
    for number in 0..40 {
        cli(&world, &["signup", &format!("user{number}@example.com")]);
    }
    let mut proxy = TcpProxy::new(&world.db.url).await;
    let mut running = console(&world).env("DATABASE_URL", &proxy.url).start();
    running.shows("user39@example.com");
    running.keys("jjjj");
    running.quiet(Duration::from_millis(300));
    // Up to the address: who is in the list, in which order, and where the mark is.
    let people = |heard: &Heard| -> Vec<String> {
        let lines = heard.lines().into_iter();
        lines.filter_map(|line| line.split_once("@example.com").map(|(start, _)| start.to_owned())).collect()
    };
    let before = people(&running.heard());
    proxy.shut().await;
    running.shows("does not answer");
    assert!(!people(&running.heard()).is_empty(), "{}", running.heard().text());
    cli(&world, &["verify", "2", "--reason", "while no one was looking"]);
    proxy.open().await;
    running.wait("the banner to go", |heard| !heard.text().contains("does not answer"));
    running.wait("the same place", |heard| people(heard) == before);
    running.keys("q");
    assert_eq!(running.exit_code(), 0);
    running.is_clean();
}

const BOUNCE: &str = r#"{"eventType": "Bounce", "mail": {"timestamp": "2026-11-20T10:00:00Z", "messageId": "m-1"},
    "bounce": {"bounceType": "Permanent", "bounceSubType": "General", "timestamp": "2026-11-20T10:00:01Z",
    "bouncedRecipients": [{"emailAddress": "mina@example.com", "diagnosticCode": "smtp; 550 5.1.1 user unknown"}]}}"#;

/// From the file of another process to the screen: both are notified, nothing is asked for.
#[tokio::test(flavor = "multi_thread")]
async fn a_bounce_is_shown_within_two_seconds_of_its_arrival() {
    let world = with_accepted_mail().await;
    let file = world.dir.path().join("bounce.json");
    std::fs::write(&file, BOUNCE).unwrap();
    let mut running = open(&world);
    running.shows("accepted");
    cli(&world, &["events", "import", file.to_str().unwrap()]);
    running.shows("no such mailbox");
    let millis = "select (extract(epoch from clock_timestamp() - max(received_at)) * 1000)::bigint from ses_events";
    let after = world.number(millis).await;
    assert!(after < 2_000, "{after} ms after its arrival");
    // With what it says.
    running.keys("\r");
    running.shows("user unknown");
    running.keys("q");
    assert_eq!(running.exit_code(), 0);
    running.is_clean();
}

/// The whole way: queue, worker, database, console.
#[cfg(feature = "aws")]
#[tokio::test(flavor = "multi_thread")]
async fn a_bounce_is_shown_within_two_seconds_of_its_arrival_in_the_queue() {
    let world = with_accepted_mail().await;
    let moto = crate::support::moto::Moto::start();
    moto.make_queue("events", None).await;
    let worker = Program::new(&world.db.url)
        .set("VERIFYDESK_SES__QUEUE", moto.queue_url("events"))
        .set("AWS_SES_REGION_NAME", crate::support::moto::REGION)
        .set("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
        .set("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY");
    let (_working, _) = worker.start(&["worker", "--events-only"], "receiving events");
    let mut running = open(&world);
    running.shows("accepted");
    moto.send("events", BOUNCE).await;
    let arrived = Instant::now();
    running.shows("no such mailbox");
    assert!(arrived.elapsed() < Duration::from_secs(2), "{:?}", arrived.elapsed());
    running.keys("q");
    assert_eq!(running.exit_code(), 0);
    running.is_clean();
}

/// The first that asked is asked about first.
#[tokio::test(flavor = "multi_thread")]
async fn topics_are_approved_and_refused_by_keys() {
    let world = with_user().await;
    let topic = |name: &str| format!("arn:aws:sns:ap-northeast-2:123456789012:{name}");
    for name in ["ses-events", "strangers"] {
        world.store().subscription_asked(&topic(name), "https://sns.example/", false).await.unwrap();
    }
    let mut running = open(&world);
    running.keys("o");
    running.shows("approval");
    for (name, key, done) in
        [("ses-events", "y", "The topic is approved."), ("strangers", "x", "The topic is refused.")]
    {
        running.keys("A");
        running.shows(&topic(name));
        running.keys(key);
        running.shows(done);
    }
    running.keys("A");
    running.shows("No topic of SNS asks");
    let decided = "select count(*) from sns_subscriptions where
        (topic like '%ses-events' and approved_at is not null and refused_at is null)
        or (topic like '%strangers' and refused_at is not null and approved_at is null)";
    assert_eq!(world.number(decided).await, 2);
    let audited =
        world.number("select count(*) from audit_log where action in ('approve_topic', 'refuse_topic')").await;
    assert_eq!(audited, 2);
    running.keys("q");
    assert_eq!(running.exit_code(), 0);
    running.is_clean();
}

async fn with_accepted_mail() -> World {
    let world = with_user().await;
    world.execute("update sends set state = 'accepted', attempts = 1, ses_id = 'm-1'").await;
    world
}
