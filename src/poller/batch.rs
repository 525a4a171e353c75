//! Some messages out of the queue, on their way into the database.

use std::time::Duration;

use tokio::time::{Instant, interval_at, sleep};
use tokio_util::sync::CancellationToken;

use super::{EventPoller, Tally, Until};
use crate::desk::Error;
use crate::jitter::jittered;
use crate::ses::event::{Event, NotAnEvent};
use crate::ses::sqs::Message;
use crate::store::events::{Source, Taken};
use crate::text::plain;

/// After how many failures in a row it gives up that is to end when the queue is empty.
const FAILURES_MAX: u32 = 3;

/// The longest wait for the database after failures in a row.
const PAUSE_MAX: Duration = Duration::from_secs(10);

/// Messages, those that are events with them.
pub(super) struct Batch {
    /// Those that are in the database soon, and can be deleted then.
    taken: Vec<Message>,
    events: Vec<Event>,
    /// Those that stay in the queue, and go to its dead-letter queue in the end.
    left: Vec<Message>,
    /// What AWS says by the same way and what is no event: deleted.
    notices: Vec<Message>,
}

impl Batch {
    pub(super) fn new(messages: Vec<Message>) -> Self {
        let mut batch = Self { taken: Vec::new(), events: Vec::new(), left: Vec::new(), notices: Vec::new() };
        for message in messages {
            match Event::read(message.body.as_bytes(), Some(&format!("sqs {}", message.id))) {
                Ok(event) => {
                    batch.events.push(event);
                    batch.taken.push(message);
                }
                Err(NotAnEvent::Notice) => batch.notices.push(message),
                Err(why) => {
                    if message.received == 1 {
                        tracing::warn!(message = %plain(&message.id), "left in the queue of events: {why}");
                    }
                    batch.left.push(message);
                }
            }
        }
        batch
    }

    /// Puts the events into the database, in one transaction, and deletes them from the queue behind that. While the
    /// database is away they are kept: each time that a message is received again brings it nearer to the dead-letter
    /// queue.
    pub(super) async fn take(self, poller: &EventPoller, until: Until, shutdown: &CancellationToken) -> Tally {
        let mut tally = Tally::default();
        let first: Vec<&Message> = self.left.iter().filter(|message| message.received == 1).collect();
        tally.left_alone = i64::try_from(first.len()).unwrap_or(i64::MAX);
        if tally.left_alone > 0 {
            note(poller.desk.store().note_left_alone(poller.url(), tally.left_alone).await.map_err(Error::from));
        }
        let mut done: Vec<&Message> = self.notices.iter().collect();
        if !self.events.is_empty() {
            let storing = self.store(poller, &mut tally, until, shutdown);
            let stored = tokio::select! {
                stored = storing => stored,
                never = extend(poller, &self.taken) => never,
            };
            done.extend(stored);
        }
        if !done.is_empty()
            && let Err(failure) = poller.queue.delete(&done).await
        {
            tracing::warn!("messages were not deleted, and come again: {failure}");
        }
        tally
    }

    /// Returns the messages whose events are in the database.
    async fn store(
        &self,
        poller: &EventPoller,
        tally: &mut Tally,
        until: Until,
        shutdown: &CancellationToken,
    ) -> Vec<&Message> {
        let mut count = |taken: Taken| {
            tally.stored += taken.stored;
            tally.orphans += taken.orphans;
        };
        match store(poller, &self.events, until, shutdown).await {
            Stored::Taken(taken) => {
                count(taken);
                self.taken.iter().collect()
            }
            Stored::Refused(_) => {
                let mut done = Vec::new();
                for (event, message) in self.events.iter().zip(&self.taken) {
                    match store(poller, std::slice::from_ref(event), until, shutdown).await {
                        Stored::Taken(taken) => {
                            count(taken);
                            done.push(message);
                        }
                        Stored::Refused(error) => {
                            tracing::error!(message = %plain(&message.id), %error, "an event is left in the queue");
                        }
                        Stored::Ended(_) => break,
                    }
                }
                done
            }
            Stored::Ended(why) => {
                tally.failed_by = why.map(|error| error.to_string());
                // Others may have them at once.
                if let Err(failure) = poller.queue.extend(&self.taken, Duration::ZERO).await {
                    tracing::warn!("messages were not given back to the queue of events: {failure}");
                }
                Vec::new()
            }
        }
    }
}

/// What became of events.
enum Stored {
    Taken(Taken),
    /// For what is in one of them.
    Refused(Error),
    /// This is to end, and the database has not taken them; with its error where that is why.
    Ended(Option<Error>),
}

/// Tries until the database takes them; not for long where that is to end by itself.
async fn store(poller: &EventPoller, events: &[Event], until: Until, shutdown: &CancellationToken) -> Stored {
    let mut failures = 0;
    loop {
        match poller.desk.take_events(events, Source::Sqs).await {
            Ok(taken) => return Stored::Taken(taken),
            Err(Error::Store(error)) if error.is_of_the_row() => return Stored::Refused(error.into()),
            Err(error) => {
                failures += 1;
                tracing::warn!(%error, "events wait for the database");
                if until == Until::Empty && failures >= FAILURES_MAX {
                    return Stored::Ended(Some(error));
                }
            }
        }
        let pause = jittered(Duration::from_millis(250 << failures.min(6)).min(PAUSE_MAX));
        if shutdown.run_until_cancelled(sleep(pause)).await.is_none() {
            return Stored::Ended(None);
        }
    }
}

/// Keeps messages from being received by others; does not end.
async fn extend<T>(poller: &EventPoller, messages: &[Message]) -> T {
    let visibility = poller.queue.visibility();
    let every = visibility / 3;
    let mut ticks = interval_at(Instant::now() + every, every);
    loop {
        ticks.tick().await;
        if let Err(failure) = poller.queue.extend(messages, visibility).await {
            tracing::warn!("messages may be received by others before they are in the database: {failure}");
        }
    }
}

fn note(result: Result<(), Error>) {
    if let Err(error) = result {
        tracing::warn!(%error, "messages left in the queue of events were not counted");
    }
}
