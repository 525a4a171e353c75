//! What the site has not been told yet, and what it was not told: counted for those who watch, again and again.

use super::super::{Error, Store};
use crate::domain::hook::{Backlog, COUNTED_MAX, GIVEN_UP_LATELY};

impl Store {
    /// Of each endpoint what waits and what was given up lately: by indexes, and up to a bound.
    pub async fn webhook_backlogs(&self) -> Result<Vec<Backlog>, Error> {
        let rows = sqlx::query!(
            r#"select
                e.name, e.error,
                (e.failing_since is not null or e.disabled_at is not null) as "is_failing!",
                (
                    select count(*) from (
                        select from webhook_deliveries d
                        where d.endpoint = e.name and d.state = 'waiting'
                        limit $2
                    ) as counted
                ) as "waiting!",
                (
                    select m.at
                    from webhook_messages m
                    where m.id = (
                        select d.message_id
                        from webhook_deliveries d
                        where d.endpoint = e.name and d.state = 'waiting'
                        order by d.message_id
                        limit 1
                    )
                ) as oldest,
                (
                    select count(*) from (
                        select from webhook_deliveries d
                        where
                            d.endpoint = e.name
                            and d.state = 'given_up'
                            and d.changed_at > now() - make_interval(secs => $1)
                        limit $2
                    ) as counted
                ) as "given_up!"
            from webhook_endpoints e
            order by e.name
            limit 100"#,
            GIVEN_UP_LATELY.as_secs_f64(),
            COUNTED_MAX
        )
        .fetch_all(self.pool())
        .await?;
        let backlogs = rows.into_iter().map(|row| Backlog {
            endpoint: row.name.into(),
            is_failing: row.is_failing,
            error: row.error.map(Into::into),
            waiting: row.waiting,
            oldest: row.oldest.map(Into::into),
            given_up: row.given_up,
        });
        Ok(backlogs.collect())
    }
}
