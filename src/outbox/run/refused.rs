//! What a run makes of mails that the server did not take: they are noted with those of the other workers, the outbox
//! pauses if none is taken at all, and one mail is tried now and then.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::{Held, POLL_EVERY, Run};
use crate::domain::brake::Brake;
use crate::domain::id::SendId;
use crate::outbox::lane::{Answer, LaneResult};
use crate::outbox::prepare::Batch;
use crate::outbox::refusal::Refusal;
use crate::outbox::steps::{self, Kind, Step};
use crate::outbox::worker::Mode;
use crate::store::Error;
use crate::store::outbox::batch::{Outcome, SendResult};
use crate::store::refusals::{DOMAINS_MIN, Noted, REMEMBERED};

/// How soon after the last time the database hears that mails are taken, while nothing speaks against it.
const TAKEN_EVERY: Duration = Duration::from_millis(250);

/// How many times the run that pauses all workers one of a single worker is before it alone stops: where all are refused
/// their common run is the longer one.
const OWN_FACTOR: i64 = 2;

/// Most mails of such a run that are remembered.
const OWN_MAX: usize = 1_000;

/// Shortest time between two tries to take a probe, where that is less than the first wait for one.
const PROBE_APART: Duration = Duration::from_secs(1);

/// Most sends of which is remembered that they counted as failed.
const FAILED_MAX: usize = 1_000;

/// What is known of refusals, and not told yet.
#[derive(Debug, Default)]
pub(in crate::outbox) struct Refusals {
    /// Of sends whose results are to be recorded.
    of: HashMap<SendId, Refusal>,
    /// Recorded, and to be noted.
    to_note: Vec<Noted>,
    /// What the server said last.
    says: String,
    /// Whether a mail was taken before those.
    is_taken: bool,
    /// When this is told at the latest.
    pub(in crate::outbox) tell_at: Option<Instant>,
    told_at: Option<Instant>,
    /// Of this worker alone, since it last had a mail taken: the send, its domain.
    own: Vec<(Noted, String)>,
    /// How many runs had been ended when that was first told.
    ended: Option<i64>,
    /// Whether that is this worker's own trouble: what it still has in hand is part of it.
    is_own_trouble: bool,
    /// Counted as failed, and when: they may still be queued again.
    failed: Vec<(SendId, Instant)>,
    /// While the outbox is paused for refusals: when to try the next mail.
    pub(in crate::outbox) probe_at: Option<Instant>,
    asked_at: Option<Instant>,
    /// The mail that is being tried, until what came of it is recorded.
    pub(super) probe: Option<SendId>,
    /// What the database is being told.
    telling: Option<Arc<ToJudge>>,
}

impl Refusals {
    /// Whether there are some that the database has not been told of.
    pub(super) fn is_urgent(&self) -> bool {
        self.to_note.iter().any(|noted| !noted.is_ended)
    }

    /// A mail was taken behind what is to be noted.
    fn end_noted(&mut self) {
        self.to_note.iter_mut().for_each(|noted| noted.is_ended = true);
        // The newest matter.
        self.to_note.drain(..self.to_note.len().saturating_sub(OWN_MAX));
    }

    /// This mail is tried.
    pub(super) fn start_probe(&mut self, id: SendId) {
        self.probe = Some(id);
    }

    /// What became of this send is recorded, or will not be.
    pub(super) fn forget(&mut self, id: SendId) {
        self.of.remove(&id);
        self.probe = self.probe.filter(|probe| *probe != id);
    }
}

/// What is told to the database.
#[derive(Debug)]
pub(in crate::outbox) struct ToJudge {
    pub(in crate::outbox) is_taken: bool,
    pub(in crate::outbox) noted: Vec<Noted>,
    pub(in crate::outbox) says: String,
    /// This worker's own run, if it is long enough to be its own trouble, and how many had been ended when it began.
    pub(in crate::outbox) own: Option<(Vec<Noted>, i64)>,
    /// Counted as failed so far.
    pub(in crate::outbox) failed: Vec<SendId>,
}

