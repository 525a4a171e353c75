//! The mails of a job, made a chunk at a time by statements that work on all of it, in one transaction: either a chunk
//! is made and counted and the job's place moved behind it, or nothing is. A process that dies in between has done
//! nothing, and any number of processes may call it, each on a job of its own.

use std::time::Duration;

use sqlx::{Connection as _, PgConnection};
use uuid::Uuid;

use super::scope::{self, Place, Step, Walked};
use super::stored::{after_of, scope_of};
use crate::domain::Time;
use crate::domain::audit::{Action, Actor, Origin};
use crate::domain::change::Change;
use crate::domain::id::{JobId, SendId, UserId, VerificationId};
use crate::domain::job::{JobScope, Skip, Skipped};
use crate::domain::resend::{Resend, ResendPolicy, Standing};
use crate::domain::send::{Priority, ResentHow};
use crate::store::audit::{self, NewEntry};
use crate::store::transaction::BEGIN_LONG;
use crate::store::{Error, Purpose, Store, StoredTime, resend as standings, verifications};

/// Most verifications that are looked at in one chunk: few enough that no one waits long for a user's row.
pub const CHUNK: i64 = 1_000;

/// A chunk finds its thousand rows by their keys, also where the statistics are old or a table so small that the
/// planner would rather read it all: what it costs depends on nothing but its size. A walk along a search that few fit
/// takes a while all the same. Compiling such plans would take longer than they do.
const BY_KEYS: &str = "select
    set_config('enable_seqscan', 'off', true),
    set_config('jit', 'off', true)";

/// What a chunk came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Advanced {
    /// Verifications looked at.
    pub looked_at: i64,
    /// Mails queued; fewer than were looked at where people are left out.
    pub queued: i64,
    /// Whether a job has something to do now, this or another; another process may be at it at this moment.
    /// Never while the brake is on.
    pub more: bool,
    /// When it makes sense to ask again, though nothing is to do now: a grace period or a timed brake ends.
    pub next_in: Option<Duration>,
}

/// A job that this transaction has to itself.
#[derive(Debug)]
struct Job {
    id: JobId,
    actor: Actor,
    scope: JobScope,
    cut_off: Time,
    after: Option<Place>,
}

/// A mail of a chunk.
#[derive(Clone, Copy, Debug)]
struct Mail {
    send: SendId,
    user: UserId,
    verification: VerificationId,
    how: ResentHow,
}

impl Store {
    /// Makes the next chunk of the job that has waited the longest, if one runs and the brake is off: at most `room`
    /// mails, out of at most [`CHUNK`] verifications. Safe to be called by any number of processes at once, and to be
    /// dropped at any moment.
    pub async fn advance_jobs(&self, room: i64, policy: &ResendPolicy) -> Result<Advanced, Error> {
        self.advance(None, room, policy).await
    }

    /// The same for this job only.
    pub async fn advance_job(&self, id: JobId, room: i64, policy: &ResendPolicy) -> Result<Advanced, Error> {
        self.advance(Some(id), room, policy).await
    }

    async fn advance(&self, only: Option<JobId>, room: i64, policy: &ResendPolicy) -> Result<Advanced, Error> {
        let (more, next_in) = self.jobs_to_come().await?;
        if room <= 0 || !more {
            return Ok(Advanced { more, next_in, ..Advanced::default() });
        }
        let (looked_at, queued) = self.make_chunk(only, room.min(CHUNK), policy).await?;
        let (more, next_in) = self.jobs_to_come().await?;
        Ok(Advanced { looked_at, queued, more, next_in })
    }

