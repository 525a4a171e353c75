//! Acts taken back: which entry of the audit log is meant, and the functions of the database that undo what it tells of
//! (migrations 37 and 47). What was before a resend is kept in its entry.

use std::time::Duration;

use sqlx::PgConnection;

use super::{Error, Store};
use crate::domain::audit::{Action, Actor};
use crate::domain::id::{SendId, UserId, VerificationId};
use crate::domain::undo::{NotUndone, Which};
use crate::text::{Plain, Untrusted, plain};

/// How many entries back an operator's last act is looked for.
const LOOK_BACK: i64 = 100_000;

/// An entry that may be taken back.
#[derive(Clone, Debug)]
pub struct Entry {
    pub id: i64,
    /// What was done; that of the act which it is a part of, where it is one.
    pub action: Untrusted,
}

/// An act that was taken back.
#[derive(Clone, Debug, PartialEq)]
pub struct TakenBack {
    /// Which entry told of it.
    pub entry: i64,
    pub action: Untrusted,
    /// Who it was about, if about someone.
    pub user: Option<UserId>,
    pub verification: Option<VerificationId>,
}

/// What the functions answer.
struct Answer {
    verdict: Option<String>,
    chosen: Option<i64>,
    act: Option<String>,
    whose: Option<i64>,
    target: Option<i64>,
    since: Option<i64>,
}

/// What came of taking an act back.
#[derive(Clone, Debug)]
pub enum Verdict {
    Undone(TakenBack),
    NotFound,
    AddressTaken,
    Not(NotUndone),
}

impl Store {
    /// The entry that is meant, of those that this operator has made from this login; or the one with that number,
    /// of any operator.
    pub async fn entry_to_undo(&self, actor: &Actor, which: Which) -> Result<Option<Entry>, Error> {
        let (entry, action, verification) = match which {
            Which::Last => (None, None, None),
            Which::Entry(entry) => (Some(entry), None, None),
            Which::Of { action, verification } => (None, Some(action), verification),
        };
        let row = sqlx::query!(
            r#"select
                a.id as "id!",
                case
                    when a.action = 'resend' and exists (
                        select
                        from audit_log w
                        where w.user_id = a.user_id and w.at = a.at and w.action = 'change_address'
                    ) then 'change_address'
                    else a.action
                end as "action!"
            from (
                (select * from audit_log where id = $2)
                union all
                (
                    select *
                    from audit_log
                    where $2::bigint is null and $4::bigint is not null
                        and user_id = (select user_id from verifications where id = $4)
                    order by id desc
                    limit $5
                )
                union all
                (
                    select *
                    from audit_log
                    where $2::bigint is null and $4::bigint is null
                    order by id desc
                    limit $5
                )
            ) a
            where
                a.id = $2
                or (
                    a.actor = $1
                    and a.login = session_user::text
                    and a.origin in ('console', 'cli')
                    and a.action = coalesce($3, a.action)
                    and a.action not in ('undo', 'supersede')
                    and not changed_nothing(a.action, a.outcome)
                    -- Mails of bulk resends are made in the operator's name, and not by them.
                    and (select s.job_id from sends s where s.id = a.send_id) is null
                    -- Within the same bound, since no index serves it.
                    and a.id not in (
                        select u.undoes
                        from (select undoes from audit_log order by id desc limit $5) u
                        where u.undoes is not null
                    )
                )
            order by a.id desc
            limit 1"#,
            actor.name,
            entry,
            action.map(Action::as_str),
            verification.map(|id| id.0),
            LOOK_BACK
        )
        .fetch_optional(self.pool())
        .await?;
        Ok(row.map(|row| Entry { id: row.id, action: row.action.into() }))
    }

