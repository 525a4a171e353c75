//! A sign of life for load balancers and supervisors.

use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use tokio::time::timeout;

use super::Context;

/// How long the database may take to answer; a caller must not wait longer.
const PATIENCE: Duration = Duration::from_secs(1);

/// 200 `ok` when the database answers in time, 503 otherwise.
pub(super) async fn check(State(context): State<Context>) -> (StatusCode, &'static str) {
    match timeout(PATIENCE, context.0.desk.store().ping()).await {
        Ok(Ok(())) => (StatusCode::OK, "ok\n"),
        Ok(Err(error)) => {
            tracing::warn!(%error, "the database is not well");
            (StatusCode::SERVICE_UNAVAILABLE, "the database does not answer\n")
        }
        Err(_) => (StatusCode::SERVICE_UNAVAILABLE, "the database did not answer within a second\n"),
    }
}