    async fn make_chunk(&self, only: Option<JobId>, limit: i64, policy: &ResendPolicy) -> Result<(i64, i64), Error> {
        // A connection a chunk costs little beside it, and given up, the server notices and stops.
        let mut connection = self.connect_alone(Purpose::Long).await?;
        let mut tx = connection.begin_with(BEGIN_LONG).await?;
        let Some(job) = take(&mut tx, only).await? else {
            tx.rollback().await?;
            return Ok(connection.close().await.map(|()| (0, 0))?);
        };
        sqlx::query(BY_KEYS).execute(&mut *tx).await?;
        let step = scope::step(&mut tx, &job.scope, job.cut_off, job.after, limit).await?;
        let mut skipped = Skipped::default();
        let (mut renewed, mut replaced) = (Vec::new(), Vec::new());
        let mut left_out = Vec::new();
        for (id, user, decided) in decide(&mut tx, &job, &step.walked, policy).await? {
            let skip = match decided {
                Err(skip) => skip,
                // A job leaves waiting mails where they are.
                Ok(Resend::BringForward(..)) => Skip::Waiting,
                Ok(Resend::Renew(open)) => {
                    renewed.push((open, user));
                    continue;
                }
                Ok(Resend::Replace(old)) => {
                    replaced.push((user, old));
                    continue;
                }
            };
            skipped.count(skip);
            left_out.push((id, user, skip));
        }
        let reason = format!("bulk resend {}", job.id);
        let mails = resend(&mut tx, &job.actor, &renewed, &replaced, policy).await?;
        queue(&mut tx, &job, &mails, &reason).await?;
        leave_out(&mut tx, &job, &left_out).await?;
        let queued = i64::try_from(mails.len()).unwrap_or(limit);
        move_on(&mut tx, &job, &step, queued, &skipped).await?;
        tx.commit().await?;
        connection.close().await?;
        self.notify(Change::Outbox).await;
        if queued > 0 {
            self.notify(Change::Many).await;
            self.notify(Change::Queued).await;
        }
        Ok((step.looked_at, queued))
    }

    /// Whether a job has something to do now, and else when to look again.
    async fn jobs_to_come(&self) -> Result<(bool, Option<Duration>), Error> {
        let row = sqlx::query!(
            r#"select
                (state = 'off' or until <= now()) is true
                    and exists (select from jobs where state = 'running' and starts_at <= now()) as "more!",
                extract(epoch from greatest(
                    (select min(starts_at) from jobs where state = 'running'),
                    now(),
                    until
                ) - now())::float8 as "next_in!",
                exists (select from jobs where state = 'running') and (state = 'off' or until is not null) as "will!"
            from brake"#
        )
        .fetch_one(self.pool())
        .await?;
        let next_in = (row.will && !row.more).then(|| Duration::try_from_secs_f64(row.next_in).unwrap_or_default());
        Ok((row.more, next_in))
    }
}

/// Takes the next job that no other process is at. `None` while the brake is on.
async fn take(connection: &mut PgConnection, only: Option<JobId>) -> Result<Option<Job>, Error> {
    let row = sqlx::query!(
        "select
            id, created_by, origin, status, search, since, until, verification_ids, cut_off, after_at, after_id,
            terms, looked_for, is_of_mails, after_send
        from jobs
        where
            state = 'running'
            and starts_at <= now()
            and ($1::uuid is null or id = $1)
            and not exists (select from brake where state <> 'off' and (until is null or until > now()))
        order by starts_at, id
        limit 1
        for no key update skip locked",
        only.map(|id| id.0)
    )
    .fetch_optional(connection)
    .await?;
    Ok(row.map(|row| Job {
        id: JobId(row.id),
        actor: Actor::new(
            row.created_by,
            Origin::ALL.into_iter().find(|origin| origin.as_str() == row.origin).unwrap_or(Origin::Worker),
        ),
        scope: scope_of!(row),
        cut_off: row.cut_off.into(),
        after: after_of!(row),
    }))
}

