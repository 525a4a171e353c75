//! Each screen as text and styles, in colour and in ASCII without colour.

use chrono::Duration;

use super::fixture::{Console, World, now, send_id};
use super::picture::picture;
use crate::desk::{ResendPlan, ResentHow};
use crate::domain::account::act::{AccountAct, ActKind, ActState, Came};
use crate::domain::amazon::Suppression;
use crate::domain::id::AccountActId;
use crate::domain::resend::Block;
use crate::tui::effect::{Loaded, Problem};
use crate::tui::view::pane::Target;
use crate::tui::{ColourDepth, Msg, Theme};

/// What is on the screen: a name, and the keys that lead there from the first one.
const SCREENS: [(&str, &str); 27] = [
    ("list", "j j"),
    ("all", "5"),
    ("detail", "j j j j Enter"),
    ("search", "/ k i m"),
    ("nothing_found", "/ z z Enter"),
    ("mail", "m j j j j"),
    ("mail_detail", "m j j j j Enter"),
    ("audit", "u"),
    ("audit_all", "u 4 j j j"),
    ("audit_entry", "u j j j Enter"),
    ("audit_search", "u / b y : m i n a"),
    ("templates", "t L"),
    ("resend", "r"),
    ("force_verify", "v Enter"),
    ("unverify", "2 V Enter"),
    ("revoke", "x Enter"),
    ("extend", "e"),
    ("delete", "d"),
    ("delete_typed", "d a Enter"),
    ("change_address", "a Backspace x Enter Enter"),
    ("undo_offered", "r y"),
    ("undone", "r y z"),
    ("copy", "y"),
    ("copy_detail", "Enter y k"),
    ("copy_list", "/ k i m Enter y k"),
    ("sign_up", "n a @ b"),
    ("help", "?"),
];

fn snapshot(name: &str, console: &Console) {
    let (width, height) = console.model.size;
    insta::assert_snapshot!(
        format!("{name}_{width}x{height}"),
        picture(&console.model, &Theme::new(ColourDepth::Sixteen, true))
    );
    insta::assert_snapshot!(
        format!("{name}_{width}x{height}_ascii"),
        picture(&console.model, &Theme::new(ColourDepth::None, false))
    );
}

#[test]
fn each_screen_at_each_size() {
    for (width, height) in [(80, 24), (120, 40), (40, 10)] {
        for (name, keys) in SCREENS {
            let (mut console, world) = Console::loaded(width, height);
            console.run(&world, keys);
            snapshot(name, &console);
        }
    }
}

#[test]
fn who_is_on_the_suppression_list() {
    let suppression = Suppression {
        checked_at: now() - Duration::seconds(20),
        reason: Some("BOUNCE \u{1b}[2J".into()),
        since: Some(now() - Duration::days(12)),
        ses_id: None,
    };
    for (width, height) in [(80, 24), (120, 40)] {
        let mut console = Console::new(width, height);
        let world = World { suppression: Some(suppression.clone()), ..World::default() };
        console.serve(&world);
        console.run(&world, "j j j j Enter");
        snapshot("suppressed", &console);
    }
}

/// What was asked for at AWS is shown where the address is.
#[test]
fn what_is_done_at_aws() {
    let waiting = AccountAct {
        id: AccountActId(7),
        kind: ActKind::Remove,
        address: "mina@example.com".into(),
        identity: None,
        listing: None,
        mail_again: None,
        reason: Some("they called".into()),
        actor: "mina".into(),
        origin: "console".into(),
        asked_at: now() - Duration::seconds(3),
        state: ActState::Waiting,
        attempts: 0,
        ended_at: None,
        came: None,
        error: None,
        permission: None,
        send_id: None,
        not_mailed: None,
    };
    let failed = AccountAct {
        state: ActState::Failed,
        came: Some(Came::Failed),
        ended_at: Some(now()),
        error: Some("403 \u{1b}[2JAccessDenied".into()),
        permission: Some("ses:DeleteSuppressedDestination".into()),
        ..waiting.clone()
    };
    for (act, part) in
        [(waiting, "waits for a worker that has AWS's keys"), (failed, "ses:DeleteSuppressedDestination")]
    {
        let mut console = Console::new(120, 40);
        let world = World { act: Some(act), ..World::default() };
        console.serve(&world);
        console.run(&world, "j j j j Enter");
        let shown = console.screen();
        assert!(shown.contains("at AWS") && shown.contains(part), "{shown}");
    }
}

#[test]
fn a_resend_to_an_address_that_takes_no_mail() {
    for (width, height) in [(40, 10), (80, 24)] {
        let plan = ResendPlan { how: ResentHow::SameLink, block: Some(Block::Bounced) };
        let world = World { plan: Ok(plan), ..World::default() };
        let mut console = Console::new(width, height);
        console.serve(&world);
        console.run(&world, "r a b Enter");
        snapshot("resend_blocked", &console);
    }
}

