//! How a worker ends: bounded, whatever the mail server and the database do, and naming what it leaves behind.
//!
//! ```text
//! signal ── lanes finish ──> content no longer begun ──> lanes cut ──> last try to record ──> over
//! ```

use std::time::Duration;

use tokio::time::{Instant, sleep_until, timeout_at};

use super::step::{Step, heartbeat, put_back, record, record_again, report_refusals};
use super::worker::Mode;
use super::worker_loop::WorkerLoop;
use crate::pulse::Stage;
use crate::store::Error;
use crate::text::plain;

/// When the parts of an ending are over, as shares of the longest.
const BEGIN_FOR: f64 = 0.06;
const LANES_FOR: f64 = 0.70;
const RECORD_FOR: f64 = 0.87;
const LAST_TRY_FOR: f64 = 0.93;

/// Longest wait for locked rows at the last try.
const LOCKED_MAX: Duration = Duration::from_millis(100);

/// How long steps that still run are waited for.
const LEAVE_FOR: Duration = Duration::from_secs(5);

/// Whether a worker ends, and why it did not go well.
#[derive(Debug)]
pub(super) struct Shutdown {
    mode: Mode,
    is_stopping: bool,
    /// Since it is stopping.
    ending: Option<Ending>,
    /// What ends a drain at once.
    failure: Option<Error>,
}

impl Shutdown {
    pub(super) fn new(mode: Mode) -> Self {
        Self { mode, is_stopping: false, ending: None, failure: None }
    }

    /// Whether it works until nothing is due.
    pub(super) fn is_drain(&self) -> bool {
        self.mode == Mode::Drain
    }

    /// Whether nothing is to be begun any more.
    pub(super) fn is_stopping(&self) -> bool {
        self.is_stopping
    }

    pub(super) fn begin(&mut self) {
        self.is_stopping = true;
    }

    /// A drain cannot go on.
    pub(super) fn fail(&mut self, error: Error) {
        self.failure = Some(error);
    }

    pub(super) fn take_failure(&mut self) -> Option<Error> {
        self.failure.take()
    }

    /// Whether lanes are no longer waited for.
    pub(super) fn is_past_lanes(&self, now: Instant) -> bool {
        self.ending.is_some_and(|ending| now >= ending.lanes_until)
    }
}

/// When each part of an ending is over.
#[derive(Clone, Copy, Debug)]
struct Ending {
    /// Until then mails in lanes may begin their content.
    begin_until: Instant,
    /// Until then lanes may wait for the server's answers.
    lanes_until: Instant,
    /// Until then results are tried to be recorded, with pauses; and then once more.
    record_until: Instant,
    last_try_until: Instant,
    over_at: Instant,
}

impl Ending {
    fn new(now: Instant, longest: Duration) -> Self {
        let after = |share| now + longest.mul_f64(share);
        Self {
            begin_until: after(BEGIN_FOR),
            lanes_until: after(LANES_FOR),
            record_until: after(RECORD_FOR),
            last_try_until: after(LAST_TRY_FOR),
            over_at: now + longest,
        }
    }
}

impl WorkerLoop {
    fn ending(&mut self) -> Ending {
        let longest = self.worker.longest_ending;
        *self.shutdown.ending.get_or_insert_with(|| Ending::new(Instant::now(), longest))
    }

    /// Keeps a worker that is to end within its bounds; returns the next one.
    pub(super) fn bound(&mut self, now: Instant) -> Option<Instant> {
        if !self.shutdown.is_stopping {
            return None;
        }
        let ending = self.ending();
        if now < ending.begin_until {
            return Some(ending.begin_until);
        }
        // What lanes have not begun by now they leave.
        self.lease.end_by(now);
        Some(ending.lanes_until)
    }

    /// Whether what is being prepared comes too late.
    pub(super) fn is_leaving(&self) -> bool {
        self.shutdown.ending.is_some_and(|ending| Instant::now() >= ending.begin_until)
    }

