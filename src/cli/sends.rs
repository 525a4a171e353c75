//! `verifydesk sends`

use std::process::ExitCode;

use super::format::json;
use super::format::rows::Written;
use super::searching::Searching;
use super::{Failure, filter, output, time};
use crate::desk::Desk;
use crate::domain::Time;
use crate::domain::filter::Saved;
use crate::domain::id::SendId;
use crate::domain::idn;
use crate::domain::page::Position;
use crate::domain::send::SendRow;
use crate::domain::sort::{By, Sort};
use crate::export::Columns;

#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    pub(super) filter: filter::Mails,
    /// In which order: queued, or -queued (the newest first)
    #[arg(long, value_name = "ORDER", allow_hyphen_values = true, value_parser = order)]
    sort: Option<Sort>,
    /// How many rows
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(i64).range(1..=10_000))]
    limit: i64,
    /// Every mail, however many there are
    #[arg(long, conflicts_with = "limit")]
    all: bool,
    /// Continue after the mail with this id
    #[arg(long, value_name = "ID")]
    after: Option<SendId>,
    #[command(flatten)]
    written: Written,
}

fn order(text: &str) -> Result<Sort, String> {
    let sort = text.parse().ok().filter(|sort: &Sort| sort.by == By::Queued);
    sort.ok_or_else(|| "use queued or -queued".into())
}

const HEADINGS: &[&str] = &["QUEUED", "STATE", "RECIPIENT", "VERIFICATION", "TRIES", "SES ID", "RESULT"];

pub async fn run(desk: &Desk, saved: &Saved, args: &Args) -> Result<ExitCode, Failure> {
    let mut filter = args.filter.filter(saved)?;
    filter::sort(&mut filter, args.sort)?;
    let position = args.after.map_or(Position::Newest, Position::After);
    let mut printer = args.written.printer(Columns::MAILS, HEADINGS);
    let mut print = |rows: &[SendRow]| printer.print(rows, json::send, cells);
    let mut progress = Searching::default();
    let mut exact = (0, false);
    let (more, is_empty) = if args.all {
        let mut whole = desk.store().whole_sends(&filter, position).await?;
        let mut found = 0;
        while let Some(rows) = whole.next().await? {
            found += rows.len();
            progress.end();
            print(&rows)?;
            if let Some(at) = whole.reached() {
                progress.tell(found, at);
            }
        }
        progress.end();
        print(&[])?;
        (None, found == 0)
    } else {
        let tell = |rows: &[SendRow], at: Time| progress.tell(rows.len(), at);
        let page = desk.store().sends_telling(&filter, position, args.limit, tell).await?;
        progress.end();
        print(&page.rows)?;
        exact = (page.exact, page.exact == page.rows.len() && !page.older);
        (page.rows.last().filter(|_| page.older).map(|last| last.id), page.rows.is_empty())
    };
    if args.written.is_table() {
        filter::remark_on(filter.search.as_ref());
        filter::remark_on_exact(exact);
        if is_empty {
            output::remark("no mail matches");
        }
    }
    if let Some(more) = more.filter(|_| !args.written.is_json()) {
        output::remark(&format!("more: --after {more}"));
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
