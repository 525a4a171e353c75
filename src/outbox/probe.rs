//! One mail tried while the outbox is paused for refusals: whether the server takes any again.

use super::prepare::{Batch, Preparer, Why};
use crate::config;
use crate::contain::contained_async;
use crate::domain::id::SendId;
use crate::store::outbox::batch;
use crate::store::outbox::standing::standing;
use crate::store::{Error, Store, refusals};

/// How many mails are passed over on the way to one that can be tried: those no longer wanted, those whose users an act
/// has, those that cannot be prepared.
const TRIED_MAX: usize = 20;

/// How far it has come.
#[derive(Debug, Default)]
struct Tried {
    /// The mails looked at, the last at the end.
    ids: Vec<SendId>,
    /// Whether the probe that is due is this worker's.
    is_taken: bool,
}

impl Preparer {
    /// Takes the probe that is due, if no other worker has it, and prepares one mail for it. It gets no moment of the
    /// pace, which gives none while the outbox is paused; one mail in half a minute needs none.
    pub(super) async fn probe(&self, store: &Store, rules: &config::Brake) -> Result<Batch, Error> {
        let mut done = Batch::default();
        let mut tried = Tried::default();
        while tried.ids.len() < TRIED_MAX && done.ready.is_empty() {
            let looked_at = tried.ids.len();
            let why = match contained_async(self.probe_next(store, rules, &mut tried, &mut done)).await {
                Ok(Ok(true)) => continue,
                Ok(Ok(false)) => break,
                Ok(Err(error)) => Why::Error(error),
                Err(broke) => Why::Broke(broke),
            };
            match tried.ids.get(looked_at) {
                Some(id) if why.may_be_of_one() => {
                    done.failed += usize::from(self.leave_out(store, *id, &why).await?);
                }
                _ => return Err(why.into()),
            }
        }
        if !done.ready.is_empty() {
            // Should it fail, the mails of the day are one off.
            let _ = store.count_probe().await;
        }
        Ok(done)
    }

    /// Looks at the next mail that can be tried; false if there is none, or no probe is due.
    async fn probe_next(
        &self,
        store: &Store,
        rules: &config::Brake,
        tried: &mut Tried,
        done: &mut Batch,
    ) -> Result<bool, Error> {
        let mut tx = store.begin().await?;
        let standing = standing(&mut tx, self.claimant()).await?;
        done.standing = Some(standing);
        if !self.claimant().may_claim(standing) {
            return Ok(false);
        }
        let Some(id) = refusals::claim_probe(&mut tx, &tried.ids).await? else { return Ok(false) };
        tried.ids.push(id);
        let locked = batch::lock_users(&mut tx, &[id]).await?;
        let mut sends = batch::read(&mut tx, &[id], self.old_after).await?;
        sends.retain(|send| send.user.as_ref().is_none_or(|user| locked.contains(&user.id)));
        if sends.is_empty() {
            return Ok(true);
        }
        // Over another connection, in a statement of its own: nobody waits for the brake longer than that.
        tried.is_taken = tried.is_taken || store.take_probe(id, rules).await?;
        if !tried.is_taken {
            return Ok(false);
        }
        let mut one = Batch::default();
        self.begin(&mut tx, &sends, &mut one).await?;
        tx.commit().await?;
        done.add(one);
        Ok(true)
    }
}
