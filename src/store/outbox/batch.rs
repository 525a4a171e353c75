//! A worker's batches: what it claims, looks at again, commits to and begins, and later the results, each in few
//! statements however many mails there are.

use std::time::Duration;

use sqlx::PgConnection;
use uuid::Uuid;

use super::lease::bare;
use super::standing::{Claimant, Standing, standing};
use crate::domain::Time;
use crate::domain::id::{SendId, UserId, VerificationId};
use crate::domain::key::{KeyDigest, Nonce};
use crate::domain::locale::Locale;
use crate::domain::send::SendState;
use crate::store::verifications::KeyMaterial;
use crate::store::{Error, Store};
use crate::text::Untrusted;

/// Longest reply that is kept, in characters.
pub(super) const REPLY_MAX: usize = 10_000;

/// What came of claiming.
#[derive(Clone, Debug)]
pub struct Claim {
    /// How the claimant stands; where it may not claim there is nothing.
    pub standing: Standing,
    /// What is claimed.
    pub ids: Vec<SendId>,
}

/// Takes up to `limit` due sends for this transaction, the first to go first: people before bulk, the longest due
/// first. What another transaction has is left to it; so is what the brake or a paused job holds back.
pub async fn claim(connection: &mut PgConnection, claimant: Claimant, limit: i64) -> Result<Claim, Error> {
    let standing = standing(&mut *connection, claimant).await?;
    if !claimant.may_claim(standing) {
        return Ok(Claim { standing, ids: Vec::new() });
    }
    // Each priority on its own: mails of people that wait for a later time do not stand before bulk in the index.
    let ids = sqlx::query_scalar!(
        r#"with people as materialized (
            select id
            from sends
            where
                state = 'queued'
                and priority = 0
                and due_at <= now()
                and (lease_until is null or lease_until < now())
                and queued_at <= (select queued_until from outbox_gate)
            order by due_at, id
            limit $1
            for update skip locked
        ),
        bulk as materialized (
            select id
            from sends
            where
                state = 'queued'
                and priority = 10
                and due_at <= now()
                and (lease_until is null or lease_until < now())
                and queued_at <= (select queued_until from outbox_gate)
                and not exists (select from jobs where jobs.id = sends.job_id and jobs.state = 'paused')
            order by due_at, id
            limit greatest($1 - (select count(*) from people), 0)
            for update skip locked
        )
        select id as "id!" from people union all select id from bulk"#,
        limit
    )
    .fetch_all(connection)
    .await?;
    Ok(Claim { standing, ids: ids.into_iter().map(SendId).collect() })
}

/// Takes this send for this transaction, if it waits; waits for the transaction that has it.
pub async fn claim_one(connection: &mut PgConnection, id: SendId) -> Result<Vec<SendId>, Error> {
    let found = sqlx::query_scalar!("select id from sends where id = $1 and state = 'queued' for update", id.0)
        .fetch_optional(connection)
        .await?;
    Ok(found.into_iter().map(SendId).collect())
}

/// Locks the users of these sends as far as no one else has them locked, in the one order that all batches keep to.
pub async fn lock_users(connection: &mut PgConnection, ids: &[SendId]) -> Result<Vec<UserId>, Error> {
    let users = sqlx::query_scalar!(
        "select id
        from users
        where id in (select user_id from sends where id = any ($1))
        order by id
        for no key update skip locked",
        &bare(ids)
    )
    .fetch_all(connection)
    .await?;
    Ok(users.into_iter().map(UserId).collect())
}

/// Who a mail is for: as much of the user as a mail needs, so that nothing else in the row can keep it back.
#[derive(Clone, Debug)]
pub struct Recipient {
    /// Which user.
    pub id: UserId,
    /// The address, as it is stored.
    pub email: Untrusted,
    /// The name, as it is stored.
    pub name: Untrusted,
    /// The language.
    pub locale: Locale,
    /// Whether the address is verified already.
    pub is_verified: bool,
}

/// A claimed send, about to be handed to a lane.
#[derive(Clone, Debug)]
pub struct Claimed {
    /// Which one.
    pub id: SendId,
    /// How often the answer to it was lost.
    pub lost: i16,
    /// Whether it was asked for so long ago that it is put off no more.
    pub is_old: bool,
    /// To which user; `None` if they are gone.
    pub user: Option<Recipient>,
    /// For which verification, and what its key is made of; `None` if it is gone.
    pub verification: Option<(VerificationId, KeyMaterial)>,
}

