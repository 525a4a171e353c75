//! Lists of the audit log: a query that is put together at run time.
//!
//! There are few kinds of entries (door, action, actor and role), so that each list is made of the newest entries of the
//! kinds that belong to it: first the newest of each, then, of those whose newest is new enough to be on the page, as many
//! as the page has. That costs what the kinds cost, wherever in ten million entries the page is, and however few belong to
//! it. What is about one user, the user's own index finds.

use sqlx::{FromRow, Postgres, QueryBuilder};

use super::EntryRow;
use crate::domain::audit::{Action, AuditFilter, AuditPlace, AuditRow, Origin};
use crate::domain::filter::{Number, Pattern, Search};
use crate::domain::id::VerificationId;
use crate::domain::page::{Page, Position};
use crate::store::list::{FOUND_MAX, search};
use crate::store::{Error, Store, StoredTime};

/// Every kind: the first one, then always the first one behind it.
const KINDS: &str = r#"with recursive every_kind as (
        (
            select origin, action, actor, coalesce(login, '') as login
            from audit_log
            order by origin collate "C", action collate "C", actor collate "C", coalesce(login, '') collate "C"
            limit 1
        )
        union all
        select next.origin, next.action, next.actor, next.login
        from every_kind k
        cross join lateral (
            select origin, action, actor, coalesce(login, '') as login
            from audit_log
            where
                (origin collate "C", action collate "C", actor collate "C", coalesce(login, '') collate "C")
                > (k.origin, k.action, k.actor, k.login)
            order by origin collate "C", action collate "C", actor collate "C", coalesce(login, '') collate "C"
            limit 1
        ) as next
    ), "#;

/// An entry with what is shown of its user.
const SHOWN: &str = "
    select
        a.id, a.at, a.actor, a.origin, a.action, a.outcome, a.reason, a.before::text as before, a.after::text as after,
        a.undoes, a.user_id, a.verification_id, a.send_id, a.login, host(a.client) as client, u.email,
        case
            when a.action <> 'change_address' or a.outcome <> 'done' then null
            when later.action is null then u.email
            else later.email
        end as new_email,
        case when u.id is not null then coalesce(
            a.verification_id,
            (select v.id from verifications v where v.user_id = u.id order by v.id desc limit 1)
        ) end as shown_by
    from page
    join audit_log a on a.id = page.id
    left join users u on u.id = a.user_id
    left join lateral (
        -- An undo does not say which address it has taken away.
        select next.action, next.before ->> 'email' as email
        from audit_log next
        where
            a.action = 'change_address'
            and next.user_id = a.user_id
            and next.id > a.id
            and (next.action, next.outcome) in (('change_address', 'done'), ('undo', 'change_address'))
        order by next.id
        limit 1
    ) later on true";

impl Store {
    /// A page of the audit log, newest first. `limit` entries at most, at least one.
    pub async fn audit(
        &self,
        filter: &AuditFilter,
        position: Position<AuditPlace>,
        limit: i64,
    ) -> Result<Page<AuditRow>, Error> {
        let limit = limit.max(1);
        let users = self.users_of(filter).await.map_err(unreadable)?;
        let mut query = QueryBuilder::new("");
        push_page(&mut query, filter, users.as_ref(), &position, limit);
        // A plan made without what is asked for would be a bad one for most of it.
        let rows = query.build_query_as::<Row>().persistent(false).fetch_all(self.pool()).await;
        let rows = rows.map_err(|error| unreadable(error.into()))?;
        Ok(Page::cut(rows.into_iter().map(AuditRow::from).collect(), limit, &position, chrono::Utc::now()))
    }

    /// How a page is read, as PostgreSQL explains it: for tests of its plans.
    #[doc(hidden)]
    pub async fn explain_audit(
        &self,
        filter: &AuditFilter,
        position: Position<AuditPlace>,
        limit: i64,
    ) -> Result<String, Error> {
        let users = self.users_of(filter).await?;
        let mut query = QueryBuilder::new("explain (analyze, buffers) ");
        push_page(&mut query, filter, users.as_ref(), &position, limit);
        let lines: Vec<String> = query.build_query_scalar().persistent(false).fetch_all(self.pool()).await?;
        Ok(lines.join("\n"))
    }

    /// The users that a filter is about; `None` if it is about everyone.
    async fn users_of<'a>(&self, filter: &'a AuditFilter) -> Result<Option<Found<'a>>, Error> {
        let Some(search) = &filter.whom else { return Ok(None) };
        if !search.can_find() {
            return Ok(Some(Found::These(Vec::new())));
        }
        let mut query = QueryBuilder::new("");
        search::push_users(&mut query, search);
        // Users who were deleted are in the log all the same.
        match search.number() {
            Some(Number::User(id)) => _ = query.push(" union (select ").push_bind(id.0).push("::bigint)"),
            Some(Number::Verification(id)) => {
                query
                    .push(" union (select user_id from audit_log where user_id is not null and verification_id = ")
                    .push_bind(id.0)
                    .push(")");
            }
            None => {}
        }
        let earlier = match search.clauses() {
            [patterns] => patterns.as_slice(),
            _ => &[],
        };
        for prefix in earlier.iter().map(Pattern::prefix_like) {
            query
                .push(
                    " union (select user_id from audit_log
                    where before ->> 'email' is not null and lower(before ->> 'email') like ",
                )
                .push_bind(prefix)
                .push(" limit ")
                .push_bind(FOUND_MAX + 1)
                .push(")");
        }
        let ids: Vec<i64> = query.build_query_scalar().persistent(false).fetch_all(self.pool()).await?;
        let few = i64::try_from(ids.len()).is_ok_and(|count| count <= FOUND_MAX);
        Ok(Some(if few { Found::These(ids) } else { Found::Many(search) }))
    }
}

