//! The suppression list in the console: what it shows in each state, where keys lead, and when it is read.

use super::fixture::{Console, DAY, HOUR, World, ago, now};
use super::picture::picture;
use crate::domain::Time;
use crate::domain::account::CallTrouble;
use crate::domain::account::act::{AccountAct, ActKind, ActState, Came, Listing};
use crate::domain::account::suppressed::{SuppressedRow, SuppressedUser};
use crate::domain::account::suppression_list::SuppressionList;
use crate::domain::address::EmailAddress;
use crate::domain::amazon::Suppression;
use crate::domain::change::Change;
use crate::domain::id::{AccountActId, UserId, VerificationId};
use crate::store::account_acts::ListChange;
use crate::tui::action::KeyContext;
use crate::tui::effect::{Act, Acted, Load, Loaded, Problem, Reasoned, TerminalCommand};
use crate::tui::model::{Level, View};
use crate::tui::{ColourDepth, Effect, Msg, Theme};
use chrono::Duration;

fn snapshot(name: &str, console: &Console) {
    let (width, height) = console.model.size;
    for (end, theme) in [("", Theme::new(ColourDepth::Sixteen, true)), ("_ascii", Theme::new(ColourDepth::None, false))]
    {
        insta::assert_snapshot!(format!("suppressed_{name}_{width}x{height}{end}"), picture(&console.model, &theme));
    }
}

fn row(address: &str, reason: &str, since: i64) -> SuppressedRow {
    SuppressedRow {
        address: address.into(),
        suppression: Suppression {
            checked_at: ago(400),
            reason: Some(reason.into()),
            since: Some(ago(since)),
            ses_id: None,
        },
        placed_at: ago(since),
        user: None,
        act: None,
    }
}

fn user(id: i64, name: &str) -> SuppressedUser {
    let verification = Some(VerificationId(id));
    SuppressedUser { id: UserId(id - 30_000), name: name.into(), verification, is_verified: false, is_leaving: false }
}

fn act(kind: ActKind, address: &str, state: ActState) -> AccountAct {
    AccountAct {
        id: AccountActId(7),
        kind,
        address: address.into(),
        identity: None,
        listing: None,
        mail_again: None,
        reason: Some("they called".into()),
        actor: "jun@bastion".into(),
        origin: "console".into(),
        asked_at: ago(70),
        state,
        attempts: 1,
        ended_at: (state != ActState::Waiting).then(|| ago(65)),
        came: match state {
            ActState::Waiting => None,
            ActState::Done => Some(Came::Done),
            ActState::Failed => Some(Came::Failed),
        },
        error: None,
        permission: None,
        send_id: None,
        not_mailed: None,
    }
}

fn list(count: i64) -> SuppressionList {
    SuppressionList {
        newest: Vec::new(),
        count,
        is_full: false,
        read_at: Some(ago(400)),
        goes_back_to: None,
        trouble: None,
    }
}

fn rows() -> Vec<SuppressedRow> {
    let mut rows = vec![
        SuppressedRow {
            suppression: Suppression { checked_at: ago(70), reason: None, since: None, ses_id: None },
            act: Some(AccountAct {
                permission: Some("ses:PutSuppressedDestination".into()),
                error: Some("403".into()),
                ..act(ActKind::Add, "new@example.net", ActState::Failed)
            }),
            ..row("new@example.net", "", 70)
        },
        SuppressedRow {
            user: Some(user(49_993, "김민지")),
            act: Some(act(ActKind::Remove, "minji.kim@example.com", ActState::Waiting)),
            ..row("minji.kim@example.com", "BOUNCE", 2 * HOUR)
        },
        row("sean@example.net", "COMPLAINT", DAY),
        SuppressedRow { user: Some(user(49_989, "")), ..row("ethan.wright@example.net", "BOUNCE", 3 * DAY) },
        row("a\u{1b}[2J@xn--bcher-kva.example", "BOUNCE", 4 * DAY),
        row("a.very.long.local.part.that.never.ends@subdomain.example-company.co.kr", "BOUNCE", 400 * DAY),
    ];
    rows[1].suppression.ses_id = Some("010c0197c3a1f2b4-6c1f6a0e".into());
    rows
}

