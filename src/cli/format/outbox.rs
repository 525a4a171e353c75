//! The outbox, jobs and plans as JSON.

use serde_json::{Map, Value, json};

use super::json::time;
use crate::cli::time::shown;
use crate::domain::Time;
use crate::domain::alert::Alert;
use crate::domain::amazon::{DeadLetters, EventQueue, SesAccount};
use crate::domain::brake::Brake;
use crate::domain::filter::Search;
use crate::domain::job::{JobPlan, JobResults, JobRow, JobScope, JobSkip, Skip, Skipped};
use crate::domain::pace::PaceView;
use crate::domain::reputation::{Hour, Rate, Reputation};
use crate::domain::send::SendState;
use crate::domain::worker::{OutboxView, WorkerRow};

/// What a bulk resend would do.
pub fn plan(plan: &JobPlan) -> Value {
    json!({
        "found": plan.found,
        "mails": plan.mails,
        "skipped": skipped(&plan.skipped),
        "seconds": plan.seconds,
        "over_quota": plan.over_quota,
        "first": plan.first,
        "as_of": shown(plan.as_of),
    })
}

/// A job.
pub fn job(job: &JobRow) -> Value {
    json!({
        "id": job.id,
        "state": job.state.as_str(),
        "scope": scope(&job.scope),
        "created_at": shown(job.created_at),
        "created_by": job.created_by,
        "cut_off": shown(job.cut_off),
        "starts_at": shown(job.starts_at),
        "ended_at": time(job.ended_at),
        "reason": job.reason,
        "found": job.found,
        "planned": job.planned,
        "looked_at": job.looked_at,
        "queued": job.queued,
        "open": job.open,
        "skipped": skipped(&job.skipped),
        "progress": job.progress(),
    })
}

/// A job and what came of its mails.
pub fn job_in_full(row: &JobRow, results: &JobResults) -> Value {
    let mut value = job(row);
    let states = SendState::ALL.into_iter().map(|state| (state.as_str().to_owned(), json!(results.of(state))));
    let mut counts: Map<_, _> = states.collect();
    counts.insert("opened".into(), json!(results.opened));
    value["results"] = counts.into();
    value
}

/// A user that a job has left out.
pub fn job_skip(skip: &JobSkip) -> Value {
    json!({
        "id": skip.verification_id,
        "user_id": skip.user_id,
        "email": skip.email,
        "reason": skip.reason.as_str(),
    })
}

fn scope(scope: &JobScope) -> Value {
    match scope {
        JobScope::Filter(filter) => json!({
            "status": filter.status.map_or("all", |status| status.as_str()),
            "search": filter.search.as_ref().map(Search::typed),
            "since": time(filter.since),
            "until": time(filter.until),
            "filter": filter.to_string(),
        }),
        JobScope::Mails(filter) => json!({ "mails": filter.to_string() }),
        JobScope::Marked(ids) => json!({ "ids": ids }),
    }
}

fn skipped(skipped: &Skipped) -> Value {
    Skip::ALL.into_iter().map(|skip| (skip.as_str().to_owned(), json!(skipped.of(skip)))).collect::<Map<_, _>>().into()
}

/// The outbox and who works it off.
pub fn outbox(view: &OutboxView) -> Value {
    json!({
        "as_of": shown(view.as_of),
        "waiting": view.queued,
        "sending": view.sending,
        "unknown": view.unknown,
        "due_since": time(view.due_since),
        "why_waiting": view.why_waiting(),
        "pace": pace(&view.pace),
        "brake": view.brake.as_ref().map(brake),
        "alerts": view.alerts.iter().map(alert).collect::<Vec<_>>(),
        "reputation": reputation(&view.reputation),
        "workers": view.workers.iter().map(|row| worker(row, view.as_of)).collect::<Vec<_>>(),
        "jobs": view.jobs.iter().map(job).collect::<Vec<_>>(),
        "account": view.account.as_ref().map(account),
        "webhook": super::json::webhook(&view.webhook),
        "webhooks": view.hooks.iter().map(|one| super::hooks::endpoint(one, view.as_of)).collect::<Vec<_>>(),
        "event_queues": view.event_queues.iter().map(event_queue).collect::<Vec<_>>(),
    })
}

