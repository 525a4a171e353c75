//! What others change while the screen is open, clocks, and a database that comes and goes.

use chrono::Duration;

use super::fixture::{Console, World, ago, now, row, send_id, worker};
use super::picture::{drawn, text};
use crate::desk::{Resent, ResentHow};
use crate::domain::change::Change;
use crate::domain::id::{UserId, VerificationId};
use crate::domain::page::Page;
use crate::domain::send::SendState;
use crate::domain::verification::Status;
use crate::tui::effect::{Acted, Load, Loaded, Problem, TerminalCommand};
use crate::tui::model::Link;
use crate::tui::{ColourDepth, Effect, Msg, Theme};

fn screen(console: &Console) -> String {
    text(&drawn(&console.model, &Theme::new(ColourDepth::Sixteen, true)))
}

fn line_of<'a>(screen: &'a str, part: &str) -> &'a str {
    screen.lines().find(|line| line.contains(part)).unwrap_or_default()
}

fn look_again(console: &mut Console, world: &World) -> String {
    console.send(Msg::Changed(vec![Change::Workers]));
    console.serve(world);
    screen(console)
}

#[test]
fn a_row_that_stops_matching_stays_and_says_so() {
    let (mut console, mut world) = Console::loaded(80, 24);
    console.run(&world, "j");
    let row = world.row_mut(49_992);
    row.verification.verified_at = Some(now());
    row.user.verified_at = Some(now());
    console.send(Msg::Changed(vec![Change::Verification(VerificationId(49_992))]));
    console.serve(&world);
    assert_eq!(console.selected(), 49_992);
    assert!(line_of(&screen(&console), "seojun").contains("verified"), "{}", screen(&console));
    console.run(&world, "R");
    assert!(!screen(&console).contains("seojun"));
}

#[test]
fn a_row_whose_time_passes_says_so_without_being_asked() {
    let (mut console, mut world) = Console::loaded(80, 24);
    world.row_mut(49_993).verification.expires_at = now() + Duration::seconds(30);
    console.send(Msg::Changed(vec![Change::Verification(VerificationId(49_993))]));
    console.serve(&world);
    assert!(line_of(&screen(&console), "minji").contains("in <1 min"));
    let mut time = now();
    while time < now() + Duration::seconds(30) {
        time = console.next_deadline().unwrap();
        console.send(Msg::Clock(time));
        console.serve(&world);
    }
    assert_eq!(time, now() + Duration::seconds(30));
    assert!(line_of(&screen(&console), "minji").contains("expired"), "{}", screen(&console));
}

#[test]
fn a_deleted_row_says_so() {
    let (mut console, mut world) = Console::loaded(80, 24);
    world.rows.retain(|row| row.verification.id.0 != 49_992);
    console.send(Msg::Changed(vec![Change::Many]));
    console.serve(&world);
    assert!(line_of(&screen(&console), "seojun").contains("deleted"), "{}", screen(&console));
}

/// Someone signs up.
fn signs_up(console: &mut Console, world: &mut World, id: i64) {
    world.rows.push(row(id, &format!("new{id}@example.com"), "New", Status::Pending, None));
    console.send(Msg::Changed(vec![Change::Verification(VerificationId(id))]));
    console.serve(world);
}

#[test]
fn at_the_top_rows_are_seen_to_come() {
    for (width, height) in [(80, 24), (120, 40), (40, 10)] {
        let (mut console, mut world) = Console::loaded(width, height);
        signs_up(&mut console, &mut world, 49_994);
        let shown = screen(&console);
        assert!(shown.contains("new49994") && !shown.contains("press"), "{shown}");
        assert_eq!(console.selected(), 49_993, "what a key acts on stays the same");
        // It stands out for a moment, and then the console is idle again.
        let tinted = |console: &Console| {
            let list = console.model.verifications.list().unwrap();
            list.items
                .iter()
                .filter_map(crate::tui::view::list::Item::tinted_until)
                .any(|until| until > console.model.now)
        };
        assert!(tinted(&console));
        let until = console.next_deadline().unwrap();
        assert!(until <= now() + Duration::seconds(5), "{until}");
        console.send(Msg::Clock(until));
        assert!(!tinted(&console) && console.model.take_dirty());

        // However many come: where the selected row would leave the screen, the newest is selected.
        for id in 49_995..50_040 {
            signs_up(&mut console, &mut world, id);
            let shown = screen(&console);
            assert!(shown.contains(&format!("new{id}")) && !shown.contains("press"), "{shown}");
        }
        console.run(&world, "R");
        signs_up(&mut console, &mut world, 50_040);
        assert!(screen(&console).contains("new50040"), "{}", screen(&console));
    }
}

