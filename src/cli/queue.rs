//! `verifydesk queue`

use std::process::ExitCode;

use super::format::{json, outbox, table};
use super::{Failure, jobs, operator, output, time};
use crate::desk::Desk;
use crate::domain::amazon::{EventQueue, SesAccount};
use crate::domain::audit::Origin;
use crate::domain::hook;
use crate::domain::reputation::{Rate, Reputation};
use crate::domain::secrets;
use crate::domain::worker::{OutboxView, QUEUED_MAX, WorkerRow};

#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Args {
    /// Print one JSON object
    #[arg(long)]
    json: bool,
    #[command(subcommand)]
    act: Option<Act>,
}

#[derive(Debug, clap::Subcommand)]
enum Act {
    /// Stop sending; workers finish what they have begun
    Pause(Reason),
    /// Send what is queued now, then stop
    Drain(Reason),
    /// Send again, no matter who or what stopped it
    Resume,
}

#[derive(Debug, clap::Args)]
struct Reason {
    /// Why; kept in the audit log and shown to everyone
    #[arg(long, value_name = "TEXT")]
    reason: String,
}

pub async fn run(desk: &Desk, args: &Args) -> Result<ExitCode, Failure> {
    let actor = operator(Origin::Cli);
    let done = match &args.act {
        None => return show(&desk.store().outbox().await?, args.json),
        Some(Act::Pause(why)) => {
            desk.pause(&actor, &why.reason).await?;
            "sending is paused; `verifydesk queue resume` resumes it"
        }
        Some(Act::Drain(why)) => {
            desk.drain(&actor, &why.reason).await?;
            "what is queued now is sent, then nothing; `verifydesk queue resume` resumes sending"
        }
        Some(Act::Resume) => {
            desk.resume(&actor).await?;
            "sending is resumed"
        }
    };
    // What was done stays done, even if no one reads the output.
    let _ = output::line(done);
    Ok(ExitCode::SUCCESS)
}

fn show(view: &OutboxView, as_json: bool) -> Result<ExitCode, Failure> {
    if as_json {
        output::line(&json::line(&outbox::outbox(view)))?;
        return Ok(ExitCode::SUCCESS);
    }
    for line in lines(view) {
        output::line(&line)?;
    }
    if view.paces_differ() {
        output::remark("the workers' settings of `pace` differ; the smallest of each holds: set the same on all");
    }
    if view.hooks.iter().any(|endpoint| endpoint.given_up > 0) {
        output::remark("`verifydesk webhooks list --state given-up` shows what the site was not told");
    }
    if view.webhook.waiting().next().is_some() {
        output::remark("`verifydesk events subscriptions` shows what waits for approval");
    }
    if !view.is_worked() {
        output::remark("no worker is running: start one with `verifydesk worker`");
    }
    if let Some(trouble) = view.secret_trouble(view.as_of)
        && let Some(words) = trouble.words().first()
    {
        output::remark(&format!("{words}: {}; docs/secret.md says how a secret is changed", secrets::HINT));
    }
    Ok(ExitCode::SUCCESS)
}

