//! Keys → model and effects, as tables.

use crossterm::event::{KeyEventKind, KeyEventState};

use super::fixture::{Console, World, key_of, now};
use super::queue::worlds::topic_asks;
use crate::desk::SignUp;
use crate::domain::id::VerificationId;
use crate::domain::locale::Locale;
use crate::tui::action::{self, Action, KeyContext};
use crate::tui::effect::{Act, Bench, Load, TerminalCommand};
use crate::tui::model::{Level, View};
use crate::tui::view::templates::model::Mode;
use crate::tui::{Effect, Msg};

#[test]
fn every_key_goes_where_it_should() {
    use KeyContext::{
        Account, Audit, Confirm, Detail, Entry, Form, Help, Mail, Prompt, Queue, QueueItem, Reason, Send, Suppressed,
        Templates, Verifications,
    };
    let table = [
        ("", Verifications),
        ("Enter", Detail),
        ("Enter Esc", Verifications),
        ("m", Mail),
        ("m Enter", Send),
        ("m Enter Enter", Detail),
        ("m Enter Enter Esc", Send),
        ("m Enter Enter Esc Esc", Mail),
        ("m Enter Enter Esc Esc Esc", Verifications),
        ("t", Templates),
        ("t Esc", Verifications),
        ("Tab", Mail),
        ("Tab Tab", Queue),
        ("Tab Tab Tab", Audit),
        ("Tab Tab Tab Tab", Account),
        ("Tab Tab Tab Tab Tab", Templates),
        ("Tab Tab Tab Tab Tab Tab", Verifications),
        ("Shift-Tab", Templates),
        ("Enter Tab", Mail),
        ("/", Prompt),
        ("/ Esc", Verifications),
        ("/ a Enter", Verifications),
        ("W", Verifications),
        ("Enter W", Verifications),
        ("m Enter Enter W", Verifications),
        ("o W", Verifications),
        ("u Enter W", Verifications),
        ("t W", Verifications),
        ("t 8 W", Verifications),
        ("m /", Prompt),
        ("?", Help),
        ("? q", Verifications),
        ("? Esc", Verifications),
        ("r", Confirm),
        ("r n", Verifications),
        ("r Esc", Verifications),
        ("v", Reason),
        ("v q", Reason),
        ("v Esc", Verifications),
        ("n", Form),
        ("n Tab Tab q", Form),
        ("n Esc", Verifications),
        ("Enter r", Confirm),
        ("Enter r Esc", Detail),
        ("m r", Confirm),
        ("t n", Form),
        ("o", Queue),
        ("o Esc", Verifications),
        ("o Enter", QueueItem),
        ("o Enter Esc", Queue),
        ("o Enter Esc Esc", Verifications),
        ("S", Account),
        ("S Esc", Verifications),
        ("S L", Suppressed),
        ("S L Esc", Account),
        ("S L Esc Esc", Verifications),
        ("S L Tab", Templates),
        ("S L Shift-Tab", Audit),
        ("S L /", Prompt),
        ("S L a", Form),
        ("S L a Esc", Suppressed),
        ("u", Audit),
        ("u Enter", Entry),
        ("u Enter Enter", Detail),
        ("u Enter Enter Esc", Entry),
        ("u Enter Enter Esc Esc", Audit),
        ("u Enter Enter Esc Esc Esc", Verifications),
        ("u /", Prompt),
        ("o n", Form),
        ("o P", Reason),
        ("o P q", Reason),
        ("o P Esc", Queue),
        ("o D", Reason),
        ("3 B", Reason),
        ("3 B Esc", Verifications),
    ];
    for (keys, context) in table {
        let (mut console, world) = Console::loaded(80, 24);
        console.run(&world, keys);
        assert_eq!(console.model.key_context(), context, "{keys:?}");
    }
}

#[test]
fn where_there_is_a_pane_a_mail_opens_its_verification_at_once() {
    let (mut console, world) = Console::loaded(120, 40);
    console.run(&world, "m Enter");
    assert_eq!(console.model.key_context(), KeyContext::Detail);
    console.run(&world, "Esc");
    assert_eq!(console.model.key_context(), KeyContext::Mail);
}

