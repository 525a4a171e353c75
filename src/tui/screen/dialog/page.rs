//! Where the page for browsers is, and how it is reached from one's own machine.

use ratatui::layout::Rect;
use ratatui::text::Line;

use super::super::lines::Lines;
use super::answer;
use crate::tui::Model;
use crate::tui::look::{Look, Tone};
use crate::tui::model::workbench::Page;
use crate::tui::widget::canvas::Canvas;
use crate::tui::widget::sheet;

/// Columns of the dialog: an address must not be broken where it can be helped.
const COLUMNS: u16 = 74;

/// Draws it.
pub fn page(canvas: &mut Canvas<'_>, model: &Model, area: Rect, scroll: usize) {
    let lines = page_lines(canvas.look, model, area);
    sheet::scrolled(canvas, area, "Page", columns(area), &lines, scroll);
}

fn columns(area: Rect) -> u16 {
    COLUMNS.min(area.width.saturating_sub(6)).max(area.width.saturating_sub(2).min(20))
}

/// Its lines, for a screen.
#[must_use]
pub fn page_lines(look: &Look, model: &Model, area: Rect) -> Vec<Line<'static>> {
    let mut lines = Lines::new(look, columns(area));
    match &model.workbench.page {
        Some(Page::Up(address)) => {
            lines.text("The mail in a browser on this machine, with the same toggles:", Tone::Text);
            lines.gap();
            lines.text(&address.url, Tone::Here);
            lines.gap();
            lines.text("From your own machine, first run this there, then open the same address:", Tone::Text);
            lines.gap();
            lines.text(&address.ssh, Tone::Strong);
            lines.gap();
            lines.text("Nobody else can see it who does not know the address. It ends with this console.", Tone::Quiet);
            let keys = [("c", "copy address"), ("s", "copy ssh line"), ("x", "end it"), ("Esc", "close")];
            answer(&mut lines, &keys);
        }
        Some(Page::Starting) => lines.text("starting…", Tone::Quiet),
        None => lines.text("There is none.", Tone::Quiet),
    }
    lines.finish()
}
