//! Listens for HTTP, and stops in an orderly way.
//!
//! Connections are driven by hyper directly, since axum's server waits for ever for the head of a request: whoever
//! opens many connections and says nothing would hold them all. Here a silent one is closed after `HEAD_TIMEOUT`,
//! and no more are held than the caller allows; others wait in the system's queue.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// How long the head of a request may take; also how long a connection may idle between requests.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);

/// Largest head of a request, in bytes.
const HEAD_MAX: usize = 16 * 1024;

/// How long to wait when the system gives no more connections (out of file descriptors, mostly).
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// What a server keeps to.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Connections held at once.
    pub connections: usize,
    /// How long requests in flight may take after the end was asked for.
    pub shutdown: Duration,
}

/// Serves until `shutdown` is cancelled: then takes no more connections, lets the requests in flight finish within a
/// bound, and returns.
pub async fn serve(listener: TcpListener, router: Router, bounds: Bounds, shutdown: CancellationToken) {
    let seats = Arc::new(Semaphore::new(bounds.connections));
    let connections = TaskTracker::new();
    // Ends the connections that are left when the bound is over.
    let cut = CancellationToken::new();
    while let Some((stream, seat)) = shutdown.run_until_cancelled(accept(&listener, &seats)).await {
        let connection = connection(stream, router.clone(), shutdown.clone());
        let cut = cut.clone();
        connections.spawn(async move {
            cut.run_until_cancelled(connection).await;
            drop(seat);
        });
    }
    drop(listener);
    connections.close();
    if timeout(bounds.shutdown, connections.wait()).await.is_err() {
        tracing::warn!(connections = connections.len(), "requests in flight were cut off at the end");
        cut.cancel();
        connections.wait().await;
    }
}

async fn accept(listener: &TcpListener, seats: &Arc<Semaphore>) -> (TcpStream, Option<OwnedSemaphorePermit>) {
    // Fails only when the semaphore is closed, which nobody does.
    let seat = Arc::clone(seats).acquire_owned().await.ok();
    loop {
        match listener.accept().await {
            Ok((stream, _)) => return (stream, seat),
            Err(error) => {
                tracing::warn!(%error, "a connection could not be taken");
                sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

/// One connection, until it is closed or, once the end was asked for, its request in flight is answered.
async fn connection(stream: TcpStream, router: Router, shutdown: CancellationToken) {
    // Without this answers may wait for the client's acknowledgement; no harm where it is refused.
    let _ = stream.set_nodelay(true);
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .max_buf_size(HEAD_MAX)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router));
    let mut connection = std::pin::pin!(connection);
    let ended = tokio::select! {
        ended = &mut connection => ended,
        () = shutdown.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        // Clients hang up as they please. hyper's errors quote nothing of the request.
        tracing::debug!(%error, "a connection ended early");
    }
}
