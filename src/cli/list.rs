//! `verifydesk list`

use std::process::ExitCode;

use super::format::json;
use super::format::rows::Written;
use super::searching::Searching;
use super::{Failure, filter, output, time};
use crate::desk::Desk;
use crate::domain::Time;
use crate::domain::filter::{Filter, Saved, Search};
use crate::domain::idn;
use crate::domain::page::{Cursor, Position};
use crate::domain::sort::Sort;
use crate::domain::verification::{Status, VerificationRow};
use crate::export::Columns;

#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    pub(super) filter: filter::Verifications,
    /// In which order: created (of all statuses together), expires (pending or expired), verified or revoked, each of its
    /// own status, or email; with a - before it, the greatest first
    #[arg(long, value_name = "ORDER", allow_hyphen_values = true)]
    sort: Option<Sort>,
    /// How many rows
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(i64).range(1..=10_000))]
    limit: i64,
    /// Every row, however many there are
    #[arg(long, conflicts_with = "limit")]
    all: bool,
    /// Continue after the row with this cursor
    #[arg(long, value_name = "CURSOR")]
    after: Option<Cursor>,
    #[command(flatten)]
    written: Written,
}

const HEADINGS: &[&str] = &["ID", "STATUS", "EMAIL", "NAME", "LAST MAIL", "CREATED", "EXPIRES"];

pub async fn run(desk: &Desk, saved: &Saved, args: &Args) -> Result<ExitCode, Failure> {
    let mut filter = args.filter.filter(saved)?;
    filter::sort(&mut filter, args.sort)?;
    let sort = filter.order();
    if let Some(asked) = filter.sort.filter(|asked| *asked != sort) {
        let status = filter.status.map_or("all", Status::as_str);
        let orders: Vec<String> = Sort::all_of(filter.status).iter().map(Sort::to_string).collect();
        return Err(Failure::usage(
            format!("a list of status {status} cannot be sorted by {asked}"),
            format!("use one of {}", orders.join(", ")),
        ));
    }
    if args.after.as_ref().is_some_and(|cursor| (cursor.status, cursor.sort) != (filter.status, sort)) {
        return Err(Failure::usage(
            "the cursor belongs to a list of another status or order",
            "use the --status and --sort of the list that the cursor came from",
        ));
    }
    let position = args.after.clone().map_or(Position::Newest, Position::After);
    let mut printer = args.written.printer(Columns::VERIFICATIONS, HEADINGS);
    let mut print = |rows: &[VerificationRow], as_of| {
        let place = |row: &VerificationRow| Cursor::sorted(row, filter.status, sort, as_of);
        let value = |row: &VerificationRow| json::row(row, as_of, &place(row));
        printer.print(rows, value, |row| cells(row, as_of))
    };
    let mut progress = Searching::default();
    let mut exact = (0, false);
    let (more, is_empty) = if args.all {
        let mut whole = desk.store().whole_list(&filter, position).await?;
        let mut found = 0;
        while let Some(rows) = whole.next().await? {
            found += rows.len();
            progress.end();
            print(&rows, whole.as_of())?;
            if let Some(at) = whole.reached() {
                progress.tell(found, at);
            }
        }
        progress.end();
        print(&[], whole.as_of())?;
        (None, found == 0)
    } else {
        let tell = |rows: &[VerificationRow], at: Time| progress.tell(rows.len(), at);
        let page = desk.store().list_telling(&filter, position, args.limit, tell).await?;
        progress.end();
        print(&page.rows, page.as_of)?;
        exact = (page.exact, page.exact == page.rows.len() && !page.older);
        let last = page.rows.last().filter(|_| page.older);
        (last.map(|last| Cursor::sorted(last, filter.status, sort, page.as_of)), page.rows.is_empty())
    };
    if let (true, None, Some(search)) = (is_empty, &args.after, &filter.search) {
        // Other terms may be why nothing is found under the others.
        let is_by_status = filter.status.is_some() && Filter { status: None, ..filter.clone() }.is_text();
        Box::pin(remark_on_nothing(desk, search, is_by_status)).await?;
    }
    if args.written.is_table() {
        filter::remark_on(filter.search.as_ref());
        filter::remark_on_exact(exact);
        if is_empty {
            output::remark("no verification matches");
        }
    }
    if let Some(more) = more.filter(|_| !args.written.is_json()) {
        output::remark(&format!("more: --after {more}"));
    }
    Ok(ExitCode::SUCCESS)
}

/// What may be meant instead, or is found elsewhere.
async fn remark_on_nothing(desk: &Desk, search: &Search, is_by_status: bool) -> Result<(), Failure> {
    for email in desk.store().near_misses(search).await? {
        output::remark(&format!("did you mean {}?", idn::shown(&email)));
    }
    let text = Filter { search: Some(search.clone()), ..Filter::default() };
    if is_by_status && let Some(hits) = desk.store().verification_hits(&text).await? {
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
        if row.user.delete_after.is_some() { "deleting".into() } else { row.verification.status(now).to_string() },
        idn::shown(&row.user.email).into_string(),
        row.user.name.plain().into_string(),
        row.last_send.as_ref().map_or_else(|| "none".into(), |send| send.in_short.to_owned()),
        time::shown(row.verification.created_at),
        time::shown(row.verification.expires_at),
    ]
}
