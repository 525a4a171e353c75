//! Users: found, made, locked, verified.

use sqlx::PgConnection;

use super::{Error, Store};
use crate::domain::Time;
use crate::domain::address::EmailAddress;
use crate::domain::id::UserId;
use crate::domain::locale::Locale;
use crate::domain::user::User;

struct Row {
    id: i64,
    email: String,
    name: String,
    locale: String,
    created_at: Time,
    verified_at: Option<Time>,
}

impl From<Row> for User {
    fn from(row: Row) -> Self {
        Self {
            id: UserId(row.id),
            email: row.email.into(),
            name: row.name.into(),
            locale: row.locale.parse().unwrap_or_default(),
            created_at: row.created_at,
            verified_at: row.verified_at,
        }
    }
}

/// Locks a user's row. Every act does this first: two keys of one user clicked at once must not deadlock.
pub async fn lock(connection: &mut PgConnection, id: UserId) -> Result<Option<User>, Error> {
    let row = sqlx::query_as!(
        Row,
        "select id, email, name, locale, created_at, verified_at from users where id = $1 for no key update",
        id.0
    )
    .fetch_optional(connection)
    .await?;
    Ok(row.map(Into::into))
}

/// Locks the row of the user with this address, however it is capitalised.
pub async fn lock_by_email(connection: &mut PgConnection, email: &EmailAddress) -> Result<Option<User>, Error> {
    let row = sqlx::query_as!(
        Row,
        "select id, email, name, locale, created_at, verified_at
        from users
        where lower(email) = lower($1)
        for no key update",
        email.as_str()
    )
    .fetch_optional(connection)
    .await?;
    Ok(row.map(Into::into))
}

/// Makes a user; nothing if another act has just made her.
pub async fn insert(
    connection: &mut PgConnection,
    email: &EmailAddress,
    name: &str,
    locale: Locale,
) -> Result<Option<UserId>, Error> {
    let id = sqlx::query_scalar!(
        "insert into users (email, name, locale) values ($1, $2, $3) on conflict do nothing returning id",
        email.as_str(),
        name,
        locale.as_str()
    )
    .fetch_optional(connection)
    .await?;
    Ok(id.map(UserId))
}

/// Notes that a user's address is verified.
pub async fn set_verified(connection: &mut PgConnection, id: UserId, at: Time) -> Result<(), Error> {
    sqlx::query!("update users set verified_at = $2 where id = $1 and verified_at is null", id.0, at)
        .execute(connection)
        .await?;
    Ok(())
}

impl Store {
    /// The user with this address, however it is capitalised.
    pub async fn user_by_email(&self, email: &EmailAddress) -> Result<Option<User>, Error> {
        let row = sqlx::query_as!(
            Row,
            "select id, email, name, locale, created_at, verified_at from users where lower(email) = lower($1)",
            email.as_str()
        )
        .fetch_optional(self.pool())
        .await?;
        Ok(row.map(Into::into))
    }
}
