//! `verifydesk revoke`

use std::process::ExitCode;

use serde_json::json;

use super::format::json;
use super::{Failure, operator, output};
use crate::desk::Desk;
use crate::domain::audit::Origin;
use crate::domain::id::VerificationId;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// The verification's number
    id: VerificationId,
    /// Why its link may not be used; kept in the audit log
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

pub async fn run(desk: &Desk, args: &Args) -> Result<ExitCode, Failure> {
    let user = desk.revoke(&operator(Origin::Cli), args.id, &args.reason).await?;
    if args.json {
        output::line(&json::line(&json!({ "id": args.id, "outcome": "revoked", "user_id": user })))?;
    } else {
        output::line(&format!("verification {} is revoked; its link no longer works", args.id))?;
    }
    Ok(ExitCode::SUCCESS)
}
