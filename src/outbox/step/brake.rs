//! The brake: put on for all workers after an answer that stops everyone, and obeyed, no matter who put it on.

use std::time::Duration;

use tokio::time::Instant;

use super::Step;
use crate::domain::brake::{Brake, BrakeCause, BrakeState};
use crate::domain::change::Change;
use crate::outbox::queue::POLL_EVERY;
use crate::outbox::worker_loop::WorkerLoop;
use crate::store::brake::{self, NewBrake};
use crate::store::{Error, Store};

/// Longest time until what ends by itself is looked at again: a pause, or used-up mails of 24 hours.
pub(super) const LOOK_AGAIN: Duration = Duration::from_secs(30);

/// What keeps all mails back.
#[derive(Debug)]
pub(in crate::outbox) struct Held {
    pub(in crate::outbox) reason: String,
    /// When to look again, notified or not.
    pub(in crate::outbox) until: Option<Instant>,
}

/// Stops all workers, this one at once.
pub(in crate::outbox) fn start(
    worker: &mut WorkerLoop,
    cause: BrakeCause,
    reason: String,
    during: Option<Duration>,
    now: Instant,
) {
    let set_by = worker.name();
    let setting = set(worker.store().clone(), set_by, cause, reason.clone(), during);
    worker.steps.spawn(Step::Brake, setting, finish);
    worker.hold(Held { reason, until: Some(now + POLL_EVERY) });
}

/// Puts the brake on for all workers.
pub(super) async fn set(
    store: Store,
    set_by: String,
    cause: BrakeCause,
    reason: String,
    during: Option<Duration>,
) -> Result<(), Error> {
    let seconds = during.map(|during| during.as_secs_f64());
    let new = NewBrake { state: BrakeState::Paused, cause, set_by: &set_by, reason: &reason, seconds };
    if brake::set(&mut *store.pool().acquire().await?, new).await? {
        store.notify(Change::Outbox).await;
    }
    Ok(())
}

fn finish(worker: &mut WorkerLoop, result: Result<(), Error>) {
    worker.presence.show_now(Instant::now());
    if let Err(error) = result {
        tracing::warn!(%error, "the other workers were not stopped");
    }
}

impl WorkerLoop {
    /// The brake was read.
    pub(in crate::outbox) fn on_brake(&mut self, brake: Option<Brake>) {
        match brake {
            Some(brake) if brake.state == BrakeState::Paused => {
                let left = brake.ends_in();
                let by = brake.set_by.plain();
                let held = Held {
                    reason: format!("sending is paused by {by}: {}", brake.reason.plain()),
                    until: left.map(|left| Instant::now() + left.clamp(POLL_EVERY, LOOK_AGAIN)),
                };
                if brake.cause == BrakeCause::Refusals {
                    self.hold_for_refusals(&brake, held);
                } else {
                    self.probing.end();
                    self.hold(held);
                }
            }
            // Its own has not reached the database yet.
            _ if self.steps.is_running(Step::Brake) => {}
            _ => {
                self.probing.end();
                if self.held.take().is_some() {
                    self.queue.on_released(Instant::now());
                }
            }
        }
    }

    /// Sends nothing any more for now; a drain has nothing to wait for.
    pub(in crate::outbox) fn hold(&mut self, held: Held) {
        if self.shutdown.is_drain() {
            self.stop(held.reason.clone());
        }
        self.held = Some(held);
    }
}
