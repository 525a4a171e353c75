//! Dialogs: what is typed into them, and what the desk answers.

use crossterm::event::{KeyCode, KeyEvent};

use super::{is_busy, load, outbox, test_send};
use crate::desk::{Resent, ResentHow, SignUp, SignUpStatus, SignedUp};
use crate::domain::change::Change;
use crate::domain::id::VerificationId;
use crate::domain::locale::Locale;
use crate::domain::page::Position;
use crate::tui::action::Action;
use crate::tui::effect::{Act, Acted, Answer, Load, Problem};
use crate::tui::model::field::Field;
use crate::tui::model::list::Edge;
use crate::tui::model::overlay::{Form, FormField, Overlay, REASON_MIN};
use crate::tui::model::{Level, View};

use crate::tui::{Effect, Model};

/// The text that typing goes to.
fn focused(model: &mut Model) -> Option<&mut Field> {
    if is_busy(model) {
        return None;
    }
    match &mut model.overlay {
        Some(Overlay::ForceVerify(dialog)) => Some(&mut dialog.reason),
        Some(Overlay::SignUp(form)) => match form.field {
            FormField::Email => Some(&mut form.email),
            FormField::Name => Some(&mut form.name),
            FormField::Locale => None,
        },
        Some(Overlay::Bulk(dialog)) if dialog.asks_for_number() => Some(&mut dialog.number),
        Some(Overlay::Brake(dialog)) if dialog.change.needs_reason() => Some(&mut dialog.reason),
        Some(Overlay::TestSend(dialog)) if dialog.is_typed() => dialog.address.as_mut(),
        None if model.prompt && model.view == View::Mail => Some(&mut model.mail.search),
        None if model.prompt => Some(&mut model.people.search),
        Some(_) | None => None,
    }
}

/// A key that is no command.
pub fn typed(model: &mut Model, event: &KeyEvent) {
    if let Some(Overlay::SignUp(form)) = &mut model.overlay
        && form.field == FormField::Locale
        && matches!(event.code, KeyCode::Left | KeyCode::Right | KeyCode::Char(' '))
    {
        toggle(form);
        return;
    }
    let is_number = matches!(&model.overlay, Some(Overlay::Bulk(_)));
    if is_number && matches!(event.code, KeyCode::Char(c) if c.is_alphabetic() && event.modifiers.is_empty()) {
        return;
    }
    if focused(model).is_some_and(|field| field.press(event)) {
        text_changed(model);
    }
}

/// A paste goes into the text being typed, and nowhere else: pasted letters are no commands.
pub fn paste(model: &mut Model, text: &str) {
    if focused(model).is_some_and(|field| field.paste(text)) {
        text_changed(model);
    }
}

fn text_changed(model: &mut Model) {
    match &mut model.overlay {
        Some(Overlay::ForceVerify(dialog)) => dialog.problem = None,
        Some(Overlay::SignUp(form)) => form.problem = None,
        Some(Overlay::Bulk(dialog)) => dialog.problem = None,
        Some(Overlay::Brake(dialog)) => dialog.problem = None,
        Some(_) => {}
        None => search_changed(model),
    }
}

/// Every list of the view has to be loaded anew; the rows on the screen stay until others arrive.
fn search_changed(model: &mut Model) {
    if model.view == View::Mail {
        model.mail.lists.iter_mut().for_each(crate::tui::model::list::List::forget);
    } else {
        model.people.lists.iter_mut().for_each(crate::tui::model::list::List::forget);
    }
}

/// Gives the search up.
pub fn clear_search(model: &mut Model) {
    let search = if model.view == View::Mail { &mut model.mail.search } else { &mut model.people.search };
    if !search.is_empty() {
        search.clear();
        search_changed(model);
    }
}

fn toggle(form: &mut Form) {
    form.locale = match form.locale {
        Locale::Ko => Locale::En,
        Locale::En => Locale::Ko,
    };
}

