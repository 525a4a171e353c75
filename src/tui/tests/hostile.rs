//! Random messages, keys, sizes and strings: nothing panics, and nothing dangerous gets into the buffer.

use proptest::prelude::*;

use super::fixture::{Console, World, endpoint, job, job_plan, now};
use super::picture::{drawn, text};
use super::{account, suppressed};
use crate::doctor::{CHECKS, Finding};
use crate::domain::brake::{Brake, BrakeCause, BrakeState};
use crate::domain::change::Change;
use crate::domain::filter::{Filter, Search};
use crate::domain::id::VerificationId;
use crate::domain::job::{JobScope, JobState};
use crate::tui::effect::{Act, Acted, Bench, Benched, Load, Loaded, Problem, TerminalCommand};
use crate::tui::{ColourDepth, Effect, Msg, Theme};

const KEYS: [&str; 56] = [
    "a",
    "O",
    "j",
    "k",
    "g",
    "G",
    "h",
    "l",
    "m",
    "t",
    "r",
    "v",
    "n",
    "R",
    "L",
    "?",
    "/",
    "y",
    "q",
    "x",
    "o",
    "u",
    "S",
    "p",
    "B",
    "D",
    "P",
    "U",
    "3",
    "1",
    "2",
    "5",
    "9",
    "[",
    "]",
    "Enter",
    "Esc",
    "Tab",
    "Shift-Tab",
    "Up",
    "Down",
    "Left",
    "Right",
    "PgUp",
    "PgDn",
    "Home",
    "End",
    "Backspace",
    "Space",
    "ctrl-c",
    "ctrl-z",
    "ctrl-l",
    "ctrl-o",
    "ctrl-w",
    "가",
    "😀",
];

#[derive(Clone, Debug)]
enum Step {
    Key(usize),
    Paste(String),
    Size(u16, u16),
    Clock(i64),
    Changed(i64),
    Answer,
    Fail,
    Away,
    Back,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        12 => (0..KEYS.len()).prop_map(Step::Key),
        1 => any::<String>().prop_map(Step::Paste),
        2 => (0u16..140, 0u16..50).prop_map(|(w, h)| Step::Size(w, h)),
        1 => (-1_000_000i64..1_000_000).prop_map(Step::Clock),
        1 => (49_980i64..50_000).prop_map(Step::Changed),
        6 => Just(Step::Answer),
        1 => Just(Step::Fail),
        1 => Just(Step::Away),
        1 => Just(Step::Back),
    ]
}

fn is_dangerous(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{61c}')
}

fn check(console: &Console) {
    for theme in [Theme::new(ColourDepth::Sixteen, true), Theme::new(ColourDepth::None, false)] {
        let buffer = drawn(&console.model, &theme);
        for cell in buffer.content() {
            assert!(!cell.symbol().chars().any(is_dangerous), "{:?} in\n{}", cell.symbol(), text(&buffer));
        }
    }
}

/// A world in which everything that strangers write is this.
fn world_of(text: &str) -> World {
    let mut world = World::default();
    for row in &mut world.rows {
        row.user.email = text.into();
        row.user.name = text.into();
    }
    for send in &mut world.sends {
        send.recipient = text.into();
        send.reply = Some(text.into());
        send.reason = Some(text.into());
        send.ses_id = Some(text.into());
    }
    for row in &mut world.audit {
        let entry = &mut row.entry;
        (row.email, row.new_email) = (Some(text.into()), Some(text.into()));
        (entry.actor, entry.origin, entry.action, entry.outcome) = (text.into(), text.into(), text.into(), text.into());
        (entry.reason, entry.login, entry.client) = (Some(text.into()), Some(text.into()), Some(text.into()));
        entry.before = Some(serde_json::json!({ "email": text, text: text }).to_string().into());
        row.after = entry.before.clone();
    }
    for worker in &mut world.outbox.workers {
        worker.host = text.into();
        worker.target = text.into();
        worker.transport = "capture".into();
        worker.last_error = Some(text.into());
    }
    world.outbox.brake = Some(Brake {
        state: BrakeState::Paused,
        cause: BrakeCause::Configuration,
        set_by: text.into(),
        reason: text.into(),
        set_at: now(),
        until: Some(now() + chrono::Duration::seconds(90)),
        probe_at: None,
        as_of: now(),
    });
    let mut job = job(1, JobState::Running);
    job.created_by = text.into();
    job.reason = Some(text.into());
    job.scope = JobScope::Filter(Filter { search: Search::parse(text), ..Filter::default() });
    world.outbox.jobs = vec![job];
    world.outbox.hooks = vec![endpoint("site", 3, 2)];
    world.outbox.hooks[0].name = text.into();
    (world.outbox.hooks[0].error, world.outbox.hooks[0].failing_since) = (Some(text.into()), Some(now()));
    for delivery in &mut world.given_up {
        (delivery.kind, delivery.endpoint, delivery.error) = (text.into(), text.into(), Some(text.into()));
    }
    world.account = account::of(text);
    world.suppressed = suppressed::of(text);
    world.suppression_list = world.account.list.clone();
    let mut plan = job_plan(3, 4);
    plan.first = vec![text.into(); 3];
    world.job_plan = Ok(plan);
    world
}

