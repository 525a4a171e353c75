//! Data that arrived.

use chrono::Duration;

use crate::domain::Time;
use crate::domain::id::VerificationId;
use crate::domain::page::Page;
use crate::domain::send::SendRow;
use crate::domain::verification::{Counts, VerificationDetail, VerificationRow};
use crate::domain::worker::{GONE_AFTER_SECONDS, OutboxView};
use crate::tui::effect::{Answer, Load, Loaded, Problem};
use crate::tui::model::Link;
use crate::tui::model::list::{Edge, List, Row};
use crate::tui::model::slot::Slot;
use crate::tui::screen::{notice, queue};

use crate::tui::{Effect, Model, dialog, load};

/// A difference between the clocks that is worth correcting; less is the way here.
const SKEW_MIN: i64 = 3;

fn up<T>(model: &mut Model, answer: &Answer<T>) {
    if answer.is_ok() && model.link == Link::Connecting {
        model.link = Link::Up;
    }
}

/// What was read from the database.
pub fn loaded(model: &mut Model, loaded: Loaded, fx: &mut Vec<Effect>) {
    match loaded {
        Loaded::Page { generation, answer } => page(model, generation, answer),
        Loaded::Rows { asked, answer } => rows(model, &asked, answer, fx),
        Loaded::Newer { generation, answer } => newer(model, generation, answer, fx),
        Loaded::Counts(answer) => {
            let before = model.counts;
            counts(model, answer, fx);
            model.dirty |= model.counts != before;
        }
        Loaded::Outbox(answer) => {
            let shown = |model: &Model| (notice::shown(model), queue::shown(model));
            let before = shown(model);
            outbox(model, answer, fx);
            model.dirty |= shown(model) != before;
        }
        Loaded::Detail { id, answer } => detail(model, id, answer),
        Loaded::Sends { generation, answer } => sends(model, generation, answer),
        plan @ (Loaded::ResendPlan { .. } | Loaded::JobPlan { .. }) => dialog::planned(model, plan),
    }
}

/// A page of verifications.
fn page(model: &mut Model, generation: u64, answer: Answer<Page<VerificationRow>>) {
    up(model, &answer);
    let Some(list) = awaited(&mut model.people.lists, generation) else { return };
    match answer {
        Ok(page) => {
            // Only a page that begins with the newest row was made as of now.
            let skew = matches!(list.awaiting, Some((_, Edge::Top))).then(|| page.as_of - (model.now - model.skew));
            list.arrived(generation, page);
            if let Some(skew) = skew {
                correct(model, skew);
            }
        }
        Err(problem) => failed(model, generation, problem),
    }
}

/// Statuses and distances go by the database's clock.
fn correct(model: &mut Model, skew: Duration) {
    let skew = if skew.num_seconds().abs() < SKEW_MIN { Duration::zero() } else { skew };
    model.now = model.now - model.skew + skew;
    model.skew = skew;
}

fn awaited<R: Row>(lists: &mut [List<R>], generation: u64) -> Option<&mut List<R>> {
    lists.iter_mut().find(|list| list.awaiting.is_some_and(|(awaited, _)| awaited == generation))
}

fn failed(model: &mut Model, generation: u64, problem: Problem) {
    fn note<R: Row>(list: &mut List<R>, problem: &Problem) -> bool {
        list.awaiting = None;
        list.problem = Some(problem.clone());
        list.items.is_empty()
    }
    let empty = match awaited(&mut model.people.lists, generation) {
        Some(list) => note(list, &problem),
        None => awaited(&mut model.mail.lists, generation).is_some_and(|list| note(list, &problem)),
    };
    if !empty {
        model.complain(problem);
    }
}

/// A page of mails.
fn sends(model: &mut Model, generation: u64, answer: Answer<Page<SendRow>>) {
    up(model, &answer);
    let Some(list) = awaited(&mut model.mail.lists, generation) else { return };
    match answer {
        Ok(page) => {
            list.arrived(generation, page);
        }
        Err(problem) => failed(model, generation, problem),
    }
}

/// Rows that had changed.
fn rows(model: &mut Model, asked: &[VerificationId], answer: Answer<Vec<VerificationRow>>, fx: &mut Vec<Effect>) {
    up(model, &answer);
    match answer {
        Ok(rows) => {
            for list in &mut model.people.lists {
                list.replace(asked, &rows);
            }
        }
        Err(problem) => model.complain(problem),
    }
    model.slots.rows = Slot::Idle;
    load::rows(model, [], fx);
}

/// How many rows have come above.
fn newer(model: &mut Model, generation: u64, answer: Answer<i64>, fx: &mut Vec<Effect>) {
    up(model, &answer);
    let again = model.slots.newer.done();
    if let (Ok(count), Some((asked, tab))) = (answer, model.newer_for)
        && asked == generation
        && let Some(list) = model.people.lists.get_mut(tab)
        && list.loaded
    {
        list.announced = count;
    }
    if again {
        model.slots.newer = Slot::Idle;
        load::newer(model, fx);
    }
}

/// The counts.
fn counts(model: &mut Model, answer: Answer<Counts>, fx: &mut Vec<Effect>) {
    up(model, &answer);
    if model.slots.counts.done() {
        fx.push(Effect::Load(Load::Counts));
    }
    match answer {
        Ok(counts) => model.counts = Some(counts),
        Err(problem) => model.complain(problem),
    }
}

/// The outbox. Nobody announces that a worker died: before the newest heartbeat is too old, it is looked at again.
fn outbox(model: &mut Model, answer: Answer<OutboxView>, fx: &mut Vec<Effect>) {
    up(model, &answer);
    if model.slots.outbox.done() {
        fx.push(Effect::Load(Load::Outbox));
    }
    match answer {
        Ok(outbox) => {
            correct(model, outbox.as_of - (model.now - model.skew));
            let alive = outbox.workers.iter().filter(|worker| worker.is_alive(model.now));
            let oldest = alive.map(|worker| worker.beat_at).min();
            let before_gone = Duration::seconds(GONE_AFTER_SECONDS - 6);
            let soonest = model.now + Duration::seconds(5);
            // A pause that ends by itself, and a place in the quota that comes free, are nobody's change either.
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

/// A verification's detail.
fn detail(model: &mut Model, id: VerificationId, answer: Answer<Option<Box<VerificationDetail>>>) {
    up(model, &answer);
    let detail = &mut model.detail;
    if detail.loading == Some(id) {
        detail.loading = None;
    }
    if detail.id != Some(id) {
        return;
    }
    match answer {
        Ok(Some(data)) => {
            (detail.missing, detail.problem) = (false, None);
            detail.data = Some(data);
        }
        Ok(None) => detail.missing = true,
        Err(problem) if detail.data.is_some() => model.complain(problem),
        Err(problem) => detail.problem = Some(problem),
    }
}
