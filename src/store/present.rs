//! The database's clock, which all processes share: what it wrote is compared with it, never with a machine's own.

use sqlx::PgConnection;

use super::{Error, Store};
use crate::domain::Time;

/// The present; within a transaction its beginning, as everything in it sees it.
pub async fn now(connection: &mut PgConnection) -> Result<Time, Error> {
    Ok(sqlx::query_scalar!(r#"select now() as "now!""#).fetch_one(connection).await?.into())
}

impl Store {
    pub async fn now(&self) -> Result<Time, Error> {
        Ok(sqlx::query_scalar!(r#"select now() as "now!""#).fetch_one(self.pool()).await?.into())
    }
}
