//! Whom a job is for: walked over chunk by chunk in the order of the list, planned and counted at once.

use sqlx::{Connection as _, FromRow, PgConnection, Postgres, QueryBuilder};

use super::{JobRules, stored_scope};
use crate::domain::Time;
use crate::domain::filter::Filter;
use crate::domain::id::{JobId, UserId, VerificationId};
use crate::domain::job::{JobPlan, JobScope, Skipped};
use crate::domain::page::Cursor;
use crate::domain::verification::Status;
use crate::store::list::{self, Found};
use crate::store::transaction::{BEGIN_LONG, BEGIN_LONG_LOOK};
use crate::store::{Error, Purpose, Store, StoredTime};

/// A verification on a job's way.
#[derive(Clone, Copy, Debug)]
pub(super) struct Walked {
    pub id: VerificationId,
    pub user: UserId,
}

/// A job's next step.
#[derive(Debug)]
pub(super) struct Step {
    /// What comes next.
    pub walked: Vec<Walked>,
    /// How many were looked at: of marked ones, some may be gone.
    pub looked_at: i64,
    /// Behind which place the step after this one begins; nothing where there is none.
    pub after: Option<(Time, i64)>,
    /// Whether this is the last one.
    pub is_last: bool,
}

#[derive(FromRow)]
struct Row {
    at: StoredTime,
    id: i64,
    user_id: i64,
}

/// The next `limit` verifications of a job behind a place.
pub(super) async fn step(
    connection: &mut PgConnection,
    scope: &JobScope,
    cut_off: Time,
    after: Option<(Time, i64)>,
    limit: i64,
) -> Result<Step, Error> {
    match scope {
        JobScope::Marked(ids) => marked_step(connection, ids, cut_off, after, limit).await,
        JobScope::Filter(filter) => filter_step(connection, filter, cut_off, after, limit).await,
    }
}

async fn filter_step(
    connection: &mut PgConnection,
    filter: &Filter,
    cut_off: Time,
    after: Option<(Time, i64)>,
    limit: i64,
) -> Result<Step, Error> {
    let found = list::found(&mut *connection, filter).await?;
    let mut query = QueryBuilder::new("select ");
    push_scope(&mut query, filter, &found, cut_off, after);
    list::push_order(&mut query, filter.status, false);
    query.push(" limit ").push_bind(limit);
    let rows = if found.is_nobody() {
        Vec::new()
    } else {
        query.build_query_as::<Row>().persistent(false).fetch_all(connection).await?
    };
    let looked_at = i64::try_from(rows.len()).unwrap_or(limit);
    Ok(Step {
        looked_at,
        after: rows.last().map(|row| (row.at.into(), row.id)),
        is_last: looked_at < limit,
        walked: rows.into_iter().map(Into::into).collect(),
    })
}

/// Marked ones go by number, the newest first, as they are stored.
async fn marked_step(
    connection: &mut PgConnection,
    ids: &[VerificationId],
    cut_off: Time,
    after: Option<(Time, i64)>,
    limit: i64,
) -> Result<Step, Error> {
    let begin = after.map_or(0, |(_, id)| ids.partition_point(|marked| marked.0 >= id));
    let rest = &ids[begin..];
    let next: Vec<i64> = rest.iter().take(usize::try_from(limit).unwrap_or_default()).map(|id| id.0).collect();
    let rows = sqlx::query_as!(
        Row,
        "select created_at as at, id, user_id
        from verifications
        where id = any($1) and created_at <= $2
        order by id desc",
        &next,
        StoredTime(cut_off)
    )
    .fetch_all(connection)
    .await?;
    Ok(Step {
        walked: rows.into_iter().map(Into::into).collect(),
        looked_at: i64::try_from(next.len()).unwrap_or(limit),
        after: next.last().map(|id| (cut_off, *id)),
        is_last: next.len() == rest.len(),
    })
}

impl From<Row> for Walked {
    fn from(row: Row) -> Self {
        Self { id: VerificationId(row.id), user: UserId(row.user_id) }
    }
}

/// Whose what a filter found at the cut-off is, and its place in the order. What has left the list since is not in it: it was mailed,
/// verified or revoked meanwhile.
fn push_scope(
    query: &mut QueryBuilder<Postgres>,
    filter: &Filter,
    found: &Found<'_>,
    cut_off: Time,
    after: Option<(Time, i64)>,
) {
    let mut order = list::order(filter.status).split(", ");
    query.push("v.user_id, v.id, ").push(order.next().unwrap_or("v.created_at")).push(" as at from ");
    list::push_filter(query, filter, found, Some(cut_off));
    query.push(" and v.created_at <= ").push_bind(StoredTime(cut_off));
    match filter.status {
        None | Some(Status::Pending | Status::Expired) => {}
        Some(Status::Verified) => _ = query.push(" and v.verified_at <= ").push_bind(StoredTime(cut_off)),
        Some(Status::Revoked) => _ = query.push(" and v.revoked_at <= ").push_bind(StoredTime(cut_off)),
    }
    if let Some((at, id)) = after {
        let cursor = Cursor { status: filter.status, as_of: cut_off, at, id };
        list::push_beyond(query, filter.status, &cursor, " < ");
    }
}

