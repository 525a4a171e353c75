//! Domains whose people open no link.

use super::{Error, Store, StoredTime};
use crate::domain::Time;
use crate::domain::alert::{OPENED_LATEST, PEOPLE_MIN, UnopenedDomain};

/// How many of the last links are looked at.
const LINKS: i64 = 1_000;

/// Of how many hours at most.
const HOURS: chrono::TimeDelta = chrono::TimeDelta::hours(24);

/// How many domains are told of at once.
const DOMAINS: i64 = 20;

impl Store {
    /// The domains whose people opened none of the last links that were mailed and could have been opened, nor any later
    /// one: those with so many people that it is no chance, and `open` ones. `now` by the database's clock.
    pub async fn unopened_domains(&self, now: Time, open: &[String]) -> Result<Vec<UnopenedDomain>, Error> {
        let rows = sqlx::query!(
            r#"with last as (
                select
                    newest.id,
                    newest.user_id,
                    newest.is_opened,
                    lower(substring(u.email from '@([^@]+)$')) as domain
                from (
                    select id, user_id, opened_at is not null or verified_at is not null as is_opened
                    from verifications
                    where created_at > $1 and created_at < $2
                    order by created_at desc, id desc
                    limit $3
                ) as newest
                join users u on u.id = newest.user_id
            ),
            later as (
                select lower(substring(u.email from '@([^@]+)$')) as domain
                from (
                    select user_id, opened_at
                    from verifications
                    where created_at >= $2
                    order by created_at desc, id desc
                    limit $3
                ) as newest
                join users u on u.id = newest.user_id
                where newest.opened_at is not null
            ),
            domains as (
                select
                    domain,
                    count(distinct user_id) as people,
                    count(*) as links,
                    count(*) filter (where is_opened) as opened
                from last
                where domain is not null
                group by domain
            ),
            whole as (
                select sum(links)::bigint as links, sum(opened)::bigint as opened from domains
            )
            select d.domain as "domain!", mailed.people as "people!", mailed.links as "links!",
                w.links - d.links as "others!", w.opened as "others_opened!"
            from domains d
            cross join whole w
            cross join lateral (
                select count(distinct l.user_id) as people, count(*) as links
                from last l
                where
                    l.domain = d.domain
                    and exists (
                        select
                        from sends s
                        where
                            s.verification_id = l.id
                            and s.state in ('accepted', 'delivered', 'delayed', 'complained')
                    )
            ) as mailed
            where
                d.opened = 0
                and (d.people >= $4 or d.domain = any($5))
                and (mailed.people >= $4 or d.domain = any($5))
                and not exists (select from later l where l.domain = d.domain)
            order by mailed.links desc, d.domain
            limit $6"#,
            StoredTime::from(now - HOURS) as _,
            StoredTime::from(now - OPENED_LATEST) as _,
            LINKS,
            PEOPLE_MIN,
            open,
            DOMAINS
        )
        .fetch_all(self.pool())
        .await?;
        let domains = rows.into_iter().map(|row| UnopenedDomain {
            domain: row.domain.into(),
            people: row.people,
            links: row.links,
            others: row.others,
            others_opened: row.others_opened,
        });
        Ok(domains.collect())
    }
}
