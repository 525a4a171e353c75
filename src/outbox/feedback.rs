//! What an answer of the mail server means for its mail, and for the mails behind it.

use std::time::Duration;

use tokio::time::Instant;

use super::lane::{Answer, LaneResult};
use super::queue::POLL_EVERY;
use super::reply::Class;
use super::step::{brake, lower_pace};
use super::worker_loop::WorkerLoop;
use crate::domain::brake::BrakeCause;
use crate::store::outbox::result::{Outcome, SendResult};

/// After how many failures in a row to reach the server a drain ends.
const UNREACHABLE_MAX: u32 = 3;

/// How long a server that counts too many connections is left alone.
const CROWD_PAUSE: Duration = Duration::from_secs(1);

impl WorkerLoop {
    /// A mail is back from its lane.
    pub(super) fn on_lane(&mut self, done: LaneResult) {
        let now = Instant::now();
        self.refusals.note(&done);
        if done.answer != Answer::Accepted {
            self.on_probe_failed(done.id);
        }
        let LaneResult { id, answer, outcome, took, .. } = done;
        // The server answered, or would have.
        if !matches!(
            answer,
            Answer::Failed(Class::Unreachable { .. } | Class::Worker) | Answer::Unbegun(_) | Answer::Broke
        ) {
            self.flow.reached();
        }
        // The server has not counted these.
        if matches!(
            answer,
            Answer::Failed(Class::Unreachable { .. } | Class::Crowd | Class::Worker)
                | Answer::Unbegun(_)
                | Answer::Broke
        ) {
            self.pace_report.unused += 1;
        }
        let is_deferred = outcome.as_ref().is_some_and(|it| matches!(it.result, SendResult::Deferred { .. }));
        let reason = outcome.as_ref().and_then(|outcome| outcome.result.reason()).unwrap_or_default().to_owned();
        if let Some(outcome) = outcome {
            self.count(&outcome);
            self.in_progress.results.push(outcome);
        } else {
            self.in_progress.end(id);
            self.orphans.expect();
        }
        match answer {
            Answer::Accepted => {
                self.pace_report.accepted += 1;
                self.flow.accepted(took);
                self.all_is_well();
            }
            Answer::Failed(class) if is_deferred => self.deferred(class, reason, now),
            Answer::Failed(_) | Answer::Unmade => tracing::warn!(send = %id, "{reason}"),
            Answer::Unbegun(reason) => {
                self.flow.pause(now, POLL_EVERY);
                self.trouble(reason);
            }
            // What broke it may break the next one as well: one after the other, not all at once.
            Answer::Broke => {
                self.flow.pause(now, CROWD_PAUSE);
                tracing::error!(send = %id, "{reason}");
                self.trouble(format!("a lane broke: {reason}"));
            }
        }
    }

    fn count(&mut self, outcome: &Outcome) {
        match &outcome.result {
            SendResult::Accepted { .. } => self.tally.sent += 1,
            SendResult::Failed { reason } => {
                self.tally.failed += 1;
                self.tally.failed_by.get_or_insert_with(|| reason.clone());
            }
            SendResult::Unknown { .. } => self.tally.unknown += 1,
            SendResult::Deferred { .. } => {}
        }
    }

    /// A mail is tried again later: what that means for the others.
    fn deferred(&mut self, class: Class, reason: String, now: Instant) {
        match class {
            Class::Unreachable { .. } => {
                // Longer each time in a row; a drain ends.
                if self.flow.unreachable(now) >= UNREACHABLE_MAX && self.shutdown.is_drain() {
                    self.stop(reason.clone());
                }
            }
            Class::Crowd => self.flow.crowded(now, CROWD_PAUSE),
            Class::Rate => {
                let pause = class.wait().unwrap_or_default();
                self.flow.pause(now, pause);
                self.pace_report.accepted = 0;
                lower_pace::start(self, pause);
            }
            Class::DailyQuota => brake::start(self, BrakeCause::Quota, reason.clone(), class.wait(), now),
            Class::Account => brake::start(self, BrakeCause::Configuration, reason.clone(), None, now),
            Class::Worker => self.stop(reason.clone()),
            Class::Transient { .. }
            | Class::Relay
            | Class::Sandbox
            | Class::Recipient
            | Class::Message
            | Class::Unknown => {}
        }
        self.trouble(reason);
    }
}
