//! A window of rows on a list of any length, filled page by page at both ends.

mod row;

use std::collections::HashSet;

use chrono::Duration;

use crate::domain::Time;
use crate::domain::page::{Page, Position};
use crate::domain::sort::Sort;
use crate::tui::effect::Problem;
use crate::tui::widget::table::usual;
pub use row::Row;

/// How many rows are kept at most.
pub const WINDOW_MAX: usize = 500;

/// New rows are counted up to here: of more, no one knows how many there are.
pub const ANNOUNCED_MAX: i64 = 100;

/// How near to an end of the window the cursor may come before the next page is fetched.
const NEAR: usize = 40;

/// How long a row stands out that has come by itself.
const TINTED: Duration = Duration::seconds(4);

/// A row of the window.
#[derive(Clone, Debug)]
pub struct Item<R: Row> {
    /// As it is now.
    pub row: R,
    /// Its place when its page was loaded; it does not move while it is on the screen.
    pub place: R::Place,
    /// It no longer exists.
    pub gone: bool,
    /// When it came into the list by itself, if it did.
    pub came_at: Option<Time>,
    /// It stands before all others: it is exactly what is looked for.
    pub is_exact: bool,
}

impl<R: Row> Item<R> {
    /// Until when it stands out, as one that has just come by itself.
    #[must_use]
    pub fn tinted_until(&self) -> Option<Time> {
        self.came_at.map(|at| at + TINTED)
    }
}

/// How wide the texts of the first page were. Columns are made of these, not of what was loaded since: they must not dance
/// while one scrolls.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wide {
    /// What nine of ten do with.
    pub usual: [usize; 3],
    pub longest: [usize; 3],
}

impl Wide {
    fn of<R: Row>(items: &[Item<R>]) -> Self {
        let widths: Vec<[usize; 3]> = items.iter().map(|item| item.row.widths()).collect();
        let of = |n: usize| widths.iter().map(move |of| of[n]);
        Self {
            usual: std::array::from_fn(|n| usual(of(n))),
            longest: std::array::from_fn(|n| of(n).max().unwrap_or_default()),
        }
    }

    fn or_wider(self, other: Self) -> Self {
        Self {
            usual: std::array::from_fn(|n| self.usual[n].max(other.usual[n])),
            longest: std::array::from_fn(|n| self.longest[n].max(other.longest[n])),
        }
    }
}

/// Where an awaited page goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Edge {
    /// It replaces the window; the selected row stays selected.
    Fresh,
    /// It replaces the window; the newest row is selected.
    Top,
    /// It replaces the window; the oldest row is selected.
    Bottom,
    /// It brings rows up to date where they are; those above the window are shown, or counted.
    Merge { shows: bool },
    /// It goes below.
    Older,
    /// It goes above.
    Newer,
    /// It goes above, where the operator watches.
    Follow,
}

/// The window.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a state of its own")]
pub struct List<R: Row> {
    /// Which list: of one kind, or of all.
    pub tab: Option<R::Kind>,
    /// The order that it was last asked for in; its own where there is none.
    pub sort: Option<Sort>,
    /// Its rows, newest first, or in that order.
    pub items: Vec<Item<R>>,
    /// The selected row.
    pub cursor: usize,
    /// The first row on the screen.
    pub top: usize,
    /// Whether the operator has gone nowhere from the newest row: then they watch what comes.
    pub is_at_top: bool,
    pub wide: Wide,
    /// Whether a page has arrived for what is being looked for.
    pub loaded: bool,
    /// Whether there are newer rows above the window.
    pub newer: bool,
    /// Whether there are older rows below the window.
    pub older: bool,
    /// How many rows have come in above since.
    pub announced: i64,
    /// How many of them among those that stand before all others.
    announced_exact: i64,
    /// How many there are above the window, and below, where the end was seen.
    above: Option<usize>,
    below: Option<usize>,
    /// Why the last page did not come.
    pub problem: Option<Problem>,
    /// The page that is under way.
    pub awaiting: Option<(u64, Edge)>,
    /// The row to select when the next fresh page arrives.
    pub select: Option<R::Id>,
    /// Places of the first and the last row loaded.
    ends: Option<(R::Place, R::Place)>,
}

impl<R: Row> List<R> {
    pub fn new(tab: Option<R::Kind>) -> Self {
        Self {
            tab,
            sort: None,
            items: Vec::new(),
            cursor: 0,
            top: 0,
            is_at_top: true,
            wide: Wide::default(),
            loaded: false,
            newer: false,
            older: false,
            announced: 0,
            announced_exact: 0,
            above: None,
            below: None,
            problem: None,
            awaiting: None,
            select: None,
            ends: None,
        }
    }

