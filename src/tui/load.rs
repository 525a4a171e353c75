//! What has to be loaded, so that what is on the screen is there and true.

use crate::domain::account::act::ActState;
use crate::domain::account::suppressed::SuppressedRow;
use crate::domain::audit::AuditRow;
use crate::domain::change::Change;
use crate::domain::send::SendRow;
use crate::domain::verification::{VerificationDetail, VerificationRow};
use crate::tui::effect::Load;
use crate::tui::model::{Slots, View};
use crate::tui::screen::layout;
use crate::tui::view::{account, audit, detail, hits, mail, paged, queue, search, suppressed, verifications};
use crate::tui::{Effect, Model};

/// The first loads. The list itself follows by [`settle`].
pub fn start(model: &mut Model, fx: &mut Vec<Effect>) {
    if model.setup.only_templates {
        return;
    }
    verifications::update::load_counts(model, fx);
    queue::update::load(model, fx);
    fx.push(Effect::Load(Load::Rights));
}

/// After every message: keeps the cursor in sight, and asks for what the screen lacks.
pub fn settle(model: &mut Model, fx: &mut Vec<Effect>) {
    let height = usize::from(layout::whole(model).list.height);
    paged::settle::<VerificationRow>(model, height);
    paged::settle::<SendRow>(model, height);
    paged::settle::<AuditRow>(model, height);
    paged::settle::<SuppressedRow>(model, height);
    match model.view {
        View::Templates => {}
        _ if model.is_away() => {}
        View::Verifications => verifications::update::want(model, fx),
        View::Mail => mail::update::want(model, fx),
        View::Audit => audit::update::want(model, fx),
        View::Account => account::update::want(model, fx),
        View::Suppressed => suppressed::update::want(model, fx),
        View::Queue => {}
    }
    if !model.is_away() {
        hits::want(model, fx);
    }
    queue::update::want(model, fx);
    detail::update::want(model, fx);
}

/// Something changed in the database: what of it is on the screen is read again, once, and nothing moves.
pub fn changed(model: &mut Model, changes: &[Change], fx: &mut Vec<Effect>) {
    if model.setup.only_templates {
        return;
    }
    let mut ids = Vec::new();
    let (mut verifications, mut mails) = (false, false);
    for change in changes {
        match change {
            Change::Verification(id) => {
                let mut known = model.verifications.lists.iter().flat_map(|list| &list.items);
                if known.any(|item| item.row.verification.id == *id) {
                    ids.push(*id);
                }
                let concerns = |data: &VerificationDetail| data.others.iter().any(|other| other.id == *id);
                if model.detail.id == Some(*id) || model.detail.data.as_deref().is_some_and(concerns) {
                    model.detail.stale = true;
                }
                (verifications, mails) = (true, true);
            }
            Change::Many => {
                let shown = model.verifications.list().into_iter().flat_map(|list| &list.items);
                ids.extend(shown.map(|item| item.row.verification.id));
                model.detail.stale = true;
                (verifications, mails) = (true, true);
                model.suppressed.is_stale = true;
            }
            Change::Queued => mails = true,
            // What is waited for there may be done.
            Change::Account => {
                let shown = model.detail.data.as_deref().and_then(|data| data.act.as_ref());
                model.detail.stale |= shown.is_some_and(|act| act.state == ActState::Waiting);
                model.suppressed.is_stale = true;
            }
            Change::Workers | Change::Outbox => {}
        }
    }
    if verifications {
        verifications::update::load_rows(model, ids, fx);
        verifications::update::load_newer(model, fx);
        verifications::update::load_counts(model, fx);
        hits::changed(&mut model.verifications);
    }
    if mails {
        hits::changed(&mut model.mail);
    }
    queue::update::load(model, fx);
    model.mail.is_stale |= mails;
    // Every act is in the audit log, and most changes are one.
    model.audit.is_stale = true;
    model.queue.is_stale = true;
    model.account.is_stale = true;
}

/// After a time away: whatever was under way is lost.
pub fn catch_up(model: &mut Model, fx: &mut Vec<Effect>) {
    model.slots = Slots::default();
    model.detail.loading = None;
    model.queue.counting = None;
    model.account.is_reading = false;
    model.detail.problem = None;
    paged::forget_awaited::<VerificationRow>(model);
    paged::forget_awaited::<SendRow>(model);
    paged::forget_awaited::<AuditRow>(model);
    paged::forget_awaited::<SuppressedRow>(model);
    changed(model, &[Change::Many], fx);
    if !model.setup.only_templates {
        // It may be another server, with other rights.
        fx.push(Effect::Load(Load::Rights));
    }
}

/// Reloads what is on the screen, at the same place.
pub fn refresh(model: &mut Model, fx: &mut Vec<Effect>) {
    if model.view == View::Templates {
        model.workbench.reread();
    }
    if model.setup.only_templates {
        return;
    }
    if model.is_away() {
        fx.push(Effect::Load(Load::Reconnect));
        return;
    }
    search::read_again(model);
    verifications::update::load_counts(model, fx);
    (model.verifications.counted, model.mail.counted) = (None, None);
    queue::update::load(model, fx);
    fx.push(Effect::Load(Load::Rights));
    model.detail.problem = None;
    model.detail.missing = false;
    model.detail.stale = true;
    if model.opened.is_some() {
        return;
    }
    match model.view {
        View::Verifications => paged::reload::<VerificationRow>(model, fx),
        View::Mail => paged::reload::<SendRow>(model, fx),
        View::Audit => paged::reload::<AuditRow>(model, fx),
        View::Suppressed => paged::reload::<SuppressedRow>(model, fx),
        View::Account => (model.account.read_from, model.account.is_stale) = (None, true),
        View::Queue | View::Templates => {}
    }
}