#[test]
fn keys_ask_the_loop_for_its_own_acts() {
    let table = [
        ("q", Effect::Terminal(TerminalCommand::Quit)),
        ("ctrl-c", Effect::Terminal(TerminalCommand::Quit)),
        ("v ctrl-c", Effect::Terminal(TerminalCommand::Quit)),
        ("/ ctrl-c", Effect::Terminal(TerminalCommand::Quit)),
        ("n ctrl-c", Effect::Terminal(TerminalCommand::Quit)),
        ("ctrl-z", Effect::Terminal(TerminalCommand::Suspend)),
        ("v ctrl-z", Effect::Terminal(TerminalCommand::Suspend)),
        ("R", Effect::Terminal(TerminalCommand::Repaint)),
    ];
    for (keys, effect) in table {
        let (mut console, _) = Console::loaded(80, 24);
        console.press(keys);
        assert!(console.take_asked().contains(&effect), "{keys:?}");
    }
}

#[test]
fn ctrl_l_redraws_wherever_it_is_pressed_and_does_no_more() {
    let contexts = [
        "", "Enter", "m", "m Enter", "o", "o Enter", "u", "u Enter", "t", "/", "?", "r", "v", "n", "o P", "o D", "3 B",
        "t T",
    ];
    for (width, height) in [(80, 24), (120, 40), (20, 5), (1, 1)] {
        for keys in contexts {
            let (mut console, world) = Console::loaded(width, height);
            console.run(&world, keys);
            console.take_asked();
            let context = console.model.key_context();
            console.press("ctrl-l");
            assert_eq!(
                console.take_asked(),
                [Effect::Terminal(TerminalCommand::Repaint)],
                "{keys:?} at {width}×{height}"
            );
            assert_eq!(console.model.key_context(), context, "{keys:?}");
        }
    }
    // Before anything has come.
    let mut console = Console::new(80, 24);
    console.take_asked();
    console.press("ctrl-l");
    assert_eq!(console.take_asked(), [Effect::Terminal(TerminalCommand::Repaint)]);
}

#[test]
fn moves_the_cursor() {
    let table = [
        ("", 49_993),
        ("j", 49_992),
        ("Down Down", 49_991),
        ("j j k", 49_992),
        ("k", 49_993),
        ("G", 49_983),
        ("End g", 49_993),
        ("PgDn", 49_983),
        ("PgDn PgUp", 49_993),
        ("j j j Home", 49_993),
        ("ㅓ ㅓ", 49_991),
        ("Enter j j Esc", 49_993),
    ];
    for (keys, id) in table {
        let (mut console, world) = Console::loaded(80, 24);
        console.run(&world, keys);
        assert_eq!(console.selected(), id, "{keys:?}");
    }
}

#[test]
fn chooses_tabs() {
    let table = [("2", 1), ("5", 4), ("9", 0), ("l", 1), ("Right Right", 2), ("h", 4), ("] ]  [", 1), ("5 l", 0)];
    for (keys, tab) in table {
        let (mut console, world) = Console::loaded(80, 24);
        console.run(&world, keys);
        assert_eq!(console.model.verifications.tab, tab, "{keys:?}");
        assert!(console.model.verifications.list().unwrap().loaded, "{keys:?}");
    }
    let (mut console, world) = Console::loaded(80, 24);
    console.run(&world, "t 3");
    assert_eq!(console.model.workbench.mode, Mode::Text);
    console.run(&world, "L");
    assert_eq!(console.model.workbench.locale, Locale::En);
    assert!(console.model.workbench.proof().unwrap().subject.starts_with("Confirm"));
}

#[test]
fn a_released_key_is_no_key() {
    let (mut console, _) = Console::loaded(80, 24);
    let mut event = key_of("q");
    event.kind = KeyEventKind::Release;
    event.state = KeyEventState::NONE;
    console.send(Msg::Key(event));
    assert!(console.take_asked().is_empty());
    event.kind = KeyEventKind::Repeat;
    console.send(Msg::Key(event));
    assert_eq!(console.take_asked(), [Effect::Terminal(TerminalCommand::Quit)]);
}

