//! From a user to one of their mails in Mail, and back to where one was.

use crate::domain::id::{SendId, VerificationId};
use crate::domain::send::SendRow;
use crate::tui::Model;
use crate::tui::effect::PAGE_ROWS;
use crate::tui::model::{Tabbed, View};
use crate::tui::screen::layout;
use crate::tui::view::detail::cursor::Target;

/// What was on the screen before.
#[derive(Clone, Debug)]
pub struct Detour {
    view: View,
    opened: VerificationId,
    chosen: Option<Target>,
    scroll: usize,
    row_open: bool,
    /// The mails that were listed.
    mail: Tabbed<SendRow>,
}

/// Goes from the opened user to one of their mails, among all of theirs.
pub(in crate::tui) fn begin(model: &mut Model, id: SendId) {
    let Some((opened, detail)) = model.opened.zip(model.detail.data.as_deref()) else { return };
    // Beyond the first page it is shown alone.
    let mails = detail.in_all.mails;
    let line =
        if mails.is_all && mails.count <= PAGE_ROWS { format!("user {}", detail.user.id) } else { id.to_string() };
    let listed = model.mail.list().filter(|_| model.view == View::Mail);
    let listed = listed.and_then(|list| list.items.iter().position(|item| item.row.id == id));
    if let (Some(at), Some(list)) = (listed, model.mail.list_mut()) {
        list.cursor = at;
    } else {
        let mail = std::mem::replace(&mut model.mail, Tabbed::of_mails());
        let before = Detour {
            view: model.view,
            opened,
            chosen: model.detail.chosen,
            scroll: model.detail.scroll,
            row_open: model.row_open,
            mail,
        };
        // Of two, the first one is gone back from.
        model.detour.get_or_insert(before);
        model.view = View::Mail;
        model.mail.search.paste(&line);
        let (place, clock) = (model.place(), model.clock());
        model.mail.read(place, clock);
        if let Some(list) = model.mail.list_mut() {
            list.select = Some(id);
        }
    }
    model.opened = None;
    model.row_open = layout::whole(model).divider.width == 0;
    model.send_scroll = 0;
}

/// Back to the user; says whether it was a detour.
pub(in crate::tui) fn back(model: &mut Model) -> bool {
    let Some(detour) = model.detour.take() else { return false };
    restore(model, detour.mail);
    (model.view, model.opened, model.row_open) = (detour.view, Some(detour.opened), detour.row_open);
    let detail = &mut model.detail;
    if detail.id != Some(detour.opened) {
        (detail.id, detail.data) = (Some(detour.opened), None);
        (detail.missing, detail.problem, detail.stale) = (false, None, false);
    }
    (detail.scroll, detail.chosen) = (detour.scroll, detour.chosen);
    true
}

/// Elsewhere, for good: the mails are as they were before.
pub(in crate::tui) fn leave(model: &mut Model) {
    if let Some(detour) = model.detour.take() {
        restore(model, detour.mail);
    }
}

fn restore(model: &mut Model, mail: Tabbed<SendRow>) {
    model.mail = mail;
    for list in &mut model.mail.lists {
        // Whatever was under way is not awaited any more.
        list.awaiting = None;
    }
    model.mail.is_stale = true;
    model.send_scroll = 0;
}
