//! `verifydesk verify`

use std::process::ExitCode;

use super::{Failure, operator, output};
use crate::desk::Desk;
use crate::domain::audit::Origin;
use crate::domain::id::VerificationId;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// The verification's number
    id: VerificationId,
    /// Why you vouch for the address; kept in the audit log
    #[arg(long, value_name = "TEXT")]
    reason: String,
}

pub async fn run(desk: &Desk, args: &Args) -> Result<ExitCode, Failure> {
    let done = desk.force_verify(&operator(Origin::Cli), args.id, &args.reason).await?;
    output::line(&format!("user {} is verified, by verification {}", done.user_id, done.verification_id))?;
    Ok(ExitCode::SUCCESS)
}
