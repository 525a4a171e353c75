//! What a service shows of itself to those who watch over it: systemd, a load balancer, Prometheus.
//!
//! ```text
//! GET /healthz  whether it lives: 503 where only a restart helps
//! GET /metrics  what it counts, and the figures of the database, for Prometheus
//! GET /readyz   whether it can work: 503 while it cannot, with the reason
//! ```
//!
//! On a listener of its own (`metrics.listen`, off by default); `serve` has both addresses beside its pages as well.

mod figures;
mod health;
mod scrape;
pub mod systemd;

use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::routing::get;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::listen::{self, Bounds};
use crate::store::Store;

pub use health::{Answer, Health};
pub use scrape::Scrape;

/// What its listener keeps to: few ask, and each asks little.
const BOUNDS: Bounds = Bounds {
    connections: 50,
    shutdown: Duration::from_secs(1),
    write: Duration::from_secs(10),
    answer: Some(Duration::from_secs(30)),
    life: None,
};

/// Answers until `shutdown` is cancelled.
pub async fn serve(listener: TcpListener, store: Store, health: Health, shutdown: CancellationToken) {
    let scrape = Scrape::new(store, health.clone(), scrape::HOLDS);
    let router = Router::new()
        .route("/metrics", get(async move || scrape.answer().await))
        .route("/healthz", get(alive))
        .route("/readyz", get(ready))
        .with_state(health);
    listen::serve(listener, router, BOUNDS, shutdown).await;
}

async fn alive(State(health): State<Health>) -> Answer {
    health.alive()
}

async fn ready(State(health): State<Health>) -> Answer {
    health.ready().await
}
