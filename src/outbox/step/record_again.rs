//! Records the last minute's results once more, after the database went over to another server, or came back after a
//! crash: it may lack the last moments, and a mail of which it has not heard that it went out looks as if it waited.
//! Until that is done nothing is begun, and the other workers get a moment to do the same.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use tokio::time::Instant;

use super::{Step, within};
use crate::domain::change::Change;
use crate::domain::id::SendId;
use crate::domain::key::Key;
use crate::outbox::preparer::Preparer;
use crate::outbox::queue::POLL_EVERY;
use crate::outbox::worker_loop::WorkerLoop;
use crate::store::outbox::keys;
use crate::store::outbox::result::Outcome;
use crate::store::outbox::standing::{Arrival, ServerRun};
use crate::store::{Error, Store};

/// How long results are kept: longer than any standby that may take over lags behind.
const KEPT_FOR: Duration = Duration::from_mins(1);

/// How many are kept at most.
const KEPT_MAX: usize = 20_000;

/// How long the other workers get to record theirs.
const OTHERS_FOR: Duration = Duration::from_secs(5);

/// How many one statement takes.
const PIECE: usize = 1_000;

/// What is known of the database's server.
#[derive(Debug, Default)]
pub(in crate::outbox) struct Failover {
    /// What was recorded in the last minute.
    recent: Recent,
    /// The one that has heard of all this worker did; `None` until its first heartbeat.
    server: Option<ServerRun>,
    /// Another one that it has gone over to.
    moved: Option<Moved>,
}

impl Failover {
    pub(in crate::outbox) fn server(&self) -> Option<ServerRun> {
        self.server
    }

    /// Whether the server may lack results, of this worker or of another.
    pub(in crate::outbox) fn is_pending(&self) -> bool {
        self.moved.is_some() || self.server.is_none()
    }

    /// The one that it is at.
    fn known(&self) -> Option<ServerRun> {
        self.moved.map(|moved| moved.server).or(self.server)
    }

    /// These are recorded.
    pub(in crate::outbox) fn keep(&mut self, outcomes: &[Outcome], now: Instant) {
        self.recent.keep(outcomes, now);
    }

    /// It is tried once more: what became of it before is known.
    pub(in crate::outbox) fn forget(&mut self, id: SendId) {
        self.recent.forget(id);
    }
}

/// The results of the last minute, the last of each send.
#[derive(Debug, Default)]
struct Recent {
    kept: HashMap<SendId, (Instant, Outcome)>,
    in_order: VecDeque<(Instant, SendId)>,
}

impl Recent {
    fn keep(&mut self, outcomes: &[Outcome], now: Instant) {
        for outcome in outcomes {
            self.kept.insert(outcome.id, (now, outcome.clone()));
            self.in_order.push_back((now, outcome.id));
        }
        while let Some((at, id)) = self.in_order.front().copied()
            && (now - at > KEPT_FOR || self.in_order.len() > KEPT_MAX)
        {
            self.in_order.pop_front();
            if self.kept.get(&id).is_some_and(|(kept_at, _)| *kept_at == at) {
                self.kept.remove(&id);
            }
        }
    }

    /// It is tried once more: what became of it before is known.
    fn forget(&mut self, id: SendId) {
        self.kept.remove(&id);
    }

    fn all(&self) -> Vec<Outcome> {
        self.kept.values().map(|(_, outcome)| outcome.clone()).collect()
    }
}

/// The server that it has gone over to.
#[derive(Clone, Copy, Debug)]
struct Moved {
    server: ServerRun,
    /// Until when the others get to record theirs.
    until: Instant,
    /// When to record, or to try again.
    at: Instant,
    /// How much is recorded.
    done: Done,
}

/// How much is recorded again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Done {
    Nothing,
    /// All but what lanes had.
    AllBut,
    All,
}

impl WorkerLoop {
    /// A heartbeat was written at this server. A worker that was at none before has nothing to record, but others may.
    pub(in crate::outbox) fn on_arrival(&mut self, arrival: Arrival, now: Instant) {
        let Arrival { server, others_for } = arrival;
        if self.failover.known().is_some() {
            self.on_server(server, now);
            return;
        }
        let left = OTHERS_FOR.saturating_sub(others_for.unwrap_or(Duration::MAX));
        if left.is_zero() {
            self.failover.server = Some(server);
        } else {
            tracing::info!(
                "workers have just come to this database server: the others get a moment to record their last results there"
            );
            self.failover.moved = Some(Moved { server, until: now + left, at: now, done: Done::All });
        }
    }

    /// An answer came from this server.
    pub(in crate::outbox) fn on_server(&mut self, server: ServerRun, now: Instant) {
        let failover = &mut self.failover;
        if failover.known().is_none_or(|known| known == server) {
            return;
        }
        tracing::info!(
            "the database's server is another, or was started again: the last minute's results are recorded there"
        );
        failover.moved = Some(Moved { server, until: now + OTHERS_FOR, at: now, done: Done::Nothing });
    }

    /// Whether mails were begun at the server before, and are not recorded.
    fn has_begun(&self) -> bool {
        let in_progress = &self.in_progress;
        !in_progress.is_empty() || !in_progress.results.is_empty() || self.steps.is_running(Step::Record)
    }
}

pub(super) fn due(worker: &WorkerLoop) -> Option<Instant> {
    let moved = worker.failover.moved.filter(|_| !worker.steps.is_running(Step::RecordAgain))?;
    match moved.done {
        Done::Nothing => Some(moved.at),
        // What lanes have was begun before.
        _ if worker.has_begun() => None,
        Done::AllBut => Some(moved.at),
        Done::All => Some(moved.until),
    }
}

