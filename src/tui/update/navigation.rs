//! Moving: through rows, lines, tabs and views.

use crossterm::event::KeyCode;
use crossterm::event::KeyEvent;

use crate::domain::account::suppressed::SuppressedRow;
use crate::domain::audit::AuditRow;
use crate::domain::send::SendRow;
use crate::domain::verification::VerificationRow;
use crate::tui::action::{Action, KeyContext, TAB_KEYS};
use crate::tui::dialog;
use crate::tui::model::View;
use crate::tui::screen::layout;
use crate::tui::view::detail::cursor;
use crate::tui::view::paged::{self, To};
use crate::tui::view::templates::model::Mode;
use crate::tui::view::{queue, search, templates};
use crate::tui::{Effect, Model, view};

/// Moves the cursor, or scrolls what has the keys.
pub fn step(model: &mut Model, action: Action, fx: &mut Vec<Effect>) {
    let layout = layout::whole(model);
    let scrolls = model.dialog.is_some()
        || model.opened.is_some()
        || model.row_open
        || model.queue.open
        || matches!(model.view, View::Account | View::Templates);
    let area = if scrolls { layout.pane } else { layout.list };
    // One row of the screenful before stays in sight.
    let screenful = isize::try_from(area.height.saturating_sub(1).max(1)).unwrap_or(1);
    let by = match action {
        Action::Up => -1,
        Action::Down => 1,
        Action::PageUp => -screenful,
        Action::PageDown => screenful,
        Action::First => isize::MIN,
        _ => isize::MAX,
    };
    let is_pane = model.opened.is_some() && model.dialog.is_none() && model.view != View::Templates;
    if is_pane && matches!(action, Action::Up | Action::Down) {
        cursor::step(model, action == Action::Down);
    } else if model.key_context() == KeyContext::QueueItem && matches!(action, Action::Up | Action::Down) {
        queue::skipped::step(model, action == Action::Down);
    } else if scrolls {
        scroll(model, by);
    } else if model.view == View::Queue {
        queue::update::step(model, by);
    } else {
        let to = match action {
            Action::First => To::Newest,
            Action::Last => To::Oldest,
            _ => To::By(by),
        };
        match model.view {
            View::Mail => {
                paged::step::<SendRow>(model, to, fx);
                model.send_scroll = 0;
            }
            View::Audit => {
                paged::step::<AuditRow>(model, to, fx);
                model.entry_scroll = 0;
            }
            View::Suppressed => paged::step::<SuppressedRow>(model, to, fx),
            _ => paged::step::<VerificationRow>(model, to, fx),
        }
    }
}

fn scroll(model: &mut Model, by: isize) {
    if model.dialog.is_some() {
        return dialog::scroll(model, by);
    }
    if model.view == View::Templates {
        return templates::update::step(model, by);
    }
    let most = view::max_scroll(model);
    if model.view == View::Queue && model.opened.is_none() {
        // Enter is about the job again.
        model.queue.skipped = None;
    }
    let place = if model.opened.is_some() {
        &mut model.detail.scroll
    } else if model.view == View::Account {
        &mut model.account.scroll
    } else if model.view == View::Queue {
        &mut model.queue.scroll
    } else if model.view == View::Audit {
        &mut model.entry_scroll
    } else {
        &mut model.send_scroll
    };
    *place = (*place).min(most).saturating_add_signed(by).min(most);
}

pub fn tab(model: &mut Model, action: Action, event: &KeyEvent) {
    let (count, now) = match model.view {
        View::Verifications => (model.verifications.lists.len(), model.verifications.tab),
        View::Mail => (model.mail.lists.len(), model.mail.tab),
        View::Audit => (model.audit.lists.len(), model.audit.tab),
        View::Account | View::Suppressed | View::Queue => return,
        View::Templates => (Mode::ALL.len(), model.workbench.mode.index()),
    };
    let digit = match event.code {
        KeyCode::Char(c) => TAB_KEYS.chars().position(|key| key == c),
        _ => None,
    };
    let next = match action {
        Action::NextTab => (now + 1) % count,
        Action::PreviousTab => (now + count - 1) % count,
        _ => digit.filter(|n| *n < count).unwrap_or(now),
    };
    match model.view {
        View::Verifications => {
            (model.verifications.tab, model.verifications.left) = (next, None);
            search::tab_chosen(model);
        }
        View::Mail => {
            (model.mail.tab, model.mail.left) = (next, None);
            model.detours.clear();
            search::tab_chosen(model);
            model.send_scroll = 0;
        }
        View::Audit => {
            (model.audit.tab, model.audit.left) = (next, None);
            model.entry_scroll = 0;
        }
        View::Account | View::Suppressed | View::Queue => {}
        View::Templates => templates::update::mode(&mut model.workbench, Mode::ALL[next]),
    }
}
