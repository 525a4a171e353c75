//! Verifications, walked along.

use sqlx::{FromRow, PgConnection, Postgres, QueryBuilder};

use super::find::Wanted;
use super::{Beyond, COLUMNS, Found, ListRow, column, push_beyond, push_conditions, push_order, push_rows, search};
use crate::domain::Time;
use crate::domain::filter::Filter;
use crate::domain::page::{At, Cursor, Position};
use crate::domain::sort::By;
use crate::domain::verification::VerificationRow;
use crate::store::walk::{Along, Slice};
use crate::store::{Error, Store, StoredTime, walk};

/// A walk along a list of verifications.
pub(super) type Walk<'a> = walk::Walk<Verifications<'a>>;

/// A list of verifications, in the order of a time.
pub(super) struct Verifications<'a> {
    filter: &'a Filter,
    /// Users that the search names besides, and its text does not fit.
    named: Vec<i64>,
    /// Decides between pending and expired.
    as_of: Time,
    backwards: bool,
}

#[derive(FromRow)]
struct Seen {
    looked_at: i64,
    least_at: Option<StoredTime>,
    most_at: Option<StoredTime>,
    least_id: Option<i64>,
    most_id: Option<i64>,
    /// Verifications that fit, the first ones in the list's order.
    fitting: Vec<i64>,
}

impl<'a> Walk<'a> {
    /// A walk from a position on.
    pub(super) fn begin(named: Vec<i64>, wanted: &Wanted<'a>) -> Self {
        let Wanted { filter, ref position, as_of, .. } = *wanted;
        let beyond = match position {
            Position::Newest | Position::Oldest => None,
            Position::After(cursor) | Position::Before(cursor) => match cursor.at {
                At::Time(at) => Some((at, cursor.id)),
                // No list in that order is walked along.
                At::Email(_) => None,
            },
        };
        Self::new(Verifications { filter, named, as_of, backwards: wanted.is_backwards() }, beyond)
    }

    /// The same, where no one has looked yet for the users that the search names.
    pub(super) async fn of(store: &Store, wanted: &Wanted<'a>) -> Result<Self, Error> {
        let named = match &wanted.filter.search {
            Some(search) => search::named(store.pool(), search).await?,
            None => Vec::new(),
        };
        Ok(Self::begin(named, wanted))
    }
}

impl Along for Verifications<'_> {
    type Row = VerificationRow;
    type Id = i64;
    type Place = (Time, i64);

    fn is_backwards(&self) -> bool {
        self.backwards
    }

    async fn look(
        &self,
        connection: &mut PgConnection,
        beyond: Option<&(Time, i64)>,
        slice: i64,
        limit: i64,
    ) -> Result<Slice<(Time, i64), i64>, Error> {
        let mut query = QueryBuilder::<Postgres>::new(
            "select
                count(*) as looked_at, min(at) as least_at, max(at) as most_at, min(id) as least_id, max(id) as most_id,
                coalesce((array_agg(id order by at",
        );
        query.push(if self.backwards { ", id" } else { " desc, id desc" });
        query.push(") filter (where fits))[1:").push_bind(limit).push("], '{}') as fitting from (select ");
        query.push(column(self.by())).push(" as at, v.id, coalesce(");
        match &self.filter.search {
            Some(search) => {
                query.push("(");
                search::push_fits(&mut query, search);
                query.push(" or v.user_id = any(").push_bind(&self.named).push("))");
            }
            None => _ = query.push("true"),
        }
        Found::but_search(self.filter).push_rest(&mut query);
        query.push(", false) as fits from verifications v where ");
        push_conditions(&mut query, self.filter, Some(self.as_of));
        if let Some((at, id)) = beyond {
            let side = if self.backwards { Beyond::More } else { Beyond::Less };
            push_beyond(&mut query, self.by(), (&At::Time(*at), *id), side);
        }
        push_order(&mut query, self.by(), self.backwards);
        query.push(" limit ").push_bind(slice).push(") as slice");
        let seen: Seen = query.build_query_as().persistent(false).fetch_one(connection).await?;
        Ok(Slice { looked_at: seen.looked_at, edge: self.edge(&seen), fitting: seen.fitting })
    }

    async fn rows(&self, connection: &mut PgConnection, ids: &[i64]) -> Result<Vec<VerificationRow>, Error> {
        let mut query = QueryBuilder::new("with page as (select ");
        query.push(COLUMNS).push(" from verifications v where v.id = any(").push_bind(ids).push("))");
        push_rows(&mut query, "page");
        push_order(&mut query, self.by(), self.backwards);
        let rows = query.build_query_as::<ListRow>().persistent(false).fetch_all(connection).await?;
        Ok(rows.into_iter().map(Into::into).collect())
    }

    fn place(&self, row: &VerificationRow) -> (Time, i64) {
        let place = Cursor::sorted(row, self.filter.status, self.filter.order(), self.as_of);
        let at = match place.at {
            At::Time(at) => at,
            At::Email(_) => row.verification.created_at,
        };
        (at, place.id)
    }

    fn time((at, _): &(Time, i64)) -> Option<Time> {
        Some(*at)
    }
}

impl Verifications<'_> {
    /// By which time the list is ordered.
    fn by(&self) -> By {
        self.filter.order().by
    }

    /// Of those at a slice's last moment some may not have been in it: they come again.
    fn edge(&self, seen: &Seen) -> Option<(Time, i64)> {
        let (least_at, most_at) = seen.least_at.zip(seen.most_at)?;
        let at = if self.backwards { most_at } else { least_at };
        let id = match (least_at == most_at, self.backwards) {
            (true, true) => seen.most_id.unwrap_or(i64::MAX),
            (true, false) => seen.least_id.unwrap_or(i64::MIN),
            (false, true) => i64::MIN,
            (false, false) => i64::MAX,
        };
        Some((at.into(), id))
    }
}
