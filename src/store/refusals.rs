//! Refusals in a row, of all workers together, and the pause that follows from them: a circuit breaker.
//!
//! ```text
//! closed ──(a run of refusals)──> open ──(its time has come)──> half-open: one mail of one worker is tried
//!    ^                              ^                                |
//!    |                              └───────────(refused)────────────┤
//!    └────────────────────────────(accepted)─────────────────────────┘
//! ```
//!
//! The run is in the database and not in the workers, so that it outlives a worker that runs for some mails only, and
//! ten workers do not have ten runs of failures. Each step is one statement, with nothing held while a client thinks,
//! and may be repeated.

use std::time::{Duration, Instant};

use sqlx::PgConnection;
use uuid::Uuid;

use super::{Error, Store};
use crate::config;
use crate::domain::id::SendId;

/// Over how many domains a run must go at least, where mails for so many wait.
pub const DOMAINS_MIN: i64 = 5;

/// So many times the refusals of a run count over any number of domains: mails for others may stand far behind.
const ANY_DOMAIN: i64 = 5;

/// How many of the next mails are looked at for one to another domain.
const LOOK_AHEAD: i64 = 200;

/// For how long a refusal is remembered behind which a mail was taken: that mail may have been in progress when the
/// server began to refuse.
pub const REMEMBERED: Duration = Duration::from_secs(30);

/// How often an untried domain may be probed out of turn: a tenth of the first wait.
const OUT_OF_TURN: f64 = 0.1;

/// A mail to be noted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Noted {
    pub id: SendId,
    /// Whether what was said speaks of us.
    pub is_of_us: bool,
    /// Whether it stays as it is recorded.
    pub is_final: bool,
    /// Whether a mail was taken behind it: it counts no longer, but is put back with a run that follows at once.
    pub is_ended: bool,
    /// When it was refused.
    pub at: Instant,
    /// How many pauses for refusals had ended by then, as far as the worker had heard.
    pub pauses_heard: i64,
}

/// Which refused mails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Run {
    /// Those of all workers that are noted.
    Noted,
    /// Those that were noted only after their pause.
    Late,
    /// Those of one worker.
    Own,
}

