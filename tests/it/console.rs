//! Whole runs of the console without a terminal: keys in, acts in the database, screens out.

use std::time::Duration;

use crossterm::event::KeyCode;
use ratatui::layout::Size;
use verifydesk::config::Settings;
use verifydesk::desk::{Desk, SignUp};
use verifydesk::domain::audit::{Actor, Origin};
use verifydesk::domain::change::Change;
use verifydesk::domain::filter::{Filter, Search};
use verifydesk::domain::page::Position;
use verifydesk::tui::effect::{Act, Acted, BrakeChange, Load, Loaded};
use verifydesk::tui::executor::Executor;
use verifydesk::tui::headless::Headless;
use verifydesk::tui::model::Setup;
use verifydesk::tui::{Effect, Msg};

use crate::support::tcp_proxy::TcpProxy;
use crate::support::world::World;

const PATIENCE: Duration = Duration::from_mins(1);

async fn text(world: &World, query: &'static str) -> Option<String> {
    sqlx::query_scalar(query).fetch_optional(world.pool()).await.unwrap()
}

async fn settled(world: &World) -> Headless {
    let mut console = console(world.desk.clone(), world.settings.clone());
    console.settle().await;
    console
}

fn console(desk: Desk, settings: Settings) -> Headless {
    let setup = Setup { operator: "kim@bastion".into(), ..Setup::default() };
    Headless::new(desk, settings, setup, Size::new(120, 36), true)
}

async fn shows(console: &mut Headless, text: &str) {
    assert!(console.wait(PATIENCE, |screen| screen.contains(text)).await, "no {text:?} in\n{}", console.text());
}

#[tokio::test]
async fn a_resend_is_planned_confirmed_queued_and_audited() {
    let world = World::new().await;
    world.sign_up("mina@example.com").await;
    // The mail went out, long enough ago.
    world.execute("update sends set state = 'accepted', queued_at = now() - interval '1 day'").await;
    let mut console = settled(&world).await;
    assert!(console.text().contains("mina@example.com"), "{}", console.text());
    console.press(KeyCode::Char('r'));
    shows(&mut console, "same link").await;
    assert_eq!(
        text(&world, "select 'queued' from sends where state = 'queued'").await,
        None,
        "not before it is confirmed"
    );
    console.press(KeyCode::Enter);
    console.settle().await;
    assert_eq!(text(&world, "select state from sends order by id desc limit 1").await.as_deref(), Some("queued"));
    let actor = text(&world, "select actor from audit_log where action = 'resend'").await;
    assert_eq!(actor.as_deref(), Some("kim@bastion"));
}

#[tokio::test]
async fn a_verification_without_an_end_is_shown() {
    let world = World::new().await;
    world.sign_up("mina@example.com").await;
    let unbounded = "
        alter table verifications drop constraint verifications_times_bounded;
        alter table users drop constraint users_times_bounded;
        update verifications set expires_at = 'infinity', opened_at = 'infinity';
        update users set created_at = '-infinity'";
    world.execute(unbounded).await;
    let mut console = settled(&world).await;
    shows(&mut console, "mina@example.com").await;
    console.press(KeyCode::Enter);
    shows(&mut console, "9999").await;
}

#[tokio::test]
async fn a_forced_verification_needs_its_reason() {
    let world = World::new().await;
    world.sign_up("mina@example.com").await;
    let mut console = settled(&world).await;
    console.press(KeyCode::Char('v'));
    console.press(KeyCode::Enter);
    console.settle().await;
    assert_eq!(text(&world, "select 'verified' from users where verified_at is not null").await, None);
    console.type_text("called back on the number in the contract");
    console.press(KeyCode::Enter);
    console.settle().await;
    assert!(text(&world, "select 'verified' from users where verified_at is not null").await.is_some());
    let reason = text(&world, "select reason from audit_log where action = 'force_verify'").await;
    assert_eq!(reason.as_deref(), Some("called back on the number in the contract"));
    assert!(console.text().contains("mina@example.com"), "the row stays:\n{}", console.text());
}

#[tokio::test]
async fn a_forced_verification_is_taken_back_by_a_key_and_mailed_again() {
    let world = World::new().await;
    world.sign_up("mina@example.com").await;
    let mut console = settled(&world).await;
    for (key, why) in [('v', "they called"), ('V', "the wrong person")] {
        console.press(KeyCode::Char(key));
        console.type_text(why);
        console.press(KeyCode::Enter);
        console.settle().await;
    }
    assert_eq!(text(&world, "select 'verified' from users where verified_at is not null").await, None);
    let reason = text(&world, "select reason from audit_log where action = 'unverify'").await;
    assert_eq!(reason.as_deref(), Some("the wrong person"));
    console.press(KeyCode::Char('r'));
    console.settle().await;
    console.press(KeyCode::Enter);
    console.settle().await;
    let open = "select 'open' from verifications where verified_at is null and revoked_at is null";
    assert_eq!(text(&world, open).await.as_deref(), Some("open"));
    assert_eq!(text(&world, "select state from sends order by id desc limit 1").await.as_deref(), Some("queued"));
}

