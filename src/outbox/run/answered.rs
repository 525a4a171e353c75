//! What a run makes of the database's answers.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinError;
use tokio::time::Instant;

use super::{Held, InLane, JOBS_ELSEWHERE, LOOK_EVERY, POLL_EVERY, QUOTA_EVERY, Run};
use crate::contain::contained_async;
use crate::domain::brake::Brake;
use crate::mail::transport::Lease;
use crate::outbox::lane::LaneResult;
use crate::outbox::prepare::{Batch, Ready, ToTell};
use crate::outbox::retry;
use crate::outbox::steps::{Beaten, Kind, Rest, Step};
use crate::outbox::worker::Mode;
use crate::store::Error;
use crate::store::jobs::Advanced;
use crate::store::outbox::batch::{AroundLocks, Outcome, Unrecorded};
use crate::store::pace::Drawn;
use crate::text::plain;

/// After how many failures in a row to record a drain gives up.
const RECORDS_MAX: u32 = 3;

/// After how many the wait between two tries grows no more: it is some seconds then, and each is one statement.
const RECORD_STEPS: u32 = 4;

/// How the trouble begins that is over as soon as results are recorded.
const WAITING: &str = "results wait for the database";

/// How the trouble begins that is over as soon as mails are prepared.
const UNPREPARED: &str = "no mail can be prepared";

/// How long to wait for rows that another transaction has locked.
const LOCKED: Duration = Duration::from_millis(500);

/// How long an act may have a user's row, usually.
const LATER: Duration = Duration::from_millis(5);

/// Longest wait for more moments: others may give some back.
const DRAW_AGAIN: Duration = Duration::from_millis(50);

impl Run {
    pub(super) fn take_in(&mut self, step: Result<Step, JoinError>) -> Result<(), Error> {
        let now = Instant::now();
        let step = match step {
            Ok(step) => step,
            // Only at the end of all, since what panics answers.
            Err(error) => {
                tracing::debug!(%error, "a step was ended");
                return Ok(());
            }
        };
        match step {
            Step::Advanced(result) => {
                self.under_way.jobs = false;
                match result {
                    Ok(advanced) => self.advanced_in(&advanced, now),
                    Err(error) => {
                        tracing::warn!(%error, "jobs wait for the database");
                        self.jobs_at = Some(now + LOOK_EVERY);
                    }
                }
            }
            Step::Prepared { result, kept, told, asked_at } => {
                self.under_way.prepares = self.under_way.prepares.saturating_sub(1);
                self.lanes_kept -= kept;
                self.prepared_in(result, told, asked_at)?;
            }
            Step::Recorded(result) => self.recorded_in(result, now),
            Step::Renewed { result, asked_at } => {
                self.under_way.renews = false;
                match result {
                    // None of them is this worker's any more, if none was there to be renewed.
                    Ok(0) => {}
                    Ok(_) if self.is_leaving() => {}
                    Ok(_) => {
                        self.lease_end.send_replace(asked_at + self.lease());
                    }
                    Err(error) => tracing::warn!(%error, "the lease was not renewed"),
                }
            }
            Step::Beaten { result, asked_at } => {
                self.under_way.beats = false;
                match result {
                    Ok(Beaten { blocker, server, brake }) => {
                        self.stands_on(server, now);
                        self.admitted_in(blocker, asked_at);
                        self.look_at_brake(brake);
                    }
                    Err(error) => tracing::warn!(%error, "no heartbeat"),
                }
            }
            Step::Kept { result, changes } => {
                self.under_way.keeps = false;
                if let Some(changes) = changes {
                    self.changes = Some(changes);
                    self.look_at = now;
                    self.jobs_at = Some(now);
                    self.beat_at = now;
                }
                match result {
                    Ok(paces_differ) => {
                        self.is_pace_set = true;
                        if paces_differ && !self.paces_differ {
                            tracing::warn!(
                                "workers have different settings of `pace`; the smallest of each holds for all"
                            );
                        }
                        self.paces_differ = paces_differ;
                    }
                    Err(error) => tracing::warn!(%error, "housekeeping waits for the database"),
                }
            }
            Step::Judged(result) => self.judged_in(result, now),
            Step::Probed { result, asked_at } => self.probed_in(result, asked_at, now),
            Step::PutBack(result) => self.put_back_in(result, now),
            Step::RecordedAgain { result, server, is_all } => self.again_in(result, server, is_all, now),
            Step::Braked(result) => {
                self.under_way.brakes = false;
                self.beat_at = now;
                if let Err(error) = result {
                    tracing::warn!(%error, "the other workers were not stopped");
                }
            }
            Step::Lowered(result) => {
                if let Err(error) = result {
                    tracing::warn!(%error, "the other workers were not told");
                }
            }
            Step::Broke(kind) => return self.broke(kind, now),
        }
        Ok(())
    }

