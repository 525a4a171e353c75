//! All mails that a filter finds, some at a time, for who wants all of them. Each part is a statement of its own, so that
//! neither memory nor any statement grows with the list.

use uuid::Uuid;

use super::Wanted;
use super::exact::{order, without};
use super::find::is_read_along;
use super::walk::Walk;
use crate::domain::Time;
use crate::domain::filter::Filter;
use crate::domain::id::SendId;
use crate::domain::page::{Ahead, Position};
use crate::domain::send::SendRow;
use crate::store::{Error, Store};

/// How many rows a part has.
const PART: i64 = 1_000;

/// What is left of a list.
pub struct Whole<'a> {
    store: &'a Store,
    filter: &'a Filter,
    way: Way<'a>,
    part: i64,
    /// What stands before all others, as far as it is still to come.
    first: Vec<SendRow>,
    /// What does not come again.
    exact: Vec<Uuid>,
}

enum Way<'a> {
    Pages(Option<Vec<Uuid>>, Position<SendId>),
    Walk(Walk<'a>),
    Over,
}

impl Store {
    /// All mails that a filter finds, from a position on, newest first unless the filter says otherwise. How to read them
    /// is decided once.
    pub async fn whole_sends<'a>(&'a self, filter: &'a Filter, position: Position<SendId>) -> Result<Whole<'a>, Error> {
        let exact = self.exact_sends(filter).await?;
        let rows = if exact.is_empty() { Vec::new() } else { self.exact_send_rows(filter, &exact).await? };
        let ahead = Ahead::new(
            rows,
            &position,
            i64::MAX,
            |place: &SendId| exact.contains(&place.0),
            |row, place| order(filter, row, place),
        );
        let first = ahead.before().to_vec();
        let position = ahead.rest(position).map_or(Position::Newest, |(position, _)| position);
        let way = if filter.search.as_ref().is_some_and(|search| !search.can_find()) {
            Way::Over
        } else if is_read_along(filter) {
            Way::Pages(None, position)
        } else {
            // Of one user or verification an index has them in order, however many they are.
            let is_text = filter.search.as_ref().is_none_or(|search| !search.clauses().is_empty());
            match self.name_few_sends(filter).await? {
                found if found.is_some() || !is_text => Way::Pages(found, position),
                _ => Way::Walk(Walk::begin(&Wanted::of(filter, position, PART))),
            }
        };
        Ok(Whole { store: self, filter, way, part: PART, first, exact })
    }
}

impl Whole<'_> {
    /// In parts of so many rows at most: for tests.
    #[doc(hidden)]
    #[must_use]
    pub fn in_parts_of(self, part: i64) -> Self {
        Self { part, ..self }
    }

    /// The next rows; none where the next ones have to be looked for further on, and `None` where there are no more.
    pub async fn next(&mut self) -> Result<Option<Vec<SendRow>>, Error> {
        let mut rows = match &mut self.way {
            _ if !self.first.is_empty() => std::mem::take(&mut self.first),
            Way::Over => return Ok(None),
            Way::Pages(found, position) => {
                let wanted = Wanted::of(self.filter, *position, self.part);
                let rows = self.store.page_of_sends(found.as_deref(), &wanted).await?;
                let is_full = i64::try_from(rows.len()).is_ok_and(|count| count == self.part);
                match rows.last().filter(|_| is_full) {
                    Some(last) => *position = Position::After(last.id),
                    None => self.way = Way::Over,
                }
                without(rows, &self.exact)
            }
            Way::Walk(walk) => {
                let rows = walk.step(self.store, self.part).await?;
                if walk.is_over() {
                    self.way = Way::Over;
                }
                without(rows, &self.exact)
            }
        };
        self.store.tell_results(&mut rows).await?;
        Ok(Some(rows))
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