    /// The selected row.
    pub fn selected(&self) -> Option<&Item<R>> {
        self.items.get(self.cursor)
    }

    /// The place of the newest row, where there is none above it.
    pub fn newest(&self) -> Option<R::Place> {
        self.ends.clone().filter(|_| !self.newer).map(|(first, _)| first)
    }

    /// How many rows stand before all others, as far as they are here: they are exactly what is looked for.
    #[must_use]
    pub fn exact(&self) -> usize {
        self.items.iter().take_while(|item| item.is_exact).count()
    }

    /// Whether rows come in elsewhere than at the top: below those that stand before all others.
    #[must_use]
    pub fn has_exact(&self) -> bool {
        self.items.iter().any(|item| item.is_exact)
    }

    /// Forgets that anything was loaded; the rows stay until others arrive.
    pub fn forget(&mut self) {
        self.loaded = false;
        self.awaiting = None;
        self.problem = None;
        (self.announced, self.announced_exact) = (0, 0);
    }

    /// Which page is needed next for the cursor to move on, and from where.
    pub fn wanted(&self) -> Option<(Edge, Position<R::Place>)> {
        if self.awaiting.is_some() || self.problem.is_some() || !self.loaded {
            return None;
        }
        let (first, last) = self.ends.clone()?;
        if self.older && self.items.len().saturating_sub(self.cursor) <= NEAR {
            Some((Edge::Older, Position::After(last)))
        } else if self.newer && self.cursor < NEAR {
            Some((Edge::Newer, Position::Before(first)))
        } else {
            None
        }
    }

    /// From where to reload so that the selected row stays in sight.
    pub fn same_place(&self, now: Time) -> Position<R::Place> {
        if self.shows_newest_on_refresh() {
            return Position::Newest;
        }
        let anchor = self.cursor.saturating_sub(NEAR / 2);
        match self.items.get(anchor) {
            Some(item) if anchor > 0 || self.newer => Position::After(R::at_time(item.place.clone(), now)),
            _ => Position::Newest,
        }
    }

    /// Whether reloading begins with the newest row.
    #[must_use]
    pub fn shows_newest_on_refresh(&self) -> bool {
        self.cursor < NEAR && !self.newer
    }

    /// Takes a page if it is the one awaited; says to which edge it went.
    pub fn arrived(&mut self, generation: u64, page: Page<R>, now: Time) -> Option<Edge> {
        let (_, edge) = self.awaiting.filter(|(awaited, _)| *awaited == generation)?;
        self.awaiting = None;
        self.problem = None;
        let (tab, sort, as_of) = (self.tab, self.sort, page.as_of);
        let items = page.rows.into_iter().enumerate().map(|(n, row)| Item {
            place: row.place(tab, sort, as_of),
            row,
            gone: false,
            came_at: None,
            is_exact: n < page.exact,
        });
        match edge {
            Edge::Fresh | Edge::Top | Edge::Bottom => {
                if edge != Edge::Fresh {
                    self.is_at_top = edge == Edge::Top;
                    (self.cursor, self.top) = (if edge == Edge::Top { 0 } else { usize::MAX }, 0);
                    self.items.clear();
                }
                let chosen = self.select.take();
                let is_chosen = chosen.is_some();
                let selected = chosen.or_else(|| self.selected().map(|item| item.row.id()));
                let fresh: Vec<_> = items.collect();
                let near = self.nearest_in(&fresh);
                self.items = fresh;
                self.ends = self
                    .items
                    .first()
                    .zip(self.items.last())
                    .map(|(first, last)| (first.place.clone(), last.place.clone()));
                (self.newer, self.older) = (page.newer, page.older);
                let wide = Wide::of(&self.items);
                self.wide = if self.loaded { self.wide.or_wider(wide) } else { wide };
                (self.above, self.below) = ((!page.newer).then_some(0), (!page.older).then_some(0));
                self.loaded = true;
                (self.announced, self.announced_exact) = (0, 0);
                let found = selected.and_then(|id| self.items.iter().position(|item| item.row.id() == id));
                self.cursor = found.or(near).unwrap_or(self.cursor).min(self.items.len().saturating_sub(1));
                if is_chosen {
                    self.is_at_top = self.cursor == 0 && !self.newer;
                }
            }
            Edge::Merge { shows } => {
                let fresh: Vec<_> = items.collect();
                self.merge(&fresh, page.older);
                if shows {
                    self.show_announced(fresh, page.older, now);
                }
            }
            Edge::Older => {
                self.older = page.older;
                let before = self.items.len();
                let known: HashSet<R::Id> = self.items.iter().map(|item| item.row.id()).collect();
                for item in items {
                    self.ends = self.ends.clone().map(|(first, _)| (first, item.place.clone()));
                    if !known.contains(&item.row.id()) {
                        self.items.push(item);
                    }
                }
                self.below = beyond(self.below, self.older, self.items.len() - before);
                self.drop_newest();
            }
            Edge::Newer => {
                let above: Vec<_> = items.collect();
                let count = self.put_above(above, page.newer);
                self.top += count;
            }
            Edge::Follow => {
                self.announced = 0;
                let above: Vec<_> = items.map(|item| Item { came_at: Some(now), ..item }).collect();
                self.put_above(above, page.newer);
            }
        }
        Some(edge)
    }

