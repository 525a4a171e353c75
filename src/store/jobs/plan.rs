//! What a job would do, and how many it is for: counted at once.

mod estimate;
mod pieces;

use sqlx::{Connection as _, PgConnection, QueryBuilder};

use super::scope::{Place, mails, push_scope};
use super::stored::{after_of, scope_of};
use crate::domain::Time;
use crate::domain::filter::Filter;
use crate::domain::id::JobId;
use crate::domain::job::{JobPlan, JobScope, PlanProgress};
use crate::domain::resend::ResendPolicy;
use crate::store::list;
use crate::store::transaction::{BEGIN_LONG, BEGIN_LONG_LOOK};
use crate::store::{Error, Purpose, Store};

/// From about how many verifications on they are counted in pieces.
const PIECES_FROM: i64 = 20_000;

impl Store {
    /// What a job would do now. Changes nothing and locks nothing. A million verifications take some seconds: `tell`
    /// hears at once about how many they are, and then a few times a second how many were counted. Where few are found,
    /// or they are looked for by their mails, it hears nothing.
    pub async fn plan_job(
        &self,
        scope: &JobScope,
        policy: &ResendPolicy,
        tell: impl FnMut(PlanProgress) + Send,
    ) -> Result<JobPlan, Error> {
        let mut connection = self.connect_alone(Purpose::Long).await?;
        let mut tx = connection.begin_with(BEGIN_LONG).await?;
        let as_of: Time = sqlx::query_scalar!(r#"select now() as "now!""#).fetch_one(&mut *tx).await?.into();
        let tally = match scope {
            JobScope::Filter(_) | JobScope::Mails(_) if scope.is_by_mails() => {
                let mut query = pieces::begin();
                mails::push(&mut query, &mut tx, scope, as_of, None).await?;
                pieces::count(&mut tx, policy, query).await?
            }
            JobScope::Filter(filter) | JobScope::Mails(filter) => by_list(&mut tx, filter, policy, as_of, tell).await?,
            JobScope::Marked(ids) => {
                let ids: Vec<i64> = ids.iter().map(|id| id.0).collect();
                let mut query = pieces::begin();
                query
                    .push("select null::uuid as mail, v.user_id, v.created_at as at, v.id from verifications v where v.id = any(")
                    .push_bind(ids)
                    .push(")");
                pieces::count(&mut tx, policy, query).await?
            }
        };
        let first = sqlx::query_scalar!(
            "select u.email
            from unnest($1::bigint[]) with ordinality as first (user_id, place)
            join users u on u.id = first.user_id
            order by first.place
            limit 5",
            &tally.first
        )
        .fetch_all(&mut *tx)
        .await?;
        tx.rollback().await?;
        connection.close().await?;
        let pace = self.pace().await?;
        let mails = tally.mails;
        Ok(JobPlan {
            found: tally.found,
            mails,
            skipped: tally.skipped,
            seconds: pace.seconds_for(mails),
            over_quota: pace.left().map(|left| (mails - left).max(0)),
            first: first.into_iter().map(Into::into).collect(),
            as_of,
        })
    }

    /// Counts what a job is for, where that was not done: what it has looked at already and what is still before it.
    pub async fn count_job(&self, id: JobId) -> Result<(), Error> {
        let mut connection = self.connect_alone(Purpose::Long).await?;
        // A chunk made at the same time is then in both numbers or in none.
        let mut tx = connection.begin_with(BEGIN_LONG_LOOK).await?;
        let job = sqlx::query!(
            "select
                status, search, since, until, verification_ids, cut_off, after_at, after_id, looked_at, terms, looked_for,
                is_of_mails, after_send
            from jobs
            where id = $1 and found is null",
            id.0
        )
        .fetch_optional(&mut *tx)
        .await?;
        let Some(job) = job else { return Ok(()) };
        let (cut_off, looked_at) = (job.cut_off.into(), job.looked_at);
        let after = after_of!(job);
        let before = match scope_of!(job) {
            JobScope::Marked(ids) => i64::try_from(ids.len()).unwrap_or(i64::MAX) - looked_at,
            scope => {
                let mut query = QueryBuilder::new("select count(*) from (");
                match &scope {
                    JobScope::Filter(filter) if !scope.is_by_mails() => {
                        let found = list::found(&mut tx, filter).await?;
                        query.push("select ");
                        push_scope(&mut query, &found, cut_off, after.and_then(Place::row));
                    }
                    _ => mails::push(&mut query, &mut tx, &scope, cut_off, after.and_then(Place::mail)).await?,
                }
                query.push(") as before");
                query.build_query_scalar().persistent(false).fetch_one(&mut *tx).await?
            }
        };
        tx.rollback().await?;
        connection.close().await?;
        sqlx::query!("update jobs set found = $2 where id = $1 and found is null", id.0, looked_at + before)
            .execute(self.pool())
            .await?;
        Ok(())
    }
}

/// Counts those of a list.
async fn by_list(
    connection: &mut PgConnection,
    filter: &Filter,
    policy: &ResendPolicy,
    as_of: Time,
    tell: impl FnMut(PlanProgress) + Send,
) -> Result<pieces::Tally, Error> {
    let found = list::found(connection, filter).await?;
    let push = |query: &mut QueryBuilder<_>| {
        query.push("select null::uuid as mail, ");
        push_scope(query, &found, as_of, None);
    };
    let about = if found.is_named() { 0 } else { estimate::found(connection, filter, as_of).await? };
    if about >= PIECES_FROM {
        return pieces::count_in_pieces(connection, policy, about, push, tell).await;
    }
    let mut query = pieces::begin();
    push(&mut query);
    pieces::count(connection, policy, query).await
}
