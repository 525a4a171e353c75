//! `verifydesk account suppression`: asks for what a worker that has AWS's keys does, and waits for it.

use std::process::ExitCode;

use clap::Subcommand;

use super::acts::{Waiting, ended};
use crate::cli::format::{json, suppression as format, table};
use crate::cli::{Failure, operator, output, time};
use crate::desk::Desk;
use crate::domain::account::act::{AccountAct, ActState, Listing};
use crate::domain::account::suppression_list::SuppressionList;
use crate::domain::address::EmailAddress;
use crate::domain::amazon::{SuppressedAddress, SuppressingMail, Suppression};
use crate::domain::audit::Origin;
use crate::domain::idn;
use crate::store::account_acts::ListChange;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// List the addresses on it, those that were put on it last first: its newest part, and those that were asked about
    List {
        /// Only addresses with this in them
        #[arg(long, value_name = "TEXT", default_value = "")]
        search: String,
        /// Only those that are listed for this: bounce or complaint
        #[arg(long, value_name = "WHY", value_parser = listing)]
        why: Option<Listing>,
        /// How many rows
        #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(i64).range(1..=10_000))]
        limit: i64,
        /// Print JSON Lines, one object per row
        #[arg(long)]
        json: bool,
    },
    /// Ask whether an address is on the list: why, since when, and the mail that was the cause
    Show {
        #[command(flatten)]
        about: About,
        /// Ask no one; print what is known already
        #[arg(long, conflicts_with = "wait")]
        known: bool,
    },
    /// Take an address off the list, so that SES mails it again
    Remove {
        #[command(flatten)]
        about: About,
        /// Why; kept in the audit log
        #[arg(long, value_name = "TEXT")]
        reason: String,
        /// Then mail the link again to the user who has this address, by the rules of `verifydesk resend`
        #[arg(long)]
        mail_again: bool,
    },
    /// Put an address on the list, so that SES mails it no more; not in the sandbox
    Add {
        #[command(flatten)]
        about: About,
        /// As what it is listed: bounce or complaint
        #[arg(long = "as", value_name = "WHAT", default_value = "bounce", value_parser = listing)]
        listing: Listing,
        /// Why; kept in the audit log
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
}

#[derive(Debug, clap::Args)]
pub(super) struct About {
    /// The e-mail address
    #[arg(value_name = "ADDRESS", value_parser = address)]
    address: EmailAddress,
    #[command(flatten)]
    waiting: Waiting,
}

fn address(text: &str) -> Result<EmailAddress, String> {
    EmailAddress::parse(text).map_err(|error| error.to_string())
}

fn listing(text: &str) -> Result<Listing, String> {
    text.parse().map_err(|_| "use bounce or complaint".into())
}

pub(super) async fn run(desk: &Desk, command: &Command) -> Result<ExitCode, Failure> {
    let actor = operator(Origin::Cli);
    match command {
        Command::List { search, why, limit, json } => list(desk, (search, *why), *limit, *json).await,
        Command::Show { about, known } => {
            if *known {
                let act = desk.store().account_act_about(about.address.as_str()).await?;
                show(desk, about, act.as_ref()).await?;
                return Ok(ExitCode::SUCCESS);
            }
            let id = desk.look_up_suppression(&actor, &about.address).await?;
            let act = ended(desk, id, &about.waiting).await?;
            show(desk, about, Some(&act)).await?;
            still_asked(&act);
            Ok(about.waiting.code(&act))
        }
        Command::Remove { about, reason, mail_again } => {
            let again = if *mail_again {
                let user = desk.store().user_state(&about.address).await?;
                let Some((_, Some(newest))) = user else { return Err(no_user(&about.address)) };
                Some(newest.id)
            } else {
                None
            };
            let change = ListChange::Remove(again);
            let id = desk.change_suppression_list(&actor, &about.address, change, reason).await?;
            said(about, &ended(desk, id, &about.waiting).await?)
        }
        Command::Add { about, listing, reason } => {
            let change = ListChange::Add(*listing);
            let id = desk.change_suppression_list(&actor, &about.address, change, reason).await?;
            said(about, &ended(desk, id, &about.waiting).await?)
        }
    }
}

fn no_user(address: &EmailAddress) -> Failure {
    Failure::not_found(
        format!("no user has the address {}", address.shown()),
        "leave out --mail-again; nothing was asked for",
    )
}

fn said(about: &About, act: &AccountAct) -> Result<ExitCode, Failure> {
    if about.waiting.json {
        output::line(&json::line(&format::act(act)))?;
    } else {
        output::line(&format!("{}: {}", idn::shown(&act.address), act.in_words()))?;
    }
    still_asked(act);
    Ok(about.waiting.code(act))
}

