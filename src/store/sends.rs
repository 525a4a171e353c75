//! Reading sends: lists of them, those of a verification, their events.

use sqlx::{FromRow, Postgres, QueryBuilder};
use uuid::Uuid;

use super::list::{FOUND_MAX, search};
use super::{Error, Store, StoredTime};
use crate::domain::filter::{Number, Search, SendFilter};
use crate::domain::id::{SendId, UserId, VerificationId};
use crate::domain::page::{Page, Position};
use crate::domain::send::{SendEvent, SendRow, SendState};

const COLUMNS: &str = "id, verification_id, user_id, recipient, locale, state, queued_at, due_at, changed_at, attempts, \
                       lost, retry_at, ses_id, reply, reason, test_of";

/// The name of the user that a mail is for, as they have it now.
const NAME: &str = "(select u.name from users u where u.id = sends.user_id)";

impl Store {
    /// A page of sends, newest first.
    pub async fn sends(
        &self,
        filter: &SendFilter,
        position: Position<SendId>,
        limit: i64,
    ) -> Result<Page<SendRow>, Error> {
        let limit = limit.max(1);
        let found = self.found_sends(filter).await?;
        if found.as_ref().is_some_and(Vec::is_empty) {
            return Ok(Page::cut(Vec::new(), limit, &position, chrono::Utc::now()));
        }
        let mut query = QueryBuilder::<Postgres>::new("select ");
        query.push(COLUMNS);
        match (&filter.search, found) {
            // Fenced off, as in the list of verifications.
            (Some(_), Some(ids)) => query
                .push(" from (select * from sends where id = any(")
                .push_bind(ids)
                .push(") offset 0) found where true"),
            // `is true` keeps the planner from reading all that match by their index, and then sorting them.
            (Some(search), None) => {
                query.push(" from sends where (");
                search::push_clauses(&mut query, search, "recipient", NAME);
                query.push(") is true")
            }
            (None, _) => query.push(" from sends where true"),
        };
        if let Some(state) = filter.state {
            query.push(" and state = ").push_bind(state.as_str());
        }
        let backwards = match position {
            Position::Newest => false,
            Position::Oldest => true,
            Position::After(id) => {
                query.push(" and id < ").push_bind(id.0);
                false
            }
            Position::Before(id) => {
                query.push(" and id > ").push_bind(id.0);
                true
            }
        };
        query.push(if backwards { " order by id limit " } else { " order by id desc limit " }).push_bind(limit + 1);
        let rows = query.build_query_as::<Row>().persistent(false).fetch_all(self.pool()).await?;
        let mut page = Page::cut(rows.into_iter().map(SendRow::from).collect(), limit, &position, chrono::Utc::now());
        // Of the others, their state says it all.
        let is_told_by_events = |send: &&mut SendRow| {
            matches!(send.state, SendState::Delayed | SendState::Bounced | SendState::Complained | SendState::Rejected)
        };
        self.add_events(&mut page.rows.iter_mut().filter(is_told_by_events).collect::<Vec<_>>()).await?;
        Ok(page)
    }

    /// The sends that a filter's search finds: wherever in the name and the address of a user the text is, at the
    /// beginning of the address that a mail went to, or by a number or an id; `None` if there is no search, or if there
    /// are so many that a walk along the list soon meets some.
    async fn found_sends(&self, filter: &SendFilter) -> Result<Option<Vec<Uuid>>, Error> {
        let Some(search) = &filter.search else { return Ok(None) };
        if !search.can_find() {
            return Ok(Some(Vec::new()));
        }
        let mut query = QueryBuilder::<Postgres>::new("");
        push_found(&mut query, search, filter.state);
        // A plan made without the text would be a bad one for most texts.
        let ids: Vec<Uuid> = query.build_query_scalar().persistent(false).fetch_all(self.pool()).await?;
        Ok(i64::try_from(ids.len()).is_ok_and(|count| count <= FOUND_MAX).then_some(ids))
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
                lost, retry_at, ses_id, reply, reason, test_of
            from sends
            where verification_id = $1
            order by id desc
            limit $2",
            id.0,
            limit
        )
        .fetch_all(self.pool())
        .await?;
        let mut sends: Vec<SendRow> = rows.into_iter().map(Into::into).collect();
        self.add_events(&mut sends.iter_mut().collect::<Vec<_>>()).await?;
        Ok(sends)
    }
}

/// The ids of the sends that a search finds, in this state or in all, or `FOUND_MAX` of a branch and one more.
pub(super) fn push_found(query: &mut QueryBuilder<Postgres>, search: &Search, state: Option<SendState>) {
    query.push("(select id from sends where ses_id = any(").push_bind(search.ses_ids().to_vec()).push("))");
    if let Some(id) = search.send() {
        query.push(" union (select id from sends where id = ").push_bind(id.0).push(")");
    }
    let push_state_and_limit = |query: &mut QueryBuilder<Postgres>| {
        if let Some(state) = state {
            query.push(" and state = ").push_bind(state.as_str());
        }
        query.push(" limit ").push_bind(FOUND_MAX + 1).push(")");
    };
    if let Some(number) = search.number() {
        match number {
            Number::User(id) => query.push(" union (select id from sends where user_id = ").push_bind(id.0),
            Number::Verification(id) => {
                query.push(" union (select id from sends where verification_id = ").push_bind(id.0)
            }
        };
        push_state_and_limit(query);
    }
    if !search.clauses().is_empty() {
        query.push(" union (select sends.id from (");
        search::push_fitting(query, search);
        query.push(") as found join sends on sends.user_id = found.id where ");
        // A user's mail to an address of before does not fit by that of today.
        search::push_clauses(query, search, "recipient", NAME);
        push_state_and_limit(query);
    }
    if let [patterns] = search.clauses() {
        for pattern in patterns {
            query.push(" union (select id from sends where lower(recipient) like ").push_bind(pattern.prefix_like());
            push_state_and_limit(query);
        }
    }
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
            events: Vec::new(),
        }
    }
}
