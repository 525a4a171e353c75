//! What a run makes of the database's answers.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinError;
use tokio::time::Instant;

use super::{Held, JOBS_ELSEWHERE, LOOK_EVERY, POLL_EVERY, QUOTA_EVERY, Run, UnderWay};
use crate::domain::id::SendId;
use crate::outbox::backoff;
use crate::outbox::prepare::Batch;
use crate::outbox::steps::{Rest, Step, Taken};
use crate::outbox::worker::Mode;
use crate::store::Error;
use crate::store::jobs::Advanced;
use crate::store::outbox::batch::Outcome;
use crate::store::outbox::lease::Claimed;
use crate::store::pace::Drawn;

impl Run {
    pub(super) fn take_in(&mut self, step: Result<Step, JoinError>) -> Result<(), Error> {
        let now = Instant::now();
        let step = match step {
            Ok(step) => step,
            Err(error) => {
                // Nobody knows which it was: what it had in hand is settled when its lease ends.
                tracing::error!(%error, "a step broke");
                self.stopping = true;
                self.tally.stopped_by.get_or_insert_with(|| "a step of the worker broke; see its log".into());
                self.under_way = UnderWay::default();
                self.is_astray = true;
                return Ok(());
            }
        };
        match step {
            Step::Claimed { result, asked_at } => self.claimed_in(result, asked_at, now)?,
            Step::Advanced(result) => {
                self.under_way.jobs = false;
                match result {
                    Ok(advanced) => self.advanced_in(&advanced, now),
                    Err(error) => {
                        tracing::warn!(%error, "jobs wait for the database");
                        self.jobs_at = Some(now + POLL_EVERY);
                    }
                }
            }
            Step::Drawn { result, accepted, unused } => {
                self.under_way.draws = false;
                match result {
                    Ok(drawn) => self.drawn_in(&drawn, now),
                    Err(error) => {
                        self.accepted += accepted;
                        self.moments.not_told(unused);
                        self.draw_at = now + POLL_EVERY;
                        self.without_database(error, "nothing can go out")?;
                    }
                }
            }
            Step::Prepared { result, sends, moments } => self.prepared_in(result, &sends, moments, now),
            Step::Recorded { result, outcomes } => self.recorded_in(result, outcomes, now),
            Step::Renewed { result, asked_at } => {
                self.under_way.renews = false;
                match result {
                    Ok(()) => {
                        self.lease_end.send_replace(asked_at + self.lease());
                    }
                    Err(error) => tracing::warn!(%error, "the lease was not renewed"),
                }
            }
            Step::Beaten(result) => {
                self.under_way.beats = false;
                match result {
                    Ok(brake) => self.look_at_brake(brake),
                    Err(error) => tracing::warn!(%error, "no heartbeat"),
                }
            }
            Step::Kept { result, changes } => {
                self.under_way.keeps = false;
                if let Some(changes) = changes {
                    self.changes = Some(changes);
                    self.look_at = now;
                }
                if let Err(error) = result {
                    tracing::warn!(%error, "housekeeping waits for the database");
                }
            }
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
        }
        Ok(())
    }

    /// A drain ends where the database does; a worker waits for it.
    pub(super) fn without_database(&mut self, error: Error, what: &str) -> Result<(), Error> {
        tracing::warn!(%error, "{what}");
        if self.mode == Mode::Drain && !self.stopping && self.busy.is_empty() { Err(error) } else { Ok(()) }
    }

    pub(super) fn claimed_in(
        &mut self,
        result: Result<Taken, Error>,
        asked_at: Instant,
        now: Instant,
    ) -> Result<(), Error> {
        self.under_way.claims = false;
        match result {
            Ok(Taken { sends, rest }) => {
                if self.claimed.is_empty() && self.busy.is_empty() {
                    self.lease_end.send_replace(asked_at + self.lease());
                    self.renew_at = asked_at + self.worker.renew_every();
                }
                self.claimed.extend(sends);
                self.rest = rest;
                let waiting = if self.changes.is_some() { LOOK_EVERY } else { POLL_EVERY };
                self.look_at = match rest {
                    Rest::Perhaps => now,
                    _ if self.is_told => now,
                    Rest::Nothing => now + waiting,
                    Rest::In(next) => now + next.clamp(Duration::from_millis(50), waiting),
                };
                Ok(())
            }
            Err(error) => {
                // Its answer may be what was lost.
                self.is_astray = true;
                self.look_at = now + POLL_EVERY;
                self.without_database(error, "nothing can be claimed")
            }
        }
    }