fn alert(alert: &Alert) -> Value {
    json!({
        "kind": alert.kind,
        "subject": alert.subject,
        "summary": alert.summary,
        "began_at": shown(alert.began_at),
        "told": alert.is_told,
        "error": alert.error,
    })
}

pub(super) fn account(account: &SesAccount) -> Value {
    let standing = account.standing.as_ref();
    json!({
        "seen_at": time(standing.map(|standing| standing.seen_at)),
        "region": standing.map(|standing| &standing.region),
        "is_sandbox": standing.map(|standing| standing.is_sandbox),
        "can_send": standing.map(|standing| standing.can_send),
        "enforcement": standing.map(|standing| &standing.enforcement),
        "rate_max": standing.map(|standing| standing.rate_max),
        "daily_max": standing.and_then(|standing| standing.daily_max),
        "sent": standing.map(|standing| standing.sent),
        "sent_by_others": standing.map(|standing| standing.sent_by_others),
        "review": standing.map(|standing| &standing.review),
        "error": account.error.as_ref().map(|(error, _)| error),
        "failed_at": time(account.error.as_ref().map(|(_, at)| *at)),
        "missing_permission": account.permission,
    })
}

fn event_queue(queue: &EventQueue) -> Value {
    let depth = queue.depth.as_ref();
    let dead = depth.map(|depth| depth.dead_letters);
    json!({
        "url": queue.url,
        "seen_at": time(depth.map(|depth| depth.seen_at)),
        "waiting": depth.map(|depth| depth.waiting),
        "in_flight": depth.map(|depth| depth.in_flight),
        "has_dead_letter_queue": dead.map(|dead| dead != DeadLetters::NoQueue),
        "dead_letters": dead.and_then(|dead| if let DeadLetters::Count(count) = dead { Some(count) } else { None }),
        "left_alone": queue.left_alone,
        "left_at": time(queue.left_at),
        "error": queue.error.as_ref().map(|(error, _)| error),
        "failed_at": time(queue.error.as_ref().map(|(_, at)| *at)),
    })
}

pub(super) fn pace(pace: &PaceView) -> Value {
    json!({
        "limit": pace.limit,
        "rate": pace.rate,
        "lowered_at": time(pace.lowered_at),
        "daily_quota": pace.daily_quota,
        "used": pace.used,
        "left": pace.left(),
        "next_place_at": time(pace.next_place_at),
    })
}

pub(super) fn reputation(reputation: &Reputation) -> Value {
    let rate = |rate: Rate| json!({ "count": rate.count, "rate": rate.part(), "limit": rate.limit });
    json!({
        "sends": reputation.sends,
        "window": reputation.window,
        "is_enough": reputation.is_enough(),
        "bounces": rate(reputation.bounces),
        "complaints": rate(reputation.complaints),
        "hours": reputation.hours.iter().map(hour).collect::<Vec<_>>(),
        "day": hour(&reputation.day()),
    })
}

fn hour(hour: &Hour) -> Value {
    json!({ "sent": hour.sent, "bounced": hour.bounced, "complained": hour.complained, "failed": hour.failed })
}

fn brake(brake: &Brake) -> Value {
    json!({
        "state": brake.state.as_str(),
        "cause": brake.cause.as_str(),
        "set_by": brake.set_by,
        "reason": brake.reason,
        "set_at": shown(brake.set_at),
        "until": time(brake.until),
        "probe_at": time(brake.probe_at),
    })
}

fn worker(worker: &WorkerRow, now: Time) -> Value {
    json!({
        "id": worker.id,
        "host": worker.host,
        "pid": worker.pid,
        "alive": worker.is_alive(now),
        "waits_for": worker.waits_for,
        "transport": worker.transport,
        "target": worker.target,
        "rate": worker.rate,
        "lanes": worker.lanes,
        "pace_rate": worker.pace_rate,
        "pace_quota": worker.pace_quota,
        "sent": worker.sent,
        "failed": worker.failed,
        "version": worker.version,
        "last_error": worker.last_error,
        "secret": worker.secret_fingerprint,
        "secret_previous": worker.secret_previous_fingerprint,
        "started_at": shown(worker.started_at),
        "beat_at": shown(worker.beat_at),
        "stopped_at": time(worker.stopped_at),
    })
}
