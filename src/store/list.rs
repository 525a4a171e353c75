//! Lists of verifications: the one query that is put together at run time.

pub(super) mod exact;
pub(super) mod find;
pub(super) mod found;
pub(super) mod search;
mod walk;
pub(crate) mod whole;

use sqlx::{FromRow, PgExecutor, Postgres, QueryBuilder};
use uuid::Uuid;

use self::find::Wanted;
use self::walk::Walk;
use super::{Error, Store, StoredTime};
use crate::domain::Time;
use crate::domain::filter::{Filter, Span};
use crate::domain::id::{SendId, UserId, VerificationId};
use crate::domain::page::{At, Cursor, Page, Position};
use crate::domain::send::LastSend;
use crate::domain::sort::{By, Sort};
use crate::domain::user::User;
use crate::domain::verdict::Told;
use crate::domain::verification::{Status, Verification, VerificationRow};

pub(super) use found::{Found, found, found_users, named};

/// Newer rows are counted up to here.
pub const NEWER_MAX: i64 = 100;

/// Up to how many users a search names one by one. They are looked up in a moment, and of more than these, some stand
/// at the beginning of nearly every list.
pub(super) const FOUND_MAX: i64 = 5_000;

/// What lists need of a verification; its nonce, only workers may read.
const COLUMNS: &str =
    "v.id, v.user_id, v.created_at, v.expires_at, v.verified_at, v.revoked_at, v.opened_at, v.key_digest";

impl Store {
    /// A page of verifications, newest first, but those before all others that are exactly what is looked for. `limit` rows
    /// at most, at least one.
    pub async fn list(&self, filter: &Filter, position: Position, limit: i64) -> Result<Page<VerificationRow>, Error> {
        self.list_telling(filter, position, limit, |_, _| {}).await
    }

    /// The same. While it takes long, it tells every tenth of a second or so what was found so far, and up to when all
    /// was looked at. Dropped, it ends in the database within as long.
    pub async fn list_telling(
        &self,
        filter: &Filter,
        position: Position,
        limit: i64,
        tell: impl FnMut(&[VerificationRow], Time) + Send,
    ) -> Result<Page<VerificationRow>, Error> {
        let limit = limit.max(1);
        let as_of = self.as_of(&position).await?;
        let exact = self.exact(filter).await?;
        if exact.is_empty() {
            return self.rest_of_list(&Wanted { filter, position, as_of, limit }, &exact, tell).await;
        }
        self.list_exact_first(&Wanted { filter, position, as_of, limit }, &exact, tell).await
    }

    /// A page of a list without these verifications, which stand before all others.
    async fn rest_of_list(
        &self,
        page: &Wanted<'_>,
        exact: &[i64],
        mut tell: impl FnMut(&[VerificationRow], Time) + Send,
    ) -> Result<Page<VerificationRow>, Error> {
        let Wanted { filter, as_of, limit, .. } = *page;
        let is_up = filter.order().is_up;
        let position = if is_up { page.position.clone().mirrored() } else { page.position.clone() };
        let wanted = Wanted { filter, position, as_of, limit: limit + 1 + count(exact) };
        let tell = |rows: &[VerificationRow], at| tell(&exact::without(rows.to_vec(), exact), at);
        let rows = match (self.found_by_terms(filter).await?, &filter.search) {
            (Some(found), _) => self.page_of(&found, &wanted).await?,
            (None, _) if filter.order().by == By::Email => self.page_by_email(&wanted).await?,
            (None, Some(search)) if !filter.names_few() => self.find(search, &wanted, tell).await?,
            (None, None) if filter.is_by_status() => self.page_of(&Found::all(filter), &wanted).await?,
            (None, _) => self.walk(&wanted, tell).await?,
        };
        let mut rows = exact::without(rows, exact);
        rows.truncate(usize::try_from(limit + 1).unwrap_or(usize::MAX));
        let page = Page::cut(rows, limit, &wanted.position, as_of);
        Ok(if is_up { page.mirrored() } else { page })
    }

    /// A page of a list in the order of addresses. It may have to go through all of them: dropped, it ends in the database as
    /// well.
    async fn page_by_email(&self, wanted: &Wanted<'_>) -> Result<Vec<VerificationRow>, Error> {
        let found = self.by_email(wanted).await?;
        if found.is_named() {
            return self.page_of(&found, wanted).await;
        }
        let mut query = QueryBuilder::new("select coalesce(array_agg(id), '{}') from (");
        push_of_page(&mut query, &found, wanted, "v.id");
        query.push(") as page");
        let ids = self.ask_stoppably(found::BEGIN_READING, query).await?;
        let mut query = QueryBuilder::new("with page as (select ");
        query.push(COLUMNS).push(" from verifications v where v.id = any(").push_bind(ids).push("))");
        push_rows(&mut query, "page");
        push_order(&mut query, By::Email, wanted.is_backwards());
        let rows = query.build_query_as::<ListRow>().persistent(false).fetch_all(self.pool()).await?;
        Ok(rows.into_iter().map(Into::into).collect())
    }

