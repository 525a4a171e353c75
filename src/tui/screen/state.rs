//! Screens for when there is nothing to list: connecting, loading, nothing found, something wrong.

use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::text::plain;
use crate::tui::effect::Problem;
use crate::tui::look::Tone;
use crate::tui::widget::canvas::{Canvas, inset, row};
use crate::tui::widget::wrap::wrap;

/// What to say instead of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State {
    /// What is the matter.
    pub what: String,
    /// How it feels.
    pub tone: Tone,
    /// What to do, a line each.
    pub hints: Vec<String>,
}

impl State {
    /// A quiet remark.
    pub fn quiet(what: impl Into<String>) -> Self {
        Self { what: what.into(), tone: Tone::Quiet, hints: Vec::new() }
    }

    /// With something to do about it.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// A problem.
    #[must_use]
    pub fn problem(problem: &Problem) -> Self {
        let state = Self { what: problem.what.clone(), tone: Tone::Bad, hints: Vec::new() };
        let hints = [problem.hint.clone(), "Press R to try again.".into()];
        hints.into_iter().filter(|h| !h.is_empty()).fold(state, State::hint)
    }
}

/// Draws it in the upper third, where the eye is.
pub fn draw(canvas: &mut Canvas<'_>, area: Rect, state: &State) {
    let area = inset(canvas.clip(area), if area.width > 24 { 3 } else { 1 });
    if area.is_empty() {
        return;
    }
    let columns = usize::from(area.width.min(72));
    let [_, bad, _] = canvas.glyphs().marks;
    let what = if state.tone == Tone::Bad { format!("{bad} {}", state.what) } else { state.what.clone() };
    let tone = if state.tone == Tone::Quiet { Tone::Strong } else { state.tone };
    let mut lines: Vec<Line<'_>> = Vec::new();
    let mut add = |text: &str, tone| {
        let style = canvas.style(tone);
        lines.extend(wrap(plain(text).as_str(), columns).into_iter().map(|part| Line::from(Span::styled(part, style))));
    };
    add(&what, tone);
    for hint in &state.hints {
        add(hint, Tone::Quiet);
    }
    if lines.len() + 3 < usize::from(area.height) && lines.len() > 1 {
        let first = wrap(plain(&what).as_str(), columns).len();
        lines.insert(first, Line::default());
    }
    let height = u16::try_from(lines.len()).unwrap_or(u16::MAX);
    let top = area.height.saturating_sub(height) / 3;
    for (n, line) in (top..area.height).zip(&lines) {
        canvas.line(row(area, n), line);
    }
}
