//! What faces the internet: the verification view, the site's own API, and a sign of life.
//!
//! ```text
//! GET  /verify/?key=…    the link of the mail: verifies (or, with `verification.confirm = "button"`, asks first)
//! HEAD /verify/?key=…    the status that GET would return; changes nothing, like OPTIONS and a prefetch
//! POST /verify/          key in the form: verifies, in either mode
//! POST /verify/new-mail  key in the form: queues a new mail under the cool-down
//! POST /api/signups      signs an address up; bearer token, JSON
//! GET  /api/users        what is known of an address; bearer token, JSON
//! POST /ses/events       SES's events, as Amazon SNS posts them; signed
//! GET  /healthz, /readyz whether this process lives, and whether it can work
//! ```
//!
//! This process holds no server secret: it finds keys by their digest, and queues mails that a worker sends. Keys
//! stand in the one URL that was mailed and in the bodies of forms; no redirect, log line or error carries one.
//! Forms point to where they are by relative addresses, so a proxy may serve all this under any path.

mod api;
mod greeting;
mod guard;
mod link;
mod opener;
mod page;
mod prefetch;
mod presence;
mod serve;
mod ses_events;
mod turns;
mod verify;
mod words;

use std::sync::Arc;

use axum::Router;
use axum::extract::{DefaultBodyLimit, State};
use axum::middleware::from_fn_with_state;
use axum::routing::get;
use tokio_util::sync::CancellationToken;

use crate::config::{Confirm, Settings};
use crate::desk::Desk;
use crate::monitor::{Answer, Health};
use crate::ses::sns::Fetch;

pub use serve::serve;

/// Largest body of a request, in bytes.
pub const BODY_MAX: usize = 16 * 1024;

/// What every request needs. Cheap to clone.
#[derive(Clone)]
pub struct Context(Arc<Parts>);

struct Parts {
    desk: Desk,
    confirm: Confirm,
    pages: page::Pages,
    greeting: Option<greeting::Greeting>,
    token: Option<api::Token>,
    turns: turns::Turns<crate::desk::LinkOutcome>,
    guesses: api::Guesses,
    webhook: Option<ses_events::Webhook>,
    health: Health,
    presence: presence::Presence,
}

impl Context {
    /// With the acts of a desk, and what the settings say about the site, the link and the API.
    #[must_use]
    pub fn new(desk: Desk, settings: &Settings) -> Self {
        Self::of(desk, settings, None)
    }

    /// The same where SNS posts events; its certificates are fetched this way.
    #[must_use]
    pub fn with_webhook(desk: Desk, settings: &Settings, fetch: Arc<dyn Fetch>) -> Self {
        Self::of(desk, settings, Some(ses_events::Webhook::new(&settings.ses.topics, fetch)))
    }

    fn of(desk: Desk, settings: &Settings, webhook: Option<ses_events::Webhook>) -> Self {
        Self(Arc::new(Parts {
            // Where this ends, no one can ask any more.
            health: Health::new(desk.store().clone(), None, CancellationToken::new()),
            desk,
            confirm: settings.verification.confirm,
            pages: page::Pages::new(&settings.site),
            greeting: greeting::Greeting::new(settings),
            token: settings.serve.token.as_ref().and_then(api::Token::new),
            turns: turns::Turns::default(),
            guesses: api::Guesses::new(),
            webhook,
            presence: presence::Presence::new(),
        }))
    }

    /// Whether the site's own API is on: it is where `serve.token` is set.
    #[must_use]
    pub fn has_api(&self) -> bool {
        self.0.token.is_some()
    }

    /// Writes what is left to be written at the end.
    async fn finish(&self) {
        if let Some(webhook) = &self.0.webhook {
            webhook.finish(&self.0.desk).await;
        }
        self.0.presence.leave(self.0.desk.store()).await;
    }

    /// Does what requests wait for, for as long as it is polled.
    async fn work(&self) {
        if let Some(webhook) = &self.0.webhook {
            webhook.work(&self.0.desk).await;
        }
    }

    /// Shows that it is there, for as long as it is polled.
    async fn show(&self) {
        self.0.presence.show(self.0.desk.store()).await;
    }
}

async fn alive(State(context): State<Context>) -> Answer {
    context.0.health.alive()
}

async fn ready(State(context): State<Context>) -> Answer {
    context.0.health.ready().await
}

/// All addresses, with their limits, headers and log lines.
pub fn router(context: Context) -> Router {
    let events = if context.0.webhook.is_some() { ses_events::routes() } else { Router::new() };
    Router::new()
        .merge(verify::routes())
        .merge(events)
        .route("/healthz", get(alive))
        .route("/readyz", get(ready))
        .fallback(verify::elsewhere)
        .method_not_allowed_fallback(verify::wrong_method)
        .nest("/api", api::routes(context.clone()))
        .layer(DefaultBodyLimit::max(BODY_MAX))
        .layer(from_fn_with_state(context.clone(), guard::guard))
        .with_state(context)
}
