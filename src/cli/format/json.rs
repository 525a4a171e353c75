//! What is not a row of a list, as JSON: all about a verification, an event, the webhook.

use serde_json::{Value, json};

use crate::domain::Time;
use crate::domain::verdict::Verdict;
use crate::domain::verification::{Counted, VerificationDetail};
use crate::domain::webhook::{Refused, Subscription, WebhookView};
use crate::export::json::{audit, event, verification};
use crate::export::shown;
use crate::store::events::StoredEvent;

pub(super) use crate::export::json::time;
pub use crate::export::json::{audit_row, line, row, send};

/// The webhook: its subscriptions, and the posts that were refused.
pub fn webhook(view: &WebhookView) -> Value {
    let subscription = |one: &Subscription| {
        json!({
            "topic": one.topic,
            "state": one.state(view.as_of).as_str(),
            "asked_at": time(one.asked_at),
            "is_allowed_by_settings": one.is_allowed,
            "approved_at": time(one.approved_at),
            "refused_at": time(one.refused_at),
            "decided_by": one.decided_by,
            "confirmed_at": time(one.confirmed_at),
            "ended_at": time(one.ended_at),
            "error": one.error,
        })
    };
    let refused = |refused: &Refused| {
        json!({
            "reason": refused.reason,
            "since_yesterday": refused.lately,
            "in_15_days": refused.count,
            "last_at": shown(refused.last_at),
        })
    };
    json!({
        "subscriptions": view.subscriptions.iter().map(subscription).collect::<Vec<_>>(),
        "refused": view.refused.iter().map(refused).collect::<Vec<_>>(),
    })
}

/// What `show` prints.
pub fn detail(detail: &VerificationDetail, verdict: &Verdict, now: Time) -> Value {
    let mut value = verification(&detail.verification, &detail.user, now);
    value["user"] = json!({
        "id": detail.user.id,
        "email": detail.user.email,
        "name": detail.user.name,
        "locale": detail.user.locale,
        "created_at": shown(detail.user.created_at),
        "verified_at": time(detail.user.verified_at),
        "delete_after": time(detail.user.delete_after),
    });
    value["others"] = detail.others.iter().map(|other| verification(other, &detail.user, now)).collect();
    value["verdict"] = json!({ "level": verdict.level.as_str(), "what": verdict.what, "advice": verdict.advice });
    value["probably_scanned"] = json!(detail.is_probably_scanned());
    value["sends"] = detail.sends.iter().map(send).collect();
    value["other_sends"] = detail.other_sends.iter().map(send).collect();
    value["user_has"] = json!({
        "verifications": counted(detail.in_all.verifications),
        "mails": counted(detail.in_all.mails),
    });
    value["audit"] = detail.audit.iter().map(audit).collect();
    value["suppression"] = detail.suppression.as_ref().map_or(Value::Null, |it| {
        json!({
            "checked_at": shown(it.checked_at),
            "reason": it.reason,
            "since": time(it.since),
            "ses_id": it.ses_id,
        })
    });
    value
}

/// A number, and whether it is all there is.
fn counted(counted: Counted) -> Value {
    json!({ "count": counted.count, "is_all": counted.is_all })
}

/// An event by itself, with the send that it is about.
pub fn stored_event(stored: &StoredEvent) -> Value {
    let mut value = event(&stored.event);
    value["send_id"] = json!(stored.send);
    value["ses_id"] = json!(stored.ses_id);
    value["recipients"] = json!(stored.recipients);
    value["received_at"] = json!(shown(stored.received_at));
    value["source"] = json!(stored.source);
    value
}
