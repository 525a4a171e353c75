//! Reading sends: lists of them, those of a verification, their events.

mod found;
pub(crate) mod whole;

pub(super) use found::{Users, found, push_searched};
use sqlx::{FromRow, Postgres, QueryBuilder};
use uuid::Uuid;

use super::list::search;
use super::{Error, Store, StoredTime, mailed};
use crate::domain::filter::{Filter, Number};
use crate::domain::id::{SendId, UserId, VerificationId};
use crate::domain::page::{Page, Position};
use crate::domain::send::{MadeOf, SendEvent, SendRow, SendState};

const COLUMNS: &str = "id, verification_id, user_id, recipient, locale, state, queued_at, due_at, changed_at, attempts, \
                       lost, retry_at, ses_id, reply, reason, test_of, templates_fingerprint, settings_fingerprint";

/// The name of the user that a mail is for, as they have it now.
const NAME: &str = "(select u.name from users u where u.id = s.user_id)";

impl Store {
    /// A page of sends, newest first unless the filter says otherwise.
    pub async fn sends(&self, filter: &Filter, position: Position<SendId>, limit: i64) -> Result<Page<SendRow>, Error> {
        let found = self.found_sends(filter).await?;
        self.sends_of_found(filter, found.as_deref(), position, limit).await
    }

    /// The mails that a filter finds, where they are few.
    async fn found_sends(&self, filter: &Filter) -> Result<Option<Vec<Uuid>>, Error> {
        let mut connection = self.pool().acquire().await?;
        found(&mut connection, filter).await
    }

    async fn sends_of_found(
        &self,
        filter: &Filter,
        found: Option<&[Uuid]>,
        position: Position<SendId>,
        limit: i64,
    ) -> Result<Page<SendRow>, Error> {
        let limit = limit.max(1);
        let is_up = filter.is_oldest_first();
        let position = if is_up { position.mirrored() } else { position };
        if found.is_some_and(<[Uuid]>::is_empty) {
            return Ok(Page::cut(Vec::new(), limit, &position, chrono::Utc::now()));
        }
        let mut query = QueryBuilder::<Postgres>::new("select found.*, ");
        query.push("coalesce((select u.verified_at is not null from users u where u.id = found.user_id), false) as is_verified");
        query.push(" from (");
        for (at, state) in mailed::branches(filter, found.is_some()).into_iter().enumerate() {
            query.push(if at == 0 { "(" } else { " union all (" });
            query.push("select ").push(COLUMNS).push(" from ");
            push_source(&mut query, filter, found);
            if let Some(state) = state {
                query.push(" and s.state = ").push_bind(state.as_str());
            }
            push_conditions(&mut query, filter);
            match position {
                Position::Newest | Position::Oldest => {}
                Position::After(id) => _ = query.push(" and s.id < ").push_bind(id.0),
                Position::Before(id) => _ = query.push(" and s.id > ").push_bind(id.0),
            }
            push_order(&mut query, position);
            query.push(" limit ").push_bind(limit + 1).push(")");
        }
        query.push(") found");
        push_order(&mut query, position);
        query.push(" limit ").push_bind(limit + 1);
        let rows = query.build_query_as::<Listed>().persistent(false).fetch_all(self.pool()).await?;
        let page = Page::cut(rows.into_iter().map(SendRow::from).collect(), limit, &position, chrono::Utc::now());
        let mut page = if is_up { page.mirrored() } else { page };
        // Of the others, their state says it all.
        let is_told_by_events = |send: &&mut SendRow| {
            matches!(send.state, SendState::Delayed | SendState::Bounced | SendState::Complained | SendState::Rejected)
        };
        self.add_events(&mut page.rows.iter_mut().filter(is_told_by_events).collect::<Vec<_>>()).await?;
        Ok(page)
    }

    /// Fills in what SES reported, the oldest first.
    async fn add_events(&self, sends: &mut [&mut SendRow]) -> Result<(), Error> {
        if sends.is_empty() {
            return Ok(());
        }
        let ids: Vec<Uuid> = sends.iter().map(|send| send.id.0).collect();
        let events = sqlx::query!(
            r#"select id, send_id as "send_id!", kind, sub_kind, occurred_at, detail, until
            from ses_events
            where send_id = any($1)
            order by occurred_at, id"#,
            &ids
        )
        .fetch_all(self.pool())
        .await?;
        for event in events {
            if let Some(send) = sends.iter_mut().find(|send| send.id.0 == event.send_id) {
                send.events.push(SendEvent {
                    id: event.id,
                    kind: event.kind.into(),
                    sub_kind: event.sub_kind.into(),
                    occurred_at: event.occurred_at.into(),
                    detail: event.detail.into(),
                    until: event.until.map(Into::into),
                });
            }
        }
        Ok(())
    }

