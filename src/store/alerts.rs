//! What someone is to be told of: judged by one worker of all, now and then; told once in each way that is set.

use std::time::Duration;

use chrono::TimeDelta;

use super::{Error, Store, StoredTime};
use crate::domain::Time;
use crate::domain::alert::{Alert, AlertKind, Trouble};
use crate::text::Untrusted;

/// How often it is judged, by all workers together, in seconds.
pub const JUDGE_EVERY_SECONDS: f64 = 15.0;

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

struct NoticeRow {
    alert_id: i64,
    phase: String,
    way: String,
    kind: String,
    subject: String,
    summary: String,
    began_at: StoredTime,
    ended_at: Option<StoredTime>,
}

impl From<NoticeRow> for Notice {
    fn from(row: NoticeRow) -> Self {
        Self {
            alert_id: row.alert_id,
            phase: row.phase,
            way: row.way,
            kind: row.kind.into(),
            subject: row.subject.into(),
            summary: row.summary.into(),
            began_at: row.began_at.into(),
            ended_at: row.ended_at.map(Into::into),
        }
    }
}

/// Who tells, by the right that its login has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Teller {
    /// Of everything.
    Worker,
    /// That no worker is there, and of nothing else.
    Serve,
}

/// What came of a judgement.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Judged {
    pub began: i64,
    pub ended: i64,
}

impl std::ops::Add for Judged {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self { began: self.began + other.began, ended: self.ended + other.ended }
    }
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
        let known: Vec<String> = AlertKind::ALL
            .into_iter()
            // [`Store::judge_workers`] has this one.
            .filter(|kind| *kind != AlertKind::NoWorker)
            .map(|kind| kind.as_str().to_owned())
            .collect();
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

    /// Begins and ends the alert that there is no worker; `watched`: for how long the caller has watched without a break.
    pub async fn judge_workers(&self, watched: Duration) -> Result<Judged, Error> {
        let judged = sqlx::query!(
            r#"select began as "began!", ended as "ended!" from judge_workers($1)"#,
            watched.as_secs_f64()
        )
        .fetch_one(self.pool())
        .await?;
        Ok(Judged { began: judged.began, ended: judged.ended })
    }

    /// The next of which someone is to be told in one of these ways, in the caller's hands for so long. Of one who was not
    /// tried to be told that it began, none says that it ended.
    pub async fn claim_alert_notice(
        &self,
        teller: Teller,
        ways: &[&str],
        hold: Duration,
    ) -> Result<Option<Notice>, Error> {
        let ways: Vec<String> = ways.iter().map(|way| (*way).to_owned()).collect();
        let row = match teller {
            Teller::Worker => {
                sqlx::query_as!(
                    NoticeRow,
                    r#"select
                        alert_id as "alert_id!", phase as "phase!", way as "way!", kind as "kind!",
                        subject as "subject!", summary as "summary!", began_at as "began_at!", ended_at
                    from claim_notice(null, $1, $2)"#,
                    &ways,
                    hold.as_secs_f64()
                )
                .fetch_optional(self.pool())
                .await?
            }
            Teller::Serve => {
                sqlx::query_as!(
                    NoticeRow,
                    r#"select
                        alert_id as "alert_id!", phase as "phase!", way as "way!", kind as "kind!",
                        subject as "subject!", summary as "summary!", began_at as "began_at!", ended_at
                    from claim_worker_notice($1, $2)"#,
                    &ways,
                    hold.as_secs_f64()
                )
                .fetch_optional(self.pool())
                .await?
            }
        };
        Ok(row.map(Notice::from))
    }

    /// Notes that someone was told, or why not; it is tried again after a wait that doubles.
    pub async fn note_alert_told(&self, teller: Teller, notice: &Notice, error: Option<&str>) -> Result<(), Error> {
        let (id, phase, way) = (notice.alert_id, &notice.phase, &notice.way);
        match teller {
            Teller::Worker => {
                sqlx::query!("select note_notice(null, $1, $2, $3, $4)", id, phase, way, error)
                    .fetch_optional(self.pool())
                    .await?;
            }
            Teller::Serve => {
                sqlx::query!("select note_worker_notice($1, $2, $3, $4)", id, phase, way, error)
                    .fetch_optional(self.pool())
                    .await?;
            }
        }
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