#[test]
fn rows_that_come_wait_while_something_is_in_hand() {
    for (hold, release) in [("r", "Esc"), ("Space k", "Esc"), ("Enter", "Esc"), ("j", "k"), ("?", "Esc")] {
        let (mut console, mut world) = Console::loaded(120, 40);
        console.run(&world, hold);
        signs_up(&mut console, &mut world, 49_994);
        signs_up(&mut console, &mut world, 49_995);
        let shown = screen(&console);
        assert!(!shown.contains("new49994"), "{hold}: {shown}");
        assert_eq!(console.model.verifications.list().unwrap().announced, 2, "{hold}");
        console.run(&world, release);
        let shown = screen(&console);
        assert!(
            shown.contains("new49994") && shown.contains("new49995") && !shown.contains("2 new"),
            "{hold}: {shown}"
        );
    }
}

#[test]
fn a_flood_of_rows_is_shown_from_its_newest() {
    let (mut console, mut world) = Console::loaded(80, 24);
    for id in 49_994..50_300 {
        world.rows.push(row(id, &format!("new{id}@example.com"), "New", Status::Pending, None));
    }
    signs_up(&mut console, &mut world, 50_300);
    assert_eq!(console.selected(), 50_300);
    assert!(!screen(&console).contains("press"), "{}", screen(&console));
}

#[test]
fn mails_and_entries_come_by_themselves_too() {
    let (mut console, mut world) = Console::loaded(80, 24);
    console.run(&world, "m");
    let mut newest = world.sends[0].clone();
    (newest.id, newest.recipient) = (send_id(99_999), "newest@example.com".into());
    world.sends.insert(0, newest.clone());
    console.send(Msg::Changed(vec![Change::Queued]));
    console.serve(&world);
    assert!(screen(&console).contains("newest@"), "{}", screen(&console));
    assert_eq!(console.model.mail.list().unwrap().cursor, 1);
    // A page that has none of the rows that were there takes their place.
    world.sends = (0..100_u128)
        .map(|n| {
            let mut send = newest.clone();
            (send.id, send.recipient) = (send_id(100_100 - n), format!("n{n}@example.com").into());
            send
        })
        .collect();
    console.send(Msg::Changed(vec![Change::Queued]));
    console.serve(&world);
    assert!(
        screen(&console).contains("n0@example.com") && !screen(&console).contains("newest@"),
        "{}",
        screen(&console)
    );

    console.run(&world, "u");
    let mut entry = world.audit[0].clone();
    (entry.entry.id, entry.entry.at) = (1_000, now());
    entry.entry.reason = Some("a new one".into());
    world.audit.insert(0, entry);
    console.send(Msg::Changed(vec![Change::Many]));
    console.serve(&world);
    assert!(screen(&console).contains("a new one"), "{}", screen(&console));
}

#[test]
fn new_rows_are_announced_and_shown_when_asked_for() {
    let (mut console, mut world) = Console::loaded(80, 24);
    console.run(&world, "j");
    for id in 49_994..=49_996 {
        world.rows.push(row(id, &format!("new{id}@example.com"), "New", Status::Pending, None));
    }
    console.send(Msg::Changed(vec![Change::Verification(VerificationId(49_996))]));
    console.serve(&world);
    assert!(screen(&console).contains("3 new, press R") && !screen(&console).contains("new49996"));
    console.run(&world, "R");
    assert!(screen(&console).contains("new49996") && !screen(&console).contains("3 new"));
    assert_eq!(console.selected(), 49_992, "the cursor stays on its row");
}

