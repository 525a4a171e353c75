//! Queues the next mails of jobs, when nothing else waits.

use std::time::Duration;

use tokio::time::Instant;

use super::Step;
use crate::domain::change::Change;
use crate::domain::resend::ResendPolicy;
use crate::outbox::queue::LOOK_EVERY;
use crate::outbox::worker_loop::WorkerLoop;
use crate::store::jobs::{Advanced, CHUNK};
use crate::store::{Error, Store};

/// How much of a job is queued ahead, and how many mails at least.
const AHEAD: Duration = Duration::from_secs(5);
const MIN: i64 = 20;

/// How long a job at which another worker is working is left to it.
const ELSEWHERE: Duration = Duration::from_millis(200);

pub(super) fn due(worker: &WorkerLoop) -> Option<Instant> {
    worker
        .queue
        .jobs_at()
        .filter(|_| worker.may_send() && worker.held.is_none() && !worker.steps.is_running(Step::Jobs))
}

pub(super) fn start(worker: &mut WorkerLoop, _now: Instant) {
    #[expect(clippy::cast_possible_truncation, reason = "bounded at once")]
    let room = ((worker.flow.rate() * AHEAD.as_secs_f64()) as i64).clamp(MIN, CHUNK);
    let policy = worker.worker.shared.settings.verification.resend_policy();
    worker.steps.spawn(Step::Jobs, advance(worker.store().clone(), room, policy), finish);
}

async fn advance(store: Store, room: i64, policy: ResendPolicy) -> Result<Advanced, Error> {
    let advanced = store.advance_jobs(room, &policy).await?;
    if advanced.looked_at > 0 {
        store.notify(Change::Many).await;
        store.notify(Change::Outbox).await;
    }
    if advanced.queued > 0 {
        store.notify(Change::Queued).await;
    }
    Ok(advanced)
}

fn finish(worker: &mut WorkerLoop, result: Result<Advanced, Error>) {
    let now = Instant::now();
    let advanced = match result {
        Ok(advanced) => advanced,
        Err(error) => {
            tracing::warn!(%error, "jobs wait for the database");
            worker.queue.ask_jobs_at(now + LOOK_EVERY);
            return;
        }
    };
    if advanced.queued > 0 {
        worker.queue.on_queued(now);
    }
    worker.queue.ask_jobs_at(match (advanced.more, advanced.looked_at) {
        (true, 0) => now + ELSEWHERE,
        (true, _) => now,
        // Also without a notification: it may not have been heard.
        (false, _) => now + advanced.next_in.map_or(LOOK_EVERY, |wait| wait.min(LOOK_EVERY)),
    });
}
