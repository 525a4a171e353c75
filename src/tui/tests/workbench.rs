//! The templates' workbench: what keys change, what is asked for, and how it looks.

use std::sync::Arc;

use super::fixture::{Console, World};
use super::picture::{drawn, picture, text};
use crate::desk::test_send::Recipient;
use crate::domain::locale::Locale;
use crate::mail::templates::Part;
use crate::mail::transport::dialogue::{DialogueLine, Speaker};
use crate::preview::check::Report;
use crate::preview::view::{Scheme, Width};
use crate::ses::simulator::Simulator;
use crate::tui::action::KeyContext;
use crate::tui::dialog::Dialog;
use crate::tui::effect::{Bench, Benched, Problem, TerminalCommand};
use crate::tui::model::{Setup, View};
use crate::tui::view::templates::model::{Mode, Workbench};
use crate::tui::{ColourDepth, Effect, Model, Msg, Theme, update};

fn open(width: u16, height: u16, keys: &str) -> (Console, World) {
    let (mut console, world) = Console::loaded(width, height);
    console.run(&world, "t L");
    if !keys.is_empty() {
        console.run(&world, keys);
    }
    (console, world)
}

fn seen(console: &Console) -> String {
    text(&drawn(&console.model, &Theme::new(ColourDepth::True, true)))
}

#[test]
fn each_key_changes_one_thing() {
    type Is = fn(&Workbench) -> bool;
    let table: [(&str, Is); 22] = [
        ("w", |b| b.view.width == Width::Pane),
        ("w w w w", |b| b.view.width == Width::Desk),
        ("s", |b| b.view.scheme == Scheme::Dark),
        ("s s", |b| b.view.scheme == Scheme::Inverted),
        ("s s s", |b| b.view.scheme == Scheme::Light),
        ("i", |b| !b.view.images),
        ("y", |b| !b.view.styles),
        ("x", |b| b.view.outlook),
        ("L", |b| b.locale == Locale::Ko),
        ("J", |b| b.locale == Locale::Ko),
        ("f", |b| b.fixture_index() == 1),
        ("F", |b| b.fixture_index() + 1 == b.fixtures().len()),
        ("f F", |b| b.fixture_index() == 0),
        ("4", |b| b.mode == Mode::Source && b.line == 0),
        ("4 j j", |b| b.line == 2),
        ("4 G", |b| b.line + 1 == b.source_lines() && b.source_lines() > 30),
        ("4 a", |b| b.file.part == Part::Subject),
        ("4 d", |b| b.file.rendered && b.source_text().contains("Robin Park")),
        ("5 d", |b| b.encoded),
        ("b", |b| b.wide),
        ("9 j j Right", |b| b.fixture_index() == 2 && b.locale == Locale::Ko),
        ("9 j Enter", |b| b.fixture_index() == 1 && b.mode == Mode::Rendered),
    ];
    for (keys, is_so) in table {
        let (console, _) = open(120, 40, keys);
        assert!(is_so(&console.model.workbench), "{keys:?}");
        assert!(console.model.workbench.proof.is_some(), "{keys:?}");
        let order = console.model.workbench.proof.as_ref().map(|(order, _)| order.clone());
        assert_eq!(order, console.model.workbench.order(), "{keys:?}: what is shown is what was asked for");
    }
}

#[test]
fn what_was_seen_is_not_rendered_again_until_a_file_changes() {
    let (mut console, world) = open(120, 40, "s s");
    console.press("s");
    assert_eq!(console.take_asked(), [], "light was there before");
    console.send(Msg::Bench(Benched::FilesChanged));
    let asked = console.take_asked();
    assert!(matches!(asked[..], [Effect::Bench(Bench::List), Effect::Bench(Bench::Prove { .. })]), "{asked:?}");
    // Only when the mail is there is anything checked, and no check begins beside another.
    let Effect::Bench(Bench::Prove { order, generation }) = asked[1].clone() else { unreachable!() };
    let proof = Box::new((*console.model.workbench.proof.as_ref().unwrap().1).clone());
    let attempt = crate::preview::proof::Attempt { sources: Vec::new(), outcome: Ok(proof) };
    console.send(Msg::Bench(Benched::Proved { order, generation, answer: Ok(Box::new(attempt)) }));
    assert_eq!(console.take_asked(), [Effect::Bench(Bench::Check)]);
    console.send(Msg::Bench(Benched::FilesChanged));
    console.serve(&world);
    assert!(console.model.workbench.is_busy());
    console.send(Msg::Bench(Benched::Checked(Ok(Arc::clone(&world.report)))));
    assert_eq!(console.take_asked(), [Effect::Bench(Bench::Check)]);
    console.send(Msg::Bench(Benched::Checked(Ok(Arc::clone(&world.report)))));
    assert!(console.take_asked().is_empty() && !console.model.workbench.is_busy());
}