#[test]
fn what_comes_into_an_empty_list_is_shown_at_once() {
    let mut world = World::default();
    let rows = std::mem::take(&mut world.rows);
    let mut console = Console::new(80, 24);
    console.serve(&world);
    assert!(screen(&console).contains("No one is waiting for verification."), "{}", screen(&console));
    world.rows = rows;
    console.send(Msg::Changed(vec![Change::Verification(VerificationId(49_993))]));
    console.serve(&world);
    assert!(screen(&console).contains("minji.kim"));
}

#[test]
fn mails_change_where_they_are() {
    let (mut console, mut world) = Console::loaded(80, 24);
    console.run(&world, "m j");
    world.sends[0].state = SendState::Accepted;
    let mut newest = world.sends[0].clone();
    newest.id = send_id(99_999);
    newest.recipient = "newest@example.com".into();
    world.sends.insert(0, newest);
    console.send(Msg::Changed(vec![Change::Queued]));
    console.serve(&world);
    let shown = screen(&console);
    assert!(line_of(&shown, "minji").contains("accepted"), "{shown}");
    assert!(!shown.contains("newest@") && shown.contains("1 new, press R"), "{shown}");
    console.run(&world, "R");
    assert!(screen(&console).contains("newest@"));
}

#[test]
fn a_flood_of_changes_runs_one_load_of_a_kind() {
    let (mut console, world) = Console::loaded(120, 40);
    for _ in 0..50 {
        console.send(Msg::Changed(vec![Change::Verification(VerificationId(49_993))]));
    }
    let asked = console.asked.len();
    assert!(asked <= 6, "{:?}", console.asked);
    console.serve(&world);
}

#[test]
fn while_the_cursor_runs_details_in_between_are_not_asked_for() {
    let (mut console, world) = Console::loaded(120, 40);
    console.press("j j j j j j");
    assert_eq!(console.asked, [Effect::Load(Load::Detail { id: VerificationId(49_992) })]);
    console.serve(&world);
    assert_eq!(console.model.detail.data.as_ref().unwrap().verification.id, VerificationId(49_987));
}

#[test]
fn shows_whether_a_worker_is_sending() {
    let mut world = World::default();
    let mut console = Console::new(120, 40);
    assert!(screen(&console).contains("connecting…"));
    console.serve(&world);
    assert!(screen(&console).contains("● 1 worker sending, 2 to go"));

    world.outbox.workers.clear();
    let shown = look_again(&mut console, &world);
    assert!(shown.contains("○ no worker is sending"), "{shown}");
    assert!(
        shown.contains("! No worker is sending: 2 mails wait, the oldest for a moment · run: verifydesk worker"),
        "{shown}"
    );

    (world.outbox.queued, world.outbox.sending) = (0, 0);
    let shown = look_again(&mut console, &world);
    assert!(
        !shown.contains("No worker is sending") && shown.contains("New mail will wait until someone runs"),
        "{shown}"
    );

    world.outbox.workers = vec![worker("capture", "/var/lib/verifydesk-demo/mail", ago(1), "5eb63bbb")];
    let shown = look_again(&mut console, &world);
    assert!(shown.contains("Mail is captured in /var/lib/verifydesk-demo/mail"), "{shown}");

    world.outbox.workers.push(worker("smtp", "relay", ago(1), "aaaaaaaa"));
    let shown = look_again(&mut console, &world);
    assert!(shown.contains("different secrets") && shown.contains("● 2 workers ready"), "{shown}");

    world.outbox.workers[1].waits_for = Some(world.outbox.workers[0].id);
    let shown = look_again(&mut console, &world);
    assert!(shown.contains("waits: its secret does not fit") && shown.contains("● 1 worker ready"), "{shown}");
    assert!(shown.contains("set the same VERIFYDESK_SECRET on every worker"), "{shown}");

    // While the secret is changed, each can make what the other makes.
    world.outbox.workers[1].waits_for = None;
    world.outbox.workers[0].secret_previous_fingerprint = Some("aaaaaaaa".into());
    world.outbox.workers[1].secret_previous_fingerprint = Some("5eb63bbb".into());
    let shown = look_again(&mut console, &world);
    assert!(!shown.contains("secret") && shown.contains("● 2 workers ready"), "{shown}");
}