/// All that is known of claimed sends; those asked for longer ago than `old_after` are old.
pub async fn read(connection: &mut PgConnection, ids: &[SendId], old_after: Duration) -> Result<Vec<Claimed>, Error> {
    let rows = sqlx::query!(
        r#"select
            s.id,
            s.lost,
            s.queued_at < now() - make_interval(secs => $2) as "is_old!",
            u.id as "user_id?",
            u.email as "email?",
            u.name as "name?",
            u.locale as "locale?",
            u.verified_at is not null as "is_verified!",
            v.id as "verification_id?",
            v.key_nonce as "key_nonce?",
            v.key_digest as "key_digest?",
            (v.verified_at is null and v.revoked_at is null) as "is_open!"
        from sends as s
        left join users as u on u.id = s.user_id
        left join verifications as v on v.id = s.verification_id
        where s.id = any ($1) and s.state = 'queued'"#,
        &bare(ids),
        old_after.as_secs_f64()
    )
    .fetch_all(connection)
    .await?;
    let rows = rows.into_iter().map(|row| {
        let user = match (row.user_id, row.email, row.name, row.locale) {
            (Some(id), Some(email), Some(name), Some(locale)) => Some(Recipient {
                id: UserId(id),
                email: email.into(),
                name: name.into(),
                locale: locale.parse().unwrap_or_default(),
                is_verified: row.is_verified,
            }),
            _ => None,
        };
        // Constraints keep nonces and digests to their lengths.
        let verification = match (row.verification_id, row.key_nonce.and_then(|bytes| bytes.try_into().ok())) {
            (Some(id), Some(nonce)) => {
                let digest = row.key_digest.and_then(|digest| digest.try_into().ok()).map(KeyDigest);
                Some((VerificationId(id), KeyMaterial { nonce: Nonce(nonce), digest, open: row.is_open }))
            }
            _ => None,
        };
        Claimed { id: SendId(row.id), lost: row.lost, is_old: row.is_old, user, verification }
    });
    Ok(rows.collect())
}

/// Cancels claimed sends, each for its reason.
pub async fn cancel(connection: &mut PgConnection, unwanted: &[(SendId, &str)]) -> Result<(), Error> {
    let (ids, reasons): (Vec<Uuid>, Vec<String>) =
        unwanted.iter().map(|(id, reason)| (id.0, (*reason).to_owned())).unzip();
    sqlx::query!(
        "update sends
        set state = 'cancelled', reason = given.reason, changed_at = now(), lease_by = null, lease_until = null
        from unnest($1::uuid[], $2::text[]) as given (id, reason)
        where sends.id = given.id and state = 'queued'",
        &ids,
        &reasons
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Commits to keys, where none was before, and starts the lives of these open verifications again. Returns the moment at
/// which all of them end.
pub async fn set_keys(
    connection: &mut PgConnection,
    keys: &[(VerificationId, KeyDigest)],
    lifetime: Duration,
) -> Result<Option<Time>, Error> {
    let (ids, digests): (Vec<i64>, Vec<Vec<u8>>) = keys.iter().map(|(id, digest)| (id.0, digest.0.to_vec())).unzip();
    let ends = sqlx::query_scalar!(
        "update verifications
        set
            key_digest = coalesce(key_digest, given.digest),
            expires_at = now() + make_interval(secs => $3)
        from unnest($1::bigint[], $2::bytea[]) as given (id, digest)
        where verifications.id = given.id and verified_at is null and revoked_at is null
        returning expires_at",
        &ids,
        &digests,
        lifetime.as_secs_f64()
    )
    .fetch_all(connection)
    .await?;
    Ok(ends.into_iter().next().map(Into::into))
}

/// The verifications of which a mail went out by one of these results, though nothing was committed to their keys, as
/// far as this server knows; each with what its key is made of.
pub async fn without_key(
    connection: &mut PgConnection,
    outcomes: &[Outcome],
) -> Result<Vec<(VerificationId, Nonce)>, Error> {
    let mut given = Columns::default();
    for outcome in outcomes {
        given.add(outcome);
    }
    let rows = sqlx::query!(
        "select v.id, v.key_nonce
        from unnest($1::uuid[], $2::integer[], $3::text[], $4::bigint[]) as given (id, begun, state, verification)
        join sends as s on s.id = given.id and s.verification_id = given.verification
        join verifications as v on v.id = s.verification_id
        where
            given.state in ('accepted', 'unknown')
            and s.state = 'queued'
            and s.begun = given.begun - 1
            and v.key_digest is null
            and v.verified_at is null
            and v.revoked_at is null",
        &given.ids,
        &given.begun,
        &given.states,
        &given.verifications
    )
    .fetch_all(connection)
    .await?;
    let of = |row: Vec<u8>| row.try_into().ok().map(Nonce);
    Ok(rows.into_iter().filter_map(|row| Some((VerificationId(row.id), of(row.key_nonce)?))).collect())
}

/// Which attempt of a send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// Its number among those that count, from 1: the next one has the same where this one does not count.
    pub counted: i16,
    /// Its number among all, from 1.
    pub begun: i32,
}

/// Moves claimed sends to *sending*, each for its verification, under this worker's lease until `lease` from now.
/// Returns those that are its own now, each with its attempt.
pub async fn begin(
    connection: &mut PgConnection,
    worker: Uuid,
    sends: &[(SendId, VerificationId)],
    lease: Duration,
) -> Result<Vec<(SendId, Attempt)>, Error> {
    let (ids, verifications): (Vec<Uuid>, Vec<i64>) =
        sends.iter().map(|(id, verification)| (id.0, verification.0)).unzip();
    let rows = sqlx::query!(
        "update sends
        set
            state = 'sending',
            verification_id = given.verification_id,
            attempts = least(attempts, 32766) + 1,
            begun = begun + 1,
            changed_at = now(),
            lease_by = $1,
            lease_until = now() + make_interval(secs => $4)
        from unnest($2::uuid[], $3::bigint[]) as given (id, verification_id)
        where sends.id = given.id and state = 'queued'
        returning sends.id, attempts, begun",
        worker,
        &ids,
        &verifications,
        lease.as_secs_f64()
    )
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().map(|row| (SendId(row.id), Attempt { counted: row.attempts, begun: row.begun })).collect())
}

