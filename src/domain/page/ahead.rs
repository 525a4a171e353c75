//! Some rows of a list before all others, whatever its order: one list of two.
//!
//! They are few, and always read whole; the rest is a list of its own, in which they do not come again. A place is in the
//! one or the other, so that pages by key set go from the one into the other and back.

use std::cmp::Ordering;
use std::ops::Range;

use super::{Page, Position};
use crate::domain::Time;

/// A page of such a list, before the rest of it was read.
pub struct Ahead<T> {
    /// Those before all others, in the list's order.
    rows: Vec<T>,
    way: Way,
    limit: usize,
}

#[derive(Clone, Copy)]
enum Way {
    /// From this one of them on, and then the rest from its beginning.
    Down(usize),
    /// To this one, without it; none of the rest.
    Up(usize),
    /// The rest, and nothing else.
    RestDown,
    /// The rest; where that begins, the last of them stand above.
    RestUp,
}

impl<T> Ahead<T> {
    /// `is_ahead` tells whether a place is that of one of these rows, though it may be gone by now, and `order` where a row
    /// is in the list, seen from a place.
    #[must_use]
    pub fn new<C>(
        rows: Vec<T>,
        position: &Position<C>,
        limit: i64,
        is_ahead: impl Fn(&C) -> bool,
        order: impl Fn(&T, &C) -> Ordering,
    ) -> Self {
        let first =
            |place: &C, least: Ordering| rows.iter().position(|row| order(row, place) >= least).unwrap_or(rows.len());
        let way = match position {
            Position::Newest => Way::Down(0),
            Position::After(place) if is_ahead(place) => Way::Down(first(place, Ordering::Greater)),
            Position::After(_) => Way::RestDown,
            Position::Before(place) if is_ahead(place) => Way::Up(first(place, Ordering::Equal)),
            Position::Before(_) | Position::Oldest => Way::RestUp,
        };
        Self { rows, way, limit: usize::try_from(limit).unwrap_or(1).max(1) }
    }

    /// Which page of the rest is needed beside them.
    #[must_use]
    pub fn rest<C>(&self, position: Position<C>) -> Option<(Position<C>, i64)> {
        let rows = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
        match self.way {
            // One row at least: to know whether there are more.
            Way::Down(_) => Some((Position::Newest, rows((self.limit - self.known().len()).max(1)))),
            Way::Up(_) => None,
            Way::RestDown | Way::RestUp => Some((position, rows(self.limit))),
        }
    }

    /// Those of the page that are known before the rest is.
    #[must_use]
    pub fn before(&self) -> &[T] {
        &self.rows[self.known()]
    }

    fn known(&self) -> Range<usize> {
        match self.way {
            Way::Down(from) => from..self.rows.len().min(from.saturating_add(self.limit)),
            Way::Up(to) => to.saturating_sub(self.limit)..to,
            Way::RestDown | Way::RestUp => 0..0,
        }
    }

    /// The page, with that of the rest.
    #[must_use]
    pub fn joined(mut self, rest: Option<Page<T>>, as_of: Time) -> Page<T> {
        let rest = rest.unwrap_or(Page { rows: Vec::new(), as_of, newer: false, older: true, exact: 0 });
        let (count, known) = (self.rows.len(), self.known());
        let (range, newer, older) = match self.way {
            Way::Down(from) => {
                let is_cut = known.end < count || known.len() == self.limit && !rest.rows.is_empty();
                (known, from > 0, is_cut || rest.older)
            }
            Way::Up(_) => (known.clone(), known.start > 0, true),
            Way::RestDown => (0..0, rest.newer || count > 0, rest.older),
            Way::RestUp if rest.newer => (0..0, true, rest.older),
            Way::RestUp => {
                let from = count - (self.limit - rest.rows.len().min(self.limit)).min(count);
                (from..count, from > 0, rest.older)
            }
        };
        let mut rows: Vec<T> = self.rows.drain(range).collect();
        let exact = rows.len();
        rows.extend(rest.rows.into_iter().take(self.limit - exact));
        Page { rows, as_of, newer, older, exact }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Ten's numbers, the greatest first; those in `ahead` stand before all others.
    fn page(ahead: &[u8], rest: &[u8], position: Position<u8>, limit: usize) -> Page<u8> {
        let limit = i64::try_from(limit).unwrap();
        let joint =
            Ahead::new(ahead.to_vec(), &position, limit, |place| ahead.contains(place), |row, place| place.cmp(row));
        let rest = joint.rest(position).map(|(position, limit)| {
            let (all, limit) = (rest.to_vec(), usize::try_from(limit).unwrap());
            let (from, to) = match position {
                Position::Newest => (0, limit),
                Position::After(place) => {
                    let from = all.iter().position(|row| *row < place).unwrap_or(all.len());
                    (from, from + limit)
                }
                Position::Before(place) => {
                    let to = all.iter().position(|row| *row <= place).unwrap_or(all.len());
                    (to.saturating_sub(limit), to)
                }
                Position::Oldest => (all.len().saturating_sub(limit), all.len()),
            };
            let to = to.min(all.len());
            Page {
                rows: all[from..to].to_vec(),
                as_of: Time::default(),
                newer: from > 0,
                older: to < all.len(),
                exact: 0,
            }
        });
        joint.joined(rest, Time::default())
    }

    proptest! {
        #[test]
        fn pages_have_each_row_once_in_both_directions(
            ahead in proptest::collection::btree_set(any::<u8>(), 0..8),
            rest in proptest::collection::btree_set(any::<u8>(), 0..20),
            limit in 1usize..7,
        ) {
            let rest: Vec<u8> = rest.into_iter().rev().filter(|row| !ahead.contains(row)).collect();
            let ahead: Vec<u8> = ahead.into_iter().rev().collect();
            let all = [&ahead[..], &rest[..]].concat();
            let is_whole = |page: &Page<u8>, at: usize| {
                (page.newer, page.older) == (at > 0, at + page.rows.len() < all.len())
                    && page.exact == page.rows.iter().filter(|row| ahead.contains(row)).count()
            };
            let (mut down, mut position) = (Vec::new(), Position::Newest);
            loop {
                let page = page(&ahead, &rest, position, limit);
                prop_assert!(page.rows.len() <= limit && is_whole(&page, down.len()), "{page:?}");
                down.extend(page.rows);
                if !page.older {
                    break;
                }
                position = Position::After(down[down.len() - 1]);
            }
            prop_assert_eq!(&down, &all);
            let (mut up, mut position) = (Vec::new(), Position::Oldest);
            loop {
                let page = page(&ahead, &rest, position, limit);
                let at = all.len() - up.len() - page.rows.len();
                prop_assert!(page.rows.len() <= limit && (all.is_empty() || is_whole(&Page { older: page.older, ..page.clone() }, at)), "{page:?}");
                up.splice(0..0, page.rows);
                if !page.newer {
                    break;
                }
                position = Position::Before(up[0]);
            }
            prop_assert_eq!(&up, &all);
        }
    }

    /// A row that stood before all others, and was moved or taken away since: what is behind it comes all the same.
    #[test]
    fn places_of_rows_that_are_gone() {
        let gone = |position| {
            let joint =
                Ahead::new(vec![9, 3], &position, 5, |place| [9, 5, 3].contains(place), |row, place| place.cmp(row));
            joint.before().to_vec()
        };
        assert_eq!(gone(Position::After(5)), [3]);
        assert_eq!(gone(Position::Before(5)), [9]);
    }
}