/// Records them again; or continues, once that is done.
pub(super) fn start(worker: &mut WorkerLoop, now: Instant) {
    let Some(moved) = worker.failover.moved else { return };
    if moved.done == Done::All {
        (worker.failover.server, worker.failover.moved) = (Some(moved.server), None);
        worker.queue.on_reopened(now);
        return;
    }
    let is_all = !worker.has_begun();
    let step = record(worker);
    worker.steps.spawn(Step::RecordAgain, step, move |worker, result| finish(worker, result, moved.server, is_all));
}

fn record(worker: &WorkerLoop) -> impl Future<Output = Result<usize, Error>> + Send + use<> {
    let shared = &worker.worker.shared;
    let (store, preparer, recent) = (shared.store.clone(), shared.preparer.clone(), worker.failover.recent.all());
    let unknown_after = shared.settings.worker.unknown_after;
    async move { preparer.record_again(&store, &recent, unknown_after).await }
}

fn finish(worker: &mut WorkerLoop, result: Result<usize, Error>, server: ServerRun, is_all: bool) {
    let Some(moved) = worker.failover.moved.as_mut().filter(|moved| moved.server == server) else { return };
    match result {
        Ok(count) => {
            if count > 0 {
                tracing::warn!(
                    count,
                    "the database's new server had not heard of all results; these are recorded again"
                );
            }
            moved.done = if is_all { Done::All } else { Done::AllBut };
        }
        // It would fail each time.
        Err(error) if error.is_a_fault() => {
            tracing::error!(%error, "results of the last minute cannot be recorded again: some mails may go twice");
            moved.done = Done::All;
        }
        Err(error) => {
            tracing::warn!(%error, "the last minute's results wait for the database");
            moved.at = Instant::now() + POLL_EVERY;
        }
    }
}

/// The last try, when the worker ends.
pub(in crate::outbox) async fn last(worker: &WorkerLoop) {
    if worker.failover.moved.is_some_and(|moved| moved.done != Done::All)
        && let Err(error) = record(worker).await
    {
        tracing::error!(%error, "the last minute's results were not recorded again: some mails may go twice");
    }
}

impl Preparer {
    /// Records them where the server lacks them, and commits to their keys where it lacks these too. Returns how many
    /// it lacked.
    async fn record_again(&self, store: &Store, outcomes: &[Outcome], unknown_after: Duration) -> Result<usize, Error> {
        let mut count = 0;
        for piece in outcomes.chunks(PIECE) {
            match self.record_piece(store, piece, unknown_after).await {
                // One that cannot be recorded must take no other along.
                Err(error) if error.is_of_the_row() => {
                    for one in piece.chunks(1) {
                        match self.record_piece(store, one, unknown_after).await {
                            Err(error) if error.is_of_the_row() => {
                                tracing::error!(send = %one[0].id, %error, "a result cannot be recorded again");
                            }
                            done => count += done?,
                        }
                    }
                }
                done => count += done?,
            }
        }
        if count > 0 {
            store.notify(Change::Many).await;
        }
        Ok(count)
    }

    async fn record_piece(&self, store: &Store, piece: &[Outcome], unknown_after: Duration) -> Result<usize, Error> {
        let left = within(async {
            self.commit_again(store, piece).await?;
            store.record_again(self.worker, piece, unknown_after).await
        });
        Ok(piece.len() - left.await?.elsewhere.len())
    }

    /// The links are in mailboxes. A key that nothing was committed to was made with this secret.
    async fn commit_again(&self, store: &Store, outcomes: &[Outcome]) -> Result<(), Error> {
        let mut connection = store.pool().acquire().await?;
        let lost = keys::without_key(&mut connection, outcomes).await?;
        let keys: Vec<_> =
            lost.iter().map(|(id, nonce)| (*id, Key::derive(self.secret.bytes(), *id, nonce).digest())).collect();
        if !keys.is_empty() {
            keys::set_keys(&mut connection, &keys, self.lifetime).await?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::id::VerificationId;
    use crate::store::outbox::begin::Attempt;
    use crate::store::outbox::result::SendResult;

    fn accepted(id: SendId, begun: i32) -> Outcome {
        Outcome {
            id,
            verification: VerificationId(1),
            attempt: Attempt { counted: 1, begun },
            result: SendResult::Accepted { ses_id: None },
            reply: None,
        }
    }

    #[test]
    fn the_last_minute_is_kept_and_no_more() {
        let (mut recent, now) = (Recent::default(), Instant::now());
        let [first, second, third] = [SendId::new(), SendId::new(), SendId::new()];
        recent.keep(&[accepted(first, 1), accepted(second, 1)], now);
        recent.keep(&[accepted(second, 2), accepted(third, 1)], now + Duration::from_secs(50));
        recent.forget(third);
        let attempts = |recent: &Recent| {
            recent.all().iter().map(|outcome| (outcome.id, outcome.attempt.begun)).collect::<HashMap<_, _>>()
        };
        assert_eq!(attempts(&recent), HashMap::from([(first, 1), (second, 2)]));
        recent.keep(&[], now + Duration::from_secs(61));
        assert_eq!(attempts(&recent), HashMap::from([(second, 2)]));
        let many: Vec<_> = (0..KEPT_MAX).map(|_| accepted(SendId::new(), 1)).collect();
        recent.keep(&many, now + Duration::from_secs(62));
        assert!(
            recent.kept.len() == KEPT_MAX && recent.in_order.len() == KEPT_MAX && !recent.kept.contains_key(&second)
        );
    }
}
