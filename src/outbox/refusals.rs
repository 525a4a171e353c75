//! Mails that the server did not take, as far as this worker knows: once their results are recorded they are reported,
//! with those of the other workers ([`super::step::report_refusals`]).

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::lane::{Answer, LaneResult};
use super::refusal::Refusal;
use super::worker_loop::WorkerLoop;
use crate::config;
use crate::domain::id::SendId;
use crate::store::outbox::result::{Outcome, SendResult};
use crate::store::refusals::{DOMAINS_MIN, Noted, REMEMBERED};

/// How soon after the last time the database hears that mails are taken, while nothing speaks against it.
const TAKEN_EVERY: Duration = Duration::from_millis(250);

/// How many times the run that pauses all workers one of a single worker is before it alone stops: where all are
/// refused their common run is the longer one.
const OWN_FACTOR: i64 = 2;

/// Most mails of such a run that are remembered.
const OWN_MAX: usize = 1_000;

/// Most sends of which is remembered that they counted as failed.
const FAILED_MAX: usize = 1_000;

/// What is known of refusals, and not reported yet.
#[derive(Debug, Default)]
pub(super) struct Refusals {
    /// Of sends whose results are to be recorded, and how many pauses had been heard of.
    of: HashMap<SendId, (Refusal, i64)>,
    /// How many pauses for refusals have ended, as far as is known here.
    pauses_heard: i64,
    /// Recorded, and to be reported.
    to_report: Vec<Noted>,
    /// What the server said last.
    says: String,
    /// Whether a mail was taken before those.
    is_taken: bool,
    /// When to report this at the latest.
    report_at: Option<Instant>,
    reported_at: Option<Instant>,
    /// Of this worker alone, since it last had a mail taken: the send, its domain.
    own: Vec<(Noted, String)>,
    /// How many runs had been ended when that was first reported.
    ended: Option<i64>,
    /// Whether that is this worker's own trouble: what is still in its lanes is part of it.
    is_own_trouble: bool,
    /// Counted as failed, and when: they may still be queued again.
    failed: Vec<(SendId, Instant)>,
    /// What is being reported.
    reporting: Option<Arc<RefusalReport>>,
}

#[derive(Debug)]
pub(super) struct RefusalReport {
    pub(super) is_taken: bool,
    pub(super) noted: Vec<Noted>,
    pub(super) says: String,
    /// This worker's own run, if it is long enough to be its own trouble, and how many had been ended when it began.
    pub(super) own: Option<(Vec<Noted>, i64)>,
    /// Counted as failed so far.
    pub(super) failed: Vec<SendId>,
}

impl Refusals {
    pub(super) fn report_at(&self) -> Option<Instant> {
        self.report_at
    }

    /// Whether a mail was taken of which the database has not heard.
    pub(super) fn is_taken(&self) -> bool {
        self.is_taken
    }

    /// Whether there are some of which the database has not heard.
    pub(super) fn is_urgent(&self) -> bool {
        self.to_report.iter().any(|noted| !noted.is_ended)
    }

    /// How many are not reported yet.
    fn unreported(&self) -> usize {
        let reporting = self.reporting.iter().flat_map(|report| &report.noted);
        self.of.len() + self.to_report.iter().chain(reporting).filter(|noted| !noted.is_ended).count()
    }

    /// So many pauses for refusals have ended.
    pub(super) fn hear(&mut self, pauses_ended: i64) {
        self.pauses_heard = pauses_ended;
    }

    /// A mail was taken behind what is to be reported.
    fn end_run(&mut self) {
        self.to_report.iter_mut().for_each(|noted| noted.is_ended = true);
        // The newest matter.
        self.to_report.drain(..self.to_report.len().saturating_sub(OWN_MAX));
    }

    /// What became of this send will not be recorded.
    pub(super) fn forget(&mut self, id: SendId) {
        self.of.remove(&id);
    }

    /// A mail is back from its lane.
    pub(super) fn note(&mut self, done: &LaneResult) {
        let is_failed = done.outcome.as_ref().is_some_and(|it| matches!(it.result, SendResult::Failed { .. }));
        if is_failed && done.answer != Answer::Broke && self.failed.len() < FAILED_MAX {
            self.failed.push((done.id, Instant::now()));
        }
        if let Some(refusal) = done.refusal.clone() {
            self.of.insert(done.id, (refusal, self.pauses_heard));
        }
    }

    /// What there is to report; it is being reported from here on.
    pub(super) fn next(&mut self, rules: &config::Brake, now: Instant) -> Option<Arc<RefusalReport>> {
        self.report_at = None;
        let is_any = self.is_taken || !self.to_report.is_empty();
        self.reporting = is_any.then(|| Arc::new(self.take(rules, now)));
        self.reporting.clone()
    }

