//! Actions: what each does where it is asked for, and why it cannot where it cannot.

use crate::tui::effect::{Load, TerminalCommand};
use crossterm::event::KeyEvent;

use super::{answer, load, outbox, test_send, travel, workbench};
use crate::domain::verification::Status;
use crate::tui::action::{Action, Place};
use crate::tui::model::field::Field;
use crate::tui::model::overlay::{Form, Overlay, ReasonDialog, ResendDialog};
use crate::tui::model::workbench::Mode;
use crate::tui::model::{Level, Link, View, queue};
use crate::tui::{Effect, Model};

/// Why an action cannot be done now: what, and what to do instead.
#[must_use]
pub fn blocked(model: &Model, action: Action) -> Option<(String, String)> {
    let say = |what: &str, hint: &str| Some((what.to_owned(), hint.to_owned()));
    if action.changes_data() && matches!(model.link, Link::Away { .. }) {
        return say("The database is away, so nothing can be changed.", "Wait for it, or press R to try now.");
    }
    match action {
        Action::Open => match model.view {
            View::Verifications => model.people.selected().is_none(),
            View::Mail if model.send_open || model.layout().divider.width > 0 => {
                let send = model.mail.selected();
                if send.is_some_and(|send| send.verification_id.is_none()) {
                    return say("The user of this mail was deleted.", "Only the mail's own record is left.");
                }
                send.is_none()
            }
            View::Mail => model.mail.selected().is_none(),
            View::Queue => model.queue_selected().is_none(),
            View::Templates => model.workbench.mode == Mode::Checks && model.workbench.chosen_finding().is_none(),
        }
        .then(|| {
            let hint = if matches!(model.view, View::Queue | View::Templates) {
                ""
            } else {
                "Choose another tab or change the search."
            };
            ("There is nothing to open.".into(), hint.into())
        }),
        Action::Resend | Action::ForceVerify => {
            let Some(subject) = model.subject() else {
                return say("No verification is selected.", "Choose a row first.");
            };
            let what = if action == Action::Resend { "there is nothing to resend" } else { "there is nothing to do" };
            if subject.status == Some(Status::Verified) || subject.user_verified {
                return Some((format!("{} is verified already; {what}.", subject.email), String::new()));
            }
            None
        }
        Action::Edit | Action::Explain | Action::TestSend => {
            workbench::blocked(model, action).and_then(|(what, hint)| say(what, hint))
        }
        Action::Preview if model.subject().is_none() => say("No verification is selected.", "Choose a row first."),
        _ => outbox::blocked(model, action).and_then(|(what, hint)| say(what, hint)),
    }
}

/// Does an action.
pub fn act(model: &mut Model, action: Action, event: &KeyEvent, fx: &mut Vec<Effect>) {
    if let Some((what, hint)) = blocked(model, action) {
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
