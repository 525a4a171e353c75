//! `verifydesk resend` by filter: a job, planned or started.

use std::process::ExitCode;
use std::time::Duration;

use super::format::{json, outbox};
use super::{Failure, filter, operator, output, progress};
use crate::desk::Desk;
use crate::domain::audit::Origin;
use crate::domain::idn;
use crate::domain::job::{JobPlan, JobScope, JobState, PlanProgress, Skip, Skipped};

/// Says what would be done.
pub async fn plan(desk: &Desk, scope: &JobScope, as_json: bool) -> Result<ExitCode, Failure> {
    let redraws = output::can_redraw();
    let mut is_told = false;
    let tell = |progress: PlanProgress| {
        if redraws {
            is_told = true;
            output::redraw(&format!("{}…", progress.in_words()));
        }
    };
    let plan = desk.plan_job_telling(scope, tell).await?;
    if is_told {
        output::redraw("");
    }
    if as_json {
        output::line(&json::line(&outbox::plan(&plan)))?;
        return Ok(ExitCode::SUCCESS);
    }
    remark_on(scope);
    for line in lines(&plan, scope) {
        output::line(&line)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Starts it and makes its first chunk, so that a small one is queued when this returns; a login that may not make it
/// leaves all to the workers. On a terminal it is followed.
pub async fn start(desk: &Desk, scope: &JobScope, as_json: bool) -> Result<ExitCode, Failure> {
    let id = desk.start_job(&operator(Origin::Cli), scope, None, Duration::ZERO).await?;
    desk.advance_job(id).await?;
    if desk.job(id).await?.state == JobState::Running {
        // For its progress only: without the number it goes on as well.
        let _ = desk.count_job(id).await;
    }
    let job = desk.job(id).await?;
    if as_json {
        output::line(&json::line(&outbox::job(&job)))?;
        return Ok(ExitCode::SUCCESS);
    }
    remark_on(scope);
    // The job is started even if no one reads the output.
    let _ = output::line(&format!("job {id}: queued {} mails; {}", job.queued, skipped(&job.skipped)));
    if job.state == JobState::Running {
        if let Some(brake) = desk.store().brake().await? {
            let (state, by) = (brake.state, brake.set_by.plain());
            output::remark(&format!("sending is {state} by {by}; the job goes on when someone resumes it"));
        }
        output::remark(&format!(
            "workers queue the rest; `verifydesk jobs` shows the progress, `verifydesk jobs cancel {id}` stops it"
        ));
    }
    if output::can_redraw() { progress::follow(desk, id).await } else { Ok(ExitCode::SUCCESS) }
}

fn remark_on(scope: &JobScope) {
    if let JobScope::Filter(filter) | JobScope::Mails(filter) = scope {
        filter::remark_on(filter.search.as_ref());
    }
}

/// How long so many seconds are, in words, as finely as an estimate bears.
fn about(seconds: f64) -> String {
    let unit = match seconds {
        ..1.0 => return "within a second".into(),
        ..120.0 => 1.0,
        ..7_200.0 => 60.0,
        ..172_800.0 => 3_600.0,
        _ => 86_400.0,
    };
    match Duration::try_from_secs_f64((seconds / unit).round() * unit) {
        Ok(time) => format!("in about {}", humantime::format_duration(time)),
        Err(_) => "in longer than anyone can wait".into(),
    }
}

fn lines(plan: &JobPlan, scope: &JobScope) -> Vec<String> {
    let time = about(plan.seconds);
    let mut lines = vec![
        {
            let noun = scope.noun(plan.found);
            format!("would queue {} mails, {time} at the present pace; {} {noun} found", plan.mails, plan.found)
        },
        skipped(&plan.skipped),
    ];
    if let Some(over) = plan.over_quota.filter(|over| *over > 0) {
        lines.push(format!("{over} of the mails wait until the 24-hour quota has room for them"));
    }
    if !plan.first.is_empty() {
        let first: Vec<String> = plan.first.iter().map(|email| idn::shown(email).into_string()).collect();
        lines.push(format!("first: {}", first.join(", ")));
    }
    lines
}

/// How many were left out, and why.
pub fn skipped(skipped: &Skipped) -> String {
    let reasons: Vec<String> = Skip::ALL
        .into_iter()
        .filter(|skip| skipped.of(*skip) > 0)
        .map(|skip| format!("{} {}", skipped.of(skip), skip.title()))
        .collect();
    if reasons.is_empty() {
        return "skipped 0".into();
    }
    format!("skipped {} ({})", skipped.total(), reasons.join(", "))
}
