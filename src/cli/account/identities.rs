//! `verifydesk account identities`: the addresses and domains that SES lets mails come from, and what has to be in DNS for them.

use std::process::ExitCode;
use std::time::Duration;

use clap::Subcommand;
use tokio::time::{Instant, sleep};

use super::acts::{LOOK_EVERY, Waiting, ended};
use crate::cli::format::{identities as format, json};
use crate::cli::{Failure, operator, output, time};
use crate::desk::Desk;
use crate::domain::account::act::{AccountAct, ActState, Came};
use crate::domain::account::dns_records::{self, DnsRecord};
use crate::domain::account::facts;
use crate::domain::account::identity_name::IdentityName;
use crate::domain::account::view::AccountView;
use crate::domain::account::{Figures, Identities, ListedIdentity, PanelKind};
use crate::domain::audit::Origin;
use crate::domain::idn;
use crate::text::Untrusted;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// List the identities, and what has to be in DNS for each domain that is not verified yet
    List {
        /// Print JSON Lines, one object per row
        #[arg(long)]
        json: bool,
    },
    /// Add an address or a domain that mails may come from; in the sandbox, an address that may be mailed
    ///
    /// AWS mails an address a link that its owner has to open. Of a domain it is said what has to be put into DNS.
    Add {
        /// The address or the domain
        #[arg(value_name = "ADDRESS-OR-DOMAIN", value_parser = name)]
        name: IdentityName,
        /// Why; kept in the audit log
        #[arg(long, value_name = "TEXT")]
        reason: Option<String>,
        #[command(flatten)]
        waiting: Waiting,
    },
}

fn name(text: &str) -> Result<IdentityName, String> {
    IdentityName::parse(text).map_err(|error| error.to_string())
}

pub(super) async fn run(desk: &Desk, command: &Command) -> Result<ExitCode, Failure> {
    match command {
        Command::List { json } => list(&desk.store().account_as_asked().await?, *json),
        Command::Add { name, reason, waiting } => {
            let begun = Instant::now();
            let id = desk.add_identity(&operator(Origin::Cli), name, reason.as_deref()).await?;
            let act = ended(desk, id, waiting).await?;
            let until = begun + Duration::from_secs(waiting.wait);
            said(desk, name, &act, waiting, until).await
        }
    }
}

async fn said(
    desk: &Desk,
    name: &IdentityName,
    act: &AccountAct,
    waiting: &Waiting,
    until: Instant,
) -> Result<ExitCode, Failure> {
    let records = match name {
        IdentityName::Domain(_) if act.state == ActState::Done => {
            known_records(desk, &name.as_str().into(), act.came == Some(Came::Exists), until).await?
        }
        _ => None,
    };
    if waiting.json {
        output::line(&json::line(&format::added(act, records.as_deref())))?;
    } else {
        output::line(&format!("{}: {}", name.shown(), act.in_words()))?;
        for line in records.iter().flatten().map(line) {
            output::line(&line)?;
        }
    }
    match act.state {
        ActState::Waiting => {
            output::remark("it stays asked for; `verifydesk account identities list` shows it when it is there");
        }
        ActState::Done if records.is_none() && matches!(name, IdentityName::Domain(_)) => {
            output::remark(
                "`verifydesk account identities list` says what has to be in DNS as soon as SES has said it",
            );
        }
        _ => {}
    }
    Ok(waiting.code(act))
}

/// What a domain needs, which SES has to be asked for where it is not new: until then.
async fn known_records(
    desk: &Desk,
    name: &Untrusted,
    is_old: bool,
    until: Instant,
) -> Result<Option<Vec<DnsRecord>>, Failure> {
    loop {
        let view = desk.store().account_as_asked().await?;
        if let Some(identity) = view.domain(name) {
            return Ok(Some(dns_records::records(name, identity, &view.region())));
        }
        // One that is verified needs nothing.
        let is_verified = listed(&view)
            .is_some_and(|all| all.listed.iter().any(|one| one.name == *name && one.verification.raw() == "SUCCESS"));
        if is_verified || !is_old || Instant::now() >= until {
            return Ok(None);
        }
        sleep(LOOK_EVERY).await;
    }
}

fn listed(view: &AccountView) -> Option<&Identities> {
    let panel = view.panels.iter().find(|panel| panel.kind == PanelKind::Identities)?;
    match panel.answer.as_ref() {
        Some((_, Figures::Identities(all))) => Some(all),
        _ => None,
    }
}

fn list(view: &AccountView, as_json: bool) -> Result<ExitCode, Failure> {
    let panel = view.panels.iter().find(|panel| panel.kind == PanelKind::Identities);
    let trouble = panel.and_then(|panel| panel.trouble.as_ref());
    match trouble.map(|trouble| (&trouble.permission, trouble)) {
        Some((Some(right), _)) => {
            output::remark(&format!("not allowed: {}; give the workers' AWS identity this right", right.plain()));
        }
        Some((None, trouble)) => {
            output::remark(&format!("no answer since {}: {}", time::shown(trouble.since), trouble.text.plain()));
        }
        None => {}
    }
    let Some(all) = listed(view) else {
        if trouble.is_none() {
            output::remark("no worker has asked SES about identities yet: one that has AWS's keys does so by itself");
        }
        return Ok(ExitCode::SUCCESS);
    };
    if all.listed.is_empty() {
        output::remark("there are none; `verifydesk account identities add ADDRESS-OR-DOMAIN` adds one");
    }
    for one in facts::ordered(all) {
        let records = needs(view, one);
        if as_json {
            output::line(&json::line(&format::row(one, records.as_deref())))?;
            continue;
        }
        output::line(&format!("{}  {}", idn::shown(&one.name), facts::state(one)))?;
        for line in records.iter().flatten().map(line) {
            output::line(&line)?;
        }
    }
    if all.has_more {
        output::remark("there are more: these are the first hundred");
    }
    Ok(ExitCode::SUCCESS)
}

/// What has to be put into DNS for it, where that is known; of an address, and of what is verified, nothing.
fn needs(view: &AccountView, one: &ListedIdentity) -> Option<Vec<DnsRecord>> {
    let identity = view.domain(&one.name).filter(|_| one.is_waiting_domain())?;
    Some(dns_records::records(&one.name, identity, &view.region()))
}

fn line(record: &DnsRecord) -> String {
    let about = if record.is_proposal { "  (a proposal, if there is none)" } else { "" };
    format!("  {:<9}  {record}{about}", record.purpose)
}
