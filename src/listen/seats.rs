//! Seats for connections, and which connections are closed when they run out.
//!
//! A connection that is kept open between requests keeps a seat that another client may need: near the last seat, such
//! a connection is asked to leave, and closed in an orderly way. First those of the client that holds the most, so that
//! one of many cannot keep the others out; among a client's, the one that has idled longest. Behind a proxy all are one
//! client's, and only the time counts. If none idles, an answer that has not been taken for a while, or a request whose
//! body has not come, is cut off.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;

/// One seat in so many is kept free for the next client while there are idle connections that can be closed.
const SPARE: usize = 20;

/// When to look again for a connection that could be closed.
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// How long a connection may take for the head of its first request before it counts as idle: it was opened for that.
const FIRST_PATIENCE: Duration = Duration::from_secs(1);

/// How long an answer may wait for its reader, and a request for the rest of its body, while others wait for a seat.
const PEER_PATIENCE: Duration = Duration::from_secs(2);

/// All seats of a server.
pub(super) struct Seats {
    free: Arc<Semaphore>,
    spare: usize,
    taken: Arc<Mutex<Taken>>,
}

#[derive(Default)]
struct Taken {
    next: u64,
    seats: HashMap<u64, Arc<Seat>>,
}

/// A connection's place. Free again when it is dropped.
pub(super) struct Taking {
    pub(super) seat: Arc<Seat>,
    number: u64,
    taken: Arc<Mutex<Taken>>,
    _permit: OwnedSemaphorePermit,
}

/// What is known of a connection.
pub(super) struct Seat {
    client: IpAddr,
    doing: Mutex<Doing>,
    /// Asks it to close when its request in flight, if any, is answered.
    pub(super) leave: CancellationToken,
    /// Ends it at once.
    pub(super) cut: CancellationToken,
}

#[derive(Clone, Copy, Debug)]
struct Doing {
    /// Requests that are being worked on, and answers that are being made.
    requests: usize,
    /// Since when a part of an answer waits for its reader.
    unread_since: Option<Instant>,
    /// Since when the body of a request is expected.
    unsent_since: Option<Instant>,
    /// Since when it does nothing, if it does nothing.
    since: Instant,
    /// Whether a request came yet.
    has_asked: bool,
}

impl Seats {
    pub(super) fn new(connections: usize) -> Self {
        Self { free: Arc::new(Semaphore::new(connections)), spare: connections / SPARE, taken: Arc::default() }
    }

    /// Waits for a seat, and asks others to leave where there are few.
    pub(super) async fn free(&self) -> Option<OwnedSemaphorePermit> {
        loop {
            if self.free.available_permits() <= self.spare {
                self.make_room();
            }
            // Fails only when the semaphore is closed, which no one does.
            if let Ok(permit) = timeout(LOOK_AGAIN, Arc::clone(&self.free).acquire_owned()).await {
                return permit.ok();
            }
        }
    }

    /// Gives a seat to a client.
    pub(super) fn take(&self, permit: OwnedSemaphorePermit, client: IpAddr) -> Taking {
        let seat = Arc::new(Seat {
            client: household(client),
            doing: Mutex::new(Doing {
                requests: 0,
                unread_since: None,
                unsent_since: None,
                since: Instant::now(),
                has_asked: false,
            }),
            leave: CancellationToken::new(),
            cut: CancellationToken::new(),
        });
        let mut taken = locked(&self.taken);
        taken.next += 1;
        let number = taken.next;
        taken.seats.insert(number, Arc::clone(&seat));
        drop(taken);
        Taking { seat, number, taken: Arc::clone(&self.taken), _permit: permit }
    }

