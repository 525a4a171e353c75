//! `verifydesk change-address`

use std::process::ExitCode;

use serde_json::json;

use super::format::json;
use super::{Failure, operator, output};
use crate::desk::Desk;
use crate::domain::audit::Origin;
use crate::domain::id::VerificationId;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// The number of any of the user's verifications
    id: VerificationId,
    /// The new address
    #[arg(value_name = "NEW")]
    address: String,
    /// Why the address is changed; kept in the audit log, with the old address
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

pub async fn run(desk: &Desk, args: &Args) -> Result<ExitCode, Failure> {
    let (email, resent) = desk.change_address(&operator(Origin::Cli), args.id, &args.address, &args.reason).await?;
    if args.json {
        let done = json!({
            "id": args.id,
            "outcome": "changed",
            "user_id": resent.user_id,
            "email": email.as_str(),
            "verification_id": resent.verification_id,
            "send_id": resent.send_id,
        });
        output::line(&json::line(&done))?;
    } else {
        output::line(&format!(
            "user {} is {} now, unverified; verification {} is queued to be mailed there",
            resent.user_id,
            email.shown(),
            resent.verification_id
        ))?;
    }
    Ok(ExitCode::SUCCESS)
}
