//! Reads SES's events, whatever they are wrapped in: bare, as a queue with raw delivery has them; in SNS's envelope; in
//! `EventBridge`'s. Configuration sets name the kind `eventType`, identities `notificationType` (SES developer guide,
//! "Examples of event data that Amazon SES publishes to Amazon SNS").
//!
//! What is kept of one is what this program needs: no header of the mail, no link, no query string. A mail's link holds
//! its key, and the database holds no key that works.

mod detail;
mod keep;
mod notice;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::domain::Time;
use crate::domain::id::SendId;

/// Longest text of an event, in bytes: SNS and SQS carry no longer ones.
pub const TEXT_MAX: usize = 256 * 1024;

/// Longest that is kept of a field, in characters.
const FIELD_MAX: usize = 2_000;

/// Most recipients that are kept; SES sends one mail to no more.
const RECIPIENTS_MAX: usize = 50;

/// An event as SES reports it.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// Its kind in SES's words, as it stands there.
    pub kind: String,
    /// Its sub-type: `Permanent/General`, `MailboxFull`; empty where it has none.
    pub sub_kind: String,
    pub occurred_at: Time,
    /// SES's message id.
    pub ses_id: String,
    /// The send that our tag names.
    pub send: Option<SendId>,
    /// Which mail of this send our tag names, from 1.
    pub attempt: Option<i16>,
    /// Whom it is about, in lower case.
    pub recipients: Vec<String>,
    /// What the receiving server said, or SES.
    pub detail: String,
    /// Until when SES tries, of a delay.
    pub until: Option<Time>,
    /// What tells it from all others, so that it is taken once however often and in whatever it comes: the id of what
    /// carries it, the one that SES gives bounces and complaints, and what it says.
    pub keys: Vec<String>,
    /// What is kept of it.
    pub body: Value,
}

/// Why a text is no event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAnEvent {
    #[error("it is longer than {TEXT_MAX} bytes")]
    TooLong,
    #[error("it is not JSON")]
    NotJson,
    #[error("it is JSON, but no event of SES")]
    Foreign,
    #[error("it is an event of SES without a time or a message id")]
    Incomplete,
    /// What AWS says of the way itself, such as that a topic was set up.
    #[error("it is a notice of AWS's, not an event")]
    Notice,
}

impl Event {
    /// Reads one, out of its envelope. `carrier_id` is the id that what carries it has, if any.
    pub fn read(text: &[u8], carrier_id: Option<&str>) -> Result<Self, NotAnEvent> {
        if text.len() > TEXT_MAX {
            return Err(NotAnEvent::TooLong);
        }
        let outer: Value = notice::parse(std::str::from_utf8(text).map_err(|_| NotAnEvent::NotJson)?)?;
        let mut carriers: Vec<String> = carrier_id.map(|id| format!("carrier {id}")).into_iter().collect();
        let inner = if outer.get("Type").and_then(Value::as_str) == Some("Notification") {
            carriers.extend(text_at(&outer, "MessageId").map(|id| format!("sns {id}")));
            let message = outer.get("Message").and_then(Value::as_str).ok_or(NotAnEvent::Foreign)?;
            notice::parse(message)?
        } else if let (Some(_), Some(detail)) = (outer.get("detail-type"), outer.get("detail")) {
            carriers.extend(text_at(&outer, "id").map(|id| format!("eventbridge {id}")));
            detail.clone()
        } else {
            outer
        };
        Self::of(&inner, carriers)
    }

    /// Reads the one that a verified notification of SNS's carries: the very text that was verified, parsed once.
    pub fn of_notification(message: &str, message_id: &str) -> Result<Self, NotAnEvent> {
        let event = notice::parse(message)?;
        Self::of(&event, vec![format!("sns {}", kept(message_id))])
    }

    fn of(event: &Value, mut keys: Vec<String>) -> Result<Self, NotAnEvent> {
        let kind = text_at(event, "eventType").or_else(|| text_at(event, "notificationType"));
        let kind = kind.ok_or(NotAnEvent::Foreign)?;
        if kind == notice::SUBSCRIBED {
            return Err(NotAnEvent::Notice);
        }
        let mail = event.get("mail").filter(|mail| mail.is_object()).ok_or(NotAnEvent::Foreign)?;
        let about = detail::of(&kind, event);
        let occurred_at = about.occurred_at.or_else(|| time_at(mail, "timestamp")).ok_or(NotAnEvent::Incomplete)?;
        let ses_id = text_at(mail, "messageId").ok_or(NotAnEvent::Incomplete)?;
        let tag = |name| text_at(mail.get("tags")?.get(name)?, "0");
        let mut recipients = about.recipients;
        if recipients.is_empty() {
            recipients = texts(mail.get("destination"));
        }
        for address in &mut recipients {
            *address = address.to_lowercase();
        }
        if let Some(id) = text_at(event.get(about.field).unwrap_or(&Value::Null), "feedbackId") {
            keys.push(format!("feedback {id}"));
        }
        let body = keep::of(event, about.field);
        // Bare ones have no id.
        keys.push(format!("content {}", URL_SAFE_NO_PAD.encode(Sha256::digest(body.to_string()))));
        Ok(Self {
            sub_kind: about.sub_kind,
            occurred_at,
            send: tag("send").and_then(|id| id.parse().ok()).map(SendId),
            attempt: tag("attempt").and_then(|number| number.parse().ok()).filter(|number| *number > 0),
            ses_id,
            recipients,
            detail: about.detail,
            until: about.until,
            keys,
            body,
            kind,
        })
    }
}

/// A text in it, at a name or a place in a list; cut to what is kept, without what PostgreSQL cannot store.
fn text_at(value: &Value, at: &str) -> Option<String> {
    let found = match value {
        Value::Array(items) => items.get(at.parse::<usize>().ok()?)?,
        other => other.get(at)?,
    };
    Some(kept(found.as_str()?)).filter(|text| !text.is_empty())
}

fn kept(text: &str) -> String {
    keep::text(text)
}

/// A time in it, one that rows may have.
fn time_at(value: &Value, at: &str) -> Option<Time> {
    let time: Time = text_at(value, at)?.parse().ok()?;
    crate::domain::is_kept(time).then_some(time)
}

/// The texts of a list.
fn texts(list: Option<&Value>) -> Vec<String> {
    let items = list.and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    items.iter().filter_map(Value::as_str).map(kept).take(RECIPIENTS_MAX).collect()
}

#[cfg(test)]
mod tests;
