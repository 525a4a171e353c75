//! What Amazon's API said of the SES account, with its age.

use super::{Error, Store};
use crate::domain::amazon::{AccountStanding, SesAccount};

/// How old what it may can be to hold for the pace, in seconds.
const HOLDS_SECONDS: f64 = 86_400.0;

impl Store {
    /// Notes what the account may, and how much of what it has sent was not this desk's. Returns whether the former is news.
    pub async fn note_account(&self, account: &AccountStanding) -> Result<bool, Error> {
        let is_news = sqlx::query_scalar!(
            r#"with before as (select * from ses_account),
            noted as (
                update ses_account
                set
                    seen_at = now(),
                    region = $1,
                    is_sandbox = $2,
                    can_send = $3,
                    enforcement = $4,
                    rate_max = $5,
                    daily_max = $6,
                    sent = $7,
                    sent_by_others = greatest(
                        0,
                        round($7)::bigint - (
                            select coalesce(sum(drawn), 0)
                            from (
                                select minute, drawn from pace_minutes
                                union all
                                select minute, minute_drawn from pace
                            ) as minutes
                            where minute > now() - interval '24 hours 1 minute'
                        )
                    ),
                    review = $8,
                    error = null,
                    failed_at = null,
                    permission = null
            )
            select (
                (is_sandbox, can_send, enforcement, rate_max, daily_max, review)
                    is distinct from ($2, $3, $4, $5, $6, $8)
                or error is not null
            ) as "is_news!"
            from before"#,
            account.region.raw(),
            account.is_sandbox,
            account.can_send,
            account.enforcement.raw(),
            account.rate_max,
            account.daily_max,
            account.sent,
            account.review.raw()
        )
        .fetch_optional(self.pool())
        .await?;
        Ok(is_news.unwrap_or(false))
    }

    /// Notes that the account cannot be asked, and which right is missing, if that is why. Returns whether that is news.
    pub async fn note_account_failure(&self, error: &str, permission: Option<&str>) -> Result<bool, Error> {
        let done = sqlx::query!(
            "update ses_account
            set error = $1, permission = $2, failed_at = case when error is null then now() else failed_at end
            where (error, permission) is distinct from ($1, $2)",
            error,
            permission
        )
        .execute(self.pool())
        .await?;
        Ok(done.rows_affected() > 0)
    }

    /// The account, if any worker has asked for it in the last day.
    pub async fn ses_account(&self) -> Result<Option<SesAccount>, Error> {
        let row = sqlx::query!(
            "select seen_at, region, is_sandbox, can_send, enforcement, rate_max, daily_max, sent, sent_by_others, review,
                error, failed_at, permission
            from ses_account
            where asked_at > now() - make_interval(secs => $1)",
            HOLDS_SECONDS
        )
        .fetch_optional(self.pool())
        .await?;
        Ok(row.map(|row| SesAccount {
            standing: row.seen_at.map(|seen_at| AccountStanding {
                seen_at: seen_at.into(),
                region: row.region.unwrap_or_default().into(),
                is_sandbox: row.is_sandbox.unwrap_or_default(),
                can_send: row.can_send.unwrap_or(true),
                enforcement: row.enforcement.unwrap_or_default().into(),
                rate_max: row.rate_max.unwrap_or_default(),
                daily_max: row.daily_max,
                sent: row.sent.unwrap_or_default(),
                sent_by_others: row.sent_by_others,
                review: row.review.unwrap_or_default().into(),
            }),
            error: row.error.zip(row.failed_at).map(|(error, at)| (error.into(), at.into())),
            permission: row.permission.map(Into::into),
        }))
    }

    /// Mails a second that the account may send, if that is known.
    pub async fn account_rate(&self) -> Result<Option<f64>, Error> {
        let rate = sqlx::query_scalar!(
            "select rate_max from ses_account where seen_at > now() - make_interval(secs => $1) and rate_max > 0",
            HOLDS_SECONDS
        )
        .fetch_optional(self.pool())
        .await?;
        Ok(rate.flatten())
    }
}
