//! Acts at AWS: asked for by operators, done by a worker, and what they came to. The database's functions check who may ask,
//! and tell the audit log.

use std::collections::HashMap;

use sqlx::PgConnection;
use strum::VariantArray as _;
use uuid::Uuid;

use super::{Error, Store, StoredTime};
use crate::domain::Time;
use crate::domain::account::act::{AccountAct, ActKind, Came, Listing};
use crate::domain::account::identity_name::IdentityName;
use crate::domain::audit::Actor;
use crate::domain::id::{AccountActId, SendId, VerificationId};
use crate::text::{Untrusted, plain};

/// What is to be changed on the suppression list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ListChange {
    /// The address is taken off; then this verification's link is mailed again, if one is named.
    Remove(Option<VerificationId>),
    /// It is put on.
    Add(Listing),
}

/// Whether it was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Queued {
    Asked(AccountActId),
    /// Too much waits already.
    Full,
    /// The verification that is to be mailed is of no one who has this address.
    NotTheirs,
}

/// What an act came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended<'a> {
    pub came: Came,
    /// Why it failed; may name the address.
    pub error: Option<&'a str>,
    /// The right that is missing.
    pub permission: Option<&'a str>,
    /// Why it failed, in a word or two that name no one.
    pub in_short: Option<&'a str>,
    /// The mail that was queued with it.
    pub send: Option<SendId>,
    /// Why none was.
    pub not_mailed: Option<&'a str>,
}

impl Ended<'_> {
    /// It was done, or needed not be.
    #[must_use]
    pub fn well(came: Came) -> Self {
        Self { came, error: None, permission: None, in_short: None, send: None, not_mailed: None }
    }
}

impl Store {
    /// Has it looked up whether an address is on the suppression list; `None` where too much waits.
    pub async fn queue_look_up(&self, actor: &Actor, address: &str) -> Result<Option<AccountActId>, Error> {
        let id = sqlx::query_scalar!("select queue_look_up($1, $2, $3)", address, actor.name, actor.origin.as_str())
            .fetch_one(self.pool())
            .await?;
        Ok(id.map(AccountActId))
    }

    /// Has the suppression list changed.
    pub async fn queue_list_change(
        &self,
        actor: &Actor,
        address: &str,
        change: ListChange,
        reason: &str,
    ) -> Result<Queued, Error> {
        let (what, listing, again) = match change {
            ListChange::Remove(again) => ("remove", None, again),
            ListChange::Add(listing) => ("add", Some(listing.as_str()), None),
        };
        let row = sqlx::query!(
            "select outcome, act from queue_account_act($1, $2, $3, $4, $5, $6, $7)",
            what,
            address,
            listing,
            again.map(|id| id.0),
            reason,
            actor.name,
            actor.origin.as_str()
        )
        .fetch_one(self.pool())
        .await?;
        Ok(match (row.outcome.as_deref(), row.act) {
            (Some("asked"), Some(id)) => Queued::Asked(AccountActId(id)),
            (Some("full"), _) => Queued::Full,
            (Some("not_theirs"), _) => Queued::NotTheirs,
            (other, _) => {
                let word = other.unwrap_or_default();
                return Err(Error::Other(plain(&format!("an act came to {word}, which this version does not know"))));
            }
        })
    }

    /// Has an identity added; `None` where too much waits.
    pub async fn queue_identity(
        &self,
        actor: &Actor,
        identity: &IdentityName,
        reason: Option<&str>,
    ) -> Result<Option<AccountActId>, Error> {
        let id = sqlx::query_scalar!(
            "select act from queue_identity($1, $2, $3, $4)",
            identity.as_str(),
            reason,
            actor.name,
            actor.origin.as_str()
        );
        Ok(id.fetch_one(self.pool()).await?.map(AccountActId))
    }

    /// The newest of the identities that someone asked for and that are news.
    pub async fn identities_asked_for(&self, limit: i64) -> Result<Vec<AccountAct>, Error> {
        let rows = sqlx::query_as!(
            ActRow,
            "select id, kind, address, identity, listing, mail_again, reason, actor, origin, asked_at, state, attempts,
                ended_at, outcome, error, permission, send_id, not_mailed
            from account_acts
            where kind = 'add_identity' and (ended_at is null or ended_at > now() - interval '1 day')
            order by id desc
            limit $1",
            limit
        );
        // Those of a later version are not known here.
        Ok(rows.fetch_all(self.pool()).await?.into_iter().filter_map(|row| row.try_into().ok()).collect())
    }

