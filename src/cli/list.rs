//! `verifydesk list`

use std::process::ExitCode;

use super::format::{json, table};
use super::{Failure, output, time};
use crate::desk::Desk;
use crate::domain::Time;
use crate::domain::filter::{Filter, SUBSTRING_MIN, Search};
use crate::domain::page::{Cursor, Position};
use crate::domain::verification::{Status, VerificationRow};

/// Which verifications; shared with `resend`.
#[derive(Debug, clap::Args)]
pub struct FilterArgs {
    /// pending, verified, expired, revoked or all
    #[arg(long, value_name = "STATUS", value_parser = status)]
    pub status: Option<StatusArg>,
    /// By e-mail, name, number or id, in whatever was pasted: a mailbox, a link, a line of a log
    #[arg(long, value_name = "TEXT", value_parser = search)]
    pub search: Option<Search>,
    /// At or after this time: when it was verified, revoked or has expired, else when it was made
    #[arg(long, value_name = "T", value_parser = time::parse)]
    pub since: Option<Time>,
    /// Before this time
    #[arg(long, value_name = "T", value_parser = time::parse)]
    pub until: Option<Time>,
}

/// A status or all of them.
#[derive(Clone, Copy, Debug)]
pub struct StatusArg(Option<Status>);

fn status(text: &str) -> Result<StatusArg, String> {
    if text == "all" {
        return Ok(StatusArg(None));
    }
    text.parse()
        .map(|status| StatusArg(Some(status)))
        .map_err(|_| "use pending, verified, expired, revoked or all".into())
}

/// A search that can find something: none at all would be a filter that everyone fits.
pub fn search(text: &str) -> Result<Search, String> {
    Search::parse(text).filter(Search::can_find).ok_or_else(|| "it needs a letter or a digit".into())
}

/// Says that a short search looks at beginnings only.
pub fn remark_on(search: Option<&Search>) {
    if search.is_some_and(Search::is_prefix) {
        output::remark(&format!("fewer than {SUBSTRING_MIN} characters are looked for at the beginning only"));
    }
}

impl FilterArgs {
    /// Whether any was given.
    pub fn any(&self) -> bool {
        self.status.is_some() || self.search.is_some() || self.since.is_some() || self.until.is_some()
    }

    pub fn filter(&self) -> Filter {
        Filter {
            status: self.status.and_then(|status| status.0),
            search: self.search.clone(),
            since: self.since,
            until: self.until,
        }
    }
}

#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    filter: FilterArgs,
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
    let filter = args.filter.filter();
    if args.after.is_some_and(|cursor| cursor.status != filter.status) {
        return Err(Failure::usage(
            "the cursor belongs to a list of another status",
            "use the --status of the list that the cursor came from",
        ));
    }
    let position = args.after.map_or(Position::Newest, Position::After);
    let page = desk.store().list(&filter, position, args.limit).await?;
    if let (true, None, Some(search)) = (page.rows.is_empty(), args.after, &filter.search) {
        Box::pin(remark_on_nothing(desk, search, filter.status.is_some())).await?;
    }
    if args.json {
        for row in &page.rows {
            let cursor = Cursor::of(&row.verification, filter.status, page.as_of);
            output::line(&json::line(&json::row(row, page.as_of, &cursor)))?;
        }
        return Ok(ExitCode::SUCCESS);
    }
    remark_on(filter.search.as_ref());
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
async fn remark_on_nothing(desk: &Desk, search: &Search, is_of_one_status: bool) -> Result<(), Failure> {
    for email in desk.store().near_misses(search).await? {
        output::remark(&format!("did you mean {}?", email.plain()));
    }
    if is_of_one_status && let Some(hits) = desk.store().verification_hits(search).await? {
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
        row.user.email.plain().into_string(),
        row.user.name.plain().into_string(),
        row.last_send.as_ref().map_or_else(|| "none".into(), |send| send.in_short.to_owned()),
        time::shown(row.verification.created_at),
        time::shown(row.verification.expires_at),
    ]
}
