//! `verifydesk events`

mod subscriptions;
mod texts;

use std::io;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Subcommand;

use super::format::{json, table};
use super::{Failure, output, time};
use crate::desk::Desk;
use crate::store::events::{BATCH_MAX, Source, StoredEvent, Taken};
use crate::text::plain;
use texts::Texts;

/// How many texts that are no events are named, of each file.
const NAMED_MAX: usize = 5;

#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List what SES reported, newest first
    List {
        /// Only what is about no mail that is known
        #[arg(long)]
        orphans: bool,
        /// How many rows
        #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(i64).range(1..=10_000))]
        limit: i64,
        /// Print JSON Lines, one object per row
        #[arg(long)]
        json: bool,
    },
    /// List the topics that ask to post events to `serve`, and the posts that were refused
    Subscriptions {
        /// Print one JSON object
        #[arg(long)]
        json: bool,
    },
    /// Let a topic post events: its subscription is confirmed
    Approve {
        /// The topic's ARN, as `events subscriptions` shows it
        #[arg(value_name = "TOPIC")]
        topic: String,
    },
    /// Let a topic post no events, also one that was approved
    Refuse {
        /// The topic's ARN, as `events subscriptions` shows it
        #[arg(value_name = "TOPIC")]
        topic: String,
    },
    /// Take in events from files: an archive of S3 or Firehose, packed by gzip or not
    Import {
        /// Files of events, one a file, one a line, or behind each other; bare or in envelopes of SNS or `EventBridge`;
        /// what was taken in before is left out
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
    },
}

pub async fn run(desk: &Desk, args: &Args) -> Result<ExitCode, Failure> {
    match &args.command {
        Command::List { orphans, limit, json } => list(desk, *orphans, *limit, *json).await,
        Command::Subscriptions { json } => subscriptions::list(desk, *json).await,
        Command::Approve { topic } => subscriptions::approve(desk, topic).await,
        Command::Refuse { topic } => subscriptions::refuse(desk, topic).await,
        Command::Import { files } => import(desk, files).await,
    }
}

async fn list(desk: &Desk, orphans: bool, limit: i64, as_json: bool) -> Result<ExitCode, Failure> {
    let events = desk.store().events(orphans, limit).await?;
    if as_json {
        for event in &events {
            output::line(&json::line(&json::stored_event(event)))?;
        }
        return Ok(ExitCode::SUCCESS);
    }
    if events.is_empty() {
        output::remark(if orphans { "no orphans" } else { "SES has reported nothing yet" });
        return Ok(ExitCode::SUCCESS);
    }
    let cells: Vec<Vec<String>> = events.iter().map(cells).collect();
    let headings = ["OCCURRED", "WHAT HAPPENED", "IN SES'S WORDS", "RECIPIENT", "SEND", "CAME BY", "DETAIL"];
    for line in table::lines(&headings, &cells, output::columns()) {
        output::line(&line)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn cells(stored: &StoredEvent) -> Vec<String> {
    let recipients: Vec<String> = stored.recipients.iter().map(|address| address.plain().into_string()).collect();
    vec![
        time::shown(stored.event.occurred_at),
        stored.event.in_words(time::shown),
        stored.event.term(),
        recipients.join(", "),
        stored.send.map_or_else(|| "orphan".to_owned(), |send| send.to_string()),
        stored.source.clone(),
        stored.event.detail.plain().into_string(),
    ]
}

async fn import(desk: &Desk, files: &[PathBuf]) -> Result<ExitCode, Failure> {
    let (mut read, mut unread, mut all) = (0, 0, Taken::default());
    for path in files {
        let failure = |error: io::Error| {
            let what = format!("cannot read {}: {error}", plain(&path.display().to_string()));
            Failure::failed(what, "what was read before is taken in; run it again with the rest")
        };
        let mut batch = Vec::new();
        let mut refused = 0;
        let mut texts = Texts::open(path).map_err(failure)?;
        let broken = loop {
            match texts.next() {
                Ok(None) => break None,
                Err(error) => break Some(failure(error)),
                Ok(Some((_, Ok(event)))) => batch.push(event),
                Ok(Some((line, Err(why)))) => {
                    refused += 1;
                    if refused <= NAMED_MAX {
                        output::remark(&format!("{}, line {line}: {why}", plain(&path.display().to_string())));
                    }
                }
            }
            if batch.len() == BATCH_MAX {
                read += batch.len();
                add(&mut all, desk.take_events(&batch, Source::Import).await?);
                batch.clear();
            }
        };
        read += batch.len();
        add(&mut all, desk.take_events(&batch, Source::Import).await?);
        if refused > NAMED_MAX {
            let more = refused - NAMED_MAX;
            output::remark(&format!("{}: and {more} more", plain(&path.display().to_string())));
        }
        unread += refused;
        if let Some(broken) = broken {
            return Err(broken);
        }
    }
    let Taken { stored, orphans, changed } = &all;
    let known = i64::try_from(read).unwrap_or(i64::MAX) - stored;
    output::line(&format!(
        "{stored} events taken in, {known} known already, {orphans} about no mail that is known, {unread} not read; {} \
         verifications changed",
        changed.len()
    ))?;
    Ok(if unread == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn add(all: &mut Taken, taken: Taken) {
    all.stored += taken.stored;
    all.orphans += taken.orphans;
    all.changed.extend(taken.changed);
}