    fn make_room(&self) {
        let taken = locked(&self.taken);
        let mut held: HashMap<IpAddr, usize> = HashMap::new();
        for seat in taken.seats.values() {
            *held.entry(seat.client).or_default() += 1;
        }
        let most = |seat: &Seat| std::cmp::Reverse(held.get(&seat.client).copied().unwrap_or_default());
        let staying = taken.seats.values().filter(|seat| !seat.leave.is_cancelled() && !seat.cut.is_cancelled());
        let idle = staying.clone().filter_map(|seat| Some((most(seat), seat.idle_since()?, seat)));
        if let Some((_, _, seat)) = idle.min_by_key(|(most, since, _)| (*most, *since)) {
            // hyper would wait for the rest of a first head, and what has not asked for anything misses no answer.
            if seat.has_asked() { seat.leave.cancel() } else { seat.cut.cancel() }
        } else if self.free.available_permits() == 0 {
            let long_ago = |since: &Instant| since.elapsed() >= PEER_PATIENCE;
            let stalled = taken.seats.values().filter(|seat| !seat.cut.is_cancelled());
            let stalled = stalled.filter_map(|seat| Some((most(seat), seat.stalled_since().filter(long_ago)?, seat)));
            if let Some((_, _, seat)) = stalled.min_by_key(|(most, since, _)| (*most, *since)) {
                seat.cut.cancel();
            }
        }
    }
}

impl Drop for Taking {
    fn drop(&mut self) {
        locked(&self.taken).seats.remove(&self.number);
    }
}

impl Seat {
    /// A request begins; it ends when the returned guard is dropped.
    pub(super) fn begin(self: &Arc<Self>) -> Busy {
        let mut doing = locked(&self.doing);
        doing.requests += 1;
        doing.has_asked = true;
        drop(doing);
        Busy(Arc::clone(self))
    }

    /// Whether a part of an answer waits for its reader.
    pub(super) fn set_unread(&self, is_unread: bool) {
        let mut doing = locked(&self.doing);
        let now = Instant::now();
        doing.unread_since = is_unread.then(|| doing.unread_since.unwrap_or(now));
        doing.since = now;
    }

    /// Whether the body of a request is expected.
    pub(super) fn set_unsent(&self, is_unsent: bool) {
        locked(&self.doing).unsent_since = is_unsent.then(Instant::now);
    }

    /// Ends once it has done nothing for so long.
    pub(super) async fn idle_for(&self, long: Duration) {
        let asked_at = Instant::now();
        loop {
            let doing = *locked(&self.doing);
            let idle = if doing.is_idle() { doing.since.max(asked_at).elapsed() } else { Duration::ZERO };
            if idle >= long {
                return;
            }
            sleep(long.saturating_sub(idle)).await;
        }
    }

    fn has_asked(&self) -> bool {
        locked(&self.doing).has_asked
    }

    /// Since when it waits for its client, though a request is in flight.
    fn stalled_since(&self) -> Option<Instant> {
        let doing = *locked(&self.doing);
        [doing.unread_since, doing.unsent_since].into_iter().flatten().min()
    }

    /// The head of a request that is not whole yet does not count, but for the first one there is a moment: what has
    /// just got its seat would be the one to lose it where all others are busy.
    fn idle_since(&self) -> Option<Instant> {
        let doing = *locked(&self.doing);
        (doing.is_idle() && (doing.has_asked || doing.since.elapsed() >= FIRST_PATIENCE)).then_some(doing.since)
    }
}

impl Doing {
    fn is_idle(&self) -> bool {
        self.requests == 0 && self.unread_since.is_none()
    }
}

/// A request in flight.
pub(super) struct Busy(Arc<Seat>);

impl Drop for Busy {
    fn drop(&mut self) {
        let mut doing = locked(&self.0.doing);
        doing.requests -= 1;
        doing.since = Instant::now();
    }
}

/// Nothing that holds one of these locks can panic; if it did, what it guards would still be whole.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// One client: with IPv6 it has 64 bits of addresses to choose from.
fn household(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => {
            let [a, b, c, d, ..] = v6.segments();
            std::net::Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
        v4 @ IpAddr::V4(_) => v4,
    }
}
