//! Sends that may have been begun under this worker's lease and that no lane has: no other worker could send them until
//! the lease ends. They are put back, and nothing is begun meanwhile: what is begun and not in hand yet would be taken
//! for astray.

use std::time::Duration;

use tokio::time::Instant;

use super::{POLL_EVERY, Run};
use crate::domain::id::SendId;
use crate::outbox::steps::{self, Kind, Rest, Step};
use crate::outbox::worker::Mode;
use crate::store::Error;

/// How often is looked for a commit that comes through after its answer was given up.
const LATE_EVERY: Duration = Duration::from_secs(5);

/// What is known of them.
#[derive(Debug)]
pub(in crate::outbox) struct Astray {
    /// Whether there may be some.
    pub(in crate::outbox) is_any: bool,
    /// When to put them back, or to try again.
    pub(in crate::outbox) at: Instant,
    /// Until when a commit may come through whose answer was lost, as one does that waits for a standby.
    late_until: Option<Instant>,
    /// When to look for one.
    pub(in crate::outbox) late_at: Option<Instant>,
}

impl Astray {
    pub(super) fn new(now: Instant) -> Self {
        Self { is_any: false, at: now, late_until: None, late_at: None }
    }
}

impl Run {
    /// A send was begun, and no server has heard of it.
    pub(super) fn is_unbegun(&mut self) {
        self.astray.is_any = true;
    }

    /// Whether something was begun is not known: its answer may be what was lost, and it may come through late.
    pub(super) fn may_have_begun(&mut self, asked_at: Instant, now: Instant) {
        self.astray.is_any = true;
        let until = asked_at + self.lease();
        self.astray.late_until = self.astray.late_until.max(Some(until));
        self.astray.late_at = Some(now + LATE_EVERY);
    }

    /// Puts them back, once nothing is being begun.
    pub(super) fn start_put_back(&mut self, now: Instant) {
        if !self.astray.is_any {
            // From here on nothing is begun until it is done.
            self.astray.is_any = true;
            self.astray.at = now;
            self.astray.late_at = None;
            if self.under_way.prepares > 0 || self.under_way.probes {
                return;
            }
        }
        self.astray.is_any = false;
        self.under_way.puts_back = true;
        let (store, worker, kept) = (self.store().clone(), self.worker.beat.id, self.in_hand());
        self.step(Kind::PutBack, async move { Step::PutBack(steps::within(store.put_back(worker, &kept)).await) });
    }

    pub(super) fn put_back_in(&mut self, result: Result<u64, Error>, now: Instant) {
        self.under_way.puts_back = false;
        match result {
            Ok(count) => {
                if count > 0 || self.rest == Rest::Perhaps {
                    self.rest = Rest::Perhaps;
                    self.reopened_at = now;
                    self.look_at = now;
                }
                self.astray.late_until = self.astray.late_until.filter(|until| *until > now);
                self.astray.late_at = self.astray.late_until.map(|_| now + LATE_EVERY);
            }
            Err(error) => {
                tracing::warn!(%error, "mails that were not begun wait for the database");
                self.astray.is_any = true;
                self.astray.at = now + POLL_EVERY;
                if self.mode == Mode::Drain {
                    self.stop(error.to_string());
                }
            }
        }
    }

    /// The last try, when the run is over.
    pub(super) async fn put_back_last(&self) {
        if let Err(error) = steps::within(self.store().put_back(self.worker.beat.id, &self.in_hand())).await {
            tracing::warn!(%error, "mails that were not begun wait for the lease to end");
        }
    }

    /// What a lane has, or the server has heard of.
    fn in_hand(&self) -> Vec<SendId> {
        self.busy.iter().chain(&self.abandoned).copied().collect()
    }
}
