//! What a run starts next, and when: the one place that both starting and sleeping ask.

use tokio::time::Instant;

use super::run::Run;
use super::steps::Rest;

/// Batches being prepared at once: one is with the database while the mails of another are handed to lanes.
const PREPARES_MAX: usize = 2;

/// Something to start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Due {
    /// Write results down.
    Record,
    /// Move the lease's end.
    Renew,
    /// Tell the database what was taken and what was refused.
    Judge,
    /// Try one mail while the outbox is paused for refusals.
    Probe,
    /// Put back what was begun and no lane has.
    PutBack,
    /// Record again what another server may not have heard of.
    Again,
    /// Claim sends, and hand them to lanes.
    Prepare,
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
    pub(super) const ALL: [Self; 11] = [
        Self::Record,
        Self::Renew,
        Self::Judge,
        Self::PutBack,
        Self::Again,
        Self::Prepare,
        Self::Probe,
        Self::Jobs,
        Self::Beat,
        Self::Keep,
        Self::Sweep,
    ];

    /// When it is to be started; nothing while it need not or cannot be.
    pub(super) fn at(self, run: &Run) -> Option<Instant> {
        let under_way = &run.under_way;
        let flows = !run.stopping && run.is_pace_set && run.held.is_none() && run.is_admitted();
        let gate = run.flow.resume_at();
        let may_begin = !run.astray.is_any && !under_way.puts_back && run.moved.is_none();
        let when = |is_wanted: bool, at: Instant| is_wanted.then_some(at);
        match self {
            Self::Record => when(!run.results.is_empty() && !under_way.records, run.record_at),
            Self::Renew => when(!run.busy.is_empty() && !under_way.renews, run.renew_at),
            Self::Judge => run.refusals.tell_at.filter(|_| !under_way.judges),
            Self::Probe => {
                let is_free = !run.is_probing() && run.record_failures == 0;
                let may_send = !run.stopping && run.is_pace_set && run.is_admitted();
                let is_wanted = may_send && run.held.is_some() && may_begin && is_free && run.free_lanes() > 0;
                run.refusals.probe_at.filter(|_| is_wanted).map(|at| at.max(gate))
            }
            Self::PutBack if under_way.puts_back => None,
            Self::PutBack if run.astray.is_any => when(under_way.prepares == 0 && !under_way.probes, run.astray.at),
            Self::PutBack => run.astray.late_at,
            Self::Again => run.again_at(),
            Self::Prepare => {
                let free = run.free_lanes();
                // While one is under way a second is worth it for many mails only.
                let is_worth_it =
                    under_way.prepares == 0 || under_way.prepares < PREPARES_MAX && free * 4 >= run.flow.lanes();
                let is_taken_in = run.record_failures == 0 && !run.has_unjudged_run();
                when(
                    flows && may_begin && is_taken_in && free > 0 && is_worth_it,
                    run.look_at.max(run.draw_at).max(gate),
                )
            }
            // Only when nothing else waits: their links must not grow old in the queue.
            Self::Jobs => run.jobs_at.filter(|_| flows && !under_way.jobs && run.rest != Rest::Perhaps),
            Self::Beat => when(
                !under_way.beats,
                run.held.as_ref().and_then(|held| held.until).map_or(run.beat_at, |until| until.min(run.beat_at)),
            ),
            Self::Keep => when(!under_way.keeps && !run.stopping && run.is_admitted(), run.keep_at),
            Self::Sweep => run.lanes.sweep_at(),
        }
    }
}
