//! Bodies of posts, read within a budget of memory that all of them share.
//!
//! A post holds as much of it as has come. Where it is used up, the unverified post that holds the most gives way: one of
//! SNS's is small, comes at once and is verified in a moment, so it is never that one, whatever strangers post.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::extract::Request;
use axum::http::header::CONTENT_LENGTH;
use http_body_util::BodyExt as _;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout_at};
use tokio_util::sync::CancellationToken;

use crate::ses::sns::BODY_MAX;

/// All bodies together, in KiB.
const BUDGET: usize = 16 * 1024;

/// How long a body may take to come; SNS's come at once.
const READ_MAX: Duration = Duration::from_secs(3);

/// How long to wait for room, after one that gives way was asked to.
const ROOM_MAX: Duration = Duration::from_secs(1);

/// How much of a body that is too long is read all the same, and dropped, so that its client reads the answer.
const DROPPED_MAX: usize = 1024 * 1024;

/// Why a body was not read.
pub(super) enum Unread {
    TooLong,
    /// It gave way, or there is no room.
    Busy,
    /// It did not come whole, or not in time.
    Cut,
}

pub(super) struct Budget {
    room: Arc<Semaphore>,
    held: Arc<Mutex<Held>>,
}

#[derive(Default)]
struct Held {
    next: u64,
    /// The posts that may be asked to give way.
    posts: HashMap<u64, Post>,
}

struct Post {
    kib: usize,
    gives_way: CancellationToken,
}

/// A body that is whole.
pub(super) struct Whole {
    bytes: Vec<u8>,
    share: Share,
}

/// A post's part of the budget.
struct Share {
    number: u64,
    permit: Option<OwnedSemaphorePermit>,
    gives_way: CancellationToken,
    held: Arc<Mutex<Held>>,
}

impl Default for Budget {
    fn default() -> Self {
        Self::of(BUDGET)
    }
}

impl Budget {
    fn of(kib: usize) -> Self {
        Self { room: Arc::new(Semaphore::new(kib)), held: Arc::default() }
    }

    /// Reads a request's body.
    pub(super) async fn read(&self, request: Request) -> Result<Whole, Unread> {
        let declared = request.headers().get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
        let mut body = request.into_body();
        let deadline = Instant::now() + READ_MAX;
        let mut share = self.share();
        let (mut bytes, mut dropped) = (Vec::new(), 0);
        let mut is_too_long = declared.is_some_and(|declared: usize| declared > BODY_MAX);
        loop {
            let next = tokio::select! {
                biased;
                () = share.gives_way.cancelled() => return Err(Unread::Busy),
                next = timeout_at(deadline, body.frame()) => next.map_err(|_| Unread::Cut)?,
            };
            let Some(frame) = next else { break };
            let Ok(data) = frame.map_err(|_| Unread::Cut)?.into_data() else { continue };
            is_too_long = is_too_long || bytes.len() + data.len() > BODY_MAX;
            if is_too_long {
                (bytes, share.permit) = (Vec::new(), None);
                dropped += data.len();
                if dropped > DROPPED_MAX {
                    break;
                }
                continue;
            }
            self.grow(&mut share, (bytes.len() + data.len()).div_ceil(1024)).await?;
            bytes.reserve_exact(data.len());
            bytes.extend_from_slice(&data);
        }
        if is_too_long { Err(Unread::TooLong) } else { Ok(Whole { bytes, share }) }
    }

    fn share(&self) -> Share {
        let gives_way = CancellationToken::new();
        let mut held = locked(&self.held);
        held.next += 1;
        let number = held.next;
        held.posts.insert(number, Post { kib: 0, gives_way: gives_way.clone() });
        Share { number, permit: None, gives_way, held: Arc::clone(&self.held) }
    }

