//! What an event says besides which mail it is about: by kind, since SES names it differently in each.

use serde_json::Value;

use super::{kept, text_at, texts, time_at};
use crate::domain::Time;

/// What an event says.
#[derive(Debug, Default)]
pub(super) struct About {
    /// Under which name it stands in the event.
    pub(super) field: &'static str,
    pub(super) sub_kind: String,
    pub(super) occurred_at: Option<Time>,
    pub(super) recipients: Vec<String>,
    pub(super) detail: String,
    pub(super) until: Option<Time>,
}

/// What an event of this kind says; nothing of one that is not known.
pub(super) fn of(kind: &str, event: &Value) -> About {
    let field = match kind {
        "Bounce" => "bounce",
        "Complaint" => "complaint",
        "Delivery" => "delivery",
        "Send" => "send",
        "Reject" => "reject",
        "Open" => "open",
        "Click" => "click",
        "Rendering Failure" => "failure",
        "DeliveryDelay" => "deliveryDelay",
        "Subscription" => "subscription",
        _ => "",
    };
    let inner = event.get(field).unwrap_or(&Value::Null);
    let text = |at| text_at(inner, at).unwrap_or_default();
    let (sub_kind, people, detail) = match field {
        "bounce" => {
            let (of_type, sub) = (text("bounceType"), text("bounceSubType"));
            let sub_kind = if sub.is_empty() { of_type } else { format!("{of_type}/{sub}") };
            (sub_kind, "bouncedRecipients", diagnosis(inner.get("bouncedRecipients")))
        }
        "complaint" => {
            let sub = text_at(inner, "complaintSubType").unwrap_or_else(|| text("complaintFeedbackType"));
            (sub, "complainedRecipients", text("userAgent"))
        }
        "delivery" => (String::new(), "recipients", text("smtpResponse")),
        "reject" => (String::new(), "", text("reason")),
        "failure" => (String::new(), "", text("errorMessage")),
        "deliveryDelay" => (text("delayType"), "delayedRecipients", diagnosis(inner.get("delayedRecipients"))),
        _ => Default::default(),
    };
    About {
        field,
        sub_kind,
        occurred_at: time_at(inner, "timestamp"),
        recipients: addresses(inner.get(people)),
        detail,
        until: time_at(inner, "expirationTime"),
    }
}

/// Addresses: of objects that name one each, or as they are.
fn addresses(list: Option<&Value>) -> Vec<String> {
    let Some(Value::Array(items)) = list else { return Vec::new() };
    if items.iter().any(Value::is_object) {
        let each = items.iter().filter_map(|item| text_at(item, "emailAddress"));
        return each.take(super::RECIPIENTS_MAX).collect();
    }
    texts(list)
}

/// What the receiving server said about the first recipient that it spoke of.
fn diagnosis(list: Option<&Value>) -> String {
    let items = list.and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let of_one = |item| text_at(item, "diagnosticCode").or_else(|| text_at(item, "status"));
    items.iter().find_map(of_one).map(|text| kept(&text)).unwrap_or_default()
}
