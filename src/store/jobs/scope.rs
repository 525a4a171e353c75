//! Who a job is for: walked over chunk by chunk in the order of the list, planned and counted at once.

use sqlx::{Connection as _, FromRow, PgConnection, Postgres, QueryBuilder};

use super::stored_scope;
use crate::domain::Time;
use crate::domain::filter::Filter;
use crate::domain::id::{JobId, UserId, VerificationId};
use crate::domain::job::{JobPlan, JobScope, Skipped};
use crate::domain::page::Cursor;
use crate::domain::resend::{ResendPolicy, Standing};
use crate::domain::verification::Status;
use crate::store::list::{self, Found};
use crate::store::transaction::{BEGIN_LONG, BEGIN_LONG_LOOK};
use crate::store::{Error, Purpose, Store, StoredTime, resend};

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
    /// Behind which place the step after this one begins; `None` where there is none.
    pub after: Option<(Time, i64)>,
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
    let rows = if found.is_no_one() {
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

/// The user of each verification that a filter found at the cut-off, and its place in the order. What has left the list
/// since is not in it: it was mailed, verified or revoked in the meantime.
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

/// Users of a plan who stand alike.
#[derive(FromRow)]
struct Alike {
    is_verified: bool,
    is_waiting: bool,
    block: Option<String>,
    cooling_until: Option<StoredTime>,
    capped_until: Option<StoredTime>,
    users: i64,
    verifications: i64,
    /// The newest of them.
    newest: Vec<i64>,
}

/// How users stand, in groups that stand alike: few, however many they are. What a group comes to is the program's to
/// decide. Its newest are found in a walk over all of them, which sorts nothing.
const GROUPS: &str = "
    ), alike as (
        select
            is_verified, is_waiting, block, is_cooling, is_capped,
            max(cooling_until) as cooling_until, max(capped_until) as capped_until,
            count(*) as users, sum(count)::bigint as verifications
        from standing
        group by is_verified, is_waiting, block, is_cooling, is_capped
    )
    select
        a.is_verified, a.is_waiting, a.block, a.cooling_until, a.capped_until, a.users, a.verifications,
        array(
            select s.user_id
            from standing s
            where
                (s.is_verified, s.is_waiting, s.is_cooling, s.is_capped)
                    = (a.is_verified, a.is_waiting, a.is_cooling, a.is_capped)
                and s.block is not distinct from a.block
            order by s.at desc, s.id desc
            limit 5
        ) as newest
    from alike a";

impl Store {
    /// What a job would do now. Changes nothing and locks nothing. A million verifications take some seconds.
    pub async fn plan_job(&self, scope: &JobScope, policy: &ResendPolicy) -> Result<JobPlan, Error> {
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
        // A user who is there more than once is counted once.
        query
            .push(
                "), people as (
                    select user_id, count(*) as count, max(at) as at, max(id) as id from found group by user_id
                ), standing as materialized (
                    select
                        p.*, s.is_verified, s.is_waiting, s.cooling_until, s.capped_until, b.block,
                        s.cooling_until is not null as is_cooling, s.capped_until is not null as is_capped
                    from people p
                    cross join lateral resend_standing(p.user_id, ",
            )
            .push_bind(policy.cool_down.as_secs_f64())
            .push(", ")
            .push_bind(i64::from(policy.daily_cap))
            .push(") s cross join lateral address_block(s.answered, s.answer) b")
            .push(GROUPS);
        let groups = query.build_query_as::<Alike>().persistent(false).fetch_all(&mut *tx).await?;
        let (mut found, mut mails, mut skipped, mut first) = (0, 0, Skipped::default(), Vec::new());
        for group in groups {
            found += group.verifications;
            skipped.duplicate += group.verifications - group.users;
            let standing = Standing {
                is_verified: group.is_verified,
                is_waiting: group.is_waiting,
                block: resend::block(group.block.as_deref()),
                cooling_until: group.cooling_until.map(Into::into),
                capped_until: group.capped_until.map(Into::into),
                open: None,
                send: None,
            };
            match standing.in_job() {
                Ok(_) => {
                    mails += group.users;
                    first.extend(group.newest);
                }
                Err(skip) => skipped.add(skip, group.users),
            }
        }
        let first = sqlx::query_scalar!(
            "select u.email
            from unnest($1::bigint[]) with ordinality as first (user_id, place)
            join users u on u.id = first.user_id
            order by first.place
            limit 5",
            &first
        )
        .fetch_all(&mut *tx)
        .await?;
        tx.rollback().await?;
        connection.close().await?;
        let pace = self.pace().await?;
        Ok(JobPlan {
            found,
            mails,
            skipped,
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
