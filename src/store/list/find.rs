//! A page of the users that a search finds. Three ways lead to it, and the search itself tells which is short:
//! - many are found everywhere in the list: a walk along its order meets a page of them in a moment;
//! - few are found: they are named by the indexes of texts, and their verifications looked up;
//! - many are found, but the status has few of them or old ones: they are named all the same, and looked up in pieces.
//!
//! What is left, where even naming them takes too long, is a walk to the end.

use sqlx::{Postgres, QueryBuilder};

use super::walk::Walk;
use super::{Found, search};
use crate::domain::Time;
use crate::domain::filter::{Filter, Search};
use crate::domain::page::{Cursor, Position};
use crate::domain::verification::VerificationRow;
use crate::store::walk::{BEGIN_SLICE, missing};
use crate::store::{Error, Store, estimate};

/// Up to how many users are named at all.
const NAMED_MAX: i64 = 2_000_000;

/// How many users' verifications are looked up in one statement.
pub(in crate::store) const PIECE: usize = 20_000;

/// Few are named if that takes no longer than this. By the indexes of texts alone: what reads all users takes longer.
pub(in crate::store) const BEGIN_NAMING_FEW: &str = "begin isolation level read committed read only; set local statement_timeout = '150ms'; \
                                set local enable_seqscan = off; set local jit = off; set local work_mem = '32MB'";

/// A million are named in half a second.
const BEGIN_NAMING_ALL: &str = "begin isolation level read committed read only; set local statement_timeout = '3s'; \
                                set local enable_seqscan = off; set local jit = off; set local work_mem = '32MB'";

/// What page of a list.
#[derive(Clone)]
pub(super) struct Wanted<'a> {
    pub filter: &'a Filter,
    pub position: Position,
    /// Decides between pending and expired.
    pub as_of: Time,
    /// How many rows at most.
    pub limit: i64,
}

impl Wanted<'_> {
    /// Whether the first row is the oldest.
    pub fn is_backwards(&self) -> bool {
        matches!(self.position, Position::Before(_) | Position::Oldest)
    }
}

impl Store {
    /// Rows of the users that a search finds. `tell` hears what was found so far, and up to when all was looked at.
    pub(super) async fn find(
        &self,
        search: &Search,
        wanted: &Wanted<'_>,
        mut tell: impl FnMut(&[VerificationRow], Time) + Send,
    ) -> Result<Vec<VerificationRow>, Error> {
        if !search.can_find() {
            return Ok(Vec::new());
        }
        let named = search::named(self.pool(), search).await?;
        if search.clauses().is_empty() {
            return self.page_of(&Found::of(wanted.filter, named), wanted).await;
        }
        let mut walk = Walk::begin(named.clone(), wanted);
        let mut rows = Vec::new();
        // A whole address is of one user.
        if search.mailbox().is_none() {
            rows = walk.step(self, wanted.limit).await?;
            if missing(wanted.limit, &rows) <= 0 || walk.is_over() {
                return Ok(rows);
            }
        }
        if let Some(users) = self.name_few(search).await? {
            return self.page_of(&Found::of(wanted.filter, users), wanted).await;
        }
        rows.extend(walk.step(self, missing(wanted.limit, &rows)).await?);
        if missing(wanted.limit, &rows) > 0 && !walk.is_over() {
            if let Some(at) = walk.reached() {
                tell(&rows, at);
            }
            if let Some(mut users) = self.name_all(search, self.counts().await?.of(wanted.filter.status)).await? {
                users.extend(named);
                return self.look_up(users, wanted).await;
            }
        }
        walk.go_on_to(self, rows, wanted.limit, tell).await
    }

    /// Rows that fit a filter, along the list's order.
    pub(super) async fn walk(
        &self,
        wanted: &Wanted<'_>,
        tell: impl FnMut(&[VerificationRow], Time) + Send,
    ) -> Result<Vec<VerificationRow>, Error> {
        if wanted.filter.search.as_ref().is_some_and(|search| !search.can_find()) {
            return Ok(Vec::new());
        }
        Walk::of(self, wanted).await?.go_on_to(self, Vec::new(), wanted.limit, tell).await
    }

