//! Tabs on one line; the chosen one is always in sight.

use ratatui::layout::Rect;

use super::canvas::Canvas;
use crate::text::width;
use crate::tui::theme::Tone;

#[derive(Debug)]
pub struct Tab {
    /// Its key, where it has one.
    pub key: String,
    pub title: String,
    /// How many it holds, where that is known.
    pub count: String,
}

impl Tab {
    fn width(&self) -> u16 {
        let key = if self.key.is_empty() { 0 } else { width(&self.key) + 1 };
        self.width_without_key().saturating_add(u16::try_from(key).unwrap_or(u16::MAX))
    }

    fn width_without_key(&self) -> u16 {
        let parts = [&self.title, &self.count];
        let columns: usize = parts.iter().filter(|p| !p.is_empty()).map(|p| width(p) + 1).sum();
        u16::try_from(columns.saturating_sub(1)).unwrap_or(u16::MAX)
    }
}

/// Columns between tabs, where there is room and where it is short.
const GAPS: [u16; 2] = [3, 2];

/// Draws tabs; returns the columns of the chosen one, for the rule below to point at.
pub fn draw(canvas: &mut Canvas<'_>, area: Rect, tabs: &[Tab], chosen: usize) -> Rect {
    let area = canvas.clip(area);
    let mut widths: Vec<u16> = tabs.iter().map(Tab::width).collect();
    let room_for = |widths: &[u16], gap: u16| {
        widths.iter().fold(0u16, |sum, w| sum.saturating_add(*w).saturating_add(gap)).saturating_sub(gap)
    };
    let mut gap = GAPS[0];
    let mut bare = false;
    if room_for(&widths, gap) > area.width {
        gap = GAPS[1];
        bare = room_for(&widths, gap) > area.width;
    }
    if bare {
        // Numbers as keys are the first thing to go; the chosen tab stays in sight whatever happens.
        widths = tabs.iter().map(Tab::width_without_key).collect();
    }
    let end_of = |first: usize, last: usize| room_for(&widths[first..=last], gap);
    let last = tabs.len().saturating_sub(1);
    let mut first = 0;
    while first < chosen {
        let left = if first > 0 { 2 } else { 0 };
        let right = if chosen < last { 2 } else { 0 };
        if end_of(first, chosen).saturating_add(left + right) <= area.width {
            break;
        }
        first += 1;
    }
    let [less, more] = canvas.glyphs().more;
    let quiet = canvas.style(Tone::Quiet);
    let mut x = area.x;
    let mut mark = Rect { width: 0, ..area };
    if first > 0 {
        canvas.text(Rect { x, width: 1.min(area.width), ..area }, less, quiet);
        x = x.saturating_add(2).min(area.right());
    }
    for (n, tab) in tabs.iter().enumerate().skip(first) {
        let room = area.right().saturating_sub(x);
        let needed = widths[n].saturating_add(if n < last { 2 } else { 0 });
        if n > chosen && room < needed {
            canvas.text(Rect { x: area.right().saturating_sub(1), width: 1.min(area.width), ..area }, more, quiet);
            break;
        }
        let here = n == chosen;
        let place = Rect { x, width: widths[n].min(room), ..area };
        if here {
            mark = place;
        }
        draw_one(canvas, place, tab, here, !bare);
        x = x.saturating_add(widths[n]).saturating_add(gap).min(area.right());
    }
    mark
}

fn draw_one(canvas: &mut Canvas<'_>, area: Rect, tab: &Tab, here: bool, with_key: bool) {
    let quiet = canvas.style(Tone::Quiet);
    let title = match tab.count.as_str() {
        _ if here => canvas.style(Tone::Here),
        "0" => quiet,
        _ => canvas.style(Tone::Text),
    };
    let count = if here { canvas.style(Tone::Strong) } else { quiet };
    let mut x = area.x;
    let key = if with_key { tab.key.as_str() } else { "" };
    for (text, style) in [(key, quiet), (&tab.title, title), (&tab.count, count)] {
        if !text.is_empty() {
            let room = Rect { x, width: area.right().saturating_sub(x), ..area };
            x += canvas.text(room, text, style) + 1;
        }
    }
}

/// A word with a capital letter.
#[must_use]
pub fn capital(word: &str) -> String {
    let mut chars = word.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}
