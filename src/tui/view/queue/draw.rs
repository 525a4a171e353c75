//! The outbox: whether mail flows, how fast, what works on it, and who.
//!
//! ```text
//! ● Mail flows   1,236 queued   14 sending   2 unknown
//! ━━━━━━━━━━━━────────────────────────────────────────────────
//! pace      ━━━━━━━━━━━━━━━━────  11.8/s of 14/s
//! quota     ━━━━━━──────────────  31,200 of 50,000 in 24 h
//! to go     about 2 min
//!
//!   Job               Progress          For
//! > » running         ━━━━━────  45 %   expired, matching "naver"
//!
//!   Worker            Mails/s  Lanes  Sends to
//!   ● mail-1 4242        11.8     12  smtp email-smtp.…:587
//! ```

mod head;
mod item;
mod tables;

use ratatui::layout::Rect;
use ratatui::text::Line;

use crate::domain::worker::OutboxView;
use crate::tui::Model;
use crate::tui::model::View;
use crate::tui::screen::layout::Layout;
use crate::tui::theme::Tone;
use crate::tui::view::detail;
use crate::tui::view::empty::{self, away};
use crate::tui::view::pane::Pane;
use crate::tui::widget::canvas::{Canvas, inset, row};
pub use head::{mails_to_go, state, tone};
pub use item::laid;
use tables::Piece;

/// Fewest rows that make the detail under the lists worth showing.
const STRIP_MIN: u16 = 5;

/// What of the outbox this view shows, to know whether a newer state of it looks different. A heartbeat does not.
#[must_use]
pub fn shown(model: &Model) -> Option<OutboxView> {
    let asks = matches!(&model.dialog, Some(dialog) if dialog.shows_outbox());
    let mut outbox = model.outbox.clone().filter(|_| model.view == View::Queue || asks)?;
    outbox.as_of = crate::domain::Time::default();
    outbox.webhook.as_of = crate::domain::Time::default();
    // When the last was refused is not shown.
    for refused in &mut outbox.webhook.refused {
        refused.last_at = crate::domain::Time::default();
    }
    if let Some(standing) = outbox.account.as_mut().and_then(|account| account.standing.as_mut()) {
        standing.seen_at = crate::domain::Time::default();
    }
    for queue in &mut outbox.event_queues {
        if let Some(depth) = &mut queue.depth {
            depth.seen_at = crate::domain::Time::default();
        }
    }
    // Of when a worker last had an endpoint only is shown whether that is long ago.
    for endpoint in &mut outbox.hooks {
        if model.now - endpoint.seen_at < chrono::TimeDelta::minutes(4) {
            endpoint.seen_at = crate::domain::Time::default();
        }
        endpoint.delivered_at = None;
    }
    for worker in &mut outbox.workers {
        if worker.is_alive(model.now) {
            worker.beat_at = crate::domain::Time::default();
        }
    }
    Some(outbox)
}

pub fn draw(canvas: &mut Canvas<'_>, model: &Model, layout: &Layout) {
    if layout.list.height > 0 && layout.list.width > 0 {
        match &model.outbox {
            Some(outbox) => body(canvas, model, outbox, layout),
            None => empty::draw(canvas, layout.list, &away(model)),
        }
    }
    if layout.pane.width == 0 {
        return;
    }
    if model.opened.is_some() {
        detail::draw(canvas, model, layout.pane);
    } else {
        pane(canvas, model, layout.pane);
    }
}

fn body(canvas: &mut Canvas<'_>, model: &Model, outbox: &OutboxView, layout: &Layout) {
    let area = layout.list;
    let mut head = head::lines(model, outbox, canvas.theme, inset(area, 1));
    if layout.tabs.height == 0 {
        head.insert(0, Line::from(state(model, canvas.theme)));
    }
    let pieces = tables::pieces(outbox);
    let needed = u16::try_from(pieces.len()).unwrap_or(u16::MAX);
    let day = head::day(outbox, canvas.theme, inset(area, 1).width);
    if usize::from(area.height.saturating_sub(needed + 1)) >= head.len() + day.len() {
        head.extend(day);
    }
    // On a low screen the lists get half of the rows at least, and all where the head does not need them.
    let room = if area.height < 8 { area.height / 2 } else { area.height.saturating_sub(needed.min(5) + 1) };
    let head_rows = u16::try_from(head.len()).unwrap_or(u16::MAX).min(room.max(1));
    for (n, line) in (0..head_rows).zip(&head) {
        canvas.line(row(inset(area, 1), n), line);
    }
    let gap = u16::from(area.height > head_rows + 3);
    let below = Rect { y: area.y + head_rows + gap, height: area.height.saturating_sub(head_rows + gap), ..area };
    let spare = below.height.saturating_sub(needed);
    let strip = if layout.divider.width == 0 && spare >= STRIP_MIN { strip(canvas, model, below, spare) } else { 0 };
    let lists = Rect { height: below.height - strip, ..below };
    tables::draw(canvas, model, outbox, &pieces, lists);
}

/// The selected row's detail under the lists, where there is no pane for it; returns the rows it takes.
fn strip(canvas: &mut Canvas<'_>, model: &Model, area: Rect, spare: u16) -> u16 {
    let lines = item::laid(model, canvas.theme, inset(area, 1).width, true).lines;
    if lines.is_empty() {
        return 0;
    }
    let height = u16::try_from(lines.len()).unwrap_or(u16::MAX).saturating_add(1).min(spare - 1);
    let place = Rect { y: area.bottom() - height, height, ..area };
    canvas.rule(row(place, 0), canvas.glyphs().rule, Tone::Rule);
    for (n, line) in (1..height).zip(&lines) {
        canvas.line(row(inset(place, 1), n), line);
    }
    height
}

/// The selected row beside the lists, or alone on a narrow screen.
fn pane(canvas: &mut Canvas<'_>, model: &Model, area: Rect) {
    let laid = item::laid(model, canvas.theme, inset(area, 1).width, false);
    let chosen = model.queue.skipped.filter(|_| model.queue.open);
    Pane::new(laid, model.queue.scroll, area.height, chosen).draw(canvas, area);
}

impl Piece {
    /// Whether it is a row that can be selected.
    fn is_item(self) -> bool {
        matches!(self, Self::Job(_) | Self::Worker(_))
    }
}
