//! The account: when it is read, and what an answer changes.

use chrono::Duration;

use crate::domain::Time;
use crate::domain::account::view::AccountView;
use crate::tui::effect::{Answer, Load};
use crate::tui::model::View;
use crate::tui::{Effect, Model};

/// How soon it is read again where something has changed, at least, and as a multiple of how long reading took; and where
/// nothing is known to have.
const READ_EVERY: Duration = Duration::seconds(5);
const READ_SHARE: i32 = 10;
const READ_ANYWAY: Duration = Duration::minutes(1);

/// Asks for it, while it is on the screen.
pub(in crate::tui) fn want(model: &mut Model, fx: &mut Vec<Effect>) {
    let now = model.now;
    let is_due = due(model).is_none_or(|due| due <= now);
    let account = &mut model.account;
    if !account.is_reading && is_due {
        (account.is_reading, account.is_stale) = (true, false);
        fx.push(Effect::Load(Load::Account));
    }
}

/// When it is to be read next; `None` for at once.
#[must_use]
pub(in crate::tui) fn due(model: &Model) -> Option<Time> {
    let account = &model.account;
    let from = account.read_from?;
    Some(if account.is_stale { from } else { from + READ_ANYWAY })
}

/// When the screen has to look again whether it is due.
#[must_use]
pub(in crate::tui) fn next(model: &Model) -> Option<Time> {
    let is_awaited = model.view != View::Account || model.account.is_reading || model.is_away();
    if is_awaited { None } else { due(model) }
}

/// It was read, in so long.
pub(in crate::tui) fn loaded(model: &mut Model, took: Duration, answer: Answer<Box<AccountView>>) {
    model.heard(&answer);
    let account = &mut model.account;
    account.is_reading = false;
    account.read_from = Some(model.now + READ_EVERY.max(took * READ_SHARE));
    account.problem = answer.as_ref().err().cloned();
    // The clock goes by the outbox's: this may have taken seconds to read.
    if let Ok(read) = answer {
        account.read = Some(read);
    }
    model.dirty |= model.view == View::Account;
}

/// Every time that the view shows as a distance.
pub(in crate::tui) fn times(model: &Model) -> Vec<Time> {
    let Some(read) = &model.account.read else { return Vec::new() };
    let mut times = vec![read.as_of];
    if let Some(account) = &read.account {
        times.extend(account.standing.as_ref().map(|standing| standing.seen_at));
        times.extend(account.error.as_ref().map(|(_, since)| *since));
    }
    times.extend(read.full_at());
    for panel in &read.panels {
        times.extend(panel.answer.as_ref().map(|(at, _)| *at));
        times.extend(panel.trouble.as_ref().map(|trouble| trouble.since));
    }
    times.extend(read.added.iter().map(|act| act.asked_at));
    if let Some(list) = &read.list {
        times.extend(list.read_at.into_iter().chain(list.goes_back_to));
        times.extend(list.newest.iter().map(|one| one.since));
        times.extend(list.trouble.as_ref().map(|trouble| trouble.since));
    }
    times
}
