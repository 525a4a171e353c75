//! `verifydesk webhooks`: what the site was told, and having it told again.

mod acts;
mod show;

use std::process::ExitCode;

use clap::Subcommand;

use super::format::{hooks, json, table};
use super::{Failure, output, time};
use crate::desk::Desk;
use crate::domain::hook::{
    COUNTED_MAX, Delivery, DeliveryFilter, DeliveryPlace, DeliveryState, HookEndpoint, MessageId,
};
use crate::domain::id::UserId;
use crate::domain::{Time, hook};

#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List what the site was told, and what of it was taken, newest first: a row for each message and endpoint
    List(List),
    /// List where the site is told, and how that goes
    Endpoints {
        /// Print JSON Lines, one object per row
        #[arg(long)]
        json: bool,
    },
    /// Show one message, and what was answered at each attempt
    Show {
        /// Its id: what the receiver has as `webhook-id`
        #[arg(value_name = "ID")]
        id: MessageId,
        /// Print one JSON object
        #[arg(long)]
        json: bool,
    },
    /// Have messages tried again that were given up, as long as new ones
    Retry(acts::Retry),
    /// Write a test message for an endpoint, signed as all are; switches it on again where its receiver answered 410
    Test {
        /// The endpoint's name, as the workers' settings have it
        #[arg(value_name = "ENDPOINT")]
        endpoint: String,
        /// Print one JSON object
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, clap::Args)]
struct List {
    /// Only what is waiting, delivered or given-up
    #[arg(long, value_name = "STATE", value_parser = state)]
    state: Option<DeliveryState>,
    /// Only for this endpoint
    #[arg(long, value_name = "NAME", value_parser = name)]
    endpoint: Option<String>,
    /// Only about the user with this number
    #[arg(long, value_name = "N", value_parser = user)]
    user: Option<UserId>,
    /// Written at or after this time
    #[arg(long, value_name = "T", value_parser = time::parse)]
    since: Option<Time>,
    /// Written before this time
    #[arg(long, value_name = "T", value_parser = time::parse)]
    until: Option<Time>,
    /// How many rows
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(i64).range(1..=10_000))]
    limit: i64,
    /// Every row, however many there are
    #[arg(long, conflicts_with = "limit")]
    all: bool,
    /// Continue after the row with this cursor
    #[arg(long, value_name = "CURSOR")]
    after: Option<DeliveryPlace>,
    /// Print JSON Lines, one object per row
    #[arg(long)]
    json: bool,
}

fn state(text: &str) -> Result<DeliveryState, String> {
    text.replace('-', "_").parse().map_err(|_| "use waiting, delivered or given-up".into())
}

/// As the settings take it: anything else is a mistake to be told of, and not a list of nothing.
fn name(text: &str) -> Result<String, String> {
    if hook::is_name(text) { Ok(text.to_owned()) } else { Err("no endpoint can have this name".into()) }
}

fn user(text: &str) -> Result<UserId, String> {
    text.parse().map_err(|_| "use the number of a user, as the column USER has it".into())
}

/// How many rows are read at once where all are printed.
const PAGE: i64 = 1_000;

const HEADINGS: [&str; 8] = ["ID", "TYPE", "USER", "WRITTEN", "ENDPOINT", "STATE", "ATTEMPTS", "LAST ANSWER"];

pub async fn run(desk: &Desk, args: &Args) -> Result<ExitCode, Failure> {
    match &args.command {
        Command::List(args) => list(desk, args).await,
        Command::Endpoints { json } => endpoints(desk, *json).await,
        Command::Show { id, json } => show::run(desk, *id, *json).await,
        Command::Retry(args) => acts::retry(desk, args).await,
        Command::Test { endpoint, json } => acts::test(desk, endpoint, *json).await,
    }
}

async fn list(desk: &Desk, args: &List) -> Result<ExitCode, Failure> {
    let filter = DeliveryFilter {
        state: args.state,
        endpoint: args.endpoint.clone(),
        user: args.user,
        since: args.since,
        until: args.until,
    };
    let mut after = args.after.clone();
    let limit = if args.all { PAGE } else { args.limit };
    let mut is_first = true;
    loop {
        let page = desk.store().deliveries(&filter, after.as_ref(), limit).await?;
        if args.json {
            for delivery in &page.rows {
                output::line(&json::line(&hooks::row(delivery)))?;
            }
        } else if page.rows.is_empty() && is_first {
            output::remark("no webhook matches");
        } else if !page.rows.is_empty() {
            let cells: Vec<Vec<String>> = page.rows.iter().map(cells).collect();
            let lines = table::lines(&HEADINGS, &cells, output::columns());
            for line in lines.iter().skip(usize::from(!is_first)) {
                output::line(line)?;
            }
        }
        is_first = false;
        let Some(last) = page.rows.last().filter(|_| page.older).map(Delivery::place) else { break };
        if !args.all {
            output::remark(&format!("more: --after {last}"));
            break;
        }
        after = Some(last);
    }
    Ok(ExitCode::SUCCESS)
}

fn cells(delivery: &Delivery) -> Vec<String> {
    vec![
        delivery.id.to_string(),
        delivery.kind.plain().into_string(),
        delivery.user_id.map(|id| id.to_string()).unwrap_or_default(),
        time::shown(delivery.at),
        delivery.endpoint.plain().into_string(),
        delivery.state.title().to_owned(),
        delivery.attempts.to_string(),
        delivery.answer().unwrap_or_default(),
    ]
}

async fn endpoints(desk: &Desk, as_json: bool) -> Result<ExitCode, Failure> {
    let endpoints = desk.store().hook_endpoints().await?;
    let now = desk.store().now().await?;
    if as_json {
        for endpoint in &endpoints {
            output::line(&json::line(&hooks::endpoint(endpoint, now)))?;
        }
        return Ok(ExitCode::SUCCESS);
    }
    if endpoints.is_empty() {
        output::remark("no worker has an endpoint in its settings; docs/webhooks.md says how one is set");
        return Ok(ExitCode::SUCCESS);
    }
    let cells: Vec<Vec<String>> = endpoints.iter().map(|endpoint| endpoint_cells(endpoint, now)).collect();
    let headings = ["ENDPOINT", "PLACE", "WAITING", "OLDEST", "GIVEN UP", "LAST TAKEN", "TROUBLE"];
    for line in table::lines(&headings, &cells, output::columns()) {
        output::line(&line)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn endpoint_cells(endpoint: &HookEndpoint, now: Time) -> Vec<String> {
    let shown = |at: Option<Time>| at.map(time::shown).unwrap_or_default();
    let count = |count: i64| if count < COUNTED_MAX { count.to_string() } else { format!("{COUNTED_MAX} or more") };
    vec![
        endpoint.name.plain().into_string(),
        endpoint.place.plain().into_string(),
        count(endpoint.waiting),
        shown(endpoint.oldest),
        count(endpoint.given_up),
        shown(endpoint.delivered_at),
        endpoint.trouble(now).unwrap_or_default(),
    ]
}
