//! Webhooks to the site: what was given up is tried again, and tests are written.

use super::{Desk, Error, Refusal};
use crate::domain::audit::Actor;
use crate::domain::change::Change;
use crate::domain::hook::MessageId;
use crate::store::hooks::Retry;
use crate::text::plain;

impl Desk {
    /// Has a message that was given up at an endpoint tried there again, for as long as a new one.
    pub async fn retry_webhook(&self, actor: &Actor, id: MessageId, endpoint: &str) -> Result<(), Error> {
        self.retry(actor, endpoint, Some(id)).await.map(drop)
    }

    /// Has all that was given up at an endpoint tried there again, but for what is not so any more. Returns how many.
    pub async fn retry_given_up(&self, actor: &Actor, endpoint: &str) -> Result<i64, Error> {
        let mut all = 0;
        loop {
            match self.retry(actor, endpoint, None).await {
                Ok(count) => all += count,
                // What was not given up before is none of those that were asked for.
                Err(Error::Refused(Refusal::NoneGivenUp)) if all > 0 => return Ok(all),
                Err(error) => return Err(error),
            }
        }
    }

    /// The same at every endpoint; refused where that is at all of them.
    pub async fn retry_all_given_up(&self, actor: &Actor) -> Result<i64, Error> {
        let (mut all, mut refusal) = (0, Refusal::NoneGivenUp);
        for endpoint in self.store.hook_endpoints().await?.iter().filter(|endpoint| endpoint.given_up > 0) {
            match self.retry_given_up(actor, endpoint.name.raw()).await {
                Ok(count) => all += count,
                Err(Error::Refused(why @ (Refusal::NoneGivenUp | Refusal::EndpointOff { .. }))) => refusal = why,
                Err(error) => return Err(error),
            }
        }
        if all > 0 { Ok(all) } else { Err(refusal.into()) }
    }

    async fn retry(&self, actor: &Actor, endpoint: &str, id: Option<MessageId>) -> Result<i64, Error> {
        self.changing()?;
        let endpoint = endpoint.replace('\0', "");
        match self.store.retry_webhooks(actor, &endpoint, id).await? {
            Retry::Done(count) => {
                self.store.notify(Change::Outbox).await;
                Ok(count)
            }
            Retry::Nothing => Err(Refusal::NoneGivenUp.into()),
            Retry::NoEndpoint => Err(no_endpoint(&endpoint)),
            Retry::NoMessage => Err(match id {
                Some(id) => no_message(id),
                None => Refusal::NoneGivenUp.into(),
            }),
            Retry::Disabled => Err(Refusal::EndpointOff { name: plain(&endpoint) }.into()),
            Retry::Overtaken => Err(Refusal::WebhookOvertaken.into()),
            Retry::Is(state) => Err(Refusal::NotGivenUp { state }.into()),
        }
    }

    /// Writes a test message for an endpoint, which is due before all others there. Also switches on an endpoint whose
    /// receiver has answered that it wants nothing any more.
    pub async fn test_webhook(&self, actor: &Actor, endpoint: &str) -> Result<MessageId, Error> {
        self.changing()?;
        let endpoint = endpoint.replace('\0', "");
        let id = self.store.queue_webhook_test(actor, &endpoint).await?;
        let id = id.ok_or_else(|| no_endpoint(&endpoint))?;
        self.store.notify(Change::Outbox).await;
        Ok(id)
    }
}

/// It is none of the workers' settings.
fn no_endpoint(name: &str) -> Error {
    Error::NotFound(plain(&format!("no worker has an endpoint {name} in its settings")))
}

/// As it is said wherever one is looked for.
#[must_use]
pub fn no_message(id: MessageId) -> Error {
    Error::NotFound(plain(&format!("there is no webhook {id}")))
}
