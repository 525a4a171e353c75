//! How a run ends: bounded, whatever the mail server and the database do, and telling what it leaves behind.
//!
//! ```text
//! told to end ── lanes finish ──> content no longer begun ──> lanes cut ──> last try to record ──> over
//! ```

use std::time::Duration;

use tokio::time::{Instant, sleep_until, timeout_at};

use super::{InLane, Run};
use crate::domain::id::SendId;
use crate::outbox::due::Due;
use crate::outbox::lane::LaneResult;
use crate::outbox::steps::{self, Step};
use crate::text::plain;

/// How long an ending takes at most: systemd sends SIGKILL 90 s after SIGTERM, unless a unit says otherwise.
pub(in crate::outbox) const LONGEST: Duration = Duration::from_secs(85);

/// When the parts of an ending are over, as shares of the longest.
const BEGIN_FOR: f64 = 0.06;
const LANES_FOR: f64 = 0.70;
const RECORD_FOR: f64 = 0.87;
const LAST_TRY_FOR: f64 = 0.93;

/// Longest wait for locked rows at the last try.
const LOCKED_MAX: Duration = Duration::from_millis(100);

/// How long steps under way are waited for besides.
const LEAVE_FOR: Duration = Duration::from_secs(5);

/// The moments of an ending.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ending {
    /// Until then mails in lanes may begin their content.
    begin_until: Instant,
    /// Until then lanes may wait for the server's answers.
    pub(super) lanes_until: Instant,
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

impl Run {
    fn ending(&mut self) -> Ending {
        let longest = self.worker.longest_ending;
        *self.ending.get_or_insert_with(|| Ending::new(Instant::now(), longest))
    }

    /// Keeps a run that is told to end within its bounds; gives the next one.
    pub(super) fn bound(&mut self, now: Instant) -> Option<Instant> {
        if !self.stopping {
            return None;
        }
        let ending = self.ending();
        if now < ending.begin_until {
            return Some(ending.begin_until);
        }
        // What lanes have not begun by now they leave.
        self.lease_end.send_if_modified(|end| *end > now && std::mem::replace(end, now) > now);
        Some(ending.lanes_until)
    }

    /// Whether what is being prepared comes too late.
    pub(super) fn is_leaving(&self) -> bool {
        self.ending.is_some_and(|ending| Instant::now() >= ending.begin_until)
    }

    /// Ends the lanes that wait for an answer still; takes those back that have theirs.
    pub(super) async fn cut_lanes(&mut self) {
        while let Some(done) = self.in_lanes.try_join_next_with_id() {
            self.take_back(done);
        }
        self.in_lanes.abort_all();
        // An answer may have come right before that.
        while let Some(done) = self.in_lanes.join_next_with_id().await {
            self.take_back(done);
        }
        for InLane { id, verification, attempt, lease } in std::mem::take(&mut self.in_lane).into_values() {
            if lease.has_begun() {
                self.tally.unknown += 1;
                let why = "the worker ended before the server had answered";
                tracing::warn!(send = %id, "{why}");
                let cut = LaneResult::broke(id, verification, attempt, &lease, why);
                cut.outcome.into_iter().for_each(|outcome| self.results.push(outcome));
            } else {
                self.busy.remove(&id);
                self.is_unbegun();
            }
        }
    }

    /// Takes leave: of the database as far as it answers, of the mail server politely.
    pub(in crate::outbox) async fn end(&mut self) {
        self.stopping = true;
        let ending = self.ending();
        self.cut_lanes().await;
        let hanging = self.record_rest(ending).await;
        let _ = timeout_at(ending.last_try_until, self.judge_last()).await;
        // What these have begun meanwhile no lane will send.
        self.astray.is_any |= self.under_way.prepares > 0 || self.under_way.probes || self.under_way.puts_back;
        // A chunk of a job may be dropped anywhere; whatever else is under way is bounded.
        let joined = async {
            while let Some(step) = self.steps.join_next().await {
                if let Ok(Step::Recorded(Ok(left))) = step {
                    // It hung, and came through.
                    let recorded = hanging.iter().filter(|id| !left.locked.contains(id));
                    recorded.for_each(|id| self.results.forget(*id));
                }
            }
        };
        if timeout_at(ending.over_at.min(Instant::now() + LEAVE_FOR), joined).await.is_err() {
            self.steps.abort_all();
        }
        // Whatever the database answers late is lost from here on.
        if timeout_at(ending.over_at, self.take_leave()).await.is_err() {
            tracing::warn!("the database does not answer; the last heartbeat was not written");
        }
        for outcome in self.results.take() {
            self.tally.unrecorded += 1;
            let said = outcome.reply.as_deref().map(plain).unwrap_or_default();
            tracing::error!(send = %outcome.id, state = %outcome.result.state(), %said, "a result is not recorded");
        }
        let _ = timeout_at(ending.over_at, self.lanes.close()).await;
    }

    async fn take_leave(&mut self) {
        self.record_again_last().await;
        if self.astray.is_any {
            self.put_back_last().await;
        }
        self.tally.deferred = self.store().deferred().await.unwrap_or_default();
        self.fill_beat();
        self.worker.beat.rate = 0.0;
        self.worker.beat.stopped = true;
        self.worker.beat.last_error.clone_from(&self.tally.stopped_by);
        if let Err(error) = steps::beat(self.store().clone(), self.worker.beat.clone(), true).await {
            tracing::warn!(%error, "the last heartbeat was not written");
        }
    }

    /// Records what is left, for as long as there is time; and once more right before the end, whatever came before. Gives
    /// what hangs meanwhile.
    async fn record_rest(&mut self, ending: Ending) -> Vec<SendId> {
        while (self.under_way.records || !self.results.is_empty()) && Instant::now() < ending.record_until {
            let now = Instant::now();
            if !self.under_way.records && now >= self.record_at {
                self.start(Due::Record, now);
            }
            let wait_until = if self.under_way.records { ending.record_until } else { self.record_at };
            tokio::select! {
                Some(step) = self.steps.join_next() => {
                    // No error of a step matters any more but those of records, which are kept.
                    let _ = self.take_in(step);
                }
                () = sleep_until(wait_until.min(ending.record_until)) => {}
            }
        }
        // One that hangs may still come through: recorded twice is recorded.
        let under_way = self.results.end();
        let hanging = under_way.iter().map(|outcome| outcome.id).collect();
        self.results.keep(under_way);
        self.under_way.records = false;
        while !self.results.is_empty() && Instant::now() < ending.last_try_until {
            let (outcomes, around_locks) = self.results.begin();
            let unknown_after = self.worker.shared.settings.worker.unknown_after;
            let recorded = steps::record(self.store(), self.worker.beat.id, &outcomes, unknown_after, around_locks);
            let Ok(result) = timeout_at(ending.last_try_until, recorded).await else { break };
            drop(outcomes);
            let is_over = result.as_ref().is_err_and(|error| !error.is_of_the_row());
            self.recorded_in(result, Instant::now());
            if is_over {
                break;
            }
            // Rows that another has locked, for which there is no time to wait long.
            let now = Instant::now();
            sleep_until(self.record_at.min(now + LOCKED_MAX)).await;
        }
        hanging
    }
}
