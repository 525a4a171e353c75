//! The certificates that are known, and fetching those that are not. A message says what is fetched, and a stranger may
//! have written it. So all of it is bounded: how many are fetched at once and in a minute, and how many are kept. What
//! could not be fetched is not kept: the next message may find it.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio::sync::watch;
use tokio::time::{Instant, timeout};

use super::CheckedUrl;
use super::certificate::Certificate;
use crate::text::Plain;

/// Gets what lies at an address.
pub trait Fetch: Send + Sync + 'static {
    /// What lies there.
    fn fetch(&self, url: CheckedUrl) -> BoxFuture<'static, Result<Vec<u8>, FetchError>>;
}

/// Why nothing was fetched.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FetchError {
    #[error("too many are being fetched")]
    Busy,
    #[error("SNS did not answer in time")]
    TimedOut,
    #[error("SNS answered with status {0}")]
    Status(u16),
    #[error("SNS's answer is too long")]
    TooLong,
    #[error("{0}")]
    Network(Plain),
    #[error("what SNS answered is no certificate with an RSA key")]
    NoCertificate,
    #[error("this program broke on it")]
    Broke,
}

/// How much is fetched and kept.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    /// Certificates that have proved good, and as many that have not.
    pub(super) kept: usize,
    pub(super) at_once: usize,
    pub(super) a_minute: usize,
    /// How long one may take.
    pub(super) wait: Duration,
}

type Fetched = Result<Arc<Certificate>, FetchError>;

/// `None` until it has come.
type Answer = watch::Receiver<Option<Fetched>>;

enum Found {
    Known(Arc<Certificate>),
    Coming(Answer),
}

pub(super) struct Certificates {
    fetch: Arc<dyn Fetch>,
    bounds: Bounds,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    /// Those that have signed a message, the oldest first. No other takes their place.
    good: Vec<(CheckedUrl, Arc<Certificate>)>,
    /// Those that have not.
    seen: Vec<(CheckedUrl, Arc<Certificate>)>,
    /// Those that are being fetched.
    running: HashMap<CheckedUrl, Answer>,
    begun: Begun,
}

impl Certificates {
    pub(super) fn new(fetch: Arc<dyn Fetch>, bounds: Bounds) -> Self {
        Self { fetch, bounds, state: Arc::default() }
    }

    /// The certificate at an address; those who ask for the same one at the same time share the answer.
    pub(super) async fn get(&self, url: &CheckedUrl) -> Fetched {
        let mut answer = match self.known_or_begun(url)? {
            Found::Known(known) => return Ok(known),
            Found::Coming(answer) => answer,
        };
        let answer = answer.wait_for(Option::is_some).await.map_err(|_| FetchError::Broke)?.clone();
        answer.unwrap_or(Err(FetchError::Broke))
    }

    /// A certificate has signed a message.
    pub(super) fn has_proved_good(&self, url: &CheckedUrl, certificate: &Arc<Certificate>) {
        let mut state = lock(&self.state);
        if state.good.iter().any(|(known, _)| known == url) {
            return;
        }
        state.seen.retain(|(known, _)| known != url);
        push(&mut state.good, url, certificate, self.bounds.kept);
    }

    fn known_or_begun(&self, url: &CheckedUrl) -> Result<Found, FetchError> {
        let mut state = lock(&self.state);
        if let Some((_, known)) = state.good.iter().chain(&state.seen).find(|(known, _)| known == url) {
            return Ok(Found::Known(Arc::clone(known)));
        }
        if let Some(running) = state.running.get(url) {
            return Ok(Found::Coming(running.clone()));
        }
        if state.running.len() >= self.bounds.at_once || !state.begun.one_more(self.bounds.a_minute, Instant::now()) {
            return Err(FetchError::Busy);
        }
        let (sender, receiver) = watch::channel(None);
        state.running.insert(url.clone(), receiver.clone());
        drop(state);
        // A task of its own: who asked first may hang up, and the others still wait.
        let running = Running { state: Arc::clone(&self.state), url: url.clone() };
        let (fetching, bounds) = (self.fetch.fetch(url.clone()), self.bounds);
        crate::contain::spawn(async move {
            let fetched = timeout(bounds.wait, fetching).await.unwrap_or(Err(FetchError::TimedOut));
            let read = fetched.and_then(|pem| Certificate::read(&pem).map(Arc::new).ok_or(FetchError::NoCertificate));
            if let Ok(certificate) = &read {
                push(&mut lock(&running.state).seen, &running.url, certificate, bounds.kept);
            }
            drop(running);
            sender.send_replace(Some(read));
        });
        Ok(Found::Coming(receiver))
    }
}

fn push(list: &mut Vec<(CheckedUrl, Arc<Certificate>)>, url: &CheckedUrl, one: &Arc<Certificate>, max: usize) {
    if list.len() >= max {
        list.remove(0);
    }
    list.push((url.clone(), Arc::clone(one)));
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Is being fetched; no longer once it is dropped, be it by a panic.
struct Running {
    state: Arc<Mutex<State>>,
    url: CheckedUrl,
}

impl Drop for Running {
    fn drop(&mut self) {
        lock(&self.state).running.remove(&self.url);
    }
}

/// When the fetches of the last minute began.
#[derive(Default)]
struct Begun(VecDeque<Instant>);

impl Begun {
    /// Whether one more may begin now, and counts it if so.
    fn one_more(&mut self, a_minute: usize, now: Instant) -> bool {
        while self.0.front().is_some_and(|at| now.duration_since(*at) >= Duration::from_mins(1)) {
            self.0.pop_front();
        }
        let may = self.0.len() < a_minute;
        if may {
            self.0.push_back(now);
        }
        may
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_minute_has_room_for_some() {
        let start = Instant::now();
        let mut begun = Begun::default();
        let after = |seconds| start + Duration::from_secs(seconds);
        let table = [(0, true), (10, true), (20, false), (59, false), (60, true), (61, false), (70, true), (71, false)];
        for (seconds, may) in table {
            assert_eq!(begun.one_more(2, after(seconds)), may, "{seconds}");
        }
    }
}
