//! `verifydesk prune`

use std::process::ExitCode;

use serde_json::json;

use super::format::json;
use super::{Failure, output};
use crate::config::Settings;
use crate::desk::Desk;
use crate::domain::change::Change;
use crate::outbox::pruning::{Pass, Pruned};

#[derive(Debug, clap::Args)]
pub struct Args {
    /// Only say what would be removed
    #[arg(long)]
    pub dry_run: bool,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

pub async fn run(desk: &Desk, settings: &Settings, args: &Args) -> Result<ExitCode, Failure> {
    let store = desk.store();
    let (mut pass, mut pruned) = Pass::begin(store, settings, args.dry_run).await?;
    while let Some(count) = pass.next(store, settings, args.dry_run).await? {
        pruned.sends += count;
    }
    if !args.dry_run && pruned.sends > 0 {
        store.notify(Change::Many).await;
    }
    let Pruned { sends, weeks, busy } = &pruned;
    if args.json {
        let done = json!({ "dry_run": args.dry_run, "sends": sends, "event_weeks": weeks, "event_weeks_in_use": busy });
        output::line(&json::line(&done))?;
    } else {
        let done = if args.dry_run { "would be removed" } else { "removed" };
        let named = if weeks.is_empty() { String::new() } else { format!(" ({})", weeks.join(", ")) };
        output::line(&format!("{done}: {sends} mails, {} weeks of events{named}", weeks.len()))?;
        if !busy.is_empty() {
            output::remark(&format!("in use, and left for the next time: {}", busy.join(", ")));
        }
    }
    Ok(ExitCode::SUCCESS)
}