    /// Waits for room up to so many KiB.
    async fn grow(&self, share: &mut Share, kib: usize) -> Result<(), Unread> {
        let more = kib.saturating_sub(share.permit.as_ref().map_or(0, OwnedSemaphorePermit::num_permits));
        let Ok(more) = u32::try_from(more) else { return Err(Unread::TooLong) };
        if let Some(post) = locked(&self.held).posts.get_mut(&share.number) {
            post.kib = kib;
        }
        let room = if let Ok(room) = Arc::clone(&self.room).try_acquire_many_owned(more) {
            room
        } else {
            self.make_room();
            let room = Arc::clone(&self.room).acquire_many_owned(more);
            let found = tokio::select! {
                biased;
                () = share.gives_way.cancelled() => return Err(Unread::Busy),
                found = timeout_at(Instant::now() + ROOM_MAX, room) => found,
            };
            found.map_err(|_| Unread::Busy)?.map_err(|_| Unread::Busy)?
        };
        match &mut share.permit {
            Some(permit) => permit.merge(room),
            none => *none = Some(room),
        }
        Ok(())
    }

    /// Asks the post that holds the most to give way; of equals the oldest.
    fn make_room(&self) {
        let held = locked(&self.held);
        let staying = held.posts.iter().filter(|(_, post)| !post.gives_way.is_cancelled());
        if let Some((_, post)) = staying.max_by_key(|(number, post)| (post.kib, std::cmp::Reverse(**number))) {
            post.gives_way.cancel();
        }
    }
}

impl Whole {
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Returns when it is to give way.
    pub(super) async fn gives_way(&self) {
        self.share.gives_way.cancelled().await;
    }

    /// It is verified, and keeps its part to the end.
    pub(super) fn stays(&self) {
        locked(&self.share.held).posts.remove(&self.share.number);
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        locked(&self.held).posts.remove(&self.number);
    }
}

/// Nothing that holds this lock can panic; if it did, what it guards would still be whole.
fn locked(held: &Mutex<Held>) -> MutexGuard<'_, Held> {
    held.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use axum::body::{Body, Bytes};
    use futures_util::stream;

    use super::*;

    fn post(body: Body) -> Request {
        Request::new(body)
    }

    /// One that sends so much at once, and then nothing more.
    fn stalled(kib: usize) -> Request {
        let first = stream::iter([Ok::<_, std::io::Error>(Bytes::from(vec![b'x'; kib * 1024]))]);
        post(Body::from_stream(futures_util::StreamExt::chain(first, stream::pending())))
    }

    #[tokio::test]
    async fn the_one_that_holds_the_most_gives_way() {
        let budget = Arc::new(Budget::of(100));
        let mut stalling: Vec<_> = [30, 50, 20]
            .into_iter()
            .map(|kib| {
                let budget = Arc::clone(&budget);
                tokio::spawn(async move { budget.read(stalled(kib)).await.err() })
            })
            .collect();
        while budget.room.available_permits() > 0 {
            tokio::task::yield_now().await;
        }
        let whole = budget.read(post(Body::from(vec![b'y'; 4 * 1024]))).await.ok().unwrap();
        assert_eq!(whole.bytes().len(), 4 * 1024);
        assert!(matches!(stalling.remove(1).await.unwrap(), Some(Unread::Busy)));
        // The others still wait for their ends, and have 3 seconds for that.
        for other in stalling {
            assert!(matches!(other.await.unwrap(), Some(Unread::Cut)));
        }
        drop(whole);
        assert_eq!((budget.room.available_permits(), locked(&budget.held).posts.len()), (100, 0));
    }

    #[tokio::test]
    async fn what_is_verified_never_gives_way() {
        let budget = Budget::of(10);
        let whole = budget.read(post(Body::from(vec![b'y'; 10 * 1024]))).await.ok().unwrap();
        whole.stays();
        let other = budget.read(post(Body::from(vec![b'x'; 1024]))).await;
        assert!(matches!(other.err(), Some(Unread::Busy)) && !whole.share.gives_way.is_cancelled());
    }

    #[tokio::test]
    async fn no_body_is_longer_than_sns_has_them() {
        let budget = Budget::default();
        for (length, is_read) in [(0, true), (BODY_MAX, true), (BODY_MAX + 1, false), (3 * DROPPED_MAX, false)] {
            let read = budget.read(post(Body::from(vec![b'x'; length]))).await;
            assert_eq!(read.is_ok(), is_read, "{length}");
            assert!(is_read || matches!(read.err(), Some(Unread::TooLong)));
        }
        let mut declared = stalled(1);
        declared.headers_mut().insert(CONTENT_LENGTH, (BODY_MAX + 1).into());
        assert!(matches!(budget.read(declared).await.err(), Some(Unread::Cut)));
        assert_eq!(budget.room.available_permits(), BUDGET);
    }
}
