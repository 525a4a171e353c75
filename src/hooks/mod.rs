//! Tells the site's back end by webhooks what became of its users: delivers the messages that the database's triggers
//! have written (`migrations/0056_webhooks.sql`), in the form of Standard Webhooks, at least once and in the order of each
//! user.
//!
//! Every endpoint has a loop of its own, with a few messages at once and its own place in the outbox, so that a slow or
//! dead one delays no other.

mod endpoint;
mod excerpt;
pub(crate) mod post;
mod reach;
mod sign;
mod wait;

use std::time::Duration;

use futures_util::future::join_all;
use tokio::time::{interval, timeout};
use tokio_util::sync::CancellationToken;

use crate::config::{SettingError, Settings};
use crate::dial::Dialer;
use crate::poller::Until;
use crate::store::Store;
use crate::store::hooks::KnownAs;
use endpoint::Endpoint;
use post::Post;

/// How often a worker says which endpoints it has.
const KEEP_EVERY: Duration = Duration::from_mins(1);

/// How long that may take.
const KEEP_MAX: Duration = Duration::from_secs(20);

/// Delivers webhooks. Any number of them may do so at once.
pub struct HookSender {
    store: Store,
    endpoints: Vec<Endpoint>,
}

impl HookSender {
    /// One for the endpoints that the settings name; `None` if they name none.
    pub fn from_settings(store: &Store, settings: &Settings) -> Result<Option<Self>, SettingError> {
        Self::reaching(store, settings, &Dialer::default())
    }

    /// The same, by way of this dialer.
    pub fn reaching(store: &Store, settings: &Settings, dialer: &Dialer) -> Result<Option<Self>, SettingError> {
        let targets = settings.webhook.targets()?;
        let endpoint = |target| Ok(Endpoint::new(store.clone(), Post::new(target, dialer.clone())?));
        let endpoints = targets.into_iter().map(endpoint).collect::<Result<Vec<_>, SettingError>>()?;
        Ok((!endpoints.is_empty()).then(|| Self { store: store.clone(), endpoints }))
    }

    /// Delivers until then. What was begun is finished, if that takes not too long.
    pub async fn run(&self, until: Until, shutdown: &CancellationToken) {
        self.keep().await;
        let delivering = join_all(self.endpoints.iter().map(|endpoint| endpoint.run(until, shutdown)));
        let keeping = async {
            let mut ticks = interval(KEEP_EVERY);
            ticks.tick().await;
            loop {
                ticks.tick().await;
                self.keep().await;
            }
        };
        tokio::select! {
            _ = delivering => {}
            never = keeping => never,
        }
    }

    /// From the first time on, the endpoints are told.
    async fn keep(&self) {
        let endpoints: Vec<KnownAs> = self.endpoints.iter().map(Endpoint::known_as).collect();
        match timeout(KEEP_MAX, self.store.have_webhooks(&endpoints)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(%error, "webhooks wait for the database"),
            Err(_) => tracing::warn!("webhooks wait for the database, which does not answer"),
        }
    }
}
