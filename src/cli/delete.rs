//! `verifydesk delete`

use std::process::ExitCode;

use serde_json::json;

use super::format::json;
use super::time::shown;
use super::{Failure, operator, output};
use crate::desk::{Desk, Whom};
use crate::domain::address::EmailAddress;
use crate::domain::audit::Origin;
use crate::domain::undo::UNDO_FOR;
use crate::text::plain;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// The user's address, or the number of any of their verifications
    #[arg(value_name = "ID|EMAIL", value_parser = whom)]
    whom: Whom,
    /// Why they are deleted; kept in the audit log, but for their name and addresses
    #[arg(long, value_name = "TEXT", required_unless_present = "dry_run")]
    reason: Option<String>,
    /// Say who would be deleted, and do nothing
    #[arg(long)]
    dry_run: bool,
    /// Delete them
    #[arg(long)]
    yes: bool,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

fn whom(text: &str) -> Result<Whom, String> {
    if let Ok(id) = text.parse() {
        return Ok(Whom::Verification(id));
    }
    EmailAddress::parse(text)
        .map(Whom::Address)
        .map_err(|why| format!("neither the number of a verification nor an address: {why}"))
}

pub async fn run(desk: &Desk, args: &Args) -> Result<ExitCode, Failure> {
    if args.dry_run {
        return plan(desk, args).await;
    }
    if !args.yes {
        return Err(Failure::usage(
            "a user who is erased does not come back",
            "check who it is with --dry-run first, then repeat it with --yes",
        ));
    }
    let reason = args.reason.as_deref().unwrap_or_default();
    let deletion = desk.delete_user(&operator(Origin::Cli), &args.whom, reason).await?;
    if args.json {
        output::line(&json::line(&json!({
            "outcome": "being_deleted",
            "user_id": deletion.user.id,
            "email": deletion.user.email,
            "verification_id": deletion.verification,
            "delete_after": shown(deletion.delete_after),
        })))?;
    } else {
        // The user is being deleted even if no one reads the output.
        let _ = output::line(&format!(
            "user {} ({}) is being deleted: erased after {}",
            deletion.user.id,
            deletion.user.email.plain(),
            shown(deletion.delete_after)
        ));
        output::remark(&format!(
            "`verifydesk undo` takes it back for {} seconds, or until a worker or `verifydesk prune` erases them",
            UNDO_FOR.as_secs()
        ));
    }
    Ok(ExitCode::SUCCESS)
}

async fn plan(desk: &Desk, args: &Args) -> Result<ExitCode, Failure> {
    let (user, belongings) = desk.plan_deletion(&args.whom).await?;
    if args.json {
        output::line(&json::line(&json!({
            "outcome": "would_be_deleted",
            "user_id": user.id,
            "email": user.email,
            "name": user.name,
            "verified_at": user.verified_at.map(shown),
            "verifications": belongings.verifications,
            "mails": belongings.mails,
            "waiting": belongings.waiting,
        })))?;
        return Ok(ExitCode::SUCCESS);
    }
    let state = user.verified_at.map_or_else(|| "not verified".into(), |at| format!("verified {}", shown(at)));
    let name = if user.name.is_empty() { plain("no name") } else { user.name.plain() };
    output::line(&format!("would delete user {}: {}, {name}, {state}", user.id, user.email.plain()))?;
    output::line(&format!(
        "with {} verifications and {} mails, of which {} wait",
        belongings.verifications, belongings.mails, belongings.waiting
    ))?;
    Ok(ExitCode::SUCCESS)
}