/// Locks the users, as every act does first, all in one order so that two chunks never wait for each other; then
/// decides on each.
async fn decide(
    connection: &mut PgConnection,
    job: &Job,
    walked: &[Walked],
    policy: &ResendPolicy,
) -> Result<Vec<(VerificationId, UserId, Result<Resend, Skip>)>, Error> {
    let ids: Vec<i64> = walked.iter().map(|walked| walked.id.0).collect();
    let users: Vec<i64> = walked.iter().map(|walked| walked.user.0).collect();
    let mails: Vec<Option<Uuid>> = walked.iter().map(|walked| walked.mail.map(|mail| mail.0)).collect();
    sqlx::query!("select id from users where id = any($1) order by id for no key update", &users)
        .fetch_all(&mut *connection)
        .await?;
    // In a statement of its own, which sees what others did before they released the rows.
    let rows = sqlx::query!(
        r#"select
            w.id as "id!",
            w.user_id as "user_id!",
            w.turn > 1
                or exists (select from sends s where s.job_id = $3 and s.user_id = w.user_id) as "is_duplicate!",
            exists (select from sends s where s.user_id = w.user_id and s.id > w.mail) as "has_later!",
            s.is_verified as "is_verified!",
            s.is_waiting as "is_waiting!",
            b.block,
            s.cooling_until,
            s.capped_until,
            o.id as "open_id?",
            o.expires_at <= now() as is_expired,
            o.key_digest is not null as is_mailed
        from (
            select u.id, u.user_id, u.mail, row_number() over (partition by u.user_id order by u.place) as turn
            from unnest($1::bigint[], $2::bigint[], $6::uuid[]) with ordinality as u (id, user_id, mail, place)
        ) w
        cross join lateral resend_standing(w.user_id, $4, $5) s
        cross join lateral address_block(s.answered, s.answer) b
        left join verifications o on o.user_id = w.user_id and o.verified_at is null and o.revoked_at is null"#,
        &ids,
        &users,
        job.id.0,
        policy.cool_down.as_secs_f64(),
        i64::from(policy.daily_cap),
        &mails as &[Option<Uuid>]
    )
    .fetch_all(connection)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| {
            let standing = Standing {
                is_verified: row.is_verified,
                is_waiting: row.is_waiting,
                block: standings::block(row.block.as_deref()),
                cooling_until: row.cooling_until.map(Into::into),
                capped_until: row.capped_until.map(Into::into),
                open: standings::open(row.open_id, row.is_expired, row.is_mailed),
                send: None,
            };
            let decided = if row.is_duplicate { Err(Skip::Duplicate) } else { standing.in_job_by_mail(row.has_later) };
            (VerificationId(row.id), UserId(row.user_id), decided)
        })
        .collect())
}

/// Does to each what the single resend does.
async fn resend(
    connection: &mut PgConnection,
    actor: &Actor,
    renewed: &[(VerificationId, UserId)],
    replaced: &[(UserId, Option<VerificationId>)],
    policy: &ResendPolicy,
) -> Result<Vec<Mail>, Error> {
    let mail = |verification, user, how| Mail { send: SendId::new(), user, verification, how };
    let mut mails: Vec<Mail> = Vec::with_capacity(renewed.len() + replaced.len());
    if !renewed.is_empty() {
        let ids: Vec<VerificationId> = renewed.iter().map(|(id, _)| *id).collect();
        verifications::renew_all(connection, &ids, policy.lifetime).await?;
        mails.extend(renewed.iter().map(|&(id, user)| mail(id, user, ResentHow::SameLink)));
    }
    let old: Vec<(VerificationId, UserId)> =
        replaced.iter().filter_map(|&(user, old)| old.map(|old| (old, user))).collect();
    if !old.is_empty() {
        verifications::supersede_all(connection, actor, &old, verifications::TIME_OVER).await?;
    }
    if !replaced.is_empty() {
        let users: Vec<UserId> = replaced.iter().map(|(user, _)| *user).collect();
        let made = verifications::insert_all(connection, &users, policy.lifetime).await?;
        mails.extend(made.into_iter().map(|(id, user)| mail(id, user, ResentHow::NewKey)));
    }
    Ok(mails)
}

