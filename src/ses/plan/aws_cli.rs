//! The whole as commands of AWS's own command line, in pieces.

use serde_json::json;

use super::Names;
use super::calls::{Policy, document};

/// The user that workers' keys belong to.
const USER: &str = "verifydesk-worker";

/// A word for a shell, as it is.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}

/// The same, in which the shell fills in `$AWS_REGION` and `$ACCOUNT`. For what holds no other `$`.
fn filled_in(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"").replace('`', "\\`"))
}

/// What all of it needs.
#[must_use]
pub fn beginning(names: &Names) -> Vec<String> {
    vec![
        match &names.region {
            Some(region) => format!("export AWS_REGION={}", quoted(region)),
            None => ": \"${AWS_REGION:?set it to the region that mails go through}\"".into(),
        },
        "ACCOUNT=$(aws sts get-caller-identity --query Account --output text)".into(),
    ]
}

#[must_use]
pub fn configuration_set(names: &Names) -> Vec<String> {
    vec![format!(
        "aws sesv2 create-configuration-set --configuration-set-name {} --reputation-options \
         ReputationMetricsEnabled=true --suppression-options SuppressedReasons=BOUNCE,COMPLAINT",
        quoted(&names.configuration_set)
    )]
}

#[must_use]
pub fn identity(names: &Names) -> Vec<String> {
    vec![format!("aws sesv2 create-email-identity --email-identity {}", quoted(&names.domain))]
}

#[must_use]
pub fn dkim(names: &Names) -> Vec<String> {
    vec![format!(
        "aws sesv2 get-email-identity --email-identity {} --query DkimAttributes.Tokens --output text",
        quoted(&names.domain)
    )]
}

#[must_use]
pub fn mail_from(names: &Names) -> Vec<String> {
    vec![format!(
        "aws sesv2 put-email-identity-mail-from-attributes --email-identity {} --mail-from-domain {} \
         --behavior-on-mx-failure USE_DEFAULT_VALUE",
        quoted(&names.domain),
        quoted(&names.mail_from())
    )]
}

#[must_use]
pub fn production(names: &Names) -> Vec<String> {
    vec![format!(
        "aws sesv2 put-account-details --production-access-enabled --mail-type TRANSACTIONAL --website-url {} \
         --contact-language EN --use-case-description {}",
        quoted(&names.website),
        quoted(&format!("One verification mail for each sign-up at {}", names.website))
    )]
}

fn queue_arn(name: &str) -> String {
    format!("arn:aws:sqs:$AWS_REGION:$ACCOUNT:{name}")
}

fn topic_arn(names: &Names) -> String {
    format!("arn:aws:sns:$AWS_REGION:$ACCOUNT:{}", names.topic)
}

#[must_use]
pub fn queue(names: &Names) -> Vec<String> {
    let policy = json!({ "Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Principal": { "Service": "sns.amazonaws.com" }, "Action": "sqs:SendMessage",
        "Resource": queue_arn(&names.queue), "Condition": { "ArnEquals": { "aws:SourceArn": topic_arn(names) } },
    }] });
    let redrive = json!({ "deadLetterTargetArn": queue_arn(&names.dead_letters()), "maxReceiveCount": "5" });
    let attributes = json!({
        "MessageRetentionPeriod": "1209600", "RedrivePolicy": redrive.to_string(), "Policy": policy.to_string(),
    });
    vec![
        format!("aws sns create-topic --name {} --attributes SignatureVersion=2", quoted(&names.topic)),
        format!(
            "aws sqs create-queue --queue-name {} --attributes MessageRetentionPeriod=1209600",
            quoted(&names.dead_letters())
        ),
        format!(
            "aws sqs create-queue --queue-name {} --attributes {}",
            quoted(&names.queue),
            filled_in(&attributes.to_string())
        ),
        format!(
            "aws sns subscribe --topic-arn {} --protocol sqs --notification-endpoint {} --attributes \
             RawMessageDelivery=true",
            filled_in(&topic_arn(names)),
            filled_in(&queue_arn(&names.queue))
        ),
    ]
}

#[must_use]
pub fn destination(names: &Names) -> Vec<String> {
    let destination = json!({
        "Enabled": true, "MatchingEventTypes": super::NEEDED, "SnsDestination": { "TopicArn": topic_arn(names) },
    });
    vec![format!(
        "aws sesv2 create-configuration-set-event-destination --configuration-set-name {} --event-destination-name desk \
         --event-destination {}",
        quoted(&names.configuration_set),
        filled_in(&destination.to_string())
    )]
}

#[must_use]
pub fn rights(names: &Names) -> Vec<String> {
    let queues = json!([queue_arn(&names.queue), queue_arn(&names.dead_letters())]);
    let mut commands = vec![format!("aws iam create-user --user-name {USER}")];
    commands.extend(Policy::ALL.into_iter().map(|policy| {
        let document = document(policy, &names.address, &queues).to_string();
        // An address may hold a $ of its own.
        let document = if policy == Policy::Events { filled_in(&document) } else { quoted(&document) };
        format!(
            "aws iam put-user-policy --user-name {USER} --policy-name {} --policy-document {document}",
            policy.as_str()
        )
    }));
    commands.push(format!("aws iam create-access-key --user-name {USER}"));
    commands
}

/// All of it, in an order in which each finds what it needs.
#[must_use]
pub fn script(names: &Names) -> Vec<String> {
    let mut lines = vec![
        "#!/bin/sh".to_owned(),
        "# For someone who has the rights; what is there already is refused by AWS, so leave that out.".to_owned(),
        "set -eu".to_owned(),
    ];
    for (about, commands) in [
        ("The region, and the account's number", beginning(names)),
        ("A configuration set", configuration_set(names)),
        ("The sender's domain", identity(names)),
        ("The three tokens: TOKEN._domainkey.DOMAIN CNAME TOKEN.dkim.amazonses.com", dkim(names)),
        ("The envelope's domain; into DNS: MX 10 feedback-smtp.REGION.amazonses.com, and SPF", mail_from(names)),
        ("The way of events: topic, queue, dead-letter queue", queue(names)),
        ("What is published; no OPEN and no CLICK, which rewrite links", destination(names)),
        ("The workers' user and rights; serve and consoles need none", rights(names)),
        ("Out of the sandbox; a person at AWS reads it", production(names)),
    ] {
        lines.push(String::new());
        lines.push(format!("# {about}"));
        lines.extend(commands);
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_shell_reads_is_what_was_meant() {
        assert_eq!(quoted("a'b $x"), "'a'\\''b $x'");
        assert_eq!(filled_in(r#"{"a":"\"$AWS_REGION`"}"#), r#""{\"a\":\"\\\"$AWS_REGION\`\"}""#);
    }
}
