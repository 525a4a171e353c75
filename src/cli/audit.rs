//! `verifydesk audit`

use std::process::ExitCode;

use super::filter::remark_on;
use super::format::{json, table};
use super::{Failure, output, time};
use crate::desk::Desk;
use crate::domain::Time;
use crate::domain::audit::{Action, AuditFilter, AuditPlace, AuditRow, Origin};
use crate::domain::filter::Search;
use crate::domain::page::Position;
use crate::text::Untrusted;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// Only by whom: a part of the system user, SSH client address or database role
    #[arg(long, value_name = "WHO", value_parser = by)]
    by: Option<String>,
    /// Only this action, such as force-verify or pause; may be given several times
    #[arg(long, value_name = "ACTION")]
    action: Vec<Action>,
    /// Only by this way: console, cli, web, api, worker or demo; may be given several times
    #[arg(long, value_name = "ORIGIN", value_parser = origin)]
    origin: Vec<Origin>,
    /// Only about users found by address (of now or before), name, number or id, in whatever was pasted
    #[arg(long, visible_alias = "user", value_name = "TEXT", value_parser = whom)]
    search: Option<Search>,
    /// At or after this time
    #[arg(long, value_name = "T", value_parser = time::parse)]
    since: Option<Time>,
    /// Before this time
    #[arg(long, value_name = "T", value_parser = time::parse)]
    until: Option<Time>,
    /// How many entries
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(i64).range(1..=10_000))]
    limit: i64,
    /// Every entry, however many there are
    #[arg(long, conflicts_with = "limit")]
    all: bool,
    /// Continue after the entry with this cursor
    #[arg(long, value_name = "CURSOR")]
    after: Option<AuditPlace>,
    /// Print JSON Lines, one object per entry
    #[arg(long)]
    json: bool,
}

/// How many entries are read at once where all are printed.
const PAGE: i64 = 1_000;

fn by(text: &str) -> Result<String, String> {
    let text = text.trim();
    if text.is_empty() { Err("it needs a letter or a digit".into()) } else { Ok(text.to_owned()) }
}

/// A search that can find something: none at all would be a filter that everyone fits.
fn whom(text: &str) -> Result<Search, String> {
    Search::parse(text).filter(Search::can_find).ok_or_else(|| "it needs a letter or a digit".into())
}

fn origin(text: &str) -> Result<Origin, String> {
    Origin::ALL.into_iter().find(|origin| origin.as_str() == text).ok_or_else(|| {
        let names: Vec<&str> = Origin::ALL.into_iter().map(Origin::as_str).collect();
        format!("use one of {}", names.join(", "))
    })
}

impl Args {
    fn filter(&self) -> AuditFilter {
        AuditFilter {
            by: self.by.clone(),
            actions: (!self.action.is_empty()).then(|| self.action.clone()),
            origins: (!self.origin.is_empty()).then(|| self.origin.clone()),
            whom: self.search.clone(),
            since: self.since,
            until: self.until,
        }
    }
}

pub async fn run(desk: &Desk, args: &Args) -> Result<ExitCode, Failure> {
    let filter = args.filter();
    let mut position = args.after.map_or(Position::Newest, Position::After);
    let limit = if args.all { PAGE } else { args.limit };
    let mut is_first = true;
    if !args.json {
        remark_on(filter.whom.as_ref());
    }
    loop {
        let page = desk.store().audit(&filter, position, limit).await?;
        if args.json {
            for row in &page.rows {
                output::line(&json::line(&json::audit_row(row)))?;
            }
        } else if page.rows.is_empty() && is_first {
            output::remark("no entry of the audit log matches");
        } else {
            let cells: Vec<Vec<String>> = page.rows.iter().map(cells).collect();
            let headings = ["ENTRY", "AT", "BY", "ORIGIN", "ROLE", "WHAT", "TO WHOM", "WHY", "BEFORE", "AFTER"];
            let lines = table::lines(&headings, &cells, output::columns());
            for line in lines.iter().skip(usize::from(!is_first)) {
                output::line(line)?;
            }
        }
        is_first = false;
        let Some(last) = page.rows.last().filter(|_| page.older).map(AuditRow::place) else { break };
        if !args.all {
            output::remark(&format!("more: --after {last}"));
            break;
        }
        position = Position::After(last);
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
