//! Users: found, made, locked.

use sqlx::PgConnection;

use super::{Error, Store, StoredTime};
use crate::domain::address::EmailAddress;
use crate::domain::id::{UserId, VerificationId};
use crate::domain::locale::Locale;
use crate::domain::user::User;
use crate::domain::verification::Verification;

struct Row {
    id: i64,
    email: String,
    name: String,
    locale: String,
    created_at: StoredTime,
    verified_at: Option<StoredTime>,
    delete_after: Option<StoredTime>,
}

impl From<Row> for User {
    fn from(row: Row) -> Self {
        Self {
            id: UserId(row.id),
            email: row.email.into(),
            name: row.name.into(),
            locale: row.locale.parse().unwrap_or_default(),
            created_at: row.created_at.into(),
            verified_at: row.verified_at.map(Into::into),
            delete_after: row.delete_after.map(Into::into),
        }
    }
}

/// Locks a user's row. Every act does this first: two keys of one user clicked at once must not deadlock. By a function of
/// the database, for roles that may change no column of it.
pub async fn lock(connection: &mut PgConnection, id: UserId) -> Result<Option<User>, Error> {
    let row = sqlx::query_as!(
        Row,
        r#"select
            id as "id!", email as "email!", name as "name!", locale as "locale!", created_at as "created_at!", verified_at,
            delete_after
        from lock_user($1)"#,
        id.0
    )
    .fetch_optional(connection)
    .await?;
    Ok(row.map(Into::into))
}

/// A user as they are now, for a caller that changes nothing.
pub async fn get(connection: &mut PgConnection, id: UserId) -> Result<Option<User>, Error> {
    let row = sqlx::query_as!(
        Row,
        "select id, email, name, locale, created_at, verified_at, delete_after from users where id = $1",
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
        r#"select
            id as "id!", email as "email!", name as "name!", locale as "locale!", created_at as "created_at!", verified_at,
            delete_after
        from lock_user((select id from users where lower(email) = lower($1)))"#,
        email.as_str()
    )
    .fetch_optional(connection)
    .await?;
    Ok(row.map(Into::into))
}

/// Makes a user; `None` if another act has just made them.
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

impl Store {
    /// The user with this address, however it is capitalised, and their newest verification: in one statement, so that
    /// a click in between cannot make the two contradict each other. Without the key's fingerprint.
    pub async fn user_state(&self, email: &EmailAddress) -> Result<Option<(User, Option<Verification>)>, Error> {
        let row = sqlx::query!(
            r#"select
                u.id, u.email, u.name, u.locale, u.created_at, u.verified_at, u.delete_after,
                v.id as "verification_id?",
                v.created_at as "verification_created_at?",
                v.expires_at as "verification_expires_at?",
                v.verified_at as verification_verified_at,
                v.revoked_at as verification_revoked_at,
                v.opened_at as verification_opened_at
            from users u
            left join lateral (
                -- No digest: who may open links and could read digests could verify anyone.
                select id, created_at, expires_at, verified_at, revoked_at, opened_at
                from verifications
                where user_id = u.id
                order by id desc
                limit 1
            ) v on true
            where lower(u.email) = lower($1)"#,
            email.as_str()
        )
        .fetch_optional(self.pool())
        .await?;
        Ok(row.map(|row| {
            let user_id = UserId(row.id);
            let verification = row
                .verification_id
                .zip(row.verification_created_at.zip(row.verification_expires_at))
                .map(|(id, (created_at, expires_at))| Verification {
                    id: VerificationId(id),
                    user_id,
                    created_at: created_at.into(),
                    expires_at: expires_at.into(),
                    verified_at: row.verification_verified_at.map(Into::into),
                    revoked_at: row.verification_revoked_at.map(Into::into),
                    opened_at: row.verification_opened_at.map(Into::into),
                    key_fingerprint: None,
                });
            let user = User {
                id: user_id,
                email: row.email.into(),
                name: row.name.into(),
                locale: row.locale.parse().unwrap_or_default(),
                created_at: row.created_at.into(),
                verified_at: row.verified_at.map(Into::into),
                delete_after: row.delete_after.map(Into::into),
            };
            (user, verification)
        }))
    }
}
