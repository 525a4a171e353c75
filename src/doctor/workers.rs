//! Who sends: whether they are there, fit together, and what stops them.

use chrono::TimeDelta;

use super::{Finding, Room, check::Examined};
use crate::domain::brake::{BrakeCause, BrakeState};
use crate::domain::key::secret_fingerprint;
use crate::domain::secrets;
use crate::domain::worker::{OutboxView, WorkerRow};

/// For how long one that fell silent is worth a look.
const LATELY: TimeDelta = TimeDelta::hours(1);

/// How a worker is named.
pub(super) fn name(worker: &WorkerRow) -> String {
    format!("{}, process {}", worker.host.plain(), worker.pid)
}

fn alive(outbox: &OutboxView) -> impl Iterator<Item = &WorkerRow> {
    outbox.workers.iter().filter(|worker| worker.is_alive(outbox.as_of))
}

pub(super) fn alive_workers(room: &Room) -> Examined<'_> {
    Box::pin(async move {
        let outbox = room.outbox().await?;
        let names: Vec<String> = alive(outbox).map(name).collect();
        if names.is_empty() {
            let last = outbox.workers.iter().max_by_key(|worker| worker.beat_at);
            let words = last.map_or_else(
                || "no worker was heard of in the last day: no mail goes out".to_owned(),
                |last| format!("no worker is running; the last one was on {}", name(last)),
            );
            return Ok(Finding::red(words, "start `verifydesk worker`, and see its log if it does not stay"));
        }
        Ok(Finding::green(format!("{} at work: {}", names.len(), names.join("; "))))
    })
}

pub(super) fn silent(room: &Room) -> Examined<'_> {
    Box::pin(async move {
        let outbox = room.outbox().await?;
        let now = outbox.as_of;
        // One that was started again on its host is not missed.
        let is_missed = |worker: &&WorkerRow| {
            worker.stopped_at.is_none()
                && !worker.is_alive(now)
                && now - worker.beat_at < LATELY
                && !alive(outbox).any(|other| other.host == worker.host && other.started_at > worker.started_at)
        };
        let missed: Vec<String> = outbox.workers.iter().filter(is_missed).map(name).collect();
        Ok(if missed.is_empty() {
            Finding::green("none fell silent in the last hour")
        } else {
            Finding::yellow(
                format!("fell silent without a word: {}", missed.join("; ")),
                "see whether its host runs and reaches the database, and its log; what it had in hand goes to others when \
                 its leases end",
            )
        })
    })
}

pub(super) fn secrets(room: &Room) -> Examined<'_> {
    Box::pin(async move {
        let outbox = room.outbox().await?;
        if let Some(trouble) = outbox.secret_trouble(outbox.as_of) {
            let words = trouble.words().into_iter().next().unwrap_or_default();
            return Ok(Finding::red(words, secrets::HINT));
        }
        let theirs = alive(outbox).next();
        let ours = room.settings.secret.as_ref().map(|secret| secret_fingerprint(secret.bytes()));
        Ok(match (theirs, ours) {
            (None, _) => return Err(Finding::skipped("no worker is running")),
            (Some(worker), Some(ours))
                if worker.secret_fingerprint.raw() != ours
                    && worker.secret_previous_fingerprint.as_ref().is_none_or(|previous| previous.raw() != ours) =>
            {
                Finding::red(
                    format!(
                        "this host's secret (fingerprint {ours}) is not that of the worker on {} ({})",
                        name(worker),
                        worker.secret_fingerprint.plain()
                    ),
                    secrets::HINT,
                )
            }
            (Some(worker), Some(_)) => Finding::green(format!(
                "they fit, and this host's too (fingerprint {})",
                worker.secret_fingerprint.plain()
            )),
            (Some(worker), None) => {
                Finding::green(format!("they fit (fingerprint {})", worker.secret_fingerprint.plain()))
            }
        })
    })
}

pub(super) fn trouble(room: &Room) -> Examined<'_> {
    Box::pin(async move {
        let outbox = room.outbox().await?;
        let told: Vec<String> = alive(outbox)
            .filter_map(|worker| Some(format!("{}: {}", name(worker), worker.last_error.as_ref()?.plain())))
            .collect();
        Ok(if told.is_empty() {
            Finding::green("none reports anything")
        } else {
            Finding::yellow(told.join("; "), "do what it says; the report goes with the first mail that is accepted")
        })
    })
}

pub(super) fn pace(room: &Room) -> Examined<'_> {
    Box::pin(async move {
        let outbox = room.outbox().await?;
        if outbox.paces_differ() {
            return Ok(Finding::yellow(
                "workers wish for different paces; the smallest wish holds for all",
                "set the same `pace.rate` and `pace.daily_quota` on every worker, or none to have the account's",
            ));
        }
        let pace = &outbox.pace;
        Ok(if pace.rate < pace.limit {
            Finding::yellow(
                format!("{} mails a second of {}: the server asked for less", pace.rate, pace.limit),
                "nothing; it rises by itself. If it comes back often, set a lower `pace.rate`",
            )
        } else {
            Finding::green(format!("{} mails a second", pace.limit))
        })
    })
}

pub(super) fn brake(room: &Room) -> Examined<'_> {
    Box::pin(async move {
        let outbox = room.outbox().await?;
        let Some(brake) = outbox.brake.as_ref().filter(|brake| brake.state != BrakeState::Off) else {
            return Ok(Finding::green("nothing stops sending"));
        };
        let words = format!("{} by {}: {}", brake.state, brake.set_by.plain(), brake.reason.plain());
        let next = match brake.cause {
            BrakeCause::Operator => "`verifydesk queue resume` lets mails go on, when that is wanted",
            BrakeCause::Reputation => {
                "find out who bounces or complains (`verifydesk sends --state bounced`) before `verifydesk queue resume`"
            }
            BrakeCause::Quota => {
                "wait until mails of the last 24 hours fall out of the quota, or ask AWS for a larger one"
            }
            BrakeCause::Configuration => "correct what SES says, then `verifydesk queue resume`",
            BrakeCause::Refusals => {
                "correct what the mail server says; the first mail that it takes ends this by itself"
            }
            BrakeCause::Restored => {
                "cancel what must not go out again, then `verifydesk queue resume` (docs/operations.md, after a restore)"
            }
        };
        Ok(if brake.cause == BrakeCause::Operator { Finding::yellow(words, next) } else { Finding::red(words, next) })
    })
}

pub(super) fn outbox(room: &Room) -> Examined<'_> {
    Box::pin(async move {
        let outbox = room.outbox().await?;
        if let Some(why) = outbox.why_waiting() {
            let wait = if outbox.queued == 1 { "mail waits" } else { "mails wait" };
            return Ok(Finding::red(
                format!("{} {wait}: {why}", outbox.queued),
                "see the other checks of workers, and `verifydesk queue`",
            ));
        }
        // Those whose answer was lost are tried once more by themselves.
        let unknown = match outbox.unknown {
            0 => String::new(),
            unknown => format!("; of {unknown} it is not known whether they went out"),
        };
        Ok(Finding::green(format!("{} wait, {} are being sent{unknown}", outbox.queued, outbox.sending)))
    })
}