/// What came of it.
#[derive(Debug, Default)]
pub(in crate::outbox) struct Judged {
    /// Whether the outbox was paused or let go by it.
    pub(in crate::outbox) is_changed: bool,
    pub(in crate::outbox) brake: Option<Brake>,
    /// Whether this worker's mails are refused while others' are taken.
    pub(in crate::outbox) is_own_trouble: bool,
    /// How many runs were ended by a mail that was taken; only asked for where refusals were noted.
    pub(in crate::outbox) runs_ended: i64,
    /// Those counted as failed that are queued again.
    pub(in crate::outbox) put_back: Vec<SendId>,
}

impl Run {
    /// Whether so many refusals are not judged yet that they may be a run: the server refuses more quickly than the
    /// database takes it in.
    pub(in crate::outbox) fn has_unjudged_run(&self) -> bool {
        let Refusals { of, to_note, telling, .. } = &self.refusals;
        let told = telling.iter().flat_map(|told| &told.noted);
        let noted = to_note.iter().chain(told).filter(|noted| !noted.is_ended).count();
        i64::try_from(of.len() + noted).unwrap_or(i64::MAX) >= self.worker.shared.settings.brake.refusals
    }

    /// A mail is back from its lane.
    pub(super) fn note(&mut self, done: &LaneResult) {
        let is_failed = done.outcome.as_ref().is_some_and(|it| matches!(it.result, SendResult::Failed { .. }));
        if is_failed && done.answer != Answer::Broke && self.refusals.failed.len() < FAILED_MAX {
            self.refusals.failed.push((done.id, Instant::now()));
        }
        if let Some(refusal) = done.refusal.clone() {
            self.refusals.of.insert(done.id, refusal);
        }
        if done.answer != Answer::Accepted {
            self.probe_failed(done.id);
        }
    }

    /// If it was the mail that was being tried, others wait on; a drain waits for nothing.
    pub(super) fn probe_failed(&mut self, id: SendId) {
        if self.refusals.probe == Some(id) {
            self.refusals.probe = None;
            self.stop_held();
        }
    }

    fn stop_held(&mut self) {
        if self.mode == Mode::Drain
            && let Some(held) = &self.held
        {
            self.stop(held.reason.clone());
        }
    }

    /// Results are recorded, in the order in which they came.
    pub(super) fn note_recorded(&mut self, outcomes: &[Outcome], elsewhere: &[SendId], now: Instant) {
        let refusals = &mut self.refusals;
        for outcome in outcomes {
            let refusal = refusals.of.remove(&outcome.id);
            refusals.forget(outcome.id);
            if let SendResult::Accepted { .. } = outcome.result {
                // The server took it, whatever its row says: an earlier try to record it may have come through.
                refusals.is_taken = true;
                refusals.end_noted();
                refusals.own.clear();
                refusals.ended = None;
            } else if let Some(refusal) = refusal.filter(|_| !elsewhere.contains(&outcome.id)) {
                let Refusal { is_of_us, is_final, .. } = refusal;
                let noted = Noted { id: outcome.id, is_of_us, is_final, is_ended: false };
                refusals.to_note.push(noted.clone());
                if refusals.own.len() < OWN_MAX {
                    refusals.own.push((noted, refusal.domain));
                }
                refusals.says = refusal.says;
            }
        }
        if refusals.is_taken || !refusals.to_note.is_empty() {
            let is_urgent = refusals.is_urgent() || self.held.is_some();
            let usual = refusals.told_at.map_or(now, |told_at| told_at + TAKEN_EVERY);
            let at = if is_urgent { now } else { usual.max(now) };
            refusals.tell_at = Some(refusals.tell_at.map_or(at, |already| already.min(at)));
        }
    }

