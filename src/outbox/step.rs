//! The steps of a worker: what it does with the database, each a task of its own, so that mails go on while an answer
//! is awaited. A step is one file: when it is due, what it does, and what follows from its result.

pub(super) mod brake;
pub(super) mod erase;
pub(super) mod heartbeat;
pub(super) mod housekeeping;
mod jobs;
pub(super) mod lower_pace;
pub(super) mod prepare;
pub(super) mod probe;
pub(super) mod prune;
pub(super) mod put_back;
pub(super) mod record;
pub(super) mod record_again;
pub(super) mod renew;
pub(super) mod report_refusals;
mod sweep;

use std::collections::HashMap;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::Instant;

use super::worker_loop::WorkerLoop;
use crate::contain::contained_async;
use crate::store::{Error, Following, Store};
use crate::text::plain;

/// A step that becomes due by the clock.
struct Scheduled {
    /// When it is to be started; `None` while it need not or cannot be.
    due: fn(&WorkerLoop) -> Option<Instant>,
    start: fn(&mut WorkerLoop, Instant),
}

/// The most urgent first.
const SCHEDULE: [Scheduled; 13] = [
    Scheduled { due: record::due, start: record::start },
    Scheduled { due: renew::due, start: renew::start },
    Scheduled { due: report_refusals::due, start: report_refusals::start },
    Scheduled { due: put_back::due, start: put_back::start },
    Scheduled { due: record_again::due, start: record_again::start },
    Scheduled { due: prepare::due, start: prepare::start },
    Scheduled { due: probe::due, start: probe::start },
    Scheduled { due: jobs::due, start: jobs::start },
    Scheduled { due: heartbeat::due, start: heartbeat::start },
    Scheduled { due: housekeeping::due, start: housekeeping::start },
    Scheduled { due: sweep::due, start: sweep::start },
    Scheduled { due: erase::due, start: erase::start },
    Scheduled { due: prune::due, start: prune::start },
];

/// Starts whatever is due.
pub(super) fn start_due(worker: &mut WorkerLoop, now: Instant) {
    let is_due = |worker: &WorkerLoop, step: &&Scheduled| (step.due)(worker).is_some_and(|at| at <= now);
    while let Some(step) = SCHEDULE.iter().find(|step| is_due(worker, step)) {
        (step.start)(worker, now);
    }
}

pub(super) fn next_due(worker: &WorkerLoop) -> Option<Instant> {
    SCHEDULE.iter().filter_map(|step| (step.due)(worker)).min()
}

/// A step that runs as a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Step {
    Record,
    Renew,
    ReportRefusals,
    PutBack,
    RecordAgain,
    Prepare,
    Probe,
    Jobs,
    Heartbeat,
    Housekeeping,
    Erase,
    Prune,
    /// Started by an answer.
    Brake,
    /// Started by an answer.
    LowerPace,
}

/// The steps that run.
#[derive(Default)]
pub(super) struct Steps {
    tasks: JoinSet<Done>,
    running: HashMap<Step, usize>,
}

/// A step that has answered.
pub(super) struct Done {
    step: Step,
    /// Whether it panicked.
    is_broken: bool,
    finish: Box<dyn FnOnce(&mut WorkerLoop) + Send>,
}

impl Steps {
    /// Starts one. `finish` gets its result; where it panics that is an error, so that it is tried again in its time.
    pub(super) fn spawn<T: Send + 'static>(
        &mut self,
        step: Step,
        work: impl Future<Output = Result<T, Error>> + Send + 'static,
        finish: impl FnOnce(&mut WorkerLoop, Result<T, Error>) + Send + 'static,
    ) {
        *self.running.entry(step).or_default() += 1;
        self.tasks.spawn(async move {
            let done = contained_async(work).await;
            let is_broken = done.is_err();
            let result = done.unwrap_or_else(|_| Err(Error::Value(plain("the worker panicked on it"))));
            Done { step, is_broken, finish: Box::new(move |worker| finish(worker, result)) }
        });
    }

    /// How many of these run.
    pub(super) fn count(&self, step: Step) -> usize {
        self.running.get(&step).copied().unwrap_or_default()
    }

    pub(super) fn is_running(&self, step: Step) -> bool {
        self.count(step) > 0
    }

    /// No longer counts what runs of these: it hangs.
    pub(super) fn give_up(&mut self, step: Step) {
        self.running.remove(&step);
    }

    /// The next that has answered; `None` if none runs.
    pub(super) async fn join_next(&mut self) -> Option<Done> {
        loop {
            match self.tasks.join_next().await? {
                Ok(done) => return Some(done),
                // Only at the end of all, since what panics answers.
                Err(error) => tracing::debug!(%error, "a step was ended"),
            }
        }
    }

    pub(super) fn abort(&mut self) {
        self.tasks.abort_all();
    }

    /// As if so many ran.
    #[cfg(test)]
    pub(super) fn pretend(&mut self, step: Step, count: usize) {
        self.running.insert(step, count);
    }
}

impl Done {
    pub(super) fn is(&self, step: Step) -> bool {
        self.step == step
    }
}

impl WorkerLoop {
    /// A step has answered.
    pub(super) fn on_step(&mut self, done: Done) {
        let Done { step, is_broken, finish } = done;
        if let Some(count) = self.steps.running.get_mut(&step) {
            *count = count.saturating_sub(1);
        }
        if is_broken {
            self.trouble(format!("a step of the worker broke ({step:?}); see its log"));
        }
        finish(self);
    }
}

/// How long a step may take, whatever the network does: a server that has vanished answers nothing, and TCP alone would
/// wait for a quarter of an hour.
const STEP_MAX: Duration = Duration::from_secs(20);

/// A step that ends in time, or counts as one that the database did not answer.
pub(super) async fn within<T>(step: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    match tokio::time::timeout(STEP_MAX, step).await {
        Ok(result) => result,
        Err(_) => Err(Error::Away(plain("no answer within 20 seconds"))),
    }
}

/// Subscribes to changes; `None` where that is not possible now.
pub(super) async fn listen(store: &Store) -> Option<Following> {
    Some(within(store.listen()).await.ok()?.follow())
}
