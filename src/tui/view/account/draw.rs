//! The account, panel by panel; beside each other where there is room.
//!
//! ```text
//! ● Production   31,245 of 50,000 sent in 24 h
//! ━━━━━━━━━━━━────────────────────────────────────────────────
//! Account  ap-northeast-2                             just now   Sender  no-reply@example.org      2 min ago
//! access      production                                         verified    yes: it may send
//! quota       31,245 of 50,000 sent in 24 h                      DKIM        signs
//!             ━━━━━━━━━━━━────────
//! ```

use ratatui::layout::Rect;
use ratatui::style::Modifier;
use ratatui::text::{Line, Span};

use super::{charts, panels};
use crate::domain::account::facts;
use crate::domain::account::view::AccountView;
use crate::domain::amazon::AccountStanding;
use crate::tui::Model;
use crate::tui::screen::layout::{self, Layout};
use crate::tui::theme::{Theme, Tone};
use crate::tui::view::empty::{self, State, away};
use crate::tui::when;
use crate::tui::widget::canvas::{Canvas, inset, row};
use crate::tui::widget::lines::Lines;

/// From how many columns on there are two columns of panels.
const TWO_FROM: u16 = 110;

/// Columns between them.
const GAP: u16 = 3;

/// Of the panels, those that stand with the charts: the account, and how mail is received.
const WITH_CHARTS: usize = 2;

/// A glyph, its tone, and the word for how the account is.
fn standing(model: &Model, theme: &Theme) -> (&'static str, Tone, &'static str) {
    let glyphs = theme.glyphs();
    let [_, bad, attention] = glyphs.marks;
    let Some(view) = &model.account.read else { return (glyphs.off, Tone::Quiet, "Not known yet") };
    let Some(account) = &view.account else { return (glyphs.off, Tone::Quiet, "No AWS: the desk's own data") };
    if account.permission.is_some() {
        return (attention, Tone::Warn, "ses:GetAccount is not allowed");
    }
    match &account.standing {
        None => (glyphs.off, Tone::Quiet, "Not asked yet"),
        Some(AccountStanding { can_send: false, .. }) => (bad, Tone::Bad, "AWS HAS PAUSED SENDING"),
        Some(standing) => match (standing.enforcement.raw(), standing.is_sandbox) {
            ("SHUTDOWN", _) => (bad, Tone::Bad, "SHUT DOWN BY AWS"),
            ("PROBATION", true) => (attention, Tone::Bad, "ON PROBATION, in the sandbox"),
            ("PROBATION", _) => (attention, Tone::Bad, "ON PROBATION"),
            (_, true) => (attention, Tone::Warn, "Sandbox"),
            _ => (glyphs.on, Tone::Good, "Production"),
        },
    }
}

/// How it feels that the account is so.
#[must_use]
pub fn tone(model: &Model, theme: &Theme) -> Tone {
    standing(model, theme).1
}

/// The first line: how the account is.
#[must_use]
pub fn state(model: &Model, theme: &Theme) -> Vec<Span<'static>> {
    let (glyph, tone, word) = standing(model, theme);
    let mut spans = vec![Span::styled(format!("{glyph} {word}"), theme.style(tone).add_modifier(Modifier::BOLD))];
    let read = model.account.read.as_ref();
    if let Some(of) = read.and_then(|view| view.account.as_ref()).and_then(|account| account.standing.as_ref()) {
        spans.push(Span::styled(format!("   {}", of.quota_in_words()), theme.style(Tone::Quiet)));
    }
    spans
}

pub fn draw(canvas: &mut Canvas<'_>, model: &Model, layout: &Layout) {
    let area = layout.pane;
    if area.width == 0 || area.height == 0 {
        return;
    }
    let Some(view) = &model.account.read else { return empty::draw(canvas, area, &unread(model)) };
    let columns = columns(model, canvas.theme, view, layout);
    let most = overhang(&columns, area);
    let scroll = model.account.scroll.min(most);
    for (place, lines) in columns {
        for (n, line) in (0..place.height).zip(lines.iter().skip(scroll)) {
            canvas.line(row(place, n), line);
        }
    }
    canvas.beyond(area, scroll > 0, scroll < most);
}

/// Why there is nothing to show yet.
fn unread(model: &Model) -> State {
    match &model.account.problem {
        Some(problem) if !problem.away && !model.is_away() => State::problem(problem),
        _ => away(model),
    }
}

/// How far it can be scrolled.
#[must_use]
pub fn max_scroll(model: &Model) -> usize {
    let layout = layout::whole(model);
    let Some(view) = &model.account.read else { return 0 };
    overhang(&columns(model, &Theme::plain(), view, &layout), layout.pane)
}

fn overhang(columns: &[(Rect, Vec<Line<'static>>)], area: Rect) -> usize {
    let longest = columns.iter().map(|(_, lines)| lines.len()).max().unwrap_or_default();
    longest.saturating_sub(usize::from(area.height))
}

/// Each column's place and lines.
fn columns(model: &Model, theme: &Theme, view: &AccountView, layout: &Layout) -> Vec<(Rect, Vec<Line<'static>>)> {
    let area = inset(layout.pane, 1);
    let shown = |at| format!("{}, {}", when::time_of_day(at, model.setup.zone), when::relative(at, model.now));
    let all = facts::panels(view, &shown);
    let (first, others) = all.split_at(all.len().min(WITH_CHARTS));
    let head = |columns| {
        let mut lines = top(model, theme, columns, layout);
        lines.extend(panels::lines(model, theme, columns, first));
        lines
    };
    if area.width < TWO_FROM {
        let parts = [
            head(area.width),
            charts::lines(model, theme, area.width, view),
            panels::lines(model, theme, area.width, others),
        ];
        return vec![(area, below_each_other(parts))];
    }
    let left = Rect { width: (area.width - GAP).div_ceil(2), ..area };
    let right = Rect { x: left.right() + GAP, width: area.width - GAP - left.width, ..area };
    // Where AWS says nothing, the charts have the other column.
    let [left_lines, right_lines] = if others.is_empty() {
        [head(left.width), charts::lines(model, theme, right.width, view)]
    } else {
        let charted = below_each_other([head(left.width), charts::lines(model, theme, left.width, view)]);
        [charted, panels::lines(model, theme, right.width, others)]
    };
    vec![(left, left_lines), (right, right_lines)]
}

/// What comes before all panels: how the account is where there is no room above, and that it could not be read again.
fn top(model: &Model, theme: &Theme, columns: u16, layout: &Layout) -> Vec<Line<'static>> {
    let mut out = Vec::new();
    if layout.tabs.height == 0 {
        out.push(Line::from(state(model, theme)));
    }
    if let Some(problem) = model.account.problem.as_ref().filter(|problem| !problem.away && !model.is_away()) {
        let [_, bad, _] = theme.glyphs().marks;
        let mut lines = Lines::new(theme, columns);
        lines.marked(bad, &format!("not read again: {}", problem.what), Tone::Bad);
        if !problem.hint.is_empty() {
            lines.under(&problem.hint, Tone::Quiet);
        }
        lines.gap();
        out.extend(lines.finish());
    }
    out
}

/// Parts with a gap between them.
fn below_each_other<const N: usize>(parts: [Vec<Line<'static>>; N]) -> Vec<Line<'static>> {
    let mut out = Vec::new();
    for part in parts.into_iter().filter(|part| !part.is_empty()) {
        if !out.is_empty() {
            out.push(Line::default());
        }
        out.extend(part);
    }
    out
}
