//! Users who are deleted: held first, in `users.delete_after`, then erased, each in a transaction of their own, by functions
//! of the database (migration 47). What ends that halfway leaves whole users, who are due again.

use std::time::Duration;

use super::{Error, Store};
use crate::domain::Time;
use crate::domain::audit::Actor;
use crate::domain::change::Change;
use crate::domain::id::{UserId, VerificationId};

/// Why a mail is cancelled that waits for one who is being deleted.
pub const CANCELLED: &str = "the user is being deleted";

/// How many are erased at a time, so that a step ends.
const AT_A_TIME: i64 = 50;

/// What asking for a deletion came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Held {
    /// Whether this asked for it; else they were being deleted already.
    pub is_new: bool,
    /// From when on they are erased.
    pub until: Time,
}

/// What is erased with a user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Belongings {
    pub verifications: i64,
    /// Of them nothing is left but when each went out and what became of it.
    pub mails: i64,
    /// Those among them that wait: cancelled.
    pub waiting: i64,
}

/// What erasing came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Erased {
    pub users: u64,
    /// When to look again, if someone is to be erased then.
    pub next_in: Option<Duration>,
}

impl Store {
    /// Has a user erased, but not before `hold` is over. `seen` is the verification by which they were found. `None` if
    /// there is no such user.
    pub async fn delete_user(
        &self,
        actor: &Actor,
        user: UserId,
        seen: Option<VerificationId>,
        reason: &str,
        hold: Duration,
    ) -> Result<Option<Held>, Error> {
        let row = sqlx::query!(
            "select outcome, delete_after from delete_user($1, $2, $3, $4, $5, $6)",
            user.0,
            seen.map(|id| id.0),
            actor.name,
            actor.origin.as_str(),
            reason,
            hold.as_secs_f64()
        )
        .fetch_one(self.pool())
        .await?;
        let until = row.delete_after.map(Into::into);
        Ok(row.outcome.zip(until).map(|(outcome, until)| Held { is_new: outcome == "done", until }))
    }

    /// What would be erased with a user.
    pub async fn belongings_of(&self, user: UserId) -> Result<Belongings, Error> {
        let row = sqlx::query!(
            r#"select
                (select count(*) from verifications where user_id = $1) as "verifications!",
                count(*) as "mails!",
                count(*) filter (where state = 'queued') as "waiting!"
            from sends
            where user_id = $1"#,
            user.0
        )
        .fetch_one(self.pool())
        .await?;
        Ok(Belongings { verifications: row.verifications, mails: row.mails, waiting: row.waiting })
    }

    /// Erases those whose time is over, some at a time. One who cannot be erased keeps no other.
    pub async fn erase_due(&self, actor: &Actor) -> Result<Erased, Error> {
        let due = self.users_to_erase().await?;
        let mut erased = Erased::default();
        let mut failed = None;
        for &user in &due {
            match self.erase(actor, user).await {
                Ok(is_done) => erased.users += u64::from(is_done),
                Err(error) if error.is_away() => return Err(error),
                Err(error) => {
                    tracing::error!(%error, %user, "a user who is to be deleted was not erased");
                    failed = Some(error);
                }
            }
        }
        if erased.users > 0 {
            self.notify(Change::Many).await;
        }
        if let Some(error) = failed {
            return Err(error);
        }
        erased.next_in = self.next_erasure_in().await?;
        Ok(erased)
    }

    /// Whose time is over.
    pub async fn users_to_erase(&self) -> Result<Vec<UserId>, Error> {
        let ids = sqlx::query_scalar!(
            "select id
            from users
            where delete_after is not null and (delete_after <= now() or delete_after > now() + interval '1 hour')
            order by delete_after
            limit $1",
            AT_A_TIME
        );
        Ok(ids.fetch_all(self.pool()).await?.into_iter().map(UserId).collect())
    }

    /// False where another process has them in hand, or they stay after all.
    async fn erase(&self, actor: &Actor, user: UserId) -> Result<bool, Error> {
        let is_done = sqlx::query_scalar!("select erase_user($1, $2, $3)", user.0, actor.name, actor.origin.as_str());
        Ok(is_done.fetch_one(self.pool()).await? == Some(true))
    }

    async fn next_erasure_in(&self) -> Result<Option<Duration>, Error> {
        let seconds = sqlx::query_scalar!(
            "select extract(epoch from min(delete_after) - now())::float8 from users where delete_after is not null"
        );
        let seconds = seconds.fetch_one(self.pool()).await?;
        Ok(seconds.map(|seconds| Duration::try_from_secs_f64(seconds).unwrap_or_default()))
    }
}
