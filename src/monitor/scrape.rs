//! What Prometheus gets: this process's own counts, and the figures of the database.
//!
//! The figures are read once for all who ask within ten seconds, in a task beside them. Who asks waits for it a second at
//! most: from a database that is slow or away they get the last figures, with their age, for five minutes; then none, since
//! a line that goes on would hide that nothing is known.

use std::sync::Arc;
use std::time::Duration;

use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse as _, Response};
use prometheus_client::encoding::text::{encode_eof, encode_registry};
use prometheus_client::registry::Registry;
use tokio::sync::watch;
use tokio::time::{Instant, timeout};

use super::figures::{self, Gauges};
use super::health::Health;
use crate::contain::{self, contained_async};
use crate::metrics::process;
use crate::store::{Error, Figures, Store};

/// For how long figures are those of all who ask.
pub const HOLDS: Duration = Duration::from_secs(10);

/// How long one who asks waits for them.
const PATIENCE: Duration = Duration::from_secs(1);

/// How long reading them may take: longer than a statement.
const READ_MAX: Duration = Duration::from_secs(20);

/// How old figures are shown.
const SHOWN: Duration = Duration::from_mins(5);

const TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// What answers. Clones share what was read.
#[derive(Clone, Debug)]
pub struct Scrape(Arc<Parts>);

#[derive(Debug)]
struct Parts {
    store: Store,
    health: Health,
    /// For how long figures are those of all who ask.
    holds: Duration,
    known: watch::Sender<Known>,
}

/// What is known of the database's figures.
#[derive(Clone, Debug, Default)]
struct Known {
    /// The last ones, and when they were asked for.
    figures: Option<(Arc<Figures>, Instant)>,
    /// When they were last asked for.
    asked_at: Option<Instant>,
    /// Whether they are being read.
    is_asking: bool,
    /// Whether the last reading failed.
    has_failed: bool,
}

impl Known {
    /// The figures, unless they are too old.
    fn shown(&self, now: Instant) -> Option<&(Arc<Figures>, Instant)> {
        self.figures.as_ref().filter(|(_, at)| now - *at < SHOWN)
    }
}

impl Scrape {
    /// Of a process that works with this database. What is read holds for `holds`.
    #[must_use]
    pub fn new(store: Store, health: Health, holds: Duration) -> Self {
        Self(Arc::new(Parts { store, health, holds, known: watch::Sender::default() }))
    }

    /// All metrics, as text, within a second or so.
    pub async fn text(&self) -> Result<String, std::fmt::Error> {
        let (known, ready) = tokio::join!(self.known(), self.0.health.ready());
        let mut registry = Registry::with_prefix("verifydesk");
        let mut gauges = Gauges::new(&mut registry);
        gauges.flag("ready", "1 while this process can work", ready.0.is_success());
        let shown = known.shown(Instant::now());
        if shown.is_some() || known.has_failed || known.is_asking {
            gauges.flag(
                "figures_up",
                "1 where the figures of the database were read when they last should have been",
                !known.has_failed && !known.is_asking,
            );
        }
        if let Some((figures, at)) = shown {
            gauges.seconds("figures_age", "How old the figures of the database are", at.elapsed().as_secs_f64());
            figures::register(&mut gauges, figures);
        }
        let mut text = String::new();
        encode_registry(&mut text, process().registry())?;
        encode_registry(&mut text, &registry)?;
        encode_eof(&mut text)?;
        Ok(text)
    }

    /// The same as an answer.
    pub(super) async fn answer(&self) -> Response {
        match self.text().await {
            Ok(text) => ([(CONTENT_TYPE, TYPE)], text).into_response(),
            Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        }
    }

    /// What is known once the figures were read, or after a second.
    async fn known(&self) -> Known {
        let known = &self.0.known;
        let is_mine = known.send_if_modified(|known| {
            let is_due = !known.is_asking && known.asked_at.is_none_or(|at| at.elapsed() >= self.0.holds);
            if is_due {
                (known.is_asking, known.asked_at) = (true, Some(Instant::now()));
            }
            is_due
        });
        if is_mine {
            // In a task of its own: it goes on when no one waits for it any more.
            drop(contain::spawn(read(Arc::clone(&self.0))));
        }
        let mut hears = known.subscribe();
        drop(timeout(PATIENCE, hears.wait_for(|known| !known.is_asking)).await);
        known.borrow().clone()
    }
}

/// Reads the figures.
async fn read(parts: Arc<Parts>) {
    let asked_at = Instant::now();
    let read = contained_async(timeout(READ_MAX, Box::pin(parts.store.figures()))).await;
    let (figures, has_failed) = match read {
        Ok(Ok(Ok(figures))) => (figures, false),
        Ok(Ok(Err(error))) => {
            warn(&error);
            (None, true)
        }
        // Too slow; or a panic, which is logged where it was.
        Ok(Err(_)) | Err(_) => (None, true),
    };
    parts.known.send_modify(|known| {
        known.is_asking = false;
        known.has_failed = has_failed;
        if let Some(figures) = figures {
            known.figures = Some((Arc::new(figures), asked_at));
        } else if !has_failed {
            // They are no longer this login's to read.
            known.figures = None;
        }
    });
}

fn warn(error: &Error) {
    tracing::warn!(%error, "the figures for metrics were not read");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::worker::OutboxView;

    #[test]
    fn figures_that_are_too_old_are_none() {
        let at = Instant::now();
        let figures =
            Figures { outbox: OutboxView::default(), endpoints: Vec::new(), open: 0, verified: 0, revoked: 0 };
        let known = Known { figures: Some((Arc::new(figures), at)), ..Known::default() };
        assert!(known.shown(at + SHOWN - Duration::from_secs(1)).is_some());
        assert!(known.shown(at + SHOWN).is_none());
    }
}
