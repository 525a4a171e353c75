//! What a run starts next, and when: the one place that both starting and sleeping ask.

use std::time::Duration;

use tokio::time::Instant;

use super::run::Run;
use super::steps::Rest;

/// How long before its moment a mail is looked at again.
pub(super) const LEAD: Duration = Duration::from_millis(30);

/// Batches being prepared at once: one is with the database while the mails of another are handed to lanes.
const PREPARES_MAX: usize = 2;

/// Something to start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Due {
    /// Write results down.
    Record,
    /// Move the lease's end.
    Renew,
    /// Look at claimed sends again, and hand them to lanes.
    Prepare,
    /// Draw moments from the shared pace.
    Draw,
    /// Claim sends.
    Claim,
    /// Make the next mails of jobs.
    Jobs,
    /// Write a heartbeat, and look at the brake.
    Beat,
    /// Do what any worker may do for all.
    Keep,
    /// Close idle connections.
    Sweep,
}

impl Due {
    /// The most urgent first.
    pub(super) const ALL: [Self; 9] = [
        Self::Record,
        Self::Renew,
        Self::Prepare,
        Self::Draw,
        Self::Claim,
        Self::Jobs,
        Self::Beat,
        Self::Keep,
        Self::Sweep,
    ];

    /// When it is to be started; nothing while it need not or cannot be.
    pub(super) fn at(self, run: &Run) -> Option<Instant> {
        let under_way = &run.under_way;
        let flows = !run.stopping && run.held.is_none();
        let gate = run.flow.resume_at();
        let when = |is_wanted: bool, at: Instant| is_wanted.then_some(at);
        match self {
            Self::Record => when(!run.results.is_empty() && !under_way.records, run.record_at),
            Self::Renew => {
                let holds = !run.busy.is_empty() || !run.claimed.is_empty();
                when(holds && !under_way.renews, run.renew_at)
            }
            Self::Prepare => {
                let free = run.free_lanes();
                // While one is under way a second is worth it for many mails only.
                let is_worth_it =
                    under_way.prepares == 0 || under_way.prepares < PREPARES_MAX && free * 4 >= run.flow.lanes();
                let next = run.moments.next().filter(|_| flows && free > 0 && is_worth_it && !run.claimed.is_empty());
                next.map(|at| at.checked_sub(LEAD).unwrap_or(at).max(gate))
            }
            Self::Draw => {
                let is_wanted = flows && !under_way.draws && run.moments.len() < run.claimed.len();
                when(is_wanted, run.draw_at.max(gate))
            }
            Self::Claim => {
                let (people, bulk) = run.room();
                // Few places are worth a claim only for somebody who waits.
                let is_worth_it = bulk > run.claimed.len() || people > 0 && run.is_told();
                when(flows && !under_way.claims && is_worth_it, run.look_at.max(gate))
            }
            // Only when nothing else waits: their links must not grow old in the queue.
            Self::Jobs => run.jobs_at.filter(|_| flows && !under_way.jobs && run.rest != Rest::Perhaps),
            Self::Beat => when(
                !under_way.beats,
                run.held.as_ref().and_then(|held| held.until).map_or(run.beat_at, |until| until.min(run.beat_at)),
            ),
            Self::Keep => when(!under_way.keeps && !run.stopping, run.keep_at),
            Self::Sweep => run.lanes.sweep_at(),
        }
    }
}
