//! SES's suppression list, and acts at AWS, as JSON.

use serde_json::{Value, json};

use super::json::time;
use crate::cli::time::shown as at;
use crate::domain::account::act::AccountAct;
use crate::domain::account::suppression_list::SuppressionList;
use crate::domain::amazon::{SuppressedAddress, SuppressingMail, Suppression};

/// A row of `account suppression list`.
pub fn row(one: &SuppressedAddress) -> Value {
    let mut value = known(one.address.raw(), Some(&one.suppression));
    value["verification_id"] = json!(one.verification);
    value
}

/// What is kept of the list.
pub fn list(list: &SuppressionList) -> Value {
    let trouble = list.trouble.as_ref();
    json!({
        "count": list.count,
        "is_part": list.is_part(),
        "goes_back_to": time(list.goes_back_to),
        "read_at": time(list.read_at),
        "newest": list.newest.iter().map(|one| json!({
            "address": one.address,
            "reason": one.reason,
            "since": at(one.since),
        })).collect::<Vec<_>>(),
        "error": trouble.map(|trouble| &trouble.text),
        "failed_at": time(trouble.map(|trouble| trouble.since)),
        "missing_permission": trouble.and_then(|trouble| trouble.permission.as_ref()),
    })
}

/// What `account suppression show` prints.
pub fn shown(
    address: &str,
    suppression: Option<&Suppression>,
    cause: Option<&SuppressingMail>,
    last: Option<&AccountAct>,
) -> Value {
    let mut value = known(address, suppression);
    value["cause"] = cause.map_or(Value::Null, |mail| {
        json!({
            "send_id": mail.send,
            "verification_id": mail.verification,
            "state": mail.state,
            "queued_at": at(mail.queued_at),
        })
    });
    value["act"] = last.map_or(Value::Null, act);
    value
}

/// Whether it is on the list; null where no one has asked.
fn known(address: &str, suppression: Option<&Suppression>) -> Value {
    json!({
        "address": address.to_lowercase(),
        "is_listed": suppression.map(|it| it.reason.is_some()),
        "reason": suppression.and_then(|it| it.reason.as_ref()),
        "since": time(suppression.and_then(|it| it.since)),
        "checked_at": time(suppression.map(|it| it.checked_at)),
        "ses_id": suppression.and_then(|it| it.ses_id.as_ref()),
    })
}

/// An act at AWS.
pub fn act(act: &AccountAct) -> Value {
    json!({
        "id": act.id,
        "kind": act.kind.as_str(),
        "address": act.address,
        "identity": act.identity,
        "listed_as": act.listing.map(crate::domain::account::act::Listing::as_str),
        "state": act.state.as_str(),
        "outcome": act.came.map(crate::domain::account::act::Came::as_str),
        "error": act.error,
        "missing_right": act.permission,
        "attempts": act.attempts,
        "reason": act.reason,
        "actor": act.actor,
        "asked_at": at(act.asked_at),
        "ended_at": time(act.ended_at),
        "mail_again": act.mail_again,
        "send_id": act.send_id,
        "not_mailed": act.not_mailed,
    })
}
