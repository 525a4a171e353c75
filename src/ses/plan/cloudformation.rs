//! The whole as a template of `CloudFormation`'s.

use serde_json::{Map, Value, json};

use super::Names;
use super::calls::{Policy, document};

/// How long what waits in a queue stays, in seconds: as long as SQS keeps anything.
const KEPT: u32 = 14 * 86_400;

/// How often a message is received before it goes to the dead-letter queue.
const RECEIVES: u32 = 5;

/// `DELIVERY_DELAY` as `CloudFormation` writes it: `deliveryDelay`.
fn camel(word: &str) -> String {
    let mut words = word.split('_').map(str::to_ascii_lowercase);
    let first = words.next().unwrap_or_default();
    words.fold(first, |all, word| {
        let (head, rest) = word.split_at(1.min(word.len()));
        format!("{all}{}{rest}", head.to_ascii_uppercase())
    })
}

fn arn(resource: &str) -> Value {
    json!({ "Fn::GetAtt": [resource, "Arn"] })
}

/// The template, as JSON, which `CloudFormation` takes as it takes YAML.
#[must_use]
pub fn template(names: &Names) -> String {
    let template = json!({
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": "verifydesk: sending verification mails through Amazon SES, and hearing what became of them",
        "Resources": resources(names),
        "Outputs": outputs(names),
    });
    // A value that was made here can be written.
    serde_json::to_string_pretty(&template).unwrap_or_default()
}

fn resources(names: &Names) -> Value {
    let events: Vec<String> = super::NEEDED.iter().map(|event| camel(event)).collect();
    let from_here = json!({ "StringEquals": { "aws:SourceAccount": { "Ref": "AWS::AccountId" } } });
    let mut resources = json!({
        "Set": {
            "Type": "AWS::SES::ConfigurationSet",
            "Properties": {
                "Name": names.configuration_set,
                "ReputationOptions": { "ReputationMetricsEnabled": true },
                "SuppressionOptions": { "SuppressedReasons": ["BOUNCE", "COMPLAINT"] },
            },
        },
        "Identity": {
            "Type": "AWS::SES::EmailIdentity",
            "Properties": {
                "EmailIdentity": names.domain,
                "ConfigurationSetAttributes": { "ConfigurationSetName": { "Ref": "Set" } },
                "MailFromAttributes": {
                    "MailFromDomain": names.mail_from(), "BehaviorOnMxFailure": "USE_DEFAULT_VALUE",
                },
            },
        },
        "Topic": {
            "Type": "AWS::SNS::Topic",
            // SHA-256 for those who have it posted to serve; 1 is SHA-1.
            "Properties": { "TopicName": names.topic, "SignatureVersion": "2" },
        },
        "TopicPolicy": {
            "Type": "AWS::SNS::TopicPolicy",
            "Properties": {
                "Topics": [{ "Ref": "Topic" }],
                "PolicyDocument": {
                    "Version": "2012-10-17",
                    "Statement": [{
                        "Effect": "Allow", "Principal": { "Service": "ses.amazonaws.com" }, "Action": "sns:Publish",
                        "Resource": { "Ref": "Topic" }, "Condition": from_here,
                    }],
                },
            },
        },
        "Destination": {
            "Type": "AWS::SES::ConfigurationSetEventDestination",
            "DependsOn": "TopicPolicy",
            "Properties": {
                "ConfigurationSetName": { "Ref": "Set" },
                "EventDestination": {
                    "Name": "desk", "Enabled": true, "MatchingEventTypes": events,
                    "SnsDestination": { "TopicARN": { "Ref": "Topic" } },
                },
            },
        },
        "DeadLetters": {
            "Type": "AWS::SQS::Queue",
            "Properties": { "QueueName": names.dead_letters(), "MessageRetentionPeriod": KEPT },
            "UpdateReplacePolicy": "Retain", "DeletionPolicy": "Retain",
        },
        "Events": {
            "Type": "AWS::SQS::Queue",
            "Properties": {
                "QueueName": names.queue, "MessageRetentionPeriod": KEPT,
                "RedrivePolicy": { "deadLetterTargetArn": arn("DeadLetters"), "maxReceiveCount": RECEIVES },
            },
            "UpdateReplacePolicy": "Retain", "DeletionPolicy": "Retain",
        },
        "EventsPolicy": {
            "Type": "AWS::SQS::QueuePolicy",
            "Properties": {
                "Queues": [{ "Ref": "Events" }],
                "PolicyDocument": {
                    "Version": "2012-10-17",
                    "Statement": [{
                        "Effect": "Allow", "Principal": { "Service": "sns.amazonaws.com" }, "Action": "sqs:SendMessage",
                        "Resource": arn("Events"), "Condition": { "ArnEquals": { "aws:SourceArn": { "Ref": "Topic" } } },
                    }],
                },
            },
        },
        "Subscription": {
            "Type": "AWS::SNS::Subscription",
            "DependsOn": "EventsPolicy",
            "Properties": {
                "TopicArn": { "Ref": "Topic" }, "Protocol": "sqs", "Endpoint": arn("Events"), "RawMessageDelivery": true,
            },
        },
        // Its access key is made by a person, and seen by no template.
        "Worker": { "Type": "AWS::IAM::User" },
    });
    let queues = json!([arn("Events"), arn("DeadLetters")]);
    for (policy, name) in Policy::ALL.into_iter().zip(["MaySend", "MayAsk", "MayTakeEventsIn"]) {
        resources[name] = json!({
            "Type": "AWS::IAM::ManagedPolicy",
            "Properties": {
                "Users": [{ "Ref": "Worker" }],
                "PolicyDocument": document(policy, &names.address, &queues),
            },
        });
    }
    resources
}

/// What goes into DNS and settings.
fn outputs(names: &Names) -> Value {
    let mut outputs = Map::new();
    for number in 1..=3 {
        for part in ["Name", "Value"] {
            let value = json!({ "Fn::GetAtt": ["Identity", format!("DkimDNSToken{part}{number}")] });
            let about = format!("{part} of DKIM's CNAME record {number}");
            outputs.insert(format!("Dkim{part}{number}"), json!({ "Description": about, "Value": value }));
        }
    }
    let mail_from =
        json!({ "Fn::Sub": format!("{} MX 10 feedback-smtp.${{AWS::Region}}.amazonses.com", names.mail_from()) });
    outputs.insert("MailFromMx".into(), json!({ "Description": "The envelope's domain: MX", "Value": mail_from }));
    let spf = format!("{} TXT \"v=spf1 include:amazonses.com ~all\"", names.mail_from());
    outputs.insert("MailFromSpf".into(), json!({ "Description": "The envelope's domain: SPF", "Value": spf }));
    outputs.insert("QueueUrl".into(), json!({ "Description": "For ses.queue", "Value": { "Ref": "Events" } }));
    outputs.insert(
        "WorkerUser".into(),
        json!({ "Description": "Whose access key workers get", "Value": { "Ref": "Worker" } }),
    );
    Value::Object(outputs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_named_as_cloudformation_names_them() {
        let named: Vec<String> = crate::ses::plan::NEEDED.iter().map(|event| camel(event)).collect();
        assert_eq!(named, ["send", "delivery", "deliveryDelay", "bounce", "complaint", "reject"]);
    }
}