/// What became of a mail that a lane had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SendResult {
    /// The server took it.
    Accepted {
        /// SES's message id, if the reply held one.
        ses_id: Option<String>,
    },
    /// Tried again later.
    Deferred {
        /// After how long.
        after: Duration,
        /// Whether this attempt counts towards the limit.
        counts: bool,
        /// Why, in words for an operator.
        reason: String,
    },
    /// Given up.
    Failed {
        /// Why, in words for an operator.
        reason: String,
    },
    /// No one knows whether the server took it.
    Unknown {
        /// Why, in words for an operator.
        reason: String,
    },
}

impl SendResult {
    /// The state that it leads to.
    #[must_use]
    pub fn state(&self) -> SendState {
        match self {
            Self::Accepted { .. } => SendState::Accepted,
            Self::Deferred { .. } => SendState::Queued,
            Self::Failed { .. } => SendState::Failed,
            Self::Unknown { .. } => SendState::Unknown,
        }
    }

    /// Why, unless the server took it.
    #[must_use]
    pub fn reason(&self) -> Option<&str> {
        match self {
            Self::Accepted { .. } => None,
            Self::Deferred { reason, .. } | Self::Failed { reason } | Self::Unknown { reason } => Some(reason),
        }
    }
}

/// A result to be recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Of which send.
    pub id: SendId,
    /// For which verification, to be told of.
    pub verification: VerificationId,
    /// Of which attempt.
    pub attempt: Attempt,
    /// What became of it.
    pub result: SendResult,
    /// The server's reply, without any key.
    pub reply: Option<String>,
}

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
    /// Gives up a send that waits and of which no mail can be made; false if another process was faster.
    pub async fn give_up(&self, id: SendId, reason: &str) -> Result<bool, Error> {
        let done = sqlx::query!(
            "update sends
            set state = 'failed', reason = $2, changed_at = now(), lease_by = null, lease_until = null
            where id = $1 and state = 'queued'",
            id.0,
            reason
        )
        .execute(self.pool())
        .await?;
        Ok(done.rows_affected() > 0)
    }

    /// Puts off a send that waits.
    pub async fn put_off(&self, id: SendId, by: Duration, reason: &str) -> Result<(), Error> {
        sqlx::query!(
            "update sends
            set due_at = now() + make_interval(secs => $2), reason = $3, changed_at = now()
            where id = $1 and state = 'queued'",
            id.0,
            by.as_secs_f64(),
            reason
        )
        .execute(self.pool())
        .await?;
        Ok(())
    }

    /// Records results; gives what could not be. An answer that comes so late that the send is *unknown* already, its
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
        let mut given = Columns::default();
        for outcome in outcomes {
            given.add(outcome);
        }
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

/// Results as arrays, a column each.
#[derive(Default)]
struct Columns {
    ids: Vec<Uuid>,
    attempts: Vec<i16>,
    begun: Vec<i32>,
    states: Vec<String>,
    verifications: Vec<i64>,
    afters: Vec<f64>,
    counts: Vec<bool>,
    ses_ids: Vec<Option<String>>,
    replies: Vec<Option<String>>,
    reasons: Vec<Option<String>>,
}

impl Columns {
    fn add(&mut self, outcome: &Outcome) {
        let result = &outcome.result;
        self.ids.push(outcome.id.0);
        self.attempts.push(outcome.attempt.counted);
        self.begun.push(outcome.attempt.begun);
        self.verifications.push(outcome.verification.0);
        self.states.push(result.state().as_str().to_owned());
        let (after, counts) = match result {
            SendResult::Deferred { after, counts, .. } => (after.as_secs_f64(), *counts),
            _ => (0.0, true),
        };
        self.afters.push(after);
        self.counts.push(counts);
        self.ses_ids.push(match result {
            SendResult::Accepted { ses_id } => ses_id.clone(),
            _ => None,
        });
        let reply = outcome.reply.as_deref();
        self.replies.push(reply.map(|text| text.replace('\0', "").chars().take(REPLY_MAX).collect()));
        self.reasons.push(result.reason().map(ToOwned::to_owned));
    }
}
