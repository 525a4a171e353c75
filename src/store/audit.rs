//! The audit log: written by acts in their own transaction, read for a user and in lists.

mod list;

use sqlx::{FromRow, PgConnection};
use uuid::Uuid;

use super::{Error, Store, StoredTime};
use crate::domain::audit::{Action, Actor, AuditEntry};
use crate::domain::id::{SendId, UserId, VerificationId};

/// What an act writes into the log.
#[derive(Clone, Debug)]
pub struct NewEntry<'a> {
    pub actor: &'a Actor,
    pub action: Action,
    /// What came of it.
    pub outcome: &'a str,
    /// The operator's reason, or a detail.
    pub reason: Option<&'a str>,
    /// Who it concerns, if it is about one person.
    pub user: Option<UserId>,
    pub verification: Option<VerificationId>,
    pub send: Option<SendId>,
}

/// Appends an entry within an act's transaction.
pub async fn append(connection: &mut PgConnection, entry: NewEntry<'_>) -> Result<(), Error> {
    append_all(connection, &[entry]).await
}

/// Appends many entries within one transaction.
pub async fn append_all(connection: &mut PgConnection, entries: &[NewEntry<'_>]) -> Result<(), Error> {
    sqlx::query!(
        "insert into audit_log (actor, origin, action, outcome, reason, user_id, verification_id, send_id)
        select *
        from unnest(
            $1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::bigint[], $7::bigint[], $8::uuid[]
        )",
        &column(entries, |entry| entry.actor.name.clone()),
        &column(entries, |entry| entry.actor.origin.as_str().to_owned()),
        &column(entries, |entry| entry.action.as_str().to_owned()),
        &column(entries, |entry| entry.outcome.to_owned()),
        &column(entries, |entry| entry.reason.map(ToOwned::to_owned)) as &[Option<String>],
        &column(entries, |entry| entry.user.map(|id| id.0)) as &[Option<i64>],
        &column(entries, |entry| entry.verification.map(|id| id.0)) as &[Option<i64>],
        &column(entries, |entry| entry.send.map(|id| id.0)) as &[Option<Uuid>]
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Appends an entry that says what was before, as a JSON object. For acts of operators, not for the login of `serve`.
pub async fn append_with(
    connection: &mut PgConnection,
    entry: NewEntry<'_>,
    before: Option<&str>,
) -> Result<(), Error> {
    sqlx::query!(
        "insert into audit_log (actor, origin, action, outcome, reason, user_id, verification_id, send_id, before)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9::text::jsonb)",
        entry.actor.name,
        entry.actor.origin.as_str(),
        entry.action.as_str(),
        entry.outcome,
        entry.reason,
        entry.user.map(|id| id.0),
        entry.verification.map(|id| id.0),
        entry.send.map(|id| id.0),
        before
    )
    .execute(connection)
    .await?;
    Ok(())
}

fn column<T>(entries: &[NewEntry<'_>], value: impl Fn(&NewEntry<'_>) -> T) -> Vec<T> {
    entries.iter().map(value).collect()
}

impl Store {
    /// A user's newest entries.
    pub(super) async fn audit_of(&self, user: UserId, limit: i64) -> Result<Vec<AuditEntry>, Error> {
        let rows = sqlx::query_as!(
            EntryRow,
            r#"select id, at, actor, origin, action, outcome, reason, before::text as before, user_id, verification_id,
                send_id, login, host(client) as client
            from audit_log
            where user_id = $1
            order by id desc
            limit $2"#,
            user.0,
            limit
        )
        .fetch_all(self.pool())
        .await?;
        Ok(rows.into_iter().map(Into::into).collect())
    }
}

/// What is read of an entry.
#[derive(FromRow)]
struct EntryRow {
    id: i64,
    at: StoredTime,
    actor: String,
    origin: String,
    action: String,
    outcome: String,
    reason: Option<String>,
    before: Option<String>,
    user_id: Option<i64>,
    verification_id: Option<i64>,
    send_id: Option<Uuid>,
    login: Option<String>,
    client: Option<String>,
}

impl From<EntryRow> for AuditEntry {
    fn from(row: EntryRow) -> Self {
        Self {
            id: row.id,
            at: row.at.into(),
            actor: row.actor.into(),
            origin: row.origin.into(),
            action: row.action.into(),
            outcome: row.outcome.into(),
            reason: row.reason.map(Into::into),
            before: row.before.map(Into::into),
            user_id: row.user_id.map(UserId),
            verification_id: row.verification_id.map(VerificationId),
            send_id: row.send_id.map(SendId),
            login: row.login.map(Into::into),
            client: row.client.map(Into::into),
        }
    }
}
