//! Sends that a filter finds few enough of to be named one by one.

use sqlx::{PgConnection, Postgres, QueryBuilder};
use uuid::Uuid;

use super::NAME;
use crate::domain::filter::{Filter, Number, Search};
use crate::store::list::{self, FOUND_MAX, search};
use crate::store::{Error, mailed};

/// The sends that a filter finds: wherever in the address of a mail or the name of its user the text is, by a number or an
/// id, or by the domain; `None` if it asks for none of that, if there are so many that a walk along the list soon meets
/// some, or if it names a job, whose mails have an index of their own to walk along.
pub(in crate::store) async fn found(
    connection: &mut PgConnection,
    filter: &Filter,
) -> Result<Option<Vec<Uuid>>, Error> {
    if filter.search.as_ref().is_some_and(|search| !search.can_find()) {
        return Ok(Some(Vec::new()));
    }
    let mut query = QueryBuilder::<Postgres>::new("");
    match (&filter.search, filter.job, &filter.domain) {
        (Some(search), ..) => {
            // Where only some of the users were named, only some of their mails would be found.
            let users = if search.clauses().is_empty() {
                Vec::new()
            } else {
                let Some(users) = list::named(connection, |query| search::push_fitting(query, search)).await? else {
                    return Ok(None);
                };
                users
            };
            push_searched(&mut query, filter, search, Users::Named(users));
        }
        (None, None, Some(domain)) => {
            let Some(users) = list::named(connection, |query| search::push_domain(query, domain)).await? else {
                return Ok(None);
            };
            query.push("(select s.id from sends s where s.user_id = any(").push_bind(users).push(")");
            push_states_and_limit(&mut query, filter);
            for of in [Of::Earlier, Of::Tests] {
                query.push(" union (select s.id from ");
                of.push(&mut query);
                query.push(" where lower(s.recipient) like ").push_bind(search::domain_like(domain));
                push_states_and_limit(&mut query, filter);
            }
        }
        (None, Some(_), _) | (None, None, None) => return Ok(None),
    }
    // A plan made without the text would be a bad one for most texts.
    let ids: Vec<Uuid> = query.build_query_scalar().persistent(false).fetch_all(connection).await?;
    Ok(i64::try_from(ids.len()).is_ok_and(|count| count <= FOUND_MAX).then_some(ids))
}

fn push_states_and_limit(query: &mut QueryBuilder<Postgres>, filter: &Filter) {
    mailed::push_states(query, filter, "s");
    query.push(" limit ").push_bind(FOUND_MAX + 1).push(")");
}

/// Whose mails a search finds.
pub(in crate::store) enum Users {
    Named(Vec<i64>),
    /// Those that the search finds, as far as they are looked for.
    Fitting,
}

/// The ids of the mails that a search finds, in the filter's states, or `FOUND_MAX` of a branch and one more.
pub(in crate::store) fn push_searched(
    query: &mut QueryBuilder<Postgres>,
    filter: &Filter,
    search: &Search,
    users: Users,
) {
    query.push("(select id from sends where ses_id = any(").push_bind(search.ses_ids().to_vec()).push("))");
    if let Some(id) = search.send() {
        query.push(" union (select id from sends where id = ").push_bind(id.0).push(")");
    }
    if let Some(number) = search.number() {
        match number {
            Number::User(id) => query.push(" union (select s.id from sends s where s.user_id = ").push_bind(id.0),
            Number::Verification(id) => {
                query.push(" union (select s.id from sends s where s.verification_id = ").push_bind(id.0)
            }
        };
        push_states_and_limit(query, filter);
    }
    let has_users = match &users {
        Users::Named(users) => !users.is_empty(),
        Users::Fitting => !search.clauses().is_empty(),
    };
    if has_users {
        query.push(" union (select s.id from sends s where s.user_id = any(");
        match users {
            Users::Named(users) => _ = query.push_bind(users),
            Users::Fitting => {
                query.push("array(");
                search::push_fitting(query, search);
                query.push(")");
            }
        }
        query.push(") and ");
        // A user's mail to an address of before does not fit by that of today.
        search::push_clauses(query, search, "s.recipient", NAME);
        push_states_and_limit(query, filter);
    }
    if search.clauses().is_empty() {
        return;
    }
    for of in [Of::Earlier, Of::Tests] {
        query.push(" union (select s.id from ");
        of.push(query);
        query.push(" where ");
        search::push_clauses(query, search, "s.recipient", NAME);
        push_states_and_limit(query, filter);
    }
    if let [patterns] = search.clauses() {
        for pattern in patterns {
            query.push(" union (select s.id from sends s where lower(s.recipient) like ");
            query.push_bind(pattern.prefix_like());
            push_states_and_limit(query, filter);
        }
    }
}

/// Whose mails are looked up.
#[derive(Clone, Copy)]
pub(super) enum Of<'a> {
    Users(&'a [i64]),
    /// Those whose address was another: a mail went to the one of then.
    Earlier,
    /// Tests are for no user.
    Tests,
}

impl Of<'_> {
    /// The mails `s`. Fenced off, as in the list of verifications.
    pub(super) fn push(self, query: &mut QueryBuilder<Postgres>) {
        query.push("(select * from sends where ");
        match self {
            Self::Users(users) => query.push("user_id = any(").push_bind(users.to_vec()).push(")"),
            Self::Earlier => {
                query.push("user_id = any(array(select user_id from audit_log where before ->> 'email' is not null))")
            }
            Self::Tests => query.push("user_id is null and test_of is not null"),
        };
        query.push(" offset 0) s");
    }
}
