//! `verifydesk undo`

use std::process::ExitCode;

use serde_json::json;

use super::format::json;
use super::{Failure, operator, output};
use crate::desk::Desk;
use crate::domain::audit::{Action, Origin};
use crate::domain::undo::Which;
use crate::text::plain;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// The number of an entry of the audit log, as `show` prints it; without one, your last act
    entry: Option<i64>,
    /// Why; needed where the act is older than ten minutes, or someone else's
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

pub async fn run(desk: &Desk, args: &Args) -> Result<ExitCode, Failure> {
    let which = args.entry.map_or(Which::Last, Which::Entry);
    let undone = desk.undo(&operator(Origin::Cli), which, args.reason.as_deref()).await?;
    let word = undone.action.raw();
    if args.json {
        let object = json!({
            "entry": undone.entry,
            "action": word,
            "outcome": "undone",
            "user_id": undone.user,
            "verification_id": undone.verification,
        });
        output::line(&json::line(&object))?;
    } else {
        let title = plain(Action::title_of(word));
        let about = undone.user.zip(undone.verification).map(|(user, id)| format!(", user {user}, verification {id}"));
        output::line(&format!("taken back: {title}{} (entry {})", about.unwrap_or_default(), undone.entry))?;
    }
    Ok(ExitCode::SUCCESS)
}
