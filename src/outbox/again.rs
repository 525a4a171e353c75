//! Results that were recorded before the database went over to another server, recorded there again: what it had not
//! heard of would be mailed a second time.

use std::time::Duration;

use super::prepare::Preparer;
use super::steps::within;
use crate::domain::change::Change;
use crate::domain::key::Key;
use crate::store::outbox::batch::{self, Outcome};
use crate::store::{Error, Store};

/// How many one statement takes.
const PIECE: usize = 1_000;

impl Preparer {
    /// Records them where the server lacks them, and commits to their keys where it lacks these too. Gives how many it
    /// lacked.
    pub(super) async fn record_again(
        &self,
        store: &Store,
        outcomes: &[Outcome],
        unknown_after: Duration,
    ) -> Result<usize, Error> {
        let mut count = 0;
        for piece in outcomes.chunks(PIECE) {
            let left = within(async {
                self.commit_again(store, piece).await?;
                store.record_again(self.worker, piece, unknown_after).await
            });
            count += piece.len() - left.await?.elsewhere.len();
        }
        if count > 0 {
            store.notify(Change::Many).await;
        }
        Ok(count)
    }

    /// The links are in mailboxes. A key that nothing was committed to was made with this secret.
    async fn commit_again(&self, store: &Store, outcomes: &[Outcome]) -> Result<(), Error> {
        let mut connection = store.pool().acquire().await?;
        let lost = batch::without_key(&mut connection, outcomes).await?;
        let keys: Vec<_> =
            lost.iter().map(|(id, nonce)| (*id, Key::derive(self.secret.bytes(), *id, nonce).digest())).collect();
        if !keys.is_empty() {
            batch::set_keys(&mut connection, &keys, self.lifetime).await?;
        }
        Ok(())
    }
}
