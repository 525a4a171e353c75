//! Mails, walked along in the order of their ids: all of them, or those of some states or of a job, each of which an index
//! has in that order.

use sqlx::{FromRow, PgConnection, Postgres, QueryBuilder};
use uuid::Uuid;

use super::find::is_read_along;
use super::{NAME, Wanted, push_beyond, push_order, push_page, rows_of};
use crate::domain::Time;
use crate::domain::filter::{Filter, Number, Search};
use crate::domain::id::SendId;
use crate::domain::page::Position;
use crate::domain::send::SendRow;
use crate::store::list::search;
use crate::store::walk::{Along, Slice};
use crate::store::{Error, Store, mailed, walk};

/// A walk along a list of mails.
pub(super) type Walk<'a> = walk::Walk<Mails<'a>>;

/// A list of mails.
pub(super) struct Mails<'a> {
    filter: &'a Filter,
    backwards: bool,
}

#[derive(FromRow)]
struct Seen {
    looked_at: i64,
    /// The last one of a whole slice.
    edge: Option<Uuid>,
    /// Mails that fit, the first ones in the list's order.
    fitting: Vec<Uuid>,
}

impl<'a> Walk<'a> {
    /// A walk from a position on.
    pub(super) fn begin(wanted: &Wanted<'a>) -> Self {
        let beyond = match wanted.position {
            Position::Newest | Position::Oldest => None,
            Position::After(id) | Position::Before(id) => Some(id.0),
        };
        Self::new(Mails { filter: wanted.filter, backwards: wanted.is_backwards() }, beyond)
    }
}

impl Along for Mails<'_> {
    type Row = SendRow;
    type Id = Uuid;
    type Place = Uuid;

    fn is_backwards(&self) -> bool {
        self.backwards
    }

    async fn look(
        &self,
        connection: &mut PgConnection,
        beyond: Option<&Uuid>,
        slice: i64,
        limit: i64,
    ) -> Result<Slice<Uuid, Uuid>, Error> {
        let mut query = QueryBuilder::new("");
        self.push_look(&mut query, beyond, slice, limit);
        let seen: Seen = query.build_query_as().persistent(false).fetch_one(connection).await?;
        Ok(Slice { looked_at: seen.looked_at, edge: seen.edge, fitting: seen.fitting })
    }

    async fn rows(&self, connection: &mut PgConnection, ids: &[Uuid]) -> Result<Vec<SendRow>, Error> {
        rows_of(connection, ids, self.backwards).await
    }

    fn place(&self, row: &SendRow) -> Uuid {
        row.id.0
    }

    /// An id tells when it was made.
    fn time(id: &Uuid) -> Option<Time> {
        let (seconds, nanos) = id.get_timestamp()?.to_unix();
        Time::from_timestamp(i64::try_from(seconds).ok()?, nanos)
    }
}

impl Mails<'_> {
    fn push_look(&self, query: &mut QueryBuilder<Postgres>, beyond: Option<&Uuid>, slice: i64, limit: i64) {
        let order = if self.backwards { "id" } else { "id desc" };
        query.push("select count(*) as looked_at, (array_agg(id) filter (where place = ");
        query.push_bind(slice).push("))[1] as edge, coalesce((array_agg(id order by ").push(order);
        query.push(") filter (where fits))[1:").push_bind(limit).push("], '{}') as fitting from (select s.id, ");
        query.push("row_number() over (order by s.").push(order).push(") as place, coalesce(");
        push_fits(query, self.filter);
        query.push(", false) as fits from (");
        push_slice(query, self.filter, beyond, self.backwards, slice);
        query.push(") s) slice");
    }
}

impl Store {
    /// How a page of a list is read, or how the first rows on the way to it are looked at, as PostgreSQL explains it: for
    /// tests of its plans.
    #[doc(hidden)]
    pub async fn explain_sends(
        &self,
        filter: &Filter,
        position: Position<SendId>,
        limit: i64,
    ) -> Result<String, Error> {
        let wanted = Wanted::of(filter, position, limit + 1);
        let mut query = QueryBuilder::new("explain (analyze, buffers) ");
        if is_read_along(filter) {
            push_page(&mut query, None, &wanted);
        } else {
            let mails = Mails { filter, backwards: wanted.is_backwards() };
            mails.push_look(&mut query, wanted.beyond(), walk::SLICE_FIRST, wanted.limit);
        }
        let mut tx = self.begin_reading(walk::BEGIN_SLICE).await?;
        let lines: Vec<String> = query.build_query_scalar().persistent(false).fetch_all(&mut *tx).await?;
        tx.rollback().await?;
        Ok(lines.join("\n"))
    }
}

/// The next mails along an index: of each state that is asked for, since each has its part of it.
fn push_slice(query: &mut QueryBuilder<Postgres>, filter: &Filter, beyond: Option<&Uuid>, backwards: bool, slice: i64) {
    query.push("select * from (");
    let branches = mailed::branches(filter, false);
    for (at, state) in branches.into_iter().enumerate() {
        query.push(if at == 0 { "(" } else { " union all (" });
        query.push("select * from sends s where true");
        mailed::push_along(query, filter, state, "s");
        push_beyond(query, beyond, backwards);
        push_order(query, backwards);
        query.push(" limit ").push_bind(slice).push(")");
    }
    query.push(") s");
    push_order(query, backwards);
    query.push(" limit ").push_bind(slice);
}

/// Whether a mail `s` that is met on the way is one that a filter finds.
fn push_fits(query: &mut QueryBuilder<Postgres>, filter: &Filter) {
    query.push("true");
    if let Some(search) = &filter.search {
        query.push(" and (");
        search::push_clauses(query, search, "s.recipient", NAME);
        push_named(query, search);
        query.push(")");
    }
    super::push_conditions(query, filter);
}

/// Or it is named by an id or a number.
fn push_named(query: &mut QueryBuilder<Postgres>, search: &Search) {
    if !search.ses_ids().is_empty() {
        query.push(" or s.ses_id = any(").push_bind(search.ses_ids().to_vec()).push(")");
    }
    if let Some(id) = search.send() {
        query.push(" or s.id = ").push_bind(id.0);
    }
    match search.number() {
        Some(Number::User(id)) => _ = query.push(" or s.user_id = ").push_bind(id.0),
        Some(Number::Verification(id)) => _ = query.push(" or s.verification_id = ").push_bind(id.0),
        None => {}
    }
}