/// Queues the mails, and writes each into the audit log.
async fn queue(connection: &mut PgConnection, job: &Job, mails: &[Mail], reason: &str) -> Result<(), Error> {
    if mails.is_empty() {
        return Ok(());
    }
    sqlx::query!(
        "insert into sends (id, verification_id, user_id, recipient, locale, priority, job_id)
        select new.id, new.verification_id, u.id, u.email, u.locale, $4, $5
        from unnest($1::uuid[], $2::bigint[], $3::bigint[]) as new (id, verification_id, user_id)
        join users u on u.id = new.user_id",
        &mails.iter().map(|mail| mail.send.0).collect::<Vec<_>>(),
        &mails.iter().map(|mail| mail.verification.0).collect::<Vec<_>>(),
        &mails.iter().map(|mail| mail.user.0).collect::<Vec<_>>(),
        Priority::Bulk.rank(),
        job.id.0
    )
    .execute(&mut *connection)
    .await?;
    let entries: Vec<NewEntry<'_>> = mails
        .iter()
        .map(|mail| NewEntry {
            actor: &job.actor,
            action: Action::Resend,
            outcome: mail.how.as_str(),
            reason: Some(reason),
            user: Some(mail.user),
            verification: Some(mail.verification),
            send: Some(mail.send),
        })
        .collect();
    audit::append_all(connection, &entries).await
}

/// Notes the users that the chunk has left out. Several mails of one verification are looked at one by one; the first reason stays.
async fn leave_out(
    connection: &mut PgConnection,
    job: &Job,
    left_out: &[(VerificationId, UserId, Skip)],
) -> Result<(), Error> {
    if left_out.is_empty() {
        return Ok(());
    }
    sqlx::query!(
        "insert into job_skips (job_id, verification_id, user_id, reason)
        select $1, * from unnest($2::bigint[], $3::bigint[], $4::text[])
        on conflict do nothing",
        job.id.0,
        &left_out.iter().map(|(id, ..)| id.0).collect::<Vec<_>>(),
        &left_out.iter().map(|(_, user, _)| user.0).collect::<Vec<_>>(),
        &left_out.iter().map(|(.., skip)| skip.as_str().to_owned()).collect::<Vec<_>>()
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Counts the chunk and moves the job's place behind it.
async fn move_on(
    connection: &mut PgConnection,
    job: &Job,
    step: &Step,
    queued: i64,
    skipped: &Skipped,
) -> Result<(), Error> {
    sqlx::query!(
        "update jobs
        set
            looked_at = looked_at + $2,
            queued = queued + $3,
            skipped_verified = skipped_verified + $4,
            skipped_cool_down = skipped_cool_down + $5,
            skipped_daily_cap = skipped_daily_cap + $6,
            skipped_waiting = skipped_waiting + $7,
            skipped_suppressed = skipped_suppressed + $8,
            skipped_bounced = skipped_bounced + $9,
            skipped_duplicate = skipped_duplicate + $10,
            after_at = coalesce($11, after_at),
            after_id = coalesce($12, after_id),
            skipped_later = skipped_later + $14,
            after_send = coalesce($15, after_send),
            state = case when $13 then 'done' else state end,
            ended_at = case when $13 then now() end,
            found = case when $13 then coalesce(found, looked_at + $2) else found end
        where id = $1",
        job.id.0,
        step.looked_at,
        queued,
        skipped.verified,
        skipped.cool_down,
        skipped.daily_cap,
        skipped.waiting,
        skipped.suppressed,
        skipped.bounced,
        skipped.duplicate,
        step.after.and_then(Place::row).map(|(at, _)| StoredTime(at)),
        step.after.and_then(Place::row).map(|(_, id)| id),
        step.is_last,
        skipped.later,
        step.after.and_then(Place::mail).map(|mail| mail.0)
    )
    .execute(connection)
    .await?;
    Ok(())
}