    /// The users that a filter finds, where the list is in the order of addresses: those that are named, or else each one that the
    /// order comes to.
    async fn by_email<'a>(&self, wanted: &Wanted<'a>) -> Result<Found<'a>, Error> {
        let filter = wanted.filter;
        let users = match &filter.search {
            Some(search) if !search.can_find() => Some(Vec::new()),
            Some(search) => self.name_few(search).await?,
            None => None,
        };
        Ok(match users {
            Some(users) => Found::of(filter, users),
            None if self.is_status_short(wanted).await? => Found::all_of_status(filter),
            None => Found::all(filter),
        })
    }

    /// Whether a status has so few verifications that to read and sort them all is shorter than to look for a page of them
    /// among all users.
    async fn is_status_short(&self, wanted: &Wanted<'_>) -> Result<bool, Error> {
        let Some(status) = wanted.filter.status else { return Ok(false) };
        let counts = self.counts().await?;
        let of_status = counts.of(Some(status));
        Ok(of_status.saturating_mul(of_status) <= counts.of(None).saturating_mul(wanted.limit))
    }

    /// The time that decides between pending and expired in the list of which this is a place.
    async fn as_of(&self, position: &Position) -> Result<Time, Error> {
        match position {
            Position::Newest | Position::Oldest => self.now().await,
            Position::After(cursor) | Position::Before(cursor) => Ok(cursor.as_of),
        }
    }

    /// A page of a list, of those that were found.
    async fn page_of(&self, found: &Found<'_>, wanted: &Wanted<'_>) -> Result<Vec<VerificationRow>, Error> {
        page_of(self.pool(), found, wanted).await
    }

    /// How a page of a list without a search is read, as PostgreSQL explains it: for tests of its plans.
    #[doc(hidden)]
    pub async fn explain_list(&self, filter: &Filter, position: Position, limit: i64) -> Result<String, Error> {
        let as_of = self.as_of(&position).await?;
        let position = if filter.order().is_up { position.mirrored() } else { position };
        let mut query = QueryBuilder::new("explain (analyze, buffers) ");
        let wanted = Wanted { filter, position, as_of, limit: limit + 1 };
        let found = if filter.order().by == By::Email { self.by_email(&wanted).await? } else { Found::all(filter) };
        push_page(&mut query, &found, &wanted);
        let lines: Vec<String> = query.build_query_scalar().persistent(false).fetch_all(self.pool()).await?;
        Ok(lines.join("\n"))
    }

    /// These verifications as they are now, in no particular order: to bring what is on a screen up to date.
    pub async fn rows(&self, ids: &[VerificationId]) -> Result<Vec<VerificationRow>, Error> {
        let ids: Vec<i64> = ids.iter().map(|id| id.0).collect();
        let mut query = QueryBuilder::new("with page as (select ");
        query.push(COLUMNS).push(" from verifications v where v.id = any(").push_bind(ids).push("))");
        push_rows(&mut query, "page");
        Ok(query.build_query_as::<ListRow>().fetch_all(self.pool()).await?.into_iter().map(Into::into).collect())
    }

    /// How many rows of a list in its own order are newer than this place, counted up to `NEWER_MAX`; in any other they
    /// come in anywhere. What is pending is decided by the present time.
    pub async fn newer(&self, filter: &Filter, than: Cursor) -> Result<i64, Error> {
        if than.sort != Sort::default_of(filter.status) || filter.order() != than.sort {
            return Ok(0);
        }
        let by = than.sort.by;
        let found = match (self.found_by_terms(filter).await?, &filter.search) {
            (Some(found), _) => found,
            (None, Some(search)) if !search.can_find() => return Ok(0),
            (None, None) if filter.is_by_status() => Found::all(filter),
            (None, search) => {
                // Mostly there are few rows in all.
                let position = Position::Before(than.clone());
                let wanted = Wanted { filter, position, as_of: self.now().await?, limit: NEWER_MAX };
                let mut walk = Walk::of(self, &wanted).await?;
                let newer = walk.count(self, NEWER_MAX).await?;
                if newer == NEWER_MAX || walk.is_over() {
                    return Ok(newer);
                }
                let users = match search {
                    Some(search) => self.name_few(search).await?,
                    None => None,
                };
                users.map_or(Found::all(filter), |users| Found::of(filter, users))
            }
        };
        if found.is_no_one() {
            return Ok(0);
        }
        let mut query = QueryBuilder::new("select count(*) from (select 1 from ");
        push_filter(&mut query, &found, None);
        push_beyond(&mut query, by, (&than.at, than.id), Beyond::More);
        if !found.is_named() && !filter.is_by_status() && filter.status != Some(Status::Pending) {
            // There were none between that place and the time that the list was read at.
            query
                .push(" and ")
                .push(column(by))
                .push(" > ")
                .push_bind(StoredTime(than.as_of))
                .push(" - interval '1 minute'");
        }
        query.push(" limit ").push_bind(NEWER_MAX).push(") as newer");
        Ok(query.build_query_scalar().persistent(false).fetch_one(self.pool()).await?)
    }

    /// The users that a filter's terms find, if that can be named.
    async fn found_by_terms<'a>(&self, filter: &'a Filter) -> Result<Option<Found<'a>>, Error> {
        if !filter.names_few() {
            return Ok(None);
        }
        Ok(Some(found::found_stoppably(self, filter).await?).filter(Found::is_named))
    }
}