/// Moves among the form's fields.
pub fn move_in_form(model: &mut Model, action: Action) {
    if let Some(Overlay::TestSend(dialog)) = &mut model.overlay {
        return test_send::choose(dialog, action);
    }
    let Some(Overlay::SignUp(form)) = &mut model.overlay else { return };
    let now = FormField::ALL.iter().position(|field| *field == form.field).unwrap_or(0);
    let count = FormField::ALL.len();
    match action {
        Action::NextField => form.field = FormField::ALL[(now + 1) % count],
        Action::PreviousField => form.field = FormField::ALL[(now + count - 1) % count],
        _ => toggle(form),
    }
}

/// The dialog's yes.
pub fn confirm(model: &mut Model, fx: &mut Vec<Effect>) {
    if is_busy(model) {
        return;
    }
    let now = model.now;
    match &mut model.overlay {
        Some(Overlay::Resend(dialog)) => match &dialog.plan {
            None => {}
            Some(Ok(_)) => {
                dialog.busy = true;
                fx.push(Effect::Act(Act::Resend { id: dialog.subject.id }));
            }
            Some(Err(Problem { possible_at: Some(at), .. })) if *at > now => {}
            Some(Err(Problem { possible_at: Some(_), .. })) => {
                dialog.plan = None;
                fx.push(Effect::Load(Load::ResendPlan { id: dialog.subject.id }));
            }
            Some(Err(_)) => model.overlay = None,
        },
        Some(Overlay::ForceVerify(dialog)) => {
            let reason = dialog.reason.text().trim();
            if reason.chars().count() < REASON_MIN {
                dialog.problem = Some(Problem {
                    what: format!("A reason of at least {REASON_MIN} characters is needed."),
                    hint: "The audit log keeps it: how do you know that the address is hers?".into(),
                    ..Problem::default()
                });
                return;
            }
            let reason = reason.to_owned();
            dialog.problem = None;
            dialog.busy = true;
            fx.push(Effect::Act(Act::ForceVerify { id: dialog.subject.id, reason }));
        }
        Some(Overlay::SignUp(form)) => {
            if form.email.text().trim().is_empty() {
                form.field = FormField::Email;
                form.problem = Some(Problem {
                    what: "An e-mail address is needed.".into(),
                    hint: "The verification mail goes there.".into(),
                    ..Problem::default()
                });
                return;
            }
            form.problem = None;
            form.busy = true;
            fx.push(Effect::Act(Act::SignUp(SignUp {
                email: form.email.text().trim().to_owned(),
                name: form.name.text().trim().to_owned(),
                locale: form.locale,
            })));
        }
        Some(Overlay::Bulk(_) | Overlay::Brake(_) | Overlay::CancelJob(_)) => outbox::confirm(model, fx),
        Some(Overlay::TestSend(_)) => test_send::confirm(model, fx),
        Some(Overlay::Help { .. } | Overlay::Finding { .. } | Overlay::Page { .. }) | None => {}
    }
}

/// What became of an act.
pub fn acted(model: &mut Model, acted: Acted, fx: &mut Vec<Effect>) {
    match acted {
        Acted::Resent { id, answer } => resent(model, id, answer, fx),
        Acted::ForceVerified { id, answer } => force_verified(model, id, answer, fx),
        Acted::SignedUp(answer) => signed_up(model, answer, fx),
        Acted::JobStarted(answer) => outbox::started(model, answer, fx),
        Acted::JobChanged { id, change, answer } => outbox::job_changed(model, id, change, answer, fx),
        Acted::BrakeSet { change, answer } => outbox::brake_set(model, change, answer, fx),
    }
}

/// What a resend would do.
pub fn planned(model: &mut Model, id: VerificationId, plan: Answer<ResentHow>) {
    if let Some(Overlay::Resend(dialog)) = &mut model.overlay
        && dialog.subject.id == id
        && !dialog.busy
    {
        dialog.plan = Some(plan);
    }
}

