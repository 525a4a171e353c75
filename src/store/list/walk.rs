//! A search or terms that find too many to be named one by one: a walk along the list's order, in which each row is looked
//! at. Mostly a page is found among the first few; but where the status has few of those who are found, or old ones, it
//! may be a walk over all.
//!
//! It goes in slices bounded by rows, a statement each. So whoever waits can be told how far it is, each page is whole,
//! however long it takes, and what no one waits for any more ends with its slice, in the database as well.

use std::time::{Duration, Instant};

use sqlx::{FromRow, PgConnection, Postgres, QueryBuilder};

use super::find::Wanted;
use super::{Beyond, COLUMNS, Found, ListRow, column, push_beyond, push_conditions, push_order, push_rows, search};
use crate::domain::Time;
use crate::domain::filter::Filter;
use crate::domain::page::{At, Cursor, Position};
use crate::domain::sort::By;
use crate::domain::verification::VerificationRow;
use crate::store::{Error, Store, StoredTime};

/// How many rows are looked at first: where those who are found are not rare, a page of them.
const SLICE_FIRST: i64 = 2_000;

/// How many rows are looked at in one statement at most.
const SLICE_MAX: i64 = 500_000;

/// How long a slice is to take.
const SLICE_AIM: Duration = Duration::from_millis(80);

/// All that a slice reads is seen as of one moment. Along the order, however dear that looks: another way would read the
/// whole list and sort it, for each slice again.
const BEGIN_SLICE: &str = "begin isolation level repeatable read read only; set local jit = off; \
                           set local enable_seqscan = off; set local enable_bitmapscan = off";

/// A walk along a list.
pub(super) struct Walk<'a> {
    filter: &'a Filter,
    /// Users whom the search names besides, whom its text does not fit.
    named: Vec<i64>,
    /// Decides between pending and expired.
    as_of: Time,
    backwards: bool,
    /// Beyond which place the next slice begins.
    beyond: Option<(Time, i64)>,
    slice: i64,
    is_over: bool,
}

/// What a slice has seen.
#[derive(FromRow)]
struct Slice {
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
    pub(super) fn new(named: Vec<i64>, wanted: &Wanted<'a>) -> Self {
        let Wanted { filter, ref position, as_of, .. } = *wanted;
        let beyond = match position {
            Position::Newest | Position::Oldest => None,
            Position::After(cursor) | Position::Before(cursor) => match cursor.at {
                At::Time(at) => Some((at, cursor.id)),
                // No list in that order is walked along.
                At::Email(_) => None,
            },
        };
        let backwards = wanted.is_backwards();
        Self { filter, named, as_of, backwards, beyond, slice: SLICE_FIRST, is_over: false }
    }

    /// The same, where no one has looked yet whom the search names.
    pub(super) async fn of(store: &Store, wanted: &Wanted<'a>) -> Result<Self, Error> {
        let named = match &wanted.filter.search {
            Some(search) => search::named(store.pool(), search).await?,
            None => Vec::new(),
        };
        Ok(Self::new(named, wanted))
    }

    /// Whether there is nothing beyond.
    pub(super) fn is_over(&self) -> bool {
        self.is_over
    }

    /// Up to when all was looked at.
    pub(super) fn reached(&self) -> Option<Time> {
        self.beyond.map(|(at, _)| at)
    }

    /// The next rows of the list, `limit` at most, and maybe none. The next step goes on behind them.
    pub(super) async fn step(&mut self, store: &Store, limit: i64) -> Result<Vec<VerificationRow>, Error> {
        let began = Instant::now();
        let mut tx = store.begin_reading(BEGIN_SLICE).await?;
        let slice = self.look(&mut tx, limit).await?;
        let mut rows = Vec::new();
        if !slice.fitting.is_empty() {
            let mut query = QueryBuilder::new("with page as (select ");
            query.push(COLUMNS).push(" from verifications v where v.id = any(").push_bind(&slice.fitting).push("))");
            push_rows(&mut query, "page");
            push_order(&mut query, self.by(), self.backwards);
            let found = query.build_query_as::<ListRow>().persistent(false).fetch_all(&mut *tx).await?;
            rows = found.into_iter().map(VerificationRow::from).collect();
        }
        tx.rollback().await?;
        let factor = SLICE_AIM.as_secs_f64() / began.elapsed().as_secs_f64().max(0.001);
        let is_cut = i64::try_from(slice.fitting.len()).is_ok_and(|count| count == limit);
        if let Some(last) = rows.last().filter(|_| is_cut) {
            // There may be more in the slice: it was longer than need be.
            self.beyond = Some((self.at(last), last.verification.id.0));
            self.next_slice(factor.min(0.5));
        } else {
            self.go_on(&slice, &mut rows);
            self.next_slice(factor);
        }
        Ok(rows)
    }

    /// How many of the next rows fit, counted up to `max`.
    pub(super) async fn count(&mut self, store: &Store, max: i64) -> Result<i64, Error> {
        let mut tx = store.begin_reading(BEGIN_SLICE).await?;
        let slice = self.look(&mut tx, max).await?;
        tx.rollback().await?;
        self.is_over = slice.looked_at < self.slice;
        Ok(i64::try_from(slice.fitting.len()).unwrap_or(max))
    }

    async fn look(&self, connection: &mut PgConnection, limit: i64) -> Result<Slice, Error> {
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
        if let Some((at, id)) = self.beyond {
            let beyond = if self.backwards { Beyond::More } else { Beyond::Less };
            push_beyond(&mut query, self.by(), (&At::Time(at), id), beyond);
        }
        push_order(&mut query, self.by(), self.backwards);
        query.push(" limit ").push_bind(self.slice).push(") as slice");
        Ok(query.build_query_as().persistent(false).fetch_one(connection).await?)
    }

    /// By which time the list is ordered.
    fn by(&self) -> By {
        self.filter.order().by
    }

    fn at(&self, row: &VerificationRow) -> Time {
        match Cursor::sorted(row, self.filter.status, self.filter.order(), self.as_of).at {
            At::Time(at) => at,
            At::Email(_) => row.verification.created_at,
        }
    }

    fn next_slice(&mut self, factor: f64) {
        #[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "far below 2^52")]
        let next = (self.slice as f64 * factor.clamp(0.25, 4.0)) as i64;
        self.slice = next.clamp(SLICE_FIRST, SLICE_MAX);
    }

    /// Moves behind a slice. Of those at its last moment some may not have been in it: they come again.
    fn go_on(&mut self, slice: &Slice, rows: &mut Vec<VerificationRow>) {
        self.is_over = slice.looked_at < self.slice;
        let (Some(least_at), Some(most_at)) = (slice.least_at, slice.most_at) else { return };
        let edge = if self.backwards { most_at } else { least_at };
        let id = match (least_at == most_at, self.backwards) {
            (true, true) => slice.most_id.unwrap_or(i64::MAX),
            (true, false) => slice.least_id.unwrap_or(i64::MIN),
            (false, true) => i64::MIN,
            (false, false) => i64::MAX,
        };
        if !self.is_over && least_at != most_at {
            rows.retain(|row| self.at(row) != edge.0);
        }
        self.beyond = Some((edge.into(), id));
    }
}
