//! One endpoint: takes what is due for it out of the outbox, a few at once, and records what came of each.

use std::time::Duration;

use futures_util::stream::{FuturesUnordered, StreamExt as _};
use tokio::time::{Instant, sleep_until, timeout};
use tokio_util::sync::CancellationToken;

use super::post::{Answer, Outgoing, Post};
use super::wait;
use crate::contain::contained_async;
use crate::domain::change::Change;
use crate::domain::hook::TRIED_FOR;
use crate::poller::Until;
use crate::store::Store;
use crate::store::hooks::{Claimed, KnownAs, NotTaken};
use crate::text::plain;

/// Messages at once, each of another user.
const AT_ONCE: usize = 8;

/// How often it is looked whether something is due.
const POLL_EVERY: Duration = Duration::from_secs(1);

/// How long the database is left alone after it did not answer.
const DATABASE_PAUSE: Duration = Duration::from_secs(5);

/// How much longer than the longest attempt a message belongs to who claimed it.
const LEASE_MARGIN: Duration = Duration::from_secs(30);

/// How long a message that is being delivered is waited for at the end: as long as systemd leaves to a worker's mails.
const ENDING: Duration = Duration::from_secs(10);

/// After how many failures in a row a worker that is to end by itself does, and for what it does not wait.
const FAILURES_MAX: u32 = 3;
const WORTH_WAITING: Duration = Duration::from_secs(5);

pub(super) struct Endpoint {
    store: Store,
    post: Post,
}

/// What the loop has to know of an attempt.
enum Came {
    Taken,
    /// This message was not taken; others may be.
    Refused,
    /// Nothing would be taken now.
    Failed(Option<Duration>),
    /// Nothing will be taken any more.
    Gone,
}

impl Endpoint {
    pub(super) fn new(store: Store, post: Post) -> Self {
        Self { store, post }
    }

    /// As the database is to know it.
    pub(super) fn known_as(&self) -> KnownAs {
        KnownAs {
            name: self.post.name().to_owned(),
            place: self.post.place(),
            wants_expired: self.post.wants_expired(),
        }
    }

    pub(super) async fn run(&self, until: Until, shutdown: &CancellationToken) {
        let mut flying = FuturesUnordered::new();
        let mut claimed: Vec<Claimed> = Vec::new();
        let mut failures = 0;
        let mut look_at = Instant::now();
        let mut has_news = false;
        loop {
            // Where it fails, one message shows whether it still does.
            let room = (if failures == 0 { AT_ONCE } else { 1 }).saturating_sub(flying.len());
            if room > 0 && Instant::now() >= look_at {
                match self.claim(room).await {
                    Some(found) => {
                        let is_all = found.len() < room;
                        look_at = Instant::now() + if is_all { POLL_EVERY } else { Duration::ZERO };
                        if is_all && std::mem::take(&mut has_news) {
                            self.store.notify(Change::Outbox).await;
                        }
                        claimed.extend(found.iter().cloned());
                        flying.extend(found.into_iter().map(|message| self.deliver(message)));
                    }
                    None => look_at = Instant::now() + DATABASE_PAUSE,
                }
                if until == Until::Empty && flying.is_empty() {
                    return;
                }
            }
            tokio::select! {
                Some((number, came)) = flying.next() => {
                    claimed.retain(|message| message.number != number);
                    has_news = true;
                    let now = Instant::now();
                    match came {
                        Came::Taken => (failures, look_at) = (0, now),
                        Came::Refused => look_at = look_at.min(now + POLL_EVERY),
                        Came::Failed(wanted) => {
                            failures += 1;
                            look_at = now + wanted.unwrap_or_default().max(wait::for_endpoint(failures));
                        }
                        Came::Gone => look_at = now + POLL_EVERY,
                    }
                    let is_held = failures >= FAILURES_MAX || look_at > now + WORTH_WAITING;
                    if until == Until::Empty && is_held {
                        break;
                    }
                }
                () = sleep_until(look_at), if room > 0 => {}
                () = shutdown.cancelled() => break,
            }
        }
        let finishing = async {
            while let Some((number, _)) = flying.next().await {
                claimed.retain(|message| message.number != number);
            }
        };
        let _ = timeout(ENDING, finishing).await;
        if !claimed.is_empty()
            && let Err(error) = self.store.put_webhooks_back(self.post.name(), &claimed).await
        {
            tracing::warn!(%error, "webhooks that were not delivered are tried again when their leases end");
        }
    }

    /// `None` where the database does not answer.
    async fn claim(&self, room: usize) -> Option<Vec<Claimed>> {
        let limit = i64::try_from(room).unwrap_or(i64::MAX);
        match self.store.claim_webhooks(self.post.name(), limit, self.post.longest() + LEASE_MARGIN).await {
            Ok(claimed) => Some(claimed),
            Err(error) => {
                tracing::warn!(endpoint = self.post.name(), %error, "webhooks wait for the database");
                None
            }
        }
    }

    /// Delivers a message, and records what came of it. What cannot be recorded is delivered once more.
    async fn deliver(&self, message: Claimed) -> (i64, Came) {
        let number = message.number;
        let came = contained_async(async {
            let id = message.id.to_string();
            let answer = self.post.attempt(&Outgoing { id: &id, body: &message.body, now: message.now }).await;
            self.record(&message, answer).await
        });
        (number, came.await.unwrap_or(Came::Refused))
    }

    async fn record(&self, message: &Claimed, answer: Answer) -> Came {
        let name = self.post.name();
        let (recorded, came) = match answer {
            Answer::Taken { status } => {
                let recorded = self.store.webhook_taken(name, message.number, status).await;
                if let Ok(true) = recorded {
                    tracing::info!(endpoint = name, "webhooks are taken again");
                }
                (recorded.map(drop), Came::Taken)
            }
            Answer::Gone { status, error } => {
                tracing::warn!(endpoint = name, "the receiver of webhooks wants none any more: {}", plain(&error));
                (self.store.disable_webhook(name, message.number, status, &error).await, Came::Gone)
            }
            Answer::NotTaken { status, error, said, wanted, is_endpoints } => {
                let wait = wait::for_message(message.attempt).max(wanted.unwrap_or_default());
                let why = NotTaken { status, error, said, wait };
                let recorded = self.store.webhook_not_taken(name, message, &why, TRIED_FOR).await;
                if let Ok(true) = recorded {
                    tracing::warn!(endpoint = name, "webhooks are not taken: {}", plain(&why.error));
                }
                (recorded.map(drop), if is_endpoints { Came::Failed(wanted) } else { Came::Refused })
            }
        };
        if !matches!(came, Came::Taken) {
            self.store.notify(Change::Outbox).await;
        }
        if let Err(error) = recorded {
            tracing::warn!(endpoint = name, id = %message.id, %error, "what came of a webhook was not recorded");
        }
        came
    }
}
