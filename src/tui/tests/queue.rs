//! The view of the outbox, the brake's keys and bulk resends: keys → model and effects.

mod pictures;
mod worlds;

use chrono::Duration;

use super::fixture::{Console, World, job, job_id, job_plan, now};
use super::picture::{drawn, text};
use crate::domain::brake::{BrakeCause, BrakeState};
use crate::domain::change::Change;
use crate::domain::filter::{Filter, Search};
use crate::domain::id::VerificationId;
use crate::domain::job::{JobScope, JobState};
use crate::domain::verification::Status;
use crate::tui::action::Place;
use crate::tui::effect::{Act, Acted, BrakeChange, JobChange, Load, Loaded, Problem};
use crate::tui::model::queue::ItemId;
use crate::tui::model::{Level, View};

use crate::tui::{Colours, Effect, Look, Msg};
use worlds::{Make, bare, brake, busy, counting, draining, grace, idle, misconfigured, paused, quota_used_up};

fn screen(console: &Console) -> String {
    text(&drawn(&console.model, &Look::new(Colours::Sixteen, true)))
}

fn ids(console: &Console) -> Vec<i64> {
    console.model.marks.iter().map(|id| id.0).collect()
}

#[test]
fn marks_rows() {
    let table: [(&str, &[i64]); 8] = [
        ("Space", &[49_993]),
        ("Space Space", &[49_992, 49_993]),
        ("Space k Space", &[]),
        ("Space j Space G R", &[49_991, 49_993]),
        ("Space 3 Space", &[49_980, 49_993]),
        ("Space m Esc", &[49_993]),
        ("Space o Space Esc", &[49_993]),
        ("Space Space Esc", &[]),
    ];
    for (keys, marked) in table {
        let (mut console, world) = Console::loaded(80, 24);
        console.run(&world, keys);
        assert_eq!(ids(&console), marked, "{keys:?}");
    }
}

#[test]
fn marks_survive_paging_and_changes() {
    let world = World::default().with_many(2_000);
    let mut console = Console::new(80, 24);
    console.serve(&world);
    console.run(&world, "Space");
    for _ in 0..70 {
        console.run(&world, "PgDn");
    }
    assert!(console.model.people.list().unwrap().newer, "the marked row is out of the window");
    console.send(Msg::Changed(Change::Many));
    console.serve(&world);
    console.run(&world, "Space g");
    assert_eq!(console.model.marks.len(), 2);
    let shown = screen(&console);
    assert!(shown.contains("◆  minji.kim@") && shown.contains("◆ 2 marked"), "{shown}");
}

#[test]
fn escape_unmarks_only_when_nothing_else_is_open() {
    let (mut console, world) = Console::loaded(80, 24);
    console.run(&world, "Space / k i m Enter Enter Esc");
    assert_eq!((ids(&console).len(), console.model.search().text()), (1, "kim"));
    console.run(&world, "Esc");
    assert_eq!((ids(&console).len(), console.model.search().text()), (1, ""));
    console.run(&world, "Esc");
    assert_eq!(ids(&console).len(), 0);
}

#[test]
fn a_bulk_resend_is_for_the_marked_or_else_for_what_is_shown() {
    let filter =
        |status, search| JobScope::Filter(Filter { status, search: Search::parse(search), since: None, until: None });
    let table = [
        ("Space Space B", JobScope::Marked(vec![VerificationId(49_992), VerificationId(49_993)])),
        ("Space 2 B", JobScope::Marked(vec![VerificationId(49_993)])),
        ("B", filter(Some(Status::Pending), "")),
        ("3 B", filter(Some(Status::Expired), "")),
        ("3 / n a v e r Enter B", filter(Some(Status::Expired), "naver")),
        ("5 B", filter(None, "")),
    ];
    for (keys, scope) in table {
        let (mut console, world) = Console::loaded(80, 24);
        let (before, last) = keys.rsplit_once(' ').unwrap_or(("", keys));
        console.run(&world, before);
        console.press(last);
        let asked = console.take_asked();
        assert!(
            matches!(&asked[..], [Effect::Load(Load::JobPlan { scope: asked, .. })] if *asked == scope),
            "{keys:?}: {asked:?}"
        );
        assert!(screen(&console).contains("counting…"), "{keys:?}");
    }
    let (mut console, world) = Console::loaded(80, 24);
    console.run(&world, "2 B");
    let toast = console.model.toasts.last().unwrap();
    assert_eq!((toast.level, toast.what.as_str()), (Level::Refused, "The verified need no mail."));
}

