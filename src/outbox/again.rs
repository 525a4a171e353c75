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
            match self.record_piece(store, piece, unknown_after).await {
                // What one cannot be recorded for must take no other along.
                Err(error) if error.is_of_the_row() => {
                    for one in piece.chunks(1) {
                        match self.record_piece(store, one, unknown_after).await {
                            Err(error) if error.is_of_the_row() => {
                                tracing::error!(send = %one[0].id, %error, "a result cannot be recorded again");
                            }
                            done => count += done?,
                        }
                    }
                }
                done => count += done?,
            }
        }
        if count > 0 {
            store.notify(Change::Many).await;
        }
        Ok(count)
    }

    async fn record_piece(&self, store: &Store, piece: &[Outcome], unknown_after: Duration) -> Result<usize, Error> {
        let left = within(async {
            self.commit_again(store, piece).await?;
            store.record_again(self.worker, piece, unknown_after).await
        });
        Ok(piece.len() - left.await?.elsewhere.len())
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
