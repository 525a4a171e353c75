//! Whether this worker may work with those that are at work. With a secret that does not fit theirs it would revoke the
//! links that they mailed, and they would revoke its own: it waits until they have stopped or fallen silent.

use std::time::Duration;

use tokio::time::Instant;

use super::worker_loop::WorkerLoop;
use crate::domain::worker::{BEAT_EVERY, GONE_AFTER_SECONDS};
use crate::store::admission::Blocker;
use crate::store::outbox::standing::Standing;

/// How often one that waits asks again: until then nothing may be sent by anyone.
const ASK_EVERY: Duration = Duration::from_secs(1);

/// How the trouble begins that is over once it may work.
const WAITS: &str = "waits, since its secret does not fit";

/// What the database said of it.
#[derive(Debug, Default)]
pub(super) struct Admission {
    /// When it was last asked and said yes.
    at: Option<Instant>,
    /// Since when it has said no.
    waits_since: Option<Instant>,
}

impl Admission {
    /// Whether it may claim. Not if no heartbeat has reached the database for so long that another may have taken its
    /// place.
    pub(super) fn is_admitted(&self) -> bool {
        self.at.is_some_and(|at| at.elapsed() < Duration::from_secs(GONE_AFTER_SECONDS.unsigned_abs()))
    }

    /// Until the next heartbeat.
    pub(super) fn beat_every(&self) -> Duration {
        if self.waits_since.is_some() { ASK_EVERY } else { BEAT_EVERY }
    }
}

impl WorkerLoop {
    /// A claim was asked for. Returns whether it was allowed: not where the database has not heard of this worker for so long that
    /// another may have taken its place, though its own clock, which stands still with its machine, knows of nothing; nor
    /// where it is another server.
    pub(super) fn on_standing(&mut self, standing: Option<Standing>, now: Instant) -> bool {
        let Some(standing) = standing else { return true };
        self.on_server(standing.server, now);
        if !standing.is_admitted {
            self.admission.at = None;
            self.presence.show_now(now);
        }
        standing.is_admitted && !self.failover.is_pending()
    }

    /// A heartbeat was written.
    pub(super) fn on_admission(&mut self, blocker: Option<Blocker>, asked_at: Instant) {
        let Some(blocker) = blocker else {
            let was_out = !self.admission.is_admitted();
            self.admission.at = Some(asked_at);
            if self.admission.waits_since.take().is_some() {
                tracing::info!("no worker with another secret is at work any more: this one begins");
                self.trouble_is_over(WAITS);
                self.show_news();
            }
            if was_out {
                let now = Instant::now();
                self.queue.on_released(now);
                self.queue.ask_jobs_at(now);
                self.housekeeping.do_now(now);
            }
            return;
        };
        self.admission.at = None;
        let since = *self.admission.waits_since.get_or_insert(asked_at);
        let reason = format!(
            "{WAITS} that of the worker on {}, process {} (its own has the fingerprint {}, the other {}); it begins when \
             that one has stopped, or been silent for {GONE_AFTER_SECONDS} s",
            blocker.host.plain(),
            blocker.pid,
            self.worker.beat.secret_fingerprint,
            blocker.secret_fingerprint.plain()
        );
        // It has been heard of since: it will not fall silent by itself.
        if self.shutdown.is_drain() && blocker.silent < since.elapsed().as_secs_f64() {
            self.stop(reason.clone());
        }
        if self.worker.beat.last_error.as_ref() != Some(&reason) {
            self.trouble(reason);
        }
        self.presence.show_by(Instant::now() + ASK_EVERY);
    }
}