#[test]
fn a_late_answer_is_dropped() {
    let (mut console, world) = open(120, 40, "");
    console.press("w s");
    let asked = console.take_asked();
    let [Effect::Bench(Bench::Prove { order: first, generation }), Effect::Bench(Bench::Prove { .. })] = &asked[..]
    else {
        panic!("{asked:?}")
    };
    let proof = Box::new((*console.model.workbench.proof.as_ref().unwrap().1).clone());
    let late = crate::preview::proof::Attempt { sources: Vec::new(), outcome: Ok(proof) };
    console.send(Msg::Bench(Benched::Proved {
        order: first.clone(),
        generation: *generation,
        answer: Ok(Box::new(late)),
    }));
    assert!(console.model.workbench.is_busy());
    console.asked = asked;
    console.serve(&world);
    assert_eq!(console.model.workbench.proof.as_ref().unwrap().0.view.scheme, Scheme::Dark);
}

#[test]
fn an_old_mail_is_never_shown_as_the_one_asked_for() {
    let (mut console, world) = open(120, 40, "");
    let faded = |console: &Console| console.model.workbench.is_old();
    assert!(!faded(&console));
    console.press("w");
    assert!(faded(&console) && seen(&console).contains("rendering…"), "{}", seen(&console));
    // It takes too long: said where the mail stands, not in a message that goes.
    let asked = console.take_asked();
    let [Effect::Bench(Bench::Prove { order, generation })] = &asked[..] else { panic!("{asked:?}") };
    console.send(Msg::Bench(Benched::ProofWaits { generation: *generation }));
    assert!(seen(&console).contains("An earlier rendering still runs"), "{}", seen(&console));
    let slow = Problem { what: "the templates took longer than 3 seconds".into(), ..Problem::default() };
    console.send(Msg::Bench(Benched::Proved { order: order.clone(), generation: *generation, answer: Err(slow) }));
    let text = seen(&console);
    assert!(faded(&console) && text.contains("took longer") && text.contains("as it was with 640 px"), "{text}");
    assert!(console.model.toasts.is_empty());
    console.press("Esc");
    console.take_asked();
    // When it ends after all, it is shown.
    console.asked = asked;
    console.serve(&world);
    assert!(!faded(&console) && !seen(&console).contains("took longer"));
    assert_eq!(console.model.workbench.proof.as_ref().map(|(order, _)| order.view.width), Some(Width::Pane));
}

#[test]
fn the_last_good_mail_is_of_the_same_template_language_and_person() {
    let (mut console, mut world) = open(120, 40, "");
    let dir = tempfile::tempdir().unwrap();
    let place = dir.path().join("ko/verification");
    std::fs::create_dir_all(&place).unwrap();
    std::fs::write(place.join("body.html"), "<p>{{ nmae }}</p>").unwrap();
    world.settings.templates.dir = Some(dir.path().to_owned());
    console.send(Msg::Bench(Benched::FilesChanged));
    console.serve(&world);
    assert!(seen(&console).contains("Robin"));
    console.run(&world, "L");
    let text = seen(&console);
    assert!(console.model.workbench.proof().is_none() && text.contains("No mail could be made of it yet"), "{text}");
    assert!(!text.contains("The last good mail"), "{text}");
}

#[test]
fn a_directory_that_is_not_there_or_not_watched_is_said() {
    let (mut console, mut world) = open(120, 40, "");
    assert!(seen(&console).contains("Built in"));
    console.send(Msg::Bench(Benched::Unwatched("/etc/t: too many watches".into())));
    console.serve(&world);
    assert!(seen(&console).contains("not watched, R reads them again: /etc/t"), "{}", seen(&console));
    world.settings.templates.dir = Some("/nonexistent/templates".into());
    console.send(Msg::Bench(Benched::FilesChanged));
    console.serve(&world);
    let text = seen(&console);
    assert!(text.contains("`templates.dir` is not what is shown") && text.contains("/nonexistent/templates"), "{text}");
    assert!(!text.contains("Built in"), "{text}");
}

