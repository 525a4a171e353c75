//! From a user to one of their mails, in Mail or as they got it, and back to where one was.

use crate::domain::id::{SendId, VerificationId};
use crate::domain::send::SendRow;
use crate::tui::Model;
use crate::tui::effect::PAGE_ROWS;
use crate::tui::model::{Tabbed, View};
use crate::tui::screen::layout;
use crate::tui::view::pane::Target;

/// What was on the screen before.
#[derive(Clone, Debug)]
pub struct Detour {
    view: View,
    opened: Option<VerificationId>,
    chosen: Option<Target>,
    scroll: usize,
    row_open: bool,
    /// The mails that were listed, where others took their place.
    mail: Option<Tabbed<SendRow>>,
}

impl Detour {
    fn from_here(model: &Model) -> Self {
        Self {
            view: model.view,
            opened: model.opened,
            chosen: model.detail.chosen,
            scroll: model.detail.scroll,
            row_open: model.row_open,
            mail: None,
        }
    }
}

/// Goes from the opened user to one of their mails, among all of theirs.
pub(in crate::tui) fn to_mail(model: &mut Model, id: SendId) {
    let Some(detail) = model.detail.data.as_deref().filter(|_| model.opened.is_some()) else { return };
    // Beyond the first page it is shown alone.
    let mails = detail.in_all.mails;
    let line =
        if mails.is_all && mails.count <= PAGE_ROWS { format!("user {}", detail.user.id) } else { id.to_string() };
    let listed = model.mail.list().filter(|_| model.view == View::Mail);
    let listed = listed.and_then(|list| list.items.iter().position(|item| item.row.id == id));
    if let (Some(at), Some(list)) = (listed, model.mail.list_mut()) {
        list.cursor = at;
    } else {
        let before = Detour::from_here(model);
        let mail = std::mem::replace(&mut model.mail, Tabbed::of_mails());
        // Of two such, the first one is gone back from.
        if model.detours.is_empty() {
            model.detours.push(Detour { mail: Some(mail), ..before });
        }
        model.view = View::Mail;
        model.mail.search.paste(&line);
        let (place, clock) = (model.place(), model.clock());
        model.mail.read(&model.setup.saved, place, clock);
        if let Some(list) = model.mail.list_mut() {
            list.select = Some(id);
        }
    }
    model.opened = None;
    model.row_open = layout::whole(model).divider.width == 0;
    model.send_scroll = 0;
}

/// Goes to the templates, where a mail is shown as its recipient got it.
pub(in crate::tui) fn to_preview(model: &mut Model) {
    let before = Detour::from_here(model);
    model.detours.push(before);
    (model.view, model.opened, model.row_open) = (View::Templates, None, false);
}

/// Back to where one was; says whether it was a detour.
pub(in crate::tui) fn back(model: &mut Model) -> bool {
    let Some(detour) = model.detours.pop() else { return false };
    if let Some(mail) = detour.mail {
        restore(model, mail);
    }
    (model.view, model.opened, model.row_open) = (detour.view, detour.opened, detour.row_open);
    if let Some(opened) = detour.opened {
        let detail = &mut model.detail;
        if detail.id != Some(opened) {
            (detail.id, detail.data) = (Some(opened), None);
            (detail.missing, detail.problem, detail.stale) = (false, None, false);
        }
        (detail.scroll, detail.chosen) = (detour.scroll, detour.chosen);
    }
    true
}

/// Elsewhere, for good: the mails are listed as before.
pub(in crate::tui) fn leave(model: &mut Model) {
    let mail = std::mem::take(&mut model.detours).into_iter().find_map(|detour| detour.mail);
    if let Some(mail) = mail {
        restore(model, mail);
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
