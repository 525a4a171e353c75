//! What the database knows of all processes together, for those who watch. Read again and again, by many processes: of ten
//! million rows no more may be looked at than of ten thousand.
//!
//! Queued, sent and unknown mails are counted up to ten thousand and one by the index of their state; the longest waiting
//! one is the first of an index. The pace is a row and a minute of a day each, the rates are those of the brake (the newest
//! `brake.sends` of an index), workers, queues and endpoints of webhooks are small tables, and of each endpoint's messages ten
//! thousand are counted by an index. Verifications are counted by triggers, a few thousand
//! changes since the last roll-up are added. What would take a walk, as a status that depends on the time, is left out.

use super::{Error, Store};
use crate::domain::hook::HookEndpoint;
use crate::domain::worker::OutboxView;

/// The figures as they were at `outbox.as_of`.
#[derive(Clone, Debug)]
pub struct Figures {
    /// But for jobs, hours, and topics of SNS's.
    pub outbox: OutboxView,
    /// What each endpoint has not been told.
    pub endpoints: Vec<HookEndpoint>,
    /// Verifications that are neither verified nor revoked, expired ones included.
    pub open: i64,
    pub verified: i64,
    pub revoked: i64,
}

impl Store {
    /// The figures; `None` where this login may not read them, as the one of the program that faces the internet.
    pub async fn figures(&self) -> Result<Option<Figures>, Error> {
        if !self.may_read_figures().await? {
            return Ok(None);
        }
        let outbox = OutboxView {
            pace: self.pace().await?,
            brake: self.brake().await?,
            reputation: self.rates().await?,
            workers: self.workers().await?,
            event_queues: self.event_queues().await?,
            account: self.ses_account().await?,
            ..self.waiting().await?
        };
        let counted = sqlx::query!(
            r#"select
                (counted.open + coalesce(delta.open, 0))::bigint as "open!",
                (counted.verified + coalesce(delta.verified, 0))::bigint as "verified!",
                (counted.revoked + coalesce(delta.revoked, 0))::bigint as "revoked!"
            from verification_counts counted
            cross join (
                select sum(open) as open, sum(verified) as verified, sum(revoked) as revoked
                from verification_count_deltas
            ) as delta"#
        )
        .fetch_one(self.pool())
        .await?;
        Ok(Some(Figures {
            outbox,
            endpoints: self.hook_endpoints().await?,
            open: counted.open,
            verified: counted.verified,
            revoked: counted.revoked,
        }))
    }

    /// Asked first: a refusal would count as a database error.
    async fn may_read_figures(&self) -> Result<bool, Error> {
        let may = sqlx::query_scalar!(
            r#"select has_table_privilege('workers', 'select') and has_table_privilege('sends', 'select') as "may!""#
        )
        .fetch_one(self.pool())
        .await?;
        Ok(may)
    }
}
