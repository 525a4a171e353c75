//! How messages are delivered: signed, in order, again after failures, and none is lost.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use verifydesk::config::{Secret, Settings, Webhook};
use verifydesk::domain::hook::TRIED_FOR;
use verifydesk::hooks::HookSender;
use verifydesk::poller::Until;
use verifydesk::store::Store;

use super::receiver::{NEW_SECRET, Receiver, SECRET};
use crate::mail_servers::PATIENCE;
use crate::support::Program;
use crate::support::world::{World, operator};

pub(super) async fn world(endpoints: &[(&str, Webhook)]) -> World {
    let world = World::with(|settings| {
        settings.webhook.0 = endpoints.iter().map(|(name, webhook)| ((*name).to_owned(), webhook.clone())).collect();
    })
    .await;
    // As a worker does that starts.
    drain(&world).await;
    world
}

fn sender(settings: &Settings) -> HookSender {
    HookSender::from_settings(&Store::open(settings).unwrap(), settings).unwrap().unwrap()
}

/// Delivers until nothing is due.
pub(super) async fn drain(world: &World) {
    let sender = sender(&world.settings);
    let never = CancellationToken::new();
    let delivering = sender.run(Until::Empty, &never);
    tokio::time::timeout(PATIENCE, delivering).await.unwrap();
}

/// Delivers until it is told to end.
pub(super) struct AtWork {
    task: JoinHandle<()>,
    shutdown: CancellationToken,
}

impl AtWork {
    pub(super) fn new(world: &World) -> Self {
        Self::with(&world.settings)
    }

    pub(super) fn with(settings: &Settings) -> Self {
        let (sender, shutdown) = (sender(settings), CancellationToken::new());
        let ending = shutdown.clone();
        let task = tokio::spawn(async move { sender.run(Until::Ended, &ending).await });
        Self { task, shutdown }
    }

    pub(super) async fn end(self) {
        self.shutdown.cancel();
        tokio::time::timeout(PATIENCE, self.task).await.unwrap().unwrap();
    }
}

/// What waits is due.
pub(super) async fn let_be_due(world: &World) {
    world.execute("update webhook_deliveries set due_at = now() where state = 'waiting'").await;
}

pub(super) async fn verify(world: &World, user: &str) {
    let id = world.sign_up(&format!("{user}@example.com")).await;
    world.desk.force_verify(&operator(), id, "the user called").await.unwrap();
}

/// Users by their numbers, verified or not any more.
pub(super) async fn set(world: &World, user: i64, verified: bool) {
    let value = if verified { "now()" } else { "null" };
    world.execute(&format!("update users set verified_at = {value} where id = {user}")).await;
}

/// State, attempts, status and error of all, in their order.
async fn deliveries(world: &World) -> Vec<(String, i32, Option<i16>, Option<String>)> {
    sqlx::query_as("select state, attempts, status, error from webhook_deliveries order by message_id, endpoint")
        .fetch_all(world.pool())
        .await
        .unwrap()
}

pub(super) async fn states(world: &World) -> Vec<String> {
    deliveries(world).await.into_iter().map(|(state, ..)| state).collect()
}

pub(super) async fn until(world: &World, query: &str, wanted: i64) {
    world.until(async || world.number(query).await == wanted).await;
}

const WAITING: &str = "select count(*) from webhook_deliveries where state = 'waiting'";

