//! Heartbeats of the workers, and the outbox as a console shows it.

use uuid::Uuid;

use super::{Error, Store, program_version};
use crate::domain::worker::{OutboxView, QUEUED_MAX, WorkerRow};

/// Jobs shown with the outbox.
const JOBS_SHOWN: i64 = 50;

/// A worker's heartbeat.
#[derive(Clone, Debug)]
pub struct Heartbeat {
    /// The run's id.
    pub id: Uuid,
    /// The machine.
    pub host: String,
    /// The process.
    pub pid: i32,
    /// `smtp` or `capture`.
    pub transport: String,
    /// Where mail goes.
    pub target: String,
    /// Of the server secret.
    pub secret_fingerprint: String,
    /// Of the one before it, while that is still known.
    pub secret_previous_fingerprint: Option<String>,
    /// Mails accepted since the start.
    pub sent: i64,
    /// Mails given up since the start.
    pub failed: i64,
    /// Mails a second since the heartbeat before.
    pub rate: f64,
    /// Mails that it sends at once, at most.
    pub lanes: i32,
    /// What keeps mails waiting, if anything does.
    pub last_error: Option<String>,
    /// Whether this is the last one.
    pub stopped: bool,
}

impl Store {
    /// Writes down what a worker has done. That it is alive only [`Store::admit`] says, or its last heartbeat.
    pub async fn beat(&self, beat: &Heartbeat) -> Result<(), Error> {
        sqlx::query!(
            "insert into workers (
                id, host, pid, transport, target, secret_fingerprint, sent, failed, last_error, stopped_at, rate, lanes,
                version
            )
            values ($1, $2, $3, $4, $5, $6, $7, $8, $9, case when $10 then now() end, $11, $12, $13)
            on conflict (id) do update
            set
                beat_at = case when $10 then now() else workers.beat_at end,
                sent = excluded.sent,
                failed = excluded.failed,
                last_error = excluded.last_error,
                stopped_at = excluded.stopped_at,
                rate = excluded.rate,
                lanes = excluded.lanes,
                version = excluded.version",
            beat.id,
            beat.host,
            beat.pid,
            beat.transport,
            beat.target,
            beat.secret_fingerprint,
            beat.sent,
            beat.failed,
            beat.last_error,
            beat.stopped,
            beat.rate,
            beat.lanes,
            program_version()
        )
        .execute(self.pool())
        .await?;
        Ok(())
    }

    /// Forgets workers that have been gone for a week.
    pub async fn forget_old_workers(&self) -> Result<(), Error> {
        sqlx::query!(
            "delete from workers where beat_at < now() - interval '7 days' or beat_at > now() + interval '1 day'"
        )
        .execute(self.pool())
        .await?;
        Ok(())
    }

    /// What waits, and the workers seen in the last day.
    pub async fn outbox(&self) -> Result<OutboxView, Error> {
        Ok(OutboxView {
            pace: self.pace().await?,
            brake: self.brake().await?,
            reputation: self.reputation().await?,
            jobs: self.jobs(JOBS_SHOWN).await?,
            workers: self.workers().await?,
            event_queues: self.event_queues().await?,
            webhook: self.webhook().await?,
            account: self.ses_account().await?,
            alerts: self.alerts().await?,
            hooks: self.hook_endpoints().await?,
            serves: self.serves().await?,
            ..self.waiting().await?
        })
    }

    /// What waits, and nothing else.
    pub(super) async fn waiting(&self) -> Result<OutboxView, Error> {
        let counted = sqlx::query!(
            r#"select
                now() as "as_of!",
                current_setting('transaction_read_only') = 'on' as "is_read_only!",
                (
                    select count(*) from (select 1 from sends where state = 'queued' limit $1) as queued
                ) as "queued!",
                (select count(*) from sends where state = 'sending') as "sending!",
                (
                    select count(*) from (select 1 from sends where state = 'unknown' limit $1) as unknown
                ) as "unknown!",
                least(
                    (
                        select due_at
                        from sends
                        where state = 'queued' and priority = 0 and due_at <= now()
                        order by due_at
                        limit 1
                    ),
                    (
                        select due_at
                        from sends
                        where
                            state = 'queued'
                            and priority = 10
                            and due_at <= now()
                            -- Workers leave these.
                            and not exists (select from jobs where jobs.id = sends.job_id and jobs.state = 'paused')
                        order by due_at
                        limit 1
                    )
                ) as due_since"#,
            QUEUED_MAX + 1
        )
        .fetch_one(self.pool())
        .await?;
        Ok(OutboxView {
            as_of: counted.as_of.into(),
            is_read_only: counted.is_read_only,
            queued: counted.queued,
            sending: counted.sending,
            due_since: counted.due_since.map(Into::into),
            unknown: counted.unknown,
            ..OutboxView::default()
        })
    }

    /// The workers seen in the last day.
    pub(super) async fn workers(&self) -> Result<Vec<WorkerRow>, Error> {
        let rows = sqlx::query!(
            "select id, host, pid, transport, target, secret_fingerprint, secret_previous_fingerprint,
                waits_for, started_at, beat_at, stopped_at, sent,
                failed, rate, lanes, pace_rate, pace_quota, last_error, version
            from workers
            where beat_at > now() - interval '1 day'
            order by stopped_at is not null, beat_at desc
            limit 100"
        )
        .fetch_all(self.pool())
        .await?;
        Ok(rows
            .into_iter()
            .map(|row| WorkerRow {
                id: row.id,
                host: row.host.into(),
                pid: row.pid,
                transport: row.transport.into(),
                target: row.target.into(),
                secret_fingerprint: row.secret_fingerprint.into(),
                secret_previous_fingerprint: row.secret_previous_fingerprint.map(Into::into),
                waits_for: row.waits_for,
                started_at: row.started_at.into(),
                beat_at: row.beat_at.into(),
                stopped_at: row.stopped_at.map(Into::into),
                sent: row.sent,
                failed: row.failed,
                rate: row.rate,
                lanes: row.lanes,
                pace_rate: row.pace_rate,
                pace_quota: row.pace_quota,
                last_error: row.last_error.map(Into::into),
                version: row.version.map(Into::into),
            })
            .collect())
    }
}