impl Store {
    /// Notes mails that were not taken.
    pub async fn note_refusals(&self, noted: &[Noted]) -> Result<(), Error> {
        let ids: Vec<Uuid> = noted.iter().map(|one| one.id.0).collect();
        let of_us: Vec<bool> = noted.iter().map(|one| one.is_of_us).collect();
        let tries: Vec<i16> = noted.iter().map(|one| i16::from(!one.is_final)).collect();
        let ended: Vec<bool> = noted.iter().map(|one| one.is_ended).collect();
        let ago: Vec<f64> = noted.iter().map(|one| one.at.elapsed().as_secs_f64()).collect();
        let heard: Vec<i64> = noted.iter().map(|one| one.pauses_heard).collect();
        sqlx::query!(
            "with forgotten as (
                delete from refused_sends
                where
                    ended_at <= now() - make_interval(secs => $5)
                    -- No statement may change a row twice.
                    and send_id <> all ($1)
            )
            insert into refused_sends (send_id, of_us, tries, ended_at, refused_at, is_late)
            select
                given.send_id,
                given.of_us,
                given.tries,
                -- What belongs to a pause that is over is no part of a new run.
                case when given.is_ended or refused.is_late then now() end,
                now() - make_interval(secs => given.ago),
                refused.is_late
            from unnest($1::uuid[], $2::boolean[], $3::smallint[], $4::boolean[], $6::float8[], $7::bigint[])
                as given (send_id, of_us, tries, is_ended, ago, pauses_heard)
            cross join brake
            -- By its number as well: the clock may have been set since.
            cross join lateral (
                select
                    given.pauses_heard < pauses_ended
                    or coalesce(now() - make_interval(secs => given.ago) between refused_from and refused_until, false)
                    as is_late
            ) as refused
            order by given.send_id
            on conflict (send_id) do update
            set
                of_us = excluded.of_us,
                tries = case
                    when excluded.tries = 0 then 0
                    when refused_sends.ended_at is null then least(refused_sends.tries + 1, 1000)
                    else excluded.tries
                end,
                ended_at = excluded.ended_at,
                refused_at = excluded.refused_at,
                is_late = excluded.is_late,
                noted_at = now()",
            &ids,
            &of_us,
            &tries,
            &ended,
            REMEMBERED.as_secs_f64(),
            &ago,
            &heard
        )
        .execute(self.pool())
        .await?;
        Ok(())
    }

    /// Pauses the outbox if the run is long enough: so many refusals, or one that speaks of us, and over five domains
    /// or all there are. Gives whether it is paused by this.
    pub async fn pause_for_refusals(&self, set_by: &str, says: &str, rules: &config::Brake) -> Result<bool, Error> {
        let done = sqlx::query!(
            "with run as materialized (
                select refused_sends.of_us, lower(substring(sends.recipient from '[^@]*$')) as domain
                from refused_sends
                join sends on sends.id = refused_sends.send_id
                where refused_sends.ended_at is null
            ),
            counted as materialized (
                select
                    count(*) as mails,
                    count(distinct domain) as domains,
                    count(*) filter (where of_us) as of_us,
                    count(distinct domain) filter (where of_us) as domains_of_us
                from run
            ),
            -- What may be tried now, or is: only then is it another domain whose mails might be taken.
            others as materialized (
                select
                from (
                    select recipient, job_id
                    from sends
                    where state = 'queued' and priority = 0 and due_at <= now()
                    order by due_at
                    limit $4
                ) as people
                where lower(substring(recipient from '[^@]*$')) not in (select domain from run)
                union all
                select
                from (
                    select recipient, job_id
                    from sends
                    where state = 'queued' and priority = 10 and due_at <= now()
                    order by due_at
                    limit $4
                ) as bulk
                where
                    lower(substring(recipient from '[^@]*$')) not in (select domain from run)
                    and not exists (select from jobs where jobs.id = bulk.job_id and jobs.state = 'paused')
                union all
                select
                from sends
                where
                    state = 'sending'
                    and test_of is null
                    and lower(substring(recipient from '[^@]*$')) not in (select domain from run)
            )
            update brake
            set
                state = 'paused',
                cause = 'refusals',
                set_by = $1,
                reason = left(
                    format(
                        'the mail server takes no mail (%s in a row, to %s %s); the last answer: %s',
                        mails,
                        domains,
                        case when domains = 1 then 'domain' else 'domains' end,
                        $2::text
                    ),
                    1000
                ),
                set_at = now(),
                until = null,
                probe_at = now() + make_interval(secs => $5),
                probes = 0,
                probed_at = null,
                drain_set_by = case when state = 'draining' then set_by end,
                drain_reason = case when state = 'draining' then reason end,
                drain_set_at = case when state = 'draining' then set_at end
            from counted
            where
                (state in ('off', 'draining') or until <= now())
                and (
                    mails >= $3 and domains >= $6
                    or domains_of_us >= $6
                    or mails >= $3 * $7::bigint
                    or (mails >= $3 or of_us > 0) and not exists (select from others)
                )",
            set_by,
            says,
            rules.refusals,
            LOOK_AHEAD,
            rules.probe_after.as_secs_f64(),
            DOMAINS_MIN,
            ANY_DOMAIN
        )
        .execute(self.pool())
        .await?;
        Ok(done.rows_affected() == 1)
    }

    /// Whether refusals are what the outbox is paused for.
    pub async fn is_paused_for_refusals(&self) -> Result<bool, Error> {
        Ok(sqlx::query_scalar!(
            r#"select exists (select from brake where state = 'paused' and cause = 'refusals') as "is!""#
        )
        .fetch_one(self.pool())
        .await?)
    }

    /// Queues again what a run of refusals has ended or put off, each as if it had not been tried; returns how many.
    /// Lost ones stay *unknown*. Where the person was mailed or asked again since, that mail stands for this one.
    pub async fn put_back_refused(&self) -> Result<u64, Error> {
        self.queue_again(Run::Noted, &[]).await
    }

    /// The same with what belongs to the last pause and was noted only after it.
    pub async fn put_back_late(&self) -> Result<u64, Error> {
        self.queue_again(Run::Late, &[]).await
    }

    /// The same with these, whatever is noted: a run of one worker, which the others' mails have ended.
    pub async fn put_back_own(&self, own: &[Noted]) -> Result<u64, Error> {
        self.queue_again(Run::Own, own).await
    }

    async fn queue_again(&self, run: Run, own: &[Noted]) -> Result<u64, Error> {
        let ids: Vec<Uuid> = own.iter().filter(|one| !one.is_final).map(|one| one.id.0).collect();
        let mut conflicts = 0;
        loop {
            let done = sqlx::query!(
                "with noted as materialized (
                    select send_id, tries
                    from refused_sends
                    where
                        tries > 0
                        and (
                            $1 and (ended_at is null or ended_at > now() - make_interval(secs => $3))
                            or $4 and is_late
                        )
                    order by send_id
                    for update
                ),
                forgotten as (
                    update refused_sends
                    set tries = 0
                    from noted
                    where refused_sends.send_id = noted.send_id
                ),
                taken as materialized (
                    select send_id, tries from noted
                    union all
                    select distinct own.send_id, 1::smallint from unnest($2::uuid[]) as own (send_id)
                )
                update sends
                set
                    state = 'queued',
                    due_at = now(),
                    changed_at = now(),
                    attempts = greatest(attempts - taken.tries, 0)
                from taken
                where
                    sends.id = taken.send_id
                    and user_id is not null
                    and (
                        state = 'queued'
                        or state = 'failed'
                        and not exists (
                            select
                            from sends as later
                            where
                                later.user_id = sends.user_id
                                and later.id > sends.id
                                and (
                                    later.state not in ('failed', 'cancelled')
                                    or later.id in (select send_id from taken)
                                )
                        )
                        and not exists (
                            select
                            from sends as open
                            where open.verification_id = sends.verification_id and open.state in ('queued', 'sending')
                        )
                    )",
                run == Run::Noted,
                &ids,
                REMEMBERED.as_secs_f64(),
                run == Run::Late
            )
            .execute(self.pool())
            .await;
            match done {
                Ok(done) => return Ok(done.rows_affected()),
                // Someone asked for one of these mails at this very moment.
                Err(sqlx::Error::Database(error)) if error.is_unique_violation() && conflicts < 3 => conflicts += 1,
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// A mail was taken: the run is over, and so is a pause for it; a drain that it interrupted continues. Returns
    /// whether there was a pause.
    pub async fn end_refusals(&self) -> Result<bool, Error> {
        let is_any = sqlx::query_scalar!(
            r#"select
                exists (select from refused_sends where ended_at is null)
                or exists (select from brake where cause = 'refusals') as "is!""#
        )
        .fetch_one(self.pool())
        .await?;
        if !is_any {
            return Ok(false);
        }
        if self.is_paused_for_refusals().await? {
            // The process that paused it may have died before this.
            self.put_back_refused().await?;
        }
        sqlx::query!(
            "with ended as (
                update refused_sends
                set ended_at = now()
                where ended_at is null
            )
            update brake
            set runs_ended = runs_ended + 1"
        )
        .execute(self.pool())
        .await?;
        let done = sqlx::query!(
            "update brake
            set
                state = case when drain_set_at is null then 'off' else 'draining' end,
                cause = case when drain_set_at is not null then 'operator' end,
                set_by = drain_set_by,
                reason = drain_reason,
                set_at = drain_set_at,
                until = null,
                probe_at = null,
                probes = 0,
                probed_at = null,
                drain_set_by = null,
                drain_reason = null,
                drain_set_at = null,
                refused_from = set_at - make_interval(secs => $1),
                refused_until = now(),
                pauses_ended = pauses_ended + 1
            where cause = 'refusals'",
            REMEMBERED.as_secs_f64()
        )
        .execute(self.pool())
        .await?;
        Ok(done.rows_affected() == 1)
    }

    /// How many runs of refusals were ended by a mail that was taken.
    pub async fn runs_ended(&self) -> Result<i64, Error> {
        Ok(sqlx::query_scalar!("select runs_ended from brake").fetch_one(self.pool()).await?)
    }

    /// How many pauses for refusals have ended.
    pub async fn pauses_ended(&self) -> Result<i64, Error> {
        Ok(sqlx::query_scalar!("select pauses_ended from brake").fetch_one(self.pool()).await?)
    }

    /// Takes the one probe that is due, for this mail; false if there is none, or another worker has it. A domain that
    /// was not in the run may be probed out of turn, as long as there are fewer than five: nothing is known of those.
    pub async fn take_probe(&self, id: SendId, rules: &config::Brake) -> Result<bool, Error> {
        let done = sqlx::query!(
            "with run as materialized (
                select distinct lower(substring(sends.recipient from '[^@]*$')) as domain
                from refused_sends
                join sends on sends.id = refused_sends.send_id
                where refused_sends.ended_at is null
            ),
            asked as materialized (
                select
                    -- A moment further ahead than any wait is of a clock that was set back.
                    probe_at <= now() or probe_at > now() + make_interval(secs => $3) as is_due,
                    (probed_at is null or probed_at <= now() - make_interval(secs => $2::float8 * $4::float8))
                        and (select count(*) from run) < $5
                        and not exists (
                            select
                            from sends
                            join run on run.domain = lower(substring(sends.recipient from '[^@]*$'))
                            where sends.id = $1
                        ) as is_untried
                from brake
                where state = 'paused' and cause = 'refusals'
            )
            update brake
            set
                probes = case when is_due then least(probes + 1, 1000) else probes end,
                probe_at = case
                    when is_due then now() + make_interval(secs => least($2::float8 * 2 ^ least(probes + 1, 30), $3::float8))
                    else probe_at
                end,
                probed_at = now()
            from asked
            where
                state = 'paused'
                and cause = 'refusals'
                -- Both again, as the row is now: another worker may have been first.
                and (
                    is_due and (probe_at <= now() or probe_at > now() + make_interval(secs => $3))
                    or is_untried and (probed_at is null or probed_at <= now() - make_interval(secs => $2::float8 * $4::float8))
                )",
            id.0,
            rules.probe_after.as_secs_f64(),
            rules.probe_at_most.as_secs_f64(),
            OUT_OF_TURN,
            DOMAINS_MIN
        )
        .execute(self.pool())
        .await?;
        Ok(done.rows_affected() == 1)
    }

    /// A mail is tried without a moment of the pace; it counts towards the mails of the day.
    pub async fn count_probe(&self) -> Result<(), Error> {
        sqlx::query!("update pace set minute_drawn = minute_drawn + 1").execute(self.pool()).await?;
        Ok(())
    }

    /// Those of these that are no longer *failed*.
    pub async fn no_longer_failed(&self, ids: &[SendId]) -> Result<Vec<SendId>, Error> {
        let ids = sqlx::query_scalar!(
            "select id from sends where id = any ($1) and state <> 'failed'",
            &ids.iter().map(|id| id.0).collect::<Vec<_>>()
        )
        .fetch_all(self.pool())
        .await?;
        Ok(ids.into_iter().map(SendId).collect())
    }
}