async fn page_of(
    executor: impl PgExecutor<'_>,
    found: &Found<'_>,
    wanted: &Wanted<'_>,
) -> Result<Vec<VerificationRow>, Error> {
    if found.is_no_one() {
        return Ok(Vec::new());
    }
    let mut query = QueryBuilder::new("");
    push_page(&mut query, found, wanted);
    let rows = query.build_query_as::<ListRow>().persistent(false).fetch_all(executor).await?;
    Ok(rows.into_iter().map(Into::into).collect())
}

/// The rows of a page, the first as near to the position as can be.
fn push_page(query: &mut QueryBuilder<Postgres>, found: &Found<'_>, wanted: &Wanted<'_>) {
    query.push("with page as (");
    push_of_page(query, found, wanted, COLUMNS);
    query.push(")");
    push_rows(query, "page");
    push_order(query, wanted.filter.order().by, wanted.is_backwards());
}

/// What a page has of verifications.
fn push_of_page(query: &mut QueryBuilder<Postgres>, found: &Found<'_>, wanted: &Wanted<'_>, columns: &str) {
    let Wanted { filter, ref position, as_of, limit } = *wanted;
    let (by, backwards) = (filter.order().by, wanted.is_backwards());
    query.push("select ").push(columns).push(" from ");
    if by == By::Email {
        push_listed(query, found, Some(as_of), ("users u join ", " v on v.user_id = u.id where "));
    } else {
        push_filter(query, found, Some(as_of));
    }
    match position {
        Position::Newest | Position::Oldest => {}
        Position::After(cursor) => push_beyond(query, by, (&cursor.at, cursor.id), Beyond::Less),
        Position::Before(cursor) => push_beyond(query, by, (&cursor.at, cursor.id), Beyond::More),
    }
    push_order(query, by, backwards);
    query.push(" limit ").push_bind(limit);
}

fn count<T>(rows: &[T]) -> i64 {
    i64::try_from(rows.len()).unwrap_or(i64::MAX)
}

fn are_few(ids: &[i64]) -> bool {
    i64::try_from(ids.len()).is_ok_and(|count| count <= FOUND_MAX)
}

/// What to read from, and which rows of it. `as_of` is the present if it is not given.
pub(super) fn push_filter(query: &mut QueryBuilder<Postgres>, found: &Found<'_>, as_of: Option<Time>) {
    push_listed(query, found, as_of, ("", " v where "));
}

/// The same, with what stands before and behind what is read from.
fn push_listed(
    query: &mut QueryBuilder<Postgres>,
    found: &Found<'_>,
    as_of: Option<Time>,
    (before, behind): (&str, &str),
) {
    query.push(before);
    // Fenced off by `offset 0`, or else the planner may walk the order after all, in the hope to meet them soon.
    match (&found.verifications, &found.users) {
        (Some(ids), users) => {
            query.push("(select ").push(COLUMNS).push(" from verifications v where v.id = any(").push_bind(ids.clone());
            if let Some(users) = users {
                query.push(") and v.user_id = any(").push_bind(users.clone());
            }
            query.push(") offset 0)")
        }
        (None, Some(users)) => query
            .push("(select ")
            .push(COLUMNS)
            .push(" from verifications v where v.user_id = any(")
            .push_bind(users.clone())
            .push(") offset 0)"),
        (None, None) if found.is_status_short => {
            query.push("(select ").push(COLUMNS).push(" from verifications v where ");
            push_conditions(query, found.filter, as_of);
            query.push(" offset 0)")
        }
        (None, None) => query.push("verifications"),
    };
    query.push(behind);
    push_conditions(query, found.filter, as_of);
    found.push_rest(query);
}

