//! The audit log: written by acts in their own transaction, read for a user.

use sqlx::PgConnection;

use super::{Error, Store};
use crate::domain::audit::{Action, Actor, AuditEntry};
use crate::domain::id::{SendId, UserId, VerificationId};

/// What an act writes into the log.
#[derive(Clone, Debug)]
pub struct NewEntry<'a> {
    /// Who.
    pub actor: &'a Actor,
    /// What.
    pub action: Action,
    /// What came of it.
    pub outcome: &'a str,
    /// The operator's reason, or a detail.
    pub reason: Option<&'a str>,
    /// Whom it concerns, if it is about one person.
    pub user: Option<UserId>,
    /// Which verification.
    pub verification: Option<VerificationId>,
    /// Which send.
    pub send: Option<SendId>,
}

/// Appends an entry within an act's transaction.
pub async fn append(connection: &mut PgConnection, entry: NewEntry<'_>) -> Result<(), Error> {
    sqlx::query!(
        "insert into audit_log (actor, origin, action, outcome, reason, user_id, verification_id, send_id)
        values ($1, $2, $3, $4, $5, $6, $7, $8)",
        entry.actor.name,
        entry.actor.origin.as_str(),
        entry.action.as_str(),
        entry.outcome,
        entry.reason,
        entry.user.map(|id| id.0),
        entry.verification.map(|id| id.0),
        entry.send.map(|id| id.0)
    )
    .execute(connection)
    .await?;
    Ok(())
}

impl Store {
    /// A user's newest entries.
    pub(super) async fn audit_of(&self, user: UserId, limit: i64) -> Result<Vec<AuditEntry>, Error> {
        let rows = sqlx::query!(
            "select id, at, actor, origin, action, outcome, reason, user_id, verification_id, send_id
            from audit_log
            where user_id = $1
            order by id desc
            limit $2",
            user.0,
            limit
        )
        .fetch_all(self.pool())
        .await?;
        Ok(rows
            .into_iter()
            .map(|row| AuditEntry {
                id: row.id,
                at: row.at,
                actor: row.actor.into(),
                origin: row.origin.into(),
                action: row.action.into(),
                outcome: row.outcome.into(),
                reason: row.reason.map(Into::into),
                user_id: row.user_id.map(UserId),
                verification_id: row.verification_id.map(VerificationId),
                send_id: row.send_id.map(SendId),
            })
            .collect())
    }
}
