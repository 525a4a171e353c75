//! `verifydesk audit`

use std::process::ExitCode;

use super::format::json;
use super::format::rows::Written;
use super::{Failure, filter, output, time};
use crate::desk::Desk;
use crate::domain::audit::{AuditFilter, AuditPlace, AuditRow};
use crate::domain::filter::Saved;
use crate::domain::page::Position;
use crate::export::Columns;
use crate::text::Untrusted;

#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    filter: filter::Entries,
    /// How many entries
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(i64).range(1..=10_000))]
    limit: i64,
    /// Every entry, however many there are
    #[arg(long, conflicts_with = "limit")]
    all: bool,
    /// Continue after the entry with this cursor
    #[arg(long, value_name = "CURSOR")]
    after: Option<AuditPlace>,
    #[command(flatten)]
    written: Written,
}

const HEADINGS: &[&str] = &["ENTRY", "AT", "BY", "ORIGIN", "ROLE", "WHAT", "TO WHOM", "WHY", "BEFORE", "AFTER"];

/// How many entries are read at once where all are printed.
const PAGE: i64 = 1_000;

pub async fn run(desk: &Desk, saved: &Saved, args: &Args) -> Result<ExitCode, Failure> {
    let filter = AuditFilter::from(args.filter.filter(saved)?);
    let mut position = args.after.map_or(Position::Newest, Position::After);
    let limit = if args.all { PAGE } else { args.limit };
    if args.written.is_table() {
        filter::remark_on(filter.whom.as_ref());
    }
    let mut printer = args.written.printer(Columns::AUDIT, HEADINGS);
    let mut is_empty = true;
    loop {
        let page = desk.store().audit(&filter, position, limit).await?;
        is_empty &= page.rows.is_empty();
        printer.print(&page.rows, json::audit_row, cells)?;
        let Some(last) = page.rows.last().filter(|_| page.older).map(AuditRow::place) else { break };
        if !args.all {
            output::remark(&format!("more: --after {last}"));
            break;
        }
        position = Position::After(last);
    }
    if is_empty && args.written.is_table() {
        output::remark("no entry of the audit log matches");
    }
    Ok(ExitCode::SUCCESS)
}

fn cells(row: &AuditRow) -> Vec<String> {
    let entry = &row.entry;
    let text = |text: &Option<Untrusted>| text.as_ref().map(|text| text.plain().into_string()).unwrap_or_default();
    vec![
        entry.id.to_string(),
        time::shown(entry.at),
        entry.actor.plain().into_string(),
        entry.origin.plain().into_string(),
        text(&entry.login),
        entry.what(),
        row.whom().unwrap_or_default(),
        text(&entry.reason),
        entry.before_in_words(time::shown).unwrap_or_default(),
        row.after_in_words(time::shown).unwrap_or_default(),
    ]
}