fn lines(view: &OutboxView) -> Vec<String> {
    let count = |count: i64| {
        if count > QUEUED_MAX { format!("more than {QUEUED_MAX}") } else { count.to_string() }
    };
    let mut queued = count(view.queued);
    if let Some(since) = view.due_since {
        queued = format!("{queued}, due since {}", time::shown(since));
    }
    let pace = &view.pace;
    let mut rate = format!("{} mails a second", pace.rate);
    if pace.rate < pace.limit {
        let since = pace.lowered_at.map(|at| format!(" at {}", time::shown(at))).unwrap_or_default();
        rate = format!("{rate} of {}: the server asked for less{since}", pace.limit);
    }
    let quota = match (pace.left(), pace.daily_quota) {
        (Some(left), Some(quota)) => {
            let room = pace.next_place_at.map(|at| format!(", room again at {}", time::shown(at))).unwrap_or_default();
            format!("{left} of {quota} left in these 24 hours{room}")
        }
        _ => format!("none; {} mails in the last 24 hours", pace.used),
    };
    let brake = view.brake.as_ref().map_or_else(
        || "off".to_owned(),
        |brake| {
            let until = brake.until.map(|at| format!(", until {}", time::shown(at))).unwrap_or_default();
            let probe =
                brake.probe_at.map(|at| format!(", next mail tried at {}", time::shown(at))).unwrap_or_default();
            let (by, why) = (brake.set_by.plain(), brake.reason.plain());
            format!(
                "{} by {by} ({}) since {}{until}{probe}: {why}",
                brake.state,
                brake.cause.as_str(),
                time::shown(brake.set_at)
            )
        },
    );
    let why = view.why_waiting().map(|why| format!("why      {why}"));
    let mut lines = vec![format!("queued   {queued}")];
    lines.extend(why);
    lines.extend([
        format!("sending  {}", view.sending),
        format!("unknown  {}", count(view.unknown)),
        format!("pace     {rate}"),
        format!("quota    {quota}"),
        format!("brake    {brake}"),
    ]);
    lines.extend(view.alerts.iter().map(|alert| format!("alert    {}", alert.in_words(time::shown))));
    lines.extend(reputation(&view.reputation));
    lines.extend(view.account.as_ref().map(account));
    lines.extend(view.event_queues.iter().map(events));
    lines.extend(view.webhook.in_words().map(|words| format!("webhook  {words}")));
    lines
        .extend(hook::in_words(&view.hooks, view.as_of, time::shown, "").map(|(words, _)| format!("site     {words}")));
    if !view.workers.is_empty() {
        lines.push(String::new());
        let cells: Vec<Vec<String>> = view.workers.iter().map(|worker| cells(worker, view)).collect();
        let headings =
            ["WORKER", "PID", "STATE", "RATE", "LANES", "SENT", "FAILED", "SECRET", "LAST BEAT", "LAST ERROR"];
        lines.extend(table::lines(&headings, &cells, output::columns()));
    }
    if !view.jobs.is_empty() {
        lines.push(String::new());
        lines.extend(jobs::lines(&view.jobs));
    }
    lines
}

fn reputation(reputation: &Reputation) -> Vec<String> {
    let rate = |rate: Rate, what: &str| {
        if reputation.is_enough() {
            format!("{}: {} of the last {} mails {what}", rate.in_words(), rate.count, rate.of)
        } else {
            format!("{} of the last {} mails {what}: too few mails for a rate", rate.count, rate.of)
        }
    };
    let day = reputation.day();
    let mut parts = vec![format!("{} sent", day.sent)];
    let bad = [(day.bounced, "bounced"), (day.complained, "complained"), (day.failed, "failed")];
    parts.extend(bad.into_iter().filter(|(count, _)| *count > 0).map(|(count, word)| format!("{count} {word}")));
    let mut lines = Vec::new();
    if reputation.sends > 0 {
        lines.push(format!("bounces  {}", rate(reputation.bounces, "bounced for good")));
        lines.push(format!("spam     {}", rate(reputation.complaints, "were called spam")));
    }
    lines.push(format!("24 h     {}", parts.join(", ")));
    lines
}

fn account(account: &SesAccount) -> String {
    let standing = account
        .standing
        .as_ref()
        .map(|standing| format!("{}, asked at {}", standing.in_words(), time::shown(standing.seen_at)));
    let trouble = account
        .error
        .as_ref()
        .map(|(error, since)| format!("cannot be asked since {}: {}", time::shown(*since), error.plain()));
    let both: Vec<String> = standing.into_iter().chain(trouble).collect();
    format!("account  {}", if both.is_empty() { "not asked yet".into() } else { both.join("; ") })
}

fn events(queue: &EventQueue) -> String {
    let url = queue.url.plain();
    let trouble = queue
        .error
        .as_ref()
        .map(|(error, since)| format!("; cannot be read since {}: {}", time::shown(*since), error.plain()));
    format!("events   {} ({url}){}", queue.in_words(), trouble.unwrap_or_default())
}

fn cells(worker: &WorkerRow, view: &OutboxView) -> Vec<String> {
    let state = match (worker.is_alive(view.as_of), worker.stopped_at) {
        (true, _) if worker.waits_for.is_some() => "waits",
        (true, _) => "works",
        (false, Some(_)) => "stopped",
        (false, None) => "gone",
    };
    vec![
        worker.host.plain().into_string(),
        worker.pid.to_string(),
        state.to_owned(),
        format!("{:.1}/s", worker.rate),
        worker.lanes.to_string(),
        worker.sent.to_string(),
        worker.failed.to_string(),
        worker.secret_fingerprint.plain().into_string(),
        time::shown(worker.beat_at),
        worker.last_error.as_ref().map(|error| error.plain().into_string()).unwrap_or_default(),
    ]
}
