//! A pane whose lines say what can be opened from it, and the cursor on that.
//!
//! The arrow keys go from one to the next that is in sight. Where none is, they scroll: nothing of the pane is out of
//! their reach.

use std::ops::Range;

use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};
use ratatui::text::Line;

use crate::domain::id::{SendId, VerificationId};
use crate::tui::theme::Tone;
use crate::tui::widget::canvas::{Canvas, inset, row};

/// Something that Enter leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    Verification(VerificationId),
    Mail(SendId),
}

/// The pane's lines, and on which of them what can be opened begins.
#[derive(Clone, Debug, Default)]
pub struct Laid {
    pub lines: Vec<Line<'static>>,
    pub targets: Targets,
}

/// What can be opened, each with its first line.
pub type Targets = Vec<(usize, Target)>;

/// What of the lines is on the screen, and which of them is chosen there.
pub(in crate::tui) struct Pane {
    laid: Laid,
    sight: Range<usize>,
    chosen: Option<(usize, Target)>,
}

impl Pane {
    /// The lines from the first one shown on, on a screen of this height; what is chosen is so while it is in sight.
    pub(in crate::tui) fn new(laid: Laid, first: usize, height: u16, chosen: Option<Target>) -> Self {
        let height = usize::from(height);
        let top = first.min(laid.lines.len().saturating_sub(height));
        let sight = top..top + height;
        let is_it = |(line, target): &(usize, Target)| Some(*target) == chosen && sight.contains(line);
        let chosen = laid.targets.iter().copied().find(is_it);
        Self { laid, sight, chosen }
    }

    /// The chosen one, if it is in sight.
    pub(in crate::tui) fn chosen(&self) -> Option<Target> {
        self.chosen.map(|(_, target)| target)
    }

    /// One step up or down: to the next that can be opened, or a line on.
    pub(in crate::tui) fn step(&self, is_down: bool, first: &mut usize, chosen: &mut Option<Target>) {
        let from = self.chosen.map(|(line, _)| line);
        let mut seen = self.laid.targets.iter().filter(|(line, _)| self.sight.contains(line));
        let next = if is_down {
            seen.find(|(line, _)| from.is_none_or(|from| *line > from))
        } else {
            // At the top there is nothing to come back to.
            seen.rfind(|(line, _)| from.map_or(self.sight.start > 0, |from| *line < from))
        };
        if let Some((_, target)) = next {
            *chosen = Some(*target);
            return;
        }
        let most = self.laid.lines.len().saturating_sub(self.sight.len());
        let start = self.sight.start;
        *first = if is_down { start + 1 } else { start.saturating_sub(1) }.min(most);
    }

    /// Draws it, with a column free on both sides.
    pub(in crate::tui) fn draw(&self, canvas: &mut Canvas<'_>, edge: Rect) {
        let area = inset(edge, 1);
        let chosen = self.chosen.map(|(line, _)| line);
        for (n, at) in (0..area.height).zip(self.sight.clone()) {
            let Some(line) = self.laid.lines.get(at) else { break };
            canvas.line(row(area, n), line);
            if chosen == Some(at) {
                let (mark, style) = (canvas.glyphs().selected.trim_end(), canvas.style(Tone::Here));
                canvas.text(Rect { width: edge.width.min(1), ..row(edge, n) }, mark, style);
                canvas.restyle(row(area, n), Style::new().add_modifier(Modifier::BOLD));
            }
        }
    }
}
