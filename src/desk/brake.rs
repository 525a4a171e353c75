//! The brake by hand: pause, drain, resume.

use super::{Desk, Error, Refusal};
use crate::domain::audit::{Action, Actor};
use crate::domain::brake::{BrakeCause, BrakeState};
use crate::domain::change::Change;
use crate::store::audit::{self, NewEntry};
use crate::store::brake::{self, NewBrake};
use crate::store::undo;

impl Desk {
    /// Stops the outbox: mails in a lane's hands are finished, no other goes out until someone resumes.
    pub async fn pause(&self, actor: &Actor, reason: &str) -> Result<(), Error> {
        self.set_brake(actor, Action::Pause, BrakeState::Paused, reason).await
    }

    /// Lets the outbox finish what is queued now, and nothing that comes later; jobs make no more mails.
    pub async fn drain(&self, actor: &Actor, reason: &str) -> Result<(), Error> {
        self.set_brake(actor, Action::Drain, BrakeState::Draining, reason).await
    }

    /// Lets the outbox go again, no matter who or what stopped it.
    pub async fn resume(&self, actor: &Actor) -> Result<(), Error> {
        self.changing()?;
        let mut tx = self.store.begin().await?;
        if !brake::release(&mut tx).await? {
            return Err(Refusal::NotPaused.into());
        }
        audit::append(&mut tx, entry(actor, Action::Resume, None)).await?;
        tx.commit().await?;
        self.store.notify(Change::Outbox).await;
        Ok(())
    }

    async fn set_brake(&self, actor: &Actor, action: Action, state: BrakeState, reason: &str) -> Result<(), Error> {
        self.changing()?;
        let reason = super::reason(reason, "a stop of the outbox")?;
        let mut tx = self.store.begin().await?;
        let new = NewBrake { state, cause: BrakeCause::Operator, set_by: &actor.name, reason: &reason, seconds: None };
        let before = undo::before_brake(&mut tx).await?;
        brake::set(&mut tx, new).await?;
        audit::append_with(&mut tx, entry(actor, action, Some(&reason)), before.as_deref()).await?;
        tx.commit().await?;
        self.store.notify(Change::Outbox).await;
        Ok(())
    }
}

fn entry<'a>(actor: &'a Actor, action: Action, reason: Option<&'a str>) -> NewEntry<'a> {
    NewEntry { actor, action, outcome: "done", reason, user: None, verification: None, send: None }
}
