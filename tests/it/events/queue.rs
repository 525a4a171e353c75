//! SES's events out of a queue: SNS and SQS as the Python library moto plays them.

use std::time::{Duration, Instant};

use serde_json::Value;
use tokio_util::sync::CancellationToken;
use verifydesk::config::{Secret, Settings, TransportKind};
use verifydesk::domain::amazon::DeadLetters;
use verifydesk::domain::send::SendState::{Accepted, Bounced, Delivered, Queued};
use verifydesk::outbox::worker::{Mode, Worker};
use verifydesk::poller::{EventPoller, Tally, Until};
use verifydesk::store::Store;

use super::{World, event};
use crate::mail_servers::PATIENCE;
use crate::support::moto::{Moto, REGION};
use crate::support::tcp_proxy::TcpProxy;
use crate::support::{Program, until};

/// How long received messages are no one else's where a test waits for that to end. Elsewhere it is much longer than a
/// slow machine takes for a message: a message that is received too often goes to the dead-letter queue.
const SHORT_VISIBILITY: Duration = Duration::from_secs(1);

fn settings(database_url: &str, moto: &Moto, queue: &str) -> Settings {
    let mut settings = Settings { database_url: Some(Secret::new(database_url)), ..Settings::default() };
    settings.ses.region = Some(REGION.into());
    settings.ses.access_key_id = Some("AKIAIOSFODNN7EXAMPLE".into());
    settings.ses.secret_access_key = Some(Secret::new("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"));
    settings.ses.queue = Some(moto.queue_url(queue));
    settings
}

fn poller(settings: &Settings) -> EventPoller {
    let store = Store::open(settings).unwrap();
    EventPoller::from_settings(&store, settings).unwrap().unwrap().with_visibility(PATIENCE * 10)
}

