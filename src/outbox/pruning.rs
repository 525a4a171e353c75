//! Removes what is older than the settings let it stay, a bounded piece at a time.

use uuid::Uuid;

use crate::config::Settings;
use crate::store::{Error, Store};

/// What was removed, or would be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pruned {
    pub sends: i64,
    /// Weeks of events, by the names of their tables.
    pub weeks: Vec<String>,
    /// Weeks that were in use, and stay for the next time.
    pub busy: Vec<String>,
}

/// A pass over all that may be old. What ends it halfway leaves the rest for the next.
#[derive(Debug, Default)]
pub struct Pass {
    /// Behind which send it continues.
    since: Option<Uuid>,
    /// The first send that the brake counts.
    counted: Option<Uuid>,
}

impl Pass {
    /// The first of it: whole weeks of events.
    pub async fn begin(store: &Store, settings: &Settings, is_trial: bool) -> Result<(Self, Pruned), Error> {
        let keep = settings.retention.events;
        let mut pruned = Pruned::default();
        for week in store.old_event_weeks(keep).await? {
            if is_trial || store.drop_event_week(&week, keep).await? {
                pruned.weeks.push(week);
            } else {
                pruned.busy.push(week);
            }
        }
        if !is_trial {
            while store.prune_job_skips(settings.retention.sends).await? > 0 {}
            while store.prune_idempotency_keys().await? > 0 {}
        }
        let counted = store.first_counted(settings.brake.sends).await?;
        Ok((Self { since: Some(Uuid::nil()), counted }, pruned))
    }

    /// One batch of sends; `None` where there is none any more.
    pub async fn next(&mut self, store: &Store, settings: &Settings, is_trial: bool) -> Result<Option<i64>, Error> {
        let Some(since) = self.since else { return Ok(None) };
        let batch = store.prune_sends(settings.retention.sends, self.counted, since, is_trial).await?;
        self.since = batch.reached;
        Ok(Some(batch.count))
    }
}
