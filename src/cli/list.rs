//! `verifydesk list`

use std::process::ExitCode;

use super::format::{json, table};
use super::{Failure, filter, output, time};
use crate::desk::Desk;
use crate::domain::Time;
use crate::domain::filter::{Filter, Search};
use crate::domain::idn;
use crate::domain::page::{Cursor, Position};
use crate::domain::verification::{Status, VerificationRow};

#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    filter: filter::Verifications,
    /// How many rows
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(i64).range(1..=10_000))]
    limit: i64,
    /// Continue after the row with this cursor
    #[arg(long, value_name = "CURSOR")]
    after: Option<Cursor>,
    /// Print JSON Lines, one object per row
    #[arg(long)]
    json: bool,
}

pub async fn run(desk: &Desk, args: &Args) -> Result<ExitCode, Failure> {
    let filter = args.filter.filter()?;
    if args.after.is_some_and(|cursor| cursor.status != filter.status) {
        return Err(Failure::usage(
            "the cursor belongs to a list of another status",
            "use the --status of the list that the cursor came from",
        ));
    }
    let position = args.after.map_or(Position::Newest, Position::After);
    let redraws = output::can_redraw();
    let mut is_told = false;
    let tell = |rows: &[VerificationRow], at: Time| {
        if redraws {
            is_told = true;
            let found = rows.len();
            output::redraw(&format!("{found} found, searched as far as {}…", at.format("%Y-%m-%d %H:%M UTC")));
        }
    };
    let page = desk.store().list_telling(&filter, position, args.limit, tell).await?;
    if is_told {
        output::redraw("");
    }
    if let (true, None, Some(search)) = (page.rows.is_empty(), args.after, &filter.search) {
        // Other terms may be why nothing is found under the others.
        let is_by_status = filter.status.is_some() && Filter { status: None, ..filter.clone() }.is_text();
        Box::pin(remark_on_nothing(desk, search, is_by_status)).await?;
    }
    if args.json {
        for row in &page.rows {
            let cursor = Cursor::of(&row.verification, filter.status, page.as_of);
            output::line(&json::line(&json::row(row, page.as_of, &cursor)))?;
        }
        return Ok(ExitCode::SUCCESS);
    }
    filter::remark_on(filter.search.as_ref());
    if page.rows.is_empty() {
        output::remark("no verification matches");
        return Ok(ExitCode::SUCCESS);
    }
    let cells: Vec<Vec<String>> = page.rows.iter().map(|row| cells(row, page.as_of)).collect();
    let headings = ["ID", "STATUS", "EMAIL", "NAME", "LAST MAIL", "CREATED", "EXPIRES"];
    for line in table::lines(&headings, &cells, output::columns()) {
        output::line(&line)?;
    }
    if let (true, Some(last)) = (page.older, page.rows.last()) {
        output::remark(&format!("more: --after {}", Cursor::of(&last.verification, filter.status, page.as_of)));
    }
    Ok(ExitCode::SUCCESS)
}

/// What may be meant instead, or is found elsewhere.
async fn remark_on_nothing(desk: &Desk, search: &Search, is_by_status: bool) -> Result<(), Failure> {
    for email in desk.store().near_misses(search).await? {
        output::remark(&format!("did you mean {}?", idn::shown(&email)));
    }
    if is_by_status && let Some(hits) = desk.store().verification_hits(search).await? {
        let found = Status::ALL.into_iter().map(|status| (status, hits.of(Some(status))));
        for (status, count) in found.filter(|(_, count)| *count > 0) {
            let at_least = if hits.is_all { "" } else { "at least " };
            output::remark(&format!("{at_least}{count} found with --status {status}"));
        }
    }
    Ok(())
}

fn cells(row: &VerificationRow, now: Time) -> Vec<String> {
    vec![
        row.verification.id.to_string(),
        row.verification.status(now).to_string(),
        idn::shown(&row.user.email).into_string(),
        row.user.name.plain().into_string(),
        row.last_send.as_ref().map_or_else(|| "none".into(), |send| send.in_short.to_owned()),
        time::shown(row.verification.created_at),
        time::shown(row.verification.expires_at),
    ]
}
