//! Reading sends: lists of them, those of a verification, their events.

mod exact;
mod find;
mod found;
mod walk;
pub(crate) mod whole;

pub(super) use found::{Users, found, push_searched};
use sqlx::{FromRow, PgConnection, Postgres, QueryBuilder};
use uuid::Uuid;

use super::list::search;
use super::{Error, Store, StoredTime, mailed};
use crate::domain::Time;
use crate::domain::filter::{Filter, Number};
use crate::domain::id::{SendId, UserId, VerificationId};
use crate::domain::page::{Page, Position};
use crate::domain::send::{MadeOf, SendEvent, SendRow, SendState};

const COLUMNS: &str = "id, verification_id, user_id, recipient, locale, state, queued_at, due_at, changed_at, attempts, \
                       lost, retry_at, ses_id, reply, reason, test_of, templates_fingerprint, settings_fingerprint";

/// The name of the user that a mail is for, as they have it now.
const NAME: &str = "(select u.name from users u where u.id = s.user_id)";

/// What page of a list.
#[derive(Clone, Copy)]
struct Wanted<'a> {
    filter: &'a Filter,
    /// In the list that has the newest first.
    position: Position<SendId>,
    /// How many rows at most.
    limit: i64,
}

impl<'a> Wanted<'a> {
    fn of(filter: &'a Filter, position: Position<SendId>, limit: i64) -> Self {
        let position = if filter.is_oldest_first() { position.mirrored() } else { position };
        Self { filter, position, limit }
    }

    /// Whether the first row is the oldest.
    fn is_backwards(&self) -> bool {
        matches!(self.position, Position::Before(_) | Position::Oldest)
    }

    /// Beyond which mail it begins.
    fn beyond(&self) -> Option<&Uuid> {
        match &self.position {
            Position::Newest | Position::Oldest => None,
            Position::After(id) | Position::Before(id) => Some(&id.0),
        }
    }
}

impl Store {
    /// A page of sends, newest first unless the filter says otherwise, but those before all others that are exactly what is
    /// looked for.
    pub async fn sends(&self, filter: &Filter, position: Position<SendId>, limit: i64) -> Result<Page<SendRow>, Error> {
        self.sends_telling(filter, position, limit, |_, _| {}).await
    }

    /// The same. While it takes long, it tells every tenth of a second or so what was found so far, and up to when all
    /// was looked at. Dropped, it ends in the database within as long.
    pub async fn sends_telling(
        &self,
        filter: &Filter,
        position: Position<SendId>,
        limit: i64,
        tell: impl FnMut(&[SendRow], Time) + Send,
    ) -> Result<Page<SendRow>, Error> {
        let limit = limit.max(1);
        let exact = self.exact_sends(filter).await?;
        let mut page = if exact.is_empty() {
            self.rest_of_sends(filter, (position, limit), &exact, tell).await?
        } else {
            self.sends_exact_first(filter, (position, limit), &exact, tell).await?
        };
        self.tell_results(&mut page.rows).await?;
        Ok(page)
    }

    /// A page of a list without these mails, which stand before all others.
    async fn rest_of_sends(
        &self,
        filter: &Filter,
        (position, limit): (Position<SendId>, i64),
        exact: &[Uuid],
        mut tell: impl FnMut(&[SendRow], Time) + Send,
    ) -> Result<Page<SendRow>, Error> {
        let more = i64::try_from(exact.len()).unwrap_or_default();
        let wanted = Wanted::of(filter, position, limit + 1 + more);
        let tell = |rows: &[SendRow], at| tell(&exact::without(rows.to_vec(), exact), at);
        let mut rows = exact::without(self.find_sends(&wanted, tell).await?, exact);
        rows.truncate(usize::try_from(limit + 1).unwrap_or(usize::MAX));
        let page = Page::cut(rows, limit, &wanted.position, chrono::Utc::now());
        Ok(if filter.is_oldest_first() { page.mirrored() } else { page })
    }

    /// A page of the mails that were found, or of all where an index has them in the list's order.
    async fn page_of_sends(&self, found: Option<&[Uuid]>, wanted: &Wanted<'_>) -> Result<Vec<SendRow>, Error> {
        if found.is_some_and(<[Uuid]>::is_empty) {
            return Ok(Vec::new());
        }
        let mut query = QueryBuilder::new("");
        push_page(&mut query, found, wanted);
        let rows = query.build_query_as::<Listed>().persistent(false).fetch_all(self.pool()).await?;
        Ok(rows.into_iter().map(Into::into).collect())
    }

