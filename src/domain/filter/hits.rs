//! How many a search finds.

/// So many are counted at most.
pub const HITS_MAX: i64 = 1_000;

/// How many a search finds, by what lists are divided into.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hits<T> {
    by: Vec<(T, i64)>,
    /// Whether all were counted. If not, there are at least so many.
    pub is_all: bool,
}

impl<T: Copy + PartialEq> Hits<T> {
    pub fn new(by: impl IntoIterator<Item = (T, i64)>, is_all: bool) -> Self {
        Self { by: by.into_iter().collect(), is_all }
    }

    /// Of one kind, or of all.
    #[must_use]
    pub fn of(&self, kind: Option<T>) -> i64 {
        self.by.iter().filter(|(of, _)| kind.is_none_or(|kind| kind == *of)).map(|(_, count)| count).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn adds_up() {
        let hits = Hits::new([('a', 2), ('b', 3)], true);
        assert_eq!([None, Some('a'), Some('b'), Some('c')].map(|kind| hits.of(kind)), [5, 2, 3, 0]);
    }
}