    /// One act.
    pub async fn account_act(&self, id: AccountActId) -> Result<Option<AccountAct>, Error> {
        let row = sqlx::query_as!(
            ActRow,
            "select id, kind, address, identity, listing, mail_again, reason, actor, origin, asked_at, state, attempts, ended_at,
                outcome, error, permission, send_id, not_mailed
            from account_acts
            where id = $1",
            id.0
        )
        .fetch_optional(self.pool())
        .await?;
        row.map(TryInto::try_into).transpose()
    }

    /// The newest act about an address, but for look-ups that are over: what those found out is kept elsewhere.
    pub async fn account_act_about(&self, address: &str) -> Result<Option<AccountAct>, Error> {
        let row = sqlx::query_as!(
            ActRow,
            "select id, kind, address, identity, listing, mail_again, reason, actor, origin, asked_at, state, attempts, ended_at,
                outcome, error, permission, send_id, not_mailed
            from account_acts
            where address = lower($1) and (kind <> 'look_up' or state <> 'done')
            order by id desc
            limit 1",
            address
        )
        .fetch_optional(self.pool())
        .await?;
        // Those of a later version are not known here.
        Ok(row.and_then(|row| row.try_into().ok()))
    }

    /// The same, about each of several addresses in lower case.
    pub async fn account_acts_about(&self, addresses: &[String]) -> Result<HashMap<String, AccountAct>, Error> {
        let rows = sqlx::query_as!(
            ActRow,
            "select distinct on (address) id, kind, address, identity, listing, mail_again, reason, actor, origin, asked_at,
                state, attempts, ended_at, outcome, error, permission, send_id, not_mailed
            from account_acts
            where address = any($1) and (kind <> 'look_up' or state <> 'done')
            order by address, id desc",
            addresses
        )
        .fetch_all(self.pool())
        .await?;
        let known = |row: ActRow| Some((row.address.clone(), row.try_into().ok()?));
        Ok(rows.into_iter().filter_map(known).collect())
    }

    /// Of each kind of acts the newest that says whether the right to it is there: when it ended, and the right if that
    /// was missing.
    pub async fn rights_to_acts(&self) -> Result<Vec<(ActKind, Time, Option<Untrusted>)>, Error> {
        let rows = sqlx::query!(
            r#"select distinct on (kind) kind, ended_at as "ended_at!", permission
            from (
                select kind, state, ended_at, permission
                from account_acts
                where state <> 'waiting'
                order by ended_at desc
                limit 1000
            ) as newest
            where state = 'done' or permission is not null
            order by kind, ended_at desc"#
        )
        .fetch_all(self.pool())
        .await?;
        let known = |kind: &str| kind.parse().ok();
        Ok(rows
            .into_iter()
            .filter_map(|row| Some((known(&row.kind)?, row.ended_at.into(), row.permission.map(Into::into))))
            .collect())
    }

