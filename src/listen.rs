//! Listens for HTTP, and stops in an orderly way.
//!
//! Connections are driven by hyper directly, since axum's server waits forever for the head of a request: who
//! opens many connections and says nothing would hold them all. Here a silent one is closed after `HEAD_TIMEOUT`, one
//! that does not read its answers after [`Bounds::write`], and no more are held than the caller allows: near the last
//! seat idle ones give way, and at the last one those that wait for their client; if there are none, others wait in the
//! system's queue.

mod body;
mod seats;
mod stream;

use std::convert::Infallible;
use std::time::Duration;

use axum::Router;
use axum::response::Response;
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::contain::contained_async;
use body::{Expected, Held};
use seats::{Seats, Taking};
use stream::Patient;

/// How long the head of a request may take; also how long a connection may idle between requests.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);

/// Largest head of a request, in bytes.
const HEAD_MAX: usize = 16 * 1024;

/// How long a connection that is to end may do nothing: time enough for a request that is on its way.
const LAST_IDLE: Duration = Duration::from_secs(1);

/// How long to wait when the system gives no more connections (out of file descriptors, mostly).
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// What a server keeps to.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Connections held at once.
    pub connections: usize,
    /// How long requests in flight may take after the end was asked for.
    pub shutdown: Duration,
    /// How long a reader may take nothing of an answer.
    pub write: Duration,
    /// How long a reader may take for all of an answer that waits for it.
    pub answer: Option<Duration>,
    /// How long a connection may last; then it is closed behind the answer in flight.
    pub life: Option<Duration>,
}

/// Serves until `shutdown` is cancelled: then takes no more connections, lets the requests in flight finish within a
/// bound, and returns.
pub async fn serve(listener: TcpListener, router: Router, bounds: Bounds, shutdown: CancellationToken) {
    let seats = Seats::new(bounds.connections);
    let connections = TaskTracker::new();
    // Ends the connections that are left when the bound is over.
    let cut = CancellationToken::new();
    while let Some(accepted) = shutdown.run_until_cancelled(accept(&listener, &seats)).await {
        let Some((stream, taking)) = accepted else { break };
        let connection = connection(stream, taking, router.clone(), bounds, shutdown.clone());
        let cut = cut.clone();
        connections.spawn(contained_async(async move { cut.run_until_cancelled(connection).await }));
    }
    drop(listener);
    connections.close();
    if timeout(bounds.shutdown, connections.wait()).await.is_err() {
        tracing::warn!(connections = connections.len(), "requests in flight were cut off at the end");
        cut.cancel();
        connections.wait().await;
    }
}

async fn accept(listener: &TcpListener, seats: &Seats) -> Option<(TcpStream, Taking)> {
    let permit = seats.free().await?;
    loop {
        match listener.accept().await {
            Ok((stream, from)) => return Some((stream, seats.take(permit, from.ip()))),
            Err(error) => {
                tracing::warn!(%error, "a connection could not be taken");
                sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

/// One connection, until it is closed or, once it shall end, its request in flight is answered.
async fn connection(stream: TcpStream, taking: Taking, router: Router, bounds: Bounds, shutdown: CancellationToken) {
    // Without this answers may wait for the client's acknowledgement; no harm where it is refused.
    let _ = stream.set_nodelay(true);
    let seat = &taking.seat;
    let service = TowerToHyperService::new(router);
    let service = service_fn(|request: Request<Incoming>| {
        let busy = seat.begin();
        let answering = service.call(request.map(|body| Expected::new(body, seat)));
        async move {
            let answer: Result<Response, Infallible> = answering.await;
            answer.map(|answer| answer.map(|body| Held::new(body, busy)))
        }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .max_buf_size(HEAD_MAX)
        .serve_connection(TokioIo::new(Patient::new(stream, std::sync::Arc::clone(seat), &bounds)), service);
    let mut connection = std::pin::pin!(connection);
    let life = async {
        match bounds.life {
            Some(life) => sleep(life).await,
            None => std::future::pending().await,
        }
    };
    let ended = tokio::select! {
        ended = &mut connection => Ok(ended),
        () = seat.cut.cancelled() => return,
        () = seat.leave.cancelled() => Err(true),
        () = life => Err(true),
        () = shutdown.cancelled() => Err(false),
    };
    let ended = match ended {
        Ok(ended) => ended,
        Err(is_bounded) => {
            connection.as_mut().graceful_shutdown();
            // At the end of all, the caller bounds it.
            let last = async { if is_bounded { sleep(bounds.shutdown).await } else { std::future::pending().await } };
            tokio::select! {
                biased;
                ended = connection => ended,
                () = seat.cut.cancelled() => return,
                // hyper waits for a head of which a part is there.
                () = seat.idle_for(LAST_IDLE) => return,
                () = last => return,
            }
        }
    };
    if let Err(error) = ended {
        // Clients hang up as they please. hyper's errors quote nothing of the request.
        tracing::debug!(%error, "a connection ended early");
    }
}
