//! `verifydesk link`

use std::process::ExitCode;

use serde_json::json;

use super::format::json;
use super::time::shown;
use super::{Failure, operator, output};
use crate::config::Settings;
use crate::desk::Desk;
use crate::domain::audit::Origin;
use crate::domain::id::VerificationId;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// The number of a verification of the user's
    id: VerificationId,
    /// Why you give the link to them yourself; kept in the audit log
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

pub async fn run(desk: &Desk, settings: &Settings, args: &Args) -> Result<ExitCode, Failure> {
    let (secret, public_url) = (settings.require_secret()?, settings.require_public_url()?);
    let minted = desk.mint_link(&operator(Origin::Cli), args.id, &args.reason, secret, &public_url).await?;
    if args.json {
        output::line(&json::line(&json!({
            "verification_id": minted.verification_id,
            "user_id": minted.user_id,
            "expires_at": shown(minted.expires_at),
            "link": minted.link.expose(),
        })))?;
    } else {
        // Alone there, so that it can be piped to where it is needed.
        output::line(&minted.link.expose())?;
        output::remark(&format!(
            "verification {}; opening the link until {} verifies user {}, whoever does it. It is not shown again, and earlier links \
             do not work any more",
            minted.verification_id,
            shown(minted.expires_at),
            minted.user_id
        ));
    }
    Ok(ExitCode::SUCCESS)
}
