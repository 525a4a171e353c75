//! `verifydesk sends`

use std::process::ExitCode;

use super::format::{json, table};
use super::{Failure, list, output, time};
use crate::desk::Desk;
use crate::domain::filter::{Search, SendFilter};
use crate::domain::page::Position;
use crate::domain::send::{SendRow, SendState};

#[derive(Debug, clap::Args)]
pub struct Args {
    /// Only mails in this state
    #[arg(long, value_name = "S", value_parser = state)]
    state: Option<SendState>,
    /// By recipient, name, number or id, in whatever was pasted: a mailbox, a link, a line of a log
    #[arg(long, value_name = "TEXT", value_parser = list::search)]
    search: Option<Search>,
    /// How many rows
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(i64).range(1..=10_000))]
    limit: i64,
    /// Print JSON Lines, one object per row
    #[arg(long)]
    json: bool,
}

fn state(text: &str) -> Result<SendState, String> {
    text.parse().map_err(|_| {
        let states: Vec<&str> = SendState::ALL.into_iter().map(SendState::as_str).collect();
        format!("use one of {}", states.join(", "))
    })
}

pub async fn run(desk: &Desk, args: &Args) -> Result<ExitCode, Failure> {
    let filter = SendFilter { state: args.state, search: args.search.clone() };
    let page = desk.store().sends(&filter, Position::Newest, args.limit).await?;
    if args.json {
        for send in &page.rows {
            output::line(&json::line(&json::send(send)))?;
        }
        return Ok(ExitCode::SUCCESS);
    }
    list::remark_on(filter.search.as_ref());
    if page.rows.is_empty() {
        output::remark("no mail matches");
        return Ok(ExitCode::SUCCESS);
    }
    let cells: Vec<Vec<String>> = page.rows.iter().map(cells).collect();
    let headings = ["QUEUED", "STATE", "RECIPIENT", "VERIFICATION", "TRIES", "SES ID", "RESULT"];
    for line in table::lines(&headings, &cells, output::columns()) {
        output::line(&line)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn cells(send: &SendRow) -> Vec<String> {
    vec![
        time::shown(send.queued_at),
        send.state.to_string(),
        send.recipient.plain().into_string(),
        match &send.test_of {
            Some(_) => "test".to_owned(),
            None => send.verification_id.map(|id| id.to_string()).unwrap_or_default(),
        },
        send.attempts.to_string(),
        send.ses_id.as_ref().map(|id| id.plain().into_string()).unwrap_or_default(),
        send.result().unwrap_or_default(),
    ]
}
