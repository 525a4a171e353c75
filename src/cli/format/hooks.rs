//! Webhooks to the site as JSON.

use serde_json::{Value, json};

use super::json::time;
use crate::cli::time::shown;
use crate::domain::Time;
use crate::domain::hook::{Attempt, Delivery, HookEndpoint, MessageDetail};

/// A row of `webhooks list`.
pub fn row(delivery: &Delivery) -> Value {
    let mut value = json!({
        "id": delivery.id.to_string(),
        "type": delivery.kind,
        "user_id": delivery.user_id,
        "at": shown(delivery.at),
    });
    if let (Value::Object(value), Value::Object(rest)) = (&mut value, fate(delivery)) {
        value.extend(rest);
    }
    value["cursor"] = json!(delivery.place().to_string());
    value
}

/// What became of a message at an endpoint.
fn fate(delivery: &Delivery) -> Value {
    let is_waiting = delivery.state == crate::domain::hook::DeliveryState::Waiting;
    json!({
        "endpoint": delivery.endpoint,
        "state": delivery.state.as_str(),
        "attempts": delivery.attempts,
        "due_at": time(is_waiting.then_some(delivery.due_at)),
        "changed_at": shown(delivery.changed_at),
        "status": delivery.status,
        "error": delivery.error,
    })
}

/// What `webhooks show` prints. The body is as it is sent.
pub fn message(detail: &MessageDetail) -> Value {
    let failed = |delivery: &Delivery| {
        let of = detail.attempts.iter().filter(|attempt| attempt.endpoint == delivery.endpoint);
        of.map(attempt).collect::<Vec<_>>()
    };
    let delivery = |delivery: &Delivery| {
        let mut value = fate(delivery);
        value["failed"] = failed(delivery).into();
        value
    };
    json!({
        "id": detail.id.to_string(),
        "type": detail.kind,
        "user_id": detail.user_id,
        "at": shown(detail.at),
        "body": detail.body,
        "deliveries": detail.deliveries.iter().map(delivery).collect::<Vec<_>>(),
    })
}

fn attempt(attempt: &Attempt) -> Value {
    json!({ "at": shown(attempt.at), "status": attempt.status, "error": attempt.error })
}

/// A row of `webhooks endpoints`; `now` by the database's clock.
pub fn endpoint(endpoint: &HookEndpoint, now: Time) -> Value {
    json!({
        "name": endpoint.name,
        "place": endpoint.place,
        "since": shown(endpoint.since),
        "seen_at": shown(endpoint.seen_at),
        "disabled_at": time(endpoint.disabled_at),
        "delivered_at": time(endpoint.delivered_at),
        "failing_since": time(endpoint.failing_since),
        "error": endpoint.error,
        "waiting": endpoint.waiting,
        "oldest": time(endpoint.oldest),
        "given_up": endpoint.given_up,
        "trouble": endpoint.trouble(now),
    })
}
