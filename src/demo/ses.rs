//! The demo's Amazon SES: reports what becomes of the mails that the demo's transport captured, as SES would, through the
//! way that all events take.
//!
//! It knows what SES would know, the mails that it was given: for whom they are, our tags, and when they came. What becomes
//! of one follows from its recipient (`ses/recipient.rs`) and from nothing else. So there is nothing to be kept: after a restart
//! all mails are read and reported again, and an event that was stored before is not stored again.

mod captured;
mod recipient;
mod report;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use chrono::TimeDelta;
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use crate::contain;
use crate::desk::Desk;
use crate::domain::Time;
use crate::ses::event::Event;
use crate::store::events::{BATCH_MAX, Source};
use captured::Directory;

/// How often it looks for mails, and for what is due.
const EVERY: Duration = Duration::from_millis(250);

/// How old a mail may be. Events that come again are recognized for 15 days.
const AGE_MAX: TimeDelta = TimeDelta::days(14);

/// SES, for the mails of one directory.
#[derive(Debug)]
pub struct SimulatedSes {
    desk: Desk,
    directory: Directory,
    /// What is to be reported, by when.
    due: BTreeMap<Time, Vec<Event>>,
}

impl SimulatedSes {
    #[must_use]
    pub fn new(desk: Desk, directory: PathBuf) -> Self {
        Self { desk, directory: Directory::new(directory), due: BTreeMap::new() }
    }

    /// Reports until it is stopped.
    pub async fn run(mut self, stop: CancellationToken) {
        let mut ticks = interval(EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while stop.run_until_cancelled(ticks.tick()).await.is_some() {
            if let Err(error) = self.report(chrono::Utc::now()).await {
                tracing::warn!("the demo's SES waits: {error:#}");
            }
        }
    }

    /// Reports what happens until then. What the database does not take is reported the next time.
    pub async fn report(&mut self, now: Time) -> anyhow::Result<()> {
        self.read_mails(now).await?;
        let due: Vec<Event> = self.due.range(..=now).flat_map(|(_, events)| events.clone()).collect();
        for events in due.chunks(BATCH_MAX) {
            self.desk.take_events(events, Source::Simulated).await?;
        }
        self.due.retain(|at, _| *at > now);
        Ok(())
    }

    /// Decides what becomes of the mails that came since it looked last.
    async fn read_mails(&mut self, now: Time) -> anyhow::Result<()> {
        let mut directory = std::mem::take(&mut self.directory);
        let read = move || {
            let mails = directory.new_mails(now - AGE_MAX);
            (directory, mails)
        };
        let (directory, mails) = contain::spawn_blocking(read).await??;
        self.directory = directory;
        for mail in mails? {
            for fate in recipient::fates(&mail.recipient) {
                let at = mail.accepted_at + fate.after;
                self.due.entry(at).or_default().push(report::event(&mail, &fate, at)?);
            }
        }
        Ok(())
    }
}