#[test]
fn the_last_plan_wins_and_one_that_was_given_up_is_forgotten() {
    let (mut console, _) = counting(80, 24);
    let generation = |asked: Vec<Effect>| {
        asked
            .iter()
            .find_map(|e| if let Effect::Load(Load::JobPlan { generation, .. }) = e { Some(*generation) } else { None })
    };
    let first = generation(console.take_asked()).unwrap();
    console.press("y Enter");
    assert!(console.take_asked().is_empty(), "agreed before it was known to what");
    console.press("Esc");
    assert_eq!(console.take_asked(), [Effect::Load(Load::ForgetJobPlan)]);
    console.press("B");
    let second = generation(console.take_asked()).unwrap();
    console.send(Msg::Loaded(Loaded::JobPlan { generation: first, answer: Ok(Box::new(job_plan(1, 1))) }));
    console.press("y");
    assert!(console.take_asked().is_empty(), "took the answer to a question that was given up");
    console.send(Msg::Loaded(Loaded::JobPlan { generation: second, answer: Ok(Box::new(job_plan(1, 1))) }));
    console.press("y");
    assert!(
        matches!(&console.asked[..], [Effect::Act(Act::StartJob { plan, .. })] if plan.mails == 1),
        "{:?}",
        console.asked
    );
}

#[test]
fn the_number_is_typed_from_26_mails_on() {
    let start = |mails: i64, keys: &str| {
        let (mut console, _) = counting(80, 24);
        console.serve(&World { job_plan: Ok(job_plan(mails, mails)), ..World::default() });
        console.press(keys);
        console.take_asked().iter().filter(|effect| matches!(effect, Effect::Act(Act::StartJob { .. }))).count()
    };
    let table = [
        (25, "y", 1),
        (25, "Enter", 1),
        (1, "y y Enter", 1),
        (25, "n", 0),
        (26, "y", 0),
        (26, "Enter", 0),
        (26, "2 6 Enter", 1),
        (26, "2 6 Enter Enter", 1),
        (26, "2 7 Enter", 0),
        (26, "2 7 Enter Backspace 6 Enter", 1),
        (26, "a 2 b 6 Enter", 1),
        (1_204, "1 , 2 0 4 Enter", 1),
        (1_204, "1 2 0 4 Enter", 1),
        (1_204, "1 2 0 Enter", 0),
        (0, "y Enter", 0),
    ];
    for (mails, keys, started) in table {
        assert_eq!(start(mails, keys), started, "{mails} mails, {keys:?}");
    }
}

#[test]
fn a_started_job_is_selected_in_the_queue_and_can_be_called_off() {
    let (mut console, mut world) = Console::loaded(80, 24);
    console.run(&world, "Space Space B");
    console.type_text("1204");
    let mut started = grace();
    started.outbox.jobs.push(job(2, JobState::Running));
    world.outbox = started.outbox;
    console.press("Enter");
    assert!(screen(&console).contains("starting…"));
    console.serve(&world);
    assert_eq!((console.model.place(), ids(&console).len()), (Place::Queue, 0));
    assert_eq!(console.model.selected_job().map(|job| job.id), Some(job_id(1)));
    let toast = console.model.toasts.last().unwrap();
    assert_eq!(toast.what, "The bulk resend of 1,204 mails starts in 10 s.");
    assert!(toast.hint.starts_with("x calls it off"));
    console.press("x");
    assert!(screen(&console).contains("It has mailed nobody yet; it starts in 8 s."), "{}", screen(&console));
    console.press("y");
    assert_eq!(console.asked, [Effect::Act(Act::ChangeJob { id: job_id(1), change: JobChange::Cancel })]);
    console.press("y Enter");
    assert_eq!(console.asked.len(), 1, "called off twice");
    console.serve(&world);
    assert_eq!(console.model.toasts.last().unwrap().what, "The job is called off.");
}

