//! The lanes: those that are idle are used again the last one first, so that few stay connected where few are needed;
//! those that are busy each have one mail.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::{Id, JoinError, JoinSet};
use tokio::time::Instant;

use super::lane::{LaneResult, Shared};
use super::preparer::Ready;
use crate::contain::{self, contained_async};
use crate::domain::id::{SendId, VerificationId};
use crate::mail::transport::{Lane, Lease, Transport};
use crate::store::outbox::begin::Attempt;

/// How long an idle lane keeps its connection: SES closes after about 10 s, and a lane uses none that is older.
const IDLE_MAX: Duration = Duration::from_secs(5);

/// A mail that a lane has.
#[derive(Clone, Debug)]
pub(super) struct InLane {
    pub(super) id: SendId,
    pub(super) verification: VerificationId,
    pub(super) attempt: Attempt,
    pub(super) lease: Lease,
}

impl InLane {
    /// What came of it where the lane broke or was ended.
    pub(super) fn broke(&self, why: &str) -> LaneResult {
        LaneResult::broke(self.id, self.verification, self.attempt, &self.lease, why)
    }
}

/// All lanes of a worker.
#[derive(Debug)]
pub(super) struct Lanes {
    transport: Transport,
    idle: Vec<(Lane, Instant)>,
    /// How many are busy, or reserved for mails that are being prepared.
    taken: usize,
    busy: JoinSet<(Option<Lane>, LaneResult)>,
    /// Which task has which mail.
    mails: HashMap<Id, InLane>,
}

impl Lanes {
    pub(super) fn new(transport: Transport) -> Self {
        Self { transport, idle: Vec::new(), taken: 0, busy: JoinSet::new(), mails: HashMap::new() }
    }

    /// How many more may be taken, if so many may be in all.
    pub(super) fn free(&self, max: usize) -> usize {
        max.saturating_sub(self.taken)
    }

    /// Keeps so many for mails that are being prepared.
    pub(super) fn reserve(&mut self, count: usize) {
        self.taken += count;
    }

    /// These mails are prepared, or will not come.
    pub(super) fn release(&mut self, count: usize) {
        self.taken -= count;
    }

    /// Whether no mail is in any.
    pub(super) fn are_idle(&self) -> bool {
        self.busy.is_empty()
    }

    /// Has a mail sent in its slot, over an idle lane or a new one.
    pub(super) fn send(&mut self, shared: Arc<Shared>, ready: Ready, at: Instant, lease: Lease) {
        let mut lane = self.idle.pop().map_or_else(|| self.transport.lane(), |(lane, _)| lane);
        let Ready { id, verification, attempt, .. } = ready;
        let mail = InLane { id, verification, attempt, lease: lease.clone() };
        self.spawn(mail.clone(), async move {
            match contained_async(shared.send(&mut lane, ready, at, lease)).await {
                Ok(done) => (Some(lane), done),
                // No one knows in which state the lane is.
                Err(broke) => (None, mail.broke(&broke.to_string())),
            }
        });
    }

    pub(super) fn spawn(
        &mut self,
        mail: InLane,
        sending: impl Future<Output = (Option<Lane>, LaneResult)> + Send + 'static,
    ) {
        self.taken += 1;
        let task = self.busy.spawn(sending);
        self.mails.insert(task.id(), mail);
    }

    /// The next mail that is back from its lane; `None` if no lane is busy.
    pub(super) async fn join_next(&mut self) -> Option<LaneResult> {
        loop {
            let joined = self.busy.join_next_with_id().await?;
            if let Some(done) = self.take_back(joined) {
                return Some(done);
            }
        }
    }

    /// The same without waiting.
    pub(super) fn try_join_next(&mut self) -> Option<LaneResult> {
        loop {
            let joined = self.busy.try_join_next_with_id()?;
            if let Some(done) = self.take_back(joined) {
                return Some(done);
            }
        }
    }

    fn take_back(&mut self, joined: Result<(Id, (Option<Lane>, LaneResult)), JoinError>) -> Option<LaneResult> {
        self.taken -= 1;
        match joined {
            Ok((task, (lane, done))) => {
                self.mails.remove(&task);
                if let Some(lane) = lane {
                    self.idle.push((lane, Instant::now()));
                }
                Some(done)
            }
            // It was cut, since the worker ends; what panics answers.
            Err(error) => {
                tracing::debug!(%error, "a lane was ended");
                None
            }
        }
    }

    /// Ends the lanes that still wait for an answer.
    pub(super) fn abort(&mut self) {
        self.busy.abort_all();
    }

    /// The mails of lanes that were ended.
    pub(super) fn take_unanswered(&mut self) -> Vec<InLane> {
        std::mem::take(&mut self.mails).into_values().collect()
    }

    /// When the next one has been idle for too long.
    pub(super) fn sweep_at(&self) -> Option<Instant> {
        self.idle.first().map(|(_, since)| *since + IDLE_MAX)
    }

    /// Closes those that have been idle for too long, without waiting for their servers.
    pub(super) fn sweep(&mut self, now: Instant) {
        let old = self.idle.partition_point(|(_, since)| *since + IDLE_MAX <= now);
        for (lane, _) in self.idle.drain(..old) {
            contain::spawn(lane.close());
        }
    }

    /// Closes all idle lanes politely.
    pub(super) async fn close(&mut self) {
        let mut leaving = JoinSet::new();
        for (lane, _) in self.idle.drain(..) {
            leaving.spawn(contained_async(lane.close()));
        }
        while leaving.join_next().await.is_some() {}
    }

    #[cfg(test)]
    pub(super) fn taken(&self) -> usize {
        self.taken
    }
}
