//! What stands before all others in a search: verifications of those whose address or name is exactly what is looked for,
//! or that have that number. By an index each; the rest of the list is without them.

use std::cmp::Ordering;

use sqlx::{Postgres, QueryBuilder};

use super::find::Wanted;
use super::{Found, page_of};
use crate::domain::Time;
use crate::domain::filter::{Exact, Filter, Search};
use crate::domain::page::{Ahead, Cursor, Page, Position};
use crate::domain::verification::VerificationRow;
use crate::store::{Error, Store};

/// Of more than these none stands before the others: a name that so many have tells no one from the rest.
pub(in crate::store) const EXACT_MAX: i64 = 50;

impl Store {
    /// The numbers of the verifications that stand before all others, of whatever status.
    pub(super) async fn exact(&self, filter: &Filter) -> Result<Vec<i64>, Error> {
        let Some(exact) = filter.search.as_ref().and_then(Search::exact) else { return Ok(Vec::new()) };
        let mut query = QueryBuilder::new("select id from (");
        push_exact(&mut query, &exact);
        query.push(") as exact limit ").push_bind(EXACT_MAX + 1);
        let ids: Vec<i64> = query.build_query_scalar().persistent(false).fetch_all(self.pool()).await?;
        Ok(if super::count(&ids) <= EXACT_MAX { ids } else { Vec::new() })
    }

    /// Those of them that a filter finds, in the list's order.
    pub(super) async fn exact_rows(
        &self,
        filter: &Filter,
        exact: &[i64],
        as_of: Time,
    ) -> Result<Vec<VerificationRow>, Error> {
        let position = if filter.order().is_up { Position::Oldest } else { Position::Newest };
        let wanted = Wanted { filter, position, as_of, limit: EXACT_MAX };
        page_of(self.pool(), &Found::exact(filter, exact.to_vec()), &wanted).await
    }

    /// A page of a list in which these verifications stand before all others.
    pub(super) async fn list_exact_first(
        &self,
        page: &Wanted<'_>,
        exact: &[i64],
        mut tell: impl FnMut(&[VerificationRow], Time) + Send,
    ) -> Result<Page<VerificationRow>, Error> {
        let Wanted { filter, as_of, limit, .. } = *page;
        let rows = self.exact_rows(filter, exact, as_of).await?;
        let order = |row: &VerificationRow, place: &Cursor| order(filter, row, place);
        let ahead = Ahead::new(rows, &page.position, limit, |place: &Cursor| exact.contains(&place.id), order);
        let tell = |rows: &[VerificationRow], at| tell(&[ahead.before(), rows].concat(), at);
        let rest = match ahead.rest(page.position.clone()) {
            Some((position, limit)) => {
                Some(self.rest_of_list(&Wanted { filter, position, as_of, limit }, exact, tell).await?)
            }
            None => None,
        };
        Ok(ahead.joined(rest, as_of))
    }
}

/// Where a row is in a list, seen from a place.
pub(super) fn order(filter: &Filter, row: &VerificationRow, place: &Cursor) -> Ordering {
    let sort = filter.order();
    let own = Cursor::sorted(row, filter.status, sort, place.as_of);
    let up = (own.at, own.id).cmp(&(place.at.clone(), place.id));
    if sort.is_up { up } else { up.reverse() }
}

/// Rows without those that stand before all others.
pub(super) fn without(mut rows: Vec<VerificationRow>, exact: &[i64]) -> Vec<VerificationRow> {
    rows.retain(|row| !exact.contains(&row.verification.id.0));
    rows
}

/// Each by an index of its own, and no more of each than will do.
fn push_exact(query: &mut QueryBuilder<Postgres>, exact: &Exact<'_>) {
    let Exact { email, names, verification, send, ses_ids } = exact;
    query.push("(select id from verifications where false)");
    if let Some(email) = email {
        query
            .push(" union (select v.id from (select id from users where lower(email) = ")
            .push_bind((*email).to_owned());
        push_of_users(query);
    }
    if !names.is_empty() {
        query.push(" union (select v.id from (select id from users where lower(name) = any(").push_bind(names.clone());
        query.push(")");
        push_of_users(query);
    }
    if let Some(id) = verification {
        query.push(" union (select id from verifications where id = ").push_bind(id.0).push(")");
    }
    if let Some(id) = send {
        query.push(" union (select verification_id from sends where verification_id is not null and id = ");
        query.push_bind(id.0).push(")");
    }
    if !ses_ids.is_empty() {
        query.push(" union (select verification_id from sends where verification_id is not null and ses_id = any(");
        query.push_bind(ses_ids.to_vec()).push(") limit ").push_bind(EXACT_MAX + 1).push(")");
    }
}

/// The verifications of the users that stand before it.
fn push_of_users(query: &mut QueryBuilder<Postgres>) {
    query.push(" limit ").push_bind(EXACT_MAX + 1);
    query.push(") u cross join lateral (select id from verifications where user_id = u.id limit ");
    query.push_bind(EXACT_MAX + 1).push(") v limit ").push_bind(EXACT_MAX + 1).push(")");
}
