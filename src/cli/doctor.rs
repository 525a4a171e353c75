//! `verifydesk doctor`

use std::process::ExitCode;

use serde_json::json;

use super::format::json as format;
use super::{Failure, output};
use crate::config::Settings;
use crate::doctor::{Check, Doctor, Finding, GROUPS, State};
use crate::text::pad;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// Print JSON Lines: one object a check
    #[arg(long)]
    json: bool,
    /// Ask nothing but the database: not the mail server, the public URL or DNS
    #[arg(long)]
    offline: bool,
}

/// Columns of the longest state, and of the longest name of a check.
const STATE: usize = 7;
const NAME: usize = 25;

pub async fn run(settings: Settings, args: &Args) -> Result<ExitCode, Failure> {
    let found = Box::pin(Doctor::new(settings).offline(args.offline).examine()).await;
    let lines = if args.json { found.iter().map(row).collect() } else { report(&found) };
    for line in lines {
        output::line(&line)?;
    }
    let is_red = found.iter().any(|(_, finding)| finding.state == State::Red);
    Ok(if is_red { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn row((check, finding): &(&Check, Finding)) -> String {
    format::line(&json!({
        "check": check.name,
        "group": check.group(),
        "state": finding.state.as_str(),
        "found": finding.found.as_str(),
        "next": finding.next.as_ref().map(super::super::text::Plain::as_str),
    }))
}

fn report(found: &[(&Check, Finding)]) -> Vec<String> {
    let mut lines = Vec::new();
    for (group, title) in GROUPS {
        if !lines.is_empty() {
            lines.push(String::new());
        }
        lines.push(title.to_owned());
        for (check, finding) in found.iter().filter(|(check, _)| check.group() == group) {
            let name = check.short().replace('_', " ");
            let (state, name) = (pad(finding.state.as_str(), STATE, ""), pad(&name, NAME, ""));
            lines.push(format!("  {state}  {name}  {}", finding.found));
            if let Some(next) = &finding.next {
                lines.push(format!("  {}  {}  -> {next}", " ".repeat(STATE), " ".repeat(NAME)));
            }
        }
    }
    let counts: Vec<String> = State::ALL
        .into_iter()
        .map(|state| (state, found.iter().filter(|(_, finding)| finding.state == state).count()))
        .map(|(state, count)| format!("{count} {state}"))
        .collect();
    lines.extend([String::new(), counts.join(", ")]);
    lines
}