#[test]
fn a_template_without_the_other_language_stays() {
    let (mut console, mut world) = open(120, 40, "");
    let dir = tempfile::tempdir().unwrap();
    let place = dir.path().join("ko/onlyko");
    std::fs::create_dir_all(&place).unwrap();
    for (file, text) in [("subject.txt", "only ko"), ("body.txt", "only ko"), ("body.html", "<p>only ko</p>")] {
        std::fs::write(place.join(file), text).unwrap();
    }
    world.settings.templates.dir = Some(dir.path().to_owned());
    console.send(Msg::Bench(Benched::FilesChanged));
    console.serve(&world);
    while console.model.workbench.template != "onlyko" {
        console.run(&world, "J");
    }
    console.run(&world, "L");
    let order = console.model.workbench.order().unwrap();
    assert_eq!((&*order.template, order.locale), ("onlyko", Locale::Ko));
    assert!(console.model.toasts[0].what.contains("no file in en"), "{:?}", console.model.toasts);
}

#[test]
fn a_line_longer_than_the_pane_is_read_through() {
    let (mut console, mut world) = open(80, 24, "L");
    let dir = tempfile::tempdir().unwrap();
    let place = dir.path().join("ko/verification");
    std::fs::create_dir_all(&place).unwrap();
    let long =
        |middle: &str| format!("<p>first{} {middle} {}last</p>\n<b>end</b>", "x".repeat(2_000), "y".repeat(2_000));
    std::fs::write(place.join("body.html"), long("")).unwrap();
    world.settings.templates.dir = Some(dir.path().to_owned());
    console.send(Msg::Bench(Benched::FilesChanged));
    console.serve(&world);
    console.run(&world, "4");
    assert!(seen(&console).contains("first"));
    let mut steps = 0;
    while !seen(&console).contains("last") {
        console.run(&world, "j");
        steps += 1;
        assert!(steps < 100, "{}", seen(&console));
    }
    assert!(console.model.workbench.line == 0 && steps > 20, "{steps}");
    // "last" may stand on the last row but one.
    console.run(&world, "j");
    if console.model.workbench.line == 0 {
        console.run(&world, "j");
    }
    assert!(console.model.workbench.line == 1 && seen(&console).contains("end"));
    console.run(&world, "k");
    assert!(console.model.workbench.line == 0 && seen(&console).contains("last"));
    console.run(&world, "g");
    assert!(seen(&console).contains("first"));
    // What is wrong in the middle of it is seen at once.
    std::fs::write(place.join("body.html"), long("{{ nmae }}")).unwrap();
    console.send(Msg::Bench(Benched::FilesChanged));
    console.serve(&world);
    let text = seen(&console);
    let rows: Vec<&str> = text.lines().collect();
    let at = rows.iter().position(|row| row.contains("{{ nmae }}")).expect(&text);
    assert!(rows[at + 1].contains("nmae") || rows[at + 2].contains("nmae"), "{text}");
}

#[test]
fn dialogs_can_be_read_through() {
    for (keys, last) in [("8 ?", "reason #}"), ("p", "copy address")] {
        let (mut console, world) = open(40, 10, keys);
        for _ in 0..40 {
            console.run(&world, "j");
        }
        assert!(seen(&console).contains(last), "{keys}: {}", seen(&console));
        console.run(&world, "Esc");
        assert!(console.model.dialog.is_none());
    }
}

#[test]
fn a_finding_leads_to_its_line_and_explains_itself() {
    let (mut console, world) = open(160, 40, "8");
    assert_eq!(console.model.key_context(), KeyContext::Checks);
    let bench = &console.model.workbench;
    assert_eq!(bench.findings().iter().map(|f| f.rule.id).collect::<Vec<_>>(), ["C003", "S002", "P003"]);
    assert_eq!((bench.file.part, bench.line), (Part::Html, 56), "the source beside is at the line");
    console.run(&world, "j");
    assert_eq!(console.model.workbench.file.part, Part::Subject);
    console.run(&world, "?");
    assert!(matches!(&console.model.dialog, Some(Dialog::Finding(dialog)) if dialog.finding.rule.id == "S002"));
    assert!(seen(&console).contains("Phones show about 50 columns"));
    console.run(&world, "Esc k Enter");
    let bench = &console.model.workbench;
    assert_eq!((bench.mode, bench.file.part, bench.line), (Mode::Source, Part::Html, 56));
    // And the keys are still to be had.
    console.run(&world, "8");
    console.send(Msg::Key(crossterm::event::KeyEvent::from(crossterm::event::KeyCode::F(1))));
    assert!(matches!(console.model.dialog, Some(Dialog::Help(_))));
}

