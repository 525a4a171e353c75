//! Domains where nothing arrives.

use uuid::Uuid;

use super::{Error, Store};
use crate::domain::Time;
use crate::domain::alert::{ARRIVES_LATEST, PEOPLE_MIN, SilentDomain};

/// How many of the last mails are looked at.
const MAILS: i64 = 1_000;

/// Of how many hours at most.
const HOURS: chrono::TimeDelta = chrono::TimeDelta::hours(24);

/// How many domains are told of at once.
const DOMAINS: i64 = 20;

impl Store {
    /// The domains to which none of the last mails has come that had the time to, nor any later one: those with so many
    /// people that it is no chance, and `open` ones. `now` by the database's clock.
    pub async fn silent_domains(&self, now: Time, open: &[String]) -> Result<Vec<SilentDomain>, Error> {
        let rows = sqlx::query!(
            r#"with last as (
                select newest.state, newest.recipient, lower(substring(newest.recipient from '@([^@]+)$')) as domain
                from unnest(array['accepted', 'delivered', 'delayed', 'bounced', 'complained']) as one (state)
                cross join lateral (
                    -- By the index of states and ids, of which those of a time begin with it.
                    select id, state, recipient
                    from sends
                    where
                        (sends.state, id) > (one.state, $1::uuid)
                        and (sends.state, id) < (one.state, $2::uuid)
                        and test_of is null
                    order by sends.state desc, id desc
                    limit $3
                ) as newest
                order by newest.id desc
                limit $3
            ),
            later as (
                select recipient
                from sends
                where (state, id) > ('delivered', $2::uuid) and state <= 'delivered' and test_of is null
                order by state desc, id desc
                limit $3
            ),
            domains as (
                select
                    domain,
                    count(*) as mails,
                    count(distinct lower(recipient)) as people,
                    count(*) filter (where state in ('delivered', 'complained')) as arrived
                from last
                where domain is not null
                group by domain
            ),
            whole as (
                select sum(mails)::bigint as mails, sum(arrived)::bigint as arrived from domains
            )
            select d.domain as "domain!", d.mails as "mails!", d.people as "people!",
                w.mails - d.mails as "others!", w.arrived as "others_arrived!"
            from domains d
            cross join whole w
            where
                d.arrived = 0
                and (d.people >= $4 or d.domain = any($5))
                and not exists (select from later l where right(lower(l.recipient), length(d.domain) + 1) = '@' || d.domain)
            order by d.mails desc, d.domain
            limit $6"#,
            first_id(now - HOURS),
            first_id(now - ARRIVES_LATEST),
            MAILS,
            PEOPLE_MIN,
            open,
            DOMAINS
        )
        .fetch_all(self.pool())
        .await?;
        let domains = rows.into_iter().map(|row| SilentDomain {
            domain: row.domain.into(),
            mails: row.mails,
            people: row.people,
            others: row.others,
            others_arrived: row.others_arrived,
        });
        Ok(domains.collect())
    }
}

/// Before each id of a mail that was made at this time or later.
fn first_id(time: Time) -> Uuid {
    let milliseconds = u128::try_from(time.timestamp_millis()).unwrap_or_default();
    Uuid::from_u128(milliseconds << 80)
}
