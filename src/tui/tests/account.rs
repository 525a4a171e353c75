//! The view of the account: what it shows in each state, and when it is read.

use chrono::Duration;

use super::fixture::{Console, DAY, HOUR, World, ago, now};
use super::picture::picture;
use crate::domain::account::act::{AccountAct, ActKind, ActState, Came};
use crate::domain::account::flow::{DAYS, Day, DomainFunnel, Funnel};
use crate::domain::account::rates::{AwsRate, AwsRates};
use crate::domain::account::suppression_list::{ListedAddress, SuppressionList};
use crate::domain::account::view::AccountView;
use crate::domain::account::{
    CallTrouble, ConfigurationSet, EventDestination, Figures, Identities, Identity, IdentityDetail, ListedIdentity,
    NEEDED, Panel, PanelKind,
};
use crate::domain::amazon::{AccountStanding, SesAccount};
use crate::domain::change::Change;
use crate::domain::id::AccountActId;
use crate::domain::pace::PaceView;
use crate::domain::reputation::{Hour, Rate, Reputation};
use crate::text::Untrusted;
use crate::tui::effect::{Load, Loaded, Problem, TerminalCommand};
use crate::tui::model::View;
use crate::tui::screen::layout;
use crate::tui::{ColourDepth, Effect, Msg, Theme};

const SENDER: &str = "no-reply@haru-books.example";

fn snapshot(name: &str, console: &Console) {
    let (width, height) = console.model.size;
    for (end, theme) in [("", Theme::new(ColourDepth::Sixteen, true)), ("_ascii", Theme::new(ColourDepth::None, false))]
    {
        insta::assert_snapshot!(format!("account_{name}_{width}x{height}{end}"), picture(&console.model, &theme));
    }
}

fn own_data() -> AccountView {
    let rate = |count, limit| Rate { count, of: 1_000, limit };
    let day = |n: i64| Day {
        accepted: n * n * 17 % 2_900 + 400,
        delivered: n * n * 17 % 2_900 + 370,
        bounced: n * 3 % 17 + 4,
        complained: n / 9,
        rejected: n / 13,
    };
    let hour = |n: i64| Hour { sent: n * 37 % 160 + 20, bounced: n % 5 / 3, complained: n / 23, failed: n / 22 };
    AccountView {
        as_of: now(),
        pace: PaceView { limit: 10.0, rate: 10.0, daily_quota: Some(40_000), used: 21_205, ..PaceView::default() },
        reputation: Reputation {
            sends: 1_000,
            window: 1_000,
            bounces: rate(29, 0.05),
            complaints: rate(1, 0.003),
            hours: (0..24).map(hour).collect(),
        },
        days: (0..14).map(day).collect(),
        funnel: Funnel {
            made: 2_000,
            most: 2_000,
            accepted: 1_985,
            delivered: 1_931,
            opened: 1_702,
            verified: 1_688,
            to_open: Some((74.0, 9_700.0)),
            to_verify: Some((81.0, 11_400.0)),
        },
        domains: vec![
            domain("naver.com", [812, 806, 801, 722, 717], Some((64.0, 5_000.0))),
            domain("gmail.com", [640, 638, 634, 580, 577], Some((92.0, 12_000.0))),
            // Arrives, and no one sees it.
            domain("hanmail.net", [94, 94, 93, 9, 9], Some((40_000.0, 90_000.0))),
            domain("xn--bcher-kva.example", [41, 0, 0, 0, 0], None),
            domain("a-very-long-name-of-a-domain-with-many-labels.example.org", [3, 3, 3, 3, 3], Some((41.0, 41.0))),
        ],
        ..AccountView::default()
    }
}

fn domain(
    name: &str,
    [made, accepted, delivered, opened, verified]: [i64; 5],
    to_verify: Option<(f64, f64)>,
) -> DomainFunnel {
    let funnel = Funnel { made, most: 2_000, accepted, delivered, opened, verified, to_open: None, to_verify };
    DomainFunnel { domain: name.into(), funnel }
}

fn identity(tokens: &[&str]) -> Identity {
    Identity {
        is_verified: true,
        verification: "SUCCESS".into(),
        dkim_signs: true,
        dkim: "SUCCESS".into(),
        dkim_tokens: tokens.iter().copied().map(Untrusted::from).collect(),
        mail_from: "bounce.haru-books.example".into(),
        mail_from_status: "SUCCESS".into(),
        ..Identity::default()
    }
}