/// All that a stranger, an operator or AWS has written is this.
pub(super) fn of(text: &str) -> Vec<SuppressedRow> {
    let mut rows = rows();
    for row in &mut rows {
        row.address = text.into();
        row.suppression.ses_id = Some(text.into());
        row.suppression.reason = row.suppression.reason.as_ref().map(|_| text.into());
        if let Some(user) = &mut row.user {
            user.name = text.into();
        }
        if let Some(act) = &mut row.act {
            (act.actor, act.reason, act.error) = (text.into(), Some(text.into()), Some(text.into()));
            act.permission = act.permission.as_ref().map(|_| text.into());
        }
    }
    rows
}

fn world(suppressed: Vec<SuppressedRow>, list: Option<SuppressionList>) -> World {
    World { suppressed, suppression_list: list, ..World::default() }
}

fn many(count: i64) -> World {
    world((0..count).map(|n| row(&format!("user{n:03}@example.com"), "BOUNCE", n * HOUR)).collect(), Some(list(count)))
}

fn open(world: &World, width: u16, height: u16) -> Console {
    let mut console = Console::new(width, height);
    console.serve(world);
    console.run(world, "S L");
    console
}

/// The address of the selected row.
fn selected(console: &Console) -> String {
    console.model.suppressed.selected().map(|row| row.address.raw().to_owned()).unwrap_or_default()
}

fn trouble(text: &str, permission: Option<&str>) -> CallTrouble {
    CallTrouble { text: text.into(), since: ago(2 * HOUR), permission: permission.map(Into::into) }
}

#[test]
fn each_state_at_each_size() {
    let denied = || Some(trouble("403 AccessDeniedException", Some("ses:ListSuppressedDestinations")));
    let states = [
        ("rows", rows(), Some(list(6))),
        ("empty", Vec::new(), Some(list(0))),
        ("no_worker", Vec::new(), None),
        ("never_read", Vec::new(), Some(SuppressionList { read_at: None, ..list(0) })),
        ("no_right", Vec::new(), Some(SuppressionList { read_at: None, trouble: denied(), ..list(0) })),
        ("no_right_any_more", rows(), Some(SuppressionList { trouble: denied(), ..list(6) })),
        (
            "no_answer",
            rows(),
            Some(SuppressionList { trouble: Some(trouble("no answer in time\u{1b}[2J", None)), ..list(6) }),
        ),
        ("full", rows(), Some(SuppressionList { is_full: true, ..list(10_000) })),
        ("part", rows(), Some(SuppressionList { goes_back_to: Some(ago(90 * DAY)), ..list(8_214) })),
        ("stale", rows(), Some(SuppressionList { read_at: Some(ago(3 * HOUR)), ..list(6) })),
    ];
    for (name, rows, list) in states {
        let world = world(rows, list);
        for (width, height) in [(20, 5), (80, 24), (120, 40)] {
            snapshot(name, &open(&world, width, height));
        }
    }
    let world = world(rows(), Some(list(6)));
    for (width, height) in [(40, 10), (200, 60)] {
        snapshot("rows", &open(&world, width, height));
    }
}

#[test]
fn before_it_is_read_and_where_it_cannot_be_it_says_so() {
    let problem = Problem {
        what: "permission denied for table suppression_list\u{1b}[2J".into(),
        hint: "ask for the role verifydesk_viewer".into(),
        ..Problem::default()
    };
    for (width, height) in [(20, 5), (80, 24)] {
        let (mut console, _) = Console::loaded(width, height);
        console.press("S L");
        snapshot("loading", &console);
        let generation = console.take_asked().into_iter().find_map(|effect| match effect {
            Effect::Load(Load::Suppressed { generation, .. }) => Some(generation),
            _ => None,
        });
        let answer = Err(problem.clone());
        console.send(Msg::Loaded(Loaded::Suppressed { generation: generation.unwrap(), answer }));
        snapshot("error", &console);
    }
}

#[test]
fn a_user_is_opened_and_esc_leads_back_to_the_row() {
    for (width, height) in [(80, 24), (120, 40)] {
        let world = world(rows(), Some(list(6)));
        let mut console = open(&world, width, height);
        console.run(&world, "j j j Enter");
        assert_eq!(console.model.opened, Some(VerificationId(49_989)), "{}", console.screen());
        assert_eq!(console.model.key_context(), KeyContext::Detail);
        assert!(console.screen().contains("Ethan Wright"), "{}", console.screen());
        console.run(&world, "Esc");
        assert_eq!(selected(&console), "ethan.wright@example.net");
        assert_eq!(console.model.key_context(), KeyContext::Suppressed);
        // Who is no user has no page.
        console.run(&world, "k Enter");
        let toast = console.model.toasts.last().unwrap();
        assert_eq!((toast.level, &*toast.what), (Level::Refused, "No user has this address."));
        console.run(&world, "Esc Esc");
        assert_eq!(console.model.view, View::Account);
        // It is shown again where it was left.
        console.run(&world, "L");
        assert_eq!(selected(&console), "sean@example.net");
    }
}