    /// Tells the database.
    pub(super) fn judge(&mut self, now: Instant) {
        let Some(to_judge) = self.next_to_judge(now, false).map(Arc::new) else { return };
        self.refusals.telling = Some(Arc::clone(&to_judge));
        let shared = &self.worker.shared;
        let (store, set_by, rules) =
            (shared.store.clone(), shared.preparer.actor.name.clone(), shared.settings.brake.clone());
        self.under_way.judges = true;
        self.step(Kind::Judge, async move {
            Step::Judged(steps::within(steps::judge(&store, set_by, &to_judge, &rules)).await)
        });
    }

    /// What there is to tell; at the end also to learn what was queued again.
    fn next_to_judge(&mut self, now: Instant, is_last: bool) -> Option<ToJudge> {
        let rules = &self.worker.shared.settings.brake;
        let refusals = &mut self.refusals;
        refusals.tell_at = None;
        let is_more = refusals.is_taken || !refusals.to_note.is_empty() || is_last && !refusals.failed.is_empty();
        if !is_more {
            return None;
        }
        refusals.told_at = Some(now);
        let mut domains: Vec<&str> = refusals.own.iter().map(|(_, domain)| domain.as_str()).collect();
        domains.sort_unstable();
        domains.dedup();
        let count = i64::try_from(refusals.own.len()).unwrap_or(i64::MAX);
        let is_many =
            count >= rules.refusals * OWN_FACTOR && i64::try_from(domains.len()).unwrap_or(i64::MAX) >= DOMAINS_MIN;
        let own = if refusals.is_own_trouble { Some(i64::MIN / 2) } else { refusals.ended.filter(|_| is_many) };
        let own = own.map(|ended| (refusals.own.iter().map(|(noted, _)| noted.clone()).collect(), ended));
        Some(ToJudge {
            is_taken: std::mem::take(&mut refusals.is_taken),
            noted: std::mem::take(&mut refusals.to_note),
            says: refusals.says.clone(),
            own,
            failed: refusals.failed.iter().map(|(id, _)| *id).collect(),
        })
    }

    /// The last of it, when the run is over.
    pub(super) async fn judge_last(&mut self) {
        let Some(to_judge) = self.next_to_judge(Instant::now(), true) else { return };
        let shared = Arc::clone(&self.worker.shared);
        let set_by = shared.preparer.actor.name.clone();
        match steps::within(steps::judge(&shared.store, set_by, &to_judge, &shared.settings.brake)).await {
            Ok(judged) => self.forget_put_back(&judged.put_back),
            Err(error) => tracing::warn!(%error, "refusals were not noted"),
        }
    }

    pub(super) fn judged_in(&mut self, result: Result<Judged, Error>, now: Instant) {
        self.under_way.judges = false;
        let Some(to_judge) = self.refusals.telling.take() else { return };
        match result {
            Ok(judged) => {
                self.forget_put_back(&judged.put_back);
                if !to_judge.noted.is_empty() && !self.refusals.own.is_empty() {
                    self.refusals.ended.get_or_insert(judged.runs_ended);
                }
                if to_judge.is_taken {
                    let is_recent = |(_, at): &(SendId, Instant)| now.duration_since(*at) < REMEMBERED;
                    self.refusals.failed.retain(is_recent);
                }
                if judged.is_changed {
                    self.beat_at = now;
                }
                if judged.is_own_trouble {
                    let reason = format!(
                        "the mail server takes none of this worker's mails, but takes others': {}",
                        to_judge.says
                    );
                    self.refusals.is_own_trouble = true;
                    self.stop(reason.clone());
                    self.trouble(reason);
                }
                if judged.is_changed || self.held.is_some() {
                    self.look_at_brake(judged.brake);
                }
            }
            Err(error) => {
                tracing::warn!(%error, "refusals wait for the database");
                let refusals = &mut self.refusals;
                let since = std::mem::replace(&mut refusals.to_note, to_judge.noted.clone());
                // What was taken since is the end of that run.
                if refusals.is_taken {
                    refusals.end_noted();
                }
                refusals.is_taken |= to_judge.is_taken;
                refusals.to_note.extend(since);
                refusals.tell_at = Some(now + POLL_EVERY);
                self.stop_held();
            }
        }
    }

