//! The list: templates in their languages, then the fixtures of the chosen one.

use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::text::{pad, plain};
use crate::tui::theme::Tone;
use crate::tui::view::templates::model::{Entry, Mode, Workbench};
use crate::tui::widget::canvas::{Canvas, inset, row};

pub fn draw(canvas: &mut Canvas<'_>, bench: &Workbench, area: Rect) {
    let area = inset(area, 1);
    let entries = bench.entries();
    let height = usize::from(area.height);
    // The matrix lists them itself.
    let fixtures = if bench.mode == Mode::Matrix { &[] } else { bench.fixtures() };
    // The fixtures leave the templates at least half of the height.
    let room =
        if entries.len() + fixtures.len() + 3 <= height { entries.len() } else { (height / 2).min(entries.len()) };
    let top = bench.chosen().saturating_sub(room.saturating_sub(1));
    let mut n = 0;
    for (at, entry) in entries.iter().enumerate().skip(top).take(room) {
        let chosen = at == bench.chosen();
        let name =
            pad(plain(&entry.template).as_str(), usize::from(area.width.saturating_sub(12)), canvas.glyphs().ellipsis);
        let tone = if chosen { Tone::Strong } else { Tone::Text };
        let mut spans = vec![marker(canvas, chosen), Span::styled(name, canvas.style(tone))];
        spans.push(Span::styled(format!(" {}", entry.locale), canvas.style(tone)));
        spans.extend(findings(canvas, bench, entry));
        canvas.line(row(area, n), &Line::from(spans));
        n += 1;
    }
    if fixtures.is_empty() {
        return;
    }
    n += 1;
    let quiet = canvas.style(Tone::Quiet);
    canvas.text(row(area, n), "Fixtures", quiet);
    n += 1;
    let room = usize::from(area.height.saturating_sub(n));
    let chosen = if bench.person.is_some() { usize::MAX } else { bench.fixture_index() };
    let top = if chosen == usize::MAX { 0 } else { chosen.saturating_sub(room.saturating_sub(1)) };
    for (at, (id, _)) in fixtures.iter().enumerate().skip(top).take(room) {
        let tone = if at == chosen { Tone::Strong } else { Tone::Text };
        let spans = vec![marker(canvas, at == chosen), Span::styled(plain(id).into_string(), canvas.style(tone))];
        canvas.line(row(area, n), &Line::from(spans));
        n += 1;
    }
}

fn marker(canvas: &Canvas<'_>, chosen: bool) -> Span<'static> {
    if chosen { Span::styled(canvas.glyphs().selected, canvas.style(Tone::Here)) } else { Span::raw("  ") }
}

/// Errors and warnings, or that all is well.
fn findings(canvas: &Canvas<'_>, bench: &Workbench, entry: &Entry) -> Vec<Span<'static>> {
    let [good, bad, warn] = canvas.glyphs().marks;
    match bench.counts(entry) {
        None => Vec::new(),
        Some((0, 0)) => vec![Span::styled(format!(" {good}"), canvas.style(Tone::Good))],
        Some((errors, warnings)) => [(errors, bad, Tone::Bad), (warnings, warn, Tone::Warn)]
            .into_iter()
            .filter(|(count, ..)| *count > 0)
            .map(|(count, mark, tone)| Span::styled(format!(" {mark}{count}"), canvas.style(tone)))
            .collect(),
    }
}
