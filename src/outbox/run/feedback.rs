//! What a run makes of the mail server's answers, and of what keeps mails waiting.

use std::time::Duration;

use tokio::task::{Id, JoinError};
use tokio::time::Instant;

use super::{CROWD_PAUSE, Held, POLL_EVERY, QUOTA_EVERY, Run, UNREACHABLE_MAX};
use crate::domain::brake::{Brake, BrakeCause, BrakeState};
use crate::mail::transport::Lane;
use crate::outbox::lane::{Answer, LaneResult};
use crate::outbox::reply::Class;
use crate::outbox::steps::{self, Kind, Step};
use crate::outbox::worker::Mode;
use crate::store::outbox::batch::{Outcome, SendResult};

impl Run {
    pub(super) fn take_back(&mut self, done: Result<(Id, (Option<Lane>, LaneResult)), JoinError>) {
        let now = Instant::now();
        self.lanes_kept -= 1;
        let handled = match done {
            Ok((task, (lane, handled))) => {
                self.in_lane.remove(&task);
                if let Some(lane) = lane {
                    self.lanes.give_back(lane, now);
                }
                handled
            }
            // It was cut, since the run ends; what panics answers.
            Err(error) => {
                tracing::debug!(%error, "a lane was ended");
                return;
            }
        };
        self.note(&handled);
        self.learn(handled, now);
    }

    /// What an answer means for its mail, and for the mails behind it.
    fn learn(&mut self, done: LaneResult, now: Instant) {
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
            self.to_tell.unused += 1;
        }
        let is_deferred = outcome.as_ref().is_some_and(|it| matches!(it.result, SendResult::Deferred { .. }));
        let reason = outcome.as_ref().and_then(|outcome| outcome.result.reason()).unwrap_or_default().to_owned();
        if let Some(outcome) = outcome {
            self.count(&outcome);
            self.results.push(outcome);
        } else {
            self.busy.remove(&id);
            self.is_unbegun();
        }
        match answer {
            Answer::Accepted => {
                self.to_tell.accepted += 1;
                self.flow.accepted(took);
                if self.worker.beat.last_error.take().is_some() {
                    self.tell();
                }
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
                // Longer each time in a row; a drain gives up.
                if self.flow.unreachable(now) >= UNREACHABLE_MAX && self.mode == Mode::Drain {
                    self.stop(reason.clone());
                }
            }
            Class::Crowd => self.flow.crowded(now, CROWD_PAUSE),
            Class::Rate => {
                let pause = class.wait().unwrap_or_default();
                self.flow.pause(now, pause);
                self.to_tell.accepted = 0;
                let store = self.store().clone();
                self.step(Kind::Lower, async move { Step::Lowered(steps::lower_pace(store, pause).await) });
            }
            Class::DailyQuota => self.brake(BrakeCause::Quota, reason.clone(), class.wait(), now),
            Class::Account => self.brake(BrakeCause::Configuration, reason.clone(), None, now),
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

    pub(super) fn stop(&mut self, reason: String) {
        self.stopping = true;
        self.tally.stopped_by.get_or_insert(reason);
    }

    /// Stops all workers, this one at once.
    fn brake(&mut self, cause: BrakeCause, reason: String, during: Option<Duration>, now: Instant) {
        let (store, set_by) = (self.store().clone(), self.worker.shared.preparer.actor.name.clone());
        let told = reason.clone();
        self.under_way.brakes = true;
        self.step(Kind::Brake, async move { Step::Braked(steps::set_brake(store, set_by, cause, told, during).await) });
        self.hold(Held { reason, until: Some(now + POLL_EVERY) });
    }

    pub(super) fn look_at_brake(&mut self, brake: Option<Brake>) {
        match brake {
            Some(brake) if brake.state == BrakeState::Paused => {
                let left = brake.ends_in();
                let by = brake.set_by.plain();
                let held = Held {
                    reason: format!("sending is paused by {by}: {}", brake.reason.plain()),
                    until: left.map(|left| Instant::now() + left.clamp(POLL_EVERY, QUOTA_EVERY)),
                };
                if brake.cause == BrakeCause::Refusals {
                    self.hold_for_refusals(&brake, held);
                } else {
                    (self.refusals.probe_at, self.refusals.probe) = (None, None);
                    self.hold(held);
                }
            }
            // Its own has not reached the database yet.
            _ if self.under_way.brakes => {}
            _ => {
                (self.refusals.probe_at, self.refusals.probe) = (None, None);
                if self.held.take().is_some() {
                    self.look_at = Instant::now();
                    self.draw_at = self.look_at;
                }
            }
        }
    }

    /// Hands nothing over any more for now; a drain has nothing to wait for.
    pub(super) fn hold(&mut self, held: Held) {
        if self.mode == Mode::Drain {
            self.stop(held.reason.clone());
        }
        self.held = Some(held);
    }

    /// Shows what keeps mails waiting to whoever looks at the workers, until one is accepted.
    pub(super) fn trouble(&mut self, reason: String) {
        tracing::warn!("{reason}");
        let news = self.worker.beat.last_error.as_ref() != Some(&reason);
        self.worker.beat.last_error = Some(reason);
        if news {
            self.tell();
        }
    }

    /// What began with these words keeps nothing waiting any more.
    pub(super) fn trouble_is_over(&mut self, words: &str) {
        if self.worker.beat.last_error.take_if(|error| error.starts_with(words)).is_some() {
            self.tell();
        }
    }

    /// A heartbeat before its time.
    pub(super) fn tell(&mut self) {
        self.is_news = true;
        self.beat_at = Instant::now();
    }
}
