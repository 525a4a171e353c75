//! What someone is to be told of: judged by one worker of all, now and then; told once in each way that is set.

use std::time::Duration;

use chrono::TimeDelta;

use super::{Error, Store};
use crate::domain::Time;
use crate::domain::alert::{Alert, AlertKind, Trouble};
use crate::text::Untrusted;

/// How often it is judged, by all workers together, in seconds.
pub const JUDGE_EVERY_SECONDS: f64 = 15.0;

/// How often someone is tried to be told.
const TRIES_MAX: i32 = 10;

/// The longest wait between two tries, in seconds.
const WAIT_MAX: f64 = 3_600.0;

/// How long what has ended stays.
const KEPT_DAYS: i32 = 30;

/// Most alerts that are shown or read at once.
const SHOWN: i64 = 50;

/// What can be told of an alert.
#[derive(Clone, Debug)]
pub struct Notice {
    pub alert_id: i64,
    /// `began` or `ended`.
    pub phase: String,
    /// `command` or `webhook`.
    pub way: String,
    pub kind: Untrusted,
    pub subject: Untrusted,
    pub summary: Untrusted,
    pub began_at: Time,
    pub ended_at: Option<Time>,
}

/// What came of a judgement.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Judged {
    pub began: i64,
    pub ended: i64,
}

impl Store {
    /// Whether it is this caller's turn to judge, after `every`: one of all workers has it, now and then.
    pub async fn may_judge_alerts(&self, every: f64) -> Result<bool, Error> {
        let turn = sqlx::query!(
            "update alert_watch
            set judged_at = now()
            -- A clock that was set back keeps no one waiting.
            where judged_at not between now() - make_interval(secs => $1) and now() + interval '1 minute'",
            every
        )
        .execute(self.pool())
        .await?;
        Ok(turn.rows_affected() == 1)
    }

    /// For how long the workers' counts of accepted mails have been these. Workers write them with their heartbeats.
    pub async fn unsent_for(&self, sent: i64) -> Result<TimeDelta, Error> {
        let seconds = sqlx::query_scalar!(
            r#"update alert_watch
            set sent = $1, sent_at = case when sent = $1 then least(sent_at, now()) else now() end
            returning extract(epoch from now() - sent_at)::float8 as "seconds!""#,
            sent
        )
        .fetch_one(self.pool())
        .await?;
        Ok(TimeDelta::milliseconds(
            #[expect(clippy::cast_possible_truncation, reason = "bounded by the age of the row")]
            ((seconds.max(0.0) * 1_000.0) as i64),
        ))
    }