#[test]
fn a_console_says_that_it_sends_only_while_it_does() {
    let (mut console, mut world) = Console::loaded(120, 40);
    let own = worker("smtp", "relay", ago(1), "5eb63bbb");
    console.model.setup.sends = Some(own.id);
    world.outbox.workers = vec![own];
    (world.outbox.queued, world.outbox.sending) = (1, 0);
    let shown = look_again(&mut console, &world);
    assert!(shown.contains("This console sends mail itself"), "{shown}");

    world.outbox.workers[0].stopped_at = Some(ago(1));
    world.outbox.workers[0].last_error = Some("the SMTP user or password is wrong".into());
    let shown = look_again(&mut console, &world);
    assert!(!shown.contains("This console sends mail itself"), "{shown}");
    assert!(shown.contains("the worker on mail-1 stopped: the SMTP user or password is wrong"), "{shown}");
}

#[test]
fn a_worker_that_is_just_being_started_is_waited_for() {
    let mut world = World::default();
    let workers = std::mem::take(&mut world.outbox.workers);
    let mut console = Console::new(120, 40);
    console.model.setup.starts_worker = true;
    console.serve(&world);
    let shown = screen(&console);
    assert!(
        shown.contains("a worker starts…") && !shown.contains("No worker") && !shown.contains("someone runs"),
        "{shown}"
    );
    console.run(&world, "o");
    assert!(screen(&console).contains("A worker starts"), "{}", screen(&console));
    console.run(&world, "Esc");
    // It comes, or it is missed.
    let due = now() + Duration::seconds(10);
    assert!(console.next_deadline().unwrap() <= due);
    console.send(Msg::Clock(due));
    let shown = screen(&console);
    assert!(shown.contains("! No worker is sending: 2 mails wait"), "{shown}");
    world.outbox.workers = workers;
    assert!(look_again(&mut console, &world).contains("1 worker sending"));
}

#[test]
fn a_worker_that_dies_silently_is_noticed() {
    let (mut console, world) = Console::loaded(120, 40);
    let mut time = now();
    while time < now() + Duration::seconds(40) {
        time = console.next_deadline().unwrap();
        console.send(Msg::Clock(time));
        console.serve(&world);
    }
    assert!(screen(&console).contains("no worker is sending"), "{}", screen(&console));
}

#[test]
fn workers_are_alive_by_the_database_clock() {
    for skew in [Duration::seconds(-90), Duration::seconds(90)] {
        let mut world = World::default();
        let (mut console, _) = Console::loaded(120, 40);
        world.outbox.as_of = now() + skew;
        world.outbox.workers[0].beat_at = now() + skew;
        console.send(Msg::Loaded(Loaded::Outbox(Ok(Box::new(world.outbox.clone())))));
        assert!(screen(&console).contains("● 1 worker sending"), "{skew}: {}", screen(&console));
        world.outbox.workers[0].beat_at -= Duration::seconds(21);
        console.send(Msg::Loaded(Loaded::Outbox(Ok(Box::new(world.outbox.clone())))));
        assert!(screen(&console).contains("○ no worker is sending"), "{skew}: {}", screen(&console));
    }
}

#[test]
fn a_heartbeat_draws_nothing() {
    let (mut console, mut world) = Console::loaded(120, 40);
    console.model.take_dirty();
    world.outbox.workers[0].beat_at = now() + Duration::seconds(5);
    let due = console.next_deadline().unwrap();
    console.send(Msg::Clock(due));
    assert_eq!(console.asked, [Effect::Load(Load::Outbox)]);
    console.serve(&world);
    assert!(!console.model.take_dirty());
}

