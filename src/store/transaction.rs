//! A transaction that begins and ends once, whatever becomes of the caller.
//!
//! Requests and steps are dropped at any moment: a client hangs up, a time-out passes. sqlx 0.9 is not made for that
//! where a transaction begins or ends. If a future is dropped within `begin`, the connection goes back into the pool
//! with the transaction open, and what the next user of that connection writes without one is never committed; if it is
//! dropped within `commit`, a rollback is sent behind it. So both are tasks of their own, which nothing drops.

use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use sqlx::{PgConnection, Postgres};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::timeout;

use super::{ACQUIRE_TIMEOUT, Error, Store};
use crate::contain;
use crate::text::plain;

/// States what the acts are written for, where a pooler keeps no setting of the session.
const BEGIN: &str = "begin isolation level read committed";

/// The same for what may take long, on a connection for [`super::Purpose::Long`].
pub(super) const BEGIN_LONG: &str = "begin isolation level read committed; set local statement_timeout = '120s'";

/// For counting: all of it is seen as of one moment.
pub(super) const BEGIN_LONG_LOOK: &str =
    "begin isolation level repeatable read read only; set local statement_timeout = '120s'";

/// For what a screen shows besides, and does without if it takes longer.
const BEGIN_GLANCE: &str = "begin isolation level read committed read only; set local statement_timeout = '400ms'";

/// An act's transaction. Dropped before it is committed, it is rolled back.
#[derive(Debug)]
pub struct Transaction {
    transaction: sqlx::Transaction<'static, Postgres>,
    /// Given back after the connection, since fields are dropped in their order.
    _seat: Option<OwnedSemaphorePermit>,
}

impl Store {
    /// Begins an act's transaction.
    pub async fn begin(&self) -> Result<Transaction, Error> {
        let seat = self.seat().await?;
        let pool = self.pool().clone();
        let transaction = undisturbed(async move { pool.begin_with(BEGIN).await }).await?;
        Ok(Transaction { transaction, _seat: seat })
    }

    /// Begins to look at what is of no use later: a statement that takes long is [`Error::TooSlow`].
    pub(super) async fn begin_glance(&self) -> Result<Transaction, Error> {
        self.begin_reading(BEGIN_GLANCE).await
    }

    /// Begins to read, in this way; an act begins by [`Store::begin`].
    pub(super) async fn begin_reading(&self, how: &'static str) -> Result<Transaction, Error> {
        let pool = self.pool().clone();
        let transaction = undisturbed(async move { pool.begin_with(how).await }).await?;
        Ok(Transaction { transaction, _seat: None })
    }

    /// A seat for an act, where they are counted: whatever may wait for a lock takes one, also an act of one statement.
    pub(super) async fn seat(&self) -> Result<Option<OwnedSemaphorePermit>, Error> {
        let Some(seats) = &self.acts else { return Ok(None) };
        match timeout(ACQUIRE_TIMEOUT, Arc::clone(seats).acquire_owned()).await {
            // Fails only where it is closed, which no one does.
            Ok(seat) => Ok(seat.ok()),
            Err(_) => Err(Error::Contended(plain("too many changes wait for locks"))),
        }
    }
}

impl Transaction {
    /// Commits it. If the future is dropped, it is committed all the same.
    pub async fn commit(self) -> Result<(), Error> {
        undisturbed(self.transaction.commit()).await
    }

    /// Undoes it.
    pub async fn rollback(self) -> Result<(), Error> {
        undisturbed(self.transaction.rollback()).await
    }
}

impl Deref for Transaction {
    type Target = PgConnection;

    fn deref(&self) -> &PgConnection {
        &self.transaction
    }
}

impl DerefMut for Transaction {
    fn deref_mut(&mut self) -> &mut PgConnection {
        &mut self.transaction
    }
}

/// Goes on to its end though no one waits for it any more.
pub(super) async fn undisturbed<T: Send + 'static, E: Into<Error> + Send + 'static>(
    future: impl Future<Output = Result<T, E>> + Send + 'static,
) -> Result<T, Error> {
    match contain::spawn(future).await {
        Ok(Ok(done)) => done.map_err(Into::into),
        // The runtime ends, or sqlx is broken: the connection is not used again either way.
        Ok(Err(broke)) => Err(Error::Away(plain(&format!("the connection was given up: {broke}")))),
        Err(error) => Err(Error::Away(plain(&format!("the connection was given up: {error}")))),
    }
}
