//! When what is on the screen changes by the mere passing of time.

use chrono::Duration;

use super::layout;
use crate::domain::Time;
use crate::domain::worker::{GONE_AFTER_SECONDS, OutboxView};
use crate::tui::model::{Link, Model, View};
use crate::tui::view::list::{Item, List, Row};
use crate::tui::view::{account, suppressed};
use crate::tui::when;

/// When the model has to be sent [`crate::tui::Msg::Clock`], by this machine's clock. None: only other messages change it.
#[must_use]
pub fn next(model: &Model) -> Option<Time> {
    let counted_again = model
        .queue
        .count_from
        .filter(|from| model.counted_job().is_some() && model.queue.is_stale && *from > model.now);
    let account = account::update::next(model);
    let next = [next_text_change(model), model.outbox_due, counted_again, account].into_iter().flatten().min()?;
    // Never sooner than a moment from now, whatever a database's times say.
    Some(next.max(model.now + Duration::milliseconds(1)) - model.skew)
}

/// When a text on the screen changes next.
#[must_use]
pub fn next_text_change(model: &Model) -> Option<Time> {
    let mut next: Vec<Option<Time>> = model.toasts.iter().map(|toast| Some(toast.until)).collect();
    let undo = model.toasts.iter().filter_map(|toast| toast.undo_until);
    next.extend(
        undo.chain(model.undo.iter().map(|offer| offer.until)).map(|until| when::next_second(until, model.now)),
    );
    next.extend([tinted_until(model), model.worker_due()]);
    if let Link::Away { retry_at, .. } = &model.link {
        next.push(when::next_second(*retry_at, model.now));
    }
    next.extend(model.dialog.as_ref().map(|dialog| dialog.next_change(model)));
    next.extend(countdowns(model).map(|time| when::next_countdown(time, model.now)));
    next.extend(visible_times(model).into_iter().map(|time| when::next_change(time, model.now)));
    if let Some(outbox) = &model.outbox {
        let gone = |beat: Time| beat + Duration::seconds(GONE_AFTER_SECONDS);
        next.extend(outbox.workers.iter().filter(|w| w.is_alive(model.now)).map(|w| Some(gone(w.beat_at))));
    }
    next.into_iter().flatten().min()
}

/// When the next row stops standing out as one that has just come.
fn tinted_until(model: &Model) -> Option<Time> {
    fn of<R: Row>(list: Option<&List<R>>, now: Time) -> Option<Time> {
        let until = list?.items.iter().filter_map(Item::tinted_until);
        until.filter(|until| *until > now).min()
    }
    match model.view {
        View::Verifications => of(model.verifications.list(), model.now),
        View::Mail => of(model.mail.list(), model.now),
        View::Audit => of(model.audit.list(), model.now),
        View::Suppressed => of(model.suppressed.list(), model.now),
        View::Account | View::Queue | View::Templates => None,
    }
}

/// Until when a job on the screen can be cancelled before its first mail: the one thing that counts seconds.
fn countdowns(model: &Model) -> impl Iterator<Item = Time> {
    let jobs = model.outbox.iter().flat_map(|outbox| &outbox.jobs);
    let seen = jobs.filter(|_| model.view == View::Queue);
    seen.filter(|job| job.is_in_grace(model.now)).map(|job| job.starts_at)
}

/// Every time that is on the screen as a distance.
fn visible_times(model: &Model) -> Vec<Time> {
    let mut times = Vec::new();
    let height = usize::from(layout::whole(model).list.height);
    match model.view {
        View::Verifications => {
            if let Some(list) = model.verifications.list() {
                for item in list.items.iter().skip(list.top_for(height)).take(height) {
                    let verification = &item.row.verification;
                    times.extend([Some(verification.created_at), Some(verification.expires_at)].into_iter().flatten());
                    times.extend(verification.verified_at.or(verification.revoked_at));
                    times.extend(item.row.last_send.as_ref().map(|send| send.happened_at));
                }
            }
        }
        View::Mail => {
            if let Some(list) = model.mail.list() {
                for item in list.items.iter().skip(list.top_for(height)).take(height) {
                    times.extend([item.row.queued_at, item.row.happened_at()]);
                    times.extend(item.row.state.is_open().then_some(item.row.due_at));
                }
            }
        }
        View::Queue => times.extend(model.outbox.iter().flat_map(queue_times)),
        View::Account => times.extend(account::times(model)),
        View::Suppressed => times.extend(suppressed::update::times(model)),
        View::Audit => times.extend(model.audit.selected().map(|row| row.entry.at)),
        View::Templates => {
            let sent = model.workbench.person.as_ref().and_then(|person| person.sent);
            times.extend(sent.and_then(|sent| sent.at));
        }
    }
    let details = model.view != View::Templates;
    if let Some(detail) = model.detail.data.as_deref().filter(|_| details) {
        times.extend(detail.verifications().into_iter().flat_map(|v| {
            [Some(v.created_at), Some(v.expires_at), v.verified_at, v.revoked_at, v.opened_at].into_iter().flatten()
        }));
        times.extend(detail.mails().iter().map(|send| send.happened_at()));
    }
    if let Some(outbox) = &model.outbox {
        times.extend(outbox.due_since);
        times.extend(outbox.brake.iter().flat_map(|brake| [Some(brake.set_at), brake.until]).flatten());
        times.extend(outbox.pace.next_place_at);
    }
    times
}

/// Every time that the view of the outbox shows as a distance, but those that count seconds.
fn queue_times(outbox: &OutboxView) -> impl Iterator<Item = Time> {
    let jobs = outbox.jobs.iter().flat_map(|job| [Some(job.created_at), job.ended_at]).flatten();
    let workers = outbox.workers.iter().flat_map(|worker| [worker.beat_at, worker.started_at]);
    outbox.pace.lowered_at.into_iter().chain(jobs).chain(workers)
}
