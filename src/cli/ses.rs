//! `verifydesk ses`

use std::process::ExitCode;

use clap::Subcommand;
use serde_json::json;

use super::format::json as format;
use super::{Failure, output};
use crate::config::Settings;
use crate::doctor::{Doctor, Planned, State};
use crate::ses::plan::{Names, aws_cli, cloudformation};

#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Show what is missing at AWS between here and mails with results: for each the reason and the command. Needs no AWS keys
    Plan {
        /// Print all of it as a template of `CloudFormation`
        #[arg(long, conflicts_with_all = ["aws_cli", "json"])]
        cloudformation: bool,
        /// Print all of it as a shell script of AWS's own command line
        #[arg(long, conflicts_with = "json")]
        aws_cli: bool,
        /// Print JSON Lines: one object a step
        #[arg(long)]
        json: bool,
    },
}

pub async fn run(settings: &Settings, args: &Args) -> Result<ExitCode, Failure> {
    let Command::Plan { cloudformation, aws_cli, json } = args.command;
    let doctor = Doctor::new(settings.clone()).offline(true);
    let sender = if settings.mail.from.is_some() { None } else { doctor.sender_of_workers().await };
    let names = Names::from_settings(settings, sender.as_deref());
    let lines = if cloudformation {
        vec![cloudformation::template(&names?)]
    } else if aws_cli {
        aws_cli::script(&names?)
    } else {
        let names = names.inspect_err(|error| output::remark(&format!("no commands: {}; {}", error.what, error.hint)));
        let planned = Box::pin(doctor.plan(names.as_ref().ok())).await;
        if json { planned.iter().map(row).collect() } else { planned.iter().flat_map(shown).collect() }
    };
    for line in lines {
        output::line(&line)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// How it stands.
fn state(planned: &Planned) -> &'static str {
    match planned.finding.state {
        State::Green => "there",
        State::Yellow | State::Red => "missing",
        State::Skipped => "not known",
    }
}

fn row(planned: &Planned) -> String {
    format::line(&json!({
        "step": planned.step.what,
        "state": state(planned),
        "found": planned.finding.found.as_str(),
        "next": planned.finding.next.as_ref().map(super::super::text::Plain::as_str),
        "why": planned.step.why,
        "commands": planned.commands,
    }))
}

fn shown(planned: &Planned) -> Vec<String> {
    let mut lines =
        vec![format!("{}: {}", planned.step.what, state(planned)), format!("  found  {}", planned.finding.found)];
    if planned.finding.state != State::Green {
        lines.push(format!("  why    {}", planned.step.why));
    }
    lines.extend(planned.finding.next.as_ref().map(|next| format!("  next   {next}")));
    lines.extend(planned.commands.iter().map(|command| format!("  $ {command}")));
    lines
}
