//! What a search asks of the database. Each branch of a query has an index of its own: a plain `or` over several tables
//! would use none.

use sqlx::{PgExecutor, Postgres, QueryBuilder};

use super::FOUND_MAX;
use crate::domain::address::DomainName;
use crate::domain::filter::near::{self, Candidates};
use crate::domain::filter::{Number, Pattern, Search};
use crate::store::{Error, Store};
use crate::text::Untrusted;

/// The ids of the users that a search finds, or `FOUND_MAX` of a branch and one more.
pub(in crate::store) fn push_users(query: &mut QueryBuilder<Postgres>, search: &Search) {
    push_fitting(query, search);
    if !search.clauses().is_empty() {
        query.push(" union ");
    }
    push_named(query, search);
}

/// The users that a number or an id in a search names.
pub(super) async fn named(executor: impl PgExecutor<'_>, search: &Search) -> Result<Vec<i64>, Error> {
    let mut query = QueryBuilder::new("");
    push_named(&mut query, search);
    Ok(query.build_query_scalar().persistent(false).fetch_all(executor).await?)
}

/// Whether the text fits the user of a verification `v`. Not `exists`, which the planner would turn into a join with every
/// user that matches.
pub(super) fn push_fits(query: &mut QueryBuilder<Postgres>, search: &Search) {
    query.push("(select ");
    push_clauses(query, search, "u.email", "u.name");
    query.push(" from users u where u.id = v.user_id)");
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

/// How many near misses are worth being read.
const NEAR_MAX: usize = 3;

impl Store {
    /// Addresses that are near to the one that was looked for, the likeliest first: to be asked for where that is not
    /// there. Each candidate is looked up in the index, within one query.
    pub async fn near_misses(&self, search: &Search) -> Result<Vec<Untrusted>, Error> {
        let Candidates { emails, locals } = near::candidates(search);
        if emails.is_empty() && locals.is_empty() {
            return Ok(Vec::new());
        }
        let mut query = QueryBuilder::new("");
        push_near(&mut query, &emails, &locals);
        let mut found: Vec<String> = query.build_query_scalar().persistent(false).fetch_all(self.pool()).await?;
        let place = |email: &String| {
            let email = email.to_lowercase();
            let local = email.split('@').next().unwrap_or_default();
            let position = |all: &[String], text: &str| all.iter().position(|candidate| candidate == text);
            position(&emails, &email).or_else(|| Some(emails.len() + position(&locals, local)?)).unwrap_or(usize::MAX)
        };
        found.sort_by_cached_key(place);
        found.truncate(NEAR_MAX);
        Ok(found.into_iter().map(Untrusted::from).collect())
    }

    /// How near misses are looked for, as PostgreSQL explains it: for tests of its plans.
    #[doc(hidden)]
    pub async fn explain_near_misses(&self, search: &Search) -> Result<String, Error> {
        let Candidates { emails, locals } = near::candidates(search);
        let mut query = QueryBuilder::new("explain ");
        push_near(&mut query, &emails, &locals);
        let lines: Vec<String> = query.build_query_scalar().persistent(false).fetch_all(self.pool()).await?;
        Ok(lines.join("\n"))
    }
}

/// One after the other: a list of so many would be looked for in each user instead, in a walk over all. `A` is the
/// character after `@`.
fn push_near(query: &mut QueryBuilder<Postgres>, emails: &[String], locals: &[String]) {
    query
        .push("(select near.email from unnest(")
        .push_bind(emails.to_vec())
        .push(
            "::text[]) as candidate
            cross join lateral (select email from users where lower(email) = candidate limit 1) as near
            limit 50)
            union (select near.email from unnest(",
        )
        .push_bind(locals.to_vec())
        .push(
            "::text[]) as candidate
            cross join lateral (
                select email
                from users
                where lower(email) ~>=~ (candidate || '@') and lower(email) ~<~ (candidate || 'A')
                limit 3
            ) as near
            limit 50)",
        );
}

/// Those whose e-mail or name fits. Nothing if the search asks for neither.
pub(in crate::store) fn push_fitting(query: &mut QueryBuilder<Postgres>, search: &Search) {
    match search.clauses() {
        [] => {}
        [patterns] => {
            for (at, pattern) in patterns.iter().enumerate() {
                query.push(if at == 0 { "" } else { " union " });
                push_fitting_one(query, pattern);
            }
        }
        // Planned as if all were to be read: for the first few, words that seldom come together would be looked for in
        // one user after the other.
        _ => {
            query.push("(with fitting as materialized (select u.id from users u where ");
            push_indexed(query, search, "u.email", "u.name");
            query.push(") select id from fitting limit ").push_bind(FOUND_MAX + 1).push(")");
        }
    }
}

/// Those whose address is there, by the index of what is inside of addresses.
pub(in crate::store) fn push_domain(query: &mut QueryBuilder<Postgres>, domain: &DomainName) {
    query.push("(select id from users where lower(email) like ").push_bind(domain_like(domain));
    query.push(" limit ").push_bind(FOUND_MAX + 1).push(")");
}

/// For SQL's `like` of an address in lower case. A domain name has no character that means something there.
pub(in crate::store) fn domain_like(domain: &DomainName) -> String {
    format!("%@{domain}")
}

fn push_fitting_one(query: &mut QueryBuilder<Postgres>, pattern: &Pattern) {
    if pattern.pairs().is_some() {
        query.push("(select id from users where ");
        push_pattern(query, pattern, ("email", "name"), By::Index);
        query.push(" limit ").push_bind(FOUND_MAX + 1).push(")");
        return;
    }
    for (at, column) in ["email", "name"].into_iter().enumerate() {
        query.push(if at == 0 { "(" } else { " union (" }).push("select id from users where lower(");
        query.push(column).push(") like ").push_bind(pattern.like());
        query.push(" limit ").push_bind(FOUND_MAX + 1).push(")");
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

/// How a text is compared.
#[derive(Clone, Copy)]
enum By {
    /// So that the indexes of `users` serve it.
    Index,
    /// One after the other.
    Turn,
}

/// Whether an e-mail and a name fit.
pub(in crate::store) fn push_clauses(query: &mut QueryBuilder<Postgres>, search: &Search, email: &str, name: &str) {
    push_all(query, search, (email, name), By::Turn);
}

/// The same of a user, by indexes: each word has one in both, and beyond ASCII one of pairs.
pub(in crate::store) fn push_indexed(query: &mut QueryBuilder<Postgres>, search: &Search, email: &str, name: &str) {
    push_all(query, search, (email, name), By::Index);
}

fn push_all(query: &mut QueryBuilder<Postgres>, search: &Search, columns: (&str, &str), by: By) {
    if search.clauses().is_empty() {
        query.push("false");
    }
    for (at, patterns) in search.clauses().iter().enumerate() {
        query.push(if at == 0 { "(" } else { " and (" });
        for (at, pattern) in patterns.iter().enumerate() {
            query.push(if at == 0 { "" } else { " or " });
            push_pattern(query, pattern, columns, by);
        }
        query.push(")");
    }
}

fn push_pattern(query: &mut QueryBuilder<Postgres>, pattern: &Pattern, (email, name): (&str, &str), by: By) {
    let Some((pairs, like)) = pattern.pairs().zip(pattern.pairs_like()) else {
        query.push("lower(").push(email).push(") like ").push_bind(pattern.like());
        query.push(" or lower(").push(name).push(") like ").push_bind(pattern.like());
        return;
    };
    query.push("(");
    let is_exact = pairs.len() == 1;
    if matches!(by, By::Index) && !pairs.is_empty() {
        // As the index has it.
        query.push("octet_length(").push(name).push(") <> char_length(").push(name);
        query.push(") and string_to_array(name_pairs(").push(name).push("), ' ') @> ").push_bind(pairs);
        query.push(if is_exact { ")" } else { " and " });
        if is_exact {
            return;
        }
    }
    query.push("name_pairs(").push(name).push(") like ").push_bind(like).push(")");
}