#[tokio::test]
async fn an_address_is_corrected_and_mailed() {
    let world = World::new().await;
    world.sign_up("mina@example.con").await;
    let mut console = settled(&world).await;
    console.press(KeyCode::Char('a'));
    console.press(KeyCode::Backspace);
    console.type_text("m");
    console.press(KeyCode::Tab);
    console.type_text("a typo");
    console.press(KeyCode::Enter);
    console.settle().await;
    assert!(console.text().contains("The address is mina@example.com now."), "{}", console.text());
    assert_eq!(text(&world, "select email from users").await.as_deref(), Some("mina@example.com"));
    let waits = "select recipient from sends where state = 'queued'";
    assert_eq!(text(&world, waits).await.as_deref(), Some("mina@example.com"));
}

#[tokio::test]
async fn one_user_is_found_among_others() {
    let world = World::new().await;
    for email in ["mina@example.com", "joon@example.org", "eve@example.net"] {
        world.sign_up(email).await;
    }
    let mut console = settled(&world).await;
    console.press(KeyCode::Char('/'));
    console.type_text("joon@");
    console.press(KeyCode::Enter);
    console.settle().await;
    let screen = console.text();
    assert!(screen.contains("joon@example.org") && !screen.contains("mina@example.com"), "{screen}");
}

#[tokio::test]
async fn what_others_do_appears() {
    let world = World::new().await;
    world.sign_up("mina@example.com").await;
    let mut console = settled(&world).await;
    console.listen();
    shows(&mut console, "mina@example.com").await;
    world.desk.force_verify(&Actor::new("lee", Origin::Cli), one(), "they are my neighbour").await.unwrap();
    let is_verified = |screen: &str| screen.lines().any(|line| line.contains("mina@") && line.contains("verified"));
    assert!(console.wait(PATIENCE, is_verified).await, "{}", console.text());
}

#[tokio::test]
async fn a_lost_subscription_is_renewed_without_alarm() {
    let world = World::new().await;
    world.sign_up("mina@example.com").await;
    let mut console = settled(&world).await;
    console.listen();
    let listeners = "select count(pg_terminate_backend(pid)) from pg_stat_activity \
                     where datname = current_database() and query ilike 'listen%'";
    let mut ended = 0_i64;
    let found = console.wait(PATIENCE, |_| true).await;
    assert!(found);
    let until = tokio::time::Instant::now() + PATIENCE;
    while ended == 0 && tokio::time::Instant::now() < until {
        ended = sqlx::query_scalar(listeners).fetch_one(world.pool()).await.unwrap();
        tokio::task::yield_now().await;
    }
    assert!(ended > 0, "the console listens");
    world.sign_up("later@example.com").await;
    let is_there = |screen: &str| {
        assert!(!screen.contains("does not answer"), "{screen}");
        screen.contains("later@example.com") || screen.contains("1 new")
    };
    assert!(console.wait(PATIENCE, is_there).await, "{}", console.text());
}

#[tokio::test]
async fn a_database_that_is_away_is_reported_once_and_loads_do_not_wait_for_it() {
    let world = World::new().await;
    world.sign_up("mina@example.com").await;
    let mut proxy = TcpProxy::new(&world.db.url).await;
    let settings = world.settings_behind(&proxy);
    let mut console = console(Desk::open(&settings).unwrap(), settings);
    console.settle().await;
    console.listen();
    proxy.shut().await;
    console.press(KeyCode::Char('R'));
    shows(&mut console, "does not answer").await;
    let asked = tokio::time::Instant::now();
    console.press(KeyCode::Char('5'));
    console.settle().await;
    assert!(asked.elapsed() < Duration::from_secs(1), "a load waited {:?}", asked.elapsed());
    proxy.open().await;
    let is_back = |screen: &str| screen.contains("mina@example.com") && !screen.contains("does not answer");
    assert!(console.wait(PATIENCE, is_back).await, "{}", console.text());
}

#[tokio::test]
async fn a_database_that_was_never_prepared_says_what_to_do() {
    let world = World::new().await;
    world.execute("drop table _sqlx_migrations").await;
    let mut console = settled(&world).await;
    console.listen();
    shows(&mut console, "is not prepared for this version").await;
    shows(&mut console, "verifydesk migrate").await;
}