#[test]
fn a_job_started_behind_a_closed_dialog_is_told_all_the_same() {
    let (mut console, world) = counting(80, 24);
    console.serve(&world);
    console.type_text("1204");
    console.press("Enter Esc");
    console.serve(&world);
    assert_eq!(console.model.view, View::Verifications, "nobody is taken away from what she went on with");
    assert!(console.model.toasts.last().unwrap().what.contains("starts in 10 s"));
}

#[test]
fn a_grace_period_counts_seconds_only_where_it_is_seen() {
    let mut console = Console::new(80, 24);
    let world = grace();
    console.serve(&world);
    assert!(console.model.next_deadline().unwrap() > now() + Duration::seconds(1));
    console.run(&world, "o");
    let mut seen = Vec::new();
    let mut time = now();
    while time < now() + Duration::seconds(8) {
        let shown = screen(&console);
        seen.push(shown.lines().find(|line| line.starts_with("> ")).unwrap()[..20].trim_end().to_owned());
        time = console.model.next_deadline().unwrap();
        console.model.take_dirty();
        console.send(Msg::Clock(time));
        assert!(console.model.take_dirty(), "{time}");
        console.serve(&world);
    }
    assert_eq!(seen.len(), 8, "{seen:?}");
    assert!(seen[0].contains("starts in 8 s") && seen[7].contains("starts in 1 s"), "{seen:?}");
    assert!(screen(&console).contains("> » running"), "{}", screen(&console));
    assert!(console.model.next_deadline().unwrap() > time + Duration::seconds(1), "goes on counting");
}

#[test]
fn a_long_grace_period_counts_minutes() {
    let (mut console, mut world) = (Console::new(80, 24), grace());
    world.outbox.jobs[0].starts_at = now() + Duration::seconds(600);
    world.outbox.workers.clear();
    console.serve(&world);
    console.run(&world, "o");
    assert!(screen(&console).contains("starts in 10 min"));
    assert!(console.model.next_deadline().unwrap() >= now() + Duration::seconds(30), "counts what nobody sees");
}

#[test]
fn jobs_are_paused_and_go_on_by_one_key() {
    let (mut console, world) = (Console::new(80, 24), busy());
    console.serve(&world);
    let table = [
        ("o p", Some((job_id(1), JobChange::Pause))),
        ("o p p", Some((job_id(1), JobChange::Pause))),
        ("o j p", Some((job_id(2), JobChange::Resume))),
        ("o j j p", None),
        ("o j j j j p", None),
        ("o Enter p", Some((job_id(1), JobChange::Pause))),
    ];
    for (keys, expected) in table {
        let mut console = Console::new(80, 24);
        console.serve(&world);
        console.press(keys);
        let expected: Vec<_> =
            expected.map(|(id, change)| Effect::Act(Act::ChangeJob { id, change })).into_iter().collect();
        assert_eq!(console.take_asked(), expected, "{keys:?}");
        assert_eq!(console.model.toasts.is_empty(), !expected.is_empty(), "{keys:?}");
    }
    console.press("o p");
    console.take_asked();
    console.send(Msg::Acted(Acted::JobChanged { id: job_id(1), change: JobChange::Pause, answer: Ok(()) }));
    assert_eq!(console.take_asked(), [Effect::Load(Load::Outbox)]);
    console.press("p");
    let on = Effect::Act(Act::ChangeJob { id: job_id(1), change: JobChange::Resume });
    assert_eq!(console.take_asked(), [on], "by what was answered, before the outbox was read again");
    let problem = Problem { what: "this job was called off".into(), ..Problem::default() };
    console.send(Msg::Acted(Acted::JobChanged { id: job_id(1), change: JobChange::Resume, answer: Err(problem) }));
    assert_eq!(console.model.toasts.last().unwrap().level, Level::Failed);
    console.press("p");
    assert!(
        console.asked.iter().any(|effect| matches!(effect, Effect::Act(Act::ChangeJob { .. }))),
        "may be tried again"
    );
}