/// The mail to probe with, claimed for this transaction: one to a domain that is not in the run if there is one, else
/// the next; people before bulk. None of those that were tried already.
pub async fn claim_probe(connection: &mut PgConnection, tried: &[SendId]) -> Result<Option<SendId>, Error> {
    let id = sqlx::query_scalar!(
        "with gate as materialized (
            select coalesce(drain_set_at, 'infinity') as queued_until from brake where cause = 'refusals'
        ),
        due as materialized (
            (
                select id
                from sends
                where state = 'queued' and priority = 0 and due_at <= now()
                order by due_at, id
                limit $1
            )
            union all
            (
                select id
                from sends
                where
                    state = 'queued'
                    and priority = 10
                    and due_at <= now()
                    and not exists (select from jobs where jobs.id = sends.job_id and jobs.state = 'paused')
                order by due_at, id
                limit $1
            )
        )
        select sends.id
        from sends
        join due on due.id = sends.id
        where
            sends.state = 'queued'
            and sends.id <> all ($2)
            and sends.queued_at <= (select queued_until from gate)
            and (sends.lease_until is null or sends.lease_until < now())
        order by
            lower(substring(sends.recipient from '[^@]*$')) in (
                select lower(substring(refused.recipient from '[^@]*$'))
                from refused_sends
                join sends as refused on refused.id = refused_sends.send_id
                where refused_sends.ended_at is null
            ),
            sends.priority,
            sends.due_at
        limit 1
        for update of sends skip locked",
        LOOK_AHEAD,
        &tried.iter().map(|id| id.0).collect::<Vec<_>>()
    )
    .fetch_optional(connection)
    .await?;
    Ok(id.map(SendId))
}
