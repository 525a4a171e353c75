//! Identities, and what they need in DNS, as JSON.

use serde_json::{Value, json};

use super::suppression;
use crate::domain::account::ListedIdentity;
use crate::domain::account::act::AccountAct;
use crate::domain::account::dns_records::DnsRecord;

/// A row of `account identities list`.
pub fn row(one: &ListedIdentity, records: Option<&[DnsRecord]>) -> Value {
    json!({
        "name": one.name,
        "kind": one.kind,
        "can_send": one.can_send,
        "verification": one.verification,
        "dns": dns(records),
    })
}

/// What `account identities add` prints.
pub fn added(act: &AccountAct, records: Option<&[DnsRecord]>) -> Value {
    let mut value = suppression::act(act);
    value["dns"] = dns(records);
    value
}

/// Null where SES has not said, or there is nothing to put there.
pub(super) fn dns(records: Option<&[DnsRecord]>) -> Value {
    let record = |record: &DnsRecord| {
        json!({
            "purpose": record.purpose,
            "name": record.name,
            "type": record.kind,
            "value": record.value,
            "is_proposal": record.is_proposal,
        })
    };
    records.map_or(Value::Null, |records| records.iter().map(record).collect())
}
