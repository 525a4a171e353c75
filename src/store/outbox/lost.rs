//! Sends whose answer was lost: whether the mail went out no one can say.

use std::time::Duration;

use uuid::Uuid;

use crate::store::{Error, Store};

impl Store {
    /// Settles mails whose worker died while sending them: *unknown*, to be tried once more after `unknown_after`, or for
    /// an operator to decide where an answer was lost before.
    pub async fn settle_lost(&self, unknown_after: Duration) -> Result<u64, Error> {
        self.settle(unknown_after, None).await
    }

    /// The same at once for what an earlier run under this worker's id was sending, before the next run begins any.
    pub async fn settle_left_behind(&self, worker: Uuid, unknown_after: Duration) -> Result<u64, Error> {
        self.settle(unknown_after, Some(worker)).await
    }

    async fn settle(&self, unknown_after: Duration, left_by: Option<Uuid>) -> Result<u64, Error> {
        let done = sqlx::query!(
            "with left_behind as materialized (
                select
                    id,
                    -- Of the very mail whose answer is lost.
                    exists (
                        select from send_messages m where m.send_id = sends.id and m.attempt = sends.lost + 1
                    ) as is_reported
                from sends
                where state = 'sending' and (lease_until < now() or lease_by = $2)
                for no key update skip locked
            )
            update sends
            set
                -- What SES has reported meanwhile.
                state = coalesce(fate, 'unknown'),
                changed_at = now(),
                reason = case
                    when fate is null
                        then 'the worker died while it was sending; the mail may or may not have gone out'
                end,
                lost = lost + case when is_reported then 0 else 1 end,
                retry_at = case
                    when fate is null and lost = 0 and test_of is null then now() + make_interval(secs => $1)
                end,
                lease_by = null,
                lease_until = null
            from left_behind
            where sends.id = left_behind.id",
            unknown_after.as_secs_f64(),
            left_by
        )
        .execute(self.pool())
        .await?;
        Ok(done.rows_affected())
    }

    /// Queues mails once more whose answer was lost and of which nothing was heard since: possible doubles, and marked as
    /// such by `lost`. Where the person was mailed again since, or is verified, there is nothing to repeat. Gives how
    /// many were queued.
    pub async fn retry_lost(&self) -> Result<usize, Error> {
        // One statement: in two, a worker that stands still between them would keep these rows, and with them the
        // housekeeping of all others.
        let again = sqlx::query_scalar!(
            r#"with due as materialized (
                select
                    id,
                    not exists (
                        select
                        from sends as later
                        where
                            later.user_id = sends.user_id
                            and later.id > sends.id
                            and later.state not in ('failed', 'cancelled')
                    )
                    and exists (
                        select
                        from verifications
                        where
                            verifications.id = sends.verification_id
                            and verified_at is null
                            and revoked_at is null
                    ) as is_wanted,
                    exists (
                        select
                        from sends as open
                        where open.verification_id = sends.verification_id and open.state in ('queued', 'sending')
                    ) as is_open
                from sends
                where retry_at <= now()
                for no key update skip locked
            )
            update sends
            set
                retry_at = null,
                state = case when is_wanted then 'queued' else state end,
                due_at = case when is_wanted then now() else due_at end,
                changed_at = case when is_wanted then now() else changed_at end,
                reason = case
                    when is_wanted then 'the answer was lost; tried once more, which may be a second mail'
                    else reason
                end
            from due
            where sends.id = due.id and not (is_wanted and is_open)
            returning is_wanted as "is_wanted!""#
        )
        .fetch_all(self.pool())
        .await?;
        Ok(again.into_iter().filter(|is_wanted| *is_wanted).count())
    }
}
