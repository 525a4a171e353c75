//! Webhooks as they are listed and shown.

use super::super::{Error, Store, StoredTime};
use crate::domain::hook::{
    Attempt, COUNTED_MAX, Delivery, DeliveryFilter, DeliveryPlace, DeliveryState, GIVEN_UP_LATELY, HookEndpoint,
    MessageDetail, MessageId,
};
use crate::domain::id::UserId;
use crate::domain::page::{Page, Position};

/// Most attempts that are shown of a message: more than three days have, at each of some endpoints.
const ATTEMPTS_MAX: i64 = 500;

/// A delivery with its message, as all queries here read them.
macro_rules! delivery_of {
    ($row:ident) => {
        Delivery {
            number: $row.message_id,
            id: MessageId($row.uid),
            kind: $row.kind.into(),
            user_id: $row.user_id.map(UserId),
            at: $row.at.into(),
            endpoint: $row.endpoint.into(),
            // A constraint keeps the column to the known states.
            state: $row.state.parse().unwrap_or(DeliveryState::Waiting),
            attempts: $row.attempts,
            due_at: $row.due_at.into(),
            changed_at: $row.changed_at.into(),
            status: $row.status,
            error: $row.error.map(Into::into),
        }
    };
}

impl Store {
    /// Deliveries, the newest messages first: of each endpoint and state as many as a page has, and of those the first.
    pub async fn deliveries(
        &self,
        filter: &DeliveryFilter,
        after: Option<&DeliveryPlace>,
        limit: i64,
    ) -> Result<Page<Delivery>, Error> {
        if let Some(user) = filter.user {
            return self.deliveries_about(user, filter, after, limit).await;
        }
        let as_of = self.now().await?;
        let states: Vec<String> = match filter.state {
            Some(state) => vec![state.as_str().to_owned()],
            None => [DeliveryState::Waiting, DeliveryState::Delivered, DeliveryState::GivenUp]
                .map(|state| state.as_str().to_owned())
                .to_vec(),
        };
        let rows = sqlx::query!(
            r#"with recursive names (name) as (
                -- Also of endpoints that are forgotten.
                (select endpoint from webhook_deliveries where $1::text is null order by endpoint limit 1)
                union all
                select (
                    select d.endpoint from webhook_deliveries d where d.endpoint > n.name order by d.endpoint limit 1
                )
                from names n
                where n.name is not null
            ),
            bounds as (
                -- By number, nearly in the order of time: a transaction may have begun an hour before its message has one.
                select
                    coalesce(
                        (
                            select m.id
                            from webhook_messages m
                            where m.at < $6::timestamptz - interval '1 hour'
                            order by m.at desc
                            limit 1
                        ),
                        0
                    ) as first,
                    coalesce(
                        (
                            select m.id
                            from webhook_messages m
                            where m.at > $7::timestamptz + interval '1 hour'
                            order by m.at
                            limit 1
                        ),
                        9223372036854775807
                    ) as last
            )
            select
                f.message_id as "message_id!", f.uid as "uid!", f.kind as "kind!", f.user_id, f.at as "at!",
                f.endpoint as "endpoint!", f.state as "state!", f.attempts as "attempts!", f.due_at as "due_at!",
                f.changed_at as "changed_at!", f.status, f.error
            from bounds b
            cross join (
                select name from names where name is not null union select $1::text where $1::text is not null
            ) e
            cross join unnest($2::text[]) as wanted (state)
            cross join lateral (
                select
                    d.message_id, d.endpoint, d.state, d.attempts, d.due_at, d.changed_at, d.status, d.error,
                    m.uid, m.kind, m.at, m.user_id
                from webhook_deliveries d
                join webhook_messages m on m.id = d.message_id
                where
                    d.endpoint = e.name
                    and d.state = wanted.state
                    and d.message_id >= b.first
                    and d.message_id <= least(b.last, coalesce($3::bigint, 9223372036854775807))
                    and ($3::bigint is null or d.message_id < $3 or d.endpoint > $4)
                    and ($6::timestamptz is null or m.at >= $6)
                    and ($7::timestamptz is null or m.at < $7)
                order by d.message_id desc
                limit $5
            ) f
            order by f.message_id desc, f.endpoint
            limit $5"#,
            filter.endpoint.as_deref(),
            &states,
            after.map(|place| place.number),
            after.map(|place| place.endpoint.as_str()),
            limit + 1,
            filter.since.map(StoredTime) as Option<StoredTime>,
            filter.until.map(StoredTime) as Option<StoredTime>
        )
        .fetch_all(self.pool())
        .await?;
        let rows = rows.into_iter().map(|row| delivery_of!(row)).collect();
        let position = after.map_or(Position::Newest, Position::After);
        Ok(Page::cut(rows, limit, &position, as_of))
    }

    /// The same of the messages about one user, by those: few have many.
    async fn deliveries_about(
        &self,
        user: UserId,
        filter: &DeliveryFilter,
        after: Option<&DeliveryPlace>,
        limit: i64,
    ) -> Result<Page<Delivery>, Error> {
        let as_of = self.now().await?;
        let rows = sqlx::query!(
            "select
                d.message_id, m.uid, m.kind, m.user_id, m.at, d.endpoint, d.state, d.attempts, d.due_at, d.changed_at,
                d.status, d.error
            from webhook_messages m
            join webhook_deliveries d on d.message_id = m.id
            where
                m.user_id = $1
                and m.id <= coalesce($2::bigint, 9223372036854775807)
                and ($2::bigint is null or d.message_id < $2 or d.endpoint > $3)
                and ($4::text is null or d.state = $4)
                and ($5::text is null or d.endpoint = $5)
                and ($6::timestamptz is null or m.at >= $6)
                and ($7::timestamptz is null or m.at < $7)
            order by m.id desc, d.endpoint
            limit $8",
            user.0,
            after.map(|place| place.number),
            after.map(|place| place.endpoint.as_str()),
            filter.state.map(DeliveryState::as_str),
            filter.endpoint.as_deref(),
            filter.since.map(StoredTime) as Option<StoredTime>,
            filter.until.map(StoredTime) as Option<StoredTime>,
            limit + 1
        )
        .fetch_all(self.pool())
        .await?;
        let rows = rows.into_iter().map(|row| delivery_of!(row)).collect();
        let position = after.map_or(Position::Newest, Position::After);
        Ok(Page::cut(rows, limit, &position, as_of))
    }

    /// A message, with what was answered at each attempt.
    pub async fn webhook_message(&self, id: MessageId) -> Result<Option<MessageDetail>, Error> {
        let message = sqlx::query!("select id, kind, user_id, at, body from webhook_messages where uid = $1", id.0)
            .fetch_optional(self.pool())
            .await?;
        let Some(message) = message else { return Ok(None) };
        let deliveries = sqlx::query!(
            "select
                d.message_id, m.uid, m.kind, m.user_id, m.at, d.endpoint, d.state, d.attempts, d.due_at, d.changed_at,
                d.status, d.error
            from webhook_deliveries d
            join webhook_messages m on m.id = d.message_id
            where d.message_id = $1
            order by d.endpoint",
            message.id
        )
        .fetch_all(self.pool())
        .await?;
        let attempts = sqlx::query!(
            "select endpoint, at, status, error
            from (
                select endpoint, at, status, error
                from webhook_attempts
                where message_id = $1
                order by at desc
                limit $2
            ) as latest
            order by endpoint, at",
            message.id,
            ATTEMPTS_MAX
        )
        .fetch_all(self.pool())
        .await?;
        Ok(Some(MessageDetail {
            id,
            kind: message.kind.into(),
            user_id: message.user_id.map(UserId),
            at: message.at.into(),
            body: message.body.into(),
            deliveries: deliveries.into_iter().map(|row| delivery_of!(row)).collect(),
            attempts: attempts
                .into_iter()
                .map(|row| Attempt {
                    endpoint: row.endpoint.into(),
                    at: row.at.into(),
                    status: row.status,
                    error: row.error.into(),
                })
                .collect(),
        }))
    }

    /// Where the site is told, and how that goes: by indexes, and up to a bound.
    pub async fn hook_endpoints(&self) -> Result<Vec<HookEndpoint>, Error> {
        let rows = sqlx::query!(
            r#"select
                e.name, e.place, e.since, e.seen_at, e.disabled_at, e.delivered_at, e.failing_since, e.error,
                (
                    select count(*) from (
                        select from webhook_deliveries d
                        where d.endpoint = e.name and d.state = 'waiting'
                        limit $1
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
                        where d.endpoint = e.name and d.state = 'given_up'
                        limit $1
                    ) as counted
                ) as "given_up!",
                (
                    select count(*) from (
                        select from webhook_deliveries d
                        where
                            d.endpoint = e.name
                            and d.state = 'given_up'
                            and d.changed_at > now() - make_interval(secs => $2)
                        limit $1
                    ) as counted
                ) as "given_up_lately!"
            from webhook_endpoints e
            order by e.name
            limit 100"#,
            COUNTED_MAX,
            GIVEN_UP_LATELY.as_secs_f64()
        )
        .fetch_all(self.pool())
        .await?;
        Ok(rows
            .into_iter()
            .map(|row| HookEndpoint {
                name: row.name.into(),
                place: row.place.into(),
                since: row.since.into(),
                seen_at: row.seen_at.into(),
                disabled_at: row.disabled_at.map(Into::into),
                delivered_at: row.delivered_at.map(Into::into),
                failing_since: row.failing_since.map(Into::into),
                error: row.error.map(Into::into),
                waiting: row.waiting,
                oldest: row.oldest.map(Into::into),
                given_up: row.given_up,
                given_up_lately: row.given_up_lately,
            })
            .collect())
    }
}