fn fail(console: &mut Console, text: &str) {
    let problem = || Problem { what: text.into(), hint: text.into(), away: false, possible_at: Some(now()) };
    for effect in console.take_asked() {
        let msg = match effect {
            Effect::Load(Load::Page { generation, .. }) => {
                Msg::Loaded(Loaded::Page { generation, answer: Err(problem()) })
            }
            Effect::Load(Load::Sends { generation, .. }) => {
                Msg::Loaded(Loaded::Sends { generation, answer: Err(problem()) })
            }
            Effect::Load(Load::Audit { generation, .. }) => {
                Msg::Loaded(Loaded::Audit { generation, answer: Err(problem()) })
            }
            Effect::Load(Load::Suppressed { generation, .. }) => {
                Msg::Loaded(Loaded::Suppressed { generation, answer: Err(problem()) })
            }
            Effect::Act(Act::ChangeList { address, change, .. }) => {
                Msg::Acted(Acted::ListChangeAsked { address, change, answer: Err(problem()) })
            }
            Effect::Load(Load::Job { id }) => {
                Msg::Loaded(Loaded::Job { id, took: chrono::Duration::zero(), answer: Err(problem()) })
            }
            Effect::Load(Load::NearMisses { search }) => {
                Msg::Loaded(Loaded::NearMisses { search, answer: Err(problem()) })
            }
            Effect::Load(Load::VerificationHits { filter }) => {
                Msg::Loaded(Loaded::VerificationHits { filter, answer: Err(problem()) })
            }
            Effect::Load(Load::SendHits { filter }) => Msg::Loaded(Loaded::SendHits { filter, answer: Err(problem()) }),
            Effect::Load(Load::Counts) => Msg::Loaded(Loaded::Counts(Err(problem()))),
            Effect::Load(Load::Rights) => Msg::Loaded(Loaded::Rights(Err(problem()))),
            Effect::Load(Load::Account) => {
                Msg::Loaded(Loaded::Account { took: chrono::Duration::zero(), answer: Err(problem()) })
            }
            Effect::Load(Load::Outbox) => Msg::Loaded(Loaded::Outbox(Err(problem()))),
            Effect::Load(Load::Detail { id }) => Msg::Loaded(Loaded::Detail { id, answer: Err(problem()) }),
            Effect::Load(Load::Rows { ids }) => Msg::Loaded(Loaded::Rows { asked: ids, answer: Err(problem()) }),
            Effect::Load(Load::Newer { generation, .. }) => {
                Msg::Loaded(Loaded::Newer { generation, answer: Err(problem()) })
            }
            Effect::Bench(Bench::List) => Msg::Bench(Benched::Listed(Err(problem()))),
            Effect::Bench(Bench::Prove { order, generation }) => {
                Msg::Bench(Benched::Proved { order, generation, answer: Err(problem()) })
            }
            Effect::Bench(Bench::TestSend { generation, .. }) => {
                Msg::Bench(Benched::TestSent { generation, answer: Err(problem()) })
            }
            Effect::Bench(Bench::Eject { .. }) => Msg::Bench(Benched::Ejected(Err(problem()))),
            Effect::Bench(Bench::StartPage) => Msg::Bench(Benched::PageStarted(Err(problem()))),
            Effect::Bench(Bench::Check) => Msg::Bench(Benched::Checked(Err(problem()))),
            Effect::Terminal(TerminalCommand::Edit { .. }) => Msg::Edited(Err(problem())),
            Effect::Bench(Bench::Watch) => Msg::Bench(Benched::FilesChanged),
            Effect::Load(Load::ResendPlan { id }) => Msg::Loaded(Loaded::ResendPlan { id, answer: Err(problem()) }),
            Effect::Act(Act::Resend { id, .. }) => Msg::Acted(Acted::Resent { id, answer: Err(problem()) }),
            Effect::Act(Act::Reasoned { what, id, .. }) => {
                Msg::Acted(Acted::Reasoned { what, id, answer: Err(problem()) })
            }
            Effect::Act(Act::ChangeAddress { id, .. }) => {
                Msg::Acted(Acted::AddressChanged { id, answer: Err(problem()) })
            }
            Effect::Act(Act::Delete { id, .. }) => Msg::Acted(Acted::Deleting { id, answer: Err(problem()) }),
            Effect::Act(Act::SignUp(_)) => Msg::Acted(Acted::SignedUp(Err(problem()))),
            Effect::Load(Load::JobPlan { generation, .. }) => {
                Msg::Loaded(Loaded::JobPlan { generation, answer: Err(problem()) })
            }
            Effect::Load(Load::Export { generation, .. }) => {
                Msg::Loaded(Loaded::Exported { generation, answer: Err(problem()) })
            }
            Effect::Act(Act::StartJob { .. }) => Msg::Acted(Acted::JobStarted(Err(problem()))),
            Effect::Act(Act::ChangeJob { id, change }) => {
                Msg::Acted(Acted::JobChanged { id, change, answer: Err(problem()) })
            }
            Effect::Act(Act::SetBrake { change, .. }) => Msg::Acted(Acted::BrakeSet { change, answer: Err(problem()) }),
            Effect::Act(Act::DecideTopic { topic, is_approved }) => {
                Msg::Acted(Acted::TopicDecided { topic, is_approved, answer: Err(problem()) })
            }
            Effect::Act(Act::AddIdentity { name, .. }) => {
                Msg::Acted(Acted::IdentityAsked { name, answer: Err(problem()) })
            }
            Effect::Act(Act::RetryWebhooks) => Msg::Acted(Acted::WebhooksRetried(Err(problem()))),
            Effect::Load(Load::Doctor { generation }) => {
                let found = (&CHECKS[0], Finding::red(text, text));
                console.send(Msg::Loaded(Loaded::Found { generation, found }));
                Msg::Loaded(Loaded::Looked { generation, answer: Ok(()) })
            }
            Effect::Load(Load::GivenUp) => Msg::Loaded(Loaded::GivenUp(Err(problem()))),
            Effect::Act(Act::Undo { which }) => Msg::Acted(Acted::Undone { which, answer: Err(problem()) }),
            Effect::Bench(Bench::StopPage)
            | Effect::Terminal(
                TerminalCommand::Copy(_) | TerminalCommand::Repaint | TerminalCommand::Suspend | TerminalCommand::Quit,
            )
            | Effect::Load(Load::ForgetJobPlan | Load::ForgetExport | Load::Reconnect) => continue,
        };
        console.send(msg);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn nothing_panics_and_nothing_dangerous_is_drawn(
        text in any::<String>(),
        steps in prop::collection::vec(step(), 1..40),
        width in 0u16..140,
        height in 0u16..50,
    ) {
        let world = world_of(&text);
        let mut console = Console::new(width, height);
        check(&console);
        for step in steps {
            match step {
                Step::Key(n) => console.press(KEYS[n]),
                Step::Paste(text) => console.send(Msg::Paste(text)),
                Step::Size(width, height) => console.send(Msg::Resize { width, height }),
                Step::Clock(seconds) => console.send(Msg::Clock(now() + chrono::Duration::seconds(seconds))),
                Step::Changed(id) => console.send(Msg::Changed(vec![Change::Verification(VerificationId(id))])),
                Step::Answer => console.serve(&world),
                Step::Fail => fail(&mut console, &text),
                Step::Away => {
                    let problem = Problem { what: text.clone(), hint: text.clone(), away: true, possible_at: None };
                    console.send(Msg::DatabaseAway { problem, retry_at: now() + chrono::Duration::seconds(3) });
                }
                Step::Back => console.send(Msg::DatabaseBack),
            }
            if let Some(deadline) = console.next_deadline() {
                prop_assert!(deadline + console.model.skew > console.model.now);
            }
            check(&console);
        }
    }

    #[test]
    fn a_template_may_say_anything(text in any::<String>(), modes in prop::collection::vec(0usize..16, 1..8)) {
        let (mut console, mut world) = Console::loaded(150, 24);
        let dir = tempfile::tempdir().unwrap();
        let place = dir.path().join("en/verification");
        std::fs::create_dir_all(&place).unwrap();
        for file in ["subject.txt", "body.txt", "body.html"] {
            std::fs::write(place.join(file), &text).unwrap();
        }
        world.settings.templates.dir = Some(dir.path().to_owned());
        console.run(&world, "t L");
        check(&console);
        for mode in modes {
            console.run(&world, ["1", "2", "3", "4", "5", "6", "7", "8", "9", "d", "a", "G", "s", "w", ">", "f"][mode]);
            check(&console);
        }
    }
}

#[test]
fn every_size_has_a_picture() {
    let world = World::default();
    for keys in [
        "",
        "j j j j Enter",
        "m",
        "m Enter",
        "o",
        "o Enter",
        "o P",
        "B",
        "t",
        "t 2",
        "t 3",
        "t 4",
        "t 5",
        "t 6",
        "t 7",
        "t 8",
        "t 9",
        "r",
        "v Enter",
        "n",
        "?",
        "/ z",
        "2 r",
    ] {
        let (mut console, world) = (Console::new(80, 24), &world);
        console.serve(world);
        console.run(world, keys);
        for (width, height) in
            (0..=12).flat_map(|w| (0..=12).map(move |h| (w, h))).chain([(40, 10), (109, 30), (110, 30), (300, 90)])
        {
            console.send(Msg::Resize { width, height });
            console.serve(world);
            check(&console);
        }
    }
}

#[test]
fn what_is_typed_and_selected_is_seen_even_in_one_row() {
    let (mut console, world) = Console::loaded(30, 1);
    console.run(&world, "j");
    let seen = |console: &Console| text(&drawn(&console.model, &Theme::new(ColourDepth::Sixteen, true)));
    assert!(seen(&console).contains("seojun"), "{}", seen(&console));
    console.run(&world, "/ k i m");
    assert!(seen(&console).contains("/ kim"), "{}", seen(&console));
    console.run(&world, "Esc v");
    console.type_text("by phone");
    assert!(seen(&console).contains("by phone"), "{}", seen(&console));
}