    /// Holds everything back for refusals, until the brake's next probe.
    pub(super) fn hold_for_refusals(&mut self, brake: &Brake, held: Held) {
        let wait = brake.probe_in(self.worker.shared.settings.brake.probe_at_most).unwrap_or_default();
        let now = Instant::now();
        self.refusals.probe_at = Some((now + wait).max(self.soonest_probe(now)));
        if self.mode == Mode::Drain && (wait.is_zero() || self.is_probing()) && !self.stopping {
            // Where workers run for some mails only, one of them must try.
            self.held = Some(held);
        } else {
            self.hold(held);
        }
    }

    /// Whether a mail is tried, or what came of it is not told yet.
    pub(in crate::outbox) fn is_probing(&self) -> bool {
        let refusals = &self.refusals;
        self.under_way.probes || refusals.probe.is_some() || self.under_way.judges || refusals.is_taken
    }

    /// A mail was queued: one to another domain may be tried out of turn.
    pub(super) fn probe_soon(&mut self) {
        if self.refusals.probe_at.is_some() {
            let soonest = self.soonest_probe(Instant::now());
            self.refusals.probe_at = self.refusals.probe_at.map(|at| at.min(soonest));
        }
    }

    fn soonest_probe(&self, now: Instant) -> Instant {
        let apart = PROBE_APART.min(self.worker.shared.settings.brake.probe_after);
        self.refusals.asked_at.map_or(now, |asked_at| asked_at + apart)
    }

    /// Tries one mail, if no other worker does.
    pub(super) fn probe(&mut self, now: Instant) {
        let (store, preparer) = (self.store().clone(), self.preparer());
        let rules = self.worker.shared.settings.brake.clone();
        self.under_way.probes = true;
        self.refusals.asked_at = Some(now);
        self.refusals.probe_at = Some(now + POLL_EVERY);
        self.step(Kind::Probe { asked_at: now }, async move {
            let result = steps::within(steps::probe(store, preparer, rules)).await;
            Step::Probed { result, asked_at: now }
        });
    }

    pub(super) fn probed_in(&mut self, result: Result<(Batch, Option<Brake>), Error>, asked_at: Instant, now: Instant) {
        self.under_way.probes = false;
        let (batch, brake) = match result {
            Ok(probed) => probed,
            Err(error) => {
                self.may_have_begun(asked_at, now);
                tracing::warn!(%error, "no mail could be tried");
                if self.mode == Mode::Drain {
                    self.stop(error.to_string());
                }
                return;
            }
        };
        self.standing_in(batch.standing, now);
        self.made_nothing_of(&batch);
        let is_none = batch.ready.is_empty();
        if self.is_leaving() {
            // Begun, and no lane will send it: put back.
            self.astray.is_any |= !is_none;
            return;
        }
        for ready in batch.ready {
            self.leased_in(asked_at);
            tracing::info!(send = %ready.id, "trying whether the mail server takes mail again");
            self.refusals.start_probe(ready.id);
            self.hand_over(ready, now);
        }
        self.look_at_brake(brake);
        if is_none {
            self.stop_held();
        }
    }

    /// Takes what was queued again, by whichever worker, out of what this one has counted as failed.
    fn forget_put_back(&mut self, put_back: &[SendId]) {
        let before = self.refusals.failed.len();
        self.refusals.failed.retain(|(id, _)| !put_back.contains(id));
        let count = i64::try_from(before - self.refusals.failed.len()).unwrap_or_default();
        self.tally.failed -= count.min(self.tally.failed);
        if self.tally.failed == 0 {
            self.tally.failed_by = None;
        }
    }
}