    /// Where the row next to the selected one is in a page, for where that itself is gone: first the one behind it.
    fn nearest_in(&self, page: &[Item<R>]) -> Option<usize> {
        let (before, behind) = self.items.split_at_checked(self.cursor)?;
        let place_of = |item: &Item<R>| page.iter().position(|fresh| fresh.row.id() == item.row.id());
        behind.iter().find_map(place_of).or_else(|| before.iter().rev().find_map(place_of))
    }

    /// Puts rows above those that are there; says how many were not there yet.
    fn put_above(&mut self, mut above: Vec<Item<R>>, newer: bool) -> usize {
        self.newer = newer;
        let known: HashSet<R::Id> = self.items.iter().map(|item| item.row.id()).collect();
        if let Some(first) = above.first() {
            self.ends = self.ends.clone().map(|(_, last)| (first.place.clone(), last));
        }
        above.retain(|item| !known.contains(&item.row.id()));
        let count = above.len();
        above.append(&mut self.items);
        self.items = above;
        self.cursor += count;
        self.above = beyond(self.above, self.newer, count);
        self.drop_oldest();
        count
    }

    /// Of the list's newest page, puts the rows that have come into the window; where none of the window is in it, the
    /// page takes its place.
    fn show_announced(&mut self, fresh: Vec<Item<R>>, older: bool, now: Time) {
        let front = self.front(&fresh);
        let tinted = fresh.into_iter().map(|item| Item { came_at: Some(now), ..item });
        (self.announced, self.announced_exact) = (0, 0);
        if let Some(front) = front {
            self.put_among(tinted.take(front));
            self.ends = self.items.first().zip(self.ends.clone()).map(|(first, (_, last))| (first.place.clone(), last));
            (self.newer, self.above) = (false, Some(0));
            self.drop_oldest();
        } else {
            self.items = tinted.collect();
            self.ends = self
                .items
                .first()
                .zip(self.items.last())
                .map(|(first, last)| (first.place.clone(), last.place.clone()));
            (self.cursor, self.newer, self.older) = (0, false, older);
            (self.above, self.below) = (Some(0), (!older).then_some(0));
        }
    }

    /// In which of the rows of the list's newest page some may have come: those before the first that is known, but for
    /// those that stand before all others. `None` where none of the window is left there.
    fn front(&self, fresh: &[Item<R>]) -> Option<usize> {
        let known: HashSet<R::Id> = self.items.iter().map(|item| item.row.id()).collect();
        let is_known = |item: &Item<R>| known.contains(&item.row.id());
        let rest = fresh.iter().position(|item| !item.is_exact && is_known(item));
        let has_rest = self.items.iter().any(|item| !item.is_exact);
        rest.or_else(|| (!has_rest && fresh.iter().any(is_known)).then_some(fresh.len()))
    }

    /// Puts those of the list's first rows into the window that are not there yet, each behind the one before it.
    fn put_among(&mut self, fresh: impl Iterator<Item = Item<R>>) {
        let mut at = 0;
        for item in fresh {
            let id = item.row.id();
            if let Some(known) = self.items.iter().position(|known| known.row.id() == id) {
                at = known + 1;
                continue;
            }
            self.items.insert(at, item);
            self.cursor += usize::from(at <= self.cursor);
            at += 1;
        }
    }

    /// The awaited page did not come. Says whether there are rows, which the problem must not cover.
    pub fn failed(&mut self, problem: &Problem) -> bool {
        self.awaiting = None;
        self.problem = Some(problem.clone());
        !self.items.is_empty()
    }