    pub(super) fn advanced_in(&mut self, advanced: &Advanced, now: Instant) {
        if advanced.queued > 0 {
            self.look_at = now;
            self.is_told = true;
        }
        self.jobs_at = match (advanced.more, advanced.looked_at) {
            (true, 0) => Some(now + JOBS_ELSEWHERE),
            (true, _) => Some(now),
            (false, _) => advanced.next_in.map(|wait| now + wait),
        };
    }

    pub(super) fn drawn_in(&mut self, drawn: &Drawn, now: Instant) {
        self.flow.set_rate(drawn.rate);
        self.moments.add(drawn, now);
        if drawn.is_stopped {
            // The heartbeat looks why.
            self.beat_at = now;
            self.draw_at = now + POLL_EVERY;
        } else if drawn.is_quota_used {
            let reason = "the mails of 24 hours are used up (`pace.daily_quota`); sending goes on as places come back";
            self.hold(Held { reason: reason.into(), until: Some(now + QUOTA_EVERY) });
        } else if drawn.count == 0 {
            self.draw_at = now + drawn.wait.max(Duration::from_millis(1));
        } else {
            // The next when half of these have gone.
            let span = drawn.apart * u32::try_from(drawn.count).unwrap_or(u32::MAX);
            self.draw_at = now + (drawn.wait + span / 2).min(Duration::from_millis(50));
        }
    }

    pub(super) fn prepared_in(
        &mut self,
        result: Result<Batch, Error>,
        sends: &[Claimed],
        mut moments: Vec<Instant>,
        now: Instant,
    ) {
        self.under_way.prepares -= 1;
        self.lanes_kept -= sends.len();
        let batch = match result {
            Ok(batch) => batch,
            Err(error) => {
                tracing::warn!(%error, "claimed mails wait for the database");
                for send in sends {
                    self.busy.remove(&send.id);
                    self.unbegun.push(send.id);
                }
                self.is_astray = true;
                self.flow.pause(now, POLL_EVERY);
                return;
            }
        };
        let is_ready: HashSet<SendId> = batch.ready.iter().map(|ready| ready.id).collect();
        self.tally.cancelled += i64::try_from(batch.cancelled.len()).unwrap_or_default();
        for send in sends.iter().filter(|send| !is_ready.contains(&send.id)) {
            self.busy.remove(&send.id);
            if batch.later.contains(&send.id) {
                self.claimed.insert(*send);
            }
        }
        if !batch.later.is_empty() {
            // An act has the user for a moment.
            self.flow.pause(now, Duration::from_millis(5));
        }
        let mut ready = batch.ready;
        ready.sort_by_key(|ready| sends.iter().position(|send| send.id == ready.id));
        for at in moments.split_off(ready.len()) {
            self.moments.give_back(at);
        }
        for (ready, at) in ready.into_iter().zip(moments) {
            let mut lane = self.lanes.take();
            let (shared, lease) = (Arc::clone(&self.worker.shared), self.lease_end.subscribe());
            let id = ready.id;
            self.lanes_kept += 1;
            let task = self.in_lanes.spawn(async move {
                let handled = shared.hand_over(&mut lane, ready, at, lease).await;
                (lane, handled)
            });
            self.in_lane.insert(task.id(), id);
        }
    }

    pub(super) fn recorded_in(&mut self, result: Result<Vec<SendId>, Error>, outcomes: Vec<Outcome>, now: Instant) {
        self.under_way.records = false;
        match result {
            Ok(lost) => {
                self.record_failures = 0;
                for outcome in &outcomes {
                    self.busy.remove(&outcome.id);
                    if lost.contains(&outcome.id) {
                        let state = outcome.fate.state();
                        tracing::warn!(send = %outcome.id, %state, "somebody else has settled it");
                    }
                }
                // What goes again is due at some time that only the database knows.
                if outcomes.iter().any(|outcome| outcome.fate.state().is_open()) {
                    self.rest = Rest::Perhaps;
                    self.look_at = now;
                }
            }
            // The mail server has spoken already: what it said must not be lost.
            Err(error) if error.is_passing() || outcomes.len() > 1 => {
                tracing::warn!(%error, count = outcomes.len(), "results wait for the database");
                self.record_failures += 1;
                self.record_at = now + backoff::unreachable(self.record_failures);
                // One that cannot be recorded must not take the others along.
                self.records_singly = !error.is_passing();
                self.results.extend(outcomes);
            }
            Err(error) => {
                for outcome in &outcomes {
                    self.busy.remove(&outcome.id);
                    tracing::error!(send = %outcome.id, state = %outcome.fate.state(), %error, "a result is lost");
                }
                self.trouble(format!("a result could not be recorded: {error}"));
            }
        }
        self.records_singly &= !self.results.is_empty();
    }
}
