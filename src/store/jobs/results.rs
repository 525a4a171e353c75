//! What came of a job: of its mails, and who was left out.

use sqlx::{Connection as _, PgConnection, Postgres, QueryBuilder};

use crate::domain::id::{JobId, UserId, VerificationId};
use crate::domain::job::{COUNTED_MAX, JobResults, JobSkip, Skip};
use crate::domain::page::{Page, Position};
use crate::domain::send::SendState;
use crate::store::transaction::BEGIN_LONG_LOOK;
use crate::store::{Error, Purpose, Store};

impl Store {
    /// What became of a job's mails, and how many of their links were opened: however long that takes, which is seconds
    /// for a million.
    pub async fn job_results(&self, id: JobId) -> Result<JobResults, Error> {
        let mut connection = self.connect_alone(Purpose::Long).await?;
        let mut tx = connection.begin_with(BEGIN_LONG_LOOK).await?;
        let mut results = states(&mut tx, id, None).await?;
        results.opened = Some(opened(&mut tx, id).await?);
        tx.rollback().await?;
        connection.close().await?;
        Ok(results)
    }

    /// The same for a screen, of which no one waits for a million: each state is counted up to [`COUNTED_MAX`] and one
    /// more, openings only where there are no more mails than that, and what still takes too long is left out.
    pub async fn glance_at_job(&self, id: JobId) -> Result<Option<JobResults>, Error> {
        let mut tx = self.begin_glance().await?;
        // By the index, of which no more is read than is counted: where a job has most of the mails, the planner would read
        // all of them once for each state.
        sqlx::raw_sql("set local enable_seqscan = off; set local enable_bitmapscan = off").execute(&mut *tx).await?;
        let mut results = match states(&mut tx, id, Some(COUNTED_MAX + 1)).await {
            Ok(results) => results,
            Err(Error::TooSlow(_)) => return Ok(None),
            Err(error) => return Err(error),
        };
        if results.total() > COUNTED_MAX {
            tx.rollback().await?;
            return Ok(Some(results));
        }
        match opened(&mut tx, id).await {
            Ok(count) => results.opened = Some(count),
            Err(Error::TooSlow(_)) => return Ok(Some(results)),
            Err(error) => return Err(error),
        }
        tx.rollback().await?;
        Ok(Some(results))
    }

    /// The users that a job has left out, the newest verifications first; for one reason, or for any.
    pub async fn job_skips(
        &self,
        id: JobId,
        reason: Option<Skip>,
        position: Position<VerificationId>,
        limit: i64,
    ) -> Result<Page<JobSkip>, Error> {
        let limit = limit.max(1);
        let mut query = QueryBuilder::<Postgres>::new(
            "with page as (select verification_id, user_id, reason from job_skips where job_id = ",
        );
        query.push_bind(id.0);
        if let Some(reason) = reason {
            query.push(" and reason = ").push_bind(reason.as_str());
        }
        let backwards = match position {
            Position::Newest => false,
            Position::Oldest => true,
            Position::After(id) => {
                query.push(" and verification_id < ").push_bind(id.0);
                false
            }
            Position::Before(id) => {
                query.push(" and verification_id > ").push_bind(id.0);
                true
            }
        };
        let order = if backwards { "verification_id" } else { "verification_id desc" };
        query.push(" order by ").push(order).push(" limit ").push_bind(limit + 1);
        query.push(
            ") select page.verification_id, page.user_id, page.reason, u.email
            from page
            left join users u on u.id = page.user_id
            order by page.",
        );
        query.push(order);
        let rows: Vec<Row> = query.build_query_as().fetch_all(self.pool()).await?;
        let skips = rows.into_iter().filter_map(|(verification, user, reason, email)| {
            Some(JobSkip {
                verification_id: VerificationId(verification),
                user_id: UserId(user),
                // A constraint keeps the column to the known reasons.
                reason: reason.parse().ok()?,
                email: email.map(Into::into),
            })
        });
        Ok(Page::cut(skips.collect(), limit, &position, chrono::Utc::now()))
    }
}

/// How many of a job's mails are in each state, of each so many at most.
async fn states(connection: &mut PgConnection, id: JobId, most: Option<i64>) -> Result<JobResults, Error> {
    let states: Vec<String> = SendState::ALL.into_iter().map(|state| state.as_str().to_owned()).collect();
    let rows = sqlx::query!(
        r#"select one.state as "state!", counted.mails as "mails!"
        from unnest($2::text[]) as one (state)
        cross join lateral (
            select count(*) as mails
            from (select from sends s where s.job_id = $1 and s.state = one.state limit $3) as found
        ) as counted
        where counted.mails > 0"#,
        id.0,
        &states,
        most
    )
    .fetch_all(connection)
    .await?;
    let mails = rows.into_iter().filter_map(|row| Some((row.state.parse().ok()?, row.mails)));
    Ok(JobResults { mails: mails.collect(), opened: None })
}

/// How many of its links were opened since.
async fn opened(connection: &mut PgConnection, id: JobId) -> Result<i64, Error> {
    Ok(sqlx::query_scalar!(
        r#"select count(*) as "opened!"
        from sends s
        join verifications v on v.id = s.verification_id
        where s.job_id = $1 and v.opened_at >= s.queued_at"#,
        id.0
    )
    .fetch_one(connection)
    .await?)
}

type Row = (i64, i64, String, Option<String>);
