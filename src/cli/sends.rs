//! `verifydesk sends`

use std::process::ExitCode;

use super::format::{json, table};
use super::{Failure, filter, output, time};
use crate::desk::Desk;
use crate::domain::id::SendId;
use crate::domain::idn;
use crate::domain::page::Position;
use crate::domain::send::SendRow;

#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    filter: filter::Mails,
    /// How many rows
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(i64).range(1..=10_000))]
    limit: i64,
    /// Continue after the mail with this id
    #[arg(long, value_name = "ID")]
    after: Option<SendId>,
    /// Print JSON Lines, one object per row
    #[arg(long)]
    json: bool,
}

pub async fn run(desk: &Desk, args: &Args) -> Result<ExitCode, Failure> {
    let filter = args.filter.filter()?;
    let position = args.after.map_or(Position::Newest, Position::After);
    let page = desk.store().sends(&filter, position, args.limit).await?;
    if args.json {
        for send in &page.rows {
            output::line(&json::line(&json::send(send)))?;
        }
        return Ok(ExitCode::SUCCESS);
    }
    filter::remark_on(filter.search.as_ref());
    if page.rows.is_empty() {
        output::remark("no mail matches");
        return Ok(ExitCode::SUCCESS);
    }
    let cells: Vec<Vec<String>> = page.rows.iter().map(cells).collect();
    let headings = ["QUEUED", "STATE", "RECIPIENT", "VERIFICATION", "TRIES", "SES ID", "RESULT"];
    for line in table::lines(&headings, &cells, output::columns()) {
        output::line(&line)?;
    }
    if let (true, Some(last)) = (page.older, page.rows.last()) {
        output::remark(&format!("more: --after {}", last.id));
    }
    Ok(ExitCode::SUCCESS)
}

fn cells(send: &SendRow) -> Vec<String> {
    vec![
        time::shown(send.queued_at),
        send.state.to_string(),
        idn::shown(&send.recipient).into_string(),
        match &send.test_of {
            Some(_) => "test".to_owned(),
            None => send.verification_id.map(|id| id.to_string()).unwrap_or_default(),
        },
        send.attempts.to_string(),
        send.ses_id.as_ref().map(|id| id.plain().into_string()).unwrap_or_default(),
        send.result().unwrap_or_default(),
    ]
}
