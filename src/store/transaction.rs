//! A transaction that begins and ends once, whatever becomes of whoever asked for it.
//!
//! Requests and steps are given up at any moment: a client hangs up, a time-out passes. sqlx 0.9 is not made for that
//! where a transaction begins or ends. Given up while `begin` is under way, the connection goes back into the pool with
//! the transaction open, and what the next user of that connection writes without one is never committed; given up
//! while `commit` is, a rollback is sent behind it. So both are tasks of their own, which nothing gives up.

use std::ops::{Deref, DerefMut};

use sqlx::{PgConnection, Postgres};

use super::{Error, Store};
use crate::text::plain;

/// An act's transaction. Dropped before it is committed, it is rolled back.
#[derive(Debug)]
pub struct Transaction(sqlx::Transaction<'static, Postgres>);

impl Store {
    /// Begins an act's transaction.
    pub async fn begin(&self) -> Result<Transaction, Error> {
        let pool = self.pool().clone();
        undisturbed(async move { pool.begin().await }).await.map(Transaction)
    }
}

impl Transaction {
    /// Commits it. Given up meanwhile, it is committed all the same.
    pub async fn commit(self) -> Result<(), Error> {
        undisturbed(self.0.commit()).await
    }

    /// Undoes it.
    pub async fn rollback(self) -> Result<(), Error> {
        undisturbed(self.0.rollback()).await
    }
}

impl Deref for Transaction {
    type Target = PgConnection;

    fn deref(&self) -> &PgConnection {
        &self.0
    }
}

impl DerefMut for Transaction {
    fn deref_mut(&mut self) -> &mut PgConnection {
        &mut self.0
    }
}

/// Goes on to its end though nobody waits for it any more.
async fn undisturbed<T: Send + 'static>(
    future: impl Future<Output = Result<T, sqlx::Error>> + Send + 'static,
) -> Result<T, Error> {
    match tokio::spawn(future).await {
        Ok(done) => Ok(done?),
        // The runtime ends, or sqlx is broken: the connection is not used again either way.
        Err(error) => Err(Error::Away(plain(&format!("the connection was given up: {error}")))),
    }
}