#[tokio::test]
async fn the_last_query_wins() {
    let world = World::new().await;
    world.sign_up("mina@example.com").await;
    let (mut executor, mut inbox) = Executor::new(world.desk.clone(), world.settings.clone(), "kim");
    for (generation, text) in (1..).zip(["m", "mi", "min", "mina"]) {
        let filter = Filter { search: Search::parse(text), ..Filter::default() };
        executor.run(Effect::Load(Load::Page { filter, position: Position::Newest, generation }));
    }
    let answer = tokio::time::timeout(PATIENCE, inbox.recv()).await.unwrap();
    assert!(
        matches!(&answer, Some(Msg::Loaded(Loaded::Page { generation: 4, answer: Ok(page) })) if page.rows.len() == 1),
        "{answer:?}"
    );
    assert!(executor.is_idle());
    assert!(inbox.try_recv().is_err(), "the others are cancelled, not answered late");
}

#[tokio::test]
async fn what_an_act_changed_is_reported_once_whether_changes_are_heard_or_not() {
    for hears in [false, true] {
        let world = World::new().await;
        let (mut executor, mut inbox) = Executor::new(world.desk.clone(), world.settings.clone(), "kim");
        let mut next = async || tokio::time::timeout(PATIENCE, inbox.recv()).await.unwrap().unwrap();
        if hears {
            executor.connect();
            let first = next().await;
            assert!(matches!(first, Msg::Changed(_)), "it has just subscribed: {first:?}");
        }
        let request = SignUp { email: "mina@example.com".into(), ..SignUp::default() };
        let acts = [Act::SignUp(request), Act::SetBrake { change: BrakeChange::Pause, reason: "a test".into() }];
        let (mut reported, mut expected) =
            (Vec::new(), vec![Change::Many, Change::Outbox, Change::Many, Change::Outbox]);
        for act in acts {
            executor.run(Effect::Act(act));
            loop {
                match next().await {
                    Msg::Acted(Acted::SignedUp(answer)) if hears => {
                        let id = answer.unwrap().verification_id.unwrap();
                        expected = vec![Change::Verification(id), Change::Queued, Change::Outbox];
                        break;
                    }
                    Msg::Acted(_) => break,
                    Msg::Changed(changes) => reported.extend(changes),
                    other => panic!("{other:?}"),
                }
            }
        }
        while reported.len() < expected.len() {
            match next().await {
                Msg::Changed(changes) => reported.extend(changes),
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(reported, expected, "hears: {hears}");
    }
}

#[tokio::test]
async fn an_act_begun_is_done_although_the_console_ends() {
    let world = World::new().await;
    let (mut executor, inbox) = Executor::new(world.desk.clone(), world.settings.clone(), "kim");
    executor.run(Effect::Act(Act::SignUp(SignUp { email: "last@example.com".into(), ..SignUp::default() })));
    drop(inbox);
    executor.finish().await;
    assert_eq!(text(&world, "select email from users").await.as_deref(), Some("last@example.com"));
}

#[tokio::test]
async fn the_outbox_is_paused_with_a_reason_and_resumed_after_the_reason_was_read() {
    let world = World::new().await;
    let mut other = settled(&world).await;
    other.listen();
    let mut console = settled(&world).await;
    console.press(KeyCode::Char('o'));
    console.press(KeyCode::Char('P'));
    console.type_text("SES maintenance");
    console.press(KeyCode::Enter);
    shows(&mut console, "Sending is paused.").await;
    shows(&mut other, "Sending is paused by kim@bastion, just now: SES maintenance").await;
    let audited = "select concat_ws(' ', actor, action, outcome, reason) from audit_log order by id desc limit 1";
    assert_eq!(text(&world, audited).await.as_deref(), Some("kim@bastion pause done SES maintenance"));
    other.press(KeyCode::Char('U'));
    shows(&mut other, "by kim@bastion, just now").await;
    assert_eq!(text(&world, "select state from brake").await.as_deref(), Some("paused"), "resumed by a single key");
    other.press(KeyCode::Char('y'));
    shows(&mut other, "Sending goes on.").await;
    assert_eq!(text(&world, "select state from brake").await.as_deref(), Some("off"));
    console.press(KeyCode::Char('R'));
    console.settle().await;
    assert!(!console.text().contains("PAUSED"), "{}", console.text());
    // Another operator was faster: said in the dialog, and nothing breaks.
    console.press(KeyCode::Char('D'));
    console.type_text("the database moves");
    console.press(KeyCode::Enter);
    shows(&mut console, "DRAINING").await;
    console.press(KeyCode::Char('U'));
    world
        .execute(
            "update brake set state = 'off', cause = null, set_by = null, reason = null, set_at = null, until = null",
        )
        .await;
    console.press(KeyCode::Char('y'));
    shows(&mut console, "sending is not paused").await;
}

fn one() -> verifydesk::domain::id::VerificationId {
    verifydesk::domain::id::VerificationId(1)
}
