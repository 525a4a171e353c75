//! One mail tried while the outbox is paused for refusals: whether the server takes any again.

use super::prepare::{Batch, Preparer};
use crate::config;
use crate::store::outbox::batch;
use crate::store::{Error, Store, refusals};

/// How many mails that are no longer wanted are cancelled on the way to one that is.
const CANCELLED_MAX: usize = 20;

impl Preparer {
    /// Takes the probe that is due, if no other worker has it, and prepares one mail for it. It gets no moment of the
    /// pace, which gives none while the outbox is paused; one mail in half a minute needs none.
    pub(super) async fn probe(&self, store: &Store, rules: &config::Brake) -> Result<Batch, Error> {
        let mut done = Batch::default();
        let mut is_taken = false;
        for _ in 0..CANCELLED_MAX {
            let mut tx = store.begin().await?;
            let Some(id) = refusals::claim_probe(&mut tx).await? else { break };
            let locked = batch::lock_users(&mut tx, &[id]).await?;
            let mut sends = batch::read(&mut tx, &[id], self.old_after).await?;
            sends.retain(|send| send.user.as_ref().is_none_or(|user| locked.contains(&user.id)));
            if sends.is_empty() {
                break;
            }
            // Over another connection, in a statement of its own: nobody waits for the brake longer than that.
            is_taken = is_taken || store.take_probe(id, rules).await?;
            if !is_taken {
                break;
            }
            self.begin(&mut tx, &sends, &mut done).await?;
            tx.commit().await?;
            if !done.ready.is_empty() {
                // Should it fail, the mails of the day are one off.
                let _ = store.count_probe().await;
                break;
            }
        }
        Ok(done)
    }
}
