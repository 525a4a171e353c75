//! How mail is received, as screens show it. A few thousand rows of indexes at most, however many mails there were.

use super::{Error, Store};
use crate::domain::reputation::{HOURS, Hour, Rate, Reputation};

impl Store {
    /// The rates by which the brake judges, with the limits of this host's settings, and the last 24 hours.
    pub(super) async fn reputation(&self) -> Result<Reputation, Error> {
        Ok(Reputation { hours: self.hours().await?, ..self.rates().await? })
    }

    /// The rates alone.
    pub(super) async fn rates(&self) -> Result<Reputation, Error> {
        let rules = &self.brake_rules;
        let results = self.last_results(rules.sends).await?;
        let rate = |count, limit| Rate { count, of: results.sends, limit };
        Ok(Reputation {
            sends: results.sends,
            window: rules.sends,
            bounces: rate(results.bounced, rules.bounce_rate),
            complaints: rate(results.complained, rules.complaint_rate),
            hours: Vec::new(),
        })
    }

    /// What happened in each of the last 24 hours, counted back from now.
    async fn hours(&self) -> Result<Vec<Hour>, Error> {
        let rows = sqlx::query!(
            r#"select floor(extract(epoch from now() - at) / 3600)::int as "ago!", what as "what!", sum(count)::bigint as "count!"
            from (
                select minute as at, 'sent' as what, drawn as count from pace_minutes
                union all
                select minute, 'sent', minute_drawn from pace
                union all
                select changed_at, state, 1
                from sends
                where
                    state in ('bounced', 'complained', 'rejected', 'failed')
                    and test_of is null
                    and changed_at > now() - interval '24 hours'
            ) as happened
            where at > now() - interval '24 hours' and at <= now()
            group by 1, 2"#
        )
        .fetch_all(self.pool())
        .await?;
        let mut hours = vec![Hour::default(); HOURS];
        for row in rows {
            let Some(hour) = usize::try_from(row.ago).ok().and_then(|ago| hours.iter_mut().rev().nth(ago)) else {
                continue;
            };
            *match row.what.as_str() {
                "sent" => &mut hour.sent,
                "bounced" => &mut hour.bounced,
                "complained" => &mut hour.complained,
                _ => &mut hour.failed,
            } += row.count;
        }
        Ok(hours)
    }
}