#[test]
fn a_paste_is_no_command() {
    let (mut console, _) = Console::loaded(80, 24);
    console.send(Msg::Paste("qvrn".into()));
    let asked = console.take_asked();
    assert!(matches!(&asked[..], [Effect::Load(Load::Page { .. })]), "it is looked for: {asked:?}");
    assert_eq!((console.model.key_context(), console.model.search().text()), (KeyContext::Prompt, "qvrn"));
    console.press("Esc r");
    console.take_asked();
    console.send(Msg::Paste("y".into()));
    assert!(console.take_asked().is_empty());

    let (mut console, _) = Console::loaded(80, 24);
    console.press("n");
    console.send(Msg::Paste("mina@example.com\nq".into()));
    console.press("Tab");
    console.send(Msg::Paste("Mina\tKim".into()));
    console.press("Tab Right Enter");
    let signed_up = Effect::Act(Act::SignUp(SignUp {
        email: "mina@example.com".into(),
        name: "Mina Kim".into(),
        locale: Locale::En,
    }));
    assert_eq!(console.take_asked(), [signed_up]);
}

#[test]
fn says_why_an_act_cannot_be_done() {
    let table = [
        ("2 r", "sora.kang@example.com is verified already; there is nothing to resend."),
        ("2 v", "sora.kang@example.com is verified already; there is nothing to do."),
        ("/ z z z Enter r", "No verification is selected."),
        ("/ z z z Enter v", "No verification is selected."),
        ("/ z z z Enter Enter", "There is nothing to open."),
        ("u / z z z Enter Enter", "There is nothing to open."),
        ("u j Enter Enter", "This entry is about no user."),
        ("u 4 G Enter Enter", "The user of this entry was deleted."),
    ];
    for (keys, what) in table {
        let (mut console, world) = Console::loaded(80, 24);
        console.run(&world, keys);
        let toast = console.model.toasts.last().unwrap();
        assert_eq!((toast.level, toast.what.as_str()), (Level::Refused, what), "{keys:?}");
        assert!(console.model.dialog.is_none(), "{keys:?}");
    }
}

#[test]
fn escape_goes_back_one_step_at_a_time() {
    let (mut console, world) = Console::loaded(80, 24);
    console.run(&world, "/ k i m Enter m Esc");
    assert_eq!(console.model.view, View::Verifications);
    assert_eq!(console.model.search().text(), "kim");
    console.run(&world, "2 r");
    console.model.toast(Level::Failed, "something failed", "");
    console.run(&world, "Esc");
    assert!(console.model.toasts.is_empty());
    assert_eq!(console.model.search().text(), "kim");
    console.run(&world, "Esc");
    assert_eq!(console.model.search().text(), "");
    console.run(&world, "Esc");
    assert_eq!(console.model.key_context(), KeyContext::Verifications);
}

#[test]
fn toasts_go_by_themselves() {
    let (mut console, world) = Console::loaded(80, 24);
    console.run(&world, "2 r");
    console.model.take_dirty();
    let until = console.model.toasts[0].until;
    let mut time = now();
    while time < until {
        let next = console.next_deadline().unwrap();
        assert!(next > time, "the timer stands still");
        time = next;
        console.send(Msg::Clock(time));
        console.serve(&world);
    }
    assert!(console.model.toasts.is_empty());
    assert!(console.model.take_dirty());
}

#[test]
fn opening_asks_for_the_detail_only_where_it_is_shown() {
    let (narrow, _) = Console::loaded(80, 24);
    assert_eq!(narrow.model.detail.id, None);
    let (wide, _) = Console::loaded(120, 40);
    assert_eq!(wide.model.detail.id, Some(VerificationId(49_993)));
    let (mut narrow, world) = Console::loaded(80, 24);
    narrow.run(&world, "j Enter");
    assert_eq!(narrow.model.detail.data.as_ref().unwrap().verification.id, VerificationId(49_992));
}

