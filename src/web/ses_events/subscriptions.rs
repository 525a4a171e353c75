//! Subscriptions: an allowed topic's is confirmed at once, another's when an operator has approved it. Where it is
//! confirmed is kept in the database, so that any `serve` can do it.

use super::{Fault, Webhook};
use crate::desk::Desk;
use crate::domain::change::Change;
use crate::ses::sns::{CheckedUrl, Message, TopicArn};
use crate::store::Error;
use crate::store::webhook::Asked;

impl Webhook {
    /// A topic asks whether its messages are wanted.
    pub(super) async fn subscription_asked(&self, desk: &Desk, message: &Message) -> Result<&'static str, Fault> {
        let Some(url) = &message.subscribe_url else { return Err(Fault::Away) };
        let topic = message.topic.as_str();
        let asked = desk.store().subscription_asked(topic, url.as_str(), self.is_set(&message.topic)).await;
        let asked = asked.map_err(|error| away(&error))?;
        desk.store().notify(Change::Outbox).await;
        match asked {
            Asked::Allowed => match self.confirm_due(desk).await {
                Ok(true) => Ok("confirmed"),
                // Another process does it at this moment.
                Ok(false) => Ok("being confirmed"),
                Err(fault) => Err(fault),
            },
            Asked::Waits => {
                tracing::warn!(topic, "a subscription waits for approval: `verifydesk events subscriptions`");
                Ok("waits for approval")
            }
            Asked::Refused => Err(self.refuse("refused-topic")),
            Asked::TooMany => Err(self.refuse("too-many-subscriptions")),
        }
    }

    /// The end of a subscription. It could be begun again there, which is not done: someone has ended it.
    pub(super) async fn subscription_ended(&self, desk: &Desk, topic: &TopicArn) -> Result<&'static str, Fault> {
        tracing::error!(%topic, "a subscription has ended: this topic's events come here no more");
        let noted = desk.store().subscription_ended(topic.as_str(), self.is_set(topic)).await;
        noted.map_err(|error| away(&error))?;
        desk.store().notify(Change::Outbox).await;
        Ok("noted")
    }

    /// Confirms those that are allowed by now. Returns whether any was.
    pub(super) async fn confirm_due(&self, desk: &Desk) -> Result<bool, Fault> {
        // Asked once a second: while the database is away, the log need not say so each time.
        let due = desk.store().subscriptions_to_confirm().await.map_err(|error| {
            tracing::debug!(%error, "what is to be confirmed is asked for again");
            Fault::Away
        })?;
        let mut failed = None;
        let mut is_any = false;
        for (topic, text) in due {
            // Checked again: a database is no proof.
            let url = TopicArn::parse(&topic).and_then(|topic| CheckedUrl::of_subscription(&text, &topic));
            let error = match url {
                None => Some("it is not confirmed at SNS".to_owned()),
                Some(url) => self.verifier.confirm(&url).await.err().map(|error| {
                    let words = error.to_string();
                    failed = Some(Fault::Unconfirmed(error));
                    words
                }),
            };
            match &error {
                None => tracing::info!(topic, "a subscription is confirmed"),
                Some(error) => tracing::warn!(topic, error, "a subscription could not be confirmed; it is tried again"),
            }
            is_any |= error.is_none();
            let noted = desk.store().subscription_tried(&topic, &text, error.as_deref()).await;
            noted.map_err(|error| away(&error))?;
            desk.store().notify(Change::Outbox).await;
        }
        failed.map_or(Ok(is_any), Err)
    }
}

fn away(error: &Error) -> Fault {
    tracing::error!(%error, hint = error.hint(), "what SNS says of a subscription could not be noted");
    Fault::Away
}