fn panel(kind: PanelKind, subject: &str, figures: Figures) -> Panel {
    Panel { kind, subject: subject.into(), asked_at: ago(95), answer: Some((ago(95), figures)), trouble: None }
}

fn rates(bounces: f64, complaints: f64) -> Figures {
    let rate = |part| Some(AwsRate { part, at: ago(50 * 60) });
    Figures::Rates(AwsRates { bounces: rate(bounces), complaints: rate(complaints) })
}

fn production() -> AccountView {
    let listed = |name: &str, kind: &str, can_send| ListedIdentity {
        name: name.into(),
        kind: kind.into(),
        can_send,
        verification: if can_send { "SUCCESS" } else { "PENDING" }.into(),
    };
    let to_desk = EventDestination {
        name: "desk".into(),
        is_on: true,
        events: NEEDED.iter().copied().map(Untrusted::from).collect(),
        topic: "arn:aws:sns:ap-northeast-2:123456789012:ses-events".into(),
        bus: "".into(),
    };
    AccountView {
        account: Some(SesAccount {
            standing: Some(AccountStanding {
                seen_at: ago(30),
                region: "ap-northeast-2".into(),
                is_sandbox: false,
                can_send: true,
                enforcement: "HEALTHY".into(),
                rate_max: 14.0,
                daily_max: Some(50_000.0),
                sent: 31_245.0,
                sent_by_others: 4_100,
                review: "GRANTED".into(),
            }),
            ..SesAccount::default()
        }),
        panels: vec![
            panel(PanelKind::Sender, SENDER, Figures::Absent),
            panel(PanelKind::Domain, "haru-books.example", Figures::Identity(identity(&["a1", "b2", "c3"]))),
            panel(
                PanelKind::Identities,
                "",
                Figures::Identities(Identities {
                    listed: vec![
                        listed("haru-books.example", "DOMAIN", true),
                        listed("mina@example.net", "EMAIL_ADDRESS", false),
                    ],
                    has_more: false,
                }),
            ),
            panel(
                PanelKind::ConfigurationSet,
                "verifydesk",
                Figures::ConfigurationSet(ConfigurationSet {
                    can_send: true,
                    tls: "REQUIRE".into(),
                    has_reputation_metrics: true,
                    suppressed: None,
                }),
            ),
            panel(PanelKind::EventDestinations, "verifydesk", Figures::EventDestinations(vec![to_desk])),
            panel(PanelKind::Rates, "", rates(0.021, 0.0004)),
        ],
        ..own_data()
    }
}

fn added(name: &str, came: Option<Came>) -> AccountAct {
    AccountAct {
        id: AccountActId(7),
        kind: ActKind::AddIdentity,
        address: name.to_lowercase().into(),
        identity: Some(name.into()),
        listing: None,
        mail_again: None,
        reason: None,
        actor: "mina@bastion".into(),
        origin: "console".into(),
        asked_at: ago(70),
        state: match came {
            None => ActState::Waiting,
            Some(Came::Failed) => ActState::Failed,
            Some(_) => ActState::Done,
        },
        attempts: 1,
        ended_at: came.map(|_| ago(65)),
        came,
        error: None,
        permission: None,
        send_id: None,
        not_mailed: None,
    }
}

/// Someone lets themselves be mailed in the sandbox, and adds a domain.
fn adding() -> AccountView {
    let mut view = sandbox();
    let Some((_, Figures::Identities(all))) = &mut view.panels[2].answer else { panic!() };
    all.listed.push(ListedIdentity {
        name: "shop.example".into(),
        kind: "DOMAIN".into(),
        can_send: false,
        verification: "PENDING".into(),
    });
    let new = Identity {
        is_verified: false,
        verification: "PENDING".into(),
        dkim: "PENDING".into(),
        mail_from: "bounce.shop.example".into(),
        mail_from_status: "PENDING".into(),
        ..identity(&["x4zq3v5t2m7gk6sfy2hjd5wq7oklxb2n", "e5", "f6"])
    };
    view.waiting = vec![IdentityDetail { name: "shop.example".into(), answer: Some((ago(50), new)), trouble: None }];
    view.added = vec![
        AccountAct { permission: Some("ses:CreateEmailIdentity".into()), ..added("x.example", Some(Came::Failed)) },
        added("jun@example.net", None),
        added("Mina@example.net", Some(Came::Done)),
        added("shop.example", Some(Came::Exists)),
    ];
    view
}