    /// Fills in what SES reported of those whose state does not say it all.
    async fn tell_results(&self, sends: &mut [SendRow]) -> Result<(), Error> {
        let is_told_by_events = |send: &&mut SendRow| {
            matches!(send.state, SendState::Delayed | SendState::Bounced | SendState::Complained | SendState::Rejected)
        };
        self.add_events(&mut sends.iter_mut().filter(is_told_by_events).collect::<Vec<_>>()).await
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

/// The rows of a page, the first as near to the position as can be.
fn push_page(query: &mut QueryBuilder<Postgres>, found: Option<&[Uuid]>, wanted: &Wanted<'_>) {
    let backwards = wanted.is_backwards();
    push_listed(query);
    for (at, state) in mailed::branches(wanted.filter, found.is_some()).into_iter().enumerate() {
        query.push(if at == 0 { "(" } else { " union all (" });
        query.push("select ").push(COLUMNS).push(" from ");
        push_source(query, wanted.filter, found);
        push_state(query, state);
        push_conditions(query, wanted.filter);
        push_beyond(query, wanted.beyond(), backwards);
        push_order(query, backwards);
        query.push(" limit ").push_bind(wanted.limit).push(")");
    }
    push_beside(query);
    push_order(query, backwards);
    query.push(" limit ").push_bind(wanted.limit);
}

/// These mails, in the order of a list.
async fn rows_of(connection: &mut PgConnection, ids: &[Uuid], backwards: bool) -> Result<Vec<SendRow>, Error> {
    let mut query = QueryBuilder::<Postgres>::new("");
    push_listed(&mut query);
    query.push("select ").push(COLUMNS).push(" from sends where id = any(").push_bind(ids).push(")");
    push_beside(&mut query);
    push_order(&mut query, backwards);
    let rows = query.build_query_as::<Listed>().persistent(false).fetch_all(connection).await?;
    Ok(rows.into_iter().map(Into::into).collect())
}

/// Before the mails that a list shows.
fn push_listed(query: &mut QueryBuilder<Postgres>) {
    query.push("select found.*, u.*, d.* from (");
}

/// Behind them: what is told of their users besides, and when they were delivered. Fenced off, so that each user is looked
/// up by their number.
fn push_beside(query: &mut QueryBuilder<Postgres>) {
    query.push(
        ") found
        left join lateral (
            select verified_at is not null as is_verified, delete_after is not null as is_leaving
            from users
            where id = found.user_id
            offset 0
        ) u on true
        left join lateral (
            select max(occurred_at) as delivered_at
            from ses_events
            where found.state = 'delivered' and send_id = found.id and kind = 'Delivery'
        ) d on true",
    );
}

fn push_state(query: &mut QueryBuilder<Postgres>, state: Option<SendState>) {
    if let Some(state) = state {
        query.push(" and s.state = ").push_bind(state.as_str());
    }
}

fn push_beyond(query: &mut QueryBuilder<Postgres>, id: Option<&Uuid>, backwards: bool) {
    if let Some(id) = id {
        query.push(if backwards { " and s.id > " } else { " and s.id < " }).push_bind(*id);
    }
}

fn push_order(query: &mut QueryBuilder<Postgres>, backwards: bool) {
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
    is_verified: Option<bool>,
    is_leaving: Option<bool>,
    delivered_at: Option<StoredTime>,
}

impl From<Listed> for SendRow {
    fn from(Listed { row, is_verified, is_leaving, delivered_at }: Listed) -> Self {
        let is = Option::unwrap_or_default;
        let delivered_at = delivered_at.map(Into::into);
        Self { is_verified: is(is_verified), is_leaving: is(is_leaving), delivered_at, ..row.into() }
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
            is_leaving: false,
            made_of: row
                .templates_fingerprint
                .zip(row.settings_fingerprint)
                .map(|(templates, settings)| MadeOf { templates, settings }),
            delivered_at: None,
            events: Vec::new(),
        }
    }
}
