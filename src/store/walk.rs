//! A walk along a list's order, for what finds too many to be named one by one: each row is looked at. Mostly a page is
//! found among the first few; but where a list has few of those who are found, or old ones, it may be a walk over all.
//!
//! It goes in slices bounded by rows, a statement each. So those who wait can be told how far it is, each page is whole,
//! however long it takes, and what no one waits for any more ends with its slice, in the database as well.

use std::time::{Duration, Instant};

use sqlx::PgConnection;

use super::{Error, Store};
use crate::domain::Time;

/// How many rows are looked at first: where those who are found are not rare, a page of them.
pub(super) const SLICE_FIRST: i64 = 2_000;

/// How many rows are looked at in one statement at most.
const SLICE_MAX: i64 = 500_000;

/// How long a slice is to take.
const SLICE_AIM: Duration = Duration::from_millis(80);

/// All that a slice reads is seen as of one moment. Along the order, however dear that looks: another way would read the
/// whole list and sort it, for each slice again.
pub(super) const BEGIN_SLICE: &str = "begin isolation level repeatable read read only; set local jit = off; \
                           set local enable_seqscan = off; set local enable_bitmapscan = off";

/// A list that can be walked along.
pub(super) trait Along: Sync {
    type Row: Send;
    type Id: Send + Sync;
    /// A place in the list's order.
    type Place: Clone + Ord + Send + Sync;

    /// Whether the walk goes to the greater places.
    fn is_backwards(&self) -> bool;

    /// Looks at the next `slice` rows; those of them that fit, the first `limit` in the list's order, are named.
    fn look(
        &self,
        connection: &mut PgConnection,
        beyond: Option<&Self::Place>,
        slice: i64,
        limit: i64,
    ) -> impl Future<Output = Result<Slice<Self::Place, Self::Id>, Error>> + Send;

    /// The rows of these, in the list's order.
    fn rows(
        &self,
        connection: &mut PgConnection,
        ids: &[Self::Id],
    ) -> impl Future<Output = Result<Vec<Self::Row>, Error>> + Send;

    fn place(&self, row: &Self::Row) -> Self::Place;

    /// When that is, where the order tells.
    fn time(place: &Self::Place) -> Option<Time>;
}

/// What a slice has seen.
pub(super) struct Slice<P, I> {
    pub looked_at: i64,
    /// Behind what the next one begins: rows beyond it come again.
    pub edge: Option<P>,
    /// What fits.
    pub fitting: Vec<I>,
}

/// A walk along a list.
pub(super) struct Walk<A: Along> {
    along: A,
    /// Beyond which place the next slice begins.
    beyond: Option<A::Place>,
    slice: i64,
    is_over: bool,
}

impl<A: Along> Walk<A> {
    pub fn new(along: A, beyond: Option<A::Place>) -> Self {
        Self { along, beyond, slice: SLICE_FIRST, is_over: false }
    }

    /// Whether there is nothing beyond.
    pub fn is_over(&self) -> bool {
        self.is_over
    }

    /// Up to when all was looked at.
    pub fn reached(&self) -> Option<Time> {
        self.beyond.as_ref().and_then(A::time)
    }

    /// The next rows of the list, `limit` at most, and maybe none. The next step goes on behind them.
    pub async fn step(&mut self, store: &Store, limit: i64) -> Result<Vec<A::Row>, Error> {
        let began = Instant::now();
        let mut tx = store.begin_reading(BEGIN_SLICE).await?;
        let slice = self.along.look(&mut tx, self.beyond.as_ref(), self.slice, limit).await?;
        let mut rows = Vec::new();
        if !slice.fitting.is_empty() {
            rows = self.along.rows(&mut tx, &slice.fitting).await?;
        }
        tx.rollback().await?;
        let factor = SLICE_AIM.as_secs_f64() / began.elapsed().as_secs_f64().max(0.001);
        let is_cut = i64::try_from(slice.fitting.len()).is_ok_and(|count| count == limit);
        if let Some(last) = rows.last().filter(|_| is_cut) {
            // There may be more in the slice: it was longer than need be.
            self.beyond = Some(self.along.place(last));
            self.next_slice(factor.min(0.5));
        } else {
            self.go_on(slice, &mut rows);
            self.next_slice(factor);
        }
        Ok(rows)
    }

    /// Goes on until `limit` rows are there or nothing is left. `tell` hears what was found so far, and up to when all
    /// was looked at.
    pub async fn go_on_to(
        mut self,
        store: &Store,
        mut rows: Vec<A::Row>,
        limit: i64,
        mut tell: impl FnMut(&[A::Row], Time) + Send,
    ) -> Result<Vec<A::Row>, Error> {
        while missing(limit, &rows) > 0 && !self.is_over {
            rows.extend(self.step(store, missing(limit, &rows)).await?);
            if let Some(at) = self.reached() {
                tell(&rows, at);
            }
        }
        Ok(rows)
    }

    /// How many of the next rows fit, counted up to `max`.
    pub async fn count(&mut self, store: &Store, max: i64) -> Result<i64, Error> {
        let mut tx = store.begin_reading(BEGIN_SLICE).await?;
        let slice = self.along.look(&mut tx, self.beyond.as_ref(), self.slice, max).await?;
        tx.rollback().await?;
        self.is_over = slice.looked_at < self.slice;
        Ok(i64::try_from(slice.fitting.len()).unwrap_or(max))
    }

    fn next_slice(&mut self, factor: f64) {
        #[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "far below 2^52")]
        let next = (self.slice as f64 * factor.clamp(0.25, 4.0)) as i64;
        self.slice = next.clamp(SLICE_FIRST, SLICE_MAX);
    }

    /// Moves behind a slice.
    fn go_on(&mut self, slice: Slice<A::Place, A::Id>, rows: &mut Vec<A::Row>) {
        self.is_over = slice.looked_at < self.slice;
        let Some(edge) = slice.edge else { return };
        if !self.is_over {
            rows.retain(|row| {
                let place = self.along.place(row);
                if self.along.is_backwards() { place <= edge } else { place >= edge }
            });
        }
        self.beyond = Some(edge);
    }
}

/// How many rows a page lacks.
pub(super) fn missing<R>(limit: i64, rows: &[R]) -> i64 {
    limit - i64::try_from(rows.len()).unwrap_or(limit)
}
