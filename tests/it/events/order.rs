//! The same events and the same steps of a worker, in any order that can be, lead where the events say; and no mail goes
//! out again of which an event has said what became.

use std::time::Duration;

use serde_json::Value;
use verifydesk::domain::event::{Fate, judge};
use verifydesk::domain::id::{SendId, VerificationId};
use verifydesk::domain::send::SendState;
use verifydesk::ses::event::Event;
use verifydesk::store::Store;
use verifydesk::store::events::Source;
use verifydesk::store::outbox::begin::{self, Attempt, Beginning};
use verifydesk::store::outbox::record::AroundLocks;
use verifydesk::store::outbox::result::{Outcome, SendResult};

use super::event;
use crate::support::TestDb;

const HOUR: Duration = Duration::from_hours(1);

/// How many sends go their way, each in an order of its own, unless asked otherwise by `VERIFYDESK_EVENT_ORDERS`.
const WAYS: u64 = 1_000;

/// So many go it at a time.
const AT_ONCE: u64 = 8;

/// What may be reported of one message: kind and sub-kind.
const EVENTS: [(&str, &str); 10] = [
    ("Send", ""),
    ("Delivery", ""),
    ("DeliveryDelay", "MailboxFull"),
    ("Bounce", "Permanent/General"),
    ("Bounce", "Transient/General"),
    ("Bounce", "Transient/MailboxFull"),
    ("Bounce", "Permanent/OnAccountSuppressionList"),
    ("Complaint", ""),
    ("Reject", ""),
    ("Teleport", ""),
];

/// A send, as this test knows it.
struct Way {
    store: Store,
    rng: fastrand::Rng,
    id: SendId,
    verification: VerificationId,
    worker: uuid::Uuid,
    /// The messages that the server has taken, with what was reported of each.
    messages: Vec<(String, Vec<Fate>)>,
    /// Of those the ones whose acceptance is recorded.
    recorded: Vec<String>,
    events: Vec<Value>,
    sending: Option<(Attempt, Option<String>)>,
}

impl Way {
    /// A worker claims it, if it waits. The server takes most mails, and SES reports of them.
    async fn claim(&mut self) {
        if self.sending.is_some() {
            return;
        }
        let mut connection = self.store.pool().acquire().await.unwrap();
        let beginning = Beginning { id: self.id, verification: self.verification, made_of: None };
        let begun = begin::begin(&mut connection, self.worker, &[beginning], HOUR).await.unwrap();
        let Some((_, attempt)) = begun.first().copied() else { return };
        assert!(
            self.messages.iter().all(|(_, reported)| reported.is_empty()),
            "a mail goes out again of which was reported {:?}",
            self.messages
        );
        let message = (self.rng.u8(..4) > 0).then(|| format!("m-{}-{}", self.id, attempt.begun));
        if let Some(ses_id) = &message {
            self.messages.push((ses_id.clone(), Vec::new()));
            for _ in 0..self.rng.usize(..4) {
                let (kind, sub_kind) = EVENTS[self.rng.usize(..EVENTS.len())];
                let tag = self.rng.bool().then_some(self.id);
                self.events.push(event(kind, sub_kind, ses_id, tag));
            }
        }
        self.sending = Some((attempt, message));
    }

    /// The worker records what came of it, or loses the answer, or dies.
    async fn record(&mut self) {
        let Some((attempt, message)) = self.sending.take() else { return };
        let result = match message {
            Some(ses_id) if self.rng.bool() => {
                self.recorded.push(ses_id.clone());
                SendResult::Accepted { ses_id: Some(ses_id) }
            }
            Some(_) if self.rng.bool() => {
                sqlx::query(
                    "update sends set lease_until = now() - interval '1 s' where id = $1 and state = 'sending'",
                )
                .bind(self.id.0)
                .execute(self.store.pool())
                .await
                .unwrap();
                // Another one's housekeeping may be at the same row.
                while self.state().await == SendState::Sending {
                    self.store.settle_lost(HOUR).await.unwrap();
                }
                return;
            }
            Some(_) => SendResult::Unknown { reason: "lost".into() },
            None if self.rng.bool() => {
                SendResult::Deferred { after: Duration::ZERO, counts: true, reason: "421".into() }
            }
            None => SendResult::Failed { reason: "550".into() },
        };
        let outcome = Outcome { id: self.id, verification: self.verification, attempt, result, reply: None };
        self.store.record(self.worker, &[outcome], HOUR, AroundLocks::No).await.unwrap();
    }

