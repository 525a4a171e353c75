//! A choice of one line out of a few.

use super::Action;
use crate::text::pad;
use crate::tui::theme::{Theme, Tone};
use crate::tui::widget::lines::Lines;

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

    /// Draws a line: its number, its label in so many columns, and what it says.
    pub(super) fn line(
        self,
        lines: &mut Lines<'_>,
        theme: &Theme,
        n: usize,
        (label, columns): (&str, usize),
        text: &str,
    ) {
        let is_chosen = n == self.chosen;
        let mark = if is_chosen { theme.glyphs().selected } else { "  " };
        lines.pieces(vec![
            (pad(mark, 2, ""), Tone::Here),
            ((n + 1).to_string(), Tone::Key),
            (format!(" {}", pad(label, columns, "")), Tone::Quiet),
            (text.to_owned(), if is_chosen { Tone::Here } else { Tone::Text }),
        ]);
    }
}
