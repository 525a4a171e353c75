//! The SQS queue that SES's events come by, over SNS or `EventBridge`.

use std::time::Duration;

use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::{
    ChangeMessageVisibilityBatchRequestEntry, DeleteMessageBatchRequestEntry, MessageSystemAttributeName,
    QueueAttributeName,
};
use futures_util::future::try_join_all;
use serde_json::Value;
use tokio::sync::OnceCell;
use url::Url;

use super::aws::{Aws, Failure};
use crate::config::{SettingError, Settings};
use crate::domain::amazon::DeadLetters;
use crate::text::{Plain, plain};

/// Most messages that SQS gives at once.
pub const RECEIVED_MAX: usize = 10;

/// The longest that SQS waits for a message.
pub const WAIT_MAX: Duration = Duration::from_secs(20);

/// How long a message that was received is no one else's, unless that is extended.
const VISIBILITY: Duration = Duration::from_mins(1);

/// A message as it was received.
#[derive(Clone)]
pub struct Message {
    /// The same however often it is received.
    pub id: String,
    /// By which this receipt of it is deleted.
    pub receipt: String,
    pub body: String,
    /// How often it was received, this time included.
    pub received: u32,
}

/// The queue.
pub struct Sqs {
    aws: Aws,
    url: Url,
    visibility: Duration,
    client: OnceCell<Client>,
}

impl Sqs {
    /// The one that the settings name; `None` if they name none.
    pub fn from_settings(settings: &Settings) -> Result<Option<Self>, SettingError> {
        let Some(text) = settings.ses.queue.as_deref() else { return Ok(None) };
        let wrong = || {
            SettingError::new(
                format!("`ses.queue` is not the URL of a queue: {}", plain(text)),
                "write it as https://sqs.ap-northeast-2.amazonaws.com/123456789012/ses-events",
            )
        };
        let url = Url::parse(text.trim()).map_err(|_| wrong())?;
        let is_queue = matches!(url.scheme(), "https" | "http")
            && url.host_str().is_some()
            && url.password().is_none()
            && url.path().len() > 1;
        if !is_queue {
            return Err(wrong());
        }
        Ok(Some(Self { aws: Aws::from_settings(settings)?, url, visibility: VISIBILITY, client: OnceCell::new() }))
    }

    /// Its address, which also names it in the database.
    #[must_use]
    pub fn url(&self) -> &str {
        self.url.as_str()
    }

    /// The same, received messages being no one else's for another time.
    #[must_use]
    pub fn with_visibility(self, visibility: Duration) -> Self {
        Self { visibility, ..self }
    }

    /// How long a message that was received is no one else's, unless that is extended.
    #[must_use]
    pub fn visibility(&self) -> Duration {
        self.visibility
    }

    async fn client(&self) -> &Client {
        self.client.get_or_init(|| self.aws.sqs(&self.url, WAIT_MAX)).await
    }

    /// Up to [`RECEIVED_MAX`] messages, waiting for the first; they are no one else's for [`Sqs::visibility`].
    pub async fn receive(&self, wait: Duration) -> Result<Vec<Message>, Failure> {
        let seconds = |of: Duration| i32::try_from(of.as_secs()).unwrap_or(i32::MAX);
        let request = self
            .client()
            .await
            .receive_message()
            .queue_url(self.url())
            .max_number_of_messages(10)
            .wait_time_seconds(seconds(wait.min(WAIT_MAX)))
            .visibility_timeout(seconds(self.visibility))
            .message_system_attribute_names(MessageSystemAttributeName::ApproximateReceiveCount);
        // The SDK's futures are of many kilobytes.
        let answer = Box::pin(request.send()).await?;
        let messages = answer.messages.unwrap_or_default().into_iter().filter_map(|message| {
            let count = message
                .attributes
                .as_ref()
                .and_then(|all| all.get(&MessageSystemAttributeName::ApproximateReceiveCount))
                .and_then(|count| count.parse().ok());
            Some(Message {
                id: message.message_id?,
                receipt: message.receipt_handle?,
                body: message.body.unwrap_or_default(),
                received: count.unwrap_or(1),
            })
        });
        Ok(messages.collect())
    }

