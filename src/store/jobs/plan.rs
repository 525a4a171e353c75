//! What a job would do, and how many it is for: counted at once.

use sqlx::{Connection as _, FromRow, QueryBuilder};

use super::scope::{Place, mails, push_scope};
use super::stored::{after_of, scope_of};
use crate::domain::Time;
use crate::domain::id::JobId;
use crate::domain::job::{JobPlan, JobScope, Skipped};
use crate::domain::resend::{ResendPolicy, Standing};
use crate::store::list;
use crate::store::transaction::{BEGIN_LONG, BEGIN_LONG_LOOK};
use crate::store::{Error, Purpose, Store, StoredTime, resend};

/// Users of a plan who stand alike.
#[derive(FromRow)]
struct Alike {
    is_verified: bool,
    is_waiting: bool,
    has_later: bool,
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
            is_verified, is_waiting, has_later, block, is_cooling, is_capped,
            max(cooling_until) as cooling_until, max(capped_until) as capped_until,
            count(*) as users, sum(count)::bigint as verifications
        from standing
        group by is_verified, is_waiting, has_later, block, is_cooling, is_capped
    )
    select
        a.is_verified, a.is_waiting, a.has_later, a.block, a.cooling_until, a.capped_until, a.users, a.verifications,
        array(
            select s.user_id
            from standing s
            where
                (s.is_verified, s.is_waiting, s.has_later, s.is_cooling, s.is_capped)
                    = (a.is_verified, a.is_waiting, a.has_later, a.is_cooling, a.is_capped)
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
        let mut query = QueryBuilder::new("with found as (");
        match scope {
            JobScope::Filter(_) | JobScope::Mails(_) if scope.is_by_mails() => {
                mails::push(&mut query, &mut tx, scope, as_of, None).await?;
            }
            JobScope::Filter(filter) | JobScope::Mails(filter) => {
                let found = list::found(&mut tx, filter).await?;
                query.push("select null::uuid as mail, ");
                push_scope(&mut query, &found, as_of, None);
            }
            JobScope::Marked(ids) => {
                let ids: Vec<i64> = ids.iter().map(|id| id.0).collect();
                query
                    .push("select null::uuid as mail, v.user_id, v.created_at as at, v.id from verifications v where v.id = any(")
                    .push_bind(ids)
                    .push(")");
            }
        }
        // A user who is there more than once is counted once.
        query
            .push(
                "), people as (
                    select
                        user_id, count(*) as count, max(at) as at, max(id) as id, max(mail::text)::uuid as mail
                    from found
                    group by user_id
                ), standing as materialized (
                    select
                        p.*, s.is_verified, s.is_waiting, s.cooling_until, s.capped_until, b.block,
                        s.cooling_until is not null as is_cooling, s.capped_until is not null as is_capped,
                        exists (select from sends l where l.user_id = p.user_id and l.id > p.mail) as has_later
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
            match standing.in_job_by_mail(group.has_later) {
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
