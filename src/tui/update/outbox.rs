//! The outbox from the keyboard: bulk resends, jobs, the brake.

use super::load;
use crate::domain::change::Change;
use crate::domain::id::JobId;
use crate::domain::job::{JobPlan, JobScope, JobState};
use crate::tui::action::Action;
use crate::tui::effect::{Act, Answer, BrakeChange, JobChange, JobStarted, Load, Problem};
use crate::tui::model::field::Field;
use crate::tui::model::overlay::{BrakeDialog, BulkDialog, CancelDialog, Overlay, REASON_MIN};
use crate::tui::model::queue::ItemId;
use crate::tui::model::{Level, View};

use crate::tui::when;
use crate::tui::widget::number::thousands;
use crate::tui::{Effect, Model};

/// Does what is not blocked.
pub(super) fn act(model: &mut Model, action: Action, fx: &mut Vec<Effect>) {
    match action {
        Action::Mark => mark(model),
        Action::BulkResend => {
            let scope = if model.marks.is_empty() {
                JobScope::Filter(load::filter(model))
            } else {
                JobScope::Marked(model.marks.iter().copied().collect())
            };
            plan(model, scope, fx);
        }
        Action::Pause => ask_brake(model, BrakeChange::Pause),
        Action::Drain => ask_brake(model, BrakeChange::Drain),
        Action::Resume => ask_brake(model, BrakeChange::Resume),
        Action::HoldJob => {
            let Some((id, state)) = model.selected_job().map(|job| (job.id, job.state)) else { return };
            let change = if state == JobState::Paused { JobChange::Resume } else { JobChange::Pause };
            // A second press before the answer would mean the same.
            if model.queue.changing.is_none() {
                model.queue.changing = Some(id);
                fx.push(Effect::Act(Act::ChangeJob { id, change }));
            }
        }
        Action::CancelJob => {
            let id = model.selected_job().map(|job| job.id);
            model.overlay = id.map(|id| Overlay::CancelJob(CancelDialog { id, problem: None, busy: false }));
        }
        _ => {}
    }
}

/// Marks or unmarks the selected row and goes to the next.
fn mark(model: &mut Model) {
    let Some(id) = model.people.selected().map(|row| row.verification.id) else { return };
    if !model.marks.remove(&id) {
        model.marks.insert(id);
    }
    if let Some(list) = model.people.list_mut() {
        list.step(1);
    }
}

/// Asks what a bulk resend would do; the dialog is there at once.
fn plan(model: &mut Model, scope: JobScope, fx: &mut Vec<Effect>) {
    model.generation += 1;
    let generation = model.generation;
    fx.push(Effect::Load(Load::JobPlan { scope: scope.clone(), generation }));
    model.overlay = Some(Overlay::Bulk(BulkDialog {
        scope,
        generation,
        plan: None,
        number: Field::default(),
        problem: None,
        busy: false,
    }));
}

fn ask_brake(model: &mut Model, change: BrakeChange) {
    let dialog = BrakeDialog { change, reason: Field::default(), problem: None, busy: false };
    model.overlay = Some(Overlay::Brake(dialog));
}

/// The yes of a dialog about the outbox.
pub(super) fn confirm(model: &mut Model, fx: &mut Vec<Effect>) {
    match &mut model.overlay {
        Some(Overlay::Bulk(dialog)) => match (&dialog.plan, dialog.mails()) {
            (None, _) => {}
            (Some(Err(_)), _) => {
                let scope = dialog.scope.clone();
                plan(model, scope, fx);
            }
            (Some(Ok(_)), None) => model.overlay = None,
            (Some(Ok(plan)), Some(mails)) => {
                let plan = plan.clone();
                confirm_bulk(dialog, mails, plan, fx);
            }
        },
        Some(Overlay::Brake(dialog)) => {
            let reason = dialog.reason.text().trim().to_owned();
            if dialog.change.needs_reason() && reason.chars().count() < REASON_MIN {
                dialog.problem = Some(Problem {
                    what: format!("A reason of at least {REASON_MIN} characters is needed."),
                    hint: "Every console shows it while the outbox is stopped.".into(),
                    ..Problem::default()
                });
                return;
            }
            (dialog.problem, dialog.busy) = (None, true);
            fx.push(Effect::Act(Act::SetBrake { change: dialog.change, reason }));
        }
        Some(Overlay::CancelJob(dialog)) => {
            (dialog.problem, dialog.busy) = (None, true);
            fx.push(Effect::Act(Act::ChangeJob { id: dialog.id, change: JobChange::Cancel }));
        }
        _ => {}
    }
}