fn still_asked(act: &AccountAct) {
    if act.state == ActState::Waiting {
        output::remark("it stays asked for; `verifydesk account suppression show ADDRESS --known` says how it stands");
    }
}

/// What is known of an address.
async fn show(desk: &Desk, about: &About, act: Option<&AccountAct>) -> Result<(), Failure> {
    let known = desk.store().suppression(about.address.as_str()).await?;
    let ses_id = known.as_ref().and_then(|known| known.ses_id.as_ref());
    let cause = match ses_id {
        Some(ses_id) => desk.store().suppressing_mail(ses_id.raw()).await?,
        None => None,
    };
    if about.waiting.json {
        let address = about.address.as_str();
        output::line(&json::line(&format::shown(address, known.as_ref(), cause.as_ref(), act)))?;
    } else {
        for line in lines(&about.address, known.as_ref(), cause.as_ref(), act) {
            output::line(&line)?;
        }
    }
    Ok(())
}

fn lines(
    address: &EmailAddress,
    known: Option<&Suppression>,
    cause: Option<&SuppressingMail>,
    act: Option<&AccountAct>,
) -> Vec<String> {
    let mut lines = vec![match known {
        Some(known) => format!("{}: {}", address.shown(), known.in_words(time::shown)),
        None => format!("{}: not asked about in the last 30 days", address.shown()),
    }];
    let ses_id = known.and_then(|known| known.ses_id.as_ref());
    match (cause, ses_id) {
        (Some(mail), _) => {
            let of = mail.verification.map(|id| format!(" of verification {id}")).unwrap_or_default();
            let queued = time::shown(mail.queued_at);
            lines.push(format!("  cause   mail {}{of}, queued {queued}, {}", mail.send, mail.state.plain()));
        }
        (None, Some(ses_id)) => lines.push(format!("  cause   message {}, none of this desk's", ses_id.plain())),
        (None, None) => {}
    }
    if let Some(act) = act.filter(|act| act.state != ActState::Done || act.reason.is_some()) {
        let at = time::shown(act.ended_at.unwrap_or(act.asked_at));
        let why = act.reason.as_ref().map(|why| format!(": {}", why.plain())).unwrap_or_default();
        lines.push(format!("  at AWS  {}, {at}, asked by {}{why}", act.in_words(), act.actor.plain()));
    }
    lines
}

/// What of the list is known, where that is not all of it or there is no newer answer.
fn how_far(list: &SuppressionList) {
    match list.trouble.as_ref().map(|trouble| (&trouble.permission, trouble)) {
        Some((Some(right), _)) => {
            output::remark(&format!("not allowed: {}; give the workers' AWS identity this right", right.plain()));
        }
        Some((None, trouble)) => {
            output::remark(&format!("not read since {}: {}", time::shown(trouble.since), trouble.text.plain()));
        }
        None => {}
    }
    if list.is_part() {
        output::remark("the list is long, and its newest part is kept; `show ADDRESS` asks SES about any other");
    }
}

const HEADINGS: [&str; 5] = ["ADDRESS", "WHY", "SINCE", "ASKED", "VERIFICATION"];

async fn list(
    desk: &Desk,
    (search, why): (&str, Option<Listing>),
    limit: i64,
    as_json: bool,
) -> Result<ExitCode, Failure> {
    let all = desk.store().suppressed(&search.replace('\0', ""), why, limit).await?;
    if let Some(list) = desk.store().suppression_list(0).await? {
        how_far(&list);
    }
    if as_json {
        for one in &all {
            output::line(&json::line(&format::row(one)))?;
        }
        return Ok(ExitCode::SUCCESS);
    }
    if all.is_empty() {
        output::remark("no such address is known to be on the list; `show ADDRESS` asks SES about one");
        return Ok(ExitCode::SUCCESS);
    }
    let cells: Vec<Vec<String>> = all.iter().map(cells).collect();
    for line in table::lines(&HEADINGS, &cells, output::columns()) {
        output::line(&line)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn cells(one: &SuppressedAddress) -> Vec<String> {
    let known = &one.suppression;
    vec![
        idn::shown(&one.address).into_string(),
        known.reason.as_ref().map(|why| why.plain().as_str().to_lowercase()).unwrap_or_default(),
        known.since.map(time::shown).unwrap_or_default(),
        time::shown(known.checked_at),
        one.verification.map(|id| id.to_string()).unwrap_or_default(),
    ]
}
