//! Cancel a job?

use ratatui::layout::{Position, Rect};

use super::parts::{columns_for, complaint, keys, put, recorded};
use super::{Body, Dialog, KeyContext, Keys, Then, answered, because};
use crate::domain::Time;
use crate::domain::id::JobId;
use crate::domain::job::JobState;
use crate::tui::effect::{Act, Answer, JobChange, Problem};
use crate::tui::model::Level;
use crate::tui::theme::{Theme, Tone};
use crate::tui::view::queue;
use crate::tui::widget::canvas::Canvas;
use crate::tui::widget::lines::Lines;
use crate::tui::widget::number::thousands;
use crate::tui::widget::scope::scope_words;
use crate::tui::{Effect, Model, when};

/// The question before a job is cancelled.
#[derive(Clone, Debug)]
pub struct CancelJobDialog {
    pub id: JobId,
    /// Why it was not done.
    pub problem: Option<Problem>,
    pub busy: bool,
}

pub(super) fn blocked(model: &Model) -> Option<(String, String)> {
    match model.selected_job() {
        None => because("No job is selected.", "B in Verifications starts one."),
        Some(job) if !job.state.is_open() => because("This job is over.", "B in Verifications starts another."),
        Some(_) => None,
    }
}

pub(super) fn open(model: &Model) -> Option<Dialog> {
    let id = model.selected_job()?.id;
    Some(Dialog::CancelJob(CancelJobDialog { id, problem: None, busy: false }))
}

/// A job was paused, resumed or cancelled, or not; only the last is asked for by a dialog.
pub(super) fn changed(model: &mut Model, id: JobId, change: JobChange, answer: Answer<()>, fx: &mut Vec<Effect>) {
    if model.queue.changing == Some(id) {
        model.queue.changing = None;
    }
    let is_it = |dialog: &Dialog| {
        change == JobChange::Cancel && matches!(dialog, Dialog::CancelJob(dialog) if dialog.id == id && dialog.busy)
    };
    let is_asked = model.dialog.as_ref().is_some_and(is_it);
    if answered(model, answer, is_it).is_none() {
        if !is_asked {
            queue::update::load(model, fx);
        }
        return;
    }
    let (state, what, hint) = match change {
        JobChange::Pause => (JobState::Paused, "The job is paused.", "p resumes it."),
        JobChange::Resume => (JobState::Running, "The job is resumed.", ""),
        JobChange::Cancel => (JobState::Cancelled, "The job is cancelled.", "It sends no more mails."),
    };
    // What is known already need not wait for the outbox to be read again: the next key goes by it.
    let job = model.outbox.iter_mut().flat_map(|outbox| &mut outbox.jobs).find(|job| job.id == id);
    if let Some(job) = job {
        job.state = state;
    }
    model.toast(Level::Done, what, hint);
}

impl Body for CancelJobDialog {
    fn key_context(&self) -> KeyContext {
        KeyContext::Confirm
    }

    fn is_busy(&self) -> bool {
        self.busy
    }

    fn confirm(&mut self, _: &mut Model, fx: &mut Vec<Effect>) -> Then {
        (self.problem, self.busy) = (None, true);
        fx.push(Effect::Act(Act::ChangeJob { id: self.id, change: JobChange::Cancel }));
        Then::Stay
    }

    fn refused(&mut self, problem: Problem) {
        (self.busy, self.problem) = (false, Some(problem));
    }

    fn next_change(&self, model: &Model) -> Option<Time> {
        let job = model.job(self.id).filter(|job| job.is_in_grace(model.now))?;
        when::next_countdown(job.starts_at, model.now)
    }

    fn keys(&self, _: &Model, _: &Theme) -> Keys {
        vec![("y", "cancel it"), ("Esc", "leave it")]
    }

    fn draw(&self, canvas: &mut Canvas<'_>, model: &Model, area: Rect) -> Option<Position> {
        let theme = canvas.theme;
        let mut lines = Lines::new(theme, columns_for(area));
        if let Some(job) = model.job(self.id) {
            lines.value("for", &scope_words(&job.scope, theme, model.setup.zone), Tone::Strong);
            lines.value("by", job.created_by.plain().as_str(), Tone::Text);
            lines.gap();
            if job.is_in_grace(model.now) {
                let left = when::countdown(when::seconds_until(job.starts_at, model.now));
                lines.text(&format!("It has mailed no one yet; it starts in {left}."), Tone::Strong);
            } else if job.queued == 0 {
                lines.text("It has mailed no one yet.", Tone::Strong);
            } else {
                let gone = thousands((job.queued - job.open).max(0));
                let words =
                    format!("{gone} of its mails have gone out; {} queued ones are cancelled.", thousands(job.open));
                lines.text(&words, Tone::Strong);
            }
        }
        lines.text("It cannot be resumed after that; another can be started.", Tone::Text);
        lines.text(&recorded(model, ""), Tone::Quiet);
        if self.busy {
            lines.gap();
            lines.text("cancelling it…", Tone::Quiet);
        } else if let Some(problem) = &self.problem {
            lines.gap();
            complaint(&mut lines, theme, problem);
        }
        keys(&mut lines, &self.keys(model, theme));
        put(canvas, area, "Cancel the job", &lines.finish());
        None
    }
}
