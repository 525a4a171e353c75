//! `verifydesk jobs`

use std::process::ExitCode;

use super::format::{json, outbox, table};
use super::{Failure, operator, output, time};
use crate::desk::Desk;
use crate::domain::audit::Origin;
use crate::domain::id::{JobId, VerificationId};
use crate::domain::job::{JobResults, JobRow, JobSkip, Skip};
use crate::domain::page::Position;
use crate::text::plain;

#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Args {
    /// How many rows
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(i64).range(1..=10_000))]
    limit: i64,
    /// Print JSON Lines, one object per row
    #[arg(long)]
    json: bool,
    #[command(subcommand)]
    act: Option<Act>,
}

#[derive(Debug, clap::Subcommand)]
enum Act {
    /// Show one: what became of its mails, and how many it has left out
    Show {
        /// The job's id
        id: JobId,
        /// Print one JSON object
        #[arg(long)]
        json: bool,
    },
    /// List the users that one has left out, and why
    Skipped(Skipped),
    /// Pause one, and the mails it has queued
    Pause {
        /// The job's id
        id: JobId,
    },
    /// Resume one
    Resume {
        /// The job's id
        id: JobId,
    },
    /// Cancel one, and the mails it has queued
    Cancel {
        /// The job's id
        id: JobId,
    },
}

#[derive(Debug, clap::Args)]
struct Skipped {
    /// The job's id
    id: JobId,
    /// Only for this reason, by its name in the JSON of a job (`skipped`)
    #[arg(long, value_name = "REASON", value_parser = skip)]
    reason: Option<Skip>,
    /// How many rows
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(i64).range(1..=10_000))]
    limit: i64,
    /// All of them, however many
    #[arg(long, conflicts_with = "limit")]
    all: bool,
    /// Continue after this verification
    #[arg(long, value_name = "ID")]
    after: Option<VerificationId>,
    /// Print JSON Lines, one object per row
    #[arg(long)]
    json: bool,
}

fn skip(text: &str) -> Result<Skip, String> {
    text.replace('-', "_").parse().map_err(|_| {
        let reasons: Vec<&str> = Skip::ALL.into_iter().map(Skip::as_str).collect();
        format!("use one of {}", reasons.join(", "))
    })
}

/// How many are read at once where all are printed.
const PAGE: i64 = 1_000;

pub async fn run(desk: &Desk, args: &Args) -> Result<ExitCode, Failure> {
    let actor = operator(Origin::Cli);
    let done = match args.act.as_ref() {
        None => return list(desk, args).await,
        Some(Act::Show { id, json }) => return show(desk, *id, *json).await,
        Some(Act::Skipped(args)) => return skipped(desk, args).await,
        Some(Act::Pause { id }) => {
            desk.pause_job(&actor, *id).await?;
            format!("job {id} is paused; `verifydesk jobs resume {id}` resumes it")
        }
        Some(Act::Resume { id }) => {
            desk.resume_job(&actor, *id).await?;
            format!("job {id} is resumed")
        }
        Some(Act::Cancel { id }) => {
            desk.cancel_job(&actor, *id).await?;
            format!("job {id} is cancelled")
        }
    };
    // What was done stays done, even if no one reads the output.
    let _ = output::line(&done);
    Ok(ExitCode::SUCCESS)
}

async fn list(desk: &Desk, args: &Args) -> Result<ExitCode, Failure> {
    let jobs = desk.store().jobs(args.limit).await?;
    if args.json {
        for job in &jobs {
            output::line(&json::line(&outbox::job(job)))?;
        }
        return Ok(ExitCode::SUCCESS);
    }
    if jobs.is_empty() {
        output::remark("there was no bulk resend yet");
        return Ok(ExitCode::SUCCESS);
    }
    for line in lines(&jobs) {
        output::line(&line)?;
    }
    Ok(ExitCode::SUCCESS)
}

