//! Bulk resends: planned, started, paused, resumed, called off.

use std::time::Duration;

use super::{Desk, Error};
use crate::domain::audit::Actor;
use crate::domain::id::JobId;
use crate::domain::job::{JobPlan, JobScope};
use crate::text::plain;

impl Desk {
    /// How long a bulk resend started in the console can be called off before its first mail.
    #[must_use]
    pub fn grace(&self) -> Duration {
        self.grace
    }

    /// What a bulk resend would do now. Changes nothing and locks nothing.
    pub async fn plan_job(&self, _scope: &JobScope) -> Result<JobPlan, Error> {
        let _ = self.daily_cap;
        Err(Error::Invalid(plain("not yet")))
    }

    /// Starts a bulk resend: workers make its mails from `grace` on. `plan` is what the operator has seen and agreed
    /// to, where somebody counted.
    pub async fn start_job(
        &self,
        _actor: &Actor,
        _scope: &JobScope,
        _plan: Option<&JobPlan>,
        _grace: Duration,
    ) -> Result<JobId, Error> {
        Err(Error::Invalid(plain("not yet")))
    }

    /// Makes no more mails of it until it is resumed; what it has queued waits as well.
    pub async fn pause_job(&self, _actor: &Actor, _id: JobId) -> Result<(), Error> {
        Err(Error::Invalid(plain("not yet")))
    }

    /// Lets it go on.
    pub async fn resume_job(&self, _actor: &Actor, _id: JobId) -> Result<(), Error> {
        Err(Error::Invalid(plain("not yet")))
    }

    /// Calls it off, and what it has queued.
    pub async fn cancel_job(&self, _actor: &Actor, _id: JobId) -> Result<(), Error> {
        Err(Error::Invalid(plain("not yet")))
    }
}
