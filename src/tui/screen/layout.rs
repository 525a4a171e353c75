//! Where everything is.
//!
//! ```text
//! header   verifydesk · site      Verifications  Mail  Templates        who is sending
//! tabs     1 Pending 1,204   2 Verified 88,120   …
//! rule     ━━━━━━━━━━━━━━━━──────────────────────────────────┬─────────────────────────
//! banner   what is wrong, and what to do                     │
//! titles   Status   E-mail   Name   Last mail   Expires      │ pane
//! list     > ○ pending …                                     │
//! status   the search, what is new
//! footer   keys
//! ```
//!
//! What does not fit goes, the least needed first; the list stays to the last row.

use ratatui::layout::Rect;

use crate::tui::Model;
use crate::tui::breakpoints::PANE_FROM;
use crate::tui::model::View;

/// From how many rows on there is a line for the search and what is new.
pub const STATUS_FROM: u16 = 12;

/// How many columns a list needs for all that it says; the pane grows beyond its least once it has them.
const LIST_WANTS: u16 = 88;

/// The screen's parts. A part that is not shown has no width or no height.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Layout {
    /// Product, views, who is sending.
    pub header: Rect,
    pub tabs: Rect,
    /// The line under them.
    pub rule: Rect,
    /// What is wrong.
    pub banner: Rect,
    /// The columns' titles.
    pub table_head: Rect,
    /// The rows.
    pub list: Rect,
    /// The line between list and pane.
    pub divider: Rect,
    /// The detail.
    pub pane: Rect,
    /// The search, what is new.
    pub status: Rect,
    /// The keys.
    pub footer: Rect,
}

/// Where everything is on a terminal of the model's size.
#[must_use]
pub fn whole(model: &Model) -> Layout {
    of(model, Rect::new(0, 0, model.size.0, model.size.1))
}

#[must_use]
pub fn of(model: &Model, area: Rect) -> Layout {
    let mut layout = Layout::default();
    let h = area.height;
    let mut top = area.y;
    let mut bottom = area.bottom();
    let mut below = |height: u16| {
        let rect = Rect { y: top, height, ..area };
        top += height;
        rect
    };
    layout.header = below(u16::from(h >= 7));
    layout.tabs = below(u16::from(h >= 5));
    layout.rule = below(u16::from(h >= 14));
    layout.banner = below(super::banner::height(model, area));
    let mut above = |shown: bool| {
        bottom -= u16::from(shown);
        Rect { y: bottom, height: u16::from(shown), ..area }
    };
    layout.footer = above(h >= 3);
    layout.status = above(h >= STATUS_FROM);
    let body = Rect { y: top, height: bottom.saturating_sub(top), ..area };
    let (list, divider, pane) = columns(model, body);
    layout.divider = divider;
    layout.pane = pane;
    // The lists of the queue bring their titles themselves.
    let head = u16::from(h >= 14 && model.view != View::Queue).min(list.height);
    layout.table_head = Rect { height: head, ..list };
    layout.list = Rect { y: list.y + head, height: list.height - head, ..list };
    layout
}

/// List, divider and pane of the body.
fn columns(model: &Model, body: Rect) -> (Rect, Rect, Rect) {
    let none = Rect { width: 0, height: 0, ..body };
    let whole = match model.view {
        View::Account | View::Templates => true,
        View::Queue => body.width < PANE_FROM && model.queue.open,
        View::Verifications | View::Suppressed => body.width < PANE_FROM && model.opened.is_some(),
        View::Audit | View::Mail => body.width < PANE_FROM && (model.opened.is_some() || model.row_open),
    };
    if whole {
        return (none, none, body);
    }
    if body.width < PANE_FROM {
        return (body, none, none);
    }
    let wide = (body.width * 2 / 5).min(84);
    let pane = wide.min(body.width.saturating_sub(LIST_WANTS + 1)).max(51);
    let list = body.width - pane - 1;
    (
        Rect { width: list, ..body },
        Rect { x: body.x + list, width: 1, ..body },
        Rect { x: body.x + list + 1, width: pane, ..body },
    )
}
