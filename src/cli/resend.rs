//! `verifydesk resend`: single ones by number, many by the filters of `list`.

use std::process::ExitCode;

use serde_json::json;

use super::format::json;
use super::list::FilterArgs;
use super::{Failure, operator, output};
use crate::desk::{Desk, Error, Refusal};
use crate::domain::audit::{Actor, Origin};
use crate::domain::id::VerificationId;
use crate::domain::page::{Cursor, Position};
use crate::domain::send::Priority;

/// Rows read at a time while working through a filter.
const PAGE: i64 = 500;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// The verifications' numbers
    #[arg(value_name = "ID", conflicts_with_all = ["status", "search", "since", "until"])]
    ids: Vec<VerificationId>,
    #[command(flatten)]
    filter: FilterArgs,
    /// Say what would be done, and do nothing
    #[arg(long)]
    dry_run: bool,
    /// Do it for all that the filters find
    #[arg(long)]
    yes: bool,
    /// Print JSON Lines, one object a verification
    #[arg(long)]
    json: bool,
}

pub async fn run(desk: &Desk, args: &Args) -> Result<ExitCode, Failure> {
    let mut run = Run { desk, args, actor: operator(Origin::Cli), tally: Tally::default(), unheard: false };
    if !args.ids.is_empty() {
        for &id in &args.ids {
            run.one(id, Priority::Person).await?;
        }
        return Ok(ExitCode::from(run.tally.worst));
    }
    if !args.filter.any() {
        return Err(Failure::usage(
            "nothing to resend is named",
            "give verifications by number, or by --status, --search, --since or --until",
        ));
    }
    if !args.yes && !args.dry_run {
        return Err(Failure::usage(
            "a resend by filter can send many mails",
            "look with --dry-run first, then say --yes",
        ));
    }
    run.all().await?;
    let Tally { done, skipped, .. } = run.tally;
    let verb = if args.dry_run { "would queue" } else { "queued" };
    output::remark(&format!("{verb} {done} mails; skipped {skipped}"));
    Ok(ExitCode::SUCCESS)
}

struct Run<'a> {
    desk: &'a Desk,
    args: &'a Args,
    actor: Actor,
    tally: Tally,
    /// Whether the output can no longer be written.
    unheard: bool,
}

#[derive(Default)]
struct Tally {
    done: u64,
    skipped: u64,
    /// The gravest exit code.
    worst: u8,
}

impl Run<'_> {
    /// All that the filter finds. The place is kept by cursor, so that rows which leave the list meanwhile move
    /// nothing.
    async fn all(&mut self) -> Result<(), Failure> {
        let filter = self.args.filter.filter();
        let mut position = Position::Newest;
        loop {
            let page = self.desk.store().list(&filter, position, PAGE).await?;
            for row in &page.rows {
                self.one(row.verification.id, Priority::Bulk).await?;
            }
            match page.rows.last() {
                Some(last) if page.older => {
                    position = Position::After(Cursor::of(&last.verification, filter.status, page.as_of));
                }
                _ => return Ok(()),
            }
        }
    }

    /// Tells a result. Mails are asked for, not lines: nobody listening any more stops nothing.
    fn say(&mut self, line: &str) {
        if !self.unheard && output::line(line).is_err() {
            self.unheard = true;
        }
    }

    /// One verification. A refusal is told and counted; anything else ends the run.
    async fn one(&mut self, id: VerificationId, priority: Priority) -> Result<(), Failure> {
        let result = if self.args.dry_run {
            self.desk.plan_resend(id).await.map(|how| (how, None, id))
        } else {
            let resent = self.desk.resend(&self.actor, id, priority).await;
            resent.map(|resent| (resent.how, Some(resent.send_id), resent.verification_id))
        };
        match result {
            Ok((how, send, mailed)) => {
                self.tally.done += 1;
                let outcome = how.as_str();
                if self.args.json {
                    let object = json!({ "id": id, "outcome": outcome, "verification_id": mailed, "send_id": send });
                    self.say(&json::line(&object));
                } else {
                    let verb = if self.args.dry_run { "would be queued" } else { "queued" };
                    let how = outcome.replace('_', " ");
                    self.say(&format!("verification {id}: {verb} ({how}), verification {mailed}"));
                }
            }
            Err(error @ (Error::Refused(_) | Error::NotFound(_))) => {
                self.tally.skipped += 1;
                let outcome = match &error {
                    Error::Refused(Refusal::AlreadyVerified) => "already_verified",
                    Error::Refused(Refusal::CoolDown { .. }) => "cool_down",
                    Error::Refused(Refusal::DailyCap { .. }) => "daily_cap",
                    Error::Refused(_) => "being_sent",
                    _ => "not_found",
                };
                let failure = Failure::from(error).of(&format!("verification {id}"));
                self.tally.worst = self.tally.worst.max(failure.code());
                if self.args.json {
                    self.say(&json::line(&json!({ "id": id, "outcome": outcome })));
                } else {
                    output::remark(&format!("{failure}"));
                }
            }
            Err(error) => return Err(error.into()),
        }
        Ok(())
    }
}
