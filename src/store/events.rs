//! SES's events: stored as they come, each once, then matched with their sends. What follows from one is decided in
//! [`crate::domain::event`]; the database only takes the greatest.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use uuid::Uuid;

use super::{Error, Store};
use crate::domain::Time;
use crate::domain::event::{self, Verdict};
use crate::domain::id::{SendId, VerificationId};
use crate::domain::send::SendEvent;
use crate::ses::event::Event;
use crate::text::Untrusted;

/// Most events of one statement.
pub const BATCH_MAX: usize = 500;

/// For how many days it is known which events came: no queue and no topic repeats one later.
const KEYS_DAYS: i32 = 15;

/// How an event came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    Sqs,
    Sns,
    /// From a file, without a signature.
    Import,
    /// From the SES of the demo.
    Simulated,
}

impl Source {
    /// As stored.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sqs => "sqs",
            Self::Sns => "sns",
            Self::Import => "import",
            Self::Simulated => "simulated",
        }
    }
}

/// What came of some events.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Taken {
    /// How many were not there before.
    pub stored: i64,
    /// How many of these are about no send that is known.
    pub orphans: i64,
    /// Whose state changed.
    pub changed: BTreeSet<VerificationId>,
}

impl Store {
    /// Stores events, each once however often it comes, and takes up what follows from them; at most [`BATCH_MAX`].
    pub async fn take_events(&self, events: &[Event], source: Source) -> Result<Taken, Error> {
        let given: Vec<Value> = events.iter().map(|event| row(event, source)).collect();
        let taken = sqlx::query!(
            r#"select stored as "stored!", orphans as "orphans!", changed as "changed!" from take_events($1)"#,
            Value::Array(given)
        )
        .fetch_one(self.pool())
        .await?;
        Ok(Taken {
            stored: taken.stored,
            orphans: taken.orphans,
            changed: taken.changed.into_iter().map(VerificationId).collect(),
        })
    }

    /// Finds sends for orphans that are known by now. Returns how many were found, and whose state changed.
    pub async fn match_orphans(&self) -> Result<(i64, Vec<VerificationId>), Error> {
        let row = sqlx::query!(r#"select matched as "matched!", changed as "changed!" from match_orphans()"#)
            .fetch_one(self.pool())
            .await?;
        Ok((row.matched, row.changed.into_iter().map(VerificationId).collect()))
    }

    /// Makes the tables of the next weeks.
    pub async fn make_event_partitions(&self) -> Result<(), Error> {
        sqlx::query!("select make_event_partitions(now())").execute(self.pool()).await?;
        Ok(())
    }
}

/// An event as it is stored.
#[derive(Clone, Debug)]
pub struct StoredEvent {
    pub event: SendEvent,
    /// `None` for an orphan.
    pub send: Option<SendId>,
    pub ses_id: Untrusted,
    pub recipients: Vec<Untrusted>,
    pub received_at: Time,
    /// How it came.
    pub source: String,
}

impl Store {
    /// The events that came last, the newest first; only orphans if asked for.
    pub async fn events(&self, orphans_only: bool, limit: i64) -> Result<Vec<StoredEvent>, Error> {
        let rows = sqlx::query!(
            "select id, kind, sub_kind, occurred_at, received_at, detail, until, send_id, ses_id, recipients, source
            from ses_events
            where not $1 or send_id is null
            order by received_at desc, id desc
            limit $2",
            orphans_only,
            limit
        )
        .fetch_all(self.pool())
        .await?;
        let stored = rows.into_iter().map(|row| StoredEvent {
            event: SendEvent {
                id: row.id,
                kind: row.kind.into(),
                sub_kind: row.sub_kind.into(),
                occurred_at: row.occurred_at.into(),
                detail: row.detail.into(),
                until: row.until.map(Into::into),
            },
            send: row.send_id.map(SendId),
            ses_id: row.ses_id.into(),
            recipients: row.recipients.into_iter().map(Into::into).collect(),
            received_at: row.received_at.into(),
            source: row.source,
        });
        Ok(stored.collect())
    }

    /// Forgets the keys of events that came so long ago that they do not come again.
    pub async fn forget_event_keys(&self) -> Result<(), Error> {
        sqlx::query!(
            "delete from ses_event_keys
            where key in (
                select key
                from ses_event_keys
                where received_at < now() - make_interval(days => $1)
                order by received_at
                limit 10000
                for update skip locked
            )",
            KEYS_DAYS
        )
        .execute(self.pool())
        .await?;
        Ok(())
    }
}

/// An event as `take_events` reads it, with what follows from it.
fn row(event: &Event, source: Source) -> Value {
    let Verdict { fate, is_against_us, mark } = event::judge(&event.kind, &event.sub_kind);
    json!({
        "id": Uuid::now_v7(),
        "occurred_at": event.occurred_at,
        "kind": event.kind,
        "sub_kind": event.sub_kind,
        "send_id": event.send,
        "ses_id": event.ses_id,
        "attempt": event.attempt,
        "recipients": event.recipients,
        "detail": event.detail,
        "until": event.until,
        "fate": fate.map(event::Fate::rank),
        "against_us": is_against_us,
        "mark": mark.map(event::Mark::as_str),
        "source": source.as_str(),
        "body": event.body,
        "keys": event.keys,
    })
}