#[test]
fn built_in_templates_are_made_files_by_a_key() {
    let (mut console, world) = open(80, 24, "E");
    assert!(console.model.dialog.is_none(), "there is no directory for them");
    assert!(console.model.toasts[0].hint.contains("templates eject DIR"), "{:?}", console.model.toasts);
    let dir = tempfile::tempdir().unwrap();
    let mut world = world;
    world.settings.templates.dir = Some(dir.path().to_owned());
    console.model.setup.templates_dir.clone_from(&world.settings.templates.dir);
    console.run(&world, "Esc");
    assert!(console.screen().contains("Built in; E makes files of it"), "{}", console.screen());
    console.run(&world, "e");
    assert_eq!(console.model.toasts[0].hint, "E makes a file of it.");
    // The one that is shown.
    console.run(&world, "Esc 3 E");
    let shown = console.screen();
    for part in
        ["Make files of built-in templates", "1 this file", "en/verification/body.txt", "2 all", "the 9 built-in"]
    {
        assert!(shown.contains(part), "{part} is missing in\n{shown}");
    }
    console.run(&world, "Enter");
    let file = dir.path().join("en/verification/body.txt");
    assert!(file.is_file() && !dir.path().join("en/verification/body.html").exists());
    assert!(console.model.toasts[0].what.ends_with("body.txt was written."), "{:?}", console.model.toasts);
    console.press("e");
    assert_eq!(console.take_asked(), [Effect::Terminal(TerminalCommand::Edit { file: file.clone(), line: 1 })]);
    // What is one's own is not offered again, and never written over.
    std::fs::write(&file, "mine").unwrap();
    console.send(Msg::Edited(Ok(())));
    console.serve(&world);
    console.run(&world, "Esc E");
    assert!(!console.screen().contains("this file"), "{}", console.screen());
    console.run(&world, "1");
    let said = &console.model.toasts.last().unwrap().what;
    assert!(said.ends_with("body.txt is there already; nothing was written."), "{said}");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "mine");
    // All of them.
    std::fs::remove_file(&file).unwrap();
    console.run(&world, "Esc R E 2");
    assert_eq!(console.model.toasts.last().unwrap().what, "9 files were written.");
    assert!(dir.path().join("fixtures/verification/schema.toml").is_file());
}

#[test]
fn built_in_templates_cannot_be_edited_and_files_can() {
    let (mut console, world) = open(120, 40, "e");
    assert!(console.model.toasts[0].hint.contains("templates eject"));
    let dir = tempfile::tempdir().unwrap();
    let (mut console, mut world) = (std::mem::replace(&mut console, Console::new(120, 40)), world);
    let place = dir.path().join("en/verification");
    std::fs::create_dir_all(&place).unwrap();
    std::fs::write(place.join("body.html"), "<p>\n{{ nmae }}\n</p>").unwrap();
    world.settings.templates.dir = Some(dir.path().to_owned());
    console.send(Msg::Bench(Benched::FilesChanged));
    console.serve(&world);
    let trouble = console.model.workbench.trouble.clone().unwrap();
    assert_eq!((trouble.part, trouble.place.map(|(line, _)| line)), (Some(Part::Html), Some(2)), "{trouble:?}");
    assert!(console.model.workbench.proof.is_some(), "the last good one stays");
    console.press("e");
    let asked = console.take_asked();
    assert_eq!(asked, [Effect::Terminal(TerminalCommand::Edit { file: place.join("body.html"), line: 2 })]);
    console.send(Msg::Edited(Ok(())));
    assert!(matches!(console.take_asked()[..], [Effect::Bench(Bench::List), Effect::Bench(Bench::Prove { .. })]));
}

#[test]
fn a_real_verification_is_shown_with_a_sample_link() {
    let (mut console, world) = Console::loaded(120, 40);
    console.run(&world, "j j p");
    let bench = &console.model.workbench;
    assert_eq!((console.model.view, bench.mode), (View::Templates, Mode::Rendered));
    let proof = bench.proof().unwrap();
    assert!(proof.to.contains("olivia.brown@example.org"), "{}", proof.to);
    assert!(proof.text.contains("Olivia Brown") && proof.text.contains("sample-key"), "{}", proof.text);
    assert!(seen(&console).contains("olivia.brown@example.org (sample link)"));
    // A fixture takes its place again.
    console.run(&world, "f");
    assert!(console.model.workbench.person.is_none());
}

