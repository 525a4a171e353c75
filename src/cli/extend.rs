//! `verifydesk extend`

use std::process::ExitCode;

use serde_json::json;

use super::format::json;
use super::time::shown;
use super::{Failure, operator, output};
use crate::desk::Desk;
use crate::domain::audit::Origin;
use crate::domain::id::VerificationId;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// The verification's number
    id: VerificationId,
    /// Why its link should work for longer; kept in the audit log
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

pub async fn run(desk: &Desk, args: &Args) -> Result<ExitCode, Failure> {
    let until = desk.extend(&operator(Origin::Cli), args.id, &args.reason).await?;
    if args.json {
        let done = json!({ "id": args.id, "outcome": "extended", "expires_at": shown(until) });
        output::line(&json::line(&done))?;
    } else {
        output::line(&format!("the link of verification {} works until {}", args.id, shown(until)))?;
    }
    Ok(ExitCode::SUCCESS)
}