    /// One of the events comes, perhaps not for the last time.
    async fn hear(&mut self) {
        if self.events.is_empty() {
            return;
        }
        let at = self.rng.usize(..self.events.len());
        let given = if self.rng.u8(..4) == 0 { self.events[at].clone() } else { self.events.swap_remove(at) };
        let event = Event::read(given.to_string().as_bytes(), None).unwrap();
        let taken = self.store.take_events(std::slice::from_ref(&event), Source::Import).await.unwrap();
        if taken.stored > taken.orphans
            && let Some(fate) = judge(&event.kind, &event.sub_kind).fate
        {
            let known = self.messages.iter_mut().find(|(ses_id, _)| *ses_id == event.ses_id);
            known.unwrap().1.push(fate);
        }
    }

    async fn retry(&self) {
        sqlx::query("update sends set retry_at = now() where id = $1 and retry_at is not null")
            .bind(self.id.0)
            .execute(self.store.pool())
            .await
            .unwrap();
        self.store.retry_lost().await.unwrap();
    }

    async fn state(&self) -> SendState {
        let state: String = sqlx::query_scalar("select state from sends where id = $1")
            .bind(self.id.0)
            .fetch_one(self.store.pool())
            .await
            .unwrap();
        state.parse().unwrap()
    }

    async fn go(mut self) -> Self {
        for _ in 0..self.rng.usize(4..14) {
            match self.rng.u8(..10) {
                0..3 => self.claim().await,
                3..5 => self.record().await,
                5..9 => self.hear().await,
                _ => self.retry().await,
            }
        }
        self.record().await;
        self.store.match_orphans().await.unwrap();
        self
    }

    /// When nothing is in progress any more, and no orphan can be matched.
    async fn judge(&self) {
        let stored: Vec<(String, i16)> =
            sqlx::query_as("select ses_id, fate from ses_events where send_id = $1 and fate is not null")
                .bind(self.id.0)
                .fetch_all(self.store.pool())
                .await
                .unwrap();
        let state = self.state().await;
        let of_rank = |rank| Fate::ALL.into_iter().find(|fate| fate.rank() == rank).unwrap();
        let of_messages = self.messages.iter().filter_map(|(ses_id, _)| {
            let reported = stored.iter().filter(|(of, _)| of == ses_id).map(|(_, rank)| of_rank(*rank)).max();
            reported.or_else(|| self.recorded.contains(ses_id).then_some(Fate::Accepted))
        });
        match Fate::of_messages(of_messages) {
            Some(fate) => assert_eq!(state, fate.state(), "{:?} {:?} {stored:?}", self.messages, self.recorded),
            None => assert!(
                matches!(state, SendState::Queued | SendState::Failed | SendState::Unknown),
                "{state} though nothing was heard of it"
            ),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn any_order_leads_where_the_events_say() {
    let db = TestDb::new().await;
    let count: i64 = crate::multi_worker::size("VERIFYDESK_EVENT_ORDERS", i64::try_from(WAYS).unwrap());
    sqlx::query(include_str!("../../queue_sends.sql")).bind(count).execute(&db.pool).await.unwrap();
    let ids: Vec<(uuid::Uuid, i64)> =
        sqlx::query_as("select id, verification_id from sends").fetch_all(&db.pool).await.unwrap();
    let settings = verifydesk::config::Settings {
        database_url: Some(verifydesk::config::Secret::new(&db.url)),
        ..verifydesk::config::Settings::default()
    };
    let store = Store::open(&settings).unwrap();
    let seed = fastrand::u64(..);
    eprintln!("seed {seed}");
    let ids = std::sync::Arc::new(ids);
    let tasks: Vec<_> = (0..AT_ONCE)
        .map(|task| {
            let (store, ids) = (store.clone(), ids.clone());
            tokio::spawn(async move {
                let mut gone = Vec::new();
                for (n, (id, verification)) in (0..).zip(ids.iter()).filter(|(n, _)| n % AT_ONCE == task) {
                    let way = Way {
                        store: store.clone(),
                        rng: fastrand::Rng::with_seed(seed.wrapping_add(n)),
                        id: SendId(*id),
                        verification: VerificationId(*verification),
                        worker: uuid::Uuid::now_v7(),
                        messages: Vec::new(),
                        recorded: Vec::new(),
                        events: Vec::new(),
                        sending: None,
                    };
                    gone.push(way.go().await);
                }
                gone
            })
        })
        .collect();
    let mut gone = Vec::new();
    for task in tasks {
        gone.extend(task.await.unwrap());
    }
    while store.match_orphans().await.unwrap().0 > 0 {}
    for way in gone {
        way.judge().await;
    }
}