    /// What is left when the worker ends; also where some have failed, to learn what was queued again.
    pub(super) fn last(&mut self, rules: &config::Brake, now: Instant) -> Option<RefusalReport> {
        self.report_at = None;
        let is_any = self.is_taken || !self.to_report.is_empty() || !self.failed.is_empty();
        is_any.then(|| self.take(rules, now))
    }

    fn take(&mut self, rules: &config::Brake, now: Instant) -> RefusalReport {
        self.reported_at = Some(now);
        let mut domains: Vec<&str> = self.own.iter().map(|(_, domain)| domain.as_str()).collect();
        domains.sort_unstable();
        domains.dedup();
        let count = i64::try_from(self.own.len()).unwrap_or(i64::MAX);
        let is_many =
            count >= rules.refusals * OWN_FACTOR && i64::try_from(domains.len()).unwrap_or(i64::MAX) >= DOMAINS_MIN;
        let own = if self.is_own_trouble { Some(i64::MIN / 2) } else { self.ended.filter(|_| is_many) };
        let own = own.map(|ended| (self.own.iter().map(|(noted, _)| noted.clone()).collect(), ended));
        RefusalReport {
            is_taken: std::mem::take(&mut self.is_taken),
            noted: std::mem::take(&mut self.to_report),
            says: self.says.clone(),
            own,
            failed: self.failed.iter().map(|(id, _)| *id).collect(),
        }
    }

    /// It is reported; so many runs had been ended by then.
    pub(super) fn on_reported(&mut self, report: &RefusalReport, runs_ended: i64, now: Instant) {
        self.reporting = None;
        if !report.noted.is_empty() && !self.own.is_empty() {
            self.ended.get_or_insert(runs_ended);
        }
        if report.is_taken {
            self.failed.retain(|(_, at)| now.duration_since(*at) < REMEMBERED);
        }
    }

    /// It could not be reported, and is tried again.
    pub(super) fn keep(&mut self, report: &RefusalReport, again_at: Instant) {
        self.reporting = None;
        let since = std::mem::replace(&mut self.to_report, report.noted.clone());
        // What was taken since is the end of that run.
        if self.is_taken {
            self.end_run();
        }
        self.is_taken |= report.is_taken;
        self.to_report.extend(since);
        self.report_at = Some(again_at);
    }

    /// This worker's mails are refused while others' are taken.
    pub(super) fn are_own_trouble(&mut self) {
        self.is_own_trouble = true;
    }

    /// These are queued again. Returns how many of them had counted as failed.
    pub(super) fn forget_failed(&mut self, put_back: &[SendId]) -> i64 {
        let before = self.failed.len();
        self.failed.retain(|(id, _)| !put_back.contains(id));
        i64::try_from(before - self.failed.len()).unwrap_or_default()
    }
}

impl WorkerLoop {
    /// Whether so many refusals are not reported yet that they may be a run: the server refuses more quickly than the
    /// database takes it in.
    pub(super) fn has_unreported_run(&self) -> bool {
        let count = i64::try_from(self.refusals.unreported()).unwrap_or(i64::MAX);
        count >= self.worker.shared.settings.brake.refusals
    }

    /// Results are recorded, in the order in which they came.
    pub(super) fn note_recorded(&mut self, outcomes: &[Outcome], elsewhere: &[SendId], now: Instant) {
        let refusals = &mut self.refusals;
        for outcome in outcomes {
            let refusal = refusals.of.remove(&outcome.id);
            self.probing.forget(outcome.id);
            if let SendResult::Accepted { .. } = outcome.result {
                // The server took it, whatever its row says: an earlier try to record it may have come through.
                refusals.is_taken = true;
                refusals.end_run();
                refusals.own.clear();
                refusals.ended = None;
            } else if let Some((refusal, pauses_heard)) = refusal.filter(|_| !elsewhere.contains(&outcome.id)) {
                let Refusal { is_of_us, is_final, at, .. } = refusal;
                let noted = Noted { id: outcome.id, is_of_us, is_final, is_ended: false, at, pauses_heard };
                refusals.to_report.push(noted.clone());
                if refusals.own.len() < OWN_MAX {
                    refusals.own.push((noted, refusal.domain));
                }
                refusals.says = refusal.says;
            }
        }
        if refusals.is_taken || !refusals.to_report.is_empty() {
            let is_urgent = refusals.is_urgent() || self.held.is_some();
            let usual = refusals.reported_at.map_or(now, |reported_at| reported_at + TAKEN_EVERY);
            let at = if is_urgent { now } else { usual.max(now) };
            refusals.report_at = Some(refusals.report_at.map_or(at, |already| already.min(at)));
        }
    }
}