/// The same of a verification `v`, one after the other: where the way leads by something else.
pub(super) fn push_found(query: &mut QueryBuilder<Postgres>, found: &Found<'_>, as_of: Option<Time>) {
    query.push(" and ");
    push_conditions(query, found.filter, as_of);
    if let Some(users) = &found.users {
        query.push(" and v.user_id = any(").push_bind(users.clone()).push(")");
    }
    found.push_rest(query);
}

/// What decides whether a verification is of the list, of whichever user.
fn push_conditions(query: &mut QueryBuilder<Postgres>, filter: &Filter, as_of: Option<Time>) {
    let open = "v.verified_at is null and v.revoked_at is null and v.expires_at ";
    match filter.status {
        None => query.push("true"),
        Some(Status::Pending) => push_time(query.push(open).push("> "), as_of),
        Some(Status::Expired) => push_time(query.push(open).push("<= "), as_of),
        Some(Status::Verified) => query.push("v.verified_at is not null"),
        Some(Status::Revoked) => query.push("v.revoked_at is not null"),
    };
    let range = match filter.status {
        None | Some(Status::Pending) => "v.created_at",
        Some(Status::Expired) => "v.expires_at",
        Some(Status::Verified) => "v.verified_at",
        Some(Status::Revoked) => "v.revoked_at",
    };
    // Where the filter speaks of the last mail, they are that one's.
    let listed = Span { from: filter.since, to: filter.until };
    push_span(query, range, if filter.asks_for_mail() { Span::default() } else { listed });
}

/// Whether a column is within a span of time.
pub(super) fn push_span(query: &mut QueryBuilder<Postgres>, column: &str, span: Span) {
    for (comparison, time) in [(" >= ", span.from), (" < ", span.to)] {
        if let Some(time) = time {
            query.push(" and ").push(column).push(comparison).push_bind(StoredTime(time));
        }
    }
}

fn push_time(query: &mut QueryBuilder<Postgres>, time: Option<Time>) -> &mut QueryBuilder<Postgres> {
    match time {
        Some(time) => query.push_bind(StoredTime(time)),
        None => query.push("now()"),
    }
}

/// What a list is in the order of, of a verification `v` and its user `u`; then by number.
pub(super) fn column(by: By) -> &'static str {
    match by {
        By::Created | By::Queued => "v.created_at",
        By::Expires => "v.expires_at",
        By::Verified => "v.verified_at",
        By::Revoked => "v.revoked_at",
        By::Email => "lower(u.email)",
    }
}

/// On which side of a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Beyond {
    Less,
    More,
}

pub(super) fn push_beyond(query: &mut QueryBuilder<Postgres>, by: By, (at, id): (&At, i64), beyond: Beyond) {
    let is_less = beyond == Beyond::Less;
    let column = column(by);
    query.push(" and ");
    match at {
        At::Time(at) => {
            query.push("(").push(column).push(if is_less { ", v.id) < (" } else { ", v.id) > (" });
            query.push_bind(StoredTime(*at)).push(", ").push_bind(id).push(")");
        }
        // In the order of the index of addresses, which is that of their bytes.
        At::Email(email) => {
            let [or_same, beyond, id_beyond] =
                if is_less { [" ~<=~ ", " ~<~ ", " or v.id < "] } else { [" ~>=~ ", " ~>~ ", " or v.id > "] };
            query.push(column).push(or_same).push_bind(email.to_string());
            query.push(" and (").push(column).push(beyond).push_bind(email.to_string());
            query.push(id_beyond).push_bind(id).push(")");
        }
    }
}

pub(super) fn push_order(query: &mut QueryBuilder<Postgres>, by: By, backwards: bool) {
    query.push(" order by ").push(column(by)).push(match (by, backwards) {
        (By::Email, true) => " using ~<~, v.id",
        (By::Email, false) => " using ~>~, v.id desc",
        (_, true) => ", v.id",
        (_, false) => " desc, v.id desc",
    });
}

