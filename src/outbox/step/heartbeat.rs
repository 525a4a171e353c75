//! Writes a heartbeat, asks whether the worker may work, and reads the brake.

use tokio::time::Instant;

use super::{Step, within};
use crate::domain::brake::Brake;
use crate::domain::change::Change;
use crate::outbox::worker_loop::WorkerLoop;
use crate::store::admission::Blocker;
use crate::store::outbox::standing::Arrival;
use crate::store::workers::Heartbeat;
use crate::store::{Error, Store};

/// When a worker next shows itself, and how fast it was since it last did.
#[derive(Debug)]
pub(in crate::outbox) struct Presence {
    at: Instant,
    /// Whether others are notified of the next heartbeat.
    is_news: bool,
    measured_at: Instant,
    measured_sent: i64,
}

impl Presence {
    pub(in crate::outbox) fn new(now: Instant, sent: i64) -> Self {
        Self { at: now, is_news: true, measured_at: now, measured_sent: sent }
    }

    /// A heartbeat before its time, which also reads the brake.
    pub(in crate::outbox) fn show_now(&mut self, now: Instant) {
        self.at = now;
    }

    /// One then at the latest.
    pub(in crate::outbox) fn show_by(&mut self, at: Instant) {
        self.at = self.at.min(at);
    }

    /// Mails a second since this was last asked; `None` if that was a moment ago.
    fn rate(&mut self, sent: i64, now: Instant) -> Option<f64> {
        let elapsed = (now - self.measured_at).as_secs_f64();
        if elapsed <= 1.0 {
            return None;
        }
        #[expect(clippy::cast_precision_loss, reason = "a rate")]
        let rate = (sent - self.measured_sent) as f64 / elapsed;
        (self.measured_at, self.measured_sent) = (now, sent);
        Some(rate)
    }
}

/// What came of a heartbeat.
struct Beaten {
    /// The worker to wait for.
    blocker: Option<Blocker>,
    /// Where it was written.
    arrival: Arrival,
    brake: Option<Brake>,
    /// How many pauses for refusals have ended.
    pauses_ended: i64,
}

pub(super) fn due(worker: &WorkerLoop) -> Option<Instant> {
    let at = worker.presence.at;
    let until = worker.held.as_ref().and_then(|held| held.until);
    (!worker.steps.is_running(Step::Heartbeat)).then(|| until.map_or(at, |until| until.min(at)))
}

pub(super) fn start(worker: &mut WorkerLoop, now: Instant) {
    if let Some(rate) = worker.presence.rate(worker.tally.sent, now) {
        worker.worker.beat.rate = rate;
    }
    worker.fill_heartbeat();
    worker.presence.at = now + worker.admission.beat_every();
    if let Some(held) = &mut worker.held {
        held.until = None;
    }
    let is_news = std::mem::take(&mut worker.presence.is_news);
    let beating = beat(worker.store().clone(), worker.name(), worker.worker.beat.clone(), is_news);
    let step = async move { within(beating).await };
    worker.steps.spawn(Step::Heartbeat, step, move |worker, result| finish(worker, result, now));
}

async fn beat(store: Store, who: String, beat: Heartbeat, is_news: bool) -> Result<Beaten, Error> {
    let blocker = if beat.stopped { None } else { store.admit(&beat).await? };
    store.beat(&beat).await?;
    if is_news {
        store.notify(Change::Workers).await;
    }
    let (arrival, brake) = (store.arrive(&who).await?, store.brake().await?);
    Ok(Beaten { blocker, arrival, brake, pauses_ended: store.pauses_ended().await? })
}

fn finish(worker: &mut WorkerLoop, result: Result<Beaten, Error>, asked_at: Instant) {
    match result {
        Ok(Beaten { blocker, arrival, brake, pauses_ended }) => {
            worker.refusals.hear(pauses_ended);
            worker.on_arrival(arrival, Instant::now());
            worker.on_admission(blocker, asked_at);
            worker.on_brake(brake);
        }
        Err(error) => tracing::warn!(%error, "no heartbeat"),
    }
}

/// The first one, before anything else is done.
pub(in crate::outbox) async fn first(worker: &mut WorkerLoop) {
    worker.fill_heartbeat();
    match within(beat(worker.store().clone(), worker.name(), worker.worker.beat.clone(), true)).await {
        // Whether it is admitted has been asked already.
        Ok(beaten) => {
            worker.refusals.hear(beaten.pauses_ended);
            worker.on_arrival(beaten.arrival, Instant::now());
        }
        Err(error) => tracing::warn!(%error, "the database does not answer everything"),
    }
    worker.presence.at = Instant::now() + worker.admission.beat_every();
}

pub(in crate::outbox) async fn last(worker: &mut WorkerLoop) {
    worker.fill_heartbeat();
    worker.worker.beat.rate = 0.0;
    worker.worker.beat.stopped = true;
    worker.worker.beat.last_error.clone_from(&worker.tally.stopped_by);
    if let Err(error) = beat(worker.store().clone(), worker.name(), worker.worker.beat.clone(), true).await {
        tracing::warn!(%error, "the last heartbeat was not written");
    }
}

impl WorkerLoop {
    fn fill_heartbeat(&mut self) {
        let beat = &mut self.worker.beat;
        (beat.sent, beat.failed) = (self.tally.sent, self.tally.failed);
        beat.lanes = i32::try_from(self.flow.lanes()).unwrap_or(i32::MAX);
    }

    /// Shows what keeps mails waiting to those who look at the workers, until a mail is accepted.
    pub(in crate::outbox) fn trouble(&mut self, reason: String) {
        tracing::warn!("{reason}");
        let is_new = self.worker.beat.last_error.as_ref() != Some(&reason);
        self.worker.beat.last_error = Some(reason);
        if is_new {
            self.show_news();
        }
    }

    /// What began with these words keeps nothing waiting any more.
    pub(in crate::outbox) fn trouble_is_over(&mut self, words: &str) {
        if self.worker.beat.last_error.take_if(|error| error.starts_with(words)).is_some() {
            self.show_news();
        }
    }

    /// Nothing keeps mails waiting: one was accepted.
    pub(in crate::outbox) fn all_is_well(&mut self) {
        if self.worker.beat.last_error.take().is_some() {
            self.show_news();
        }
    }

    /// A heartbeat before its time, and others are notified of it.
    pub(in crate::outbox) fn show_news(&mut self) {
        self.presence.is_news = true;
        self.presence.at = Instant::now();
    }
}