#[test]
fn without_a_database_nothing_asks_for_one() {
    let setup = Setup { only_templates: true, ..Setup::default() };
    let mut model = Model::new(setup, super::fixture::now(), 120, 40);
    let mut asked = update(&mut model, Msg::Start);
    for key in ["t", "m", "o", "Tab", "n", "U", "Esc", "R"] {
        asked.extend(update(&mut model, Msg::Key(super::fixture::key_of(key))));
        assert_eq!(model.view, View::Templates, "{key}");
        assert!(model.dialog.is_none() && model.toasts.is_empty(), "{key}");
    }
    let own = |effect: &Effect| {
        matches!(
            effect,
            Effect::Bench(Bench::List | Bench::Watch | Bench::Prove { .. })
                | Effect::Terminal(TerminalCommand::Repaint)
        )
    };
    assert!(asked.iter().all(own), "{asked:?}");
}

fn say(console: &mut Console, lines: &[(Speaker, &str)]) {
    let generation = console.model.generation;
    for (speaker, text) in lines {
        console.send(Msg::Bench(Benched::TestSaid { generation, line: DialogueLine::new(*speaker, text) }));
    }
}

#[test]
fn a_test_goes_only_where_the_settings_allow_and_shows_what_is_said() {
    use Speaker::{Client, Note, Server};
    let theme = Theme::new(ColourDepth::Sixteen, true);
    let (mut console, world) = open(120, 40, "f T");
    snapshot("test_send_to_whom", &console, &theme);
    console.press("Tab Enter");
    let asked = console.take_asked();
    let [Effect::Bench(Bench::TestSend { request, .. })] = &asked[..] else { panic!("{asked:?}") };
    assert_eq!((&*request.fixture, &request.to), ("long-name", &Recipient::Simulator(Simulator::Success)));
    console.press("Enter Enter");
    assert_eq!(console.take_asked(), [], "one at a time");
    say(
        &mut console,
        &[
            (Note, "connected to email-smtp.ap-northeast-2.amazonaws.com:587"),
            (Server, "220 email-smtp.amazonaws.com ESMTP SimpleEmailService-d-A"),
            (Client, "EHLO bastion"),
            (Server, "250-STARTTLS"),
        ],
    );
    snapshot("test_send_under_way", &console, &theme);
    console.asked = asked;
    console.serve(&world);
    assert!(seen(&console).contains("accepted for success@simulator.amazonses.com"), "{}", seen(&console));
    // The end of the session comes after the answer.
    say(&mut console, &[(Client, "QUIT")]);
    assert!(seen(&console).contains("C: QUIT"));
    console.press("Enter");
    assert!(console.model.dialog.is_none());
    // To an address of an allowed domain, typed; closing the dialog hides no result.
    console.press("T Shift-Tab");
    console.press("Enter");
    assert_eq!(console.take_asked(), [], "there is no address yet");
    console.type_text("q@example.org");
    console.press("Enter");
    let asked = console.take_asked();
    let [Effect::Bench(Bench::TestSend { request, .. })] = &asked[..] else { panic!("{asked:?}") };
    assert_eq!(request.to, Recipient::Address("q@example.org".into()));
    console.press("Esc");
    console.asked = asked;
    console.serve(&world);
    assert!(console.model.toasts.iter().any(|toast| toast.what.contains("q@example.org was accepted")));
}

#[test]
fn the_page_is_started_when_asked_for_and_ended() {
    let theme = Theme::new(ColourDepth::Sixteen, true);
    let (mut console, world) = open(120, 40, "");
    console.press("p");
    assert_eq!(console.asked, [Effect::Bench(Bench::StartPage)]);
    console.serve(&world);
    snapshot("page", &console, &theme);
    console.press("c");
    assert_eq!(
        console.take_asked(),
        [Effect::Terminal(TerminalCommand::Copy("http://127.0.0.1:40123/dG9rZW4tb2YtYS1wYWdl/".into()))]
    );
    console.press("s");
    assert_eq!(
        console.take_asked(),
        [Effect::Terminal(TerminalCommand::Copy("ssh -N -L 40123:127.0.0.1:40123 bastion".into()))]
    );
    console.press("Esc p");
    assert_eq!(console.take_asked(), [], "it is there already");
    console.press("x");
    assert_eq!(console.take_asked(), [Effect::Bench(Bench::StopPage)]);
    assert!(console.model.workbench.page.is_none() && console.model.dialog.is_none());
    // Ended while it was being started.
    console.press("p x");
    console.serve(&world);
    assert!(console.model.workbench.page.is_none());
}

