//! The view of the outbox, the brake's keys and bulk resends: keys → model and effects.

mod pictures;
mod results;
pub(in crate::tui) mod worlds;

use chrono::Duration;

use super::fixture::{Console, World, job, job_id, now};
use crate::domain::brake::{BrakeCause, BrakeState};
use crate::domain::change::Change;
use crate::domain::job::JobState;
use crate::tui::effect::{Act, Acted, JobChange, Problem};
use crate::tui::model::Level;
use crate::tui::view::queue::model::ItemId;

use crate::tui::{Effect, Msg};
use worlds::{brake, busy, draining, grace, idle, paused, quota_used_up, restored};

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
    assert!(console.model.verifications.list().unwrap().newer, "the marked row is out of the window");
    console.send(Msg::Changed(vec![Change::Many]));
    console.serve(&world);
    console.run(&world, "Space g");
    assert_eq!(console.model.marks.len(), 2);
    let shown = console.screen();
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
fn a_grace_period_counts_seconds_only_where_it_is_seen() {
    let mut console = Console::new(80, 24);
    let world = grace();
    console.serve(&world);
    assert!(console.next_deadline().unwrap() > now() + Duration::seconds(1));
    console.run(&world, "o");
    let mut seen = Vec::new();
    let mut time = now();
    while time < now() + Duration::seconds(8) {
        let shown = console.screen();
        seen.push(shown.lines().find(|line| line.starts_with("> ")).unwrap()[..20].trim_end().to_owned());
        time = console.next_deadline().unwrap();
        console.model.take_dirty();
        console.send(Msg::Clock(time));
        assert!(console.model.take_dirty(), "{time}");
        console.serve(&world);
    }
    assert_eq!(seen.len(), 8, "{seen:?}");
    assert!(seen[0].contains("starts in 8 s") && seen[7].contains("starts in 1 s"), "{seen:?}");
    assert!(console.screen().contains("> » running"), "{}", console.screen());
    assert!(console.next_deadline().unwrap() > time + Duration::seconds(1), "goes on counting");
}

#[test]
fn what_the_plan_named_is_to_go_from_the_start_to_the_end() {
    // Looked at and queued so far, still queued, and to go.
    let table = [
        (0, 0, 0, "508 to go"),
        (200, 170, 100, "438 to go"),
        (580, 508, 3, "3 to go"),
        (582, 500, 0, "1 worker ready"),
    ];
    for (looked_at, queued, open, words) in table {
        let (mut console, mut world) = (Console::new(120, 40), idle());
        let mut job = job(1, JobState::Running);
        (job.found, job.planned, job.looked_at, job.queued, job.open) = (Some(582), Some(508), looked_at, queued, open);
        (world.outbox.jobs, world.outbox.queued) = (vec![job], open);
        console.serve(&world);
        console.run(&world, "o");
        let shown = console.screen();
        assert!(shown.lines().next().unwrap().trim_end().ends_with(words), "{words}: {shown}");
        if let Some(mails) = words.strip_suffix(" to go") {
            assert!(shown.contains(&format!("for {mails} mails")), "{mails}: {shown}");
        }
    }
}

#[test]
fn a_long_grace_period_counts_minutes() {
    let (mut console, mut world) = (Console::new(80, 24), grace());
    world.outbox.jobs[0].starts_at = now() + Duration::seconds(600);
    world.outbox.workers.clear();
    console.serve(&world);
    console.run(&world, "o");
    assert!(console.screen().contains("starts in 10 min"));
    assert!(console.next_deadline().unwrap() >= now() + Duration::seconds(30), "counts what is not shown");
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
        let acts = console.take_asked().into_iter().filter(|effect| matches!(effect, Effect::Act(_)));
        assert_eq!(acts.collect::<Vec<_>>(), expected, "{keys:?}");
        assert_eq!(console.model.toasts.is_empty(), !expected.is_empty(), "{keys:?}");
    }
    console.press("o p");
    console.take_asked();
    console.send(Msg::Acted(Acted::JobChanged { id: job_id(1), change: JobChange::Pause, answer: Ok(()) }));
    assert!(console.take_asked().is_empty());
    console.press("p");
    let on = Effect::Act(Act::ChangeJob { id: job_id(1), change: JobChange::Resume });
    assert_eq!(console.take_asked(), [on], "by what was answered, before the outbox was read again");
    let problem = Problem { what: "this job was cancelled".into(), ..Problem::default() };
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
    console.send(Msg::Changed(vec![Change::Outbox]));
    console.serve(&world);
    assert_eq!(console.model.selected_job().unwrap().id, job_id(2));
    console.run(&world, "G");
    assert!(matches!(console.model.queue.selected, Some(ItemId::Worker(_))));
    console.run(&world, "j g k");
    assert_eq!(console.model.selected_job().unwrap().id, job_id(7));
    world.outbox.jobs.remove(0);
    console.send(Msg::Changed(vec![Change::Outbox]));
    console.serve(&world);
    assert_eq!(console.model.selected_job().unwrap().id, job_id(1), "the first where the selected one is gone");
}

#[test]
fn a_stopped_outbox_is_said_on_every_view() {
    let mut unworked = paused();
    unworked.outbox.workers.clear();
    let table = vec![
        (paused(), "Sending is paused by mina@bastion, 12 min ago: SES maintenance in ap-northeast-2 until four"),
        (unworked, "Sending is paused by mina@bastion"),
        (draining(), "The outbox is being drained by mina@bastion"),
        (restored(), "Sending is paused by worker@mail-1, 12 min ago: this database was restored or copied"),
        (quota_used_up(), "used up until 17:32:00, in 3 h"),
    ];
    for (world, words) in table {
        for keys in ["", "m", "t", "Enter"] {
            let mut console = Console::new(120, 40);
            console.serve(&world);
            console.run(&world, keys);
            let shown = console.screen();
            assert!(shown.contains(words) && !shown.contains("No worker is sending"), "{keys:?}: {words}\n{shown}");
            let resumes = shown.contains("press U, or run: verifydesk queue resume");
            assert_eq!(resumes, world.outbox.brake.is_some(), "{keys:?}\n{shown}");
        }
        let mut console = Console::new(120, 40);
        console.serve(&world);
        console.run(&world, "o");
        let shown = console.screen();
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
        console.send(Msg::Changed(vec![Change::Outbox]));
        console.model.take_dirty();
        console.serve(&world);
        assert!(!console.model.take_dirty(), "a heartbeat draws nothing");
    }
    world.outbox.jobs[0].looked_at += 1_000;
    console.send(Msg::Changed(vec![Change::Outbox]));
    console.model.take_dirty();
    console.serve(&world);
    assert!(console.model.take_dirty() && console.screen().contains("5,512 of 10,000"), "{}", console.screen());

    world.outbox = idle().outbox;
    world.outbox.workers.clear();
    console.send(Msg::Changed(vec![Change::Outbox]));
    console.serve(&world);
    let (mut wakes, mut time) = (0, now());
    while let Some(next) = console.next_deadline().filter(|next| *next < now() + Duration::minutes(10)) {
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
        assert!(console.screen().contains("paused"), "{time}");
        time = console.next_deadline().unwrap();
        console.send(Msg::Clock(time));
        console.serve(&world);
    }
    assert!(!console.screen().contains("paused"), "{}", console.screen());
}