#[test]
fn an_idle_console_wakes_at_most_once_a_minute() {
    let (mut console, mut world) = Console::loaded(120, 40);
    world.outbox.workers.clear();
    (world.outbox.queued, world.outbox.sending, world.outbox.due_since) = (0, 0, None);
    console.send(Msg::Changed(vec![Change::Workers]));
    console.serve(&world);
    let mut wakes = 0;
    let mut time = now();
    while let Some(next) = console.next_deadline().filter(|next| *next < now() + Duration::minutes(10)) {
        assert!(next > time);
        time = next;
        wakes += 1;
        console.send(Msg::Clock(time));
        console.serve(&world);
    }
    assert!(wakes <= 11, "{wakes} wakes in ten minutes");
}

#[test]
fn when_the_database_is_away_the_list_stays_and_the_place_is_kept() {
    let (mut console, world) = Console::loaded(80, 24);
    console.run(&world, "j j j Enter");
    let problem = Problem {
        what: "the database is gone".into(),
        hint: "is it running?".into(),
        away: true,
        ..Problem::default()
    };
    console.send(Msg::DatabaseAway { problem: problem.clone(), retry_at: now() + Duration::seconds(5) });
    let shown = screen(&console);
    assert!(shown.contains("✗ the database is gone · trying again in 5 s; is it running?"), "{shown}");
    console.press("Esc");
    assert!(screen(&console).contains("minji.kim"));
    assert_eq!(console.next_deadline(), Some(now() + Duration::seconds(1)));
    console.press("2 1 j k");
    assert!(console.take_asked().is_empty(), "asks while no database is there");
    console.send(Msg::DatabaseBack);
    assert_eq!(console.model.link, Link::Up);
    assert!(console.asked.iter().any(|effect| matches!(effect, Effect::Load(Load::Rows { ids }) if ids.len() == 11)));
    console.serve(&world);
    assert_eq!(console.selected(), 49_990);
    assert!(!screen(&console).contains("gone"));
}

#[test]
fn a_list_without_rows_says_that_the_database_is_away() {
    let (mut console, mut world) = Console::loaded(80, 24);
    world.sends.clear();
    console.run(&world, "m");
    assert!(screen(&console).contains("No mail"), "{}", screen(&console));
    let problem = Problem { what: "the database is gone".into(), away: true, ..Problem::default() };
    console.press("R");
    let asked = console.take_asked();
    console.send(Msg::DatabaseAway { problem: problem.clone(), retry_at: now() + Duration::seconds(2) });
    let mut answered = 0;
    for effect in asked {
        if let Effect::Load(Load::Sends { generation, .. }) = effect {
            answered += 1;
            console.send(Msg::Loaded(Loaded::Sends { generation, answer: Err(problem.clone()) }));
        }
    }
    let shown = screen(&console);
    assert!(answered == 1 && shown.contains("The list comes as soon as the database is back"), "{answered} {shown}");
    assert!(!shown.contains("No mail"), "{shown}");
}

#[test]
fn a_database_that_is_away_from_the_start_is_explained() {
    let mut console = Console::new(80, 24);
    let problem = Problem {
        what: "cannot reach the database".into(),
        hint: "set DATABASE_URL".into(),
        away: true,
        ..Problem::default()
    };
    let asked = console.take_asked();
    console.send(Msg::DatabaseAway { problem: problem.clone(), retry_at: now() + Duration::seconds(2) });
    for effect in asked {
        if let Effect::Load(Load::Page { generation, .. }) = effect {
            console.send(Msg::Loaded(Loaded::Page { generation, answer: Err(problem.clone()) }));
        }
    }
    assert!(console.model.toasts.is_empty(), "the banner says it");
    let shown = screen(&console);
    for words in ["cannot reach the database", "set DATABASE_URL"] {
        assert_eq!(shown.matches(words).count(), 1, "said once: {shown}");
    }
    console.send(Msg::DatabaseBack);
    console.serve(&World::default());
    assert!(screen(&console).contains("minji.kim"));
}

