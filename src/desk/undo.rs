//! Undo: an operator takes an act back.

use super::{Desk, Error, Refusal};
use crate::domain::audit::{Action, Actor};
use crate::domain::change::Change;
use crate::domain::undo::{NotUndone, Which};
use crate::store::undo::{TakenBack, Verdict};
use crate::text::plain;

/// What a reason is missing for.
const ACT: &str = "taking back what is old or someone else's";

impl Desk {
    /// Takes an act back: what it changed is as it was, and the audit log says so. Refused where the state has moved on
    /// since. An act that is older than ten minutes, or someone else's, is taken back for a reason only.
    pub async fn undo(&self, actor: &Actor, which: Which, reason: Option<&str>) -> Result<TakenBack, Error> {
        self.changing()?;
        let reason = reason.map(|text| super::reason(text, ACT)).transpose()?;
        let entry = self.store.entry_to_undo(actor, which).await?.ok_or_else(|| missing(which))?;
        let undone = match self.store.undo(actor, &entry, reason.as_deref()).await? {
            Verdict::Undone(undone) => undone,
            Verdict::NotFound => return Err(missing(Which::Entry(entry.id))),
            Verdict::AddressTaken => return Err(Refusal::AddressTaken.into()),
            Verdict::Not(NotUndone::ReasonMissing) => return Err(Refusal::ReasonMissing { act: ACT }.into()),
            Verdict::Not(why) => {
                return Err(Refusal::NotUndone { act: plain(Action::title_of(entry.action.raw())), why }.into());
            }
        };
        match undone.verification {
            // Those that it took the place of are on screens too.
            Some(id) => {
                self.store.notify(Change::Verification(id)).await;
                self.store.notify(Change::Many).await;
            }
            None => self.store.notify(Change::Outbox).await,
        }
        self.store.notify(Change::Queued).await;
        Ok(undone)
    }
}

fn missing(which: Which) -> Error {
    Error::NotFound(plain(&match which {
        Which::Entry(entry) => format!("there is no entry {entry} in the audit log, or its user was deleted"),
        Which::Last | Which::Of { .. } => "there is no act of yours to take back".into(),
    }))
}
