//! "I never got the mail": the address is pasted, what happened is read, the typo is corrected, and a new mail goes out.

use std::num::NonZeroU16;
use std::time::Duration;

use anyhow::Context as _;
use chrono::Utc;
use verifydesk::config::Settings;
use verifydesk::domain::filter::Filter;
use verifydesk::domain::page::Position;
use verifydesk::domain::verdict::Facts;
use verifydesk::domain::verification::Status;
use verifydesk::store::Store;

use crate::{Console, PASTE, svg};

/// How many of the newest who are pending are looked at for one whose address has no mailbox.
const LOOK_AT: i64 = 200;

/// A mailbox of the demo to which no mail can be delivered, as its owner would write it.
pub async fn caller(settings: &Settings) -> anyhow::Result<String> {
    let store = Store::open(settings)?;
    let filter = Filter { status: Some(Status::Pending), ..Filter::default() };
    for row in store.list(&filter, Position::Newest, LOOK_AT).await?.rows {
        let Some(detail) = store.show(row.verification.id).await? else { continue };
        let facts = Facts { detail: &detail, held_by: None, now: Utc::now() };
        if facts.verdict(|_| String::new()).what.contains("no such mailbox") && !row.user.name.raw().is_empty() {
            return Ok(format!("{} <{}>", row.user.name.plain(), row.user.email.plain()));
        }
    }
    anyhow::bail!("the demo has no one whose address has no mailbox");
}

/// The call as an animated picture.
pub fn record(url: &str, columns: NonZeroU16, rows: NonZeroU16, caller: &str) -> anyhow::Result<String> {
    let mut console = Console::start(Some(url), columns, rows)?;
    let paste = format!("{PASTE}{caller}\u{1b}[201~");
    // The cursor is behind the address, whose domain is typed anew.
    let domain = caller.trim_end_matches('>').rsplit('@').next().unwrap_or_default();
    let corrected = "\u{7f}".repeat(domain.chars().count()) + "mail.example";
    let steps = [
        ("", 2.0),
        (&paste, 5.0),
        ("a", 2.5),
        (&corrected, 2.5),
        ("\t", 0.5),
        ("they had mistyped it", 2.0),
        ("\r", 3.0),
        // What comes of it.
        ("", 4.0),
    ];
    let mut screens = Vec::new();
    for (keys, seconds) in steps {
        screens.push((console.press(keys)?, Duration::from_secs_f64(seconds)));
    }
    console.end()?;
    svg::animate(&screens, 1).context("nothing was recorded")
}