#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_verifies_what_it_gets_over_tls() {
    let receiver = Receiver::with_tls();
    let world = world(&[("site", receiver.webhook())]).await;
    verify(&world, "mina").await;
    drain(&world).await;
    let got = receiver.wait(1).remove(0);
    assert_eq!((&got["verified"], &got["signatures"]), (&json!(0), &json!(1)));
    assert_eq!((&got["path"], &got["content_type"]), (&json!("/hooks?from=desk"), &json!("application/json")));
    let uid: String = sqlx::query_scalar("select 'msg_' || replace(uid::text, '-', '') from webhook_messages")
        .fetch_one(world.pool())
        .await
        .unwrap();
    assert_eq!(got["id"], json!(uid));
    assert_eq!(receiver.in_short(), ["1 user.verified"]);
    assert_eq!(deliveries(&world).await, [("delivered".into(), 1, Some(200), None)]);
    drain(&world).await;
    assert_eq!(receiver.got().len(), 1, "once is enough");
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_secret_changes_either_verifies() {
    let mut receiver = Receiver::start();
    let rotating = Webhook {
        secret: Some(Secret::new(NEW_SECRET)),
        secret_previous: Some(Secret::new(SECRET)),
        ..receiver.webhook()
    };
    let world = world(&[("site", rotating)]).await;
    for (secrets, number) in [([SECRET], 1), ([NEW_SECRET], 2)] {
        receiver.set(&json!({ "secrets": secrets }));
        verify(&world, &format!("user{number}")).await;
        drain(&world).await;
        let got = receiver.wait(number).pop().unwrap();
        assert_eq!((&got["verified"], &got["signatures"]), (&json!(0), &json!(2)));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_fails_comes_again_the_same_and_before_what_is_behind_it() {
    let mut receiver = Receiver::start();
    receiver.then(&json!([400, 200]));
    let world = world(&[("site", receiver.webhook())]).await;
    verify(&world, "mina").await;
    set(&world, 1, false).await;
    set(&world, 1, true).await;
    drain(&world).await;
    // The later ones of Mina wait for the first; Jun does not.
    verify(&world, "jun").await;
    drain(&world).await;
    let [on, off] = ["1 user.verified", "1 user.unverified"];
    assert_eq!(receiver.in_short(), [on, "2 user.verified"]);
    assert_eq!(states(&world).await, ["waiting", "waiting", "waiting", "delivered"]);
    let (_, attempts, status, error) = deliveries(&world).await.remove(0);
    assert_eq!((attempts, status, error.as_deref()), (1, Some(400), Some("it answered 400 Bad Request")));
    // Nothing is due before its time, what is behind it no earlier.
    let soon = "select count(*) from webhook_deliveries
        where state = 'waiting' and due_at between now() and now() + interval '7 seconds'";
    assert_eq!(world.number(soon).await, 3);
    world.execute("update webhook_deliveries set due_at = now() where message_id = 1").await;
    drain(&world).await;
    assert_eq!(receiver.in_short()[2..], [on, off, on]);
    assert_eq!(states(&world).await, ["delivered"; 4]);
    let got = receiver.got();
    let of_the_first: Vec<&Value> = got.iter().filter(|one| one["id"] == got[2]["id"]).collect();
    assert_eq!(of_the_first.len(), 2);
    assert_eq!(of_the_first[0]["body"], of_the_first[1]["body"]);
    assert!(got.iter().all(|one| one["verified"] == 0), "{got:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_or_dead_endpoint_delays_no_other() {
    let (mut slow, mut dead, quick) = (Receiver::start(), Receiver::start(), Receiver::start());
    slow.then(&json!(["slow"]));
    dead.then(&json!(["hang"]));
    let patient = Webhook { timeout: Duration::from_mins(1), ..dead.webhook() };
    let world = world(&[("slow", slow.webhook()), ("dead", patient), ("quick", quick.webhook())]).await;
    for user in 0..20 {
        verify(&world, &format!("user{user}")).await;
    }
    let working = AtWork::new(&world);
    quick.wait(20);
    slow.wait(20);
    let of = |name: &str| {
        format!("select count(*) from webhook_deliveries where state = 'delivered' and endpoint = '{name}'")
    };
    until(&world, &of("quick"), 20).await;
    until(&world, &of("slow"), 20).await;
    assert_eq!(world.number(&of("dead")).await, 0);
    assert!(dead.got().len() <= 8, "{}", dead.got().len());
    // Who ends waits no minute for the dead one; what it had is the next worker's at once.
    let begun = std::time::Instant::now();
    working.end().await;
    assert!(begun.elapsed() < Duration::from_secs(15), "{:?}", begun.elapsed());
    let due =
        "select count(*) from webhook_deliveries where endpoint = 'dead' and state = 'waiting' and due_at <= now()";
    assert_eq!(world.number(due).await, 20);
}

/// What a receiver may do wrong, and what is said of it.
#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_may_do_what_it_likes() {
    let mut receiver = Receiver::start();
    let impatient = Webhook { timeout: Duration::from_secs(2), ..receiver.webhook() };
    let world = world(&[("site", impatient)]).await;
    verify(&world, "mina").await;
    let elsewhere = receiver.url();
    let table = [
        (json!(500), Some(500), "it answered 500 Internal Server Error"),
        (json!([302, { "location": elsewhere }, ""]), Some(302), "it answered 302 Found (redirects are not followed)"),
        (json!([307, { "location": elsewhere }, ""]), Some(307), "(redirects are not followed)"),
        (
            json!([503, { "retry-after": "600" }, "come\nlater \u{1b}[31m"]),
            Some(503),
            "Unavailable: come ⏎ later ␛[31m",
        ),
        (json!("hang"), None, "no answer within 2s"),
        (json!("drop"), None, "no answer in HTTP: "),
        (json!("garbage"), None, "no answer in HTTP: "),
        (json!("lie"), Some(500), "it answered 500 Internal Server Error: only this"),
        (json!("huge"), Some(500), "it answered 500 Internal Server Error: xxx"),
        (json!("endless-head"), None, "no answer in HTTP: "),
        (json!("informing"), None, "no answer"),
    ];
    for (number, (does, status, says)) in table.into_iter().enumerate() {
        receiver.then(&json!([does]));
        let_be_due(&world).await;
        drain(&world).await;
        let (state, attempts, known, error) = deliveries(&world).await.remove(0);
        let error = error.unwrap();
        assert_eq!((state.as_str(), known), ("waiting", status), "{does}: {error}");
        assert!(error.contains(says), "{does}: {error}");
        assert!(!error.contains(char::is_control) && error.chars().count() < 300, "{does}: {error}");
        assert_eq!(attempts, i32::try_from(number).unwrap() + 1, "{does}");
        if does[0] == 503 {
            let later = "select count(*) from webhook_deliveries where due_at > now() + interval '9 minutes'";
            assert_eq!(world.number(later).await, 1, "it asked for ten minutes");
        }
    }
    // What it said stays with the message: it may name the user, who may be erased.
    for says in ["lie", "huge"] {
        receiver.then(&json!([says]));
        let_be_due(&world).await;
        drain(&world).await;
        let of_the_endpoint: String =
            sqlx::query_scalar("select error from webhook_endpoints").fetch_one(world.pool()).await.unwrap();
        assert_eq!(of_the_endpoint, "it answered 500 Internal Server Error");
    }
    receiver.then(&json!(["huge-200"]));
    let_be_due(&world).await;
    drain(&world).await;
    assert_eq!(states(&world).await, ["delivered"]);
    assert!(!receiver.has("redirected") && !receiver.has("all was read"));
}

#[tokio::test(flavor = "multi_thread")]
async fn after_three_days_it_is_given_up_and_what_is_behind_it_goes() {
    let mut receiver = Receiver::start();
    receiver.then(&json!([400, 400, 200]));
    let world = world(&[("site", receiver.webhook())]).await;
    verify(&world, "mina").await;
    set(&world, 1, false).await;
    drain(&world).await;
    let pass = async |hours: f64| {
        let earlier = format!(
            "update webhook_deliveries set tried_since = tried_since - make_interval(secs => {}), due_at = now()",
            hours * 3600.0
        );
        world.execute(&earlier).await;
    };
    assert_eq!(states(&world).await, ["waiting", "waiting"]);
    pass(TRIED_FOR.as_secs_f64() / 3600.0).await;
    drain(&world).await;
    assert_eq!(states(&world).await, ["given_up", "delivered"]);
    assert_eq!(receiver.in_short(), ["1 user.verified", "1 user.verified", "1 user.unverified"]);

    // Where nothing is taken, those give up too that were not tried for as long.
    receiver.then(&json!([500]));
    for user in 0..3 {
        verify(&world, &format!("user{user}")).await;
    }
    drain(&world).await;
    world.execute("update webhook_endpoints set failing_since = now() - interval '73 hours'").await;
    world.store().keep_webhooks().await.unwrap();
    assert_eq!(world.number(WAITING).await, 3, "they are not as old");
    world
        .execute(
            "update webhook_messages set at = at - interval '73 hours';
            update webhook_deliveries set changed_at = changed_at - interval '73 hours'",
        )
        .await;
    world.store().keep_webhooks().await.unwrap();
    assert_eq!(world.number(WAITING).await, 0);
    let (_, _, _, error) = deliveries(&world).await.pop().unwrap();
    assert!(error.unwrap().starts_with("it answered 500"));
}

/// Any worker removes it: the endpoint may be in no settings any more.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_over_stays_for_a_month() {
    let mut receiver = Receiver::start();
    receiver.then(&json!([200, 200, 400]));
    let world = world(&[("site", receiver.webhook())]).await;
    for user in ["mina", "jun", "kim"] {
        verify(&world, user).await;
        drain(&world).await;
    }
    assert_eq!(states(&world).await, ["delivered", "delivered", "waiting"]);
    world.execute("update webhook_messages set at = at - interval '31 days' where id <> 2").await;
    world.drain().await;
    assert_eq!(states(&world).await, ["delivered", "waiting"]);
    world.execute("update webhook_endpoints set seen_at = seen_at - interval '31 days'").await;
    world.drain().await;
    assert_eq!(world.number("select count(*) from webhook_endpoints").await, 0);
    assert_eq!(states(&world).await, ["delivered"], "what waited was as old, and no one will deliver it");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_that_is_gone_is_told_nothing_any_more() {
    let mut receiver = Receiver::start();
    receiver.then(&json!([410]));
    let world = world(&[("site", receiver.webhook())]).await;
    verify(&world, "mina").await;
    set(&world, 1, false).await;
    drain(&world).await;
    assert_eq!(states(&world).await, ["given_up", "given_up"]);
    verify(&world, "jun").await;
    drain(&world).await;
    assert_eq!((receiver.got().len(), deliveries(&world).await.len()), (1, 2));
    // A test begins it again.
    receiver.then(&json!([200]));
    world.execute("select queue_webhook_test('site', 'me', 'cli')").await;
    verify(&world, "kim").await;
    drain(&world).await;
    let mut got = receiver.in_short();
    got.sort();
    assert_eq!(got, ["1 user.verified", "3 user.verified", "null webhook.test"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn private_addresses_want_a_setting_and_clear_text_a_private_address() {
    let receiver = Receiver::with_tls();
    let port = receiver.url().split(':').nth(2).unwrap().split('/').next().unwrap().to_owned();
    // By its address, by names that lead there, and as IPv6 has it.
    for host in ["127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "0x7f.1", "0.0.0.0"] {
        let url = Some(Secret::new(format!("https://{host}:{port}/")));
        let world = world(&[("site", Webhook { url, allow_private: false, ..receiver.webhook() })]).await;
        verify(&world, "mina").await;
        drain(&world).await;
        let (state, _, status, error) = deliveries(&world).await.remove(0);
        let error = error.unwrap();
        assert_eq!((state.as_str(), status), ("waiting", None), "{host}");
        assert!(error.contains("is not allowed") && error.contains("`webhook.site.allow_private`"), "{host}: {error}");
    }
    let url = Some(Secret::new("http://192.0.2.255.example:1/"));
    let world = world(&[("site", Webhook { url, ..receiver.webhook() })]).await;
    drain(&world).await;
    let url = Some(Secret::new("http://93.184.216.34:9/"));
    let world = self::world(&[("site", Webhook { url, ca_file: None, ..receiver.webhook() })]).await;
    verify(&world, "mina").await;
    drain(&world).await;
    let error = deliveries(&world).await.remove(0).3.unwrap();
    assert!(error.contains("93.184.216.34 is not allowed without TLS"), "{error}");
    assert!(receiver.got().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_killed_in_the_middle_loses_none() {
    const USERS: usize = 40;
    let mut receiver = Receiver::start();
    receiver.then(&json!(["slow"]));
    let world = world(&[("site", receiver.webhook())]).await;
    for user in 0..USERS {
        verify(&world, &format!("user{user}")).await;
    }
    world.execute("update users set verified_at = null").await;
    let program = Program::new(&world.db.url)
        .set("VERIFYDESK_PUBLIC_URL", "https://example.org")
        .set("VERIFYDESK_SECRET", crate::support::world::SECRET)
        .set("VERIFYDESK_MAIL__FROM", "Example <no-reply@example.org>")
        .set("VERIFYDESK_MAIL__TRANSPORT", "capture")
        .set("VERIFYDESK_CAPTURE__DIR", world.dir.path().join("mail").display().to_string())
        .set("VERIFYDESK_WEBHOOK__SITE__URL", receiver.url())
        .set("VERIFYDESK_WEBHOOK__SITE__SECRET", SECRET)
        .set("VERIFYDESK_WEBHOOK__SITE__ALLOW_PRIVATE", "true");
    for round in 1..=3 {
        let (worker, _) = program.start(&["worker"], "worker started");
        receiver.wait(round * 8);
        // By SIGKILL.
        drop(worker);
        // The leases end.
        let_be_due(&world).await;
    }
    receiver.then(&json!([200]));
    let (_worker, _) = program.start(&["worker"], "worker started");
    until(&world, WAITING, 0).await;
    assert_eq!(states(&world).await, vec!["delivered"; 2 * USERS]);
    // Each user's last word is the last; what came twice, came with the same id and body.
    let got = receiver.got();
    for user in 1..=USERS {
        let of: Vec<&Value> =
            got.iter().filter(|one| super::receiver::short(one).starts_with(&format!("{user} "))).collect();
        let words: Vec<String> = of.iter().map(|one| super::receiver::short(one)).collect();
        let first_off = words.iter().position(|word| word.ends_with(".unverified")).unwrap();
        assert!(words[first_off..].iter().all(|word| word.ends_with(".unverified")), "{words:?}");
        assert!(first_off > 0, "{words:?}");
        for one in &of {
            let again: Vec<&&Value> = of.iter().filter(|other| other["id"] == one["id"]).collect();
            assert!(again.iter().all(|other| other["body"] == one["body"]));
        }
    }
}