#[test]
fn filter_lines() {
    for (width, height) in [(80, 24), (120, 40), (40, 10)] {
        for (name, keys, line, then) in [
            ("filter_begun", "/", "kang status:", "Left Right"),
            ("filter_wrong", "/", "kang status:pendng", "Left Right"),
            ("filter_slip", "/", "statsu:pending", "Left Right"),
            ("filter_applied", "/", "status:expired created:>2d", "Enter"),
            ("filter_nothing", "/", "domain:naver.com locale:ko zz", "Enter"),
            ("mail_filter_applied", "m /", "mail:failed,unknown since:yesterday", "Enter"),
            ("mail_bulk", "m /", "mail:failed,bounced", "Enter B"),
            ("mail_marked", "m j", "", "Space Space"),
        ] {
            let (mut console, world) = Console::loaded(width, height);
            console.run(&world, keys);
            console.type_text(line);
            console.serve(&world);
            console.run(&world, then);
            snapshot(name, &console);
        }
    }
}

#[test]
fn a_single_cell() {
    let (console, _) = Console::loaded(1, 1);
    snapshot("list", &console);
}

#[test]
fn small_and_huge() {
    for (width, height) in [(20, 5), (200, 60)] {
        let (mut console, world) = Console::loaded(width, height);
        snapshot("list", &console);
        console.run(&world, "u");
        snapshot("audit", &console);
    }
}

#[test]
fn from_a_user_to_an_older_mail_of_theirs() {
    for (width, height) in [(80, 24), (120, 40), (40, 10), (200, 60)] {
        let (mut console, world) = Console::loaded(width, height);
        console.run(&world, "j j j j Enter");
        while console.model.detail.chosen != Some(Target::Mail(send_id(40_989))) {
            console.run(&world, "j");
        }
        snapshot("detail_mail_chosen", &console);
        console.run(&world, "Enter");
        snapshot("user_mails", &console);
    }
}

#[test]
fn the_first_frame() {
    for (width, height) in [(80, 24), (40, 10)] {
        snapshot("first_frame", &Console::new(width, height));
    }
}

#[test]
fn no_one_is_sending() {
    let mut world = World::default();
    world.outbox.workers.clear();
    world.outbox.queued = 1_234;
    for (width, height) in [(80, 24), (120, 40), (40, 10)] {
        let mut console = Console::new(width, height);
        console.serve(&world);
        snapshot("no_one_sending", &console);
    }
}

#[test]
fn the_database_is_away() {
    let problem = Problem {
        what: "the database at db.internal has closed the connection".into(),
        hint: "is PostgreSQL running there?".into(),
        away: true,
        possible_at: None,
    };
    for (width, height) in [(80, 24), (40, 10)] {
        let (mut console, _) = Console::loaded(width, height);
        console.send(Msg::DatabaseAway { problem: problem.clone(), retry_at: now() + Duration::seconds(7) });
        snapshot("away", &console);
        let mut console = Console::new(width, height);
        console.send(Msg::DatabaseAway { problem: problem.clone(), retry_at: now() + Duration::seconds(7) });
        snapshot("away_from_the_start", &console);
    }
}

#[test]
fn toasts() {
    for (width, height) in [(80, 24), (40, 10)] {
        let (mut console, world) = Console::loaded(width, height);
        console.run(&world, "2 r 1 n");
        console.type_text("mina@example.com");
        console.run(&world, "Enter");
        let problem = Problem {
            what: "the counts could not be read: permission denied for table status_counters".into(),
            hint: "ask for the role verifydesk_viewer".into(),
            ..Problem::default()
        };
        console.send(Msg::Loaded(Loaded::Counts(Err(problem))));
        snapshot("toasts", &console);
    }
}

#[test]
fn a_test_mail_says_that_it_is_one() {
    let (mut console, mut world) = Console::loaded(120, 40);
    let test = &mut world.sends[0];
    (test.user_id, test.verification_id) = (None, None);
    test.test_of = Some("verification (long-name)".into());
    let recipient = test.recipient.plain().into_string();
    console.run(&world, "m");
    let shown = picture(&console.model, &Theme::new(ColourDepth::None, false));
    assert!(shown.contains(&format!("test {recipient}")), "{shown}");
    assert!(shown.contains("test of verification (long-name), "), "{shown}");
}

#[test]
fn which_site_it_is_and_what_for() {
    for (width, height) in [(40, 10), (80, 24), (120, 40)] {
        for environment in ["production", "staging"] {
            let (mut console, _) = Console::loaded(width, height);
            console.model.setup.environment = environment.into();
            console.model.setup.database = "verifydesk@db1.example.org".into();
            snapshot(environment, &console);
        }
    }
}

/// In the list, where the tab says nothing of it, and beside it.
#[test]
fn one_who_is_being_deleted() {
    for (width, height) in [(40, 10), (80, 24), (120, 40)] {
        let mut world = World::default();
        let until = now() + Duration::seconds(8);
        world.row_mut(49_993).user.delete_after = Some(until);
        for (name, keys) in [("deleting_list", ""), ("deleting_all", "5"), ("deleting_detail", "Enter")] {
            let mut console = Console::new(width, height);
            console.serve(&world);
            console.run(&world, keys);
            snapshot(name, &console);
        }
    }
}
