//! Turns, so that one person's locked row takes no more than its share of the connections: of all that one link, or one
//! address, makes wait for the same row, two go on at once, and the others wait here, where they cost nothing. Two,
//! since one of them may hang on a connection that has just died. Once a turn has settled the outcome for good, the
//! others get it without asking the database again.

use std::collections::HashMap;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use crate::store;
use crate::text::plain;

/// How many requests about one thing go on at once.
const AT_ONCE: usize = 2;

/// How long the others wait: a request's own time must suffice for the rest.
const WAIT_MAX: Duration = Duration::from_secs(5);

/// With more than this many things, those that no request is about any more are forgotten.
const KEPT_MAX: usize = 1_000;

#[derive(Debug)]
pub(super) struct Turns<T>(Mutex<HashMap<Vec<u8>, Weak<Thing<T>>>>);

/// What requests are about.
#[derive(Debug)]
struct Thing<T> {
    seats: Arc<Semaphore>,
    /// Whenever a turn ends.
    over: Notify,
    settled: Mutex<Option<T>>,
}

/// What waiting for a turn comes to.
pub(super) enum Turn<T> {
    /// It lasts until this is dropped.
    Mine(Held<T>),
    /// Another's turn has settled it in the meantime.
    Settled(T),
}

/// A turn. All that wait are notified of its end.
#[derive(Debug)]
pub(super) struct Held<T> {
    seat: Option<OwnedSemaphorePermit>,
    thing: Arc<Thing<T>>,
}

impl<T> Held<T> {
    /// Settles the thing: every caller gets this outcome from now on.
    pub(super) fn settle(self, outcome: T) {
        *self.thing.settled.lock().unwrap_or_else(PoisonError::into_inner) = Some(outcome);
    }
}

impl<T> Drop for Held<T> {
    fn drop(&mut self) {
        self.seat = None;
        self.thing.over.notify_waiters();
    }
}

impl<T> Default for Turns<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T: Clone> Turns<T> {
    /// Waits for a turn in what is done about this, or until another's has settled it.
    pub(super) async fn turn(&self, about: &[u8]) -> Result<Turn<T>, store::Error> {
        let thing = self.about(about);
        let wait = async {
            loop {
                let mut over = pin!(thing.over.notified());
                // Before the look at the seats, so that no end is missed.
                over.as_mut().enable();
                if let Some(settled) = thing.settled.lock().unwrap_or_else(PoisonError::into_inner).clone() {
                    return Turn::Settled(settled);
                }
                if let Ok(seat) = Arc::clone(&thing.seats).try_acquire_owned() {
                    return Turn::Mine(Held { seat: Some(seat), thing: Arc::clone(&thing) });
                }
                over.await;
            }
        };
        timeout(WAIT_MAX, wait)
            .await
            .map_err(|_| store::Error::Contended(plain("other requests about the same person wait for a lock")))
    }

    fn about(&self, about: &[u8]) -> Arc<Thing<T>> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= KEPT_MAX {
            all.retain(|_, thing| thing.strong_count() > 0);
        }
        let thing = all.get(about).and_then(Weak::upgrade).unwrap_or_else(|| {
            let seats = Arc::new(Semaphore::new(AT_ONCE));
            Arc::new(Thing { seats, over: Notify::new(), settled: Mutex::default() })
        });
        all.insert(about.to_vec(), Arc::downgrade(&thing));
        thing
    }
}
