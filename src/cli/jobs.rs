//! `verifydesk jobs`

use std::process::ExitCode;

use super::format::{json, outbox, table};
use super::{Failure, operator, output, time};
use crate::desk::Desk;
use crate::domain::audit::Origin;
use crate::domain::id::JobId;
use crate::domain::job::JobRow;
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

pub async fn run(desk: &Desk, args: &Args) -> Result<ExitCode, Failure> {
    let actor = operator(Origin::Cli);
    let done = match args.act {
        None => return list(desk, args).await,
        Some(Act::Pause { id }) => {
            desk.pause_job(&actor, id).await?;
            format!("job {id} is paused; `verifydesk jobs resume {id}` resumes it")
        }
        Some(Act::Resume { id }) => {
            desk.resume_job(&actor, id).await?;
            format!("job {id} is resumed")
        }
        Some(Act::Cancel { id }) => {
            desk.cancel_job(&actor, id).await?;
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

/// A table of jobs; shared with `queue`.
pub fn lines(jobs: &[JobRow]) -> Vec<String> {
    let cells: Vec<Vec<String>> = jobs.iter().map(cells).collect();
    let headings = ["ID", "STATE", "DONE", "QUEUED", "WAITING", "SKIPPED", "STARTED", "BY", "SCOPE", "REASON"];
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
