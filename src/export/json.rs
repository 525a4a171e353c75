//! Rows of lists as JSON with stable field names; times are RFC 3339 in UTC.

use serde_json::{Value, json};

use super::shown;
use crate::domain::Time;
use crate::domain::audit::{AuditEntry, AuditRow};
use crate::domain::page::Cursor;
use crate::domain::send::{SendEvent, SendRow};
use crate::domain::user::User;
use crate::domain::verification::{Verification, VerificationRow};
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

pub fn time(at: Option<Time>) -> Option<String> {
    at.map(shown)
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

pub fn verification(verification: &Verification, user: &User, now: Time) -> Value {
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
        "delete_after": time(user.delete_after),
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

pub fn event(event: &SendEvent) -> Value {
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

pub fn audit(entry: &AuditEntry) -> Value {
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
