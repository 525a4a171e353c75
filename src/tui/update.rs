//! The one place where the model changes: no I/O, no clock, so that a test is a plain function call.

mod act;
mod answer;
mod arrive;
mod load;
mod outbox;
mod test_send;
mod travel;
pub mod workbench;

use crossterm::event::{KeyEvent, KeyEventKind, KeyModifiers};

use super::action::{self, Action};
use super::model::overlay::Overlay;
use super::model::{Level, Link};
use super::screen::{notice, queue};
use super::{Effect, Model, Msg};
use crate::domain::Time;
pub use act::blocked;

/// Changes the model by a message and says what is to be done outside.
pub fn update(model: &mut Model, msg: Msg) -> Vec<Effect> {
    let mut effects = Vec::new();
    let fx = &mut effects;
    match msg {
        Msg::Clock(now) => clock(model, now, fx),
        Msg::Outbox(answer) => {
            let before = (notice::shown(model), queue::shown(model));
            arrive::outbox(model, answer, fx);
            model.dirty |= (notice::shown(model), queue::shown(model)) != before;
        }
        Msg::Counts(answer) => {
            let before = model.counts;
            arrive::counts(model, answer, fx);
            model.dirty |= model.counts != before;
        }
        msg => {
            model.dirty = true;
            visible(model, msg, fx);
        }
    }
    load::settle(model, fx);
    effects
}

fn visible(model: &mut Model, msg: Msg, fx: &mut Vec<Effect>) {
    match msg {
        Msg::Clock(_) | Msg::Outbox(_) | Msg::Counts(_) => {}
        Msg::Start => load::start(model, fx),
        Msg::Key(event) => key(model, &event, false, fx),
        Msg::Doubtful(event) => key(model, &event, true, fx),
        Msg::Paste(text) => answer::paste(model, &text),
        Msg::Resize { width, height } => model.size = (width, height),
        Msg::Resumed => {
            fx.push(Effect::Repaint);
            load::catch_up(model, fx);
        }
        Msg::Changed(change) => load::changed(model, change, fx),
        Msg::Page { generation, answer } => arrive::page(model, generation, answer),
        Msg::Rows { asked, answer } => arrive::rows(model, &asked, answer, fx),
        Msg::Newer { generation, answer } => arrive::newer(model, generation, answer, fx),
        Msg::Detail { id, answer } => arrive::detail(model, id, answer),
        Msg::Sends { generation, answer } => arrive::sends(model, generation, answer),
        Msg::Stocked(answer) => workbench::stocked(model, answer),
        Msg::Proved { order, generation, answer } => workbench::proved(model, *order, generation, answer),
        Msg::ProofWaits { generation } => workbench::waits(model, generation),
        Msg::Checked(answer) => workbench::checked(model, answer, fx),
        Msg::CheckedLate(report) => workbench::checked_late(model, report),
        Msg::PageStarted(answer) => workbench::page_started(model, answer),
        Msg::TestSaid { generation, line } => test_send::said(model, generation, line),
        Msg::TestSent { generation, answer } => test_send::sent(model, generation, answer),
        Msg::TemplatesChanged => workbench::changed(model, None),
        Msg::TemplatesUnwatched(why) => workbench::changed(model, Some(why)),
        Msg::Edited(answer) => workbench::edited(model, answer),
        Msg::ResendPlanned { id, answer } => answer::planned(model, id, answer),
        Msg::Resent { id, answer } => answer::resent(model, id, answer, fx),
        Msg::ForceVerified { id, answer } => answer::force_verified(model, id, answer, fx),
        Msg::SignedUp(answer) => answer::signed_up(model, answer, fx),
        Msg::JobPlanned { generation, answer } => outbox::planned(model, generation, answer),
        Msg::JobStarted(answer) => outbox::started(model, answer, fx),
        Msg::JobChanged { id, change, answer } => outbox::job_changed(model, id, change, answer, fx),
        Msg::BrakeSet { change, answer } => outbox::brake_set(model, change, answer, fx),
        Msg::DatabaseAway { problem, retry_at } => model.link = Link::Away { problem, retry_at: retry_at + model.skew },
        Msg::DatabaseBack => {
            model.link = Link::Up;
            load::catch_up(model, fx);
        }
    }
}

fn clock(model: &mut Model, now: Time, fx: &mut Vec<Effect>) {
    let due = model.next_text_change();
    model.now = now + model.skew;
    if due.is_some_and(|due| due <= model.now) {
        model.dirty = true;
    }
    let now = model.now;
    model.toasts.retain(|toast| toast.until > now);
    if model.outbox_due.is_some_and(|due| due <= now) {
        model.outbox_due = None;
        load::outbox(model, fx);
    }
}

fn key(model: &mut Model, event: &KeyEvent, is_doubtful: bool, fx: &mut Vec<Effect>) {
    if event.kind == KeyEventKind::Release {
        return;
    }
    let place = model.place();
    // Of what a terminal sends by itself no piece is a control character: Ctrl-C is pressed.
    let is_refused = |action: Action| {
        is_doubtful && action.acts(place) && !(action == Action::Quit && event.modifiers == KeyModifiers::CONTROL)
    };
    match action::find(place, event).filter(|action| model.offers(*action) || *action == Action::Back) {
        Some(action) if is_refused(action) => doubt(model),
        Some(action) => act::act(model, action, event, fx),
        None if place.takes_text() => answer::typed(model, event),
        None => {}
    }
}

/// Says why a key did nothing.
fn doubt(model: &mut Model) {
    let what = "That key may be a piece of something the terminal sent, so nothing was done.";
    model.toast(Level::Refused, what, "Press Esc, wait a second, and press the key again.");
}

/// Whether a dialog waits for the desk.
fn is_busy(model: &Model) -> bool {
    match &model.overlay {
        Some(Overlay::Resend(dialog)) => dialog.busy,
        Some(Overlay::ForceVerify(dialog)) => dialog.busy,
        Some(Overlay::SignUp(form)) => form.busy,
        Some(Overlay::Bulk(dialog)) => dialog.busy,
        Some(Overlay::Brake(dialog)) => dialog.busy,
        Some(Overlay::CancelJob(dialog)) => dialog.busy,
        Some(Overlay::TestSend(dialog)) => dialog.busy,
        Some(Overlay::Help { .. } | Overlay::Finding { .. } | Overlay::Page { .. }) | None => false,
    }
}