/// The users that a search finds.
enum Found<'a> {
    These(Vec<i64>),
    /// So many that a walk soon meets some.
    Many(&'a Search),
}

fn unreadable(error: Error) -> Error {
    match error {
        Error::ReadOnly(why) => Error::NoAudit(why),
        other => other,
    }
}

/// The rows of a page, read away from the position.
fn push_page(
    query: &mut QueryBuilder<Postgres>,
    filter: &AuditFilter,
    users: Option<&Found<'_>>,
    position: &Position<AuditPlace>,
    limit: i64,
) {
    let order = if matches!(position, Position::Before(_) | Position::Oldest) { "at, id" } else { "at desc, id desc" };
    let push_limit = |query: &mut QueryBuilder<Postgres>| {
        query.push(" order by ").push(order).push(" limit ").push_bind(limit + 1);
    };
    if let Some(Found::These(users)) = users {
        // Fenced off, or else the planner may walk the log after all, in the hope to meet them soon.
        query
            .push("with page as (select id, at from (select * from audit_log where user_id = any(")
            .push_bind(users.clone())
            .push(") offset 0) a where true");
        push_kind(query, filter, "coalesce(login, '')");
        push_times(query, filter, position);
    } else {
        query.push(KINDS).push("kinds as (select * from every_kind where true");
        push_kind(query, filter, "login");
        query.push("), heads as (select k.*, newest.at, newest.id from kinds k cross join lateral (");
        push_of_kind(query, filter, users, position);
        query.push(" order by ").push(order).push(" limit 1) newest");
        push_limit(query);
        query.push("), page as (select these.id, these.at from heads k cross join lateral (");
        push_of_kind(query, filter, users, position);
        push_limit(query);
        query.push(") these");
    }
    push_limit(query);
    query.push(")").push(SHOWN);
    query.push(" order by ").push(order.replace("at", "a.at").replace("id", "a.id"));
}

/// The entries of a kind that belong to the list, between its times and beyond the position.
fn push_of_kind(
    query: &mut QueryBuilder<Postgres>,
    filter: &AuditFilter,
    users: Option<&Found<'_>>,
    position: &Position<AuditPlace>,
) {
    query.push("select at, id from audit_log a where ");
    query.push(
        r#"(origin collate "C", action collate "C", actor collate "C", coalesce(login, '') collate "C")
            = (k.origin, k.action, k.actor, k.login)"#,
    );
    if let Some(Found::Many(search)) = users {
        query.push(" and exists (select from users u where u.id = a.user_id and ");
        search::push_clauses(query, search, "u.email", "u.name");
        query.push(")");
    }
    push_times(query, filter, position);
}

fn push_kind(query: &mut QueryBuilder<Postgres>, filter: &AuditFilter, login: &str) {
    if let Some(origins) = &filter.origins {
        let origins: Vec<&str> = origins.iter().copied().map(Origin::as_str).collect();
        query.push(" and origin = any(").push_bind(owned(&origins)).push(")");
    }
    if let Some(actions) = &filter.actions {
        let actions: Vec<&str> = actions.iter().copied().map(Action::as_str).collect();
        query.push(" and action = any(").push_bind(owned(&actions)).push(")");
    }
    if let Some(by) = &filter.by {
        let by = by.to_lowercase().replace('\0', "");
        query.push(" and (strpos(lower(actor), ").push_bind(by.clone()).push(") > 0 or strpos(lower(").push(login);
        query.push("), ").push_bind(by).push(") > 0)");
    }
}

fn owned(names: &[&str]) -> Vec<String> {
    names.iter().copied().map(str::to_owned).collect()
}

fn push_times(query: &mut QueryBuilder<Postgres>, filter: &AuditFilter, position: &Position<AuditPlace>) {
    if let Some(since) = filter.since {
        query.push(" and at >= ").push_bind(StoredTime(since));
    }
    if let Some(until) = filter.until {
        query.push(" and at < ").push_bind(StoredTime(until));
    }
    let (place, beyond) = match position {
        Position::Newest | Position::Oldest => return,
        Position::After(place) => (place, " < ("),
        Position::Before(place) => (place, " > ("),
    };
    query.push(" and (at, id)").push(beyond).push_bind(StoredTime(place.at)).push(", ").push_bind(place.id).push(")");
}

#[derive(FromRow)]
struct Row {
    #[sqlx(flatten)]
    entry: EntryRow,
    after: Option<String>,
    undoes: Option<i64>,
    email: Option<String>,
    new_email: Option<String>,
    shown_by: Option<i64>,
}

impl From<Row> for AuditRow {
    fn from(row: Row) -> Self {
        Self {
            entry: row.entry.into(),
            email: row.email.map(Into::into),
            after: row.after.map(Into::into),
            undoes: row.undoes,
            new_email: row.new_email.map(Into::into),
            shown_by: row.shown_by.map(VerificationId),
        }
    }
}
