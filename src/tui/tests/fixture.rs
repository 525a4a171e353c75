//! A small world behind the console: rows, mails, a worker; and answers to whatever the console asks for.

mod console;
mod rows;
mod world;

use chrono::Duration;

use crate::domain::Time;

pub use console::{Console, key_of};
pub use rows::{job, job_id, job_plan, row, send_id, worker};
pub use world::{World, endpoint};

/// The time of every fixture: in the middle of a minute.
pub fn now() -> Time {
    "2026-07-01T05:30:20Z".parse().unwrap()
}

pub fn ago(seconds: i64) -> Time {
    now() - Duration::seconds(seconds)
}

pub const HOUR: i64 = 3_600;
pub const DAY: i64 = 24 * HOUR;
