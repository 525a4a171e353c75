//! What `worker` and `serve` show while they run: to systemd, and to those who ask on `metrics.listen`. And what goes on
//! beside their work.

use std::time::Duration;

use tokio::net::TcpListener;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::Failure;
use crate::config::Settings;
use crate::contain::contained_async;
use crate::monitor::{self, Health, systemd};
use crate::pulse::Pulse;
use crate::store::Store;

/// How long after it broke something begins again.
const BEGIN_AGAIN: Duration = Duration::from_secs(5);

/// Begins again what has broken, so that all else goes on.
pub async fn keep_on(what: &str, shutdown: &CancellationToken, work: impl AsyncFn()) {
    while let Err(broke) = contained_async(work()).await {
        tracing::error!("{what} broke, and begins again: {broke}");
        if shutdown.run_until_cancelled(sleep(BEGIN_AGAIN)).await.is_none() {
            return;
        }
    }
}

/// Shows it until [`Watched::end`].
pub struct Watched {
    shown: TaskTracker,
    shutdown: CancellationToken,
    over: CancellationToken,
}

impl Watched {
    /// Of a service that works with this database until `shutdown`, and whose loop, if it has one, has this pulse.
    pub async fn start(
        settings: &Settings,
        store: &Store,
        pulse: Option<Pulse>,
        shutdown: &CancellationToken,
    ) -> Result<Self, Failure> {
        let (shown, over) = (TaskTracker::new(), CancellationToken::new());
        if let Some(address) = settings.metrics.listen {
            let listener = TcpListener::bind(address).await.map_err(|error| {
                Failure::failed(
                    format!("cannot listen on {address}: {error}"),
                    "give each worker and serve of this host a `metrics.listen` of its own, or none",
                )
            })?;
            tracing::info!(address = %listener.local_addr().unwrap_or(address), "showing health and metrics");
            let health = Health::new(store.clone(), pulse.clone(), shutdown.clone());
            shown.spawn(contained_async(monitor::serve(listener, store.clone(), health, over.clone())));
        }
        shown.spawn(contained_async(systemd::tell(pulse, shutdown.clone(), over.clone())));
        Ok(Self { shown, shutdown: shutdown.clone(), over })
    }

    /// Once all else has ended: lets those who are asking have their answer.
    pub async fn end(self) {
        self.shutdown.cancel();
        self.over.cancel();
        self.shown.close();
        self.shown.wait().await;
    }
}