#[test]
fn a_part_of_an_address_is_looked_for() {
    let world = world(rows(), Some(SuppressionList { is_full: true, ..list(10_000) }));
    let mut console = open(&world, 80, 24);
    console.run(&world, "/ n e t");
    snapshot("searching", &console);
    // Tab completes terms elsewhere.
    console.run(&world, "Tab Enter");
    let found = console.model.suppressed.list().unwrap();
    assert_eq!((found.items.len(), console.model.search().text()), (3, "net"));
    assert_eq!(console.model.view, View::Suppressed);
    console.run(&world, "/ x y z Enter");
    snapshot("not_found", &console);
    console.run(&world, "Esc");
    assert_eq!(console.model.suppressed.list().unwrap().items.len(), 6);
    assert_eq!(console.model.view, View::Suppressed);
    // What is pasted is looked for here as well.
    console.send(Msg::Paste("Sean <sean@example.net>".into()));
    console.serve(&world);
    assert!(console.model.search().text().contains("sean@example.net"));
}

#[test]
fn the_address_is_copied() {
    let world = world(rows(), Some(list(6)));
    for (keys, address) in [
        ("j y", "minji.kim@example.com"),
        ("j j y", "sean@example.net"),
        ("j j j j c", "a\u{241b}[2J@xn--bcher-kva.example"),
    ] {
        let mut console = open(&world, 80, 24);
        console.take_asked();
        console.press(keys);
        let copied = Effect::Terminal(TerminalCommand::Copy(address.into()));
        assert!(console.take_asked().contains(&copied), "{keys}");
    }
}

fn change(address: &str, change: ListChange, reason: &str) -> Effect {
    Effect::Act(Act::ChangeList { address: EmailAddress::parse(address).unwrap(), change, reason: reason.into() })
}

#[test]
fn an_address_is_taken_off_with_a_reason() {
    let world = world(rows(), Some(list(6)));
    for (width, height) in [(80, 24), (120, 40), (20, 5)] {
        let mut console = open(&world, width, height);
        console.run(&world, "j j x");
        snapshot("remove", &console);
        console.press("Enter");
        assert!(console.take_asked().is_empty());
        snapshot("remove_without_reason", &console);
        console.press("Down Enter Enter");
        assert_eq!(console.asked, [change("sean@example.net", ListChange::Remove(None), "they asked for it")]);
        console.serve(&world);
        assert!(console.model.dialog.is_none());
        let toast = console.model.toasts.last().unwrap();
        assert_eq!(toast.what, "sean@example.net is to be taken off SES's suppression list.");
    }
    // What is not on it cannot be taken off.
    let mut console = open(&world, 80, 24);
    console.run(&world, "x");
    assert!(console.model.dialog.is_none());
    assert_eq!(console.model.toasts.last().unwrap().what, "This address is not known to be on the list.");
}

#[test]
fn who_is_a_user_is_mailed_again_with_the_same_act() {
    let world = world(rows(), Some(list(6)));
    let mut console = open(&world, 80, 24);
    console.run(&world, "j j j L");
    for part in ["Off the suppression list", "ethan.wright@example.net", "mails the link again"] {
        assert!(console.screen().contains(part), "{part}: {}", console.screen());
    }
    console.press("Down Enter");
    let reason = "they asked for it".to_owned();
    let asked = Effect::Act(Act::Reasoned { what: Reasoned::Unlist, id: VerificationId(49_989), reason });
    assert_eq!(console.asked, [asked]);
    console.serve(&world);
    console.run(&world, "Esc k L");
    assert!(console.model.dialog.is_none());
    assert!(console.model.toasts.last().unwrap().what.starts_with("No user has this address"));
}

