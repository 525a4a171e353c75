//! `verifydesk resend`: single ones by number, many by the filters of `list`.

use std::process::ExitCode;

use serde_json::json;

use super::format::json;
use super::{Failure, bulk, filter, operator, output};
use crate::desk::{Desk, Error, Refusal};
use crate::domain::audit::{Actor, Origin};
use crate::domain::filter::Saved;
use crate::domain::id::VerificationId;
use crate::domain::job::JobScope;
use crate::domain::send::{Priority, ResentHow};

#[derive(Debug, clap::Args)]
pub struct Args {
    /// The verifications' numbers
    #[arg(value_name = "ID", conflicts_with_all = filter::VERIFICATIONS)]
    ids: Vec<VerificationId>,
    #[command(flatten)]
    filter: filter::Verifications,
    /// Say what would be done, and do nothing
    #[arg(long)]
    dry_run: bool,
    /// Start a bulk resend to all that the filters find; workers make its mails
    #[arg(long)]
    yes: bool,
    /// Why an address that bounced, complained or is suppressed is mailed all the same
    #[arg(long, value_name = "TEXT", requires = "ids")]
    reason: Option<String>,
    /// Print JSON Lines: one object per verification, or one for all that the filters find
    #[arg(long)]
    json: bool,
}

pub async fn run(desk: &Desk, saved: &Saved, args: &Args) -> Result<ExitCode, Failure> {
    if !args.ids.is_empty() {
        let mut run = Run { desk, args, actor: operator(Origin::Cli), worst: 0, unheard: false };
        for &id in &args.ids {
            run.one(id).await?;
        }
        return Ok(ExitCode::from(run.worst));
    }
    if !args.filter.any() {
        return Err(Failure::usage(
            "no verification to resend is named",
            "name verifications by number, or select them with --status, --search, --mail-state, --since or --until",
        ));
    }
    let filter = args.filter.filter(saved)?;
    if !args.yes && !args.dry_run {
        return Err(Failure::usage(
            "a resend by filter can send many mails",
            "check it with --dry-run first, then repeat it with --yes",
        ));
    }
    let scope = JobScope::Filter(filter.unsorted());
    if args.dry_run { bulk::plan(desk, &scope, args.json).await } else { bulk::start(desk, &scope, args.json).await }
}

struct Run<'a> {
    desk: &'a Desk,
    args: &'a Args,
    actor: Actor,
    /// The most severe exit code.
    worst: u8,
    /// Whether the output can no longer be written.
    unheard: bool,
}

impl Run<'_> {
    /// Prints a result. The mails were asked for, not the lines: a reader that went away stops nothing.
    fn say(&mut self, line: &str) {
        if !self.unheard && output::line(line).is_err() {
            self.unheard = true;
        }
    }

    /// What would be done, if that is not refused.
    async fn plan(&self, id: VerificationId) -> Result<ResentHow, Error> {
        let plan = self.desk.plan_resend(id).await?;
        match plan.block.filter(|_| self.args.reason.is_none()) {
            Some(block) => Err(Refusal::Blocked { block }.into()),
            None => Ok(plan.how),
        }
    }

    /// One verification. A refusal is printed and counted; anything else ends the run.
    async fn one(&mut self, id: VerificationId) -> Result<(), Failure> {
        let result = if self.args.dry_run {
            self.plan(id).await.map(|how| (how, None, id))
        } else {
            let resent = self.desk.resend(&self.actor, id, Priority::Person, self.args.reason.as_deref()).await;
            resent.map(|resent| (resent.how, Some(resent.send_id), resent.verification_id))
        };
        match result {
            Ok((how, send, mailed)) => {
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
                let outcome = match &error {
                    Error::Refused(Refusal::AlreadyVerified) => "already_verified",
                    Error::Refused(Refusal::CoolDown { .. }) => "cool_down",
                    Error::Refused(Refusal::DailyCap { .. }) => "daily_cap",
                    Error::Refused(Refusal::Blocked { .. }) => "blocked",
                    Error::Refused(Refusal::BeingDeleted) => "being_deleted",
                    Error::Refused(_) => "being_sent",
                    _ => "not_found",
                };
                let failure = Failure::from(error).of(&format!("verification {id}"));
                self.worst = self.worst.max(failure.code());
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
