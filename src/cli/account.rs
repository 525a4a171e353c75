//! `verifydesk account`

mod acts;
mod identities;
mod suppression;

use std::process::ExitCode;

use clap::Subcommand;

use super::format::{account, flow, json};
use super::{Failure, output, time};
use crate::desk::Desk;
use crate::domain::account::facts::{PanelFacts, panels};

#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Args {
    #[command(subcommand)]
    command: Option<Command>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// SES's suppression list: who gets no mail from this account, and taking them off it; a worker that has AWS's keys does it
    #[command(subcommand)]
    Suppression(suppression::Command),
    /// The addresses and domains that mails come from, and what has to be in DNS for them; adding one
    #[command(subcommand)]
    Identities(identities::Command),
}

pub async fn run(desk: &Desk, args: &Args) -> Result<ExitCode, Failure> {
    match &args.command {
        Some(Command::Suppression(command)) => return suppression::run(desk, command).await,
        Some(Command::Identities(command)) => return identities::run(desk, command).await,
        None => {}
    }
    let view = desk.store().account().await?;
    if args.json {
        output::line(&json::line(&account::account(&view)))?;
        return Ok(ExitCode::SUCCESS);
    }
    for (number, panel) in panels(&view, &time::shown).iter().enumerate() {
        if number > 0 {
            output::line("")?;
        }
        for line in lines(panel) {
            output::line(&line)?;
        }
    }
    for line in flow::lines(&view, output::columns()) {
        output::line(&line)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn lines(panel: &PanelFacts) -> Vec<String> {
    let about = if panel.subject.is_empty() { String::new() } else { format!(" ({})", panel.subject) };
    let asked = if panel.is_own { "counted" } else { "asked" };
    let asked = panel.seen_at.map(|at| format!(", {asked} at {}", time::shown(at))).unwrap_or_default();
    let mut lines = vec![format!("{}{about}{asked}", panel.title)];
    if let Some(right) = &panel.missing {
        lines.push(format!("  not allowed: {right}; give the workers' AWS identity this right"));
    } else if let Some((trouble, since)) = &panel.trouble {
        lines.push(format!("  no answer since {}: {trouble}", time::shown(*since)));
    }
    lines.extend(panel.facts.iter().map(|fact| format!("  {:<10}  {}", fact.label, fact.in_words())));
    lines
}