async fn show(desk: &Desk, id: JobId, as_json: bool) -> Result<ExitCode, Failure> {
    let job = desk.job(id).await?;
    let results = desk.store().job_results(id).await?;
    if as_json {
        output::line(&json::line(&outbox::job_in_full(&job, &results)))?;
        return Ok(ExitCode::SUCCESS);
    }
    for line in in_full(&job, &results) {
        output::line(&line)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn in_full(job: &JobRow, results: &JobResults) -> Vec<String> {
    let of = |count: Option<i64>| count.map(|count| format!(" of {count}")).unwrap_or_default();
    let mut out = vec![
        format!("job        {}: {}", job.id, job.state),
        format!("for        {}", plain(&job.scope.to_string())),
        format!("asked      {} by {}", time::shown(job.created_at), job.created_by.plain()),
    ];
    out.extend(job.ended_at.map(|at| format!("ended      {}", time::shown(at))));
    out.extend(job.reason.as_ref().map(|reason| format!("reason     {}", reason.plain())));
    out.push(format!("checked    {}{}", job.looked_at, of(job.found)));
    out.push(format!("mails      {}", job.queued));
    let parts = results.parts();
    out.extend(parts.into_iter().map(|(count, word)| format!("{word:<10} {count}")));
    out.push(format!("skipped    {}", job.skipped.total()));
    let skips = Skip::ALL.into_iter().map(|skip| (skip, job.skipped.of(skip))).filter(|(_, count)| *count > 0);
    out.extend(skips.map(|(skip, count)| format!("           {count} {}", skip.title())));
    out
}

async fn skipped(desk: &Desk, args: &Skipped) -> Result<ExitCode, Failure> {
    let job = desk.job(args.id).await?;
    let mut position = args.after.map_or(Position::Newest, Position::After);
    let limit = if args.all { PAGE } else { args.limit };
    let mut is_first = true;
    loop {
        let page = desk.store().job_skips(args.id, args.reason, position, limit).await?;
        if args.json {
            for row in &page.rows {
                output::line(&json::line(&outbox::job_skip(row)))?;
            }
        } else if !page.rows.is_empty() {
            let cells: Vec<Vec<String>> = page.rows.iter().map(skip_cells).collect();
            let lines = table::lines(&["ID", "REASON", "EMAIL"], &cells, output::columns());
            for line in lines.iter().skip(usize::from(!is_first)) {
                output::line(line)?;
            }
        } else if is_first && args.after.is_none() {
            output::remark(match job.skipped.total() {
                0 => "no one was left out",
                _ if args.reason.is_some() => "no one was left out for this reason",
                // By a worker of before.
                _ => "it was not noted who was left out of this job",
            });
        }
        is_first = false;
        let Some(last) = page.rows.last().filter(|_| page.older).map(|row| row.verification_id) else { break };
        if !args.all {
            output::remark(&format!("more: --after {last}"));
            break;
        }
        position = Position::After(last);
    }
    Ok(ExitCode::SUCCESS)
}

fn skip_cells(row: &JobSkip) -> Vec<String> {
    vec![row.verification_id.to_string(), row.reason.title().to_owned(), row.whom()]
}

/// A table of jobs; shared with `queue`.
pub fn lines(jobs: &[JobRow]) -> Vec<String> {
    let cells: Vec<Vec<String>> = jobs.iter().map(cells).collect();
    let headings = ["ID", "STATE", "DONE", "MAILS", "TO GO", "SKIPPED", "STARTED", "BY", "SCOPE", "REASON"];
    table::lines(&headings, &cells, output::columns())
}

fn cells(job: &JobRow) -> Vec<String> {
    vec![
        job.id.to_string(),
        job.state.to_string(),
        job.progress().map(|part| format!("{:.0} %", (part * 100.0).floor())).unwrap_or_default(),
        job.queued.to_string(),
        job.open.to_string(),
        job.skipped.total().to_string(),
        time::shown(job.created_at),
        job.created_by.plain().into_string(),
        plain(&job.scope.to_string()).into_string(),
        job.reason.as_ref().map(|reason| reason.plain().into_string()).unwrap_or_default(),
    ]
}
