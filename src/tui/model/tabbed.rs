//! Lists under tabs, and the line that is typed to search them.

use super::field::Field;
use crate::domain::filter::hits::Hits;
use crate::domain::filter::line::WrongTerm;
use crate::domain::filter::{Clock, Filter, Place, Saved};
use crate::domain::send::{SendRow, SendState};
use crate::tui::view::list::{List, Row};

/// Lists of one kind under tabs, searched together.
#[derive(Clone, Debug)]
pub struct Tabbed<R: Row> {
    /// A list a tab.
    pub lists: Vec<List<R>>,
    /// Which one is shown.
    pub tab: usize,
    /// What is being looked for: a line of the filter language.
    pub search: Field,
    /// What of it applies; of a line with a wrong word, the rest.
    pub filter: Filter,
    /// What is wrong with it.
    pub wrong: Option<WrongTerm>,
    /// The tab that was left for the one of all, when a search was begun: it is shown again when that is cleared.
    pub(in crate::tui) left: Option<usize>,
    /// How many a filter finds, and which one.
    pub(in crate::tui) hits: Option<(Filter, Hits<R::Kind>)>,
    /// What is shown may be out of date.
    pub(in crate::tui) is_stale: bool,
    /// The filter whose hits were asked for.
    pub(in crate::tui) counted: Option<Filter>,
}

impl Tabbed<SendRow> {
    /// The mails, by state.
    pub(in crate::tui) fn of_mails() -> Self {
        Self::new(std::iter::once(None).chain(SendState::ALL.map(Some)))
    }
}

impl<R: Row> Tabbed<R> {
    pub(super) fn new(tabs: impl IntoIterator<Item = Option<R::Kind>>) -> Self {
        let lists = tabs.into_iter().map(List::new).collect();
        Self {
            lists,
            tab: 0,
            search: Field::default(),
            filter: Filter::default(),
            wrong: None,
            left: None,
            hits: None,
            is_stale: false,
            counted: None,
        }
    }

    /// The list that is shown.
    #[must_use]
    pub fn list(&self) -> Option<&List<R>> {
        self.lists.get(self.tab)
    }

    /// The list that is shown, to change.
    pub fn list_mut(&mut self) -> Option<&mut List<R>> {
        self.lists.get_mut(self.tab)
    }

    /// Reads the line that is typed. If what it asks for has changed, every list has to be loaded again; the rows on the
    /// screen stay until others arrive.
    pub(in crate::tui) fn read(&mut self, saved: &Saved, place: Place, clock: Clock) {
        let text = self.search.text();
        let read = saved.read(text, place, clock);
        let filter = match &read {
            Ok(filter) => Some(filter.clone()),
            Err(wrong) => saved.read(&wrong.without_word(text), place, clock).ok(),
        };
        self.wrong = read.err();
        if let Some(filter) = filter.filter(|filter| *filter != self.filter) {
            self.filter = filter;
            self.lists.iter_mut().for_each(List::forget);
        }
    }

    /// Goes to a tab.
    pub(in crate::tui) fn show_tab(&mut self, tab: Option<R::Kind>) {
        if let Some(at) = self.lists.iter().position(|list| list.tab == tab) {
            self.tab = at;
        }
    }

    /// The search was changed. One begun from nothing looks under all tabs, for who is looked for says how they are.
    pub(in crate::tui) fn search_changed(&mut self, was_empty: bool, all: usize) {
        if was_empty && !self.search.is_empty() {
            self.left = Some(self.tab);
            self.tab = all;
        } else if self.search.is_empty()
            && let Some(left) = self.left.take()
        {
            self.tab = left;
        }
    }

    #[must_use]
    pub fn selected(&self) -> Option<&R> {
        self.list()?.selected().map(|item| &item.row)
    }
}
