//! Subscriptions of SNS's topics, and how many posts were refused.

use sqlx::PgConnection;

use super::{Error, Store};
use crate::domain::Time;
use crate::domain::webhook::{Refused, Subscription, WebhookView};

/// Most topics that wait for an operator: any owner of a topic may ask.
const WAITING_MAX: i64 = 20;

/// Longest error that is kept, in characters.
const ERROR_MAX: usize = 500;

/// What is to be done with a subscription that asks to be confirmed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// It waits for an operator.
    Waits,
    /// It is allowed, by settings or an operator.
    Allowed,
    /// An operator has refused the topic.
    Refused,
    /// Too many wait already.
    TooMany,
}

impl Store {
    /// The present, and the topics that operators have approved.
    pub async fn approved_topics(&self) -> Result<(Time, Vec<String>), Error> {
        let row = sqlx::query!(
            r#"select
                now() as "now!",
                array(select topic from sns_subscriptions where approved_at is not null) as "topics!""#
        )
        .fetch_one(self.pool())
        .await?;
        Ok((row.now.into(), row.topics))
    }

    /// A topic asks for its subscription to be confirmed, there.
    pub async fn subscription_asked(&self, topic: &str, url: &str, is_allowed: bool) -> Result<Asked, Error> {
        let row = sqlx::query!(
            r#"with expired as (
                delete from sns_subscriptions
                where
                    asked_at < now() - interval '2 days'
                    and topic <> $1
                    and not is_allowed
                    and coalesce(approved_at, refused_at, confirmed_at, ended_at) is null
            )
            insert into sns_subscriptions as s (topic, subscribe_url, is_allowed, asked_at)
            select $1, $2, $3, now()
            where
                $3
                or exists (select from sns_subscriptions where topic = $1)
                or (
                    select count(*)
                    from sns_subscriptions
                    where
                        asked_at > now() - interval '2 days'
                        and not is_allowed
                        and coalesce(approved_at, refused_at, confirmed_at, ended_at) is null
                ) < $4
            on conflict (topic) do update
            set
                subscribe_url = case when s.refused_at is null or excluded.is_allowed then excluded.subscribe_url end,
                is_allowed = excluded.is_allowed,
                asked_at = now(),
                tried_at = null,
                error = null
            returning approved_at is not null as "is_approved!", refused_at is not null as "is_refused!""#,
            topic,
            url,
            is_allowed,
            WAITING_MAX
        )
        .fetch_optional(self.pool())
        .await?;
        Ok(match row {
            None => Asked::TooMany,
            Some(row) if is_allowed || row.is_approved => Asked::Allowed,
            Some(row) if row.is_refused => Asked::Refused,
            Some(_) => Asked::Waits,
        })
    }

    /// The subscriptions that are to be confirmed now: each with where that is done. Another process does not get them
    /// for some seconds.
    pub async fn subscriptions_to_confirm(&self) -> Result<Vec<(String, String)>, Error> {
        let rows = sqlx::query!(
            r#"update sns_subscriptions
            set tried_at = now()
            where
                subscribe_url is not null
                and (is_allowed or approved_at is not null)
                and asked_at > now() - interval '2 days'
                and (tried_at is null or tried_at < now() - interval '10 seconds')
            returning topic, subscribe_url as "subscribe_url!""#
        )
        .fetch_all(self.pool())
        .await?;
        Ok(rows.into_iter().map(|row| (row.topic, row.subscribe_url)).collect())
    }

    /// SNS has confirmed a subscription, or not.
    pub async fn subscription_tried(&self, topic: &str, url: &str, error: Option<&str>) -> Result<(), Error> {
        let error = error.map(|error| error.replace('\0', "").chars().take(ERROR_MAX).collect::<String>());
        sqlx::query!(
            "update sns_subscriptions
            set
                error = $3,
                confirmed_at = case when $3::text is null then now() else confirmed_at end,
                ended_at = case when $3::text is null then null else ended_at end,
                subscribe_url = case when $3::text is not null then subscribe_url end
            where topic = $1 and subscribe_url = $2",
            topic,
            url,
            error
        )
        .execute(self.pool())
        .await?;
        Ok(())
    }

    /// SNS says that a topic's subscription has ended.
    pub async fn subscription_ended(&self, topic: &str, is_allowed: bool) -> Result<(), Error> {
        sqlx::query!(
            "insert into sns_subscriptions (topic, is_allowed, ended_at)
            values ($1, $2, now())
            on conflict (topic) do update set ended_at = now()",
            topic,
            is_allowed
        )
        .execute(self.pool())
        .await?;
        Ok(())
    }

    /// Notes how a topic's posts are signed.
    pub async fn note_signature(&self, topic: &str, is_allowed: bool, version: i16) -> Result<(), Error> {
        sqlx::query!(
            "insert into sns_subscriptions as s (topic, is_allowed, signature_version)
            values ($1, $2, $3)
            on conflict (topic) do update set signature_version = excluded.signature_version
            where s.signature_version is distinct from excluded.signature_version",
            topic,
            is_allowed,
            version
        )
        .execute(self.pool())
        .await?;
        Ok(())
    }

    /// Adds to the counts of refused posts, by reason.
    pub async fn add_refused(&self, counts: &[(&'static str, i64)]) -> Result<(), Error> {
        let (reasons, numbers): (Vec<String>, Vec<i64>) =
            counts.iter().map(|(reason, count)| ((*reason).to_owned(), *count)).unzip();
        sqlx::query!(
            "with old as (
                delete from sns_refusals where day < current_date - 15
            )
            insert into sns_refusals as r (day, reason, count, last_at)
            select current_date, reason, count, now()
            from unnest($1::text[], $2::bigint[]) as given (reason, count)
            order by reason
            on conflict (day, reason) do update set count = r.count + excluded.count, last_at = excluded.last_at",
            &reasons,
            &numbers
        )
        .execute(self.pool())
        .await?;
        Ok(())
    }

    /// What operators see of it.
    pub async fn webhook(&self) -> Result<WebhookView, Error> {
        let as_of = self.now().await?;
        let subscriptions = sqlx::query!(
            "select topic, asked_at, is_allowed, approved_at, refused_at, decided_by, error, confirmed_at, ended_at,
                signature_version
            from sns_subscriptions
            order by topic
            limit 200"
        )
        .fetch_all(self.pool())
        .await?;
        let refused = sqlx::query!(
            r#"select
                reason,
                sum(count)::bigint as "count!",
                coalesce(sum(count) filter (where day >= current_date - 1), 0)::bigint as "lately!",
                max(last_at) as "last_at!"
            from sns_refusals
            where day >= current_date - 15
            group by reason
            order by 2 desc, reason
            limit 50"#
        )
        .fetch_all(self.pool())
        .await?;
        Ok(WebhookView {
            as_of,
            subscriptions: subscriptions
                .into_iter()
                .map(|row| Subscription {
                    topic: row.topic.into(),
                    asked_at: row.asked_at.map(Into::into),
                    is_allowed: row.is_allowed,
                    approved_at: row.approved_at.map(Into::into),
                    refused_at: row.refused_at.map(Into::into),
                    decided_by: row.decided_by.map(Into::into),
                    error: row.error.map(Into::into),
                    confirmed_at: row.confirmed_at.map(Into::into),
                    ended_at: row.ended_at.map(Into::into),
                    signature_version: row.signature_version,
                })
                .collect(),
            refused: refused
                .into_iter()
                .map(|row| Refused {
                    reason: row.reason.into(),
                    lately: row.lately,
                    count: row.count,
                    last_at: row.last_at.into(),
                })
                .collect(),
        })
    }
}

/// Approves a topic, or refuses it; `false` if there is none of that name.
pub async fn decide(
    connection: &mut PgConnection,
    topic: &str,
    is_approved: bool,
    decided_by: &str,
) -> Result<bool, Error> {
    let done = sqlx::query!(
        "update sns_subscriptions
        set
            approved_at = case when $2 then now() end,
            refused_at = case when $2 then null else now() end,
            tried_at = null,
            error = null,
            decided_by = $3
        where topic = $1",
        topic,
        is_approved,
        decided_by
    )
    .execute(connection)
    .await?;
    Ok(done.rows_affected() == 1)
}
