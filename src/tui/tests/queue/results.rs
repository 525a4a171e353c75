//! What came of a bulk resend: its pane, its mails, and when it is counted again.

use chrono::Duration;

use super::pictures::snapshot;
use super::worlds::{Make, busy, grace, skips};
use crate::domain::change::Change;
use crate::domain::filter::Filter;
use crate::domain::id::VerificationId;
use crate::domain::job::{COUNTED_MAX, JobResults};
use crate::domain::send::SendState;
use crate::tui::action::KeyContext;
use crate::tui::effect::{Load, Loaded};
use crate::tui::model::{Level, View};
use crate::tui::tests::fixture::{Console, World, job_id, now};
use crate::tui::view::pane::Target;
use crate::tui::view::queue::model::JobFacts;
use crate::tui::{Effect, Msg};

fn console(world: &World, width: u16, height: u16) -> Console {
    let mut console = Console::new(width, height);
    console.serve(world);
    console
}

#[test]
fn it_is_shown_in_full_at_each_size() {
    let worlds: [(&str, Make, &str); 4] = [
        ("job", busy, "o Enter"),
        ("job_end", busy, "o Enter G"),
        ("job_before_its_first_mail", grace, "o Enter"),
        ("job_that_left_out_many", skips, "o Enter"),
    ];
    for (name, world, keys) in worlds {
        let world = world();
        for (width, height) in [(80, 24), (120, 40), (200, 60), (40, 10)] {
            let mut console = console(&world, width, height);
            console.run(&world, keys);
            assert_eq!(console.model.key_context(), KeyContext::QueueItem);
            snapshot(name, &console);
        }
    }
}

#[test]
fn its_mails_are_opened_and_left_again() {
    let world = busy();
    for (width, height) in [(80, 24), (120, 40), (200, 60), (40, 10)] {
        let mut console = console(&world, width, height);
        console.run(&world, "m / k i m Enter o Enter");
        console.press("Enter");
        let asked = console.asked.iter().find_map(|effect| match effect {
            Effect::Load(Load::Sends { filter, .. }) => Some(filter.clone()),
            _ => None,
        });
        assert_eq!(asked, Some(Filter { job: Some(job_id(1)), ..Filter::default() }));
        console.serve(&world);
        assert_eq!((console.model.view, console.model.mail.tab), (View::Mail, 0));
        snapshot("job_mails", &console);
        console.run(&world, "Esc");
        assert_eq!((console.model.key_context(), console.model.mail.search.text()), (KeyContext::QueueItem, ""));
        assert_eq!(console.model.selected_job().unwrap().id, job_id(1));
        console.run(&world, "Esc");
        assert_eq!(console.model.key_context(), KeyContext::Queue);
    }
}

#[test]
fn who_looks_for_more_in_them_stays_in_the_mails() {
    let world = busy();
    let mut console = console(&world, 120, 40);
    console.run(&world, "o Enter Enter / Space k i m Enter Esc");
    assert_eq!((console.model.view, console.model.search().text()), (View::Mail, ""));
    // What was typed is no step from the queue.
    console.run(&world, "o Enter Enter t m Esc");
    assert_eq!((console.model.view, console.model.search().text()), (View::Mail, ""));
}

/// Presses a key until someone that the job skipped is chosen.
fn choose(console: &mut Console, world: &World, key: &str, id: i64) {
    let target = Some(Target::Verification(VerificationId(id)));
    for _ in 0..60 {
        if console.model.queue.skipped == target {
            return;
        }
        console.run(world, key);
    }
    panic!("{id} is never chosen:\n{}", console.screen());
}

#[test]
fn who_was_skipped_is_opened_and_left_again() {
    let world = busy();
    for (width, height) in [(80, 24), (120, 40), (200, 60), (40, 10), (20, 5)] {
        let mut console = console(&world, width, height);
        console.run(&world, "o Enter");
        choose(&mut console, &world, "j", 49_982);
        choose(&mut console, &world, "j", 49_979);
        if width == 120 {
            snapshot("job_skipped_chosen", &console);
            assert!(console.screen().lines().last().unwrap().contains("Enter open"), "{}", console.screen());
        }
        console.run(&world, "Enter");
        assert_eq!((console.model.view, console.model.opened), (View::Queue, Some(VerificationId(49_979))));
        assert_eq!(console.model.key_context(), KeyContext::Detail);
        let shown = console.screen();
        assert!(width < 40 || shown.contains("noah.taylor@example.com") && shown.contains("user 19979"), "{shown}");
        snapshot("job_skipped_open", &console);
        // Their pane is scrolled, and what can be opened from it leads back here.
        console.run(&world, "PgDn");
        assert!(height > 24 || console.model.detail.scroll > 0, "{}", console.screen());
        console.run(&world, "g j");
        while !matches!(console.model.detail.chosen, Some(Target::Mail(_))) {
            console.run(&world, "j");
        }
        console.run(&world, "Enter Esc");
        assert_eq!((console.model.view, console.model.opened), (View::Queue, Some(VerificationId(49_979))));
        console.run(&world, "Esc");
        assert_eq!(console.model.key_context(), KeyContext::QueueItem);
        assert_eq!(console.model.queue.skipped, Some(Target::Verification(VerificationId(49_979))));
        choose(&mut console, &world, "k", 49_982);
        console.run(&world, "Enter r");
        let said = &console.model.toasts.last().unwrap().what;
        assert_eq!(said, "sora.kang@example.com is verified already; there is nothing to resend.");
        console.run(&world, "Esc Esc Esc");
        assert_eq!(console.model.key_context(), KeyContext::Queue);
    }
}