    /// The newest sends of a verification with their events.
    pub(super) async fn sends_of(&self, id: VerificationId, limit: i64) -> Result<Vec<SendRow>, Error> {
        let rows = sqlx::query_as!(
            Row,
            "select id, verification_id, user_id, recipient, locale, state, queued_at, due_at, changed_at, attempts,
                lost, retry_at, ses_id, reply, reason, test_of, templates_fingerprint, settings_fingerprint
            from sends
            where verification_id = $1
            order by id desc
            limit $2",
            id.0,
            limit
        )
        .fetch_all(self.pool())
        .await?;
        self.with_events(rows).await
    }

    /// The newest sends to a user with their events, of whichever verification.
    pub(super) async fn sends_of_user(&self, user: UserId, limit: i64) -> Result<Vec<SendRow>, Error> {
        let rows = sqlx::query_as!(
            Row,
            "select id, verification_id, user_id, recipient, locale, state, queued_at, due_at, changed_at, attempts,
                lost, retry_at, ses_id, reply, reason, test_of, templates_fingerprint, settings_fingerprint
            from sends
            where user_id = $1
            order by id desc
            limit $2",
            user.0,
            limit
        )
        .fetch_all(self.pool())
        .await?;
        self.with_events(rows).await
    }

    async fn with_events(&self, rows: Vec<Row>) -> Result<Vec<SendRow>, Error> {
        let mut sends: Vec<SendRow> = rows.into_iter().map(Into::into).collect();
        self.add_events(&mut sends.iter_mut().collect::<Vec<_>>()).await?;
        Ok(sends)
    }
}

/// Mails to read from: those found, or all.
pub(super) fn push_source(query: &mut QueryBuilder<Postgres>, filter: &Filter, found: Option<&[Uuid]>) {
    match (&filter.search, found) {
        // Fenced off, as in the list of verifications.
        (_, Some(ids)) => {
            query.push("(select * from sends where id = any(").push_bind(ids.to_vec()).push(") offset 0) s where true")
        }
        // Of one user or verification an index has them in order, however many they are.
        (Some(search), None) if search.clauses().is_empty() => match search.number() {
            Some(Number::User(id)) => query.push("sends s where s.user_id = ").push_bind(id.0),
            Some(Number::Verification(id)) => query.push("sends s where s.verification_id = ").push_bind(id.0),
            None => query.push("sends s where false"),
        },
        // `is true` keeps the planner from reading all that match by their index, and then sorting them.
        (Some(search), None) => {
            query.push("sends s where (");
            search::push_clauses(query, search, "s.recipient", NAME);
            query.push(") is true")
        }
        (None, None) => query.push("sends s where true"),
    };
}

/// What else a filter asks of a mail `s`.
pub(super) fn push_conditions(query: &mut QueryBuilder<Postgres>, filter: &Filter) {
    if let Some(domain) = &filter.domain {
        query.push(" and (lower(s.recipient) like ").push_bind(search::domain_like(domain)).push(") is true");
    }
    if let Some(locale) = filter.locale {
        query.push(" and s.locale = ").push_bind(locale.as_str());
    }
    mailed::push_mail(query, filter, "s");
}

fn push_order(query: &mut QueryBuilder<Postgres>, position: Position<SendId>) {
    let backwards = matches!(position, Position::Before(_) | Position::Oldest);
    query.push(if backwards { " order by id" } else { " order by id desc" });
}

#[derive(FromRow)]
struct Row {
    id: Uuid,
    verification_id: Option<i64>,
    user_id: Option<i64>,
    recipient: String,
    locale: String,
    state: String,
    queued_at: StoredTime,
    due_at: StoredTime,
    changed_at: StoredTime,
    attempts: i16,
    lost: i16,
    retry_at: Option<StoredTime>,
    ses_id: Option<String>,
    reply: Option<String>,
    reason: Option<String>,
    test_of: Option<String>,
    templates_fingerprint: Option<i32>,
    settings_fingerprint: Option<i32>,
}

/// A row of a list.
#[derive(FromRow)]
struct Listed {
    #[sqlx(flatten)]
    row: Row,
    is_verified: bool,
}

impl From<Listed> for SendRow {
    fn from(Listed { row, is_verified }: Listed) -> Self {
        Self { is_verified, ..row.into() }
    }
}

impl From<Row> for SendRow {
    fn from(row: Row) -> Self {
        Self {
            id: SendId(row.id),
            verification_id: row.verification_id.map(VerificationId),
            user_id: row.user_id.map(UserId),
            recipient: row.recipient.into(),
            locale: row.locale.parse().unwrap_or_default(),
            // A constraint keeps the column to the known states.
            state: row.state.parse().unwrap_or(SendState::Unknown),
            queued_at: row.queued_at.into(),
            due_at: row.due_at.into(),
            changed_at: row.changed_at.into(),
            attempts: row.attempts,
            lost: row.lost,
            retry_at: row.retry_at.map(Into::into),
            ses_id: row.ses_id.map(Into::into),
            reply: row.reply.map(Into::into),
            reason: row.reason.map(Into::into),
            test_of: row.test_of.map(Into::into),
            is_verified: false,
            made_of: row
                .templates_fingerprint
                .zip(row.settings_fingerprint)
                .map(|(templates, settings)| MadeOf { templates, settings }),
            events: Vec::new(),
        }
    }
}