/// The suppression list is long.
fn long_list() -> AccountView {
    let one = |address: &str, reason: &str, age| ListedAddress {
        address: address.into(),
        reason: reason.into(),
        since: ago(age),
    };
    AccountView {
        list: Some(SuppressionList {
            newest: vec![
                one("minji.kim@example.com", "BOUNCE", 2 * HOUR),
                one("sean@example.net", "COMPLAINT", DAY),
                one("a\u{1b}[2J@example.net", "BOUNCE", 3 * DAY),
            ],
            count: 10_000,
            is_full: true,
            read_at: Some(ago(400)),
            goes_back_to: Some(ago(90 * DAY)),
            trouble: None,
        }),
        ..production()
    }
}

/// AWS has a rate where we have too few mails for one, and the other way round.
fn few_mails() -> AccountView {
    let mut view = production();
    view.reputation.sends = 12;
    (view.reputation.bounces.of, view.reputation.bounces.count, view.reputation.complaints.of) = (12, 2, 12);
    let Some((_, Figures::Rates(rates))) = &mut view.panels[5].answer else { panic!() };
    (rates.bounces, rates.complaints) = (rates.bounces.map(|it| AwsRate { part: 0.031, ..it }), None);
    view
}

fn standing(view: &mut AccountView) -> &mut AccountStanding {
    view.account.as_mut().and_then(|account| account.standing.as_mut()).unwrap()
}

fn sandbox() -> AccountView {
    let mut view = production();
    let account = standing(&mut view);
    (account.is_sandbox, account.rate_max, account.review) = (true, 1.0, "PENDING".into());
    (account.daily_max, account.sent, account.sent_by_others) = (Some(200.0), 176.0, 0);
    (view.pace.limit, view.pace.rate, view.pace.daily_quota, view.pace.used) = (1.0, 1.0, Some(200), 176);
    let waiting = Identity {
        is_verified: false,
        verification: "PENDING".into(),
        verification_error: "HOST_NOT_FOUND".into(),
        dkim: "PENDING".into(),
        mail_from: Untrusted::default(),
        ..identity(&["yx6yzkqcbmxbl5nhvkgqlhlnbhyhjyrw", "b2", "c3"])
    };
    view.panels[1].answer = Some((ago(95), Figures::Identity(waiting)));
    view.panels.truncate(3);
    view
}

fn probation() -> AccountView {
    let mut view = production();
    standing(&mut view).enforcement = "PROBATION".into();
    view.reputation.bounces.count = 71;
    view.reputation.complaints.count = 6;
    view.panels[5].answer = Some((ago(95), rates(0.083, 0.0021)));
    view.panels[4].answer = Some((
        ago(95),
        Figures::EventDestinations(vec![EventDestination {
            name: "metrics\u{1b}[2J".into(),
            is_on: true,
            events: vec!["BOUNCE".into(), "CLICK".into()],
            topic: "".into(),
            bus: "".into(),
        }]),
    ));
    view
}

fn missing_rights() -> AccountView {
    let mut view = production();
    let denied = "403 AccessDeniedException User: arn:aws:iam::123456789012:user/desk is not authorized";
    view.account = Some(SesAccount {
        standing: None,
        error: Some((denied.into(), ago(340))),
        permission: Some("ses:GetAccount".into()),
    });
    for at in [1, 3, 4, 5] {
        let permission = Some(view.panels[at].kind.permission().into());
        view.panels[at].trouble = Some(CallTrouble { text: denied.into(), since: ago(2 * HOUR), permission });
    }
    view
}

fn stale() -> AccountView {
    let mut view = production();
    standing(&mut view).seen_at = ago(3 * HOUR);
    for panel in &mut view.panels {
        panel.answer.as_mut().unwrap().0 = ago(3 * HOUR);
    }
    view.panels[2].trouble =
        Some(CallTrouble { text: "no answer in time".into(), since: ago(DAY / 8), permission: None });
    view
}