#[test]
fn until_they_are_read_no_one_else_is_named_in_their_place() {
    let world = busy();
    for key in ["r", "v", "a", "d", "x", "p"] {
        let mut console = console(&world, 120, 40);
        // Someone is selected in Mail.
        console.run(&world, "m");
        assert!(console.model.mail.selected().is_some());
        console.run(&world, "o Enter");
        choose(&mut console, &world, "j", 49_979);
        console.press("Enter");
        assert_eq!(console.model.opened, Some(VerificationId(49_979)));
        let named = console.model.subject().map(|subject| subject.email);
        assert_eq!(named, None, "{key}");
        console.press(key);
        assert!(console.model.dialog.is_none(), "{key}: {}", console.screen());
        let said = &console.model.toasts.last().unwrap().what;
        assert_eq!(said, "They are still being read.", "{key}");
    }
}

#[test]
fn who_turns_pages_in_a_job_gets_its_mails() {
    let world = busy();
    let mut console = console(&world, 80, 24);
    console.run(&world, "o Enter");
    choose(&mut console, &world, "j", 49_982);
    console.run(&world, "g Enter");
    assert_eq!((console.model.view, console.model.opened), (View::Mail, None));
}

#[test]
fn who_was_deleted_is_not_opened() {
    let world = busy();
    let mut console = console(&world, 120, 40);
    console.run(&world, "o Enter");
    let mut facts = console.model.queue.facts.clone().unwrap();
    facts.skips[0].email = None;
    let took = Duration::milliseconds(1);
    console.send(Msg::Loaded(Loaded::Job { id: job_id(1), took, answer: Ok(facts) }));
    assert!(console.screen().contains("user 19982 (deleted)"), "{}", console.screen());
    console.run(&world, "j");
    assert_eq!(console.model.queue.skipped, Some(Target::Verification(VerificationId(49_979))));
}

#[test]
fn a_worker_has_none() {
    let world = busy();
    let mut console = console(&world, 80, 24);
    console.run(&world, "o G Enter Enter");
    assert_eq!((console.model.view, console.model.key_context()), (View::Queue, KeyContext::QueueItem));
    assert_eq!(console.model.toasts.last().unwrap().level, Level::Refused);
}

/// The jobs that were to be counted.
fn counted(console: &Console) -> Vec<Effect> {
    console.asked.iter().filter(|effect| matches!(effect, Effect::Load(Load::Job { .. }))).cloned().collect()
}

fn answered(took: Duration, results: Option<JobResults>) -> Msg {
    let facts = JobFacts { id: job_id(1), results, skips: Vec::new(), has_more_skips: false };
    Msg::Loaded(Loaded::Job { id: job_id(1), took, answer: Ok(Box::new(facts)) })
}

#[test]
fn a_large_one_is_counted_seldom() {
    let mut console = console(&busy(), 120, 40);
    console.take_asked();
    console.press("o");
    assert_eq!(counted(&console), [Effect::Load(Load::Job { id: job_id(1) })]);
    console.take_asked();
    console.send(Msg::Changed(vec![Change::Outbox]));
    assert!(counted(&console).is_empty(), "it is being counted");
    console.send(answered(Duration::milliseconds(600), None));
    console.send(Msg::Clock(now() + Duration::seconds(5)));
    assert!(counted(&console).is_empty(), "the count took long");
    assert!(console.next_deadline().unwrap() <= now() + Duration::seconds(6));
    console.send(Msg::Clock(now() + Duration::milliseconds(6_001)));
    assert_eq!(counted(&console).len(), 1);
    console.take_asked();
    console.send(answered(Duration::milliseconds(1), None));
    console.send(Msg::Clock(now() + Duration::seconds(20)));
    assert!(counted(&console).is_empty(), "nothing has changed since");
}

#[test]
fn what_was_not_counted_is_not_said_to_be_none() {
    let world = busy();
    let mut console = console(&world, 120, 40);
    console.run(&world, "o");
    assert!(console.screen().contains("1,960  opened"), "{}", console.screen());
    let mails = [(SendState::Delivered, COUNTED_MAX + 1), (SendState::Bounced, 41_233)].into_iter().collect();
    console.send(answered(Duration::milliseconds(90), Some(JobResults { mails, opened: None })));
    let shown = console.screen();
    assert!(shown.contains("100,000+  delivered") && shown.contains(" 41,233  bounced"), "{shown}");
    assert!(!shown.contains("opened") && shown.contains("verifydesk jobs show"), "{shown}");
    console.send(answered(Duration::milliseconds(400), None));
    let shown = console.screen();
    assert!(!shown.contains("delivered") && shown.contains("verifydesk jobs show"), "{shown}");
}
