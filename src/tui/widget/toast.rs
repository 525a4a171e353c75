//! Messages that go by themselves, above the keys.

use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::canvas::{Canvas, inset, row};
use super::wrap::wrap;
use crate::domain::Time;
use crate::text::{plain, width};
use crate::tui::model::{Level, Toast};
use crate::tui::theme::Tone;
use crate::tui::when;

/// Most lines of one message.
const LINES_MAX: u16 = 3;

/// Draws messages upwards from the bottom of an area.
pub fn draw(canvas: &mut Canvas<'_>, area: Rect, toasts: &[Toast], now: Time) {
    let area = canvas.clip(area);
    // On a small screen the newest message is enough: the list has to be seen too.
    let least = area.height - area.height.min((area.height / 3).max(LINES_MAX));
    let mut bottom = area.height;
    for toast in toasts.iter().rev() {
        let lines = lines(canvas, toast, now, area.width.saturating_sub(2));
        let height = u16::try_from(lines.len()).unwrap_or(u16::MAX);
        if bottom < height.saturating_add(least) {
            break;
        }
        bottom -= height;
        for (n, line) in (bottom..).zip(&lines) {
            canvas.clear(row(area, n));
            canvas.line(inset(row(area, n), 1), line);
        }
    }
    if area.height - bottom > 1 && bottom > 1 {
        canvas.clear(row(area, bottom - 1));
        canvas.rule(row(area, bottom - 1), canvas.glyphs().rule, Tone::Rule);
    }
}

fn lines(canvas: &Canvas<'_>, toast: &Toast, now: Time, columns: u16) -> Vec<Line<'static>> {
    let [good, bad, refused] = canvas.glyphs().marks;
    let (mark, tone) = match toast.level {
        Level::Done => (good, Tone::Good),
        Level::Refused => (refused, Tone::Warn),
        Level::Failed => (bad, Tone::Bad),
    };
    let columns = usize::from(columns).max(1);
    let indent = width(mark) + 1;
    let (what, mut hint) = (plain(&toast.what), plain(&toast.hint));
    if let Some(until) = toast.undo_until.filter(|until| *until > now) {
        let left = when::countdown(when::seconds_until(until, now));
        // First: it is the only part that is soon too late.
        hint = plain(format!("z takes it back, {left}. {hint}").trim_end());
    }
    let together = indent + what.width() + 2 + hint.width();
    let head = Span::styled(format!("{mark} "), canvas.style(tone));
    let strong = canvas.style(Tone::Strong);
    let quiet = canvas.style(Tone::Text);
    if together <= columns || hint.width() == 0 && indent + what.width() <= columns {
        return vec![Line::from(vec![
            head,
            Span::styled(what.into_string(), strong),
            Span::styled(format!("  {hint}"), quiet),
        ])];
    }
    let mut out = Vec::new();
    for (text, style) in [(what, strong), (hint, quiet)] {
        for line in wrap(text.as_str(), columns.saturating_sub(indent)).into_iter().filter(|l| !l.is_empty()) {
            let lead = if out.is_empty() { head.clone() } else { Span::raw(" ".repeat(indent)) };
            out.push(Line::from(vec![lead, Span::styled(line, style)]));
        }
    }
    out.truncate(usize::from(LINES_MAX));
    out
}