/// What a list shows of the verifications that `source` holds.
fn push_rows(query: &mut QueryBuilder<Postgres>, source: &str) {
    query
        .push(
            " select
                v.id, v.user_id, v.created_at, v.expires_at, v.verified_at, v.revoked_at, v.opened_at,
                encode(substring(v.key_digest for 4), 'hex') as key_fingerprint,
                u.email, u.name, u.locale, u.created_at as user_created_at, u.verified_at as user_verified_at,
                u.delete_after,
                s.id as send_id, s.state as send_state, s.changed_at as send_changed_at, s.attempts as send_attempts,
                s.reason as send_reason, s.reply as send_reply, e.kind, e.sub_kind, e.detail, e.occurred_at,
                x.reason is not null and not exists (
                    select
                    from suppression_reading r
                    where
                        -- By its key: where whole tables are never read, one that has none spoils the plan.
                        r.one
                        and x.checked_at < r.whole_begun_at
                        and not exists (select from suppression_list l where l.address = x.address)
                ) as is_suppressed
            from ",
        )
        .push(source)
        .push(
            " v
            join users u on u.id = v.user_id
            left join lateral (
                select id, state, changed_at, attempts, reason, reply
                from sends
                where verification_id = v.id
                order by state = 'cancelled', id desc
                limit 1
            ) s on true
            left join lateral (
                select kind, sub_kind, detail, occurred_at
                from ses_events
                where
                    send_id = s.id
                    and (s.state, kind) in (
                        ('bounced', 'Bounce'), ('bounced', 'Complaint'), ('delayed', 'DeliveryDelay'),
                        ('complained', 'Complaint'), ('delivered', 'Delivery'), ('rejected', 'Reject'),
                        ('rejected', 'Rendering Failure')
                    )
                order by kind, occurred_at desc, id desc
                limit 1
            ) e on s.state in ('bounced', 'delayed', 'complained', 'delivered', 'rejected')
            left join suppressions x on x.address = lower(u.email)",
        );
}

#[derive(FromRow)]
struct ListRow {
    id: i64,
    user_id: i64,
    created_at: StoredTime,
    expires_at: StoredTime,
    verified_at: Option<StoredTime>,
    revoked_at: Option<StoredTime>,
    opened_at: Option<StoredTime>,
    key_fingerprint: Option<String>,
    email: String,
    name: String,
    locale: String,
    user_created_at: StoredTime,
    user_verified_at: Option<StoredTime>,
    delete_after: Option<StoredTime>,
    send_id: Option<Uuid>,
    send_state: Option<String>,
    send_changed_at: Option<StoredTime>,
    send_attempts: Option<i16>,
    send_reason: Option<String>,
    send_reply: Option<String>,
    kind: Option<String>,
    sub_kind: Option<String>,
    detail: Option<String>,
    occurred_at: Option<StoredTime>,
    is_suppressed: bool,
}

impl ListRow {
    fn last_send(&self) -> Option<LastSend> {
        let state = self.send_state.as_deref()?.parse().ok()?;
        let is_verified = self.verified_at.is_some() || self.user_verified_at.is_some();
        let told = Told {
            state,
            attempts: self.send_attempts.unwrap_or_default(),
            kind: self.kind.as_deref().unwrap_or_default(),
            sub_kind: self.sub_kind.as_deref().unwrap_or_default(),
            said: self.detail.as_deref().unwrap_or_default(),
            reason: self.send_reason.as_deref().unwrap_or_default(),
            reply: self.send_reply.as_deref().unwrap_or_default(),
            is_opened: self.opened_at.is_some() && !is_verified && self.revoked_at.is_none(),
            is_suppressed: self.is_suppressed && !is_verified && self.revoked_at.is_none(),
        };
        let changed_at = self.send_changed_at?.into();
        let happened_at = self.occurred_at.map_or(changed_at, Into::into);
        Some(LastSend { id: SendId(self.send_id?), state, changed_at, happened_at, in_short: told.in_short() })
    }
}

impl From<ListRow> for VerificationRow {
    fn from(row: ListRow) -> Self {
        let last_send = row.last_send();
        Self {
            verification: Verification {
                id: VerificationId(row.id),
                user_id: UserId(row.user_id),
                created_at: row.created_at.into(),
                expires_at: row.expires_at.into(),
                verified_at: row.verified_at.map(Into::into),
                revoked_at: row.revoked_at.map(Into::into),
                opened_at: row.opened_at.map(Into::into),
                key_fingerprint: row.key_fingerprint,
            },
            user: User {
                id: UserId(row.user_id),
                email: row.email.into(),
                name: row.name.into(),
                locale: row.locale.parse().unwrap_or_default(),
                created_at: row.user_created_at.into(),
                verified_at: row.user_verified_at.map(Into::into),
                delete_after: row.delete_after.map(Into::into),
            },
            last_send,
        }
    }
}
