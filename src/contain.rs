//! A panic ends what it was in, and nothing more: a step of a worker, a lane's mail, a request, a console's question.
//!
//! Panics are faults of this program, and one row of a database may be enough to bring one out each time that it is
//! read. What is contained here answers that it broke; the message of the panic is logged where it happened.

use std::any::Any;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::task::JoinHandle;

use crate::text::{Plain, plain};

/// Longest message that is kept, in characters.
const MESSAGE_MAX: usize = 200;

thread_local! {
    /// How deep this thread is in what is contained.
    static DEPTH: Cell<u32> = const { Cell::new(0) };
}

/// What was contained has panicked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this program broke on it: {0}")]
pub struct Broke(Plain);

/// Whether a panic of this thread would be contained at this moment: for a panic hook.
#[must_use]
pub fn is_contained() -> bool {
    DEPTH.get() > 0
}

/// Runs something to its end, or to its panic. What the panic leaves half done must be dropped by the caller, or not
/// matter.
pub fn contained<T>(work: impl FnOnce() -> T) -> Result<T, Broke> {
    DEPTH.set(DEPTH.get() + 1);
    let done = catch_unwind(AssertUnwindSafe(work));
    DEPTH.set(DEPTH.get() - 1);
    done.map_err(|payload| {
        let broke = Broke::from_payload(payload.as_ref());
        tracing::error!("{broke}");
        broke
    })
}

/// The same for a future.
pub async fn contained_async<F: Future>(future: F) -> Result<F::Output, Broke> {
    let mut future = Box::pin(future);
    std::future::poll_fn(move |context| poll(&mut future, context)).await
}

fn poll<F: Future>(future: &mut Pin<Box<F>>, context: &mut Context<'_>) -> Poll<Result<F::Output, Broke>> {
    match contained(|| future.as_mut().poll(context)) {
        Ok(Poll::Ready(done)) => Poll::Ready(Ok(done)),
        Ok(Poll::Pending) => Poll::Pending,
        Err(broke) => Poll::Ready(Err(broke)),
    }
}

/// Spawns a task whose panic ends it and nothing more; see there for what it would end otherwise.
#[expect(clippy::disallowed_methods, reason = "it is contained")]
pub fn spawn<F>(future: F) -> JoinHandle<Result<F::Output, Broke>>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    tokio::spawn(contained_async(future))
}

/// The same for what blocks its thread.
#[expect(clippy::disallowed_methods, reason = "it is contained")]
pub fn spawn_blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> JoinHandle<Result<T, Broke>> {
    tokio::task::spawn_blocking(|| contained(work))
}

impl Broke {
    fn from_payload(payload: &(dyn Any + Send)) -> Self {
        let message = payload
            .downcast_ref::<&str>()
            .copied()
            .or_else(|| payload.downcast_ref::<String>().map(String::as_str))
            .unwrap_or("a panic without a message");
        let short: String = message.chars().take(MESSAGE_MAX).collect();
        Self(plain(&short))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn returns_the_message_and_continues() {
        assert!(!is_contained());
        assert_eq!(contained(is_contained), Ok(true));
        let broke = contained(|| -> () { panic!("one \u{1b}[31m row") }).unwrap_err();
        assert_eq!(broke.to_string(), format!("this program broke on it: {}", plain("one \u{1b}[31m row")));
        let broke = contained_async(async {
            tokio::task::yield_now().await;
            panic!("{} rows", 2)
        });
        assert!(broke.await.map(|(): ()| ()).unwrap_err().to_string().ends_with("2 rows"));
        assert!(!is_contained());
    }
}
