//! The one place where the model changes: no I/O, no clock, so that a test is a plain function call.

mod act;
mod loaded;
mod navigation;

use super::effect::{Loaded, TerminalCommand};
use crossterm::event::{KeyEvent, KeyEventKind, KeyModifiers};

use super::action::{self, Action};
use super::model::{Level, Link};
use super::screen::deadline;
use super::view::{queue, search, templates};
use super::{Effect, Model, Msg, dialog, load, undo};
use crate::domain::Time;

/// Changes the model by a message and says what is to be done outside.
pub fn update(model: &mut Model, msg: Msg) -> Vec<Effect> {
    let mut effects = Vec::new();
    let fx = &mut effects;
    // These come often and mostly change nothing on the screen: they say themselves whether they did.
    let is_quiet = matches!(msg, Msg::Clock(_) | Msg::Loaded(Loaded::Outbox(_) | Loaded::Counts(_)));
    model.dirty |= !is_quiet;
    match msg {
        Msg::Start => load::start(model, fx),
        Msg::Clock(now) => clock(model, now, fx),
        Msg::Key(event) => key(model, &event, false, fx),
        Msg::Doubtful(event) => key(model, &event, true, fx),
        Msg::Paste(text) => search::paste(model, &text),
        Msg::Resize { width, height } => model.size = (width, height),
        Msg::Resumed => {
            fx.push(Effect::Terminal(TerminalCommand::Repaint));
            load::catch_up(model, fx);
        }
        Msg::Changed(changes) => load::changed(model, &changes, fx),
        Msg::Loaded(loaded) => loaded::loaded(model, loaded, fx),
        Msg::Acted(acted) => dialog::acted(model, acted, fx),
        Msg::Bench(benched) => templates::update::benched(model, benched, fx),
        Msg::Edited(answer) => templates::update::edited(model, answer),
        Msg::DatabaseAway { problem, retry_at } => model.link = Link::Away { problem, retry_at: retry_at + model.skew },
        Msg::DatabaseBack => {
            model.link = Link::Up;
            load::catch_up(model, fx);
        }
    }
    templates::update::settle(model, fx);
    load::settle(model, fx);
    effects
}

fn clock(model: &mut Model, now: Time, fx: &mut Vec<Effect>) {
    let due = deadline::next_text_change(model);
    model.now = now + model.skew;
    if due.is_some_and(|due| due <= model.now) {
        model.dirty = true;
    }
    let now = model.now;
    model.toasts.retain(|toast| toast.until > now);
    undo::settle(model);
    if model.outbox_due.is_some_and(|due| due <= now) {
        model.outbox_due = None;
        queue::update::load(model, fx);
    }
}

fn key(model: &mut Model, event: &KeyEvent, is_doubtful: bool, fx: &mut Vec<Effect>) {
    if event.kind == KeyEventKind::Release {
        return;
    }
    let context = model.key_context();
    // Of what a terminal sends by itself no piece is a control character: Ctrl-C is pressed.
    let is_refused = |action: Action| {
        is_doubtful && action.acts(context) && !(action == Action::Quit && event.modifiers == KeyModifiers::CONTROL)
    };
    match action::find(context, event).filter(|action| model.offers(*action) || *action == Action::Back) {
        Some(action) if is_refused(action) => doubt(model),
        Some(action) => act::act(model, action, event, fx),
        None if context.takes_text() => search::typed(model, event),
        None => {}
    }
}

/// Says why a key did nothing.
fn doubt(model: &mut Model) {
    let what = "That key may be a piece of something the terminal sent, so nothing was done.";
    model.toast(Level::Refused, what, "Press Esc, wait a second, and press the key again.");
}