#[test]
fn the_selection_stays_with_its_row() {
    let (mut console, mut world) = (Console::new(80, 24), busy());
    console.serve(&world);
    console.run(&world, "o j");
    assert_eq!(console.model.queue.selected, Some(ItemId::Job(job_id(2))));
    world.outbox.jobs.insert(0, job(7, JobState::Running));
    console.send(Msg::Changed(Change::Outbox));
    console.serve(&world);
    assert_eq!(console.model.selected_job().unwrap().id, job_id(2));
    console.run(&world, "G");
    assert!(matches!(console.model.queue.selected, Some(ItemId::Worker(_))));
    console.run(&world, "j g k");
    assert_eq!(console.model.selected_job().unwrap().id, job_id(7));
    world.outbox.jobs.remove(0);
    console.send(Msg::Changed(Change::Outbox));
    console.serve(&world);
    assert_eq!(console.model.selected_job().unwrap().id, job_id(1), "the first where the selected one is gone");
}

#[test]
fn the_brake_asks_why_and_is_set() {
    let table = [
        ("P", BrakeChange::Pause, "Sending is paused."),
        ("D", BrakeChange::Drain, "What is queued goes out, then nothing."),
    ];
    for (key, change, done) in table {
        let (mut console, world) = Console::loaded(80, 24);
        console.run(&world, &format!("o {key} Enter"));
        assert!(screen(&console).contains("A reason of at least 3 characters is needed."));
        console.type_text("  SES maintenance ");
        assert!(!screen(&console).contains("at least 3"));
        console.press("Enter");
        assert_eq!(console.asked, [Effect::Act(Act::SetBrake { change, reason: "SES maintenance".into() })]);
        console.press("Enter");
        assert_eq!(console.asked.len(), 1, "set twice");
        console.serve(&world);
        assert_eq!(console.model.place(), Place::Queue);
        assert_eq!(console.model.toasts.last().unwrap().what, done);
    }
}

#[test]
fn whoever_resumes_reads_why_it_stood_still() {
    for keys in ["U", "m U", "t U", "o U", "Enter U"] {
        let (mut console, world) = (Console::new(80, 24), paused());
        console.serve(&world);
        console.run(&world, keys);
        let shown = screen(&console);
        let parts = ["Resume sending", "by mina@bastion, 12 min ago", "SES maintenance in ap-northeast-2 until four"];
        for part in parts {
            assert!(shown.contains(part), "{keys:?}: {part} is missing in\n{shown}");
        }
        console.press("y");
        assert_eq!(console.asked, [Effect::Act(Act::SetBrake { change: BrakeChange::Resume, reason: String::new() })]);
        let problem = Problem { what: "sending is not paused".into(), ..Problem::default() };
        console.send(Msg::Acted(Acted::BrakeSet { change: BrakeChange::Resume, answer: Err(problem) }));
        assert!(screen(&console).contains("✗ sending is not paused"), "{}", screen(&console));
    }
}

#[test]
fn says_why_an_act_on_the_outbox_cannot_be_done() {
    let table: [(&str, Make, &str); 9] = [
        ("o P", paused, "Sending is paused already."),
        ("o D", paused, "Sending is paused: nothing goes out."),
        ("o D", draining, "The outbox drains already."),
        ("o U", busy, "Nothing holds the outbox back."),
        ("U", busy, "Nothing holds the outbox back."),
        ("U", quota_used_up, "Only the quota holds mail back."),
        ("o x", bare, "No job is selected."),
        ("o j j x", busy, "This job is over."),
        ("/ z z z Enter Space", busy, "There is nothing to mark."),
    ];
    for (keys, world, what) in table {
        let (mut console, world) = (Console::new(80, 24), world());
        console.serve(&world);
        console.run(&world, keys);
        let toast = console.model.toasts.last().unwrap();
        assert_eq!((toast.level, toast.what.as_str()), (Level::Refused, what), "{keys:?}");
        assert!(console.model.dialog.is_none(), "{keys:?}");
    }
    // What a machine has stopped, a person may stop in her own name: then it does not end by itself.
    let (mut console, world) = (Console::new(80, 24), misconfigured());
    console.serve(&world);
    console.run(&world, "o P");
    assert_eq!(console.model.place(), Place::Reason);
}

