//! What AWS says of the way that events come by, through that way: no events, and no alarm.

use serde_json::Value;

use super::NotAnEvent;

/// The kind of what SNS is sent when an identity gets a topic.
pub(super) const SUBSCRIBED: &str = "AmazonSnsSubscriptionSucceeded";

/// What SES sends in plain text when a configuration set gets a topic.
const VALIDATED: &str = "Successfully validated SNS topic for Amazon SES event publishing";

/// Parses what SNS carries.
pub(super) fn parse(message: &str) -> Result<Value, NotAnEvent> {
    serde_json::from_str(message)
        .map_err(|_| if message.trim_start().starts_with(VALIDATED) { NotAnEvent::Notice } else { NotAnEvent::NotJson })
}

#[cfg(test)]
mod tests {
    use super::super::Event;
    use super::*;

    #[test]
    fn notices_are_told_from_what_is_no_event() {
        let table = [
            ("Successfully validated SNS topic for Amazon SES event publishing.", NotAnEvent::Notice),
            (r#"{"notificationType":"AmazonSnsSubscriptionSucceeded","message":"x"}"#, NotAnEvent::Notice),
            (r#"{"notificationType":"AmazonSnsSubscriptionSucceeded","mail":{"messageId":"x"}}"#, NotAnEvent::Notice),
            ("Successfully", NotAnEvent::NotJson),
            (r#"{"message":"Successfully validated SNS topic for Amazon SES event publishing."}"#, NotAnEvent::Foreign),
        ];
        for (message, why) in table {
            assert_eq!(Event::of_notification(message, "id").unwrap_err(), why, "{message}");
            let envelope = serde_json::json!({ "Type": "Notification", "MessageId": "id", "Message": message });
            assert_eq!(Event::read(envelope.to_string().as_bytes(), None).unwrap_err(), why, "{message}");
        }
    }
}
