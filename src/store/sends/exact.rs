//! What stands before all others in a search for mails: those to exactly the address that is looked for, of users who have
//! exactly that name, or with that number or id. By an index each; the rest of the list is without them.

use std::cmp::Ordering;

use sqlx::{Postgres, QueryBuilder};
use uuid::Uuid;

use super::Wanted;
use crate::domain::Time;
use crate::domain::filter::{Exact, Filter, Search};
use crate::domain::id::SendId;
use crate::domain::page::{Ahead, Page, Position};
use crate::domain::send::SendRow;
use crate::store::list::exact::EXACT_MAX;
use crate::store::{Error, Store};

impl Store {
    /// The ids of the mails that stand before all others, in whatever state.
    pub(super) async fn exact_sends(&self, filter: &Filter) -> Result<Vec<Uuid>, Error> {
        let Some(exact) = filter.search.as_ref().and_then(Search::exact) else { return Ok(Vec::new()) };
        let mut query = QueryBuilder::new("select id from (");
        push_exact(&mut query, &exact);
        query.push(") as exact limit ").push_bind(EXACT_MAX + 1);
        let ids: Vec<Uuid> = query.build_query_scalar().persistent(false).fetch_all(self.pool()).await?;
        Ok(if i64::try_from(ids.len()).is_ok_and(|count| count <= EXACT_MAX) { ids } else { Vec::new() })
    }

    /// Those of them that a filter finds, in the list's order.
    pub(super) async fn exact_send_rows(&self, filter: &Filter, exact: &[Uuid]) -> Result<Vec<SendRow>, Error> {
        self.page_of_sends(Some(exact), &Wanted::of(filter, Position::Newest, EXACT_MAX)).await
    }

    /// A page of a list in which these mails stand before all others.
    pub(super) async fn sends_exact_first(
        &self,
        filter: &Filter,
        (position, limit): (Position<SendId>, i64),
        exact: &[Uuid],
        mut tell: impl FnMut(&[SendRow], Time) + Send,
    ) -> Result<Page<SendRow>, Error> {
        let rows = self.exact_send_rows(filter, exact).await?;
        let order = |row: &SendRow, place: &SendId| order(filter, row, place);
        let ahead = Ahead::new(rows, &position, limit, |place: &SendId| exact.contains(&place.0), order);
        let tell = |rows: &[SendRow], at| tell(&[ahead.before(), rows].concat(), at);
        let rest = match ahead.rest(position) {
            Some(page) => Some(self.rest_of_sends(filter, page, exact, tell).await?),
            None => None,
        };
        Ok(ahead.joined(rest, chrono::Utc::now()))
    }
}

/// Where a mail is in a list, seen from another.
pub(super) fn order(filter: &Filter, row: &SendRow, place: &SendId) -> Ordering {
    let up = row.id.0.cmp(&place.0);
    if filter.is_oldest_first() { up } else { up.reverse() }
}

/// Mails without those that stand before all others.
pub(super) fn without(mut rows: Vec<SendRow>, exact: &[Uuid]) -> Vec<SendRow> {
    rows.retain(|row| !exact.contains(&row.id.0));
    rows
}

/// Each by an index of its own, and no more of each than will do.
fn push_exact(query: &mut QueryBuilder<Postgres>, exact: &Exact<'_>) {
    let Exact { email, names, verification, send, ses_ids } = exact;
    query.push("(select id from sends where ses_id = any(").push_bind(ses_ids.to_vec());
    query.push(") limit ").push_bind(EXACT_MAX + 1).push(")");
    if let Some(email) = email {
        query.push(" union (select id from sends where lower(recipient) = ").push_bind((*email).to_owned());
        query.push(" limit ").push_bind(EXACT_MAX + 1).push(")");
    }
    if !names.is_empty() {
        query.push(" union (select s.id from (select id from users where lower(name) = any(").push_bind(names.clone());
        query.push(") limit ").push_bind(EXACT_MAX + 1);
        query.push(") u cross join lateral (select id from sends where user_id = u.id limit ");
        query.push_bind(EXACT_MAX + 1).push(") s limit ").push_bind(EXACT_MAX + 1).push(")");
    }
    if let Some(id) = verification {
        query.push(" union (select id from sends where verification_id = ").push_bind(id.0);
        query.push(" limit ").push_bind(EXACT_MAX + 1).push(")");
    }
    if let Some(id) = send {
        query.push(" union (select id from sends where id = ").push_bind(id.0).push(")");
    }
}
