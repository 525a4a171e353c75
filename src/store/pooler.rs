//! Whether a pooler between us and the server keeps a session for us, as `PgBouncer` does in its mode *session*. Where
//! it hands each transaction to whichever session is free, prepared statements are lost (below `PgBouncer` 1.21, or
//! with `max_prepared_statements = 0`), and so is what was set for a session, and `LISTEN`.
//!
//! Nothing reveals a pooler, so this looks at what it does: two connections of ours, of which the second holds a
//! transaction while the first continues.

use sqlx::{Connection as _, PgConnection};

use super::Error;
use crate::text::plain;

/// What lies between us and the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sessions {
    /// Sessions are our own.
    Own,
    /// Each transaction may be in another session; prepared statements are kept all the same.
    Shared,
}

pub(super) async fn look(first: &mut PgConnection, second: &mut PgConnection) -> Result<Sessions, Error> {
    let before = pid(first).await.map_err(said)?;
    let mut held = second.begin().await.map_err(said)?;
    // The same words, so that the statement has the same name on both.
    let other = pid(&mut held).await.map_err(said)?;
    let after = pid(first).await.map_err(said)?;
    held.rollback().await.map_err(said)?;
    Ok(if after == before && other != before { Sessions::Own } else { Sessions::Shared })
}

async fn pid(connection: &mut PgConnection) -> Result<i32, sqlx::Error> {
    sqlx::query_scalar("select pg_backend_pid()").fetch_one(connection).await
}

fn said(error: sqlx::Error) -> Error {
    if let sqlx::Error::Database(database) = &error {
        let is_lost = matches!(database.code().as_deref(), Some("26000" | "42P05"));
        let message = database.message();
        if is_lost || message.contains("statement pooling mode") {
            return Error::Pooler(plain(message));
        }
    }
    error.into()
}
