//! SES's events, from their text to the state of a send: late, twice, in any order, and while a worker has it.

mod erased;
mod in_short;
mod late;
mod order;
mod plans;
#[cfg(feature = "aws")]
mod queue;
mod scanned;
mod when;

use std::io::Write as _;
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};
use uuid::Uuid;
use verifydesk::config::{Secret, Settings};
use verifydesk::desk::{Desk, SignUp};
use verifydesk::domain::audit::{Actor, Origin};
use verifydesk::domain::change::Change;
use verifydesk::domain::id::{SendId, VerificationId};
use verifydesk::domain::send::SendState::{
    self, Accepted, Bounced, Complained, Delayed, Delivered, Queued, Sending, Unknown,
};
use verifydesk::ses::event::Event;
use verifydesk::store::events::{Source, Taken};
use verifydesk::store::outbox::begin::{self, Attempt, Beginning};
use verifydesk::store::outbox::record::AroundLocks;
use verifydesk::store::outbox::result::{Outcome, SendResult};

use crate::support::{Program, TestDb};

const HOUR: Duration = Duration::from_hours(1);

/// A site with one mail that waits.
struct World {
    db: TestDb,
    desk: Desk,
    worker: Uuid,
    send: SendId,
    verification: VerificationId,
}

impl World {
    async fn new() -> Self {
        let db = TestDb::new().await;
        let settings = Settings { database_url: Some(Secret::new(&db.url)), ..Settings::default() };
        let desk = Desk::open(&settings).unwrap();
        let sign_up = SignUp { email: "Mina@example.com".into(), ..SignUp::default() };
        let signed_up = desk.sign_up(&Actor::new("test", Origin::Cli), &sign_up).await.unwrap();
        let verification = signed_up.verification_id.unwrap();
        let (send,): (Uuid,) = sqlx::query_as("select id from sends").fetch_one(&db.pool).await.unwrap();
        Self { db, desk, worker: Uuid::now_v7(), send: SendId(send), verification }
    }

    async fn begin(&self) -> Attempt {
        let mut connection = self.db.pool.acquire().await.unwrap();
        let beginning = Beginning { id: self.send, verification: self.verification, made_of: None };
        begin::begin(&mut connection, self.worker, &[beginning], HOUR).await.unwrap()[0].1
    }

    async fn record(&self, attempt: Attempt, result: SendResult) {
        let outcome = Outcome { id: self.send, verification: self.verification, attempt, result, reply: None };
        self.desk.store().record(self.worker, &[outcome], HOUR, AroundLocks::No).await.unwrap();
    }

    /// What became of it: the state, how often the answer was lost, whether it is tried again.
    async fn state(&self) -> (SendState, i16, bool) {
        let (state, lost, is_retried): (String, i16, bool) =
            sqlx::query_as("select state, lost, retry_at is not null from sends where id = $1")
                .bind(self.send.0)
                .fetch_one(&self.db.pool)
                .await
                .unwrap();
        (state.parse().unwrap(), lost, is_retried)
    }

    async fn take(&self, events: &[Value]) -> Taken {
        let events: Vec<Event> =
            events.iter().map(|event| Event::read(event.to_string().as_bytes(), None).unwrap()).collect();
        self.desk.store().take_events(&events, Source::Import).await.unwrap()
    }

    /// An event of this send's mail, in SES's shape.
    fn event(&self, kind: &str, sub_kind: &str, ses_id: &str) -> Value {
        event(kind, sub_kind, ses_id, Some(self.send))
    }

    async fn execute(&self, query: &'static str) {
        sqlx::query(query).execute(&self.db.pool).await.unwrap();
    }
}

fn event(kind: &str, sub_kind: &str, ses_id: &str, send: Option<SendId>) -> Value {
    let (of_type, sub) = sub_kind.split_once('/').unwrap_or((sub_kind, ""));
    let at = "2026-11-20T10:00:02.000Z";
    let mut event = json!({
        "eventType": kind,
        "mail": { "timestamp": at, "messageId": ses_id, "destination": ["mina@example.com"], "tags": {} },
    });
    if let Some(send) = send {
        event["mail"]["tags"] = json!({ "send": [send.to_string()], "attempt": ["1"] });
    }
    match kind {
        "Bounce" => {
            event["bounce"] = json!({
                "bounceType": of_type, "bounceSubType": sub, "timestamp": at, "feedbackId": format!("f-{ses_id}"),
                "bouncedRecipients": [{ "emailAddress": "mina@example.com", "diagnosticCode": "smtp; 550 no" }],
            });
        }
        "Complaint" => event["complaint"] = json!({ "timestamp": at, "feedbackId": format!("c-{ses_id}") }),
        "Delivery" => event["delivery"] = json!({ "timestamp": at, "smtpResponse": "250 Ok" }),
        "DeliveryDelay" => event["deliveryDelay"] = json!({ "timestamp": at, "delayType": sub_kind }),
        _ => {}
    }
    event
}

