//! Bulk resends: planned, started, paused, resumed, cancelled.

use std::time::Duration;

use super::{Desk, Error, Refusal};
use crate::domain::audit::{Action, Actor};
use crate::domain::change::Change;
use crate::domain::id::JobId;
use crate::domain::job::{JobPlan, JobRow, JobScope, JobState, PlanProgress};
use crate::store::audit::{self, NewEntry};
use crate::store::jobs::{self, Advanced, CHUNK, LockedJob, NewJob};
use crate::store::{self, Transaction};
use crate::text::plain;

/// Most verifications that can be marked; a filter may find any number.
pub const MARKED_MAX: usize = 100_000;

impl Desk {
    /// How long a bulk resend started in the console can be cancelled before its first mail.
    #[must_use]
    pub fn grace(&self) -> Duration {
        self.grace
    }

    /// What a bulk resend would do now. Changes nothing and locks nothing. A million verifications take some seconds.
    pub async fn plan_job(&self, scope: &JobScope) -> Result<JobPlan, Error> {
        self.plan_job_telling(scope, |_| {}).await
    }

    /// The same. While it takes long, it tells how far it is.
    pub async fn plan_job_telling(
        &self,
        scope: &JobScope,
        tell: impl FnMut(PlanProgress) + Send,
    ) -> Result<JobPlan, Error> {
        check(scope)?;
        Ok(self.store.plan_job(scope, &self.policy, tell).await?)
    }

    /// Starts a bulk resend: workers make its mails from `grace` on. `plan` is what the operator has seen and agreed
    /// to, where someone counted; who counts is decided as of it, else as of now. Takes no longer for a million.
    pub async fn start_job(
        &self,
        actor: &Actor,
        scope: &JobScope,
        plan: Option<&JobPlan>,
        grace: Duration,
    ) -> Result<JobId, Error> {
        self.changing()?;
        check(scope)?;
        let scope = sorted(scope);
        let mut tx = self.store.begin().await?;
        let new = NewJob {
            actor,
            scope: &scope,
            cut_off: plan.map(|plan| plan.as_of),
            found: plan.map(|plan| plan.found),
            planned: plan.map(|plan| plan.mails),
            grace,
        };
        let id = jobs::insert(&mut tx, new).await?;
        let planned = plan.map_or_else(
            || "not counted".to_owned(),
            |plan| format!("{} found, {} mails planned", plan.found, plan.mails),
        );
        let reason: String = format!("job {id}: {scope}; {planned}").chars().take(jobs::REASON_MAX).collect();
        append(&mut tx, actor, Action::StartJob, "started", &reason).await?;
        tx.commit().await?;
        self.store.notify(Change::Outbox).await;
        self.store.notify(Change::Queued).await;
        Ok(id)
    }

    /// Makes the next chunk of a job here and now, as a worker would, if its grace period is over and the brake is off.
    /// A login that may start jobs but not make their mails leaves them to the workers.
    pub async fn advance_job(&self, id: JobId) -> Result<Advanced, Error> {
        self.changing()?;
        match self.store.advance_job(id, CHUNK, &self.policy).await {
            Err(error @ (store::Error::ReadOnly(_) | store::Error::Denied(_))) => {
                tracing::debug!(%error, job = %id, "the workers make the mails of this job");
                Ok(Advanced::default())
            }
            advanced => Ok(advanced?),
        }
    }

    /// Counts what a job is for, where no one has: for its progress. A million verifications take a second or two.
    pub async fn count_job(&self, id: JobId) -> Result<(), Error> {
        self.changing()?;
        Ok(self.store.count_job(id).await?)
    }

    /// A job as it is now.
    pub async fn job(&self, id: JobId) -> Result<JobRow, Error> {
        self.store.job(id).await?.ok_or_else(|| no_job(id))
    }

    /// Makes no more mails of it until it is resumed; what it has queued waits as well.
    pub async fn pause_job(&self, actor: &Actor, id: JobId) -> Result<(), Error> {
        self.changing()?;
        let mut tx = self.store.begin().await?;
        if let Err(error) = stoppable(&mut tx, id, JobState::Paused).await {
            return refuse(tx, error).await;
        }
        let reason = format!("paused by {}", actor.name);
        jobs::set_state(&mut tx, id, JobState::Paused, Some(&reason)).await?;
        append(&mut tx, actor, Action::PauseJob, "paused", &format!("job {id}")).await?;
        tx.commit().await?;
        self.store.notify(Change::Outbox).await;
        Ok(())
    }