async fn drained(settings: &Settings) -> Tally {
    let (poller, never) = (poller(settings), CancellationToken::new());
    Box::pin(poller.run(Until::Empty, &never)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_sent_by_the_api_becomes_what_the_topic_says() {
    for raw in [false, true] {
        let moto = Moto::start();
        moto.make_queue("events", Some(3)).await;
        let topic = moto.make_topic("events", raw).await;
        moto.verify("no-reply@example.org").await;
        let world = World::new().await;
        let mut settings = settings(&world.db.url, &moto, "events");
        settings.public_url = Some("https://example.org".into());
        settings.secret = Some(Secret::new("a secret of the tests, 32 bytes and more"));
        settings.mail.from = Some("Example <no-reply@example.org>".into());
        settings.mail.transport = TransportKind::Ses;
        settings.ses.endpoint = Some(moto.endpoint());
        let worker = Worker::from_settings(Store::open(&settings).unwrap(), &settings).unwrap();
        let tally = worker.run(Mode::Drain, CancellationToken::new()).await.unwrap();
        assert_eq!((tally.sent, world.state().await.0), (1, Accepted), "{tally:?}");
        let (ses_id,): (String,) = sqlx::query_as("select ses_id from sends").fetch_one(&world.db.pool).await.unwrap();
        // By the tag, and by the id alone.
        moto.publish(&topic, &world.event("Delivery", "", &ses_id).to_string()).await;
        assert_eq!(drained(&settings).await, Tally { stored: 1, ..Tally::default() });
        assert_eq!(world.state().await.0, Delivered, "raw: {raw}");
        let bounce = event("Bounce", "Permanent/General", &ses_id, None);
        moto.publish(&topic, &bounce.to_string()).await;
        moto.publish(&topic, &bounce.to_string()).await;
        assert_eq!(drained(&settings).await, Tally { stored: 1, ..Tally::default() });
        assert_eq!((world.state().await.0, moto.depth("events").await), (Bounced, (0, 0)), "raw: {raw}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_event_goes_to_the_dead_letter_queue_and_is_shown() {
    let moto = Moto::start();
    moto.make_queue("events", Some(2)).await;
    let world = World::new().await;
    let settings = settings(&world.db.url, &moto, "events");
    let wrong = ["not JSON \u{1b}[2J", "{\"Type\":\"Notification\",\"Message\":\"{}\"}", "[1,2]"];
    for body in wrong {
        moto.send("events", body).await;
    }
    let notice =
        r#"{"Type":"Notification","Message":"Successfully validated SNS topic for Amazon SES event publishing."}"#;
    moto.send("events", notice).await;
    moto.send("events", &world.event("Delivery", "", "0102-a").to_string()).await;
    let shutdown = CancellationToken::new();
    let (poller, ending) = (poller(&settings).with_visibility(SHORT_VISIBILITY), shutdown.clone());
    let polling = tokio::spawn(async move { Box::pin(poller.run(Until::Ended, &ending)).await });
    until("the dead letters", async || moto.depth("events-dead").await.0 == 3).await;
    shutdown.cancel();
    let tally = polling.await.unwrap();
    assert_eq!((tally.stored, tally.left_alone, moto.depth("events").await), (1, 3, (0, 0)), "{tally:?}");
    // The next to ask sees them.
    sqlx::query("update event_queues set asked_at = now() - interval '1 hour'").execute(&world.db.pool).await.unwrap();
    drained(&settings).await;
    let outbox = world.desk.store().outbox().await.unwrap();
    let [queue] = &outbox.event_queues[..] else { panic!("{outbox:?}") };
    assert_eq!(queue.depth.unwrap().dead_letters, DeadLetters::Count(3));
    assert_eq!((queue.left_alone, queue.is_trouble(), &queue.error), (3, true, &None));
    let shown = Program::new(&world.db.url).run(&["queue"]).out;
    assert!(shown.contains("3 in the dead-letter queue, 3 left as no events"), "{shown}");
    let json: Value = serde_json::from_str(&Program::new(&world.db.url).run(&["queue", "--json"]).out).unwrap();
    assert_eq!(
        (&json["event_queues"][0]["dead_letters"], &json["event_queues"][0]["left_alone"]),
        (&3.into(), &3.into())
    );
}

/// Each time that a message is received brings it nearer to the dead-letter queue.
#[tokio::test(flavor = "multi_thread")]
async fn while_the_database_is_away_messages_are_kept_from_others() {
    let moto = Moto::start();
    moto.make_queue("events", Some(1)).await;
    let world = World::new().await;
    let mut proxy = TcpProxy::new(&world.db.url).await;
    let settings = settings(&proxy.url, &moto, "events");
    let shutdown = CancellationToken::new();
    let (first, ending) = (poller(&settings).with_visibility(SHORT_VISIBILITY), shutdown.clone());
    let polling = tokio::spawn(async move { Box::pin(first.run(Until::Ended, &ending)).await });
    until("the first look", async || !world.desk.store().outbox().await.unwrap().event_queues.is_empty()).await;
    proxy.shut().await;
    moto.send("events", &world.event("Bounce", "Permanent/General", "0102-a").to_string()).await;
    until("the message is received", async || moto.depth("events").await == (0, 1)).await;
    // Much longer than it would be kept without more.
    let since = Instant::now();
    until("some time", async || {
        let depth = moto.depth("events").await;
        assert_eq!((depth, moto.depth("events-dead").await), ((0, 1), (0, 0)), "after {:?}", since.elapsed());
        since.elapsed() > SHORT_VISIBILITY * 4
    })
    .await;
    assert_eq!(world.state().await.0, Queued);
    proxy.open().await;
    until("the bounce", async || world.state().await.0 == Bounced).await;
    until("the message is deleted", async || moto.depth("events").await == (0, 0)).await;
    shutdown.cancel();
    assert_eq!(polling.await.unwrap().stored, 1);
    assert_eq!(moto.depth("events-dead").await, (0, 0));
}

/// What one has received and not stored by its end, another one can have at once.
#[tokio::test(flavor = "multi_thread")]
async fn one_that_ends_gives_messages_back() {
    let moto = Moto::start();
    moto.make_queue("events", None).await;
    let world = World::new().await;
    let mut proxy = TcpProxy::new(&world.db.url).await;
    let through = settings(&proxy.url, &moto, "events");
    let shutdown = CancellationToken::new();
    // For so long that only giving them back brings them back in time.
    let (first, ending) = (poller(&through), shutdown.clone());
    let polling = tokio::spawn(async move { Box::pin(first.run(Until::Ended, &ending)).await });
    until("the first look", async || !world.desk.store().outbox().await.unwrap().event_queues.is_empty()).await;
    proxy.shut().await;
    moto.send("events", &world.event("Bounce", "Permanent/General", "0102-a").to_string()).await;
    until("the message is received", async || moto.depth("events").await == (0, 1)).await;
    shutdown.cancel();
    assert_eq!(polling.await.unwrap().stored, 0);
    assert_eq!(moto.depth("events").await, (1, 0));
    // The first may have asked how much is in it, and not have come to note that.
    sqlx::query("update event_queues set asked_at = now() - interval '1 hour'").execute(&world.db.pool).await.unwrap();
    let settings = settings(&world.db.url, &moto, "events");
    assert_eq!((drained(&settings).await.stored, world.state().await.0), (1, Bounced));
    let outbox = world.desk.store().outbox().await.unwrap();
    assert_eq!(outbox.event_queues[0].depth.map(|depth| depth.dead_letters), Some(DeadLetters::NoQueue));
}

/// One from cron does not wait for a database for ever.
#[tokio::test(flavor = "multi_thread")]
async fn one_that_ends_by_itself_gives_up() {
    let moto = Moto::start();
    moto.make_queue("events", Some(3)).await;
    let world = World::new().await;
    let mut proxy = TcpProxy::new(&world.db.url).await;
    let settings = settings(&proxy.url, &moto, "events");
    moto.send("events", &world.event("Bounce", "Permanent/General", "0102-a").to_string()).await;
    proxy.shut().await;
    let tally = drained(&settings).await;
    assert!(tally.failed_by.is_some_and(|why| why.contains("the database does not answer")));
    assert_eq!(moto.depth("events").await, (1, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn two_at_once_take_each_event_once() {
    let moto = Moto::start();
    moto.make_queue("events", Some(3)).await;
    let world = World::new().await;
    let settings = settings(&world.db.url, &moto, "events");
    for n in 0..120 {
        let id = format!("0102-{n}");
        moto.send("events", &event("Delivery", "", &id, None).to_string()).await;
    }
    moto.send("events", &world.event("Bounce", "Permanent/General", "0102-a").to_string()).await;
    let (one, other) = tokio::join!(drained(&settings), drained(&settings));
    assert_eq!((one.stored + other.stored, one.orphans + other.orphans), (121, 120), "{one:?} {other:?}");
    assert_eq!((moto.depth("events").await, world.state().await.0), ((0, 0), Bounced));
}

/// The program that only takes events in needs neither secret nor mail server; what hinders it is shown.
#[tokio::test(flavor = "multi_thread")]
async fn the_program_takes_events_in_by_itself() {
    let moto = Moto::start();
    moto.make_queue("events", Some(3)).await;
    let world = World::new().await;
    let program = |queue: &str| {
        Program::new(&world.db.url)
            .set("AWS_SES_REGION_NAME", REGION)
            .set("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
            .set("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
            .set("VERIFYDESK_SES__QUEUE", moto.queue_url(queue))
    };
    moto.send("events", &world.event("Bounce", "Permanent/General", "0102-a").to_string()).await;
    let drain = ["worker", "--events-only", "--drain"];
    let program_of = program("events");
    let ended = tokio::task::spawn_blocking(move || program_of.run(&drain)).await.unwrap();
    assert_eq!(
        (ended.code, &*ended.out),
        (0, "1 events taken in, 0 about no mail that is known, 0 messages left in the queue\n"),
        "{}",
        ended.err
    );
    assert_eq!(world.state().await.0, Bounced);
    let program_of = program("elsewhere");
    let ended = tokio::task::spawn_blocking(move || program_of.run(&drain)).await.unwrap();
    assert_eq!(ended.code, 1);
    assert!(ended.err.contains("the queue of events was not read to its end: 400 "), "{}", ended.err);
    let outbox = world.desk.store().outbox().await.unwrap();
    let failed = outbox.event_queues.iter().find(|queue| queue.error.is_some()).unwrap();
    assert!(failed.url.raw().ends_with("/elsewhere") && failed.is_trouble(), "{failed:?}");
    let without = Program::new(&world.db.url).run(&["worker", "--events-only"]);
    assert_eq!(without.code, 2);
    assert!(without.err.contains("no queue of events is set"), "{}", without.err);
}
