//! What a run makes of the mail server's answers, and of what keeps mails waiting.

use std::time::Duration;

use tokio::task::{Id, JoinError};
use tokio::time::Instant;

use super::{CROWD_PAUSE, Held, POLL_EVERY, QUOTA_EVERY, Run, UNREACHABLE_MAX};
use crate::domain::brake::{Brake, BrakeCause, BrakeState};
use crate::domain::id::SendId;
use crate::mail::transport::Lane;
use crate::outbox::handle::{Handled, Meaning};
use crate::outbox::steps::{self, Kind, Step};
use crate::outbox::worker::Mode;

impl Run {
    pub(super) fn take_back(&mut self, done: Result<(Id, (Option<Lane>, Handled)), JoinError>) {
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
        if let Some(outcome) = handled.outcome {
            self.results.push(outcome);
        } else {
            self.busy.remove(&handled.id);
            self.is_unbegun();
        }
        self.note(handled.id, handled.refusal, &handled.meaning);
        self.learn(handled.id, handled.meaning, handled.took, now);
    }

    /// What an answer means for the mails behind it.
    pub(super) fn learn(&mut self, id: SendId, meaning: Meaning, took: Duration, now: Instant) {
        if !matches!(
            meaning,
            Meaning::Unreachable(_) | Meaning::Unbegun(_) | Meaning::WorkerStopped(_) | Meaning::Broke { .. }
        ) {
            self.flow.reached();
        }
        // The server has not counted these.
        if matches!(
            meaning,
            Meaning::Unreachable(_)
                | Meaning::Unbegun(_)
                | Meaning::Crowded(_)
                | Meaning::WorkerStopped(_)
                | Meaning::Broke { .. }
        ) {
            self.to_tell.unused += 1;
        }
        match meaning {
            Meaning::Sent => {
                self.tally.sent += 1;
                self.to_tell.accepted += 1;
                self.flow.accepted(took);
                if self.worker.beat.last_error.take().is_some() {
                    self.tell();
                }
            }
            Meaning::Failed(reason) => {
                self.tally.failed += 1;
                self.tally.failed_by.get_or_insert_with(|| reason.clone());
                tracing::warn!(send = %id, "{reason}");
            }
            Meaning::Unknown(reason) => {
                self.tally.unknown += 1;
                tracing::warn!(send = %id, "{reason}");
            }
            Meaning::Later(reason) => self.trouble(reason),
            Meaning::Unbegun(reason) => {
                self.flow.pause(now, POLL_EVERY);
                self.trouble(reason);
            }
            Meaning::Crowded(reason) => {
                self.flow.crowded(now, CROWD_PAUSE);
                self.trouble(reason);
            }
            Meaning::TooFast(reason, pause) => {
                self.flow.pause(now, pause);
                self.to_tell.accepted = 0;
                let store = self.store().clone();
                self.step(Kind::Lower, async move { Step::Lowered(steps::lower_pace(store, pause).await) });
                self.trouble(reason);
            }
            // What broke it may break the next one as well: one after the other, not all at once.
            Meaning::Broke { reason, is_unknown } => {
                if is_unknown {
                    self.tally.unknown += 1;
                } else {
                    self.tally.failed += 1;
                    self.tally.failed_by.get_or_insert_with(|| reason.clone());
                }
                self.flow.pause(now, CROWD_PAUSE);
                tracing::error!(send = %id, "{reason}");
                self.trouble(format!("a lane broke: {reason}"));
            }
            Meaning::Unreachable(reason) => self.failed_to_reach(reason, now),
            Meaning::QuotaUsed(reason, wait) => self.brake(BrakeCause::Quota, reason, Some(wait), now),
            Meaning::AccountStopped(reason) => self.brake(BrakeCause::Configuration, reason, None, now),
            Meaning::WorkerStopped(reason) => {
                self.stop(reason.clone());
                self.trouble(reason);
            }
        }
    }

    /// Pauses, longer each time in a row; a drain gives up.
    fn failed_to_reach(&mut self, reason: String, now: Instant) {
        if self.flow.unreachable(now) >= UNREACHABLE_MAX && self.mode == Mode::Drain {
            self.stop(reason.clone());
        }
        self.trouble(reason);
    }

    pub(super) fn stop(&mut self, reason: String) {
        self.stopping = true;
        self.tally.stopped_by.get_or_insert(reason);
    }

    /// Stops all workers, this one at once.
    pub(super) fn brake(&mut self, cause: BrakeCause, reason: String, during: Option<Duration>, now: Instant) {
        let (store, set_by) = (self.store().clone(), self.worker.shared.preparer.actor.name.clone());
        let told = reason.clone();
        self.under_way.brakes = true;
        self.step(Kind::Brake, async move { Step::Braked(steps::set_brake(store, set_by, cause, told, during).await) });
        self.hold(Held { reason: reason.clone(), until: Some(now + POLL_EVERY) });
        self.trouble(reason);
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
