//! Spans of time, open at either end.

use crate::domain::Time;

/// From a moment on, and before another. The default is all time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Span {
    /// At or after.
    pub from: Option<Time>,
    /// Before.
    pub to: Option<Time>,
}

impl Span {
    #[must_use]
    pub fn is_all(self) -> bool {
        self == Self::default()
    }

    /// What is in both.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            from: self.from.max(other.from),
            to: match (self.to, other.to) {
                (Some(a), Some(b)) => Some(a.min(b)),
                (a, b) => a.or(b),
            },
        }
    }

    #[must_use]
    pub fn contains(self, time: Time) -> bool {
        self.from.is_none_or(|from| from <= time) && self.to.is_none_or(|to| time < to)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both() {
        let at = |seconds| Time::from_timestamp(seconds, 0);
        let span = |from: Option<i64>, to: Option<i64>| Span { from: from.and_then(at), to: to.and_then(at) };
        let both = span(Some(1), None).and(span(Some(2), Some(9))).and(span(None, Some(5)));
        assert_eq!(both, span(Some(2), Some(5)));
        let times = [1, 2, 4, 5].map(|seconds| both.contains(at(seconds).unwrap()));
        assert_eq!(times, [false, true, true, false]);
        assert!(Span::default().is_all() && Span::default().and(Span::default()).is_all());
    }
}
