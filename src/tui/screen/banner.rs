//! The banner under the tabs: what is wrong, and what to do about it.
//!
//! ```text
//! ! No worker is sending: 12 mails wait · run: verifydesk worker
//! ```
//! One line where both fit. Where they do not and the screen is tall enough, each has its own: what to do must never
//! be the part that is cut off.

use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::notice::{self, Banner};
use crate::text::{fit, plain, width};
use crate::tui::Model;
use crate::tui::breakpoints::TALL_FROM;
use crate::tui::theme::{Glyphs, Tone};
use crate::tui::widget::canvas::{Canvas, inset, row};
use crate::tui::widget::wrap::wrap;

/// Columns between what is wrong and what to do, and behind that.
const SEPARATOR: usize = 4;

/// Most lines: two for what is wrong, one for what to do.
const LINES_MAX: usize = 3;

/// How many rows it takes on a screen of that size.
pub(super) fn height(model: &Model, area: Rect) -> u16 {
    let Some(banner) = notice::banner(model) else { return 0 };
    if area.height < 7 {
        return 0;
    }
    let columns = usize::from(inset(area, 1).width);
    if area.height < TALL_FROM || one_line(&banner, columns, "!").is_some() {
        return 1;
    }
    u16::try_from(lines(&banner, columns, "!").len()).unwrap_or(1)
}

pub fn draw(canvas: &mut Canvas<'_>, model: &Model, area: Rect) {
    let Some(banner) = notice::banner(model) else { return };
    if area.height == 0 {
        return;
    }
    let mark = mark(canvas.glyphs(), banner.tone);
    let (style, strong) = (canvas.style(banner.tone), canvas.style(Tone::Strong));
    let ellipsis = canvas.glyphs().ellipsis;
    let area = inset(area, 1);
    let columns = usize::from(area.width);
    if area.height == 1 {
        let (what, hint) = one_line(&banner, columns, mark).unwrap_or_else(|| cut(&banner, columns, mark, ellipsis));
        let dot = Span::styled(format!(" {} ", canvas.glyphs().dot), canvas.style(Tone::Quiet));
        let line = Line::from(vec![Span::styled(what, style), dot, Span::styled(hint, strong)]);
        canvas.line(area, &line);
        return;
    }
    let lines = lines(&banner, columns, mark);
    let last = lines.len() - 1;
    for (n, text) in (0..).zip(lines) {
        let style = if usize::from(n) == last { strong } else { style };
        canvas.line(row(area, n), &Line::styled(fit(&text, columns, ellipsis), style));
    }
}

fn mark(glyphs: &Glyphs, tone: Tone) -> &'static str {
    let [_, bad, attention] = glyphs.marks;
    if tone == Tone::Bad { bad } else { attention }
}

/// What is wrong, in the longest words that leave room for what to do, and that.
fn one_line(banner: &Banner, columns: usize, mark: &str) -> Option<(String, String)> {
    let hint = plain(&banner.hint);
    let room = columns.checked_sub(hint.width() + SEPARATOR)?;
    let what = banner.what.iter().map(|what| plain(&format!("{mark} {what}"))).find(|what| what.width() <= room)?;
    Some((what.into_string(), hint.into_string()))
}

/// The same where neither has enough room.
fn cut(banner: &Banner, columns: usize, mark: &str, ellipsis: &str) -> (String, String) {
    let hint = plain(&banner.hint).into_string();
    // What is wrong needs its half of the line.
    let is_long = width(&hint) > columns / 2 && !banner.short.is_empty();
    let hint = if is_long { banner.short.to_owned() } else { hint };
    let room = columns.saturating_sub(width(&hint) + SEPARATOR).max(columns / 3);
    let what = banner.what.last().map(|what| plain(&format!("{mark} {what}"))).unwrap_or_default();
    (fit(what.as_str(), room, ellipsis), hint)
}

/// Lines of what is wrong, and a last one of what to do.
fn lines(banner: &Banner, columns: usize, mark: &str) -> Vec<String> {
    let what = banner.what.first().map(|what| plain(&format!("{mark} {what}"))).unwrap_or_default();
    let mut lines = wrap(what.as_str(), columns);
    lines.truncate(LINES_MAX - 1);
    lines.push(format!("  {}", plain(&banner.hint)));
    lines
}
