//! Whether all is well: what is shown while it is looked, when all is, and when not.

use chrono::Duration;

use super::fixture::{Console, now};
use super::picture::picture;
use crate::doctor::{CHECKS, Finding, Found};
use crate::tui::effect::{Load, Loaded, Problem};
use crate::tui::{ColourDepth, Effect, Msg, Theme};

fn snapshot(name: &str, console: &Console) {
    let (width, height) = console.model.size;
    for (end, theme) in [("", Theme::new(ColourDepth::Sixteen, true)), ("_ascii", Theme::new(ColourDepth::None, false))]
    {
        insta::assert_snapshot!(format!("doctor_{name}_{width}x{height}{end}"), picture(&console.model, &theme));
    }
}

/// What each check has found.
fn all(of: impl Fn(&str) -> Finding) -> Vec<Found> {
    CHECKS.iter().map(|check| (check, of(check.name))).collect()
}

fn well(name: &str) -> Finding {
    match name.split_once('.').unwrap().0 {
        "smtp" if name != "smtp.password" => Finding::skipped("mails are written into files"),
        "smtp" => Finding::skipped("mails do not go by SMTP"),
        "dns" => Finding::skipped("example.com is an example's domain: it has no records"),
        _ => Finding::green("as it should be"),
    }
}

fn ill(name: &str) -> Finding {
    match name {
        "workers.alive" => Finding::red(
            "no worker is running; the last one was on mail-1, process 4711, until 14:12:09",
            "start `verifydesk worker` on the mail host, and see its log if it does not stay",
        ),
        "workers.outbox" => Finding::red("312 mails wait: no worker takes them", "start `verifydesk worker`"),
        "workers.pace" => Finding::yellow(
            "7 mails a second instead of 14: the server asked for less",
            "nothing, if that was a moment ago: it rises by itself",
        ),
        "account.access" => Finding::yellow(
            "the sandbox: 200 mails a day, to verified addresses only",
            "ask AWS for production access (SES, Account dashboard) and describe sign-up mails",
        ),
        "database.clock" => Finding::yellow(
            "this machine's clock is 12.3 s behind the database's",
            "set both clocks by NTP; what verifydesk stores goes by the database's",
        ),
        "smtp.password" => Finding::of_workers("this host has none"),
        "serve.public_url" => Finding::of_workers("this host knows none: links are made by workers"),
        name if name.starts_with("smtp.") => Finding::of_workers("this host mails nothing: no SMTP server is set"),
        name => well(name),
    }
}

fn asked_for(console: &mut Console) -> Option<u64> {
    console.take_asked().into_iter().find_map(|effect| match effect {
        Effect::Load(Load::Doctor { generation }) => Some(generation),
        _ => None,
    })
}

fn tell(console: &mut Console, generation: u64, found: &[Found]) {
    for found in found {
        console.send(Msg::Loaded(Loaded::Found { generation, found: found.clone() }));
    }
}

fn looked(console: &mut Console, generation: u64) {
    console.send(Msg::Loaded(Loaded::Looked { generation, answer: Ok(()) }));
}

/// Opened, and all was looked at.
fn opened(width: u16, height: u16, of: impl Fn(&str) -> Finding) -> Console {
    let (mut console, _) = Console::loaded(width, height);
    console.press("O");
    let generation = asked_for(&mut console).expect("it looks");
    tell(&mut console, generation, &all(of));
    looked(&mut console, generation);
    console
}

const SIZES: [(u16, u16); 4] = [(120, 40), (80, 24), (40, 10), (20, 5)];

#[test]
fn it_looks_in_every_state_and_at_every_size() {
    for (width, height) in SIZES {
        let (mut console, _) = Console::loaded(width, height);
        console.press("O");
        snapshot("asked", &console);
        let generation = asked_for(&mut console).unwrap();
        tell(&mut console, generation, &all(ill)[..22]);
        snapshot("running", &console);
        snapshot("well", &opened(width, height, well));
        snapshot("ill", &opened(width, height, ill));
    }
    let mut console = opened(80, 24, ill);
    console.press("G");
    snapshot("ill_end", &console);
}

