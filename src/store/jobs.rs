//! Jobs: bulk resends as they are stored.

use super::{Error, Store};
use crate::domain::filter::{Filter, Search};
use crate::domain::id::{JobId, VerificationId};
use crate::domain::job::{JobRow, JobScope, JobState, Skipped};

impl Store {
    /// Jobs that are not over, and the last of those that are; `limit` of them, the newest first.
    pub async fn jobs(&self, limit: i64) -> Result<Vec<JobRow>, Error> {
        let rows = sqlx::query!(
            r#"select
                id, created_at, created_by, status, search, since, until, verification_ids, cut_off, starts_at, state,
                reason, ended_at, found, looked_at, queued, skipped_verified, skipped_cool_down, skipped_daily_cap,
                skipped_waiting, skipped_suppressed, skipped_bounced, skipped_duplicate,
                (
                    select count(*) from sends where job_id = jobs.id and state in ('queued', 'sending')
                ) as "open!"
            from jobs
            order by ended_at is not null, created_at desc
            limit $1"#,
            limit
        )
        .fetch_all(self.pool())
        .await?;
        Ok(rows
            .into_iter()
            .map(|row| JobRow {
                id: JobId(row.id),
                created_at: row.created_at,
                created_by: row.created_by.into(),
                scope: match row.verification_ids {
                    Some(ids) => JobScope::Marked(ids.into_iter().map(VerificationId).collect()),
                    None => JobScope::Filter(Filter {
                        status: row.status.and_then(|status| status.parse().ok()),
                        search: row.search.as_deref().and_then(Search::parse),
                        since: row.since,
                        until: row.until,
                    }),
                },
                cut_off: row.cut_off,
                starts_at: row.starts_at,
                // A constraint keeps the column to the known states.
                state: row.state.parse().unwrap_or(JobState::Cancelled),
                reason: row.reason.map(Into::into),
                ended_at: row.ended_at,
                found: row.found,
                looked_at: row.looked_at,
                queued: row.queued,
                open: row.open,
                skipped: Skipped {
                    verified: row.skipped_verified,
                    cool_down: row.skipped_cool_down,
                    daily_cap: row.skipped_daily_cap,
                    waiting: row.skipped_waiting,
                    suppressed: row.skipped_suppressed,
                    bounced: row.skipped_bounced,
                    duplicate: row.skipped_duplicate,
                },
            })
            .collect())
    }
}