#[derive(FromRow)]
struct PlanRow {
    found: i64,
    mails: i64,
    verified: i64,
    cool_down: i64,
    daily_cap: i64,
    waiting: i64,
    suppressed: i64,
    bounced: i64,
    duplicate: i64,
    first: Vec<String>,
}

impl Store {
    /// What a job would do now. Changes nothing and locks nothing. A million verifications take some seconds.
    pub async fn plan_job(&self, scope: &JobScope, rules: &JobRules) -> Result<JobPlan, Error> {
        let mut connection = self.connect_alone(Purpose::Long).await?;
        let mut tx = connection.begin_with(BEGIN_LONG).await?;
        let as_of: Time = sqlx::query_scalar!(r#"select now() as "now!""#).fetch_one(&mut *tx).await?.into();
        let mut query = QueryBuilder::new("with found as (select ");
        match scope {
            JobScope::Filter(filter) => {
                let found = list::found(&mut *tx, filter).await?;
                push_scope(&mut query, filter, &found, as_of, None);
            }
            JobScope::Marked(ids) => {
                let ids: Vec<i64> = ids.iter().map(|id| id.0).collect();
                query
                    .push("v.user_id, v.created_at as at, v.id from verifications v where v.id = any(")
                    .push_bind(ids)
                    .push(")");
            }
        }
        // Whoever is there more than once is judged once.
        query
            .push(
                "), people as (
                    select user_id, count(*) as count, max(at) as at, max(id) as id from found group by user_id
                ), judged as materialized (
                    select p.*, s.skip from people p cross join lateral resend_skip(p.user_id, ",
            )
            .push_bind(rules.cool_down.as_secs_f64())
            .push(", ")
            .push_bind(i64::from(rules.daily_cap))
            .push(
                ") s
                )
                select
                    coalesce(sum(count), 0)::bigint as found,
                    count(*) filter (where skip is null) as mails,
                    count(*) filter (where skip = 'verified') as verified,
                    count(*) filter (where skip = 'cool_down') as cool_down,
                    count(*) filter (where skip = 'daily_cap') as daily_cap,
                    count(*) filter (where skip = 'waiting') as waiting,
                    count(*) filter (where skip = 'suppressed') as suppressed,
                    count(*) filter (where skip = 'bounced') as bounced,
                    coalesce(sum(count - 1), 0)::bigint as duplicate,
                    array(
                        select u.email
                        from (
                            select user_id, at, id from judged where skip is null order by at desc, id desc limit 5
                        ) as first
                        join users u on u.id = first.user_id
                        order by first.at desc, first.id desc
                    ) as first
                from judged",
            );
        let row = query.build_query_as::<PlanRow>().persistent(false).fetch_one(&mut *tx).await?;
        tx.rollback().await?;
        connection.close().await?;
        let pace = self.pace().await?;
        Ok(JobPlan {
            found: row.found,
            mails: row.mails,
            skipped: Skipped {
                verified: row.verified,
                cool_down: row.cool_down,
                daily_cap: row.daily_cap,
                waiting: row.waiting,
                suppressed: row.suppressed,
                bounced: row.bounced,
                duplicate: row.duplicate,
            },
            seconds: pace.seconds_for(row.mails),
            over_quota: pace.left().map(|left| (row.mails - left).max(0)),
            first: row.first.into_iter().map(Into::into).collect(),
            as_of,
        })
    }

    /// Counts what a job is for, where nobody has done so: what it has looked at already and what is still before it.
    pub async fn count_job(&self, id: JobId) -> Result<(), Error> {
        let mut connection = self.connect_alone(Purpose::Long).await?;
        // A chunk made meanwhile is then in both numbers or in none.
        let mut tx = connection.begin_with(BEGIN_LONG_LOOK).await?;
        let job = sqlx::query!(
            "select status, search, since, until, verification_ids, cut_off, after_at, after_id, looked_at
            from jobs
            where id = $1 and found is null",
            id.0
        )
        .fetch_optional(&mut *tx)
        .await?;
        let Some(job) = job else { return Ok(()) };
        let scope = stored_scope(
            job.status.as_deref(),
            job.search.as_deref(),
            job.since.map(Into::into),
            job.until.map(Into::into),
            job.verification_ids,
        );
        let before = match &scope {
            JobScope::Marked(ids) => i64::try_from(ids.len()).unwrap_or(i64::MAX) - job.looked_at,
            JobScope::Filter(filter) => {
                let found = list::found(&mut *tx, filter).await?;
                let mut query = QueryBuilder::new("select count(*) from (select ");
                push_scope(
                    &mut query,
                    filter,
                    &found,
                    job.cut_off.into(),
                    job.after_at.map(Into::into).zip(job.after_id),
                );
                query.push(") as before");
                query.build_query_scalar().persistent(false).fetch_one(&mut *tx).await?
            }
        };
        tx.rollback().await?;
        connection.close().await?;
        sqlx::query!("update jobs set found = $2 where id = $1 and found is null", id.0, job.looked_at + before)
            .execute(self.pool())
            .await?;
        Ok(())
    }
}
