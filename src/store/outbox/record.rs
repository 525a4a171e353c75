//! Recording results: one statement, however many there are.

use std::time::Duration;

use uuid::Uuid;

use super::result::{Columns, Outcome};
use crate::domain::id::SendId;
use crate::store::{Error, Store};

/// Whether to leave out rows that another transaction has locked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AroundLocks {
    /// Wait for them.
    #[default]
    No,
    /// Leave them out: a transaction that keeps one row must not keep the others' results.
    Yes,
}

/// Whether the server has heard that the mails were begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Known {
    /// It has.
    Begun,
    /// It may have lost that.
    Perhaps,
}

/// What was not recorded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Unrecorded {
    /// Another transaction has these locked: to be tried again.
    pub locked: Vec<SendId>,
    /// The worker's lease on these was over, and another process has settled them.
    pub elsewhere: Vec<SendId>,
}

impl Store {
    /// Records results; returns what could not be. An answer that comes so late that the send is *unknown* already, its
    /// lease over while the database was away, still settles it, unless another attempt has begun: to know is better
    /// than to double. So does one that was accepted and waits for its second try.
    pub async fn record(
        &self,
        worker: Uuid,
        outcomes: &[Outcome],
        unknown_after: Duration,
        around_locks: AroundLocks,
    ) -> Result<Unrecorded, Error> {
        self.record_as(worker, outcomes, unknown_after, around_locks, Known::Begun).await
    }

    /// Records results that were recorded before, at a server that may not have heard of it, nor of the beginning of the
    /// mails.
    pub async fn record_again(
        &self,
        worker: Uuid,
        outcomes: &[Outcome],
        unknown_after: Duration,
    ) -> Result<Unrecorded, Error> {
        self.record_as(worker, outcomes, unknown_after, AroundLocks::No, Known::Perhaps).await
    }

    #[expect(clippy::too_many_lines, reason = "one statement")]
    async fn record_as(
        &self,
        worker: Uuid,
        outcomes: &[Outcome],
        unknown_after: Duration,
        around_locks: AroundLocks,
        known: Known,
    ) -> Result<Unrecorded, Error> {
        let given = Columns::of(outcomes);
        let rows = sqlx::query!(
            r#"with given as materialized (
                select *
                from unnest(
                    $2::uuid[], $3::smallint[], $4::text[], $5::float8[], $6::boolean[], $7::text[], $8::text[], $9::text[],
                    $12::bigint[], $14::integer[]
                ) as given (id, attempt, state, after, counts, ses_id, reply, reason, verification, begun)
            ),
            free as materialized (
                select id
                from sends
                where $11 and id = any ($2)
                for no key update skip locked
            ),
            -- In the order of all that lock many.
            locked as materialized (
                select id
                from sends
                where not $11 and id = any ($2)
                order by id
                for no key update
            ),
            recorded as (
                update sends
                set
                    -- What SES has reported by now says more; but not a bounce of the message before this one.
                    state = case
                        when is_unreported and fate in ('bounced', 'rejected') then 'accepted'
                        else coalesce(fate, given.state)
                    end,
                    fate = case when is_unreported and fate in ('bounced', 'rejected') then 'accepted' else fate end,
                    against_us = against_us and not is_unreported,
                    changed_at = now(),
                    due_at = case
                        when given.state = 'queued' then now() + make_interval(secs => given.after)
                        else sends.due_at
                    end,
                    attempts = given.attempt - case when given.counts then 0 else 1 end,
                    ses_id = coalesce(given.ses_id, sends.ses_id),
                    -- A user deleted meanwhile is forgotten: servers quote the address in what they say.
                    reply = case when user_id is not null then given.reply end,
                    reason = case
                        when fate is not null then null
                        when user_id is null and given.reason is not null then 'the user was deleted'
                        else given.reason
                    end,
                    lost = lost + case
                        when given.state <> 'unknown' then 0
                        -- Of the very mail whose answer is lost.
                        when exists (
                            select from send_messages m where m.send_id = sends.id and m.attempt = sends.lost + 1
                        ) then 0
                        else 1
                    end,
                    retry_at = case
                        when fate is null and given.state = 'unknown' and lost = 0
                            then now() + make_interval(secs => $10)
                    end,
                    lease_by = null,
                    lease_until = null
                from given
                cross join lateral (
                    select
                        given.state = 'accepted'
                        and given.ses_id is not null
                        and not exists (
                            select from send_messages m where m.send_id = given.id and m.ses_id = given.ses_id
                        ) as is_unreported
                ) as message
                where
                    sends.id = given.id
                    and (
                        lease_by = $1 and sends.state = 'sending' and sends.begun = given.begun
                        or sends.state = 'unknown' and sends.begun = given.begun and given.state <> 'unknown'
                        -- Its second try has not begun.
                        or sends.state = 'queued'
                            and lost > 0
                            and sends.begun = given.begun
                            and given.state = 'accepted'
                        -- Its beginning was lost with the server that had heard of it.
                        or $13
                            and sends.state = 'queued'
                            and sends.begun = given.begun - 1
                            and verification_id = given.verification
                            and given.state in ('accepted', 'unknown')
                    )
                    and (sends.id in (select id from free) or sends.id in (select id from locked))
                returning sends.id
            )
            select
                given.id as "id!",
                $11 and given.id not in (select id from free) and exists (
                    select from sends where sends.id = given.id
                ) as "is_locked!"
            from given
            where given.id not in (select id from recorded)"#,
            worker,
            &given.ids,
            &given.attempts,
            &given.states,
            &given.afters,
            &given.counts,
            &given.ses_ids as &[Option<String>],
            &given.replies as &[Option<String>],
            &given.reasons as &[Option<String>],
            unknown_after.as_secs_f64(),
            around_locks == AroundLocks::Yes,
            &given.verifications,
            known == Known::Perhaps,
            &given.begun
        )
        .fetch_all(self.pool())
        .await?;
        let mut left = Unrecorded::default();
        for row in rows {
            (if row.is_locked { &mut left.locked } else { &mut left.elsewhere }).push(SendId(row.id));
        }
        Ok(left)
    }
}
