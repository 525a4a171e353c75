//! JSON Lines with stable field names; times are RFC 3339 in UTC.

use serde_json::{Value, json};

use crate::cli::time::shown;
use crate::domain::Time;
use crate::domain::audit::{AuditEntry, AuditRow};
use crate::domain::page::Cursor;
use crate::domain::send::{SendEvent, SendRow};
use crate::domain::user::User;
use crate::domain::verdict::Verdict;
use crate::domain::verification::{Counted, Verification, VerificationDetail, VerificationRow};
use crate::domain::webhook::{Refused, Subscription, WebhookView};
use crate::store::events::StoredEvent;
use crate::text::is_hidden;

/// One object on one line. JSON leaves C1 controls and bidi marks as they are; here they are escaped too, since the
/// line may well end on a terminal.
pub fn line(value: &Value) -> String {
    let text = value.to_string();
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() || is_hidden(c) {
            use std::fmt::Write as _;
            for unit in c.encode_utf16(&mut [0; 2]) {
                let _ = write!(out, "\\u{unit:04x}");
            }
        } else {
            out.push(c);
        }
    }
    out
}

pub(super) fn time(at: Option<Time>) -> Option<String> {
    at.map(shown)
}

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

/// A row of `list`.
pub fn row(row: &VerificationRow, now: Time, cursor: &Cursor) -> Value {
    let mut value = verification(&row.verification, &row.user, now);
    value["last_send"] = row.last_send.as_ref().map_or(Value::Null, |send| {
        json!({
            "id": send.id,
            "state": send.state.as_str(),
            "changed_at": shown(send.changed_at),
            "in_short": send.in_short,
        })
    });
    value["cursor"] = json!(cursor.to_string());
    value
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
    value["suppression"] = detail.suppression.as_ref().map_or(
        Value::Null,
        |it| json!({ "checked_at": shown(it.checked_at), "reason": it.reason, "since": time(it.since) }),
    );
    value
}

/// A number, and whether it is all there is.
fn counted(counted: Counted) -> Value {
    json!({ "count": counted.count, "is_all": counted.is_all })
}

fn verification(verification: &Verification, user: &User, now: Time) -> Value {
    json!({
        "id": verification.id,
        "user_id": verification.user_id,
        "email": user.email,
        "name": user.name,
        "locale": user.locale,
        "status": verification.status(now).as_str(),
        "created_at": shown(verification.created_at),
        "expires_at": shown(verification.expires_at),
        "verified_at": time(verification.verified_at),
        "revoked_at": time(verification.revoked_at),
        "opened_at": time(verification.opened_at),
        "key_fingerprint": verification.key_fingerprint,
    })
}

/// A row of `sends`.
pub fn send(send: &SendRow) -> Value {
    let mut value = json!({
        "id": send.id,
        "verification_id": send.verification_id,
        "user_id": send.user_id,
        "recipient": send.recipient,
        "locale": send.locale,
        "state": send.state.as_str(),
        "queued_at": shown(send.queued_at),
        "due_at": shown(send.due_at),
        "changed_at": shown(send.changed_at),
        "attempts": send.attempts,
        "retry_at": time(send.retry_at),
        "possible_double": send.is_possible_double(),
        "ses_id": send.ses_id,
        "reply": send.reply,
        "reason": send.reason,
        "result": send.result(),
        "test_of": send.test_of,
    });
    if !send.events.is_empty() {
        value["events"] = send.events.iter().map(event).collect();
    }
    value
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

fn event(event: &SendEvent) -> Value {
    json!({
        "id": event.id,
        "kind": event.kind,
        "sub_kind": event.sub_kind,
        "occurred_at": shown(event.occurred_at),
        "meaning": event.in_words(shown),
        "detail": event.detail,
        "until": event.until.map(shown),
    })
}

/// A row of `audit`.
pub fn audit_row(row: &AuditRow) -> Value {
    let mut value = audit(&row.entry);
    value["email"] = json!(row.email);
    let after = row.after.as_ref().and_then(|after| serde_json::from_str::<Value>(after.raw()).ok());
    value["after"] = after.or_else(|| Some(json!({ "email": row.new_email.as_ref()? }))).unwrap_or_default();
    value["undoes"] = json!(row.undoes);
    value["cursor"] = json!(row.place().to_string());
    value
}

fn audit(entry: &AuditEntry) -> Value {
    json!({
        "id": entry.id,
        "at": shown(entry.at),
        "actor": entry.actor,
        "origin": entry.origin,
        "action": entry.action,
        "outcome": entry.outcome,
        "reason": entry.reason,
        "before": entry.before.as_ref().and_then(|before| serde_json::from_str::<Value>(before.raw()).ok()),
        "user_id": entry.user_id,
        "verification_id": entry.verification_id,
        "send_id": entry.send_id,
        "system_user": entry.system_user(),
        "ssh_address": entry.ssh_address(),
        "database_role": entry.login,
        "database_client": entry.client,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_text_is_escaped_and_comes_back() {
        let hostile = "\u{1b}]0;x\u{7}\u{9b}31m\u{202e}\u{e0041}한\n";
        let line = line(&json!({ "name": hostile }));
        assert!(!line.chars().any(char::is_control) && !line.contains('\u{202e}') && line.contains('한'));
        assert_eq!(serde_json::from_str::<Value>(&line).unwrap()["name"], hostile);
    }
}