#[test]
fn what_was_found_stays_with_its_age_and_is_looked_at_again() {
    let (mut console, world) = Console::loaded(80, 24);
    console.press("O");
    let first = asked_for(&mut console).unwrap();
    // Pressed again while it looks, nothing more is asked.
    console.press("R");
    assert_eq!(asked_for(&mut console), None);
    // Closed meanwhile, it goes on.
    tell(&mut console, first, &all(ill));
    console.press("Esc");
    assert!(console.model.dialog.is_none());
    looked(&mut console, first);
    console.press("O");
    assert_eq!(asked_for(&mut console), None);
    for words in ["2 red, 3 yellow", "seen just now from this host", "✗ alive: no worker is running", "-> start"] {
        assert!(console.screen().contains(words), "{words}: {}", console.screen());
    }
    // Its age goes on by itself, and old findings are looked at again where they are opened.
    console.send(Msg::Clock(now() + Duration::seconds(250)));
    assert!(console.screen().contains("seen 3 min ago"), "{}", console.screen());
    assert_eq!(asked_for(&mut console), None);
    console.press("Esc O");
    let second = asked_for(&mut console).unwrap();
    assert_ne!(first, second);
    assert!(console.screen().contains("seen 3 min ago; looking again: 0 of"), "{}", console.screen());
    assert!(console.screen().contains("✗ alive"), "what was found stays meanwhile: {}", console.screen());
    // What comes late of another look is no part of this one.
    tell(&mut console, first, &all(ill));
    looked(&mut console, first);
    assert!(console.screen().contains("looking again: 0 of"), "{}", console.screen());
    tell(&mut console, second, &all(well));
    looked(&mut console, second);
    assert!(console.screen().contains("0 red, 0 yellow"), "{}", console.screen());
    console.press("R");
    let third = asked_for(&mut console).unwrap();
    let problem = Problem { what: "a fault of the program".into(), ..Problem::default() };
    console.send(Msg::Loaded(Loaded::Looked { generation: third, answer: Err(problem) }));
    assert!(console.screen().contains("✗ a fault of the program"), "{}", console.screen());
    console.press("R");
    assert!(asked_for(&mut console).is_some());
    console.serve(&world);
}

#[test]
fn what_a_console_cannot_see_names_the_command_that_does() {
    let mut console = opened(120, 60, ill);
    let screen = console.screen();
    let end = screen.split_once("Not to be seen from here").expect("a part of its own").1;
    for words in ["Verification view: public url", "Mail server: greeting, tls, sign in, sender, password"] {
        assert!(end.contains(words), "{words}: {screen}");
    }
    assert_eq!(end.matches("-> run `verifydesk doctor` on a worker's host").count(), 1, "{screen}");
    console.press("q");
    assert!(console.model.dialog.is_none() && console.take_asked().is_empty());
}

/// It needs no answer of the database's: that this is away is what it is opened for.
#[test]
fn it_is_there_while_the_database_is_away_and_nowhere_without_one() {
    let (mut console, _) = Console::loaded(80, 24);
    let problem = Problem { what: "connection refused".into(), away: true, ..Problem::default() };
    console.send(Msg::DatabaseAway { problem, retry_at: now() });
    console.press("O");
    assert!(asked_for(&mut console).is_some());
    for keys in ["m O", "o O", "u O", "S O", "t O"] {
        let (mut console, world) = Console::loaded(80, 24);
        console.run(&world, keys.split(' ').next().unwrap());
        console.press("O");
        assert!(asked_for(&mut console).is_some(), "{keys}");
    }
    let (mut console, _) = Console::loaded(80, 24);
    console.model.setup.only_templates = true;
    console.press("O");
    assert!(console.model.dialog.is_none() && asked_for(&mut console).is_none());
}
