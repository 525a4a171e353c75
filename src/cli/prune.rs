//! `verifydesk prune`

use std::process::ExitCode;

use serde_json::json;

use super::format::json;
use super::{Failure, operator, output};
use crate::config::Settings;
use crate::desk::Desk;
use crate::domain::audit::Origin;
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
    let erased = erase(desk, args.dry_run).await?;
    let (mut pass, mut pruned) = Pass::begin(store, settings, args.dry_run).await?;
    while let Some(count) = pass.next(store, settings, args.dry_run).await? {
        pruned.sends += count;
    }
    if !args.dry_run && pruned.sends > 0 {
        store.notify(Change::Many).await;
    }
    let Pruned { sends, weeks, busy } = &pruned;
    if args.json {
        let done = json!({ "dry_run": args.dry_run, "users": erased, "sends": sends, "event_weeks": weeks, "event_weeks_in_use": busy });
        output::line(&json::line(&done))?;
    } else {
        let done = if args.dry_run { "would be removed" } else { "removed" };
        let named = if weeks.is_empty() { String::new() } else { format!(" ({})", weeks.join(", ")) };
        output::line(&format!("{done}: {sends} mails, {} weeks of events{named}", weeks.len()))?;
        if erased > 0 {
            let done = if args.dry_run { "would be erased" } else { "erased" };
            output::line(&format!("{done}: {erased} users who are to be deleted"))?;
        }
        if !busy.is_empty() {
            output::remark(&format!("in use, and left for the next time: {}", busy.join(", ")));
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Users whose deletion is not held any more: erased, or only counted.
async fn erase(desk: &Desk, is_trial: bool) -> Result<u64, Failure> {
    let store = desk.store();
    if is_trial {
        return Ok(u64::try_from(store.users_to_erase().await?.len()).unwrap_or_default());
    }
    let mut users = 0;
    loop {
        let erased = store.erase_due(&operator(Origin::Cli)).await?.users;
        users += erased;
        if erased == 0 {
            return Ok(users);
        }
    }
}
