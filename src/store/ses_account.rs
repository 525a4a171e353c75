//! What Amazon's API said of the SES account, and of addresses on its suppression list, each with its age.

use super::{Error, Store, StoredTime};
use crate::domain::Time;
use crate::domain::amazon::{AccountStanding, SesAccount, Suppression};
use crate::domain::id::VerificationId;

/// How old what it may can be to hold for the pace, in seconds.
const HOLDS_SECONDS: f64 = 86_400.0;

/// Among how many of the newest mails those that went to someone again are looked for.
const NEWEST: i64 = 50;

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

    /// An address that was mailed again, and of which it is not known since whether it is on the suppression list.
    pub async fn next_suppression_check(&self) -> Result<Option<String>, Error> {
        let address = sqlx::query_scalar!(
            r#"with newest as (
                select id, user_id, recipient, queued_at, priority from sends order by id desc limit $1
            )
            select lower(n.recipient) as "address!"
            from newest n
            where
                n.priority = 0
                and n.queued_at > now() - interval '1 hour'
                and exists (select from sends before where before.user_id = n.user_id and before.id < n.id)
                and not exists (
                    select
                    from suppressions s
                    where s.address = lower(n.recipient) and s.checked_at >= n.queued_at
                )
            order by n.id desc
            limit 1"#,
            NEWEST
        )
        .fetch_optional(self.pool())
        .await?;
        Ok(address)
    }

    /// Notes whether an address is on the suppression list: why and since when. Returns the user that it is about.
    pub async fn note_suppression(
        &self,
        address: &str,
        on_list: Option<(&str, Option<Time>, Option<&str>)>,
    ) -> Result<Vec<VerificationId>, Error> {
        let (reason, since, ses_id) =
            on_list.map_or((None, None, None), |(reason, since, ses_id)| (Some(reason), since, ses_id));
        let about = sqlx::query_scalar!(
            r#"with noted as (
                insert into suppressions (address, reason, since, ses_id)
                values ($1, $2, $3, $4)
                on conflict (address) do update
                set checked_at = now(), reason = excluded.reason, since = excluded.since, ses_id = excluded.ses_id
            ),
            -- Who is on it gets no mail: who may be mailed again is read here.
            marked as (
                insert into address_states as a (address, suppressed_at)
                select $1, now() where $2::text is not null
                on conflict (address) do update set suppressed_at = now()
            )
            select v.id as "id!"
            from users u
            join verifications v on v.user_id = u.id
            where lower(u.email) = $1
            order by v.id desc
            limit 10"#,
            address,
            reason,
            since.map(StoredTime) as _,
            ses_id
        )
        .fetch_all(self.pool())
        .await?;
        Ok(about.into_iter().map(VerificationId).collect())
    }

    /// What the suppression list says of an address, if that was asked.
    pub(super) async fn suppression(&self, address: &str) -> Result<Option<Suppression>, Error> {
        let row = sqlx::query!("select checked_at, reason, since from suppressions where address = lower($1)", address)
            .fetch_optional(self.pool())
            .await?;
        Ok(row.map(|row| Suppression {
            checked_at: row.checked_at.into(),
            reason: row.reason.map(Into::into),
            since: row.since.map(Into::into),
        }))
    }

    /// Forgets what was asked a month ago.
    pub async fn forget_old_suppressions(&self) -> Result<(), Error> {
        sqlx::query!(
            "delete from suppressions
            where address in (
                select address from suppressions where checked_at < now() - interval '30 days' order by checked_at limit 10000
            )"
        )
        .execute(self.pool())
        .await?;
        Ok(())
    }
}