/// Columns by rows of a snapshot that shows a mail at its widest and nothing beside.
const MAIL: (u16, u16) = (84, 46);

fn snapshot(name: &str, console: &Console, theme: &Theme) {
    insta::assert_snapshot!(name, picture(&console.model, theme));
}

#[test]
fn rendered_at_every_width_in_every_scheme() {
    let theme = Theme::new(ColourDepth::True, true);
    for (locale, keys) in [("en", "t L"), ("ko", "t")] {
        let (mut console, world) = Console::loaded(MAIL.0, MAIL.1);
        console.run(&world, keys);
        for width in [640, 480, 375, 320] {
            for scheme in ["light", "dark", "inverted"] {
                snapshot(&format!("rendered_{locale}_{width}_{scheme}"), &console, &theme);
                console.run(&world, "s");
            }
            console.run(&world, "w");
        }
    }
}

#[test]
fn every_mode_in_every_language() {
    let theme = Theme::new(ColourDepth::Sixteen, true);
    for (locale, keys) in [("en", "t L"), ("ko", "t")] {
        let (mut console, world) = Console::loaded(120, 40);
        console.run(&world, keys);
        for (mode, key) in [
            ("inbox", "2"),
            ("text", "3"),
            ("source", "4"),
            ("mime", "5"),
            ("headers", "6"),
            ("variables", "7"),
            ("checks", "8"),
            ("matrix", "9"),
        ] {
            console.run(&world, key);
            snapshot(&format!("{mode}_{locale}"), &console, &theme);
        }
    }
}

#[test]
fn every_colour_depth() {
    let (console, _) = open(60, 36, "w w");
    for (name, depth) in [
        ("none", ColourDepth::None),
        ("sixteen", ColourDepth::Sixteen),
        ("two_fifty_six", ColourDepth::TwoFiftySix),
        ("true", ColourDepth::True),
    ] {
        snapshot(&format!("colours_{name}"), &console, &Theme::new(depth, true));
    }
    snapshot("colours_none_ascii", &console, &Theme::new(ColourDepth::None, false));
}

#[test]
fn side_by_side() {
    let theme = Theme::new(ColourDepth::Sixteen, true);
    for (name, keys) in [("rendered", "1"), ("text", "3"), ("checks", "8"), ("mime", "5")] {
        let (console, _) = open(200, 50, keys);
        snapshot(&format!("beside_{name}"), &console, &theme);
    }
    let (console, _) = open(120, 40, "b w w");
    snapshot("beside_phone", &console, &theme);
}

#[test]
fn narrow_and_without_anything() {
    let theme = Theme::new(ColourDepth::None, false);
    for (width, height) in [(80, 24), (40, 10), (20, 5), (1, 1)] {
        for (name, keys) in [("rendered", "1"), ("source", "4"), ("checks", "8"), ("matrix", "9"), ("inbox", "2")] {
            let (console, _) = open(width, height, keys);
            snapshot(&format!("narrow_{name}_{width}x{height}_ascii"), &console, &theme);
        }
    }
}

#[test]
fn loading_empty_and_wrong() {
    let theme = Theme::new(ColourDepth::Sixteen, true);
    let (mut console, world) = Console::loaded(100, 30);
    console.press("t");
    snapshot("loading", &console, &theme);
    console.serve(&world);
    let mut quiet = World { report: Arc::new(Report { mails: 20, ..Report::default() }), ..World::default() };
    console.send(Msg::Bench(Benched::FilesChanged));
    console.serve(&quiet);
    console.run(&quiet, "8");
    snapshot("nothing_found", &console, &theme);
    let dir = tempfile::tempdir().unwrap();
    let place = dir.path().join("ko/verification");
    std::fs::create_dir_all(&place).unwrap();
    std::fs::write(place.join("body.html"), "<p>\n  <b>{{ nmae }}</b>\n</p>\n").unwrap();
    quiet.settings.templates.dir = Some(dir.path().to_owned());
    console.send(Msg::Bench(Benched::FilesChanged));
    console.serve(&quiet);
    for (name, key) in [("trouble_rendered", "1"), ("trouble_source", "4")] {
        console.run(&quiet, key);
        let shown = picture(&console.model, &theme).replace(dir.path().to_str().unwrap(), "/templates");
        insta::assert_snapshot!(name, shown.lines().take(30).collect::<Vec<_>>().join("\n"));
    }
}
