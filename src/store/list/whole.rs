//! A whole list, some rows at a time, for who wants all of it. Each part is a statement of its own and begins behind the
//! last row of the one before, so that neither memory nor any statement grows with the list.

use super::exact::{order, without};
use super::walk::Walk;
use super::{Found, Wanted};
use crate::domain::Time;
use crate::domain::filter::Filter;
use crate::domain::page::{Ahead, Cursor, Position};
use crate::domain::sort::By;
use crate::domain::verification::VerificationRow;
use crate::store::{Error, Store};

/// How many rows a part has at most.
const PART: i64 = 5_000;

/// What is left of a list.
pub struct Whole<'a> {
    store: &'a Store,
    filter: &'a Filter,
    as_of: Time,
    way: Way<'a>,
    part: i64,
    /// What stands before all others, as far as it is still to come.
    first: Vec<VerificationRow>,
    /// What does not come again.
    exact: Vec<i64>,
}

enum Way<'a> {
    Pages(Found<'a>, Position),
    Walk(Walk<'a>),
    Over,
}

impl Store {
    /// A whole list from a position on, newest first. How to read it is decided once.
    pub async fn whole_list<'a>(&'a self, filter: &'a Filter, position: Position) -> Result<Whole<'a>, Error> {
        let as_of = self.as_of(&position).await?;
        let exact = self.exact(filter).await?;
        let rows = if exact.is_empty() { Vec::new() } else { self.exact_rows(filter, &exact, as_of).await? };
        let ahead = Ahead::new(
            rows,
            &position,
            i64::MAX,
            |place: &Cursor| exact.contains(&place.id),
            |row, place| order(filter, row, place),
        );
        let first = ahead.before().to_vec();
        let position = ahead.rest(position).map_or(Position::Newest, |(position, _)| position);
        let position = if filter.order().is_up { position.mirrored() } else { position };
        let wanted = Wanted { filter, position: position.clone(), as_of, limit: PART };
        let pages = |found| Way::Pages(found, position);
        let way = match (self.found_by_terms(filter).await?, &filter.search) {
            (Some(found), _) => pages(found),
            (None, _) if filter.order().by == By::Email => pages(self.by_email(&wanted).await?),
            (None, Some(search)) if !search.can_find() => Way::Over,
            (None, Some(search)) if !filter.names_few() => match self.name_few(search).await? {
                Some(users) => pages(Found::of(filter, users)),
                None => Way::Walk(Walk::of(self, &wanted).await?),
            },
            (None, None) if filter.is_by_status() => pages(Found::all(filter)),
            (None, _) => Way::Walk(Walk::of(self, &wanted).await?),
        };
        Ok(Whole { store: self, filter, as_of, way, part: PART, first, exact })
    }
}

impl Whole<'_> {
    /// In parts of so many rows at most: for tests.
    #[doc(hidden)]
    #[must_use]
    pub fn in_parts_of(self, part: i64) -> Self {
        Self { part, ..self }
    }

    /// The time that decides between pending and expired.
    #[must_use]
    pub fn as_of(&self) -> Time {
        self.as_of
    }

    /// The next rows; none where the next ones have to be looked for further on, and `None` where there are no more.
    pub async fn next(&mut self) -> Result<Option<Vec<VerificationRow>>, Error> {
        if !self.first.is_empty() {
            return Ok(Some(std::mem::take(&mut self.first)));
        }
        let rows = match &mut self.way {
            Way::Over => return Ok(None),
            Way::Pages(found, position) => {
                let wanted =
                    Wanted { filter: self.filter, position: position.clone(), as_of: self.as_of, limit: self.part };
                let rows = self.store.page_of(found, &wanted).await?;
                let is_full = i64::try_from(rows.len()).is_ok_and(|count| count == self.part);
                match rows.last().filter(|_| is_full) {
                    Some(last) => {
                        let sort = self.filter.order();
                        let place = Cursor::sorted(last, self.filter.status, sort, self.as_of);
                        *position = if sort.is_up { Position::Before(place) } else { Position::After(place) };
                    }
                    None => self.way = Way::Over,
                }
                rows
            }
            Way::Walk(walk) => {
                let rows = walk.step(self.store, self.part).await?;
                if walk.is_over() {
                    self.way = Way::Over;
                }
                rows
            }
        };
        Ok(Some(without(rows, &self.exact)))
    }

    /// Up to when all was looked at, where the list is walked along.
    #[must_use]
    pub fn reached(&self) -> Option<Time> {
        match &self.way {
            Way::Walk(walk) => walk.reached(),
            Way::Pages(..) | Way::Over => None,
        }
    }
}
