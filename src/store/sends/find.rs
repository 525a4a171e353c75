//! A page of the mails that a filter finds. As with verifications, the search itself tells which way is short:
//! - of all in a state or of a job, an index has the page;
//! - many are found everywhere in the list: a walk along it meets a page of them in a moment;
//! - few are found: they are named by the indexes of texts and ids;
//! - many are found, but the list has few of them or old ones: the users that the mails are for are named all the same, and
//!   their mails looked up in pieces.
//!
//! What is left is a walk to the end.

use sqlx::{Postgres, QueryBuilder};
use uuid::Uuid;

use super::found::Of;
use super::walk::Walk;
use super::{NAME, Wanted, push_beyond, push_order};
use crate::domain::Time;
use crate::domain::filter::{Filter, Search};
use crate::domain::send::SendRow;
use crate::store::estimate::expected;
use crate::store::list::find::{BEGIN_NAMING_FEW, PIECE};
use crate::store::list::search;
use crate::store::walk::{BEGIN_SLICE, missing};
use crate::store::{Error, Store, mailed};

impl Store {
    pub(super) async fn find_sends(
        &self,
        wanted: &Wanted<'_>,
        mut tell: impl FnMut(&[SendRow], Time) + Send,
    ) -> Result<Vec<SendRow>, Error> {
        let filter = wanted.filter;
        let search = filter.search.as_ref();
        if search.is_some_and(|search| !search.can_find()) {
            return Ok(Vec::new());
        }
        if is_read_along(filter) {
            return self.page_of_sends(None, wanted).await;
        }
        let text = search.filter(|search| !search.clauses().is_empty());
        if search.is_some() && text.is_none() {
            // By number: what is theirs is read as the planner thinks best, since of a table that is mostly theirs the
            // first rows will do.
            let named = super::found(&mut *self.pool().acquire().await?, filter).await?;
            return self.page_of_sends(named.as_deref(), wanted).await;
        }
        let mut walk = Walk::begin(wanted);
        let mut rows = Vec::new();
        // A whole address is of one user.
        if text.is_none_or(|text| text.mailbox().is_none()) {
            rows = walk.step(self, wanted.limit).await?;
            if missing(wanted.limit, &rows) <= 0 || walk.is_over() {
                return Ok(rows);
            }
        }
        if let Some(ids) = self.name_few_sends(filter).await? {
            return self.page_of_sends(Some(&ids), wanted).await;
        }
        let Some(text) = text else {
            return walk.go_on_to(self, rows, wanted.limit, tell).await;
        };
        rows.extend(walk.step(self, missing(wanted.limit, &rows)).await?);
        if missing(wanted.limit, &rows) > 0 && !walk.is_over() {
            if let Some(at) = walk.reached() {
                tell(&rows, at);
            }
            if let Some(users) = self.name_all_mailed(text, wanted).await? {
                let ids = self.look_up_sends(&users, wanted).await?;
                return self.page_of_sends(Some(&ids), wanted).await;
            }
        }
        walk.go_on_to(self, rows, wanted.limit, tell).await
    }

    /// The mails that a filter finds, if that is done in a moment and they are few.
    pub(super) async fn name_few_sends(&self, filter: &Filter) -> Result<Option<Vec<Uuid>>, Error> {
        let mut tx = self.begin_reading(BEGIN_NAMING_FEW).await?;
        match super::found(&mut tx, filter).await {
            Ok(found) => {
                tx.rollback().await?;
                Ok(found)
            }
            Err(Error::TooSlow(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The users that a search's text fits. `None` where a walk over the whole list is shorter, or it takes too long.
    async fn name_all_mailed(&self, search: &Search, wanted: &Wanted<'_>) -> Result<Option<Vec<i64>>, Error> {
        let mut connection = self.pool().acquire().await?;
        let listed = expected(&mut connection, |query| push_all(query, wanted)).await?;
        drop(connection);
        #[expect(clippy::cast_possible_truncation, reason = "the rows of a table")]
        self.name_all(search, listed as i64).await
    }

    /// The first mails that fit: to these users, to those whose address was another before, and tests.
    async fn look_up_sends(&self, users: &[i64], wanted: &Wanted<'_>) -> Result<Vec<Uuid>, Error> {
        let limit = usize::try_from(wanted.limit).unwrap_or(usize::MAX);
        let mut ids: Vec<Uuid> = Vec::new();
        for of in [Of::Earlier, Of::Tests].into_iter().chain(users.chunks(PIECE).map(Of::Users)) {
            let mut query = QueryBuilder::new("");
            push_looked_up(&mut query, of, wanted);
            // By the index of users: to read the whole table instead may look shorter, but is not for all pieces.
            let mut tx = self.begin_reading(BEGIN_SLICE).await?;
            ids.extend(query.build_query_scalar::<Uuid>().persistent(false).fetch_all(&mut *tx).await?);
            tx.rollback().await?;
            ids.sort_unstable();
            ids.dedup();
            if !wanted.is_backwards() {
                ids.reverse();
            }
            ids.truncate(limit);
        }
        Ok(ids)
    }
}

fn push_looked_up(query: &mut QueryBuilder<Postgres>, of: Of<'_>, wanted: &Wanted<'_>) {
    query.push("select s.id from ");
    of.push(query);
    query.push(" where (");
    if let Some(search) = &wanted.filter.search {
        search::push_clauses(query, search, "s.recipient", NAME);
    }
    query.push(")");
    mailed::push_states(query, wanted.filter, "s");
    super::push_conditions(query, wanted.filter);
    push_beyond(query, wanted.beyond(), wanted.is_backwards());
    push_order(query, wanted.is_backwards());
    query.push(" limit ").push_bind(wanted.limit);
}

/// Whether an index has what a filter asks for, in the list's order: then nothing has to be asked of each row.
pub(super) fn is_read_along(filter: &Filter) -> bool {
    *filter == Filter { mail: filter.mail, job: filter.job, sort: filter.sort, ..Filter::default() }
}

/// All that is before a walk along the list.
fn push_all(query: &mut QueryBuilder<Postgres>, wanted: &Wanted<'_>) {
    for (at, state) in mailed::branches(wanted.filter, false).into_iter().enumerate() {
        query.push(if at == 0 { "" } else { " union all " }).push("select s.id from sends s where true");
        mailed::push_along(query, wanted.filter, state, "s");
        push_beyond(query, wanted.beyond(), wanted.is_backwards());
    }
}
