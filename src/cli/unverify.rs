//! `verifydesk unverify`

use std::process::ExitCode;

use serde_json::json;

use super::format::json;
use super::{Failure, operator, output};
use crate::desk::Desk;
use crate::domain::audit::Origin;
use crate::domain::id::VerificationId;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// The number of the verification that the user is verified by
    id: VerificationId,
    /// Why the address is not theirs after all, as far as you know; kept in the audit log
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

pub async fn run(desk: &Desk, args: &Args) -> Result<ExitCode, Failure> {
    let user = desk.unverify(&operator(Origin::Cli), args.id, &args.reason).await?;
    if args.json {
        output::line(&json::line(&json!({ "id": args.id, "outcome": "unverified", "user_id": user })))?;
    } else {
        output::line(&format!("user {user} is not verified any more; verification {} is revoked", args.id))?;
        output::remark(&format!("`verifydesk resend {}` mails a new link", args.id));
    }
    Ok(ExitCode::SUCCESS)
}
