//! Each state of the view and of its dialogs as text and styles.

use super::worlds::{
    HOSTILE, Make, account_healthy, account_paused, account_sandbox, alerted, bare, bouncing, busy, counted_partly,
    counting, dead_letters, deaf, draining, grace, hooks_given_up, hooks_told, idle, lowered, misconfigured, paused,
    quota_used_up, skips, topic_asks,
};
use crate::domain::job::Skipped;
use crate::tui::action::KeyContext;
use crate::tui::effect::{Acted, Problem};
use crate::tui::tests::fixture::{Console, World, job_plan};
use crate::tui::tests::picture::picture;
use crate::tui::{ColourDepth, Msg, Theme};

pub(super) fn snapshot(name: &str, console: &Console) {
    let (width, height) = console.model.size;
    insta::assert_snapshot!(
        format!("{name}_{width}x{height}"),
        picture(&console.model, &Theme::new(ColourDepth::Sixteen, true))
    );
    let plain = picture(&console.model, &Theme::new(ColourDepth::None, false));
    insta::assert_snapshot!(format!("{name}_{width}x{height}_ascii"), plain);
}

#[test]
fn the_view_at_each_size() {
    let worlds: [(&str, Make); 20] = [
        ("bare", bare),
        ("idle", idle),
        ("busy", busy),
        ("bouncing", bouncing),
        ("paused", paused),
        ("draining", draining),
        ("misconfigured", misconfigured),
        ("quota_used_up", quota_used_up),
        ("lowered", lowered),
        ("grace", grace),
        ("skips", skips),
        ("dead_letters", dead_letters),
        ("topic_asks", topic_asks),
        ("hooks_given_up", hooks_given_up),
        ("hooks_told", hooks_told),
        ("alerted", alerted),
        ("deaf", deaf),
        ("account_healthy", account_healthy),
        ("account_sandbox", account_sandbox),
        ("account_paused", account_paused),
    ];
    for (name, world) in worlds {
        let world = world();
        for (width, height) in [(80, 24), (120, 40), (200, 60), (40, 10), (1, 1)] {
            let mut console = Console::new(width, height);
            console.serve(&world);
            console.run(&world, "o");
            snapshot(name, &console);
        }
    }
}

#[test]
fn webhooks_that_were_given_up() {
    for (width, height) in [(80, 24), (120, 40), (200, 60), (40, 10)] {
        let (mut console, world) = (Console::new(width, height), hooks_given_up());
        console.serve(&world);
        console.run(&world, "o w");
        assert_eq!(console.model.key_context(), KeyContext::Confirm);
        snapshot("ask_webhooks", &console);
    }
}

#[test]
fn a_worker_in_full() {
    for (width, height) in [(80, 24), (120, 40), (40, 10)] {
        let (mut console, world) = (Console::new(width, height), busy());
        console.serve(&world);
        console.run(&world, "o j j j j j Enter");
        assert_eq!(console.model.key_context(), KeyContext::QueueItem);
        snapshot("worker", &console);
    }
}

fn plans() -> Vec<(&'static str, World)> {
    let planned = |plan| World { job_plan: Ok(plan), ..World::default() };
    let mut many = job_plan(1_000_000, 1_250_000);
    many.skipped = Skipped {
        verified: 1,
        cool_down: 9_999,
        daily_cap: 40_000,
        waiting: 100_000,
        suppressed: 50_000,
        bounced: 40_000,
        later: 0,
        duplicate: 10_000,
    };
    many.over_quota = Some(981_200);
    let mut few = job_plan(3, 4);
    few.first[0] = HOSTILE.into();
    let problem = Problem {
        what: "the database has not answered within 30 seconds".into(),
        hint: "try again; the server's load or a lock may hold it up".into(),
        ..Problem::default()
    };
    vec![
        ("plan_many", planned(many)),
        ("plan_few", planned(few)),
        ("plan_no_one", planned(job_plan(0, 318))),
        ("plan_failed", World { job_plan: Err(problem), ..World::default() }),
    ]
}

#[test]
fn the_plan_in_each_state() {
    for (width, height) in [(80, 24), (120, 40), (40, 10), (20, 5)] {
        snapshot("plan_counting", &counting(width, height).0);
        snapshot("plan_counted_partly", &counted_partly(width, height).0);
        for (name, world) in plans() {
            let (mut console, _) = counting(width, height);
            console.serve(&world);
            snapshot(name, &console);
        }
        let (mut console, world) = counting(width, height);
        console.serve(&world);
        console.type_text("1,20");
        console.press("Enter");
        snapshot("plan_wrong_number", &console);
        console.type_text("4");
        console.press("Enter");
        snapshot("plan_starting", &console);
        let problem = Problem { what: "permission denied for table jobs".into(), ..Problem::default() };
        console.send(Msg::Acted(Acted::JobStarted(Err(problem))));
        snapshot("plan_not_started", &console);
    }
}

#[test]
fn the_other_dialogs() {
    for (width, height) in [(80, 24), (40, 10)] {
        for (name, world, keys) in vec![
            ("ask_pause", busy(), "o P n o"),
            ("ask_pause_without_reason", busy(), "o P Enter"),
            ("ask_drain", busy(), "o D"),
            ("ask_resume", misconfigured(), "U"),
            ("ask_cancel", busy(), "o x"),
            ("ask_cancel_in_grace", grace(), "o x"),
            ("marked", World::default(), "Space j Space"),
            ("paused_elsewhere", paused(), "m"),
            ("draining_elsewhere", draining(), ""),
            ("misconfigured_elsewhere", misconfigured(), "t"),
            ("quota_elsewhere", quota_used_up(), ""),
            ("ask_topic", topic_asks(), "o A"),
        ] {
            let mut console = Console::new(width, height);
            console.serve(&world);
            console.run(&world, keys);
            snapshot(name, &console);
        }
    }
}
