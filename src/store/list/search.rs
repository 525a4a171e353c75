//! What a search asks of the database. Each branch of a query has an index of its own: a plain `or` over several tables
//! would use none.

use sqlx::{Postgres, QueryBuilder};

use super::FOUND_MAX;
use crate::domain::filter::{Number, Pattern, Search};
use crate::store::{Error, Store};

/// The ids of the users that a search finds, or `FOUND_MAX` of a branch and one more.
pub(in crate::store) fn push_users(query: &mut QueryBuilder<Postgres>, search: &Search) {
    push_fitting(query, search);
    if !search.clauses().is_empty() {
        query.push(" union ");
    }
    push_named(query, search);
}

impl Store {
    /// How users are looked for, as PostgreSQL explains it: for tests of its plans.
    #[doc(hidden)]
    pub async fn explain_search(&self, search: &Search) -> Result<String, Error> {
        let mut query = QueryBuilder::new("explain ");
        push_users(&mut query, search);
        let lines: Vec<String> = query.build_query_scalar().persistent(false).fetch_all(self.pool()).await?;
        Ok(lines.join("\n"))
    }
}

/// Those whose e-mail or name fits. Nothing if the search asks for neither.
pub(in crate::store) fn push_fitting(query: &mut QueryBuilder<Postgres>, search: &Search) {
    match search.clauses() {
        [] => {}
        [patterns] => {
            let columns = patterns.iter().flat_map(|pattern| ["email", "name"].map(|column| (column, pattern)));
            for (at, (column, pattern)) in columns.enumerate() {
                query.push(if at == 0 {
                    "(select id from users where lower("
                } else {
                    " union (select id from users where lower("
                });
                query.push(column).push(") like ").push_bind(pattern.like());
                query.push(" limit ").push_bind(FOUND_MAX + 1).push(")");
            }
        }
        // Planned as if all were to be read: for the first few, words that seldom come together would be looked for in
        // one user after the other.
        _ => {
            query.push("(with fitting as materialized (select u.id from users u where ");
            push_clauses(query, search, "u.email", "u.name");
            query.push(") select id from fitting limit ").push_bind(FOUND_MAX + 1).push(")");
        }
    }
}

/// The users that are named by a number or an id.
pub(super) fn push_named(query: &mut QueryBuilder<Postgres>, search: &Search) {
    match search.number() {
        Some(Number::User(id)) => query.push("(select id from users where id = ").push_bind(id.0).push(")"),
        Some(Number::Verification(id)) => {
            query.push("(select user_id from verifications where id = ").push_bind(id.0).push(")")
        }
        None => query.push("(select id from users where false)"),
    };
    if let Some(id) = search.send() {
        query.push(" union (select user_id from sends where user_id is not null and id = ").push_bind(id.0).push(")");
    }
    if !search.ses_ids().is_empty() {
        query.push(" union (select user_id from sends where user_id is not null and ses_id = any(");
        query.push_bind(search.ses_ids().to_vec()).push("))");
    }
}

/// Whether an e-mail and a name fit. Each word has an index in both.
pub(in crate::store) fn push_clauses(query: &mut QueryBuilder<Postgres>, search: &Search, email: &str, name: &str) {
    if search.clauses().is_empty() {
        query.push("false");
    }
    for (at, patterns) in search.clauses().iter().enumerate() {
        query.push(if at == 0 { "(" } else { " and (" });
        for (at, pattern) in patterns.iter().map(Pattern::like).enumerate() {
            query.push(if at == 0 { "lower(" } else { " or lower(" });
            query.push(email).push(") like ").push_bind(pattern.clone());
            query.push(" or lower(").push(name).push(") like ").push_bind(pattern);
        }
        query.push(")");
    }
}
