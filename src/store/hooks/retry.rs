//! What operators do about webhooks, by functions of the database (migration 56), which check the rules and write the audit
//! entry.

use super::super::{Error, Store};
use crate::domain::audit::Actor;
use crate::domain::hook::{DeliveryState, MessageId};
use crate::text::plain;

/// What came of having given up messages tried again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retry {
    /// So many are.
    Done(i64),
    /// None was given up, or none that is still true.
    Nothing,
    NoEndpoint,
    NoMessage,
    /// The endpoint wants nothing any more.
    Disabled,
    /// A later message has told how the user stands.
    Overtaken,
    /// The message was not given up there.
    Is(DeliveryState),
}

impl Store {
    /// Has what was given up at an endpoint tried again: one message, or as many as go into a transaction.
    pub async fn retry_webhooks(
        &self,
        actor: &Actor,
        endpoint: &str,
        message: Option<MessageId>,
    ) -> Result<Retry, Error> {
        let row = sqlx::query!(
            "select outcome, retried from retry_webhooks($1, $2, $3, $4)",
            endpoint,
            message.map(|id| id.0),
            actor.name,
            actor.origin.as_str()
        )
        .fetch_one(self.pool())
        .await?;
        let word = row.outcome.unwrap_or_default();
        Ok(match word.as_str() {
            "done" => Retry::Done(row.retried.unwrap_or_default()),
            "none" => Retry::Nothing,
            "no_endpoint" => Retry::NoEndpoint,
            "no_message" => Retry::NoMessage,
            "disabled" => Retry::Disabled,
            "overtaken" => Retry::Overtaken,
            state => Retry::Is(state.parse().map_err(|_| {
                Error::Other(plain(&format!("a retry came to {word}, which this version does not know")))
            })?),
        })
    }

    /// Writes a test message for an endpoint; `None` if there is none of that name.
    pub async fn queue_webhook_test(&self, actor: &Actor, endpoint: &str) -> Result<Option<MessageId>, Error> {
        let uid =
            sqlx::query_scalar!("select queue_webhook_test($1, $2, $3)", endpoint, actor.name, actor.origin.as_str())
                .fetch_one(self.pool())
                .await?;
        Ok(uid.map(MessageId))
    }
}