/// A resend was done, or not.
pub fn resent(model: &mut Model, id: VerificationId, answer: Answer<Resent>, fx: &mut Vec<Effect>) {
    let mut open = match &mut model.overlay {
        Some(Overlay::Resend(dialog)) if dialog.subject.id == id && dialog.busy => Some(dialog),
        _ => None,
    };
    match answer {
        Ok(resent) => {
            let to = open.map_or_else(|| format!("verification {id}"), |dialog| dialog.subject.email.clone());
            if model.overlay.as_ref().is_some_and(|o| matches!(o, Overlay::Resend(d) if d.subject.id == id)) {
                model.overlay = None;
            }
            let (what, hint) = match resent.how {
                ResentHow::SameLink => (format!("The same link is on its way to {to}."), String::new()),
                ResentHow::NewKey => (
                    format!("A new link is on its way to {to}."),
                    format!("Verification {} takes the place of {id}.", resent.verification_id),
                ),
                ResentHow::BroughtForward => (format!("The mail to {to} goes first now."), String::new()),
            };
            model.toast(Level::Done, what, hint);
            load::changed(model, Change::Verification(id), fx);
        }
        Err(problem) => match &mut open {
            Some(dialog) => {
                dialog.busy = false;
                dialog.plan = Some(Err(problem));
            }
            None => model.toast(Level::Failed, problem.what, problem.hint),
        },
    }
}

/// A forced verification was done, or not.
pub fn force_verified(model: &mut Model, id: VerificationId, answer: Answer<()>, fx: &mut Vec<Effect>) {
    let open = match &mut model.overlay {
        Some(Overlay::ForceVerify(dialog)) if dialog.subject.id == id && dialog.busy => Some(dialog),
        _ => None,
    };
    match (answer, open) {
        (Ok(()), open) => {
            let who = open.map_or_else(|| format!("Verification {id}"), |dialog| dialog.subject.email.clone());
            if model.overlay.as_ref().is_some_and(|o| matches!(o, Overlay::ForceVerify(d) if d.subject.id == id)) {
                model.overlay = None;
            }
            model.toast(Level::Done, format!("{who} is verified."), "Your reason is in the audit log.");
            load::changed(model, Change::Verification(id), fx);
        }
        (Err(problem), Some(dialog)) => {
            dialog.busy = false;
            dialog.problem = Some(problem);
        }
        (Err(problem), None) => model.toast(Level::Failed, problem.what, problem.hint),
    }
}

/// A sign-up was done, or not.
pub fn signed_up(model: &mut Model, answer: Answer<SignedUp>, fx: &mut Vec<Effect>) {
    let open = match &mut model.overlay {
        Some(Overlay::SignUp(form)) if form.busy => Some(form),
        _ => None,
    };
    match (answer, open) {
        (Ok(done), open) => {
            if open.is_some() {
                model.overlay = None;
            }
            let (what, hint) = match done.status {
                SignUpStatus::Created => (format!("{} is signed up.", done.email), "The mail is queued."),
                SignUpStatus::Resent => {
                    (format!("{} had signed up before, unverified.", done.email), "The mail is queued again.")
                }
                SignUpStatus::AlreadyVerified => {
                    (format!("{} is verified already.", done.email), "No mail was queued.")
                }
            };
            model.toast(Level::Done, what, hint);
            load::changed(model, done.verification_id.map_or(Change::Many, Change::Verification), fx);
            show_new(model, &done, fx);
        }
        (Err(problem), Some(form)) => {
            form.busy = false;
            form.problem = Some(problem);
        }
        (Err(problem), None) => model.toast(Level::Failed, problem.what, problem.hint),
    }
}

/// Whoever was just signed up is shown, where the list on the screen begins with her.
fn show_new(model: &mut Model, done: &SignedUp, fx: &mut Vec<Effect>) {
    use crate::domain::verification::Status;
    let shown = model.view == View::Verifications && model.opened.is_none() && model.people.search.is_empty();
    let fits = done.status != SignUpStatus::AlreadyVerified;
    if shown
        && fits
        && let Some(list) = model.people.list_mut()
        && matches!(list.tab, None | Some(Status::Pending))
    {
        list.select = done.verification_id;
        load::people(model, Edge::Top, Position::Newest, fx);
    }
}
