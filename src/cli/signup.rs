//! `verifydesk signup`

use std::process::ExitCode;

use serde_json::json;

use super::format::json;
use super::{Failure, operator, output};
use crate::desk::{Desk, SignUp, SignUpStatus};
use crate::domain::audit::Origin;
use crate::domain::locale::Locale;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// Address to sign up
    email: String,
    /// The user's name
    #[arg(long, default_value = "")]
    name: String,
    /// Language of their mails and pages: ko or en
    #[arg(long, default_value = "ko")]
    locale: Locale,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

pub async fn run(desk: &Desk, args: &Args) -> Result<ExitCode, Failure> {
    let request = SignUp { email: args.email.clone(), name: args.name.clone(), locale: args.locale };
    let done = desk.sign_up(&operator(Origin::Cli), &request).await?;
    if args.json {
        output::line(&json::line(&json!({
            "status": done.status.as_str(),
            "user_id": done.user_id,
            "verification_id": done.verification_id,
            "send_id": done.send_id,
            "email": done.email.as_str(),
        })))?;
        return Ok(ExitCode::SUCCESS);
    }
    let id = done.verification_id.map_or_else(|| "none".into(), |id| id.to_string());
    output::line(&match done.status {
        SignUpStatus::Created => {
            format!("signed up {}: user {}, verification {id}, mail queued", done.email.shown(), done.user_id)
        }
        SignUpStatus::Resent => {
            format!(
                "{} had signed up before: user {}, verification {id}, mail queued again",
                done.email.shown(),
                done.user_id
            )
        }
        SignUpStatus::AlreadyVerified => format!("{} is verified already: user {}", done.email.shown(), done.user_id),
    })?;
    Ok(ExitCode::SUCCESS)
}