    /// Resumes it.
    pub async fn resume_job(&self, actor: &Actor, id: JobId) -> Result<(), Error> {
        self.changing()?;
        let mut tx = self.store.begin().await?;
        let job = jobs::lock(&mut tx, id).await?.ok_or_else(|| no_job(id))?;
        match job.state {
            JobState::Paused => {}
            JobState::Running => return refuse(tx, Refusal::JobAlready { state: job.state }).await,
            state => return refuse(tx, Refusal::JobOver { state }).await,
        }
        jobs::set_state(&mut tx, id, JobState::Running, None).await?;
        append(&mut tx, actor, Action::ResumeJob, "running", &format!("job {id}")).await?;
        tx.commit().await?;
        self.store.notify(Change::Outbox).await;
        self.store.notify(Change::Queued).await;
        Ok(())
    }

    /// Cancels it, and what it has queued except for what a worker is sending.
    pub async fn cancel_job(&self, actor: &Actor, id: JobId) -> Result<(), Error> {
        self.changing()?;
        let mut tx = self.store.begin().await?;
        if let Err(error) = stoppable(&mut tx, id, JobState::Cancelled).await {
            return refuse(tx, error).await;
        }
        let reason = format!("cancelled by {}", actor.name);
        jobs::set_state(&mut tx, id, JobState::Cancelled, Some(&reason)).await?;
        let cancelled = jobs::cancel_waiting(&mut tx, id, &format!("the bulk resend was {reason}")).await?;
        let entry = format!("job {id}: {cancelled} waiting mails cancelled");
        append(&mut tx, actor, Action::CancelJob, "cancelled", &entry).await?;
        tx.commit().await?;
        self.store.notify(Change::Outbox).await;
        if cancelled > 0 {
            self.store.notify(Change::Many).await;
        }
        Ok(())
    }
}

/// Unlocks the job before it refuses: a worker must not find it locked.
async fn refuse(tx: Transaction, error: impl Into<Error>) -> Result<(), Error> {
    tx.rollback().await?;
    Err(error.into())
}

/// Locks a job that may become `next`.
async fn stoppable(tx: &mut Transaction, id: JobId, next: JobState) -> Result<LockedJob, Error> {
    let job = jobs::lock(tx, id).await?.ok_or_else(|| no_job(id))?;
    // The mails of one that has looked at everyone can still be held back.
    let is_over = job.state == JobState::Cancelled || job.state == JobState::Done && !job.waits;
    if is_over {
        return Err(Refusal::JobOver { state: job.state }.into());
    }
    if !job.state.may_become(next) {
        return Err(Refusal::JobAlready { state: job.state }.into());
    }
    Ok(job)
}

fn check(scope: &JobScope) -> Result<(), Error> {
    match scope {
        JobScope::Marked(ids) if ids.is_empty() => Err(Error::Invalid(plain("nothing is marked"))),
        JobScope::Marked(ids) if ids.len() > MARKED_MAX => {
            Err(Error::Invalid(plain(&format!("more than {MARKED_MAX} are marked; a filter may find any number"))))
        }
        _ => Ok(()),
    }
}

/// Marked ones each once, in the order in which a job goes through them.
fn sorted(scope: &JobScope) -> JobScope {
    match scope {
        JobScope::Filter(_) | JobScope::Mails(_) => scope.clone(),
        JobScope::Marked(ids) => {
            let mut ids = ids.clone();
            ids.sort_unstable_by(|a, b| b.cmp(a));
            ids.dedup();
            JobScope::Marked(ids)
        }
    }
}

async fn append(tx: &mut Transaction, actor: &Actor, action: Action, outcome: &str, reason: &str) -> Result<(), Error> {
    let entry = NewEntry { actor, action, outcome, reason: Some(reason), user: None, verification: None, send: None };
    Ok(audit::append(tx, entry).await?)
}

fn no_job(id: JobId) -> Error {
    Error::NotFound(plain(&format!("there is no job {id}")))
}
