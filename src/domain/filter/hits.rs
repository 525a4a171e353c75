//! How many a filter finds.

/// So many are counted at most.
pub const HITS_MAX: i64 = 1_000;

/// How many a filter finds, by what lists are divided into.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hits<T> {
    by: Vec<(T, i64)>,
    /// All together, where that is not their sum.
    all: Option<i64>,
    /// Whether all were looked at. If not, there are at least so many.
    pub is_all: bool,
}

impl<T: Copy + PartialEq> Hits<T> {
    pub fn new(by: impl IntoIterator<Item = (T, i64)>, is_all: bool) -> Self {
        Self { by: by.into_iter().collect(), all: None, is_all }
    }

    /// The same, with how many there are together.
    #[must_use]
    pub fn with_all(self, all: Option<i64>) -> Self {
        Self { all, ..self }
    }

    /// Of one kind, or of all.
    #[must_use]
    pub fn of(&self, kind: Option<T>) -> i64 {
        match (kind, self.all) {
            (None, Some(all)) => all,
            _ => self.parts(kind).sum(),
        }
    }

    /// Whether there are that many, and not more.
    #[must_use]
    pub fn is_exact(&self, kind: Option<T>) -> bool {
        let all = self.all.filter(|_| kind.is_none());
        self.is_all && self.parts(kind).filter(|_| all.is_none()).chain(all).all(|count| count <= HITS_MAX)
    }

    fn parts(&self, kind: Option<T>) -> impl Iterator<Item = i64> {
        self.by.iter().filter(move |(of, _)| kind.is_none_or(|kind| kind == *of)).map(|(_, count)| *count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn adds_up() {
        let hits = Hits::new([('a', 2), ('b', 3)], true);
        assert_eq!([None, Some('a'), Some('b'), Some('c')].map(|kind| hits.of(kind)), [5, 2, 3, 0]);
        assert_eq!(hits.with_all(Some(4)).of(None), 4);
    }

    #[test]
    fn what_was_counted_to_the_limit_may_be_more() {
        let hits = Hits::new([('a', 2), ('b', HITS_MAX + 1)], true);
        assert_eq!([None, Some('a'), Some('b')].map(|kind| hits.is_exact(kind)), [false, true, false]);
        assert!(hits.clone().with_all(Some(9)).is_exact(None));
        assert!(!Hits { is_all: false, ..hits }.is_exact(Some('a')));
    }
}