#[test]
fn an_address_is_put_on() {
    let world = world(rows(), Some(list(6)));
    for (width, height) in [(80, 24), (20, 5)] {
        let mut console = open(&world, width, height);
        console.run(&world, "a");
        console.press("Enter");
        assert!(console.take_asked().is_empty());
        console.type_text("mina kim");
        console.press("Enter");
        snapshot("add_wrong", &console);
        for _ in 0..8 {
            console.press("Backspace");
        }
        console.type_text("Mina@example.com");
        snapshot("add", &console);
        console.press("Tab");
        console.type_text("a trap");
        console.press("Enter Enter");
        assert_eq!(console.asked, [change("Mina@example.com", ListChange::Add(Listing::Bounce), "a trap")]);
        let problem = Problem { what: "too much waits already\u{1b}[2J".into(), ..Problem::default() };
        console.send(Msg::Acted(Acted::ListChangeAsked {
            address: EmailAddress::parse("Mina@example.com").unwrap(),
            change: ListChange::Add(Listing::Bounce),
            answer: Err(problem),
        }));
        assert!(console.screen().contains("too much waits"), "{}", console.screen());
    }
}

#[test]
fn it_is_read_again_where_an_act_has_ended_or_the_list_was_read() {
    let mut world = world(rows(), Some(list(6)));
    let mut console = open(&world, 80, 24);
    console.run(&world, "j");
    assert!(console.screen().contains("remove: waits"), "{}", console.screen());
    world.suppressed[1].act = Some(AccountAct {
        permission: Some("ses:DeleteSuppressedDestination".into()),
        ..act(ActKind::Remove, "minji.kim@example.com", ActState::Failed)
    });
    console.send(Msg::Changed(vec![Change::Account]));
    console.serve(&world);
    assert!(console.screen().contains("remove: not allowed"), "{}", console.screen());
    assert_eq!(selected(&console), "minji.kim@example.com");
    // Then it is off the list: the row goes, and the next one is selected.
    world.suppressed.remove(1);
    world.suppression_list = Some(list(5));
    console.send(Msg::Changed(vec![Change::Account]));
    console.serve(&world);
    assert!(
        !console.screen().contains("minji.kim") && console.screen().contains("5 addresses"),
        "{}",
        console.screen()
    );
    assert_eq!(selected(&console), "sean@example.net");
    // Of what else changes it does not know.
    console.take_asked();
    console.send(Msg::Changed(vec![Change::Outbox]));
    let is_asked = |console: &mut Console| {
        console.take_asked().iter().any(|effect| matches!(effect, Effect::Load(Load::Suppressed { .. })))
    };
    assert!(!is_asked(&mut console));
    // Where it is not shown it is read once it is.
    console.run(&world, "m");
    console.take_asked();
    console.send(Msg::Changed(vec![Change::Account]));
    assert!(!is_asked(&mut console));
    console.press("S L");
    assert!(is_asked(&mut console));
}

#[test]
fn far_down_the_row_stays_where_it_is_and_its_neighbour_follows_it() {
    let mut world = many(350);
    let mut console = open(&world, 80, 24);
    for _ in 0..12 {
        console.run(&world, "PgDn");
    }
    let before = selected(&console);
    let screen = |console: &Console| console.screen().lines().skip(3).take(18).map(str::to_owned).collect::<Vec<_>>();
    let place = screen(&console).iter().position(|line| line.contains(&before));
    console.send(Msg::Changed(vec![Change::Account]));
    console.serve(&world);
    assert_eq!(selected(&console), before);
    let at = world.suppressed.iter().position(|row| row.address.raw() == before).unwrap();
    let next = world.suppressed[at + 1].address.raw().to_owned();
    world.suppressed.remove(at);
    console.send(Msg::Changed(vec![Change::Account]));
    console.serve(&world);
    assert_eq!(selected(&console), next, "{place:?}\n{}", console.screen());
    assert!(screen(&console).iter().any(|line| line.contains(&next)));
}

#[test]
fn its_age_is_told_as_it_grows() {
    let world = world(rows(), Some(list(6)));
    let mut console = open(&world, 80, 24);
    assert!(console.screen().contains("read 6 min ago"), "{}", console.screen());
    let later: Time = now() + Duration::seconds(3 * HOUR);
    while console.next_deadline().is_some_and(|due| due < later) {
        let due = console.next_deadline().unwrap();
        console.send(Msg::Clock(due));
    }
    assert!(console.screen().contains("by no worker since"), "{}", console.screen());
}