#[test]
fn nothing_is_done_to_the_outbox_while_the_database_is_away() {
    let (mut console, world) = (Console::new(80, 24), paused());
    console.serve(&world);
    console.press("o");
    let problem = Problem { what: "the database is gone".into(), away: true, ..Problem::default() };
    console.send(Msg::DatabaseAway { problem, retry_at: now() + Duration::seconds(5) });
    for key in ["P", "D", "U", "p", "x"] {
        console.press(key);
        assert!(console.model.dialog.is_none() && console.take_asked().is_empty(), "{key}");
    }
    assert!(screen(&console).contains("As last seen"), "{}", screen(&console));
}

#[test]
fn a_stopped_outbox_is_said_on_every_view() {
    let mut unworked = paused();
    unworked.outbox.workers.clear();
    let table = [
        (paused(), "Sending is paused by mina@bastion, 12 min ago: SES maintenance in ap-northeast-2 until four"),
        (unworked, "Sending is paused by mina@bastion"),
        (draining(), "The outbox is being drained by mina@bastion"),
        (quota_used_up(), "used up until 17:32:00, in 3 h"),
    ];
    for (world, words) in table {
        for keys in ["", "m", "t", "Enter"] {
            let mut console = Console::new(120, 40);
            console.serve(&world);
            console.run(&world, keys);
            let shown = screen(&console);
            assert!(shown.contains(words) && !shown.contains("Nobody is sending"), "{keys:?}: {words}\n{shown}");
            let resumes = shown.contains("press U, or run: verifydesk queue resume");
            assert_eq!(resumes, world.outbox.brake.is_some(), "{keys:?}\n{shown}");
        }
        let mut console = Console::new(120, 40);
        console.serve(&world);
        console.run(&world, "o");
        let shown = screen(&console);
        assert!(shown.contains("PAUSED") || shown.contains("DRAINING") || shown.contains("QUOTA USED UP"), "{shown}");
    }
}

#[test]
fn an_idle_queue_stays_silent_and_a_working_one_moves() {
    let (mut console, mut world) = (Console::new(120, 40), busy());
    console.serve(&world);
    console.run(&world, "o");
    console.model.take_dirty();
    for beat in 1..5 {
        for worker in world.outbox.workers.iter_mut().take(2) {
            worker.beat_at = now() + Duration::seconds(beat);
        }
        console.send(Msg::Changed(Change::Outbox));
        console.model.take_dirty();
        console.serve(&world);
        assert!(!console.model.take_dirty(), "a heartbeat draws nothing");
    }
    world.outbox.jobs[0].looked_at += 1_000;
    console.send(Msg::Changed(Change::Outbox));
    console.model.take_dirty();
    console.serve(&world);
    assert!(console.model.take_dirty() && screen(&console).contains("5,512 of 10,000"), "{}", screen(&console));

    world.outbox = idle().outbox;
    world.outbox.workers.clear();
    console.send(Msg::Changed(Change::Outbox));
    console.serve(&world);
    let (mut wakes, mut time) = (0, now());
    while let Some(next) = console.model.next_deadline().filter(|next| *next < now() + Duration::minutes(10)) {
        assert!(next > time);
        (time, wakes) = (next, wakes + 1);
        console.send(Msg::Clock(time));
        console.serve(&world);
    }
    assert!(wakes <= 11, "{wakes} wakes in ten minutes");
}

#[test]
fn a_pause_that_ends_by_itself_is_looked_at_again() {
    let (mut console, mut world) = (Console::new(80, 24), idle());
    let mut pause = brake(BrakeState::Paused, BrakeCause::Quota, "worker@mail-1", "the day's mails are used up");
    pause.until = Some(now() + Duration::seconds(90));
    world.outbox.brake = Some(pause);
    world.outbox.workers.clear();
    console.serve(&world);
    world.outbox.brake = None;
    let mut time = now();
    while time < now() + Duration::seconds(90) {
        assert!(screen(&console).contains("paused"), "{time}");
        time = console.model.next_deadline().unwrap();
        console.send(Msg::Clock(time));
        console.serve(&world);
    }
    assert!(!screen(&console).contains("paused"), "{}", screen(&console));
}
