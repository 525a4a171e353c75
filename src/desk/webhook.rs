//! Which topics of SNS may post events: an operator's word.

use super::{Desk, Error};
use crate::domain::audit::{Action, Actor};
use crate::domain::change::Change;
use crate::store::audit::{self, NewEntry};
use crate::store::webhook;
use crate::text::plain;

impl Desk {
    /// Approves a topic: `serve` confirms its subscription within seconds, and takes its events from then on.
    pub async fn approve_topic(&self, actor: &Actor, topic: &str) -> Result<(), Error> {
        self.decide_topic(actor, topic, true).await
    }

    /// Refuses a topic, also one that was approved: its posts are not taken any more.
    pub async fn refuse_topic(&self, actor: &Actor, topic: &str) -> Result<(), Error> {
        self.decide_topic(actor, topic, false).await
    }

    async fn decide_topic(&self, actor: &Actor, topic: &str, is_approved: bool) -> Result<(), Error> {
        self.changing()?;
        let topic = topic.trim().replace('\0', "");
        let mut tx = self.store.begin().await?;
        if !webhook::decide(&mut tx, &topic, is_approved, &actor.name).await? {
            return Err(Error::NotFound(plain(&format!("no subscription has asked for the topic {topic}"))));
        }
        let action = if is_approved { Action::ApproveTopic } else { Action::RefuseTopic };
        let entry = NewEntry {
            actor,
            action,
            outcome: "done",
            reason: Some(&topic),
            user: None,
            verification: None,
            send: None,
        };
        audit::append(&mut tx, entry).await?;
        tx.commit().await?;
        self.store.notify(Change::Outbox).await;
        Ok(())
    }
}