    /// A step broke: what it was there for is tried again in its time, as after an error.
    fn broke(&mut self, kind: Kind, now: Instant) -> Result<(), Error> {
        self.trouble(format!("a step of the worker broke ({kind:?}); see its log"));
        let error = || Error::Value(plain("the worker broke on it"));
        match kind {
            Kind::Jobs => {
                self.under_way.jobs = false;
                self.jobs_at = Some(now + LOOK_EVERY);
            }
            Kind::Prepare { kept, told, asked_at } => {
                return self.take_in(Ok(Step::Prepared { result: Err(error()), kept, told, asked_at }));
            }
            Kind::Record => self.recorded_in(Err(error()), now),
            Kind::Renew => self.under_way.renews = false,
            Kind::Beat => self.under_way.beats = false,
            Kind::Keep => self.under_way.keeps = false,
            Kind::Brake => self.under_way.brakes = false,
            Kind::Judge => self.judged_in(Err(error()), now),
            Kind::PutBack => self.put_back_in(Err(error()), now),
            Kind::Probe { asked_at } => self.probed_in(Err(error()), asked_at, now),
            Kind::Again => self.again_broke(),
            Kind::Lower => {}
        }
        Ok(())
    }

    pub(super) fn advanced_in(&mut self, advanced: &Advanced, now: Instant) {
        if advanced.queued > 0 {
            self.look_at = now;
            self.is_told = true;
        }
        self.jobs_at = match (advanced.more, advanced.looked_at) {
            (true, 0) => Some(now + JOBS_ELSEWHERE),
            (true, _) => Some(now),
            // Also asked unasked: what was told may not have been heard.
            (false, _) => Some(now + advanced.next_in.map_or(LOOK_EVERY, |wait| wait.min(LOOK_EVERY))),
        };
    }

    /// Mails were begun: each gets a lane and its moment.
    pub(super) fn prepared_in(
        &mut self,
        result: Result<(Batch, Rest, Option<Brake>), Error>,
        told: ToTell,
        asked_at: Instant,
    ) -> Result<(), Error> {
        let now = Instant::now();
        self.to_tell.unused += told.unused;
        self.to_tell.accepted += told.accepted;
        let (batch, rest, brake) = match result {
            Ok(prepared) => prepared,
            Err(error) => {
                self.may_have_begun(asked_at, now);
                self.flow.pause(now, POLL_EVERY);
                self.trouble(format!("{UNPREPARED}: {error}"));
                return if self.mode == Mode::Drain && self.busy.is_empty() { Err(error) } else { Ok(()) };
            }
        };
        self.trouble_is_over(UNPREPARED);
        let may_claim = self.standing_in(batch.standing, now);
        if self.is_leaving() {
            // Begun, and no lane will send it: put back.
            self.astray.is_any |= !batch.ready.is_empty();
            return Ok(());
        }
        self.made_nothing_of(&batch);
        self.to_tell.unused += batch.unused();
        if let Some(drawn) = &batch.drawn {
            self.drawn_in(drawn, batch.claimed, now);
        }
        if batch.later > 0 {
            // An act has the user for a moment.
            self.flow.pause(now, LATER);
        }
        let rest = if asked_at < self.reopened_at { Rest::Perhaps } else { rest };
        self.rest = if may_claim { rest } else { Rest::Perhaps };
        if brake.is_some() {
            self.look_at_brake(brake);
        }
        let waiting = if self.changes.is_some() { LOOK_EVERY } else { POLL_EVERY };
        self.look_at = match self.rest {
            // It is let in, or has recorded, before it looks again.
            Rest::Perhaps if !may_claim => now + POLL_EVERY,
            Rest::Perhaps => now,
            _ if self.is_told => now,
            Rest::Nothing => now + waiting,
            Rest::In(next) => now + next.clamp(Duration::from_millis(20), waiting),
        };
        if !batch.ready.is_empty() {
            self.leased_in(asked_at);
        }
        let apart = batch.drawn.map(|drawn| (drawn.wait, drawn.apart)).unwrap_or_default();
        for (n, ready) in (0..).zip(batch.ready) {
            self.hand_over(ready, now + apart.0 + apart.1 * n);
        }
        Ok(())
    }

    /// Counts the sends of which no mail was made.
    pub(super) fn made_nothing_of(&mut self, batch: &Batch) {
        if batch.failed > 0 {
            self.tally.failed += i64::try_from(batch.failed).unwrap_or_default();
            self.tally.failed_by.get_or_insert_with(|| "no mail could be made of what the database holds".into());
        }
        self.tally.cancelled += i64::try_from(batch.cancelled.len()).unwrap_or_default();
    }

