//! Wrong tokens cost time: after some in a minute each is answered late, and when too many wait, at once with 429. A
//! right token is never held up, whatever others guess.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::time::{Instant, sleep};

/// In which wrong tokens are counted together.
const WINDOW: Duration = Duration::from_mins(1);

/// How many are answered at once: a site with an old token should see its mistake.
const PROMPT: u32 = 10;

/// How late the others are.
const LATE: Duration = Duration::from_millis(300);

/// How many may wait at a time.
const WAITING_MAX: usize = 50;

/// The wrong tokens of late, from any client: behind a proxy all clients are one.
pub(in crate::web) struct Guesses {
    window: Mutex<(Instant, u32)>,
    waiting: Semaphore,
}

impl Guesses {
    pub(in crate::web) fn new() -> Self {
        Self { window: Mutex::new((Instant::now(), 0)), waiting: Semaphore::new(WAITING_MAX) }
    }

    /// Waits as long as a wrong token has to; false where too many wait already.
    pub(super) async fn wrong(&self) -> bool {
        let count = self.count();
        if count <= PROMPT {
            return true;
        }
        if count == PROMPT + 1 {
            tracing::warn!(
                "more than {PROMPT} requests with a wrong token within a minute: the site has another token than \
                 `serve.token`, or someone guesses"
            );
        }
        let Ok(_waiting) = self.waiting.try_acquire() else { return false };
        sleep(LATE).await;
        true
    }

    fn count(&self) -> u32 {
        let mut window = self.window.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        if now.saturating_duration_since(window.0) > WINDOW {
            *window = (now, 0);
        }
        window.1 = window.1.saturating_add(1);
        window.1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_first_are_prompt_and_the_rest_are_few_at_a_time() {
        let guesses = Guesses::new();
        let started = Instant::now();
        for _ in 0..PROMPT {
            assert!(guesses.wrong().await);
        }
        assert!(started.elapsed() < LATE, "{:?}", started.elapsed());
        let late = futures_util::future::join_all((0..WAITING_MAX + 20).map(|_| guesses.wrong())).await;
        assert!(started.elapsed() >= LATE);
        assert_eq!(late.iter().filter(|waited| !**waited).count(), 20);
        assert!(guesses.wrong().await, "and those that come later wait again");
    }
}
