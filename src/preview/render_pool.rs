//! Renderings off the async threads, under a time limit.
//!
//! Templates and HTML are written by people, and one may render without an end. A rendering cannot be stopped, only
//! left alone: it keeps its thread and its turn until it ends. So a pool has a few turns: what is asked for in the
//! meantime waits, indefinitely if no rendering ends and the caller sets no limit to the wait. What ends late is not
//! lost: the caller may await it.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::contain::{Broke, spawn_blocking};

/// How many renderings of one pool may run.
const AT_ONCE: usize = 3;

/// How long a single mail may take.
pub const RENDER_MAX: Duration = Duration::from_secs(3);

/// Turns for renderings. Cheap to clone; the clones share them.
#[derive(Clone, Debug)]
pub struct RenderPool(Arc<Semaphore>);

/// The right to one rendering, given back when that ends. Empty only if the pool were closed, which it never is.
#[derive(Debug)]
pub struct Turn {
    _permit: Option<OwnedSemaphorePermit>,
}

/// Why a rendering has no result in time.
#[derive(Debug)]
pub enum Missed<T> {
    Broke(Broke),
    /// The runtime ends.
    Ended,
    /// It still runs.
    Late(JoinHandle<Result<T, Broke>>),
}

impl Default for RenderPool {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(AT_ONCE)))
    }
}

impl RenderPool {
    /// A turn, as soon as there is one.
    pub async fn turn(&self) -> Turn {
        Turn { _permit: Arc::clone(&self.0).acquire_owned().await.ok() }
    }
}

impl Turn {
    /// The result of a rendering, if it takes no longer than `longest`.
    pub async fn render<T: Send + 'static>(
        self,
        longest: Duration,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Missed<T>> {
        in_time(longest, move || {
            let _turn = self;
            work()
        })
        .await
    }
}

/// The same without a turn, for a process that renders once.
pub async fn in_time<T: Send + 'static>(
    longest: Duration,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Missed<T>> {
    let mut working = spawn_blocking(work);
    match timeout(longest, &mut working).await {
        Ok(Ok(done)) => done.map_err(Missed::Broke),
        Ok(Err(_)) => Err(Missed::Ended),
        Err(_) => Err(Missed::Late(working)),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use futures_util::FutureExt as _;

    use super::*;

    #[tokio::test]
    async fn what_does_not_end_keeps_its_turn_and_may_come_late() {
        let pool = RenderPool::default();
        let mut late = Vec::new();
        for _ in 0..AT_ONCE {
            let (end, ended) = mpsc::channel();
            let rendered = pool.turn().await.render(Duration::ZERO, move || ended.recv());
            let Err(Missed::Late(working)) = rendered.await else { panic!("it ended without being asked to") };
            late.push((end, working));
        }
        assert!(pool.turn().now_or_never().is_none());
        let (end, working) = late.pop().unwrap();
        end.send(7).unwrap();
        assert_eq!(working.await.unwrap().unwrap(), Ok(7));
        assert!(pool.turn().now_or_never().is_some());
    }

    #[tokio::test]
    async fn what_panics_gives_its_turn_back() {
        let pool = RenderPool::default();
        for _ in 0..=AT_ONCE {
            let rendered = pool.turn().await.render(RENDER_MAX, || -> () { panic!("a mail") });
            assert!(matches!(rendered.await, Err(Missed::Broke(_))));
        }
    }
}