    /// Whether an act can be done now.
    pub async fn has_due_account_act(&self) -> Result<bool, Error> {
        let due = sqlx::query_scalar!(
            r#"select exists (
                select
                from account_acts w
                where
                    w.state = 'waiting'
                    and w.kind = any($1)
                    and w.due_at not between now() and now() + interval '15 minutes'
            ) as "due!""#,
            &known()
        );
        Ok(due.fetch_one(self.pool()).await?)
    }

    /// Takes the oldest act that can be done: no other worker does it for so many seconds. Of those about one address the
    /// first comes first, and none that is about someone who is being deleted.
    pub async fn claim_account_act(&self, longest: f64) -> Result<Option<AccountAct>, Error> {
        let row = sqlx::query_as!(
            ActRow,
            "update account_acts a
            set attempts = a.attempts + 1, due_at = now() + make_interval(secs => $1)
            where a.id = (
                select w.id
                from account_acts w
                where
                    w.state = 'waiting'
                    and w.kind = any($2)
                    -- A moment that is further away than any wait was written before the clock was set back.
                    and w.due_at not between now() and now() + interval '15 minutes'
                    and w.asked_at > now() - account_act_lasts(w.kind)
                    and not exists (
                        select
                        from account_acts before
                        where before.state = 'waiting' and before.address = w.address and before.id < w.id
                    )
                    and not exists (
                        select from users u where lower(u.email) = w.address and u.delete_after is not null
                    )
                order by w.id
                limit 1
                for update of w skip locked
            )
            returning a.id, a.kind, a.address, a.identity, a.listing, a.mail_again, a.reason, a.actor, a.origin, a.asked_at,
                a.state, a.attempts, a.ended_at, a.outcome, a.error, a.permission, a.send_id, a.not_mailed",
            longest,
            &known()
        )
        .fetch_optional(self.pool())
        .await?;
        row.map(TryInto::try_into).transpose()
    }

    /// Puts an act off: 5 seconds at first, then longer, five minutes at most.
    pub async fn put_account_act_off(&self, act: &AccountAct, error: &str) -> Result<(), Error> {
        sqlx::query!(
            "update account_acts
            set
                error = left($3, 2000),
                due_at = now() + make_interval(secs => least(300, 5 * 3 ^ least(attempts - 1, 10)) * (0.8 + 0.4 * random()))
            where id = $1 and state = 'waiting' and attempts = $2",
            act.id.0,
            act.attempts,
            error
        )
        .execute(self.pool())
        .await?;
        Ok(())
    }

    /// Gives up acts that no worker has done in time, and forgets old ones. Returns whether one was given up.
    pub async fn keep_account_acts(&self) -> Result<bool, Error> {
        let is_news = sqlx::query_scalar!("select keep_account_acts()").fetch_one(self.pool()).await?;
        Ok(is_news.unwrap_or(false))
    }
}

/// The kinds that this version can do: what a later one asks for waits for a worker of that.
fn known() -> Vec<String> {
    ActKind::VARIANTS.iter().map(|kind| kind.as_str().to_owned()).collect()
}

/// Ends an act within a transaction; false where another worker has ended it, or has it in hand since.
pub async fn end(connection: &mut PgConnection, act: &AccountAct, ended: &Ended<'_>) -> Result<bool, Error> {
    let is_ended = sqlx::query_scalar!(
        "select end_account_act($1, $2, $3, $4, $5, $6, $7, $8)",
        act.id.0,
        act.attempts,
        ended.came.as_str(),
        ended.error,
        ended.permission,
        ended.in_short,
        ended.send.map(|id| id.0),
        ended.not_mailed
    )
    .fetch_one(connection)
    .await?;
    Ok(is_ended.unwrap_or(false))
}

struct ActRow {
    id: i64,
    kind: String,
    address: String,
    identity: Option<String>,
    listing: Option<String>,
    mail_again: Option<i64>,
    reason: Option<String>,
    actor: String,
    origin: String,
    asked_at: StoredTime,
    state: String,
    attempts: i32,
    ended_at: Option<StoredTime>,
    outcome: Option<String>,
    error: Option<String>,
    permission: Option<String>,
    send_id: Option<Uuid>,
    not_mailed: Option<String>,
}

impl TryFrom<ActRow> for AccountAct {
    type Error = Error;

    fn try_from(row: ActRow) -> Result<Self, Error> {
        let unknown = |what: &str| {
            Error::Other(plain(&format!("act {} at AWS is {what}, which this version does not know", row.id)))
        };
        Ok(Self {
            id: AccountActId(row.id),
            kind: row.kind.parse().map_err(|_| unknown(&row.kind))?,
            state: row.state.parse().map_err(|_| unknown(&row.state))?,
            listing: row.listing.and_then(|word| word.parse().ok()),
            address: row.address.into(),
            identity: row.identity.map(Into::into),
            mail_again: row.mail_again.map(VerificationId),
            reason: row.reason.map(Into::into),
            actor: row.actor.into(),
            origin: row.origin.into(),
            asked_at: row.asked_at.into(),
            attempts: row.attempts,
            ended_at: row.ended_at.map(Into::into),
            came: row.outcome.and_then(|word| word.parse().ok()),
            error: row.error.map(Into::into),
            permission: row.permission.map(Into::into),
            send_id: row.send_id.map(SendId),
            not_mailed: row.not_mailed.map(Into::into),
        })
    }
}