    /// Notes what is wrong: what was not before begins, and what is no longer has ended. Kinds that this version does not
    /// know are left alone.
    pub async fn note_troubles(&self, troubles: &[Trouble]) -> Result<Judged, Error> {
        let kinds: Vec<String> = troubles.iter().map(|one| one.kind.as_str().to_owned()).collect();
        let subjects: Vec<String> = troubles.iter().map(|one| one.subject.clone()).collect();
        let summaries: Vec<String> = troubles.iter().map(|one| one.summary.clone()).collect();
        let known: Vec<String> = AlertKind::ALL.into_iter().map(|kind| kind.as_str().to_owned()).collect();
        let judged = sqlx::query!(
            r#"with found as (
                select * from unnest($1::text[], $2::text[], $3::text[]) as one (kind, subject, summary)
            ),
            ended as (
                update alerts a
                set ended_at = now()
                where
                    a.ended_at is null
                    and a.kind = any($4::text[])
                    and not exists (select from found f where f.kind = a.kind and f.subject = a.subject)
                returning 1
            ),
            began as (
                insert into alerts (kind, subject, summary)
                select kind, subject, summary from found
                on conflict (kind, subject) where ended_at is null do nothing
                returning 1
            )
            select (select count(*) from began) as "began!", (select count(*) from ended) as "ended!""#,
            &kinds,
            &subjects,
            &summaries,
            &known
        )
        .fetch_one(self.pool())
        .await?;
        Ok(Judged { began: judged.began, ended: judged.ended })
    }

    /// What has begun and not ended, the oldest first.
    pub async fn alerts(&self) -> Result<Vec<Alert>, Error> {
        let rows = sqlx::query!(
            r#"select a.kind, a.subject, a.summary, a.began_at, told.is_told as "is_told!", told.error
            from alerts a
            cross join lateral (
                select
                    count(*) filter (where n.told_at is not null) > 0 as is_told,
                    max(n.error) filter (where n.told_at is null) as error
                from alert_notices n
                where n.alert_id = a.id and n.phase = 'began'
            ) as told
            where a.ended_at is null
            order by a.id
            limit $1"#,
            SHOWN
        )
        .fetch_all(self.pool())
        .await?;
        let alerts = rows.into_iter().map(|row| Alert {
            kind: row.kind.into(),
            subject: row.subject.into(),
            summary: row.summary.into(),
            began_at: row.began_at.into(),
            is_told: row.is_told,
            error: row.error.map(Into::into),
        });
        Ok(alerts.collect())
    }

    /// The next of which someone is to be told in one of these ways, in the caller's hands for so long. Of one who was not
    /// tried to be told that it began, none says that it ended.
    pub async fn claim_alert_notice(&self, ways: &[&str], hold: Duration) -> Result<Option<Notice>, Error> {
        let ways: Vec<String> = ways.iter().map(|way| (*way).to_owned()).collect();
        let row = sqlx::query!(
            r#"with due as (
                select a.id, phase.phase, way.way
                from alerts a
                cross join unnest(array['began', 'ended']) as phase (phase)
                cross join unnest($1::text[]) as way (way)
                left join alert_notices n on (n.alert_id, n.phase, n.way) = (a.id, phase.phase, way.way)
                where
                    (phase.phase = 'ended') = (a.ended_at is not null)
                    and (
                        phase.phase = 'began'
                        or exists (
                            select
                            from alert_notices b
                            where (b.alert_id, b.phase, b.way) = (a.id, 'began', way.way)
                        )
                    )
                    and (n.alert_id is null or n.told_at is null and n.tries < $2)
                    -- In another's hands, or tried a while ago. A clock that was set back keeps no one waiting.
                    and (n.next_at is null or n.next_at not between now() and now() + make_interval(secs => $3::float8 * 2))
                order by a.id
                limit 1
            ),
            claimed as (
                insert into alert_notices as n (alert_id, phase, way, tries, next_at)
                select id, phase, way, 1, now() + make_interval(secs => $4) from due
                on conflict (alert_id, phase, way) do update
                set tries = n.tries + 1, next_at = excluded.next_at
                -- Another may have been faster.
                where
                    n.told_at is null
                    and n.next_at not between now() and now() + make_interval(secs => $3::float8 * 2)
                returning n.alert_id, n.phase, n.way
            )
            select a.id, c.phase, c.way, a.kind, a.subject, a.summary, a.began_at, a.ended_at
            from claimed c
            join alerts a on a.id = c.alert_id"#,
            &ways,
            TRIES_MAX,
            WAIT_MAX,
            hold.as_secs_f64()
        )
        .fetch_optional(self.pool())
        .await?;
        Ok(row.map(|row| Notice {
            alert_id: row.id,
            phase: row.phase,
            way: row.way,
            kind: row.kind.into(),
            subject: row.subject.into(),
            summary: row.summary.into(),
            began_at: row.began_at.into(),
            ended_at: row.ended_at.map(Into::into),
        }))
    }

    /// Notes that someone was told, or why not; it is tried again after a wait that doubles.
    pub async fn note_alert_told(&self, notice: &Notice, error: Option<&str>) -> Result<(), Error> {
        sqlx::query!(
            "update alert_notices
            set
                told_at = case when $4::text is null then now() end,
                error = $4,
                next_at = now() + make_interval(secs => least(15 * 2.0 ^ tries, $5::float8))
            where alert_id = $1 and phase = $2 and way = $3",
            notice.alert_id,
            notice.phase,
            notice.way,
            error,
            WAIT_MAX
        )
        .execute(self.pool())
        .await?;
        Ok(())
    }

    /// Forgets what ended a month ago.
    pub async fn forget_old_alerts(&self) -> Result<(), Error> {
        sqlx::query!("delete from alerts where ended_at < now() - make_interval(days => $1)", KEPT_DAYS)
            .execute(self.pool())
            .await?;
        Ok(())
    }
}
