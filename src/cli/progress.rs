//! A job followed on a terminal: one line, redrawn in place. It has no colour, so that none need be switched off.

use std::io::{self, Write as _};
use std::process::ExitCode;
use std::time::Duration;

use super::{Failure, output};
use crate::desk::Desk;
use crate::domain::id::JobId;
use crate::domain::job::{JobRow, JobState};
use crate::text::{fit, width};

/// How often it looks: often enough to see it move, seldom enough to cost nothing.
const EVERY: Duration = Duration::from_millis(500);

/// Narrowest bar worth drawing, and widest.
const BAR: (usize, usize) = (5, 40);

/// Shows how far a job is until it is over. Ctrl-C ends the showing, not the job.
pub async fn follow(desk: &Desk, id: JobId) -> Result<ExitCode, Failure> {
    let listening = |error: io::Error| Failure::failed(format!("cannot listen for signals: {error}"), "try again");
    let mut stopped = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::interrupt()).map_err(listening)?;
    if !desk.store().outbox().await?.is_worked() {
        output::remark("no worker is running: start one with `verifydesk worker`");
    }
    loop {
        let job = desk.job(id).await?;
        output::redraw(&line(&job, output::columns().saturating_sub(1)));
        if job.state == JobState::Cancelled {
            end();
            let reason = job.reason.map(|reason| reason.plain().into_string()).unwrap_or_default();
            return Err(Failure::failed(format!("the job was {reason}"), "what had gone out before stays so"));
        }
        if job.state == JobState::Done && job.open == 0 {
            end();
            return Ok(ExitCode::SUCCESS);
        }
        tokio::select! {
            _ = stopped.recv() => {
                end();
                output::remark(&format!("the job goes on without this; stop it with `verifydesk jobs cancel {id}`"));
                return Ok(ExitCode::SUCCESS);
            }
            () = tokio::time::sleep(EVERY) => {}
        }
    }
}

fn end() {
    let _ = writeln!(io::stderr().lock());
}

/// How far a job is, in so many columns.
fn line(job: &JobRow, columns: usize) -> String {
    let state = if job.state == JobState::Paused { "paused, " } else { "" };
    let gone = job.queued - job.open;
    let text = match job.found {
        Some(found) => {
            format!("{state}{} of {found} looked at, {gone} mails gone, {} to go", job.looked_at, job.open)
        }
        None => format!("{state}{} looked at, {gone} mails gone, {} to go", job.looked_at, job.open),
    };
    let Some(part) = job.progress() else { return fit(&text, columns, "…") };
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 0 to 100")]
    let percent = (part * 100.0).floor() as usize;
    let text = format!("{percent:>3} %  {text}");
    let room = columns.saturating_sub(width(&text) + 4).min(BAR.1);
    if room < BAR.0 {
        return fit(&text, columns, "…");
    }
    let filled = room * percent / 100;
    format!("[{}{}]  {text}", "#".repeat(filled), "-".repeat(room - filled))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::filter::Filter;
    use crate::domain::job::{JobScope, Skipped};

    #[test]
    fn fits_any_width() {
        let now = chrono::Utc::now();
        let mut job = JobRow {
            id: JobId::new(),
            created_at: now,
            created_by: "mina".into(),
            scope: JobScope::Filter(Filter::default()),
            cut_off: now,
            starts_at: now,
            state: JobState::Running,
            reason: None,
            ended_at: None,
            found: Some(1_000),
            planned: None,
            looked_at: 500,
            queued: 400,
            open: 100,
            skipped: Skipped::default(),
        };
        let text = " 40 %  500 of 1000 looked at, 300 mails gone, 100 to go";
        assert_eq!(line(&job, 200), format!("[{}{}]  {text}", "#".repeat(16), "-".repeat(24)));
        assert_eq!(line(&job, 64), format!("[##---]  {text}"));
        assert_eq!(line(&job, 20), " 40 %  500 of 1000 …");
        for columns in 0..120 {
            assert!(width(&line(&job, columns)) <= columns);
        }
        job.found = None;
        job.state = JobState::Paused;
        assert_eq!(line(&job, 80), "paused, 500 looked at, 300 mails gone, 100 to go");
    }
}
