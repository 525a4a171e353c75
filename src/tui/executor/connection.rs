//! Whether the database is there, and what others change in it.
//!
//! One task, for as long as the console lives: subscribe, pass changes on, and when the connection is lost tell, wait
//! and try again, each time a little longer. Where the server answers but cannot be subscribed to, it is asked every
//! few seconds instead.

use std::time::Duration;

use chrono::Utc;
use tokio::time::{Instant, interval_at, sleep, sleep_until};

use super::{Context, Database};
use crate::domain::change::Change;
use crate::store::{self, Changes, Store};
use crate::tui::effect::Problem;
use crate::tui::msg::Msg;

/// Changes reach the screen at most this often.
const GATHER: Duration = Duration::from_millis(250);

/// More changes at once than this are told as many.
const GATHER_MAX: usize = 50;

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
    loop {
        let problem = match connect(store).await {
            Ok(ears) => {
                retry = RETRY_FIRST;
                context.here();
                let since = Instant::now();
                match ears {
                    Ears::Subscribed(changes) => forward(context, store, changes).await,
                    Ears::Polling => poll(context).await,
                }
                // Only the subscription may be lost: look before anybody is told. But not in a hurry, for something
                // in between may end each subscription at once.
                if since.elapsed() < RETRY_MAX {
                    sleep(RETRY_FIRST).await;
                }
                continue;
            }
            Err(error) => Problem { away: true, ..error.into() },
        };
        let wait = retry.mul_f64(0.8 + 0.4 * fastrand::f64());
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

/// Passes changes on, gathered, until the connection is lost. Whoever tries next learns the reason.
async fn forward(context: &Context, store: &Store, mut changes: Changes) {
    let mut gathered = Gathered::default();
    let mut not_before = Instant::now();
    let mut check_at = Instant::now() + CHECK_EVERY;
    loop {
        tokio::select! {
            biased;
            () = sleep_until(not_before), if !gathered.is_empty() => {
                not_before = Instant::now() + GATHER;
                gathered.take().into_iter().for_each(|change| context.tell(Msg::Changed(change)));
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
                Ok(change) => gathered.add(change),
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

/// Changes that have not been passed on.
#[derive(Debug, Default)]
struct Gathered(Vec<Change>);

impl Gathered {
    fn add(&mut self, change: Change) {
        if self.0.contains(&change) {
            return;
        }
        if self.0.len() >= GATHER_MAX {
            self.0.retain(|change| !matches!(change, Change::Verification(_)));
            self.0.push(Change::Many);
        }
        let is_covered = matches!(change, Change::Verification(_)) && self.0.contains(&Change::Many);
        if !is_covered {
            self.0.push(change);
        }
    }

    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn take(&mut self) -> Vec<Change> {
        std::mem::take(&mut self.0)
    }
}

impl Context {
    fn here(&self) {
        let before = self.database.send_replace(Database::Here);
        if matches!(before, Database::Away(_)) {
            self.tell(Msg::DatabaseBack);
        } else {
            // Nobody heard what changed between the last look at the database and this subscription.
            self.changed_somehow();
        }
    }

    fn gone(&self, problem: Problem, wait: Duration) {
        self.database.send_replace(Database::Away(problem.clone()));
        self.tell(Msg::DatabaseAway { problem, retry_at: Utc::now() + wait });
    }

    fn changed_somehow(&self) {
        self.tell(Msg::Changed(Change::Many));
        self.tell(Msg::Changed(Change::Outbox));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::id::VerificationId;

    #[test]
    fn a_flood_is_told_as_many() {
        let mut gathered = Gathered::default();
        gathered.add(Change::Workers);
        for id in 0..1_000 {
            gathered.add(Change::Verification(VerificationId(id)));
            gathered.add(Change::Workers);
        }
        gathered.add(Change::Queued);
        let told = gathered.take();
        assert_eq!(told, [Change::Workers, Change::Many, Change::Queued]);
        assert!(gathered.is_empty());
    }

    #[test]
    fn few_are_told_one_by_one_and_once() {
        let mut gathered = Gathered::default();
        let [first, second] = [1, 2].map(|id| Change::Verification(VerificationId(id)));
        for change in [first, second, first, Change::Queued, Change::Queued] {
            gathered.add(change);
        }
        assert_eq!(gathered.take(), [first, second, Change::Queued]);
    }
}
