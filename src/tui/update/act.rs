//! Actions: what each does where it is asked for, and why it cannot where it cannot.

use crossterm::event::{KeyEvent, KeyModifiers};

use super::navigation;
use crate::tui::action::{Action, KeyContext};
use crate::tui::effect::TerminalCommand;
use crate::tui::model::{Level, View};
use crate::tui::screen::layout;
use crate::tui::view::detail::cursor;
use crate::tui::view::detour;
use crate::tui::view::pane::Target;
use crate::tui::view::{marks, queue, search, sort, suppressed, templates, verifications};
use crate::tui::{Effect, Model, allowed, clipboard, dialog, export, load, undo};

pub fn act(model: &mut Model, action: Action, event: &KeyEvent, fx: &mut Vec<Effect>) {
    // Who does something else meanwhile does not want it any more.
    model.preview = None;
    if let Some((what, hint)) = allowed::blocked(model, action) {
        model.toast(Level::Refused, what, hint);
        return;
    }
    match action {
        Action::Up | Action::Down | Action::PageUp | Action::PageDown | Action::First | Action::Last => {
            navigation::step(model, action, fx);
        }
        Action::NextTab | Action::PreviousTab | Action::PickTab => {
            navigation::tab(model, action, event);
            verifications::update::load_newer(model, fx);
        }
        Action::NextView | Action::PreviousView => {
            let now = View::ALL.iter().position(|view| *view == model.view.whole()).unwrap_or(0);
            let by = if action == Action::NextView { 1 } else { View::ALL.len() - 1 };
            model.show(View::ALL[(now + by) % View::ALL.len()]);
        }
        Action::Verifications => model.show(View::Verifications),
        Action::Mail => model.show(View::Mail),
        Action::Queue => model.show(View::Queue),
        Action::Audit => model.show(View::Audit),
        Action::Account => model.show(View::Account),
        Action::SuppressionList => suppressed::update::show(model),
        Action::Templates => model.show(View::Templates),
        Action::Open => open(model),
        Action::Back => back(model, fx),
        Action::Search => search::open(model),
        Action::Sort => sort::next(model),
        Action::Suggested => search::take_suggested(model),
        Action::Preview => templates::person::wish(model),
        Action::Refresh if model.key_context() == KeyContext::Doctor => dialog::look_again(model, fx),
        Action::Refresh => {
            fx.push(Effect::Terminal(TerminalCommand::Repaint));
            load::refresh(model, fx);
        }
        Action::Redraw => fx.push(Effect::Terminal(TerminalCommand::Repaint)),
        Action::Quit if !is_ctrl(event) && !may_end(model) => {}
        Action::Quit => fx.push(Effect::Terminal(TerminalCommand::Quit)),
        Action::Suspend => fx.push(Effect::Terminal(TerminalCommand::Suspend)),
        Action::Confirm if model.key_context() == KeyContext::Prompt => search::keep(model),
        Action::Confirm => dialog::confirm(model, fx),
        Action::Refuse => dialog::refuse(model, fx),
        Action::Cancel => cancel(model, fx),
        Action::CopyEmail => clipboard::copy_email(model, fx),
        Action::CopyNumber => {
            let number = event.code.as_char().and_then(|c| c.to_digit(10)).and_then(|n| usize::try_from(n).ok());
            dialog::pick(model, number.unwrap_or_default(), fx);
        }
        Action::Undo => undo::take_back(model, fx),
        Action::Mark | Action::MarkDown | Action::MarkUp | Action::MarkTo | Action::MarkAll | Action::MarkOthers => {
            marks::act(model, action);
        }
        Action::HoldJob => queue::update::hold_job(model, fx),
        Action::Language
        | Action::Width
        | Action::Scheme
        | Action::Images
        | Action::Styles
        | Action::Outlook
        | Action::NextFixture
        | Action::PreviousFixture
        | Action::NextTemplate
        | Action::PreviousTemplate
        | Action::OtherForm
        | Action::NextFile
        | Action::Wider
        | Action::ShiftLeft
        | Action::ShiftRight
        | Action::Edit => templates::update::act(model, action, fx),
        Action::StopPage | Action::CopyPageAddress | Action::CopySsh => dialog::act_on_page(model, action, fx),
        Action::NextField | Action::PreviousField | Action::Toggle => {
            if let Some(dialog) = &mut model.dialog {
                dialog.step(action);
            }
        }
        // The others open a dialog.
        _ => dialog::open(model, action, fx),
    }
}

/// Whether nothing is lost by the end of the console, or that was said.
fn may_end(model: &mut Model) -> bool {
    marks::may_be_forgotten(model) && export::may_be_lost(model)
}

/// Ctrl-C ends it whatever is open.
fn is_ctrl(event: &KeyEvent) -> bool {
    event.modifiers.contains(KeyModifiers::CONTROL)
}

fn open(model: &mut Model) {
    if model.opened.is_some() {
        match cursor::leads_to(model) {
            Some(Target::Verification(id)) => model.opened = Some(id),
            Some(Target::Mail(id)) => detour::to_mail(model, id),
            None => {}
        }
        return;
    }
    let has_pane = layout::whole(model).divider.width > 0;
    match model.view {
        View::Verifications => model.opened = model.verifications.selected().map(|row| row.verification.id),
        View::Mail if model.row_open || has_pane => {
            model.opened = model.mail.selected().and_then(|row| row.verification_id);
        }
        View::Audit if model.row_open || has_pane => {
            model.opened = model.audit.selected().and_then(|row| row.shown_by);
        }
        View::Mail | View::Audit => model.row_open = true,
        View::Queue if model.queue.open => match queue::skipped::chosen(model) {
            Some(id) => model.opened = Some(id),
            None => {
                if let Some(job) = model.selected_job().map(|job| job.id) {
                    search::mails_of(model, job);
                }
            }
        },
        View::Queue => {
            model.queue.selected = model.queue_selected().map(queue::model::Item::id);
            model.queue.open = true;
        }
        View::Suppressed => {
            model.opened = model.suppressed.selected().and_then(|row| row.user.as_ref()?.verification);
        }
        // There is nothing that could be opened.
        View::Account => {}
        View::Templates => templates::update::open(model),
    }
}

/// One step back: messages first, then what is open, what is being written, the search, the view.
fn back(model: &mut Model, fx: &mut Vec<Effect>) {
    if !model.toasts.is_empty() {
        model.toasts.clear();
    } else if model.opened.is_some() {
        model.opened = None;
    } else if detour::back(model) {
    } else if model.row_open {
        model.row_open = false;
    } else if model.queue.open {
        model.queue.open = false;
    } else if model.exporting.is_some() {
        export::stop(model, fx);
    } else if search::is_of_job(model) {
        search::clear(model);
        model.show(View::Queue);
        model.queue.open = true;
    } else if matches!(model.view, View::Verifications | View::Mail | View::Audit | View::Suppressed)
        && !model.search().is_empty()
    {
        search::clear(model);
    } else if model.view == View::Verifications || model.view == View::Mail && !model.mail_marks.is_empty() {
        marks::drop_all(model);
    } else if model.view == View::Suppressed {
        model.show(View::Account);
    } else if !model.setup.only_templates {
        model.show(View::Verifications);
    }
}

fn cancel(model: &mut Model, fx: &mut Vec<Effect>) {
    if !dialog::cancel(model, fx) && model.prompt {
        model.prompt = false;
        search::clear(model);
    }
}
