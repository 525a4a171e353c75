//! All mails that a filter finds, some at a time, for who wants all of them.

use uuid::Uuid;

use crate::domain::filter::Filter;
use crate::domain::id::SendId;
use crate::domain::page::Position;
use crate::domain::send::SendRow;
use crate::store::{Error, Store};

/// How many rows a part has.
const PART: i64 = 1_000;

/// What is left of a list.
pub struct Whole<'a> {
    store: &'a Store,
    filter: &'a Filter,
    found: Option<Vec<Uuid>>,
    /// `None` where it is over.
    position: Option<Position<SendId>>,
}

impl Store {
    /// All mails that a filter finds, from a position on, newest first. What it names is looked for once.
    pub async fn whole_sends<'a>(&'a self, filter: &'a Filter, position: Position<SendId>) -> Result<Whole<'a>, Error> {
        let found = self.found_sends(filter).await?;
        Ok(Whole { store: self, filter, found, position: Some(position) })
    }
}

impl Whole<'_> {
    /// The next rows; `None` where there are no more.
    pub async fn next(&mut self) -> Result<Option<Vec<SendRow>>, Error> {
        let Some(position) = self.position else { return Ok(None) };
        let page = self.store.sends_of_found(self.filter, self.found.as_deref(), position, PART).await?;
        self.position = page.rows.last().filter(|_| page.older).map(|last| Position::After(last.id));
        Ok(Some(page.rows))
    }
}