    /// Brings the window's rows up to date from the list's newest page; a row that the page should hold and does not
    /// has stopped matching.
    fn merge(&mut self, fresh: &[Item<R>], older: bool) {
        let place_of = |id| fresh.iter().position(|item| item.row.id() == id);
        let known = self.items.iter().rev().find_map(|item| place_of(item.row.id()).map(|at| (item.row.id(), at)));
        let front = &fresh[..self.front(fresh).unwrap_or(fresh.len())];
        let is_new = |item: &&Item<R>| self.items.iter().all(|known| known.row.id() != item.row.id());
        let rows = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
        let announced = rows(front.iter().filter(is_new).count());
        let exact = rows(front.iter().filter(|item| item.is_exact).filter(is_new).count());
        (self.announced, self.announced_exact) = (announced, exact);
        let last_known = known.and_then(|(id, _)| self.items.iter().position(|item| item.row.id() == id));
        for (at, item) in self.items.iter_mut().enumerate() {
            match place_of(item.row.id()) {
                Some(n) => {
                    (item.row, item.gone, item.is_exact) = (fresh[n].row.clone(), false, fresh[n].is_exact);
                }
                None => item.gone |= !older || last_known.is_some_and(|last| at < last),
            }
        }
    }

    fn drop_newest(&mut self) {
        let extra = self.items.len().saturating_sub(WINDOW_MAX).min(self.cursor);
        if extra > 0 {
            self.items.drain(..extra);
            self.cursor -= extra;
            self.top = self.top.saturating_sub(extra);
            self.newer = true;
            self.above = self.above.map(|above| above + extra);
            self.ends = self.items.first().zip(self.ends.clone()).map(|(first, (_, last))| (first.place.clone(), last));
        }
    }

    fn drop_oldest(&mut self) {
        let keep = WINDOW_MAX.max(self.cursor + 1);
        if self.items.len() > keep {
            self.below = self.below.map(|below| below + self.items.len() - keep);
            self.items.truncate(keep);
            self.older = true;
            self.ends = self.items.last().zip(self.ends.clone()).map(|(last, (first, _))| (first, last.place.clone()));
        }
    }

    /// Puts rows in the place of older states of themselves; those asked for and missing are gone.
    pub fn replace(&mut self, asked: &[R::Id], rows: &[R]) {
        for item in &mut self.items {
            let id = item.row.id();
            if let Some(row) = rows.iter().find(|row| row.id() == id) {
                item.row = row.clone();
                item.gone = false;
            } else if asked.contains(&id) {
                item.gone = true;
            }
        }
    }

    /// Which row of the whole list is selected, counted from the newest. `total` is how many it has, where that is known.
    #[must_use]
    pub fn position(&self, total: Option<i64>) -> Option<i64> {
        if !self.loaded || self.items.is_empty() || self.announced >= ANNOUNCED_MAX {
            return None;
        }
        let rows = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
        match (self.above, self.below) {
            (Some(above), _) => {
                let is_exact = self.selected().is_some_and(|item| item.is_exact);
                let came = if is_exact { self.announced_exact } else { self.announced };
                Some(rows(above + self.cursor + 1) + came)
            }
            (None, Some(below)) => Some((total? - rows(below + self.items.len() - self.cursor - 1)).max(1)),
            (None, None) => None,
        }
    }

    /// How many rows the whole list has, where both of its ends were seen.
    #[must_use]
    pub fn length(&self) -> Option<i64> {
        let rows = self.above? + self.items.len() + self.below?;
        i64::try_from(rows).ok().map(|rows| rows + self.announced)
    }

    /// Moves the cursor by rows.
    pub fn step(&mut self, by: isize) {
        self.cursor = self.cursor.saturating_add_signed(by).min(self.items.len().saturating_sub(1));
        self.is_at_top = self.cursor == 0 && !self.newer;
    }

    /// The first row on a screen of this height, with the cursor in sight.
    #[must_use]
    pub fn top_for(&self, height: usize) -> usize {
        let lowest = (self.cursor + 1).saturating_sub(height);
        let fullest = self.items.len().saturating_sub(height);
        self.top.clamp(lowest, self.cursor.max(lowest)).min(fullest.max(lowest))
    }
}

/// How many rows are beyond an end of the window, once so many of them have come into it.
fn beyond(before: Option<usize>, more: bool, came: usize) -> Option<usize> {
    if more { before.and_then(|rows| rows.checked_sub(came)) } else { Some(0) }
}

/// The list that awaits this page.
pub fn awaited<R: Row>(lists: &mut [List<R>], generation: u64) -> Option<&mut List<R>> {
    lists.iter_mut().find(|list| list.awaiting.is_some_and(|(awaited, _)| awaited == generation))
}
