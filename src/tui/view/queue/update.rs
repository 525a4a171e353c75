//! The queue: what is asked for, what an answer changes, what its keys do.

use chrono::Duration;

use super::model::JobFacts;
use crate::domain::Time;
use crate::domain::id::JobId;
use crate::domain::job::JobState;
use crate::domain::worker::{GONE_AFTER_SECONDS, OutboxView};
use crate::tui::effect::{Act, Answer, JobChange, Load};
use crate::tui::{Effect, Model};

/// Asks for the outbox.
pub(in crate::tui) fn load(model: &mut Model, fx: &mut Vec<Effect>) {
    if !model.is_away() && model.slots.outbox.ask() {
        fx.push(Effect::Load(Load::Outbox));
    }
}

/// The outbox. No one announces that a worker died: before the newest heartbeat is too old, it is looked at again.
pub(in crate::tui) fn loaded(model: &mut Model, answer: Answer<OutboxView>, fx: &mut Vec<Effect>) {
    model.heard(&answer);
    if model.slots.outbox.done() {
        fx.push(Effect::Load(Load::Outbox));
    }
    match answer {
        Ok(mut outbox) => {
            for one in &model.queue.decided {
                let waits =
                    outbox.webhook.waiting().any(|it| it.topic.raw() == one.topic && it.asked_at == one.asked_at);
                if waits {
                    outbox.webhook.decided(&one.topic, one.is_approved);
                }
            }
            model.correct_clock(outbox.as_of);
            let alive = outbox.workers.iter().filter(|worker| worker.is_alive(model.now));
            let oldest = alive.map(|worker| worker.beat_at).min();
            let before_gone = Duration::seconds(GONE_AFTER_SECONDS - 6);
            let soonest = model.now + Duration::seconds(5);
            // A pause that ends by itself, and a place in the quota that comes free, are no one's change either.
            let brake_ends = outbox.brake.as_ref().and_then(|brake| brake.until);
            let ahead = |time: &Time| *time > model.now;
            let (brake_ends, next_place) = (brake_ends.filter(ahead), outbox.pace.next_place_at.filter(ahead));
            let due = [oldest.map(|beat| beat + before_gone), brake_ends, next_place];
            model.outbox_due = due.into_iter().flatten().min().map(|due| due.max(soonest));
            model.outbox = Some(outbox);
        }
        Err(problem) => model.complain(problem),
    }
}

/// How long after a count it is not counted again: at least, and as a multiple of how long it took.
const COUNT_EVERY: Duration = Duration::seconds(2);
const COUNT_SHARE: i32 = 10;

/// Asks what came of the selected job. While the cursor runs over jobs, those in between are never asked for.
pub(in crate::tui) fn want(model: &mut Model, fx: &mut Vec<Effect>) {
    let Some(id) = model.counted_job() else { return };
    let (away, now) = (model.is_away(), model.now);
    let queue = &mut model.queue;
    if queue.facts.as_ref().is_some_and(|facts| facts.id != id) {
        (queue.facts, queue.count_from) = (None, None);
    }
    let is_due = queue.count_from.is_none_or(|from| from <= now) && (queue.facts.is_none() || queue.is_stale);
    if !away && queue.counting.is_none() && is_due {
        queue.counting = Some(id);
        queue.is_stale = false;
        fx.push(Effect::Load(Load::Job { id }));
    }
}

/// What came of a job, and how long the count took.
pub(in crate::tui) fn counted(model: &mut Model, id: JobId, took: Duration, answer: Answer<Box<JobFacts>>) {
    model.heard(&answer);
    model.queue.counting = None;
    model.queue.count_from = Some(model.now + COUNT_EVERY.max(took * COUNT_SHARE));
    match answer {
        Ok(facts) if model.counted_job() == Some(id) => model.queue.facts = Some(facts),
        Ok(_) => model.queue.count_from = None,
        Err(problem) => model.complain(problem),
    }
}

/// Moves the selection.
pub(in crate::tui) fn step(model: &mut Model, by: isize) {
    let items = model.queue_items();
    let next = model.queue_cursor(&items).saturating_add_signed(by).min(items.len().saturating_sub(1));
    let selected = items.get(next).map(|item| item.id());
    model.queue.selected = selected;
    (model.queue.scroll, model.queue.skipped) = (0, None);
}

/// Pauses the selected job, or resumes it.
pub(in crate::tui) fn hold_job(model: &mut Model, fx: &mut Vec<Effect>) {
    let Some((id, state)) = model.selected_job().map(|job| (job.id, job.state)) else { return };
    let change = if state == JobState::Paused { JobChange::Resume } else { JobChange::Pause };
    // A second press before the answer would mean the same.
    if model.queue.changing.is_none() {
        model.queue.changing = Some(id);
        fx.push(Effect::Act(Act::ChangeJob { id, change }));
    }
}
