//! Whether the database is there, and what others change in it.
//!
//! One task, for as long as the console lives: subscribe, pass changes on, and when the connection is lost report it, wait
//! and try again, each time a little longer. Where the server answers but cannot be subscribed to, it is asked every
//! few seconds instead.

use std::sync::atomic::Ordering;
use std::time::Duration;

use chrono::Utc;
use tokio::time::{Instant, interval_at, sleep, sleep_until};

use super::{Context, Database};
use crate::domain::change::{Change, Gathered};
use crate::jitter::jittered;
use crate::store::{self, Changes, Store};
use crate::tui::effect::Problem;
use crate::tui::msg::Msg;

/// Changes reach the screen at most this often.
const GATHER: Duration = Duration::from_millis(250);

/// How long the first waits for others of the same act, so that what they have in common is read once.
const TOGETHER: Duration = Duration::from_millis(10);

/// How long to wait before the first retry.
const RETRY_FIRST: Duration = Duration::from_millis(500);

/// How long to wait between retries at most.
const RETRY_MAX: Duration = Duration::from_secs(8);

/// How often to see whether a silent subscription is alive.
const CHECK_EVERY: Duration = Duration::from_secs(15);

/// How often to look where nothing can be heard.
const POLL_EVERY: Duration = Duration::from_secs(5);

/// After how many looks to try again to subscribe.
const POLLS: u32 = 12;

/// What changes are heard through.
enum Ears {
    Subscribed(Changes),
    /// The server answers, but takes no subscription.
    Polling,
}

/// Never returns.
pub(super) async fn keep(context: &Context, store: &Store) {
    let mut retry = RETRY_FIRST;
    // Where it broke the last time.
    context.hears.store(false, Ordering::SeqCst);
    loop {
        let problem = match connect(store).await {
            Ok(ears) => {
                retry = RETRY_FIRST;
                context.here();
                let since = Instant::now();
                match ears {
                    Ears::Subscribed(changes) => {
                        context.hears.store(true, Ordering::SeqCst);
                        forward(context, store, changes).await;
                        context.hears.store(false, Ordering::SeqCst);
                    }
                    Ears::Polling => poll(context).await,
                }
                // Only the subscription may be lost: look before it is reported. But not in a hurry, for something
                // in between may end each subscription at once.
                if since.elapsed() < RETRY_MAX {
                    sleep(RETRY_FIRST).await;
                }
                continue;
            }
            Err(error) => Problem { away: true, ..error.into() },
        };
        let wait = jittered(retry);
        retry = (retry * 2).min(RETRY_MAX);
        context.gone(problem, wait);
        tokio::select! {
            () = sleep(wait) => {}
            () = context.reconnect.notified() => {}
        }
    }
}

async fn connect(store: &Store) -> Result<Ears, store::Error> {
    store.reach().await?;
    store.check().await?;
    match store.listen().await {
        Ok(changes) => Ok(Ears::Subscribed(changes)),
        Err(error) if error.is_away() => Err(error),
        Err(error) => {
            tracing::warn!(%error, "changes cannot be heard; looking every few seconds instead");
            Ok(Ears::Polling)
        }
    }
}

/// Passes changes on, gathered, until the connection is lost. The next try learns the reason.
async fn forward(context: &Context, store: &Store, mut changes: Changes) {
    let mut gathered = Gathered::default();
    let mut not_before = Instant::now();
    let mut check_at = Instant::now() + CHECK_EVERY;
    loop {
        tokio::select! {
            biased;
            () = sleep_until(not_before), if !gathered.is_empty() => {
                not_before = Instant::now() + GATHER;
                context.send(Msg::Changed(gathered.take()));
            }
            () = context.suspect.notified() => {
                // The subscription may well be alive where no other connection is to be had.
                if changes.check().await.is_err() || store.reach().await.is_err() {
                    return;
                }
            }
            () = sleep_until(check_at) => {
                if changes.check().await.is_err() {
                    return;
                }
                check_at = Instant::now() + CHECK_EVERY;
            }
            change = changes.next() => match change {
                Ok(change) => {
                    if gathered.is_empty() {
                        not_before = not_before.max(Instant::now() + TOGETHER);
                    }
                    gathered.add(change);
                }
                Err(_) => return,
            }
        }
    }
}

/// Looks every few seconds, for a minute or until the database is gone.
async fn poll(context: &Context) {
    let mut due = interval_at(Instant::now() + POLL_EVERY, POLL_EVERY);
    for _ in 0..POLLS {
        tokio::select! {
            _ = due.tick() => {}
            () = context.suspect.notified() => return,
        }
        context.changed_somehow();
    }
}

impl Context {
    fn here(&self) {
        let before = self.database.send_replace(Database::Here);
        if matches!(before, Database::Away(_)) {
            self.send(Msg::DatabaseBack);
        } else {
            // No one heard what changed between the last look at the database and this subscription.
            self.changed_somehow();
        }
    }

    fn gone(&self, problem: Problem, wait: Duration) {
        self.database.send_replace(Database::Away(problem.clone()));
        self.send(Msg::DatabaseAway { problem, retry_at: Utc::now() + wait });
    }

    fn changed_somehow(&self) {
        self.send(Msg::Changed(vec![Change::Many, Change::Outbox]));
    }

    /// An act of this console may have changed something. Where changes are heard it is heard like any other's.
    pub(super) fn acted(&self) {
        if !self.hears.load(Ordering::SeqCst) {
            self.changed_somehow();
        }
    }
}
