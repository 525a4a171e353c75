//! What `make bench-search` asks: reads a status and a text a line, apart by a tab, and says of each as JSON which rows the
//! console would list, after how long it could first show something, rows or how far it had searched, and when it had all.

use std::io::BufRead as _;
use std::time::Instant;

use anyhow::{Context as _, bail};
use verifydesk::config;
use verifydesk::desk::Desk;
use verifydesk::domain::filter::{Clock, Place, line};
use verifydesk::domain::page::Position;

const ROWS: i64 = 50;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let settings = config::load(None, std::env::vars())?;
    let desk = Desk::open(&settings)?;
    for asked in std::io::stdin().lock().lines() {
        let asked = asked?;
        let (status, text) = asked.split_once('\t').context("a status and a text are needed")?;
        let line = if status == "all" { text.to_owned() } else { format!("status:{status} {text}") };
        let filter = line::parse(&line, Place::Verifications, Clock::utc(chrono::Utc::now()));
        let Ok(filter) = filter else { bail!("this is no filter: {line}") };
        let began = Instant::now();
        let mut first = None;
        let tell = |_: &[_], _| _ = first.get_or_insert_with(|| began.elapsed());
        let page = desk.store().list_telling(&filter, Position::Newest, ROWS, tell).await?;
        let whole = began.elapsed();
        let milliseconds = [first.unwrap_or(whole), whole].map(|took| took.as_secs_f64() * 1000.0);
        let ids: Vec<i64> = page.rows.iter().map(|row| row.verification.id.0).collect();
        println!("{}", serde_json::json!({"first": milliseconds[0], "whole": milliseconds[1], "ids": ids}));
    }
    Ok(())
}
