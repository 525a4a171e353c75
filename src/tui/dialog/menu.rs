//! A choice of one line out of a few.

use super::Action;
use crate::text::{fit, pad, width};
use crate::tui::theme::{Theme, Tone};
use crate::tui::widget::lines::Lines;
use crate::tui::widget::wrap::wrap;

/// Columns before a text that has lines of its own.
const SET_IN: usize = 4;

/// Which of its lines is chosen.
#[derive(Clone, Copy, Debug)]
pub(super) struct Menu {
    pub chosen: usize,
    count: usize,
}

impl Menu {
    pub(super) fn new(count: usize) -> Self {
        Self { chosen: 0, count }
    }

    /// To the next line or the one before, round the ends.
    pub(super) fn step(&mut self, action: Action) {
        let by = if action == Action::PreviousField { self.count.saturating_sub(1) } else { 1 };
        self.chosen = (self.chosen + by) % self.count.max(1);
    }

    /// To the line with this number, from 1 on, where there is one; says whether there is.
    pub(super) fn choose(&mut self, number: usize) -> bool {
        let is_there = (1..=self.count).contains(&number);
        self.chosen = if is_there { number - 1 } else { self.chosen };
        is_there
    }

    /// Draws a line: its number, its label in so many columns, and what it says. The chosen one is read to its end, on lines
    /// of its own where it is long; the others are as long as there is room.
    pub(super) fn line(
        self,
        lines: &mut Lines<'_>,
        (theme, columns): (&Theme, u16),
        n: usize,
        label: (&str, usize),
        text: &str,
    ) {
        let is_chosen = n == self.chosen;
        let mark = if is_chosen { theme.glyphs().selected } else { "  " };
        let tone = if is_chosen { Tone::Here } else { Tone::Text };
        let columns = usize::from(columns);
        let room = columns.saturating_sub(label.1 + 4);
        let is_long = is_chosen && width(text) > room;
        let beside = if is_long { String::new() } else { fit(text, room, theme.glyphs().ellipsis) };
        lines.pieces(vec![
            (pad(mark, 2, ""), Tone::Here),
            ((n + 1).to_string(), Tone::Key),
            (format!(" {}", pad(label.0, label.1, "")), Tone::Quiet),
            (beside, tone),
        ]);
        for part in wrap(text, columns.saturating_sub(SET_IN)).into_iter().filter(|_| is_long) {
            lines.pieces(vec![(pad("", SET_IN, ""), Tone::Quiet), (part, tone)]);
        }
    }
}