/// Everything that AWS may write is this.
pub(super) fn of(text: &str) -> AccountView {
    let mut view = probation();
    let trouble = || Some(CallTrouble { text: text.into(), since: ago(HOUR), permission: None });
    {
        let account = standing(&mut view);
        (account.region, account.enforcement, account.review) = (text.into(), text.into(), text.into());
        (account.sent, account.daily_max, account.rate_max) = (f64::NAN, Some(f64::INFINITY), -1.0);
    }
    view.account.as_mut().unwrap().error = Some((text.into(), ago(HOUR)));
    let identity = Identity {
        is_verified: false,
        verification: text.into(),
        verification_error: text.into(),
        dkim: text.into(),
        dkim_tokens: vec![text.into(); 3],
        mail_from: text.into(),
        mail_from_status: text.into(),
        configuration_set: text.into(),
        ..identity(&[])
    };
    let listed = ListedIdentity { name: text.into(), kind: text.into(), can_send: false, verification: text.into() };
    let set = ConfigurationSet {
        can_send: false,
        tls: text.into(),
        has_reputation_metrics: false,
        suppressed: Some(vec![text.into()]),
    };
    let to = EventDestination {
        name: text.into(),
        is_on: true,
        events: vec![text.into()],
        topic: text.into(),
        bus: text.into(),
    };
    let figures = [
        Figures::Identity(identity.clone()),
        Figures::Identity(identity),
        Figures::Identities(Identities { listed: vec![listed; 12], has_more: true }),
        Figures::ConfigurationSet(set),
        Figures::EventDestinations(vec![to]),
        rates(f64::NAN, f64::INFINITY),
    ];
    for (panel, figures) in view.panels.iter_mut().zip(figures) {
        (panel.subject, panel.answer, panel.trouble) = (text.into(), Some((ago(DAY), figures)), trouble());
    }
    let refused = view.panels[4].trouble.as_mut().unwrap();
    refused.permission = Some(text.into());
    let waiting = Identity { dkim_tokens: vec![text.into(); 3], mail_from: text.into(), ..Identity::default() };
    view.waiting = vec![IdentityDetail { name: text.into(), answer: Some((ago(DAY), waiting)), trouble: trouble() }];
    view.list = Some(SuppressionList {
        newest: vec![ListedAddress { address: text.into(), reason: text.into(), since: ago(DAY) }],
        trouble: trouble(),
        ..long_list().list.unwrap()
    });
    view.added = vec![
        AccountAct { actor: text.into(), error: Some(text.into()), ..added(text, None) },
        added(text, Some(Came::Done)),
    ];
    view
}

fn console(view: AccountView, width: u16, height: u16) -> (Console, World) {
    let world = World { account: view, ..World::default() };
    let mut console = Console::new(width, height);
    console.serve(&world);
    console.run(&world, "S");
    (console, world)
}

/// What the account is like.
type Account = fn() -> AccountView;

const STATES: [(&str, Account); 9] = [
    ("no_aws", own_data),
    ("sandbox", sandbox),
    ("production", production),
    ("probation", probation),
    ("missing_rights", missing_rights),
    ("stale", stale),
    ("adding", adding),
    ("listed", long_list),
    ("few_mails", few_mails),
];

#[test]
fn each_state_at_each_size() {
    for (name, view) in STATES {
        assert_eq!(view().days.len(), DAYS);
        for (width, height) in [(80, 24), (120, 40)] {
            snapshot(name, &console(view(), width, height).0);
        }
    }
    for (name, view) in STATES[..3].iter().chain(&STATES[6..8]) {
        for (width, height) in [(20, 5), (40, 10), (200, 60)] {
            snapshot(name, &console(view(), width, height).0);
        }
    }
}

/// On one long screen, in the widths where it is one column.
#[test]
fn all_of_it_below_each_other() {
    for (width, height) in [(80, 84), (40, 120)] {
        for (name, view) in [STATES[1], STATES[2], STATES[6], STATES[7]] {
            snapshot(name, &console(view(), width, height).0);
        }
    }
}

#[test]
fn the_rest_is_scrolled_to() {
    let (mut narrow, world) = console(production(), 80, 24);
    narrow.run(&world, "G");
    snapshot("scrolled", &narrow);
    assert!(narrow.screen().contains("all that the desk needs is published"), "{}", narrow.screen());
    narrow.run(&world, "g");
    assert!(narrow.screen().contains("healthy"), "{}", narrow.screen());
    narrow.run(&world, "j j PgDn k");
    assert_eq!(narrow.model.account.scroll, 1 + usize::from(layout::whole(&narrow.model).pane.height - 1));
}