#[test]
fn what_may_be_a_piece_of_a_sequence_moves_and_types_but_does_nothing() {
    let contexts = ["", "Enter", "m", "o", "u", "S", "t", "r", "v", "n", "o P", "3 B", "t T", "/", "?"];
    let presses = "r v n B P D U p x s w T y q e o u Space Enter ctrl-o".split(' ');
    for keys in contexts {
        for press in presses.clone() {
            let (mut console, world) = Console::loaded(120, 40);
            console.run(&world, keys);
            console.take_asked();
            let before = console.model.dialog.is_some();
            console.send(Msg::Doubtful(key_of(press)));
            let asked = console.take_asked();
            let is_look = |effect: &Effect| match effect {
                Effect::Load(load) => !matches!(load, Load::ResendPlan { .. } | Load::JobPlan { .. } | Load::Reconnect),
                Effect::Bench(bench) => {
                    matches!(bench, Bench::List | Bench::Prove { .. } | Bench::Check | Bench::Watch)
                }
                Effect::Act(_) | Effect::Terminal(_) => false,
            };
            assert!(asked.iter().all(is_look), "{press:?} behind {keys:?} asks for {asked:?}");
            let opened = !before && console.model.dialog.is_some();
            assert!(!opened, "{press:?} behind {keys:?} opened something");
            assert!(console.model.marks.is_empty(), "{press:?} behind {keys:?} marked a row");
        }
    }
    // Moves go on, text is typed, Ctrl-C ends.
    let (mut console, _) = Console::loaded(80, 24);
    console.send(Msg::Doubtful(key_of("j")));
    assert_eq!(console.selected(), 49_992);
    console.send(Msg::Doubtful(key_of("r")));
    assert_eq!(console.model.toasts.last().unwrap().level, Level::Refused);
    console.press("/");
    console.send(Msg::Doubtful(key_of("r")));
    assert_eq!(console.model.key_context(), KeyContext::Prompt);
    console.take_asked();
    console.send(Msg::Doubtful(key_of("ctrl-c")));
    assert!(console.take_asked().contains(&Effect::Terminal(TerminalCommand::Quit)));
}

/// An action that nothing takes up would be a key that does nothing.
#[test]
fn every_key_does_something() {
    let contexts = [
        ("j", KeyContext::Verifications),
        ("j Enter", KeyContext::Detail),
        ("m j", KeyContext::Mail),
        ("m Enter", KeyContext::Send),
        ("o", KeyContext::Queue),
        ("o Enter", KeyContext::QueueItem),
        ("u", KeyContext::Audit),
        ("S", KeyContext::Account),
        ("S L", KeyContext::Suppressed),
        ("u Enter", KeyContext::Entry),
        ("t", KeyContext::Templates),
        ("t 8", KeyContext::Checks),
        ("t 9", KeyContext::Matrix),
        ("t p", KeyContext::Page),
        ("/ m i n j i . k m i @ e x a m p l e . c o m", KeyContext::Prompt),
        ("?", KeyContext::Help),
        ("O", KeyContext::Doctor),
        ("r", KeyContext::Confirm),
        ("o A", KeyContext::Decide),
        ("v", KeyContext::Reason),
        ("n", KeyContext::Form),
        ("y", KeyContext::Menu),
    ];
    let reached: Vec<_> = contexts.iter().map(|(_, context)| *context).collect();
    assert!(KeyContext::ALL.iter().all(|context| reached.contains(context)));
    // There may be nowhere to go, and one is there already.
    let is_there = |context, action| {
        let templates = matches!(context, KeyContext::Templates | KeyContext::Checks | KeyContext::Matrix);
        context == KeyContext::Verifications && action == Action::Verifications
            || context == KeyContext::Mail && action == Action::Mail
            || context == KeyContext::Queue && action == Action::Queue
            || context == KeyContext::Audit && action == Action::Audit
            || context == KeyContext::Account && action == Action::Account
            || templates && action == Action::Templates
    };
    let moves = |action| {
        use Action::{Back, Down, First, Last, PageDown, PageUp, PickTab, ShiftLeft, ShiftRight, Up};
        matches!(action, Up | Down | PageUp | PageDown | First | Last | PickTab | ShiftLeft | ShiftRight | Back)
    };
    let mut idle = Vec::new();
    for (keys, context) in contexts {
        for entry in action::at(context).filter(|entry| !moves(entry.action) && !is_there(context, entry.action)) {
            let world = if context == KeyContext::Decide { topic_asks() } else { World::default() };
            let mut console = Console::new(80, 24);
            console.serve(&world);
            console.run(&world, keys);
            assert_eq!(console.model.key_context(), context);
            let state = |console: &mut Console| {
                console.model.take_dirty();
                format!("{:?}", console.model)
            };
            let before = state(&mut console);
            console.send(Msg::Key(entry.keys[0].event()));
            if console.take_asked().is_empty() && state(&mut console) == before {
                idle.push((context, entry.action));
            }
        }
    }
    assert!(idle.is_empty(), "{idle:?}");
}
