//! Actions: what each does where it is asked for, and why it cannot where it cannot.

use crossterm::event::KeyEvent;

use super::{answer, load, outbox, test_send, travel, workbench};
use crate::tui::action::{Action, Place};
use crate::tui::effect::{Load, TerminalCommand};
use crate::tui::model::field::Field;
use crate::tui::model::overlay::{Form, Overlay, ReasonDialog, ResendDialog};
use crate::tui::model::{Level, View, queue};
use crate::tui::{Effect, Model, allowed};

/// Does an action.
pub fn act(model: &mut Model, action: Action, event: &KeyEvent, fx: &mut Vec<Effect>) {
    if let Some((what, hint)) = allowed::blocked(model, action) {
        model.toast(Level::Refused, what, hint);
        return;
    }
    match action {
        Action::Up | Action::Down | Action::PageUp | Action::PageDown | Action::First | Action::Last => {
            travel::step(model, action, fx);
        }
        Action::NextTab | Action::PreviousTab | Action::PickTab => {
            travel::tab(model, action, event);
            load::newer(model, fx);
        }
        Action::NextView | Action::PreviousView => {
            let now = View::ALL.iter().position(|view| *view == model.view).unwrap_or(0);
            let by = if action == Action::NextView { 1 } else { View::ALL.len() - 1 };
            travel::view(model, View::ALL[(now + by) % View::ALL.len()]);
        }
        Action::Mail => travel::view(model, View::Mail),
        Action::Queue => travel::view(model, View::Queue),
        Action::Templates => travel::view(model, View::Templates),
        Action::Open => open(model),
        Action::Back => back(model),
        Action::Search => model.prompt = true,
        Action::Resend => {
            if let Some(subject) = model.subject() {
                fx.push(Effect::Load(Load::ResendPlan { id: subject.id }));
                model.overlay = Some(Overlay::Resend(ResendDialog { subject, plan: None, busy: false }));
            }
        }
        Action::ForceVerify => {
            if let Some(subject) = model.subject() {
                model.overlay = Some(Overlay::ForceVerify(ReasonDialog {
                    subject,
                    reason: Field::default(),
                    problem: None,
                    busy: false,
                }));
            }
        }
        Action::SignUp => model.overlay = Some(Overlay::SignUp(Form::default())),
        Action::TestSend => test_send::open(model),
        Action::Preview => workbench::open_person(model),
        Action::Refresh => {
            fx.push(Effect::Terminal(TerminalCommand::Repaint));
            load::refresh(model, fx);
        }
        Action::Redraw => fx.push(Effect::Terminal(TerminalCommand::Repaint)),
        Action::Help => model.overlay = Some(Overlay::Help { scroll: 0 }),
        Action::Quit => fx.push(Effect::Terminal(TerminalCommand::Quit)),
        Action::Suspend => fx.push(Effect::Terminal(TerminalCommand::Suspend)),
        Action::Confirm if model.place() == Place::Prompt => model.prompt = false,
        Action::Confirm => answer::confirm(model, fx),
        Action::Cancel => cancel(model, fx),
        Action::Mark
        | Action::BulkResend
        | Action::Pause
        | Action::Drain
        | Action::Resume
        | Action::HoldJob
        | Action::CancelJob => outbox::act(model, action, fx),
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
        | Action::Explain
        | Action::Page
        | Action::StopPage
        | Action::CopyAddress
        | Action::CopySsh
        | Action::Edit => workbench::act(model, action, fx),
        Action::NextField | Action::PreviousField | Action::Toggle => answer::move_in_form(model, action),
    }
}

fn open(model: &mut Model) {
    let has_pane = model.layout().divider.width > 0;
    match model.view {
        View::Verifications => model.opened = model.people.selected().map(|row| row.verification.id),
        View::Mail if model.send_open || has_pane => {
            model.opened = model.mail.selected().and_then(|row| row.verification_id);
        }
        View::Mail => model.send_open = true,
        View::Queue => {
            model.queue.selected = model.queue_selected().map(queue::Item::id);
            model.queue.open = true;
        }
        View::Templates => workbench::open(model),
    }
}

/// One step back: messages first, then what is open, the search, the view.
fn back(model: &mut Model) {
    if !model.toasts.is_empty() {
        model.toasts.clear();
    } else if model.opened.is_some() {
        model.opened = None;
    } else if model.send_open {
        model.send_open = false;
    } else if model.queue.open {
        model.queue.open = false;
    } else if matches!(model.view, View::Verifications | View::Mail) && !model.search().is_empty() {
        answer::clear_search(model);
    } else if model.view == View::Verifications {
        model.marks.clear();
    } else if !model.setup.only_templates {
        travel::view(model, View::Verifications);
    }
}

fn cancel(model: &mut Model, fx: &mut Vec<Effect>) {
    if matches!(&model.overlay, Some(Overlay::Bulk(dialog)) if dialog.plan.is_none()) {
        fx.push(Effect::Load(Load::ForgetJobPlan));
    }
    if model.overlay.take().is_none() && model.prompt {
        model.prompt = false;
        answer::clear_search(model);
    }
}