    /// Deletes messages. Those that cannot be deleted come again, and are known then.
    pub async fn delete(&self, messages: &[&Message]) -> Result<(), Failure> {
        try_join_all(messages.chunks(RECEIVED_MAX).map(|some| self.delete_some(some))).await?;
        Ok(())
    }

    async fn delete_some(&self, messages: &[&Message]) -> Result<(), Failure> {
        let entries = messages.iter().enumerate().filter_map(|(n, message)| {
            DeleteMessageBatchRequestEntry::builder().id(n.to_string()).receipt_handle(&message.receipt).build().ok()
        });
        let request = self.client().await.delete_message_batch().queue_url(self.url());
        let answer = Box::pin(request.set_entries(Some(entries.collect())).send()).await?;
        if let Some(failed) = answer.failed.first() {
            tracing::warn!(code = %plain(&failed.code), "{} messages were not deleted", answer.failed.len());
        }
        Ok(())
    }

    /// Makes messages no one else's for so long from now on.
    pub async fn extend(&self, messages: &[Message], by: Duration) -> Result<(), Failure> {
        let seconds = i32::try_from(by.as_secs()).unwrap_or(i32::MAX);
        for some in messages.chunks(RECEIVED_MAX) {
            let entries = some.iter().enumerate().filter_map(|(n, message)| {
                ChangeMessageVisibilityBatchRequestEntry::builder()
                    .id(n.to_string())
                    .receipt_handle(&message.receipt)
                    .visibility_timeout(seconds)
                    .build()
                    .ok()
            });
            let request = self.client().await.change_message_visibility_batch().queue_url(self.url());
            Box::pin(request.set_entries(Some(entries.collect())).send()).await?;
        }
        Ok(())
    }

    /// How many messages wait, how many are received and not deleted, and what is in the dead-letter queue.
    pub async fn depth(&self) -> Result<(i64, i64, DeadLetters), Failure> {
        let names = [
            QueueAttributeName::ApproximateNumberOfMessages,
            QueueAttributeName::ApproximateNumberOfMessagesNotVisible,
            QueueAttributeName::RedrivePolicy,
        ];
        let client = self.client().await;
        let request = client.get_queue_attributes().queue_url(self.url()).set_attribute_names(Some(names.to_vec()));
        let attributes = Box::pin(request.send()).await?.attributes.unwrap_or_default();
        let count = |name| attributes.get(&name).and_then(|count| count.parse().ok()).unwrap_or(0);
        let waiting = count(QueueAttributeName::ApproximateNumberOfMessages);
        let in_flight = count(QueueAttributeName::ApproximateNumberOfMessagesNotVisible);
        let dead = match attributes.get(&QueueAttributeName::RedrivePolicy).and_then(|policy| target_of(policy)) {
            None => DeadLetters::NoQueue,
            Some(arn) => self.dead_letters(&arn).await.map_or(DeadLetters::Unknown, DeadLetters::Count),
        };
        Ok((waiting, in_flight, dead))
    }

    async fn dead_letters(&self, arn: &str) -> Result<i64, Plain> {
        let parts: Vec<&str> = arn.split(':').collect();
        let [.., account, name] = &parts[..] else { return Err(plain("the redrive policy names no queue")) };
        let shown = |failure: Failure| plain(&failure.to_string());
        let client = self.client().await;
        let request = client.get_queue_url().queue_name(*name).queue_owner_aws_account_id(*account);
        let found = Box::pin(request.send()).await;
        let url = found.map_err(|error| shown(error.into()))?.queue_url.unwrap_or_default();
        let request = client.get_queue_attributes().queue_url(url);
        let request = request.attribute_names(QueueAttributeName::ApproximateNumberOfMessages);
        let attributes =
            Box::pin(request.send()).await.map_err(|error| shown(error.into()))?.attributes.unwrap_or_default();
        let count = attributes.get(&QueueAttributeName::ApproximateNumberOfMessages);
        count.and_then(|count| count.parse().ok()).ok_or_else(|| plain("no number"))
    }
}

/// The dead-letter queue's ARN in a redrive policy.
fn target_of(policy: &str) -> Option<String> {
    let policy: Value = serde_json::from_str(policy).ok()?;
    policy.get("deadLetterTargetArn")?.as_str().map(str::to_owned)
}