fn confirm_bulk(dialog: &mut BulkDialog, mails: i64, plan: Box<JobPlan>, fx: &mut Vec<Effect>) {
    let typed: String = dialog.number.text().chars().filter(char::is_ascii_digit).collect();
    if dialog.asks_for_number() && typed.parse() != Ok(mails) {
        dialog.problem = Some(Problem {
            what: format!("Type {} to agree.", thousands(mails)),
            hint: "It is the number of mails that go out.".into(),
            ..Problem::default()
        });
        return;
    }
    (dialog.problem, dialog.busy) = (None, true);
    fx.push(Effect::Act(Act::StartJob { scope: dialog.scope.clone(), plan }));
}

/// What a bulk resend would do.
pub(super) fn planned(model: &mut Model, generation: u64, plan: Answer<Box<JobPlan>>) {
    if let Some(Overlay::Bulk(dialog)) = &mut model.overlay
        && dialog.generation == generation
    {
        dialog.plan = Some(plan);
    }
}

/// A bulk resend was started, or not.
pub(super) fn started(model: &mut Model, answer: Answer<JobStarted>, fx: &mut Vec<Effect>) {
    let open = match &mut model.overlay {
        Some(Overlay::Bulk(dialog)) if dialog.busy => Some(dialog),
        _ => None,
    };
    match (answer, open) {
        (Ok(job), open) => {
            let mails = open.as_ref().and_then(|dialog| dialog.mails());
            let what = match mails {
                Some(1) => "The bulk resend of 1 mail".to_owned(),
                Some(mails) => format!("The bulk resend of {} mails", thousands(mails)),
                None => "The bulk resend".to_owned(),
            };
            let (what, hint) = match job.starts_in {
                0 => (format!("{what} has started."), "It goes on whatever happens to this console."),
                seconds => (
                    format!("{what} starts in {}.", when::countdown(seconds)),
                    "x calls it off; after that it goes on by itself.",
                ),
            };
            model.queue.selected = Some(ItemId::Job(job.id));
            if open.is_some() {
                model.overlay = None;
                super::travel::view(model, View::Queue);
            }
            model.marks.clear();
            model.toast(Level::Done, what, hint);
            load::changed(model, Change::Outbox, fx);
        }
        (Err(problem), Some(dialog)) => {
            dialog.busy = false;
            dialog.problem = Some(problem);
        }
        (Err(problem), None) => model.toast(Level::Failed, problem.what, problem.hint),
    }
}

/// A job was paused, resumed or called off, or not.
pub(super) fn job_changed(model: &mut Model, id: JobId, change: JobChange, answer: Answer<()>, fx: &mut Vec<Effect>) {
    if model.queue.changing == Some(id) {
        model.queue.changing = None;
    }
    let is_open = |dialog: &CancelDialog| change == JobChange::Cancel && dialog.id == id && dialog.busy;
    let open = match &mut model.overlay {
        Some(Overlay::CancelJob(dialog)) if is_open(dialog) => Some(dialog),
        _ => None,
    };
    match (answer, open) {
        (Ok(()), open) => {
            if open.is_some() {
                model.overlay = None;
            }
            let (state, what, hint) = match change {
                JobChange::Pause => (JobState::Paused, "The job is paused.", "p lets it go on."),
                JobChange::Resume => (JobState::Running, "The job goes on.", ""),
                JobChange::Cancel => (JobState::Cancelled, "The job is called off.", "It mails nobody any more."),
            };
            // What is known already need not wait for the outbox to be read again: the next key goes by it.
            let job = model.outbox.iter_mut().flat_map(|outbox| &mut outbox.jobs).find(|job| job.id == id);
            if let Some(job) = job {
                job.state = state;
            }
            model.toast(Level::Done, what, hint);
            load::changed(model, Change::Outbox, fx);
        }
        (Err(problem), Some(dialog)) => {
            dialog.busy = false;
            dialog.problem = Some(problem);
        }
        (Err(problem), None) => {
            model.toast(Level::Failed, problem.what, problem.hint);
            load::outbox(model, fx);
        }
    }
}

/// The outbox was stopped or let go, or not.
pub(super) fn brake_set(model: &mut Model, change: BrakeChange, answer: Answer<()>, fx: &mut Vec<Effect>) {
    let open = match &mut model.overlay {
        Some(Overlay::Brake(dialog)) if dialog.change == change && dialog.busy => Some(dialog),
        _ => None,
    };
    match (answer, open) {
        (Ok(()), open) => {
            if open.is_some() {
                model.overlay = None;
            }
            let (what, hint) = match change {
                BrakeChange::Pause => ("Sending is paused.", "U lets it go again."),
                BrakeChange::Drain => ("What is queued goes out, then nothing.", "U lets the outbox go again."),
                BrakeChange::Resume => ("Sending goes on.", ""),
            };
            model.toast(Level::Done, what, hint);
            load::changed(model, Change::Outbox, fx);
        }
        (Err(problem), Some(dialog)) => {
            dialog.busy = false;
            dialog.problem = Some(problem);
        }
        (Err(problem), None) => model.toast(Level::Failed, problem.what, problem.hint),
    }
}
