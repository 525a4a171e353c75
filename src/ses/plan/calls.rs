//! What this program calls at AWS, and the rights that this takes: the one place from which policies are made.

use serde_json::{Value, json};

/// Who needs a right. `serve` and consoles need none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Policy {
    /// Workers, to send.
    Send,
    /// Workers, to ask about the account, and to do there what operators asked for.
    Account,
    /// Workers, to take events in.
    Events,
}

impl Policy {
    pub const ALL: [Self; 3] = [Self::Send, Self::Account, Self::Events];

    /// Its name at AWS.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Send => "send-verification-mails",
            Self::Account => "ask-about-the-account",
            Self::Events => "take-events-in",
        }
    }
}

/// A call, as the SDK names it, and the rights that it takes.
#[derive(Clone, Copy, Debug)]
pub struct Call {
    pub operation: &'static str,
    pub actions: &'static [&'static str],
    pub policy: Policy,
}

const fn call(operation: &'static str, actions: &'static [&'static str], policy: Policy) -> Call {
    Call { operation, actions, policy }
}

/// All of them.
pub const CALLS: &[Call] = &[
    // By SMTP; SES names the right after its oldest API.
    call("smtp", &["ses:SendRawEmail"], Policy::Send),
    // With a mail that is whole, the right is that of raw mails as well.
    call("send_email", &["ses:SendEmail", "ses:SendRawEmail"], Policy::Send),
    call("get_account", &["ses:GetAccount"], Policy::Account),
    call("get_email_identity", &["ses:GetEmailIdentity"], Policy::Account),
    call("create_email_identity", &["ses:CreateEmailIdentity"], Policy::Account),
    call("list_email_identities", &["ses:ListEmailIdentities"], Policy::Account),
    call("get_configuration_set", &["ses:GetConfigurationSet"], Policy::Account),
    call("get_configuration_set_event_destinations", &["ses:GetConfigurationSetEventDestinations"], Policy::Account),
    call("get_suppressed_destination", &["ses:GetSuppressedDestination"], Policy::Account),
    call("list_suppressed_destinations", &["ses:ListSuppressedDestinations"], Policy::Account),
    call("put_suppressed_destination", &["ses:PutSuppressedDestination"], Policy::Account),
    call("delete_suppressed_destination", &["ses:DeleteSuppressedDestination"], Policy::Account),
    call("get_metric_data", &["cloudwatch:GetMetricData"], Policy::Account),
    call("receive_message", &["sqs:ReceiveMessage"], Policy::Events),
    // What is done to many at once takes the right of one.
    call("delete_message_batch", &["sqs:DeleteMessage"], Policy::Events),
    call("change_message_visibility_batch", &["sqs:ChangeMessageVisibility"], Policy::Events),
    call("get_queue_attributes", &["sqs:GetQueueAttributes"], Policy::Events),
    call("get_queue_url", &["sqs:GetQueueUrl"], Policy::Events),
];

/// The actions of a policy.
#[must_use]
pub fn actions(policy: Policy) -> Vec<&'static str> {
    let mut actions: Vec<_> =
        CALLS.iter().filter(|call| call.policy == policy).flat_map(|call| call.actions.iter().copied()).collect();
    actions.sort_unstable();
    actions.dedup();
    actions
}

/// The policy's document. Only this sender; only these queues.
#[must_use]
pub fn document(policy: Policy, address: &str, queues: &Value) -> Value {
    let mut statement = json!({ "Effect": "Allow", "Action": actions(policy), "Resource": "*" });
    match policy {
        // On all resources: in the sandbox SES also checks the recipients' identities.
        Policy::Send => statement["Condition"] = json!({ "StringEquals": { "ses:FromAddress": address } }),
        Policy::Account => {}
        Policy::Events => statement["Resource"] = queues.clone(),
    }
    json!({ "Version": "2012-10-17", "Statement": [statement] })
}