    /// The users that a search finds, if that is done in a moment and they are few.
    pub(super) async fn name_few(&self, search: &Search) -> Result<Option<Vec<i64>>, Error> {
        let mut tx = self.begin_reading(BEGIN_NAMING_FEW).await?;
        let mut query = QueryBuilder::new("");
        search::push_users(&mut query, search);
        // A plan made without the text would be a bad one for most texts.
        let ids: Result<Vec<i64>, _> = query.build_query_scalar().persistent(false).fetch_all(&mut *tx).await;
        match ids.map_err(Error::from) {
            Ok(ids) => {
                tx.rollback().await?;
                Ok(Some(ids).filter(|ids| super::are_few(ids)))
            }
            Err(Error::TooSlow(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The users that a search's text fits, unless a walk over all of a list of so many is shorter, or it takes too long.
    pub(in crate::store) async fn name_all(&self, search: &Search, listed: i64) -> Result<Option<Vec<i64>>, Error> {
        // To look a user up takes about as long as to look at a row.
        let max = listed.min(NAMED_MAX);
        // Naming that ends at the most of them, or at its time-out, was in vain, and takes longer than all the rest.
        let mut connection = self.pool().acquire().await?;
        let expected = estimate::expected(&mut connection, |query| push_text_fits(query, search)).await?;
        drop(connection);
        #[expect(clippy::cast_precision_loss, reason = "a few millions")]
        let is_vain = expected > max as f64;
        if is_vain {
            return Ok(None);
        }
        let mut query = QueryBuilder::new("select coalesce(array_agg(id), '{}') from (");
        push_text_fits(&mut query, search);
        query.push(" limit ").push_bind(max + 1).push(") as fitting");
        match self.ask_stoppably(BEGIN_NAMING_ALL, query).await {
            Ok(ids) => Ok(Some(ids).filter(|ids| i64::try_from(ids.len()).is_ok_and(|count| count <= max))),
            Err(Error::TooSlow(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The page that is made of these users' verifications.
    async fn look_up(&self, mut users: Vec<i64>, wanted: &Wanted<'_>) -> Result<Vec<VerificationRow>, Error> {
        users.sort_unstable();
        users.dedup();
        let sort = wanted.filter.order();
        let place = |row: &VerificationRow| {
            let cursor = Cursor::sorted(row, wanted.filter.status, sort, wanted.as_of);
            (cursor.at, cursor.id)
        };
        let limit = usize::try_from(wanted.limit).unwrap_or(usize::MAX);
        let mut rows: Vec<VerificationRow> = Vec::new();
        for pieces in users.chunks(2 * PIECE) {
            let (one, other) = pieces.split_at(PIECE.min(pieces.len()));
            // Over two connections: a million take the database seconds.
            let found = tokio::try_join!(self.look_up_piece(one, wanted), self.look_up_piece(other, wanted))?;
            rows.extend(found.0.into_iter().chain(found.1));
            rows.sort_unstable_by_key(&place);
            if !wanted.is_backwards() {
                rows.reverse();
            }
            rows.truncate(limit);
        }
        Ok(rows)
    }

    async fn look_up_piece(&self, users: &[i64], wanted: &Wanted<'_>) -> Result<Vec<VerificationRow>, Error> {
        if users.is_empty() {
            return Ok(Vec::new());
        }
        // By the index of users: to read the whole table instead may look shorter, but is not for all pieces.
        let mut tx = self.begin_reading(BEGIN_SLICE).await?;
        let rows = super::page_of(&mut *tx, &Found::of(wanted.filter, users.to_vec()), wanted).await?;
        tx.rollback().await?;
        Ok(rows)
    }
}

fn push_text_fits(query: &mut QueryBuilder<Postgres>, search: &Search) {
    query.push("select id from users where ");
    search::push_indexed(query, search, "email", "name");
}