    /// Takes back what an entry tells of, with its own entry, or says why not. All or nothing.
    pub async fn undo(&self, actor: &Actor, entry: &Entry, reason: Option<&str>) -> Result<Verdict, Error> {
        let (door, why) = (actor.origin.as_str(), reason);
        // Those who may resend may take that back; the rest is for those who may do the rest.
        macro_rules! called {
            ($statement:literal) => {
                sqlx::query_as!(Answer, $statement, entry.id, actor.name, door, why).fetch_one(self.pool()).await?
            };
        }
        let action = entry.action.raw();
        let Answer { verdict, chosen, act, whose: user, target: verification, since } =
            if action == Action::Resend.as_str() {
                called!("select verdict, chosen, act, whose, target, since from undo_resend($1, $2, $3, $4)")
            } else if action == Action::Delete.as_str() {
                called!("select verdict, chosen, act, whose, target, since from undo_delete($1, $2, $3, $4)")
            } else {
                called!("select verdict, chosen, act, whose, target, since from undo_act($1, $2, $3, $4)")
            };
        Ok(match verdict.as_deref() {
            Some("undone") => Verdict::Undone(TakenBack {
                entry: chosen.unwrap_or(entry.id),
                action: act.map_or_else(|| entry.action.clone(), Into::into),
                user: user.map(UserId),
                verification: verification.map(VerificationId),
            }),
            Some("not_found") => Verdict::NotFound,
            Some("address_taken") => Verdict::AddressTaken,
            Some("never") => Verdict::Not(NotUndone::Never),
            Some("nothing") => Verdict::Not(NotUndone::Nothing),
            Some("already") => Verdict::Not(NotUndone::Already),
            Some("reason") => Verdict::Not(NotUndone::ReasonMissing),
            Some("begun") => Verdict::Not(NotUndone::Begun),
            Some("moved_on") => Verdict::Not(NotUndone::MovedOn { by: self.came_behind(since).await? }),
            other => {
                let what = format!("an undo came to {}, which this version does not know", other.unwrap_or("nothing"));
                return Err(Error::Other(plain(&what)));
            }
        })
    }

    /// What came behind an act, and by whom.
    async fn came_behind(&self, entry: Option<i64>) -> Result<Option<Plain>, Error> {
        let Some(entry) = entry else { return Ok(None) };
        let row = sqlx::query!("select action, actor from audit_log where id = $1", entry)
            .fetch_optional(self.pool())
            .await?;
        Ok(row.map(|row| plain(&format!("\"{}\" by {}", Action::title_of(&row.action), row.actor))))
    }
}

/// Until when a verification works, as an undo of its renewal needs it.
pub async fn before_renewal(connection: &mut PgConnection, id: VerificationId) -> Result<Option<String>, Error> {
    let before = sqlx::query_scalar!(
        "select jsonb_build_object('expires_at', expires_at)::text from verifications where id = $1",
        id.0
    );
    Ok(before.fetch_optional(connection).await?.flatten())
}

/// Where a mail waits, as an undo of its bringing forward needs it.
pub async fn before_bringing_forward(connection: &mut PgConnection, id: SendId) -> Result<Option<String>, Error> {
    let before = sqlx::query_scalar!(
        "select jsonb_build_object('due_at', due_at, 'queued_at', queued_at, 'priority', priority)::text
        from sends
        where id = $1",
        id.0
    );
    Ok(before.fetch_optional(connection).await?.flatten())
}

/// The brake, as an undo of what sets it needs it.
pub async fn before_brake(connection: &mut PgConnection) -> Result<Option<String>, Error> {
    // Locked, so that it is what the act replaces.
    let before = sqlx::query_scalar!("select to_jsonb(brake)::text from brake for no key update");
    Ok(before.fetch_optional(connection).await?.flatten())
}

/// Holds a mail that was queued in this transaction, so that it can be taken back.
pub async fn hold(connection: &mut PgConnection, id: SendId, for_: Duration) -> Result<(), Error> {
    sqlx::query!(
        "update sends set due_at = now() + make_interval(secs => $2) where id = $1 and state = 'queued'",
        id.0,
        for_.as_secs_f64()
    )
    .execute(connection)
    .await?;
    Ok(())
}
