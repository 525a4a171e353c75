//! Margins: which collapse into one, and what those become that are `auto`.

use super::block::AvailableSpace;
use crate::preview::layout::style::Align;
use crate::preview::layout::style::value::Unit;

/// A margin that may still collapse with others: the largest positive and the most negative of
/// them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Margin {
    positive: Unit,
    negative: Unit,
}

impl Margin {
    /// One by itself.
    pub fn new(margin: Unit) -> Self {
        Self { positive: margin.max(0), negative: margin.min(0) }
    }

    /// Both, collapsed.
    pub fn with(self, other: Self) -> Self {
        Self { positive: self.positive.max(other.positive), negative: self.negative.min(other.negative) }
    }

    /// What it comes to.
    pub fn value(self) -> Unit {
        self.positive + self.negative
    }
}

/// Which margins of contents go beyond the container.
#[derive(Clone, Copy, Debug, Default)]
pub struct MarginCollapse {
    pub top: bool,
    pub bottom: bool,
}

/// Where a block of that width begins in its container, by its left and right margins; `None` is `auto`.
pub fn inline_start(left: Option<Unit>, right: Option<Unit>, space: &AvailableSpace, width: Unit) -> Unit {
    match (left, right) {
        // What floats or stands in a line has no margins that grow.
        _ if space.shrink => left.unwrap_or(0),
        (None, None) => ((space.width - width) / 2).max(0),
        (None, Some(right)) => (space.width - width - right).max(0),
        (Some(left), None) => left,
        (Some(left), Some(right)) => {
            let free = (space.width - left - right - width).max(0);
            let moved = match space.blocks {
                Align::Start => 0,
                Align::Centre => free / 2,
                Align::End => free,
            };
            left + moved
        }
    }
}
