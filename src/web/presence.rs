//! Shows that this `serve` is there: its heartbeat in the database, and its name in each answer, by which it is told whether
//! the public URL leads here.

use axum::http::HeaderValue;
use tokio::time::{interval, timeout};
use uuid::Uuid;

use crate::contain::contained_async;
use crate::domain::serve::BEAT_EVERY;
use crate::store::Store;

/// One run of `serve`.
pub(super) struct Presence {
    run: Uuid,
    host: String,
    name: HeaderValue,
}

impl Presence {
    pub(super) fn new() -> Self {
        let run = Uuid::now_v7();
        let host =
            nix::unistd::gethostname().map_or_else(|_| "unknown".into(), |host| host.to_string_lossy().into_owned());
        // An id is of letters that a header takes.
        let name = HeaderValue::from_str(&run.to_string()).unwrap_or_else(|_| HeaderValue::from_static(""));
        Self { run, host, name }
    }

    /// What answers bear.
    pub(super) fn name(&self) -> HeaderValue {
        self.name.clone()
    }

    /// Beats for as long as it is polled.
    pub(super) async fn show(&self, store: &Store) {
        let mut is_shown = true;
        let mut beats = interval(BEAT_EVERY);
        loop {
            beats.tick().await;
            match contained_async(store.show_serve(self.run, &self.host, false)).await {
                Ok(Ok(())) => is_shown = true,
                Ok(Err(error)) if std::mem::take(&mut is_shown) => tracing::warn!(%error, "no heartbeat"),
                _ => {}
            }
        }
    }

    /// Says that it ends.
    pub(super) async fn leave(&self, store: &Store) {
        let _ = timeout(BEAT_EVERY / 10, store.show_serve(self.run, &self.host, true)).await;
    }
}
