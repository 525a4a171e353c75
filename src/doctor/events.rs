//! How what SES reports comes in: by a queue, by posts of SNS's, or not at all.

use super::{Finding, Room, check::Examined};
use crate::domain::amazon::DeadLetters;
use crate::domain::webhook::SubscriptionState;
use crate::export::shown;

/// From how many waiting messages on no one reads fast enough.
const MANY: i64 = 1_000;

pub(super) fn way(room: &Room) -> Examined<'_> {
    Box::pin(async move {
        let outbox = room.outbox().await?;
        let confirmed =
            |state| outbox.webhook.subscriptions.iter().filter(|one| one.state(outbox.webhook.as_of) == state).count();
        let (queues, topics) = (outbox.event_queues.len(), confirmed(SubscriptionState::Confirmed));
        if queues + topics > 0 {
            let are_read = if queues == 1 { "queue is read" } else { "queues are read" };
            let post = if topics == 1 { "topic posts" } else { "topics post" };
            return Ok(Finding::green(format!("{queues} {are_read}, {topics} {post} to serve")));
        }
        let goes_through_ses = outbox.account.is_some() || room.means_ses();
        if !goes_through_ses {
            return Err(Finding::skipped("mails do not go through SES, as far as is known here"));
        }
        Ok(Finding::yellow(
            "no queue is read and no topic posts to serve: bounces and complaints are not heard of",
            "set `ses.queue` on workers to an SQS queue that is subscribed to the topic of the configuration set \
             (docs/events.md)",
        ))
    })
}

pub(super) fn queue(room: &Room) -> Examined<'_> {
    Box::pin(async move {
        let outbox = room.outbox().await?;
        if outbox.event_queues.is_empty() {
            return Err(Finding::skipped("no worker reads a queue"));
        }
        let failed = outbox.event_queues.iter().find_map(|queue| queue.error.as_ref().map(|error| (queue, error)));
        if let Some((queue, (error, since))) = failed {
            return Ok(Finding::red(
                format!("{} cannot be read since {}: {}", queue.url.plain(), shown(*since), error.plain()),
                "see whether the queue is there, in the region of the workers' settings, and whether their AWS keys may read \
                 it",
            ));
        }
        let words: Vec<String> =
            outbox.event_queues.iter().map(|queue| format!("{}: {}", queue.url.plain(), queue.in_words())).collect();
        let is_behind = outbox.event_queues.iter().any(|queue| queue.depth.is_some_and(|depth| depth.waiting >= MANY));
        Ok(if is_behind {
            Finding::yellow(
                words.join("; "),
                "run another `verifydesk worker --events-only`, and see in the workers' logs what is slow",
            )
        } else {
            Finding::green(words.join("; "))
        })
    })
}

pub(super) fn dead_letters(room: &Room) -> Examined<'_> {
    Box::pin(async move {
        let outbox = room.outbox().await?;
        let mut known =
            outbox.event_queues.iter().filter_map(|queue| Some((queue, queue.depth?.dead_letters))).peekable();
        if known.peek().is_none() {
            return Err(Finding::skipped("no queue was measured yet"));
        }
        let Some((queue, letters)) =
            known.find(|(_, letters)| letters.is_trouble() || *letters == DeadLetters::Unknown)
        else {
            return Ok(Finding::green("none is in a dead-letter queue"));
        };
        let url = queue.url.plain();
        Ok(match letters {
            DeadLetters::NoQueue => Finding::yellow(
                format!("{url} has no dead-letter queue: what is no event comes back until it is too old"),
                "make a second queue, and set it as dead-letter queue with five receives (redrive policy)",
            ),
            DeadLetters::Count(count) => Finding::yellow(
                format!("{count} messages in the dead-letter queue of {url}"),
                "look at them in SQS; what are events of SES's goes in by a redrive, or as a file by `verifydesk events \
                 import`",
            ),
            DeadLetters::Unknown => Finding::yellow(
                format!("the dead-letter queue of {url} may not be asked"),
                "allow the workers' IAM user or role sqs:GetQueueUrl and sqs:GetQueueAttributes on it",
            ),
        })
    })
}

pub(super) fn topics(room: &Room) -> Examined<'_> {
    Box::pin(async move {
        let webhook = &room.outbox().await?.webhook;
        if webhook.subscriptions.is_empty() {
            return Err(Finding::skipped("no topic has asked to post to serve"));
        }
        let trouble = webhook.subscriptions.iter().find(|one| one.is_trouble(webhook.as_of));
        let Some(one) = trouble else { return Ok(Finding::green("no subscription waits, none has ended")) };
        let topic = one.topic.plain();
        Ok(match one.state(webhook.as_of) {
            SubscriptionState::Waiting => Finding::yellow(
                format!("{topic} waits for approval"),
                format!("`verifydesk events approve {topic}`, if it is yours; else `verifydesk events refuse {topic}`"),
            ),
            SubscriptionState::Ended => Finding::red(
                format!("SNS says that the subscription of {topic} has ended: no events come by it"),
                "subscribe serve to the topic again in SNS, if that was not wanted",
            ),
            _ => Finding::red(
                format!(
                    "{topic} cannot be confirmed: {}",
                    one.error.as_ref().map(|error| error.plain().into_string()).unwrap_or_default()
                ),
                "see whether serve reaches sns.REGION.amazonaws.com by HTTPS; ask in SNS for the confirmation again",
            ),
        })
    })
}

/// How posts are signed. What comes by a queue is not: who may write there, the queue's policy says.
pub(super) fn signatures(room: &Room) -> Examined<'_> {
    Box::pin(async move {
        let webhook = &room.outbox().await?.webhook;
        let posting: Vec<_> = webhook
            .subscriptions
            .iter()
            .filter(|one| one.state(webhook.as_of) == SubscriptionState::Confirmed)
            .collect();
        if posting.is_empty() {
            return Err(Finding::skipped("no topic posts to serve; what comes by a queue needs no signature"));
        }
        if let Some(weak) = posting.iter().find(|one| one.signature_version == Some(1)) {
            let topic = weak.topic.plain();
            return Ok(Finding::yellow(
                format!("what {topic} posts is signed by version 1, which is SHA-1"),
                format!(
                    "`aws sns set-topic-attributes --topic-arn {topic} --attribute-name SignatureVersion --attribute-value 2`: \
                     serve takes both, so nothing is lost; this is green with the next post"
                ),
            ));
        }
        let unseen = posting.iter().filter(|one| one.signature_version.is_none()).count();
        Ok(if unseen == posting.len() {
            Finding::skipped("nothing was posted since serve looks at it: the next post tells")
        } else {
            Finding::green("version 2 (SHA-256), as far as posts were seen")
        })
    })
}

pub(super) fn refused(room: &Room) -> Examined<'_> {
    Box::pin(async move {
        let webhook = &room.outbox().await?.webhook;
        let lately: Vec<String> = webhook
            .refused
            .iter()
            .filter(|refused| refused.lately > 0)
            .map(|refused| format!("{} as {}", refused.lately, refused.reason.plain()))
            .collect();
        Ok(if lately.is_empty() {
            Finding::green("no post was refused since yesterday")
        } else {
            Finding::yellow(
                format!("posts to /ses/events were refused since yesterday: {}", lately.join(", ")),
                "docs/events.md says what each reason means; strangers may post there too, and cost nothing",
            )
        })
    })
}