    /// Mails were begun since then: every lease in hand lasts at least so long.
    pub(super) fn leased_in(&mut self, asked_at: Instant) {
        let end = asked_at + self.lease();
        if self.busy.is_empty() {
            self.lease_end.send_replace(end);
            self.renew_at = asked_at + self.worker.renew_every();
        } else {
            self.lease_end.send_if_modified(|held| end < *held && std::mem::replace(held, end) != end);
        }
    }

    pub(super) fn hand_over(&mut self, ready: Ready, at: Instant) {
        let (id, verification, attempt) = (ready.id, ready.verification, ready.attempt);
        let mut lane = self.lanes.take();
        let (shared, lease) = (Arc::clone(&self.worker.shared), Lease::new(self.lease_end.subscribe()));
        let in_lane = InLane { id, verification, attempt, lease: lease.clone() };
        // It could be claimed, so an earlier result of it was recorded, though the answer to that was lost.
        self.results.forget(id);
        self.recent.forget(id);
        self.busy.insert(id);
        self.lanes_kept += 1;
        let task = self.in_lanes.spawn(async move {
            let under = lease.clone();
            match contained_async(shared.send(&mut lane, ready, at, lease)).await {
                Ok(done) => (Some(lane), done),
                // No one knows in which state the lane is.
                Err(broke) => (None, LaneResult::broke(id, verification, attempt, &under, &broke.to_string())),
            }
        });
        self.in_lane.insert(task.id(), in_lane);
    }

    fn drawn_in(&mut self, drawn: &Drawn, claimed: usize, now: Instant) {
        self.flow.set_rate(drawn.rate);
        if drawn.is_stopped {
            // The heartbeat looks why.
            self.beat_at = now;
            self.draw_at = now + POLL_EVERY;
        } else if drawn.is_quota_used {
            let reason = "the mails of 24 hours are used up (`pace.daily_quota`); sending goes on as places come back";
            self.hold(Held { reason: reason.into(), until: Some(now + QUOTA_EVERY) });
        } else if drawn.count == 0 {
            self.draw_at = now + drawn.wait.max(Duration::from_millis(1));
        } else if drawn.count < claimed {
            // The next when half of these have gone.
            let span = drawn.apart * u32::try_from(drawn.count).unwrap_or(u32::MAX);
            self.draw_at = now + (drawn.wait + span / 2).min(DRAW_AGAIN);
        }
    }

    pub(super) fn recorded_in(&mut self, result: Result<Unrecorded, Error>, now: Instant) {
        self.under_way.records = false;
        let outcomes = self.results.end();
        match result {
            Ok(left) => {
                self.record_failures = 0;
                self.results.set_around_locks(AroundLocks::No);
                self.trouble_is_over(WAITING);
                let (locked, done): (Vec<_>, Vec<_>) =
                    outcomes.into_iter().partition(|outcome| left.locked.contains(&outcome.id));
                self.settled_in(&done, &left, now);
                if !locked.is_empty() {
                    self.results.set_around_locks(AroundLocks::Yes);
                    if done.is_empty() {
                        self.record_at = now + LOCKED;
                    }
                    self.results.keep(locked);
                }
            }
            Err(error) if error.is_of_the_row() => {
                if let [outcome] = &outcomes[..] {
                    self.busy.remove(&outcome.id);
                    self.abandoned.insert(outcome.id);
                    self.refusals.forget(outcome.id);
                    self.tally.unrecorded += 1;
                    tracing::error!(send = %outcome.id, state = %outcome.result.state(), %error, "a result is lost");
                    self.trouble(format!("a result could not be recorded: {error}"));
                } else {
                    self.results.suspect(outcomes);
                }
            }
            // The mail server has spoken already: what it said must not be lost, whatever the database's trouble is.
            Err(error) => {
                self.record_failures += 1;
                if self.mode == Mode::Drain && self.record_failures >= RECORDS_MAX {
                    self.stop(error.to_string());
                }
                self.trouble(format!("{WAITING}: {error}; until it takes them no other mail is sent"));
                self.record_at = now + retry::unreachable(self.record_failures.min(RECORD_STEPS));
                if error.is_in_the_way() {
                    self.results.set_around_locks(AroundLocks::Yes);
                }
                self.results.keep(outcomes);
            }
        }
    }

    /// These results are in the database, or another process was faster.
    fn settled_in(&mut self, outcomes: &[Outcome], left: &Unrecorded, now: Instant) {
        self.note_recorded(outcomes, &left.elsewhere, now);
        self.recent.keep(outcomes, now);
        for outcome in outcomes {
            self.busy.remove(&outcome.id);
            if left.elsewhere.contains(&outcome.id) {
                let state = outcome.result.state();
                tracing::warn!(send = %outcome.id, %state, "settled already, by another process or by an earlier try");
            }
        }
        // What goes again is due at some time that only the database knows.
        if outcomes.iter().any(|outcome| outcome.result.state().is_open()) {
            self.rest = Rest::Perhaps;
            self.reopened_at = now;
            self.look_at = now;
        }
    }
}