    /// Ends the lanes that still wait for an answer; takes those back that have theirs.
    pub(super) async fn cut_lanes(&mut self) {
        while let Some(done) = self.lanes.try_join_next() {
            self.on_lane(done);
        }
        self.lanes.abort();
        // An answer may have come right before that.
        while let Some(done) = self.lanes.join_next().await {
            self.on_lane(done);
        }
        for mail in self.lanes.take_unanswered() {
            if mail.lease.has_begun() {
                self.tally.unknown += 1;
                let why = "the worker ended before the server had answered";
                tracing::warn!(send = %mail.id, "{why}");
                mail.broke(why).outcome.into_iter().for_each(|outcome| self.in_progress.results.push(outcome));
            } else {
                self.in_progress.end(mail.id);
                self.orphans.expect();
            }
        }
    }

    /// Ends: in the database as far as it answers, and at the mail server politely.
    pub(super) async fn end(&mut self) {
        self.shutdown.begin();
        self.worker.pulse.turn(Stage::Ending);
        let ending = self.ending();
        self.cut_lanes().await;
        self.record_rest(ending).await;
        let _ = timeout_at(ending.last_try_until, report_refusals::last(self)).await;
        put_back::on_end(self);
        // A chunk of a job may be dropped anywhere; whatever else runs is bounded.
        let joined = async {
            while let Some(done) = self.steps.join_next().await {
                // No answer matters any more but that of a record which hung, and came through.
                if done.is(Step::Record) {
                    self.on_step(done);
                }
            }
        };
        if timeout_at(ending.over_at.min(Instant::now() + LEAVE_FOR), joined).await.is_err() {
            self.steps.abort();
        }
        // Whatever the database answers late is lost from here on.
        if timeout_at(ending.over_at, self.leave()).await.is_err() {
            tracing::warn!("the database does not answer; the last heartbeat was not written");
        }
        for outcome in self.in_progress.results.take() {
            self.tally.unrecorded += 1;
            let said = outcome.reply.as_deref().map(plain).unwrap_or_default();
            tracing::error!(send = %outcome.id, state = %outcome.result.state(), %said, "a result is not recorded");
        }
        let _ = timeout_at(ending.over_at, self.lanes.close()).await;
    }

    async fn leave(&mut self) {
        record_again::last(self).await;
        put_back::last(self).await;
        self.tally.deferred = self.store().deferred().await.unwrap_or_default();
        heartbeat::last(self).await;
    }

    /// Records what is left, for as long as there is time; and once more right before the end, whatever came before.
    async fn record_rest(&mut self, ending: Ending) {
        while (self.steps.is_running(Step::Record) || !self.in_progress.results.is_empty())
            && Instant::now() < ending.record_until
        {
            let (now, due) = (Instant::now(), record::due(self));
            if due.is_some_and(|at| at <= now) {
                record::start(self, now);
            }
            let wait_until = due.filter(|at| *at > now).unwrap_or(ending.record_until);
            tokio::select! {
                Some(done) = self.steps.join_next() => self.on_step(done),
                () = sleep_until(wait_until.min(ending.record_until)) => {}
            }
        }
        // One that hangs may still come through: recorded twice is recorded.
        self.steps.give_up(Step::Record);
        self.in_progress.results.give_up_waiting();
        while !self.in_progress.results.is_empty() && Instant::now() < ending.last_try_until {
            let recording = record::record(self);
            let Ok(result) = timeout_at(ending.last_try_until, recording).await else { break };
            let is_over = result.as_ref().is_err_and(|error| !error.is_of_the_row());
            record::recorded(self, result);
            if is_over {
                break;
            }
            // Rows that another has locked, for which there is no time to wait long.
            let now = Instant::now();
            sleep_until(self.in_progress.results.at().min(now + LOCKED_MAX)).await;
        }
    }
}