fn accepted(ses_id: &str) -> SendResult {
    SendResult::Accepted { ses_id: Some(ses_id.into()) }
}

fn lost() -> SendResult {
    SendResult::Unknown { reason: "lost".into() }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_is_taken_once_however_often_it_comes() {
    let world = World::new().await;
    let attempt = world.begin().await;
    world.record(attempt, accepted("m-1")).await;
    let enveloped = |id: &str| {
        let message = world.event("Delivery", "", "m-1").to_string();
        json!({ "Type": "Notification", "MessageId": id, "Message": message })
    };
    let bounce = world.event("Bounce", "Permanent/General", "m-1");
    // Twice in one batch, then again, then in another envelope, with the feedback's id alone.
    let first = world.take(&[enveloped("a"), enveloped("a"), enveloped("b"), bounce.clone()]).await;
    assert_eq!((first.stored, first.orphans, first.changed), (2, 0, [world.verification].into()));
    // Bare, too: from an archive.
    assert_eq!(world.take(&[world.event("Delivery", "", "m-1")]).await, Taken::default());
    let again = world.take(&[enveloped("a"), enveloped("b"), bounce.clone()]).await;
    assert_eq!(again, Taken::default());
    let wrapped = json!({ "Type": "Notification", "MessageId": "c", "Message": bounce.to_string() });
    assert_eq!(world.take(&[wrapped]).await, Taken::default());
    assert_eq!(world.state().await.0, Bounced);
    assert_eq!(world.take(&[]).await, Taken::default());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_lost_is_settled_and_is_not_tried_again() {
    // While it is unknown; while it waits for its second try.
    for is_queued in [false, true] {
        let world = World::new().await;
        let attempt = world.begin().await;
        world.record(attempt, lost()).await;
        assert_eq!(world.state().await, (Unknown, 1, true));
        if is_queued {
            world.execute("update sends set retry_at = now()").await;
            assert_eq!(world.desk.store().retry_lost().await.unwrap(), 1);
            assert_eq!(world.state().await, (Queued, 1, false));
        }
        let taken = world.take(&[world.event("Send", "", "m-1")]).await;
        assert_eq!(taken.changed, [world.verification].into());
        assert_eq!(world.state().await, (Accepted, 0, false), "queued: {is_queued}");
        let left: i64 = sqlx::query_scalar("select count(*) from sends where state = 'queued' or lease_by is not null")
            .fetch_one(&world.db.pool)
            .await
            .unwrap();
        assert_eq!(left, 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_being_sent_waits_for_its_worker() {
    for (result, expected) in [
        (Some(accepted("m-1")), (Delivered, 0)),
        (Some(lost()), (Delivered, 0)),
        (Some(SendResult::Deferred { after: HOUR, counts: true, reason: "421".into() }), (Delivered, 0)),
        (Some(SendResult::Failed { reason: "550".into() }), (Delivered, 0)),
        // The worker dies.
        (None, (Delivered, 0)),
    ] {
        let world = World::new().await;
        let attempt = world.begin().await;
        world.take(&[world.event("Delivery", "", "m-1")]).await;
        assert_eq!(world.state().await.0, Sending);
        if let Some(result) = result.clone() {
            world.record(attempt, result).await;
        } else {
            world.execute("update sends set lease_until = now() - interval '1 second'").await;
            world.desk.store().settle_lost(HOUR).await.unwrap();
        }
        let (state, lost, is_retried) = world.state().await;
        assert_eq!(((state, lost), is_retried), (expected, false), "{result:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_messages_the_one_that_came_furthest_counts() {
    let world = World::new().await;
    let first = world.begin().await;
    world.record(first, lost()).await;
    world.execute("update sends set retry_at = now()").await;
    world.desk.store().retry_lost().await.unwrap();
    let second = world.begin().await;
    world.record(second, accepted("m-2")).await;
    assert_eq!(world.state().await, (Accepted, 1, false));
    // The first one went out, too, and both came back.
    world.take(&[world.event("Bounce", "Permanent/General", "m-1")]).await;
    assert_eq!(world.state().await.0, Accepted, "of the second one nothing is heard yet");
    world.take(&[world.event("Delivery", "", "m-2")]).await;
    assert_eq!(world.state().await, (Delivered, 1, false));
    world.take(&[world.event("Complaint", "", "m-1")]).await;
    assert_eq!(world.state().await.0, Complained);

    // The bounce comes while the second one is being sent.
    let world = World::new().await;
    let first = world.begin().await;
    world.record(first, lost()).await;
    world.execute("update sends set retry_at = now()").await;
    world.desk.store().retry_lost().await.unwrap();
    let second = world.begin().await;
    world.take(&[world.event("Bounce", "Permanent/General", "m-1")]).await;
    world.record(second, accepted("m-2")).await;
    assert_eq!(world.state().await.0, Accepted);
    world.take(&[world.event("Bounce", "Transient/MailboxFull", "m-2")]).await;
    assert_eq!(world.state().await.0, Bounced);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_orphan_finds_its_send_when_the_id_comes() {
    let world = World::new().await;
    let attempt = world.begin().await;
    let untagged = event("DeliveryDelay", "MailboxFull", "m-1", None);
    let foreign = event("Delivery", "", "m-9", Some(SendId::new()));
    let taken = world.take(&[untagged, foreign]).await;
    assert_eq!((taken.stored, taken.orphans, taken.changed), (2, 2, [].into()));
    assert_eq!(world.desk.store().match_orphans().await.unwrap(), (0, vec![]));
    world.record(attempt, accepted("m-1")).await;
    assert_eq!(world.desk.store().match_orphans().await.unwrap(), (1, vec![world.verification]));
    assert_eq!(world.state().await.0, Delayed);
    assert_eq!(world.desk.store().match_orphans().await.unwrap(), (0, vec![]));
}

/// As where two sites share a topic.
#[tokio::test(flavor = "multi_thread")]
async fn many_orphans_hide_none_that_is_new() {
    let world = World::new().await;
    let attempt = world.begin().await;
    world
        .execute(
            "insert into ses_events (id, occurred_at, received_at, kind, ses_id, source)
            select gen_random_uuid(), now(), now() - interval '1 second', 'Delivery', 'other-' || n, 'sns'
            from generate_series(1, 15000) as n",
        )
        .await;
    world.take(&[event("Delivery", "", "m-1", None)]).await;
    world.record(attempt, accepted("m-1")).await;
    // One process has them all locked: the other leaves them, and does not wait.
    let mut other = world.db.pool.begin().await.unwrap();
    sqlx::query("select from ses_events for update").execute(&mut *other).await.unwrap();
    assert_eq!(world.desk.store().match_orphans().await.unwrap().0, 0);
    other.rollback().await.unwrap();
    assert_eq!(world.desk.store().match_orphans().await.unwrap().0, 1);
    assert_eq!(world.state().await.0, Delivered);
}

#[tokio::test(flavor = "multi_thread")]
async fn deleting_a_user_erases_their_events() {
    let world = World::new().await;
    let attempt = world.begin().await;
    world.record(attempt, accepted("m-1")).await;
    world.take(&[world.event("Bounce", "Permanent/General", "m-1"), event("Delivery", "", "m-7", None)]).await;
    world.execute("delete from users").await;
    for table in ["ses_events", "address_states"] {
        let query = format!("select count(*) from {table}");
        let left: i64 = sqlx::query_scalar(sqlx::AssertSqlSafe(query)).fetch_one(&world.db.pool).await.unwrap();
        assert_eq!(left, 0, "{table}");
    }
    // What comes later, or finds its send later, brings no address back.
    let late =
        [world.event("Complaint", "", "m-1"), world.event("Send", "", "m-1"), event("Delivery", "", "m-2", None)];
    assert_eq!(world.take(&late).await.stored, 3);
    world.execute("update sends set ses_id = 'm-2'").await;
    assert_eq!(world.desk.store().match_orphans().await.unwrap().0, 1);
    for table in ["ses_events", "address_states"] {
        let query = format!("select coalesce(string_agg({table}::text, ' '), '') from {table}");
        let all: String = sqlx::query_scalar(sqlx::AssertSqlSafe(query)).fetch_one(&world.db.pool).await.unwrap();
        assert!(!all.contains("example.com"), "{all}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_out_of_office_reply_takes_nothing_back() {
    for order in [[0, 1], [1, 0]] {
        let world = World::new().await;
        let attempt = world.begin().await;
        world.record(attempt, accepted("m-1")).await;
        let events = [world.event("Delivery", "", "m-1"), world.event("Bounce", "Transient/General", "m-1")];
        for n in order {
            world.take(&events[n..=n]).await;
        }
        assert_eq!(world.state().await.0, Delivered, "{order:?}");
        world.take(&[world.event("Complaint", "", "m-1")]).await;
        assert_eq!(world.state().await.0, Complained);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn events_come_from_files_and_are_listed() {
    let world = World::new().await;
    let attempt = world.begin().await;
    world.record(attempt, accepted("m-1")).await;
    let program = Program::new(&world.db.url);
    let dir = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = dir.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let delivery = world.event("Delivery", "", "m-1");
    let lines = format!(
        "{delivery}\n\n{}\nno event\n{}\n{{\"a\": 1}}",
        event("Bounce", "Permanent/General", "m-8", None),
        "x".repeat(700_000),
    );
    let pretty = serde_json::to_string_pretty(&world.event("Complaint", "", "m-1")).unwrap();
    let (lines, pretty, hostile) = (
        file("lines", &lines),
        file("pretty", &pretty),
        file("hostile", &event("\u{1b}[2J", "", "m-\u{202e}1", None).to_string()),
    );
    let mut changes = world.desk.store().listen().await.unwrap();
    let ran = program.run(&["events", "import", &lines, &pretty, &hostile]);
    assert_eq!(ran.code, 1, "{}{}", ran.out, ran.err);
    assert_eq!(
        ran.out,
        "4 events taken in, 0 known already, 2 about no mail that is known, 3 not read; 1 verifications changed\n"
    );
    for words in ["line 4: it is not JSON", "line 5: it is longer than", "line 6: it is JSON, but no event of SES"] {
        assert!(ran.err.contains(words), "{}", ran.err);
    }
    assert_eq!(world.state().await.0, Complained);
    // Consoles hear of it.
    let heard = tokio::time::timeout(crate::mail_servers::PATIENCE, changes.next()).await;
    assert_eq!(heard.unwrap().unwrap(), Change::Verification(world.verification));
    // A first line that is cut off takes no other along.
    let cut = file("cut", &format!("{{\"eventType\": \n{}", event("Delivery", "", "m-9", None)));
    assert!(program.run(&["events", "import", &cut]).out.starts_with("1 events taken in, 0 known already, 1 about"));
    let again = program.run(&["events", "import", &pretty]);
    assert_eq!((again.code, again.out.starts_with("0 events taken in, 1 known")), (0, true), "{}", again.out);
    let packed = dir.path().join("packed");
    let mut encoder = GzEncoder::new(std::fs::File::create(&packed).unwrap(), Compression::fast());
    write!(encoder, "{}{}", event("Delivery", "", "m-10", None), event("Delivery", "", "m-11", None)).unwrap();
    encoder.finish().unwrap();
    let packed = program.run(&["events", "import", packed.to_str().unwrap()]);
    assert_eq!((packed.code, packed.out.starts_with("2 events taken in")), (0, true), "{}{}", packed.out, packed.err);
    let missing = program.run(&["events", "import", "no-such-file"]);
    assert!(missing.code == 1 && missing.err.contains("no-such-file"), "{}", missing.err);

    let listed = program.run(&["events", "list"]);
    assert_eq!(listed.code, 0, "{}", listed.err);
    for words in [
        "the receiving server took it",
        "called spam by the reader",
        "refused for good",
        "Bounce Permanent/General",
        "orphan",
    ] {
        assert!(listed.out.contains(words), "{words}: {}", listed.out);
    }
    assert!(!listed.out.contains(['\u{1b}', '\u{202e}']), "{}", listed.out);
    let orphans = program.run(&["events", "list", "--orphans", "--json"]);
    let rows: Vec<Value> = orphans.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(rows.len(), 5);
    assert!(rows.iter().all(|row| row["send_id"].is_null() && row["source"] == "import"));
}
