//! All that the desk knows of the account: what SES said, and the desk's own data, by bounded queries.

use super::{Error, Store};
use crate::domain::account::flow::{COUNTED_MAX, DAYS, Day, DomainFunnel, Funnel};
use crate::domain::account::view::AccountView;

/// Of how many of the newest links it is looked what became of them.
const LINKS: i64 = 2_000;

/// How many domains of them are told apart.
const DOMAINS: i64 = 8;

/// Most identities that are shown because someone asked for them lately.
const ADDED_MAX: i64 = 5;

/// How many of the newest addresses on the suppression list are shown.
const LISTED_MAX: i64 = 5;

impl Store {
    /// All that the desk knows of the account.
    pub async fn account(&self) -> Result<AccountView, Error> {
        let (funnel, domains) = self.funnel().await?;
        Ok(AccountView {
            as_of: self.now().await?,
            account: self.ses_account().await?,
            panels: self.account_panels().await?,
            waiting: self.waiting_domains().await?,
            added: self.identities_asked_for(ADDED_MAX).await?,
            list: self.suppression_list(LISTED_MAX).await?,
            pace: self.pace().await?,
            reputation: self.reputation().await?,
            days: self.mail_days().await?,
            funnel,
            domains,
        })
    }

    /// What SES said of it, with the pace, and nothing that is counted.
    pub async fn account_as_asked(&self) -> Result<AccountView, Error> {
        Ok(AccountView {
            as_of: self.now().await?,
            account: self.ses_account().await?,
            panels: self.account_panels().await?,
            waiting: self.waiting_domains().await?,
            added: self.identities_asked_for(ADDED_MAX).await?,
            list: self.suppression_list(LISTED_MAX).await?,
            pace: self.pace().await?,
            ..AccountView::default()
        })
    }

    /// What became of the mails of each of the last 14 days, counted back from now. Each state of a day is counted up to a
    /// bound, by an index alone.
    async fn mail_days(&self) -> Result<Vec<Day>, Error> {
        let rows = sqlx::query!(
            r#"select ago as "ago!", one.state as "state!", counted.count as "count!"
            from generate_series(0, $1::int - 1) as ago
            cross join lateral (
                select
                    (lpad(to_hex((extract(epoch from now() - make_interval(hours => 24 * (ago + 1))) * 1000)::bigint), 12, '0')
                        || repeat('0', 20))::uuid as low,
                    (lpad(to_hex((extract(epoch from now() - make_interval(hours => 24 * ago)) * 1000)::bigint), 12, '0')
                        || repeat('0', 20))::uuid as high
            ) as span
            cross join unnest(array['accepted', 'delivered', 'delayed', 'bounced', 'complained', 'rejected']) as one (state)
            cross join lateral (
                select count(*) as count
                from (
                    select
                    from sends
                    -- By the index of states and ids, for rare states too.
                    where (sends.state, id) >= (one.state, span.low) and (sends.state, id) < (one.state, span.high)
                    limit $2
                ) as bounded
            ) as counted
            where counted.count > 0"#,
            i32::try_from(DAYS).unwrap_or(i32::MAX),
            COUNTED_MAX
        )
        .fetch_all(self.pool())
        .await?;
        let mut days = vec![Day::default(); DAYS];
        for row in rows {
            let Some(day) = usize::try_from(row.ago).ok().and_then(|ago| days.iter_mut().rev().nth(ago)) else {
                continue;
            };
            day.accepted += row.count;
            match row.state.as_str() {
                "delivered" => day.delivered += row.count,
                "bounced" => day.bounced += row.count,
                // They arrived, and were not wanted.
                "complained" => {
                    day.delivered += row.count;
                    day.complained += row.count;
                }
                "rejected" => day.rejected += row.count,
                _ => {}
            }
        }
        Ok(days)
    }

    /// How far the newest links came, all together and those to each of the domains with the most.
    async fn funnel(&self) -> Result<(Funnel, Vec<DomainFunnel>), Error> {
        let rows = sqlx::query!(
            r#"with newest as (
                select id, user_id, created_at, opened_at, verified_at
                from verifications
                where created_at > now() - make_interval(days => $2)
                order by created_at desc, id desc
                limit $1
            ),
            reached as (
                select
                    n.*,
                    lower(substring(u.email from '@([^@]+)$')) as domain,
                    (
                        select max(case
                            when s.state in ('delivered', 'complained') then 2
                            when s.state in ('accepted', 'delayed', 'bounced', 'rejected') then 1
                            else 0
                        end)
                        from sends s
                        where s.verification_id = n.id
                    ) as by_mail
                from newest n
                join users u on u.id = n.user_id
            )
            select
                case when grouping(domain) = 0 then coalesce(domain, '') end as domain,
                count(*) as "made!",
                count(*) filter (where by_mail >= 1) as "accepted!",
                count(*) filter (where by_mail >= 2) as "delivered!",
                count(*) filter (where opened_at is not null) as "opened!",
                count(*) filter (where verified_at is not null) as "verified!",
                percentile_cont(0.5) within group (order by extract(epoch from opened_at - created_at)) as open_median,
                percentile_cont(0.95) within group (order by extract(epoch from opened_at - created_at)) as open_late,
                percentile_cont(0.5) within group (order by extract(epoch from verified_at - created_at)) as verify_median,
                percentile_cont(0.95) within group (order by extract(epoch from verified_at - created_at)) as verify_late
            from reached
            group by grouping sets ((), (domain))
            order by grouping(domain) desc, count(*) desc, domain
            limit 1 + $3::bigint"#,
            LINKS,
            i32::try_from(DAYS).unwrap_or(i32::MAX),
            DOMAINS
        )
        .fetch_all(self.pool())
        .await?;
        let (mut all, mut domains) = (Funnel::default(), Vec::new());
        for row in rows {
            let funnel = Funnel {
                made: row.made,
                most: LINKS,
                accepted: row.accepted,
                delivered: row.delivered,
                opened: row.opened,
                verified: row.verified,
                to_open: row.open_median.zip(row.open_late),
                to_verify: row.verify_median.zip(row.verify_late),
            };
            match row.domain {
                Some(domain) => domains.push(DomainFunnel { domain: domain.into(), funnel }),
                None => all = funnel,
            }
        }
        Ok((all, domains))
    }
}