/// Where it was read before, it stays, and what is wrong stands above it.
#[test]
fn why_it_cannot_be_read() {
    let problem = Problem {
        what: "permission denied for table ses_account\u{1b}[2J".into(),
        hint: "ask for the role verifydesk_viewer".into(),
        ..Problem::default()
    };
    let failed = || Msg::Loaded(Loaded::Account { took: Duration::zero(), answer: Err(problem.clone()) });
    for (width, height) in [(80, 24), (20, 5)] {
        let (mut first, _) = Console::loaded(width, height);
        first.press("S");
        first.send(failed());
        snapshot("error", &first);
        let (mut again, world) = console(own_data(), width, height);
        again.send(failed());
        snapshot("error_again", &again);
        assert!(again.model.toasts.is_empty());
        again.run(&world, "R");
        assert!(!again.screen().contains("denied"), "{}", again.screen());
    }
}

#[test]
fn the_command_and_what_has_to_be_in_dns_are_copied() {
    let (mut with, world) = console(sandbox(), 120, 40);
    with.run(&world, "y");
    snapshot("copy", &with);
    with.take_asked();
    with.press("2");
    let record = "yx6yzkqcbmxbl5nhvkgqlhlnbhyhjyrw._domainkey.haru-books.example CNAME \
                  yx6yzkqcbmxbl5nhvkgqlhlnbhyhjyrw.dkim.amazonses.com";
    assert!(with.take_asked().contains(&Effect::Terminal(TerminalCommand::Copy(record.into()))));
    let (mut adding, world) = console(adding(), 200, 60);
    adding.run(&world, "y");
    snapshot("copy_adding", &adding);
    adding.take_asked();
    adding.press("9");
    let record = "bounce.shop.example MX 10 feedback-smtp.ap-northeast-2.amazonses.com";
    assert!(adding.take_asked().contains(&Effect::Terminal(TerminalCommand::Copy(record.into()))));
    let (mut without, world) = console(own_data(), 80, 24);
    without.run(&world, "y");
    without.take_asked();
    without.press("Enter");
    let command = Effect::Terminal(TerminalCommand::Copy("verifydesk account --json".into()));
    assert!(without.take_asked().contains(&command));
}

/// A question, and what is wrong with the answer.
#[test]
fn an_identity_is_asked_for() {
    for (width, height) in [(80, 24), (200, 60), (20, 5)] {
        let (mut adding, world) = console(sandbox(), width, height);
        adding.run(&world, "a");
        adding.type_text("mina kim");
        snapshot("add", &adding);
        adding.press("Enter");
        snapshot("add_wrong", &adding);
    }
}

#[test]
fn before_it_is_read_it_says_so() {
    for (width, height) in [(80, 24), (120, 40), (200, 60)] {
        let (mut console, _) = Console::loaded(width, height);
        console.press("S");
        snapshot("loading", &console);
    }
}

#[test]
fn it_is_read_while_it_is_shown_and_not_too_often() {
    let (mut console, world) = Console::loaded(80, 24);
    console.take_asked();
    console.press("S");
    let is_asked = |console: &mut Console| console.take_asked().contains(&Effect::Load(Load::Account));
    assert!(is_asked(&mut console));
    // One that is under way is enough.
    console.send(Msg::Changed(vec![Change::Outbox]));
    assert!(!is_asked(&mut console));
    console.send(Msg::Loaded(Loaded::Account { took: Duration::zero(), answer: Ok(Box::new(production())) }));
    assert_eq!(console.model.view, View::Account);
    console.send(Msg::Changed(vec![Change::Outbox]));
    assert!(!is_asked(&mut console), "not at once");
    console.send(Msg::Clock(now() + Duration::seconds(6)));
    assert!(is_asked(&mut console));
    let problem = Problem { what: "permission denied".into(), ..Problem::default() };
    console.send(Msg::Loaded(Loaded::Account { took: Duration::zero(), answer: Err(problem) }));
    assert!(console.screen().contains("permission denied"), "{}", console.screen());
    // Elsewhere no one asks.
    console.run(&world, "m");
    console.send(Msg::Clock(now() + Duration::minutes(9)));
    assert!(!is_asked(&mut console));
}
