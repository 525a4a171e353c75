//! The database has gone over to another server, or has come back after a crash: it may lack the last moments. What this
//! run recorded in the last minute it records again before it takes more in hand, and leaves the other workers a moment
//! to do the same: a mail of which the server has not heard that it went out looks as if it waited.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use tokio::time::Instant;

use super::{POLL_EVERY, Run};
use crate::domain::id::SendId;
use crate::outbox::steps::{Kind, Rest, Step};
use crate::store::Error;
use crate::store::outbox::batch::Outcome;
use crate::store::outbox::standing::ServerRun;

/// How long results are kept: longer than any standby that may take over lags behind.
const KEPT_FOR: Duration = Duration::from_mins(1);

/// How many are kept at most.
const KEPT_MAX: usize = 20_000;

/// How long the other workers get to record theirs.
const OTHERS_FOR: Duration = Duration::from_secs(5);

/// The results of the last minute, the last of each send.
#[derive(Debug, Default)]
pub(super) struct Recent {
    kept: HashMap<SendId, (Instant, Outcome)>,
    in_order: VecDeque<(Instant, SendId)>,
}

impl Recent {
    pub(super) fn keep(&mut self, outcomes: &[Outcome], now: Instant) {
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
    pub(super) fn forget(&mut self, id: SendId) {
        self.kept.remove(&id);
    }

    fn all(&self) -> Vec<Outcome> {
        self.kept.values().map(|(_, outcome)| outcome.clone()).collect()
    }
}

/// The server that it has gone over to.
#[derive(Clone, Copy, Debug)]
pub(in crate::outbox) struct Moved {
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
    /// All but what lanes had in hand.
    AllBut,
    All,
}

impl Run {
    /// An answer came from this server.
    pub(super) fn stands_on(&mut self, server: ServerRun, now: Instant) {
        let known = self.moved.map(|moved| moved.server).or(self.server);
        if known == Some(server) {
            return;
        }
        if known.is_none() {
            self.server = Some(server);
            return;
        }
        tracing::info!(
            "the database's server is another, or was started again: the last minute's results are recorded there"
        );
        self.moved = Some(Moved { server, until: now + OTHERS_FOR, at: now, done: Done::Nothing });
    }

    /// When to go on with that.
    pub(in crate::outbox) fn again_at(&self) -> Option<Instant> {
        let moved = self.moved.filter(|_| !self.under_way.agains)?;
        match moved.done {
            Done::Nothing => Some(moved.at),
            // What lanes have in hand was begun before.
            _ if self.has_in_hand() => None,
            Done::AllBut => Some(moved.at),
            Done::All => Some(moved.until),
        }
    }

    fn has_in_hand(&self) -> bool {
        !self.busy.is_empty() || !self.results.is_empty() || self.under_way.records
    }

    /// Records them again; or is done with it.
    pub(super) fn start_again(&mut self, now: Instant) {
        let Some(moved) = self.moved else { return };
        if moved.done == Done::All {
            (self.server, self.moved) = (Some(moved.server), None);
            (self.rest, self.reopened_at, self.look_at) = (Rest::Perhaps, now, now);
            return;
        }
        let is_all = !self.has_in_hand();
        let (store, preparer, recent) = (self.store().clone(), self.worker.shared.preparer.clone(), self.recent.all());
        let unknown_after = self.worker.shared.settings.worker.unknown_after;
        self.under_way.agains = true;
        self.step(Kind::Again, async move {
            let result = preparer.record_again(&store, &recent, unknown_after).await;
            Step::RecordedAgain { result, server: moved.server, is_all }
        });
    }

    pub(super) fn again_in(&mut self, result: Result<usize, Error>, server: ServerRun, is_all: bool, now: Instant) {
        self.under_way.agains = false;
        let Some(moved) = self.moved.as_mut().filter(|moved| moved.server == server) else { return };
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
                moved.at = now + POLL_EVERY;
            }
        }
    }

    /// The step broke.
    pub(super) fn again_broke(&mut self) {
        self.under_way.agains = false;
        if let Some(moved) = &mut self.moved {
            moved.done = Done::All;
        }
    }

    /// The last try, when the run is over.
    pub(super) async fn record_again_last(&self) {
        if self.moved.is_some_and(|moved| moved.done != Done::All) {
            let Self { worker, recent, .. } = self;
            let unknown_after = worker.shared.settings.worker.unknown_after;
            if let Err(error) = worker.shared.preparer.record_again(self.store(), &recent.all(), unknown_after).await {
                tracing::error!(%error, "the last minute's results were not recorded again: some mails may go twice");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::id::VerificationId;
    use crate::store::outbox::batch::SendResult;

    fn accepted(id: SendId, attempt: i16) -> Outcome {
        Outcome {
            id,
            verification: VerificationId(1),
            attempt,
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
            recent.all().iter().map(|outcome| (outcome.id, outcome.attempt)).collect::<HashMap<_, _>>()
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