#[test]
fn a_database_that_is_not_prepared_is_said_once() {
    let unprepared = |why: &str, away| Problem {
        what: format!("the database is not prepared for this version: {why}"),
        hint: "run `verifydesk migrate`".into(),
        away,
        ..Problem::default()
    };
    // Whichever comes first: the answers, or the look at the connection.
    for answers_first in [true, false] {
        let mut console = Console::new(80, 24);
        let asked = console.take_asked();
        let answer = |console: &mut Console| {
            for effect in &asked {
                let problem = unprepared("relation does not exist", false);
                match effect {
                    Effect::Load(Load::Page { generation, .. }) => {
                        console.send(Msg::Loaded(Loaded::Page { generation: *generation, answer: Err(problem) }));
                    }
                    Effect::Load(Load::Counts) => console.send(Msg::Loaded(Loaded::Counts(Err(problem)))),
                    Effect::Load(Load::Outbox) => console.send(Msg::Loaded(Loaded::Outbox(Err(problem)))),
                    _ => {}
                }
            }
        };
        if answers_first {
            answer(&mut console);
        }
        let problem = unprepared("it has no tables of verifydesk", true);
        console.send(Msg::DatabaseAway { problem, retry_at: now() + Duration::seconds(2) });
        if !answers_first {
            answer(&mut console);
        }
        let shown = screen(&console);
        assert_eq!(shown.matches("not prepared").count(), 1, "{shown}");
        assert!(shown.contains("it has no tables") && !shown.contains("relation"), "{shown}");
        assert_eq!(shown.matches("verifydesk migrate").count(), 1, "{shown}");
    }
}

#[test]
fn statuses_go_by_the_database_clock() {
    let mut console = Console::new(80, 24);
    let world = World::default();
    let asked = console.take_asked();
    let ahead = Duration::minutes(10);
    for effect in asked {
        if let Effect::Load(Load::Page { generation, .. }) = effect {
            let page =
                Page { rows: world.rows[..2].to_vec(), as_of: now() + ahead, newer: false, older: false, exact: 0 };
            console.send(Msg::Loaded(Loaded::Page { generation, answer: Ok(page) }));
        }
    }
    assert_eq!(console.model.now, now() + ahead);
    console.send(Msg::Clock(now() + Duration::seconds(5)));
    assert_eq!(console.model.now, now() + ahead + Duration::seconds(5));
    assert!(console.next_deadline().unwrap() < now() + Duration::seconds(70), "deadlines are this machine's time");
}

#[test]
fn after_a_suspension_everything_is_looked_at_again() {
    let (mut console, world) = Console::loaded(120, 40);
    console.send(Msg::Resumed);
    assert_eq!(console.asked[0], Effect::Terminal(TerminalCommand::Repaint));
    for wanted in [
        Effect::Load(Load::Counts),
        Effect::Load(Load::Outbox),
        Effect::Load(Load::Detail { id: VerificationId(49_993) }),
    ] {
        assert!(console.asked.contains(&wanted), "{wanted:?}");
    }
    console.serve(&world);
}

#[test]
fn what_an_act_changed_is_read_once() {
    let (mut console, world) = Console::loaded(120, 40);
    console.run(&world, "r");
    console.press("y");
    console.take_asked();
    let id = VerificationId(49_993);
    let resent = Resent { user_id: UserId(1), verification_id: id, send_id: send_id(1), how: ResentHow::SameLink };
    console.send(Msg::Acted(Acted::Resent { id, answer: Ok(resent) }));
    assert!(console.take_asked().is_empty(), "a notification follows, as for everything that changes");
    console.send(Msg::Changed(vec![Change::Verification(id), Change::Queued]));
    let mut read = Vec::new();
    while let Some(asked) = Some(console.take_asked()).filter(|asked| !asked.is_empty()) {
        for effect in asked {
            read.push(format!("{effect:?}"));
            world.answer(effect).into_iter().for_each(|msg| console.send(msg));
        }
    }
    for load in ["Rows", "Newer", "Counts", "Outbox", "Detail"] {
        let times = read.iter().filter(|effect| effect.starts_with(&format!("Load({load}"))).count();
        assert_eq!(times, 1, "{load}: {read:?}");
    }
    assert_eq!(read.len(), 5, "{read:?}");
}
